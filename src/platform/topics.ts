// Topics of the log as people look at them: counts from memory, records read where they lie.
import type { Log } from '../log/log.ts'
import type { TopicRecord, TopicsPort } from '../serve/ports.ts'
import { offset, partitionId } from '../std/units.ts'
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
import { WireError } from '../wire/wire-error.ts'

/** Bytes of a key or value that are shown. */
const shownBytesMax = 16 * 1024
const readBytes = 1 << 20
const decoder = new TextDecoder()

export function topicsPort(log: Log): TopicsPort {
  return {
    list: () =>
      log
        .topics()
        .filter(({ internal }) => !internal)
        .map(({ name, partitions, configs }) => ({
          name,
          cleanup: configs['cleanup.policy'] ?? 'delete',
          partitions: Array.from({ length: partitions }, (_, partition) => {
            const { start, end } = log.offsets(name, partitionId(partition))
            return { partition, start, end }
          }),
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    async records({ topic, partition, offset: wanted, limit }) {
      const { start, end } = log.offsets(topic, partitionId(partition))
      const from = Math.min(Math.max(wanted ?? end - limit, start), end)
      const records: TopicRecord[] = []
      let next = from
      while (next < end && records.length < limit) {
        const read = await log.readCommitted(topic, partitionId(partition), offset(next), readBytes)
        for (const batch of read.batches) take(batch, next, limit, records)
        const last = records.at(-1)
        // What is there belongs to a transaction that is still open.
        if (read.next === next) break
        next = records.length === limit && last !== undefined ? last.offset + 1 : read.next
      }
      return { start, end, next, records }
    },
  }
}

/** Adds the records of the batch from `from` on, until there are `limit`. */
function take(batch: Uint8Array, from: number, limit: number, records: TopicRecord[]): void {
  const slots = recordSlots(256)
  try {
    const { bytes, start, end } = recordsOf(batch)
    for (let at = start; at < end && records.length < limit; ) {
      at = walkRecords(bytes, at, end, slots)
      for (let row = 0; row < slots.count && records.length < limit; row++) {
        const place = baseOffset(batch) + slots.offsetDelta[row]!
        if (place < from) continue
        records.push({
          offset: place,
          timestampMs: isAppendTime(batch)
            ? maxTimestampMs(batch)
            : baseTimestampMs(batch) + slots.timestampDelta[row]!,
          key: text(bytes, slots.keyStart[row]!, slots.keyEnd[row]!),
          value: text(bytes, slots.valueStart[row]!, slots.valueEnd[row]!),
          valueBytes: Math.max(0, slots.valueEnd[row]! - slots.valueStart[row]!),
          headers: recordHeaders(bytes, slots.headersStart[row]!).map(({ name, value }) => ({
            name,
            value: value === null ? null : text(value, 0, value.length),
          })),
        })
      }
    }
  } catch (error) {
    // A client's batch that nobody can read is passed over: its neighbours are shown.
    if (!(error instanceof WireError)) throw error
  }
}

/** As UTF-8; what is none is shown with replacement characters. Null is null. */
function text(bytes: Uint8Array, start: number, end: number): string | null {
  return start < 0 ? null : decoder.decode(bytes.subarray(start, Math.min(end, start + shownBytesMax)))
}
