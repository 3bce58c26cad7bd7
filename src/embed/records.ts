// Records of the public surface to record batches and back.
import { BatchWriter } from '../wire/batch-writer.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import {
  baseOffset,
  baseTimestampMs,
  isAppendTime,
  maxTimestampMs,
  recordHeaders,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../wire/record-batch.ts'
import type { NewRecord } from './broker.ts'

export interface OutgoingRecord {
  /** Its place among the records given. */
  readonly at: number
  readonly partition: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[]
}
export interface ReadRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[]
}

const encoder = new TextEncoder()
const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? encoder.encode(value) : value)

export function partitionsOf(records: readonly NewRecord[], partitions: number, nowMs: number): OutgoingRecord[] {
  return records.map((record, at) => {
    const key = record.key === undefined || record.key === null ? null : bytesOf(record.key)
    return {
      at,
      partition: record.partition ?? (key === null ? 0 : partitionOfKey(key, partitions)),
      timestampMs: record.timestampMs ?? nowMs,
      key,
      value: record.value === null ? null : bytesOf(record.value),
      headers: Object.entries(record.headers ?? {}).map(([name, value]) => ({ name, value: bytesOf(value) })),
    }
  })
}

/** Of one batch, so that many records pass a topic's max.message.bytes (about 1 MB by default); one record may be more. */
const batchBytesMax = 512 * 1024
export function batchesOf(
  records: readonly OutgoingRecord[],
): { readonly bytes: Uint8Array; readonly records: readonly OutgoingRecord[] }[] {
  const batches: { bytes: Uint8Array; records: OutgoingRecord[] }[] = []
  const writer = new BatchWriter()
  let waiting: OutgoingRecord[] = []
  const finish = (): void => {
    if (waiting.length > 0) batches.push({ bytes: writer.finish(null), records: waiting })
    waiting = []
  }
  for (const record of records) {
    const { key, value, timestampMs, headers } = record
    if (writer.sizeBytes + (key?.length ?? 0) + (value?.length ?? 0) > batchBytesMax) finish()
    writer.append(key, value, timestampMs, headers)
    waiting.push(record)
  }
  finish()
  return batches
}

const slots = recordSlots(256)
/** Of a stored batch of a producer. */
export function recordsIn(batch: Uint8Array): ReadRecord[] {
  const records: ReadRecord[] = []
  const { bytes, start, end } = recordsOf(batch)
  const base = baseOffset(batch)
  const baseMs = baseTimestampMs(batch)
  // A copy: the bytes of the log are shared.
  const slice = (from: number, to: number): Uint8Array | null =>
    from < 0 ? null : new Uint8Array(bytes.subarray(from, to))
  for (let at = start; at < end; ) {
    at = walkRecords(bytes, at, end, slots)
    for (let row = 0; row < slots.count; row++) {
      records.push({
        offset: base + slots.offsetDelta[row]!,
        timestampMs: isAppendTime(batch) ? maxTimestampMs(batch) : baseMs + slots.timestampDelta[row]!,
        key: slice(slots.keyStart[row]!, slots.keyEnd[row]!),
        value: slice(slots.valueStart[row]!, slots.valueEnd[row]!),
        headers: recordHeaders(bytes, slots.headersStart[row]!).map(({ name, value }) => ({
          name,
          value: value === null ? null : new Uint8Array(value),
        })),
      })
    }
    if (slots.count === 0) break
  }
  return records
}
