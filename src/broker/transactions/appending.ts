// May a batch be appended, as far as transactions are concerned? This is what keeps late batches out of ended ones.
import { LogError } from '../../log/log.ts'
import { isTransactional, producerEpoch, producerId } from '../../wire/record-batch.ts'
import type { Partition } from '../partition.ts'
import { judgeMember } from './judging.ts'
import type { TransactionTable } from './table.ts'
import { placeKey } from './transaction.ts'
import type { Place } from './transaction-entry.ts'

/** The transaction that a batch is sent in. */
export interface Within {
  readonly transactionalId: string
  /** The partition joins with its first batch (KIP-890, Produce 12+). Else it must have been added before. */
  readonly joins: boolean
}

/**
 * Throws a LogError: INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE,
 * TRANSACTION_ABORTABLE.
 */
export function checkMembership(
  table: TransactionTable,
  placesMax: number,
  partition: Partition,
  batch: Uint8Array,
  within: Within | null,
): void {
  // Of the many batches that have nothing to do with transactions not even the producer is looked at.
  const transactional = isTransactional(batch)
  if (!transactional && partition.transactions.open === 0) return
  const producer = Number(producerId(batch))
  if (!transactional) {
    if (!partition.transactions.isOpen(producer)) return
    throw new LogError('INVALID_TXN_STATE', `producer ${producer} has an open transaction here; the batch is of none`)
  }
  if (within === null) throw new LogError('INVALID_TXN_STATE', 'a batch of a transaction that names none')
  const { transactionalId, joins } = within
  const transaction = table.get(transactionalId)
  const epoch = producerEpoch(batch)
  const error = judgeMember(transaction, { producerId: producer, epoch })
  switch (error) {
    case 'NONE':
      break
    case 'PRODUCER_FENCED':
      throw new LogError('INVALID_PRODUCER_EPOCH', `epoch ${epoch} of producer ${producer} is not the present one`)
    case 'CONCURRENT_TRANSACTIONS':
      throw new LogError(error, `the last transaction of ${transactionalId} is just ending; try again`)
    default:
      throw new LogError('INVALID_PRODUCER_ID_MAPPING', `producer ${producer} does not belong to ${transactionalId}`)
  }
  // An administrator's marker, of which the coordinator knows nothing: what came now would lie behind it.
  if (partition.transactions.isEnding(producer)) {
    throw new LogError('CONCURRENT_TRANSACTIONS', 'the transaction is just being ended here; try again')
  }
  const place: Place = [partition.topicKey, partition.id]
  if (transaction?.places.has(placeKey(place)) === true) return
  if (!joins) throw new LogError('TRANSACTION_ABORTABLE', 'the partition was not added to the open transaction')
  if (table.places >= placesMax) {
    throw new LogError('TRANSACTION_ABORTABLE', `${placesMax} partitions are in open transactions already`)
  }
}
