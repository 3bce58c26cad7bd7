// What a batch means for the transactions of its partition, as it is taken, or met in a replay.
import { isControl, isTransactional, producerId } from '../../wire/record-batch.ts'
import type { Partition } from '../partition.ts'
import { isCommitMarker } from './control-batch.ts'
import type { TransactionTable } from './table.ts'

const back = (): void => {}

/** Returns the way back. A marker takes effect when it is durable: see `PartitionTransactions.ended`. */
export function placeInTransaction(
  table: TransactionTable,
  partition: Partition,
  batch: Uint8Array,
  baseOffset: number,
  place: { readonly lsn: number; readonly appendedMs: number },
): () => void {
  if (!isTransactional(batch)) return back
  const producer = Number(producerId(batch))
  if (isControl(batch)) {
    const commit = isCommitMarker(batch)
    return commit === null ? back : partition.transactions.ending(producer, commit, baseOffset)
  }
  const unwrite = partition.transactions.wrote(producer, baseOffset)
  const unjoin = table.wrote(producer, [partition.topicKey, partition.id], place.lsn, place.appendedMs)
  return () => {
    unjoin()
    unwrite()
  }
}
