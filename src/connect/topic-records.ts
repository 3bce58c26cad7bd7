// Reads the committed records of a partition, one after the other, as it is at this moment.
import type { Log } from '../log/log.ts'
import { offset, type PartitionId } from '../std/units.ts'
import { baseOffset, recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'

const readBytes = 1 << 20

/** Key and value are views that are valid during the call. */
export async function readRecords(
  log: Log,
  topic: string,
  partition: PartitionId,
  each: (key: Uint8Array | null, value: Uint8Array | null, offset: number) => void,
): Promise<void> {
  const slots = recordSlots(1024)
  const { start, end } = log.offsets(topic, partition)
  const part = (bytes: Uint8Array, from: number, to: number): Uint8Array | null =>
    from < 0 ? null : bytes.subarray(from, to)
  for (let next: number = start; next < end; ) {
    const read = await log.readCommitted(topic, partition, offset(next), readBytes)
    for (const batch of read.batches) {
      const records = recordsOf(batch)
      const base = baseOffset(batch)
      for (let at = records.start; at < records.end; ) {
        at = walkRecords(records.bytes, at, records.end, slots)
        for (let row = 0; row < slots.count; row++)
          each(
            part(records.bytes, slots.keyStart[row]!, slots.keyEnd[row]!),
            part(records.bytes, slots.valueStart[row]!, slots.valueEnd[row]!),
            base + slots.offsetDelta[row]!,
          )
      }
    }
    if (read.next === next) return
    next = read.next
  }
}
