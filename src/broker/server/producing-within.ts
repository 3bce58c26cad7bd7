// The transaction that a Produce request is sent in: what its batches may do, and how refusals are said to its version.
import { batchHeaderBytes, isTransactional } from '../../wire/record-batch.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { Within } from '../transactions/appending.ts'
import type { Asking } from './serving.ts'

/** From here on a partition joins the transaction with its first batch (KIP-890). */
const joinsSince = 12
const abortableSince = 11

export interface Sending {
  /** Null: in no transaction. */
  readonly within: Within | null
  /** May its batches be of a transaction? Else they are refused as they are. */
  readonly mayTransact: boolean
  /** What older producers make of a transaction's troubles is known for other codes. */
  said(errorCode: number): number
}
export function sendingOf(transactionalId: string | null, { version, may }: Asking): Sending {
  return {
    within: transactionalId === null ? null : { transactionalId, joins: version >= joinsSince },
    mayTransact: transactionalId !== null && may('write', 'transactional-id', transactionalId),
    said(errorCode) {
      const { TRANSACTION_ABORTABLE, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS, NOT_ENOUGH_REPLICAS } = kafkaErrors
      if (errorCode === TRANSACTION_ABORTABLE && version < abortableSince) return INVALID_TXN_STATE
      // To be tried again, in a word that they know.
      return errorCode === CONCURRENT_TRANSACTIONS && version < joinsSince ? NOT_ENOUGH_REPLICAS : errorCode
    },
  }
}
export function isOfTransaction(records: Uint8Array | null): boolean {
  return records !== null && records.length >= batchHeaderBytes && isTransactional(records)
}
