// Batches that follow each other in one partition, read into one stretch of memory: what is in memory is copied there,
// large ones are read to where they belong, small ones that lie near each other with one read. Each is checked.
import type { File } from '../../world/world.ts'
import type { ReadRoom } from '../read-room.ts'
import { blankEntryHeader, entryKind, payloadIsIntact, readEntryHeader } from './entry.ts'
import { closeUp, readFully, spanOf } from './file-bytes.ts'
import type { JournalError } from './journal-error.ts'
import { entryHeaderBytes, placeOf } from './layout.ts'
import type { Segment } from './segment.ts'

/** Where entry `i` of a partition is; `position` is that of its header. */
export interface BatchPlaces {
  segment(i: number): number
  position(i: number): number
  bytes(i: number): number
}
export interface RunSource {
  segment(index: number): Segment
  fileOf(segment: Segment): File
  /** The file does not hold what was written there. */
  damaged(segment: Segment, position: number): JournalError
}

/** From this size on a batch has a read of its own. */
const largeBytes = 32 << 10
const gatheredBytesMax = 256 << 10
/** Of others, between two that are read together. */
const gapBytesMax = 16 << 10
const gathered = new Uint8Array(gatheredBytesMax)
const headerRoom = new Uint8Array(entryHeaderBytes)
const header = blankEntryHeader()

/** Entries [first, end), one behind the other in memory of the room. */
export function readRun(
  source: RunSource,
  places: BatchPlaces,
  first: number,
  end: number,
  room: ReadRoom,
): Uint8Array[] {
  let total = 0
  let around = entryHeaderBytes
  for (let i = first; i < end; i++) {
    const bytes = places.bytes(i)
    total += bytes
    around = Math.max(around, spanOf(places.position(i), entryHeaderBytes + bytes) - bytes)
  }
  const into = room.take(around + total)
  const batches: Uint8Array[] = []
  // In front of each batch lies its header while it is read.
  let at = entryHeaderBytes
  for (let i = first; i < end; ) {
    const segment = source.segment(places.segment(i))
    const position = places.position(i)
    const bytes = places.bytes(i)
    let next = i + 1
    if (!segment.copy(position + entryHeaderBytes, bytes, into, at)) {
      next = bytes >= largeBytes ? i + 1 : gatheredUpTo(segment, places, i, end)
      if (next === i + 1) readOne(source, segment, position, bytes, into, at)
      else readGathered(source, segment, places, i, next, into, at)
    }
    for (; i < next; i++) {
      const length = places.bytes(i)
      batches.push(into.subarray(at, at + length))
      at += length
    }
  }
  return batches
}

/** Straight to its place; the header over the last bytes of the batch before, which are put back. */
function readOne(
  source: RunSource,
  segment: Segment,
  position: number,
  bytes: number,
  into: Uint8Array,
  at: number,
): void {
  const begin = at - entryHeaderBytes
  headerRoom.set(into.subarray(begin, at))
  const span = spanOf(position, entryHeaderBytes + bytes)
  const came = readFully(source.fileOf(segment), into.subarray(begin, begin + span), placeOf(position))
  if (came < span) throw source.damaged(segment, position)
  closeUp(into, begin, position, entryHeaderBytes + bytes)
  check(source, segment, position, bytes, into, begin)
  into.set(headerRoom, begin)
}

/** One behind the last entry that can be read together with the first. */
function gatheredUpTo(segment: Segment, places: BatchPlaces, first: number, end: number): number {
  const begin = placeOf(places.position(first))
  let stop = placeOf(places.position(first) + entryHeaderBytes + places.bytes(first))
  let next = first + 1
  for (; next < end; next++) {
    const position = places.position(next)
    const bytes = places.bytes(next)
    if (places.segment(next) !== segment.index || bytes >= largeBytes || placeOf(position) - stop > gapBytesMax) break
    const after = placeOf(position) + spanOf(position, entryHeaderBytes + bytes)
    if (after - begin > gatheredBytesMax || segment.arenaOf(placeOf(position)) !== null) break
    stop = after
  }
  return next
}
function readGathered(
  source: RunSource,
  segment: Segment,
  places: BatchPlaces,
  first: number,
  end: number,
  into: Uint8Array,
  to: number,
): void {
  const last = places.position(end - 1)
  const begin = placeOf(places.position(first))
  const span = placeOf(last) + spanOf(last, entryHeaderBytes + places.bytes(end - 1)) - begin
  if (readFully(source.fileOf(segment), gathered.subarray(0, span), begin) < span) {
    throw source.damaged(segment, places.position(first))
  }
  let at = to
  for (let i = first; i < end; i++) {
    const position = places.position(i)
    const bytes = places.bytes(i)
    const from = placeOf(position) - begin
    closeUp(gathered, from, position, entryHeaderBytes + bytes)
    check(source, segment, position, bytes, gathered, from)
    into.set(gathered.subarray(from + entryHeaderBytes, from + entryHeaderBytes + bytes), at)
    at += bytes
  }
}

/** The header vouches for the payload, so both are read: bytes of a file may have rotted since the start. */
function check(
  source: RunSource,
  segment: Segment,
  position: number,
  bytes: number,
  read: Uint8Array,
  at: number,
): void {
  const good =
    readEntryHeader(read, at, position, segment.header, segment.path, header) &&
    header.kind === entryKind.batch &&
    header.payloadBytes === bytes &&
    payloadIsIntact(read, at + entryHeaderBytes, header)
  if (!good) throw source.damaged(segment, position)
}
