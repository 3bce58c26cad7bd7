// The marker that ends a transaction in a partition: a record batch of one control record, as Kafka writes it (KIP-98).
//
//   the record's key:   version 2 (0), type 2 (0 = abort, 1 = commit)
//   the record's value: version 2 (0), epoch of the coordinator 4 (0: there is one, and it never moves), and, which is ours
//                       and which nobody else looks for: where the transaction began in the partition, offset 8
//   attributes: transactional (bit 4) and control (bit 5); the base sequence is -1
//
// Kafka's format, and Kafka's to change.
import { crc32c } from '../../std/crc32c.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { baseOffset, recordSlots, recordsOf, walkRecords } from '../../wire/record-batch.ts'
import { readU64, writeU32, writeU64 } from '../journal/big-endian.ts'

const markerFlags = 0x30

/** Base offset 0; the log fills it in. */
export function controlBatch(
  commit: boolean,
  producer: { readonly id: number; readonly epoch: number },
  firstOffset: number,
  timestampMs: number,
): Uint8Array {
  const writer = new BatchWriter({ initialBytes: 128 })
  const value = new Uint8Array(14)
  writeU64(value, 6, firstOffset)
  writer.append(Uint8Array.of(0, 0, 0, commit ? 1 : 0), value, timestampMs)
  const batch = writer.finish({ producerId: BigInt(producer.id), producerEpoch: producer.epoch, baseSequence: -1 })
  batch[22]! |= markerFlags
  writeU32(batch, 17, crc32c(batch, 21))
  return batch
}

const slots = recordSlots(1)
/** Of a control batch. Null: it is not a marker (Kafka has other control records, in topics of its own). */
export function isCommitMarker(batch: Uint8Array): boolean | null {
  const { bytes, start, end } = recordsOf(batch)
  walkRecords(bytes, start, end, slots)
  const key = slots.keyStart[0]!
  if (slots.count !== 1 || slots.keyEnd[0]! - key !== 4) return null
  const type = (bytes[key + 2]! << 8) | bytes[key + 3]!
  return type === 0 ? false : type === 1 ? true : null
}
/** Of a marker: where its transaction began. Without records of it in the partition that is the marker itself. */
export function firstOffsetOf(marker: Uint8Array): number {
  const { bytes, start, end } = recordsOf(marker)
  walkRecords(bytes, start, end, slots)
  const value = slots.valueStart[0]!
  return slots.count === 1 && slots.valueEnd[0]! - value >= 14 ? readU64(bytes, value + 6) : baseOffset(marker)
}
