// One segment of the journal: where its bytes end, its newest bytes in memory (arenas), and marks that find an LSN.
import { assert } from '../../std/assert.ts'
import type { File } from '../../world/world.ts'
import { type EntryHeader, entryKind, payloadBytesAt, sealEntryHeader, writeEntryHeader } from './entry.ts'
import { writeFully } from './file-bytes.ts'
import {
  blockBytes,
  bodyLeft,
  entryHeaderBytes,
  entryStart,
  fileBytesOf,
  placeOf,
  type SegmentHeader,
  segmentHeaderBytes,
  writeBlockHeader,
  writeSegmentHeader,
} from './layout.ts'
import type { StreamEnd } from './seal.ts'

/** An arena holds this stretch of the file as it is, block headers included; a block lies in one arena. */
export const arenaBytes = 16 * blockBytes
/** One mark per so many bytes of stream: a search starts at most this far before what it looks for. */
const markEveryBytes = 64 * 1024

/** Index of the oldest segment that is not dropped; the length of the row if there is none. Segments go oldest first. */
export function firstLive(segments: readonly Segment[]): number {
  let index = segments.length
  while (index > 0 && !segments[index - 1]!.dropped) index--
  return index
}

export interface SegmentEnding {
  readonly streams: readonly StreamEnd[]
  readonly payload: Uint8Array
}

interface Arena {
  readonly bytes: Uint8Array
  /** Somebody was given a part of it, and may look at it for as long as he likes: its memory is not used again. */
  isLent: boolean
}

export class Segment {
  /** Its place in the row of segments. */
  readonly index: number
  readonly header: SegmentHeader
  readonly path: string
  /** Open once the file is there; of a sealed segment perhaps closed again (null). */
  file: File | null = null
  /** True once the file is there with its header, durably. */
  created = false
  /** True once a later segment takes the appends. */
  sealed = false
  /** Entries appended since the segment was made or opened. */
  entries = 0
  /** When the oldest entry that is not a witness was appended, as far as it was met here; null: there is none. */
  oldestMs: number | null = null
  /** Streams and the owner's state after the last entry, once it is sealed, for whoever settles it. */
  ending: SegmentEnding | null = null
  /** Settled: its file is gone, or will be. */
  dropped = false
  /** Position after the last entry, written or not. */
  end = segmentHeaderBytes
  /** Position up to which the file holds the stream. */
  written = 0
  readonly #arenas = new Map<number, Arena>()
  readonly #makeArena: (segment: Segment, arena: number) => Uint8Array
  /** LSN and position in turn, both ascending. */
  readonly #marks: number[] = []

  constructor(
    index: number,
    header: SegmentHeader,
    path: string,
    makeArena: (segment: Segment, arena: number) => Uint8Array,
  ) {
    this.index = index
    this.header = header
    this.path = path
    this.#makeArena = makeArena
  }

  // --- The newest bytes in memory ---

  #arenaAt(place: number): Uint8Array {
    const index = Math.floor(place / arenaBytes)
    const known = this.#arenas.get(index)
    if (known !== undefined) return known.bytes
    const bytes = this.#makeArena(this, index)
    this.#arenas.set(index, { bytes, isLent: false })
    return bytes
  }
  /**
   * The arena that holds the place, which is its byte `place % arenaBytes`; null when no longer in memory. Not to be kept:
   * the memory may be used again (`view` gives what may be).
   */
  arenaOf(place: number): Uint8Array | null {
    return this.#arenas.get(Math.floor(place / arenaBytes))?.bytes ?? null
  }
  /** Forgets an arena if all of it is in the file and nothing will be added to it; its memory goes back if it may. */
  dropArena(index: number, recycle: (arena: Uint8Array) => void): boolean {
    const full = (index + 1) * arenaBytes <= fileBytesOf(this.written)
    if (!full && !(this.sealed && this.written === this.end)) return false
    const arena = this.#arenas.get(index)
    if (arena?.isLent === false) recycle(arena.bytes)
    this.#arenas.delete(index)
    return true
  }
  /** The body bytes [position, position + length): a view where they lie together, else a copy; null if not in memory. */
  view(position: number, length: number): Uint8Array | null {
    const place = placeOf(position)
    const arena = this.#arenas.get(Math.floor(place / arenaBytes))
    if (arena === undefined) return null
    const at = place % arenaBytes
    if (length <= bodyLeft(position)) {
      arena.isLent = true
      return arena.bytes.subarray(at, at + length)
    }
    const copy = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const from = placeOf(position + done)
      const part = this.arenaOf(from)
      if (part === null) return null
      const count = Math.min(bodyLeft(position + done), length - done)
      copy.set(part.subarray(from % arenaBytes, (from % arenaBytes) + count), done)
      done += count
    }
    return copy
  }

  /** The same into memory of the caller. False: not all of it is in memory, and what lies there now is nothing. */
  copy(position: number, length: number, into: Uint8Array, at: number): boolean {
    for (let done = 0; done < length; ) {
      const from = placeOf(position + done)
      const part = this.arenaOf(from)
      if (part === null) return false
      const count = Math.min(bodyLeft(position + done), length - done)
      const begin = from % arenaBytes
      into.set(part.subarray(begin, begin + count), at + done)
      done += count
    }
    return true
  }

  // --- Appending, in memory ---

  /** Writes the header of the segment into its first block. */
  begin(witness: number): void {
    const arena = this.#arenaAt(0)
    writeBlockHeader(arena, 0, this.header, 0, segmentHeaderBytes)
    writeSegmentHeader(arena, placeOf(0), { ...this.header, witness })
  }

  /** Appends an entry, not yet sealed; `prefix` replaces the first bytes of the payload. Returns its position. */
  put(header: EntryHeader, prefix: Uint8Array | null, payload: Uint8Array): number {
    const start = entryStart(this.end)
    if (start > this.end) {
      const place = placeOf(this.end) % arenaBytes
      this.#arenaAt(placeOf(this.end)).fill(0, place, place + (start - this.end))
    }
    const place = this.#enterBlock(start, 0)
    writeEntryHeader(this.#arenaAt(place), place % arenaBytes, header, this.header, start)
    let position = start + entryHeaderBytes
    for (let done = 0; done < payload.length; ) {
      const to = this.#enterBlock(position, payload.length - done)
      const count = Math.min(bodyLeft(position), payload.length - done)
      const whole = done === 0 && count === payload.length
      this.#arenaAt(to).set(whole ? payload : payload.subarray(done, done + count), to % arenaBytes)
      done += count
      position += count
    }
    if (prefix !== null) this.#overwrite(start + entryHeaderBytes, prefix)
    if (this.#marks.length === 0 || start - this.#marks.at(-1)! >= markEveryBytes) this.#marks.push(header.lsn, start)
    this.end = position
    this.entries++
    this.met(header)
    return start
  }
  /** An entry of it was appended, or found by a start. */
  met(header: Readonly<EntryHeader>): void {
    if (this.oldestMs === null && header.kind !== entryKind.witness) this.oldestMs = header.appendedMs
  }
  /** Nobody will read it any more. */
  drop(): void {
    this.dropped = true
    this.ending = null
    this.file?.close()
    this.file = null
    this.#arenas.clear()
    this.#marks.length = 0
  }
  /** Begins the block if `position` is the first of its body; `spanning` as in the block header. Returns the place. */
  #enterBlock(position: number, spanning: number): number {
    const place = placeOf(position)
    // The first block is begun with the segment header.
    if (place % blockBytes === placeOf(0) && place > blockBytes) {
      const begin = place - placeOf(0)
      writeBlockHeader(this.#arenaAt(begin), begin % arenaBytes, this.header, begin / blockBytes, spanning)
    }
    return place
  }
  #overwrite(position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const place = placeOf(position + done)
      const count = Math.min(bodyLeft(position + done), bytes.length - done)
      this.#arenaAt(place).set(bytes.subarray(done, done + count), place % arenaBytes)
      done += count
    }
  }

  /** Seals the entries of the stream [from, to) with the LSN that is durable now. */
  seal(from: number, to: number, syncedTo: number): void {
    for (let position = from; position < to; ) {
      const start = entryStart(position)
      const place = placeOf(start)
      const arena = this.#arenaAt(place)
      sealEntryHeader(arena, place % arenaBytes, syncedTo)
      position = start + entryHeaderBytes + payloadBytesAt(arena, place % arenaBytes)
    }
  }

  /** Writes the stream up to `to` to the file: one write per arena touched. */
  writeOut(to: number): void {
    const file = this.file
    assert(file !== null, `${this.path} is written before it is open`)
    const last = fileBytesOf(to)
    for (let place = fileBytesOf(this.written); place < last; ) {
      const arena = this.#arenaAt(place)
      const next = Math.min((Math.floor(place / arenaBytes) + 1) * arenaBytes, last)
      const at = place % arenaBytes
      writeFully(file, arena.subarray(at, at + next - place), place)
      place = next
    }
    this.written = to
  }

  /** Takes back what was appended after `to` and never became durable. */
  takeBack(to: number, firstLsnGone: number, entries: number): void {
    this.end = to
    this.entries -= entries
    while (this.#marks.length > 0 && this.#marks[this.#marks.length - 2]! >= firstLsnGone) this.#marks.length -= 2
  }

  /** It never came to be: its memory may go. */
  abandon(): void {
    this.end = segmentHeaderBytes
    this.written = segmentHeaderBytes
    this.sealed = true
  }

  // --- After a start ---

  /** Goes on with a file that is whole and durable up to `end`: the bytes of its last arena come into memory. */
  resume(file: File, end: number, fill: (into: Uint8Array, place: number) => void): void {
    this.file = file
    this.created = true
    this.end = end
    this.written = end
    const last = fileBytesOf(end)
    const begin = Math.floor(last / arenaBytes) * arenaBytes
    if (last > begin) fill(this.#arenaAt(begin).subarray(0, last - begin), begin)
  }
  /** Notes an entry met by the scan at a start; `always`: nobody can come to it from the entries before. */
  mark(lsn: number, position: number, always: boolean): void {
    if (always || this.#marks.length === 0 || position - this.#marks.at(-1)! >= markEveryBytes)
      this.#marks.push(lsn, position)
  }
  /** LSN and position in turn, both ascending. */
  get marks(): readonly number[] {
    return this.#marks
  }
  restoreMarks(marks: readonly number[]): void {
    for (const number of marks) this.#marks.push(number)
  }
  /** Position of an entry at or before the one with this LSN. */
  positionBefore(lsn: number): number {
    let low = 0
    let high = this.#marks.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#marks[middle * 2]! <= lsn) low = middle + 1
      else high = middle
    }
    return low === 0 ? segmentHeaderBytes : this.#marks[low * 2 - 1]!
  }
}
