// A batch in the name of a producer: the same records with an identity, a sequence and a place in a transaction or not.
// A door of `wire/`. The layout is drawn in `record-batch.ts`.
import { crc32c } from '../std/crc32c.ts'
import type { BatchProducer } from './batch-writer.ts'
import { checksummedFrom } from './record-batch.ts'

const transactionalFlag = 0x10

/** A copy; the batch that is given stays as it is. */
export function stampedBatch(batch: Uint8Array, producer: BatchProducer, isTransactional: boolean): Uint8Array {
  const stamped = batch.slice()
  const view = new DataView(stamped.buffer)
  const attributes = view.getInt16(21)
  view.setInt16(21, isTransactional ? attributes | transactionalFlag : attributes & ~transactionalFlag)
  view.setBigInt64(43, producer.producerId)
  view.setInt16(51, producer.producerEpoch)
  view.setInt32(53, producer.baseSequence)
  view.setUint32(17, crc32c(stamped, checksummedFrom))
  return stamped
}
