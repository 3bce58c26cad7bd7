// Batches of one partition out of its settled files, by offset and by time. Every byte is checked; what is broken is said.
import { LogError } from '../../log/log.ts'
import type { ReadRoom } from '../read-room.ts'
import type { SettledFile } from './file-format.ts'
import type { FileWalk } from './file-walk.ts'
import type { SettledPartition } from './manifest.ts'
import { byOffset, byTime, seek } from './seek.ts'
import type { Settled } from './settled.ts'

/** Read at a time, at most and at least. */
const windowBytesMax = 1 << 20
const windowBytesMin = 16 << 10

/** Where the last read of a partition ended: most go on from there. */
export interface ReadPlace {
  readonly number: number
  readonly offset: number
  readonly position: number
}
export interface SettledRead {
  readonly batches: Uint8Array[]
  /** The first offset behind what was read: batches, and what was compacted away between and behind them. */
  readonly next: number
  readonly place: ReadPlace | null
}

/**
 * Whole batches from the one that holds `from`, at most `maxBytes` but at least one, up to the end of what is settled.
 * Throws CORRUPT_MESSAGE where the first of them cannot be read.
 */
export function readSettledBatches(
  settled: Settled,
  partition: SettledPartition,
  topic: string,
  from: number,
  maxBytes: number,
  last: ReadPlace | null,
  room: ReadRoom,
): SettledRead {
  const batches: Uint8Array[] = []
  const { files } = partition
  const windowBytes = Math.max(windowBytesMin, Math.min(windowBytesMax, maxBytes))
  let bytes = 0
  let next = from
  let place: ReadPlace | null = null
  for (let i = fileOfOffset(files, from); i < files.length; i++) {
    if (batches.length > 0 && bytes >= maxBytes) return { batches, next, place }
    const file = files[i]!
    const walk = settled.walk(file, windowBytes, room)
    let met = start(walk, file, next, last)
    for (; met !== 'end'; met = walk.next()) {
      const { entry } = walk
      const isHole = met === 'entry' && entry.baseOffset > next && !file.compacted
      if (met === 'entry' && !isHole && batches.length > 0 && bytes + entry.payloadBytes > maxBytes) {
        return { batches, next, place: { number: file.number, offset: next, position: walk.position } }
      }
      const payload = met === 'entry' && !isHole ? walk.payload() : null
      if (payload === null) {
        if (batches.length > 0) return { batches, next, place }
        throw corrupt(settled, file, topic, next, isHole ? entry.baseOffset : goesOnAt(walk, file))
      }
      batches.push(payload)
      bytes += payload.length
      next = entry.lastOffset + 1
      place = { number: file.number, offset: next, position: walk.after }
    }
    if (next < file.end && !file.compacted) {
      if (batches.length > 0) return { batches, next, place }
      throw corrupt(settled, file, topic, next, file.end)
    }
    next = Math.max(next, file.end)
  }
  return { batches, next, place }
}
function start(walk: FileWalk, file: SettledFile, from: number, last: ReadPlace | null): 'entry' | 'end' | 'broken' {
  if (last === null || last.number !== file.number || last.offset !== from) return seek(walk, byOffset, from)
  walk.goTo(last.position)
  return walk.next()
}
/** The first file that ends behind the offset. */
function fileOfOffset(files: readonly SettledFile[], from: number): number {
  let low = 0
  let high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (files[middle]!.end <= from) low = middle + 1
    else high = middle
  }
  return low
}
function goesOnAt(walk: FileWalk, file: SettledFile): number {
  return walk.resume() && walk.next() === 'entry' ? walk.entry.baseOffset : file.end
}
function corrupt(settled: Settled, file: SettledFile, topic: string, from: number, to: number): LogError {
  return new LogError(
    'CORRUPT_MESSAGE',
    `${topic}-${file.partition}: offsets ${from} to ${to - 1} are damaged on disk (${settled.pathOf(file)}). Nothing was ` +
      `deleted. Go on reading from ${to}, or restore the data directory from a backup.`,
  )
}

/** The first batch from this offset on with a timestamp at or after the given one, or null. Throws CORRUPT_MESSAGE. */
export function settledBatchAtTime(
  settled: Settled,
  partition: SettledPartition,
  topic: string,
  timestampMs: number,
  from: number,
): Uint8Array | null {
  for (const file of partition.files) {
    if (file.maxTimestampMs < timestampMs || file.end <= from) continue
    const walk = settled.walk(file, windowBytesMin)
    // The largest timestamp so far may be one before `from`: then the entries are looked at one by one.
    let met = seek(walk, byTime, timestampMs)
    if (met === 'entry' && walk.entry.lastOffset < from) met = seek(walk, byOffset, from)
    for (; met !== 'end'; met = walk.next()) {
      const payload = met === 'entry' ? walk.payload() : null
      if (payload === null) throw corrupt(settled, file, topic, Math.max(from, file.start), goesOnAt(walk, file))
      if (maxTimestampOf(payload) >= timestampMs && walk.entry.lastOffset >= from) return payload
    }
  }
  return null
}
/** The largest timestamp of the batches from this offset on; -Infinity if there is none. Throws CORRUPT_MESSAGE. */
export function settledMaxTime(settled: Settled, partition: SettledPartition, topic: string, from: number): number {
  let most = Number.NEGATIVE_INFINITY
  for (const file of partition.files) {
    if (file.end <= from || file.entries === 0) continue
    if (file.start >= from) most = Math.max(most, file.maxTimestampMs)
    else {
      // What the file says may be of a record before.
      const walk = settled.walk(file, windowBytesMax)
      for (let met = seek(walk, byOffset, from); met !== 'end'; met = walk.next()) {
        const payload = met === 'entry' ? walk.payload() : null
        if (payload === null) throw corrupt(settled, file, topic, Math.max(from, file.start), goesOnAt(walk, file))
        most = Math.max(most, maxTimestampOf(payload))
      }
    }
  }
  return most
}
function maxTimestampOf(batch: Uint8Array): number {
  return Number(new DataView(batch.buffer, batch.byteOffset).getBigInt64(35))
}
