// Batches of one partition by offset, and offsets by time.
import { LogError, type OffsetRange } from '../log/log.ts'
import { type Offset, offset } from '../std/units.ts'
import {
  baseOffset,
  baseTimestampMs,
  isAppendTime,
  lastOffset,
  maxTimestampMs,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../wire/record-batch.ts'
import { WireError } from '../wire/wire-error.ts'
import { entryKind } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { Partition } from './partition.ts'
import { freshRoom, type ReadRoom } from './read-room.ts'
import { inKafkasWords } from './refusals.ts'
import { readSettledBatches, settledBatchAtTime, settledMaxTime } from './settled/reading.ts'
import type { Settled } from './settled/settled.ts'

export function offsetsOf(partition: Partition): OffsetRange {
  return { start: offset(partition.start), end: offset(partition.durableEnd) }
}

/** Where the bytes of a partition are: first here, then there. */
export interface Tiers {
  readonly settled: Settled
  readonly journal: Journal
}

function batchAt(journal: Journal, partition: Partition, entry: number): Uint8Array {
  const { index } = partition
  return journal.read({
    kind: entryKind.batch,
    segment: index.segment(entry),
    position: index.position(entry),
    payloadBytes: index.bytes(entry),
  })
}

/** See `Log.read`. */
export function readBatches(
  { journal, settled }: Tiers,
  partition: Partition,
  topic: string,
  from: number,
  maxBytes: number,
  room: ReadRoom = freshRoom,
): Uint8Array[] {
  const { start, durableEnd: end } = partition
  if (from < start || from > end) {
    throw new LogError('OFFSET_OUT_OF_RANGE', `${topic}-${partition.id} holds offsets ${start} to ${end}, not ${from}`)
  }
  return readHeld({ journal, settled }, partition, topic, from, maxBytes, room)
}

/** The first offset that is still on the disk: DeleteRecords hides what it deletes, and retention drops it later. */
export const heldFrom = (partition: Partition): number => partition.settled?.start ?? 0

/** The same for those who follow the log by its entries: they read what is on the disk, hidden or not. */
export function readHeld(
  { journal, settled }: Tiers,
  partition: Partition,
  topic: string,
  from: number,
  maxBytes: number,
  room: ReadRoom = freshRoom,
): Uint8Array[] {
  const { durableEnd: end, index } = partition
  const { settled: files } = partition
  let expected = from
  const batches: Uint8Array[] = []
  let bytes = 0
  if (files !== null && from < files.end) {
    const place = partition.settledPlace
    const read = inKafkasWords(() => readSettledBatches(settled, files, topic, from, maxBytes, place, room))
    partition.settledPlace = read.place
    if (read.next < files.end) return read.batches
    for (const batch of read.batches) bytes += batch.length
    batches.push(...read.batches)
    expected = read.next
  }
  const first = index.find(expected)
  let entry = first
  for (; entry < index.count && index.lastOffset(entry) < end; entry++) {
    const size = index.bytes(entry)
    const isFirst = batches.length === 0 && entry === first
    if (!isFirst && bytes + size > maxBytes) break
    if (index.baseOffset(entry) > expected) {
      // A hole: what was there is damaged. Nobody is led across it unawares.
      if (!isFirst) break
      throw damaged(topic, partition, expected, index.baseOffset(entry))
    }
    bytes += size
    expected = index.lastOffset(entry) + 1
  }
  if (entry === first) return batches
  const read = inKafkasWords(() => journal.readBatches(index, first, entry, room))
  return batches.length === 0 ? read : [...batches, ...read]
}
function damaged(topic: string, partition: Partition, from: number, to: number): LogError {
  return new LogError(
    'CORRUPT_MESSAGE',
    `${topic}-${partition.id}: offsets ${from} to ${to - 1} are damaged on disk. Go on reading from ${to}, or restore ` +
      'the data directory from a backup.',
  )
}

export interface TimedOffset {
  readonly offset: Offset
  readonly timestampMs: number
}
/** The earliest record at or after the time. */
export function findTime(tiers: Tiers, partition: Partition, topic: string, timestampMs: number): TimedOffset | null {
  const { journal, settled } = tiers
  const { index, start, settled: files } = partition
  for (let from = start; files !== null && from < files.end; ) {
    const batch = inKafkasWords(() => settledBatchAtTime(settled, files, topic, timestampMs, from))
    if (batch === null) break
    const found = recordAtTime(batch, timestampMs, start)
    if (found !== null) return found
    from = lastOffset(batch) + 1
  }
  const end = partition.durableEntries
  for (let first = index.find(start); ; first++) {
    const entry = index.findTime(timestampMs, end, first)
    if (entry < 0) return null
    const found = inKafkasWords(() => recordAtTime(batchAt(journal, partition, entry), timestampMs, start))
    // In the batch that holds the start, all records late enough may have been deleted.
    if (found !== null) return found
    first = entry
  }
}
/** The (first) record with the largest timestamp. */
export function findMaxTime(tiers: Tiers, partition: Partition, topic: string): TimedOffset | null {
  const { journal, settled } = tiers
  const { index, start, settled: files } = partition
  const end = partition.durableEntries
  const most = files === null ? Number.NEGATIVE_INFINITY : settledMaxTime(settled, files, topic, start)
  const newest = index.findMaxTime(end, index.find(start))
  if (most > Number.NEGATIVE_INFINITY && (newest < 0 || most >= index.maxTimestampMs(newest))) {
    return findTime(tiers, partition, topic, most)
  }
  for (let first = index.find(start); ; first++) {
    const entry = index.findMaxTime(end, first)
    if (entry < 0) return null
    const most = index.maxTimestampMs(entry)
    const found = inKafkasWords(() => recordAtTime(batchAt(journal, partition, entry), most, start))
    // Only the batch that holds the start, the first one, may have lost its latest record.
    if (found !== null) return found
  }
}

const slots = recordSlots(256)
/**
 * The first record of the batch at or after the time and at or behind the start of the log, or null; the first of its
 * records if they cannot be looked at.
 */
function recordAtTime(batch: Uint8Array, timestampMs: number, logStart: number): TimedOffset | null {
  const base = baseOffset(batch)
  const first = { offset: offset(Math.max(base, logStart)), timestampMs: maxTimestampMs(batch) }
  if (isAppendTime(batch)) return first
  const baseMs = baseTimestampMs(batch)
  try {
    const { bytes, start, end } = recordsOf(batch)
    for (let at = start; at < end; ) {
      at = walkRecords(bytes, at, end, slots)
      for (let row = 0; row < slots.count; row++) {
        const ms = baseMs + slots.timestampDelta[row]!
        if (ms >= timestampMs && base + slots.offsetDelta[row]! >= logStart)
          return { offset: offset(base + slots.offsetDelta[row]!), timestampMs: ms }
      }
      if (slots.count === 0) break
    }
    if (base < logStart) return null
  } catch (error) {
    // A batch whose header is whole and whose records are not was its producer's work: its place is still its place.
    if (!(error instanceof WireError)) throw error
  }
  return first
}
