// Records as they came, for dead letters and late topics.
import type { SourceBatch } from './engine.ts'

/** Of a batch whose maker uses its arrays again. */
export function copyOf(batch: SourceBatch): SourceBatch {
  const { topic, partition, count } = batch
  const end = batch.ends.subarray(0, count).reduce((most, at) => Math.max(most, at), 0)
  return {
    topic,
    partition,
    count,
    bytes: batch.bytes.slice(0, end),
    starts: batch.starts.slice(0, count),
    ends: batch.ends.slice(0, count),
    offsets: batch.offsets.slice(0, count),
    arrivals: batch.arrivals.slice(0, count),
  }
}

export function recordOf(batch: SourceBatch, record: number) {
  const start = batch.starts[record]!
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[record]!,
    arrivalMs: batch.arrivals[record]!,
    value: start < 0 ? new Uint8Array(0) : batch.bytes.slice(start, batch.ends[record]!),
  }
}
