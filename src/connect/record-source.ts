// From a log's record batches to the engine's byte ranges: no copy and no object per record.
import type { Job, SourceBatch } from '../engine/engine.ts'
import {
  baseTimestampMs,
  isAppendTime,
  maxTimestampMs,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../wire/record-batch.ts'

/** At most so many records are handed over at once: the engine's columns are made for this size. */
const recordsPerPushMax = 4096
/** Larger batches are decoded from memory of their own. */
const placedBytesMax = 8 * 1024 * 1024

/** A source batch whose arrays are used again for the next one, filled up to `count`. */
class ReusedBatch implements SourceBatch {
  topic = ''
  partition = 0
  bytes: Uint8Array = new Uint8Array(0)
  count = 0
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly offsets = new Float64Array(recordsPerPushMax)
  readonly arrivals = new Float64Array(recordsPerPushMax)
  readonly slots = recordSlots(recordsPerPushMax)
  constructor() {
    this.starts = this.slots.valueStart
    this.ends = this.slots.valueEnd
  }
}

/**
 * Makes the function that hands one record batch to the job, in pieces of at most 4,096 records. What is pushed is
 * valid during the call only. Throws a `WireError` when the batch cannot be decompressed or walked; records before the
 * fault may have been pushed, so check with `recordsOf` and `checkRecords` first where that matters.
 */
export function recordSource(
  job: Pick<Job, 'push' | 'memoryOf'>,
): (topic: string, partition: number, baseOffset: number, batch: Uint8Array) => void {
  const reused = new ReusedBatch()
  const { slots, offsets, arrivals } = reused
  return (topic, partition, baseOffset, batch) => {
    const memory = job.memoryOf(topic)
    const place = memory && {
      memory: memory.memory,
      sizeBytesMax: placedBytesMax,
      room: (sizeBytes: number) => memory.room(sizeBytes, recordsPerPushMax),
    }
    const records = recordsOf(batch, place)
    const baseMs = baseTimestampMs(batch)
    const appendMs = isAppendTime(batch) ? maxTimestampMs(batch) : null
    reused.topic = topic
    reused.partition = partition
    reused.bytes = records.bytes
    for (let at = records.start; at < records.end; ) {
      at = walkRecords(records.bytes, at, records.end, slots)
      const count = slots.count
      for (let row = 0; row < count; row++) {
        offsets[row] = baseOffset + slots.offsetDelta[row]!
        arrivals[row] = appendMs ?? baseMs + slots.timestampDelta[row]!
      }
      reused.count = count
      job.push(reused)
    }
  }
}
