// What may be done with a transactional id, and what it turns to: the rules of KIP-98, KIP-360 and KIP-890. Pure.
//
// Stricter than Kafka in one point: an InitProducerId that names an outdated epoch does not abort the transaction that is
// open. Kafka aborts it first and refuses the caller afterwards.
import type { KafkaError } from '../../wire/wire.ts'
import type { Transaction } from './transaction.ts'
import type { Identity } from './transaction-entry.ts'

/** The largest epoch there is; fencing may reach it, clients are never given it. */
const epochEnd = 32_767
/** At this epoch a new producer id takes over. */
export const isExhausted = (epoch: number): boolean => epoch >= epochEnd - 1

export interface ProducerClaim {
  readonly producerId: number
  readonly epoch: number
}
/** `producerId` null: a new one. */
export type NewIdentity = Omit<Identity, 'producerId'> & { readonly producerId: number | null }
type Refused = { readonly verdict: 'refuse'; readonly error: KafkaError }
const refuse = (error: KafkaError): Refused => ({ verdict: 'refuse', error })

/** May the producer go on in the transaction, or begin one? */
export function judgeMember(transaction: Transaction | null, { producerId, epoch }: ProducerClaim): KafkaError {
  if (transaction === null || transaction.identity.producerId !== producerId) {
    // An identity that is on its way is nobody's yet.
    return transaction?.pending != null && transaction.identity.producerId < 0
      ? 'CONCURRENT_TRANSACTIONS'
      : 'INVALID_PRODUCER_ID_MAPPING'
  }
  if (transaction.identity.epoch !== epoch) return 'PRODUCER_FENCED'
  return transaction.pending === null ? 'NONE' : 'CONCURRENT_TRANSACTIONS'
}

// --- InitProducerId ---

export type InitVerdict =
  | Refused
  | { readonly verdict: 'give'; readonly identity: NewIdentity }
  | { readonly verdict: 'fence' }

/** `expected`: what the producer says it had; null: it starts anew. */
export function judgeInit(transaction: Transaction | null, expected: ProducerClaim | null): InitVerdict {
  if (transaction === null) {
    return { verdict: 'give', identity: { producerId: null, epoch: 0, lastProducerId: -1, lastEpoch: -1 } }
  }
  if (transaction.pending !== null) return refuse('CONCURRENT_TRANSACTIONS')
  const { producerId, epoch, lastProducerId, lastEpoch } = transaction.identity
  if (expected !== null) {
    const before = expected.producerId === lastProducerId && isExhausted(expected.epoch)
    if (expected.producerId !== producerId && !before) return refuse('PRODUCER_FENCED')
  }
  if (transaction.state === 'Ongoing') {
    return expected === null || expected.epoch === epoch ? { verdict: 'fence' } : refuse('PRODUCER_FENCED')
  }
  const isOwn = expected !== null && expected.epoch === epoch
  if (expected !== null && !isOwn) {
    // A retry of the request that raised the epoch gets what that gave. Had anyone else come since, there were no last epoch.
    return expected.epoch === lastEpoch && lastEpoch >= 0
      ? { verdict: 'give', identity: transaction.identity }
      : refuse('PRODUCER_FENCED')
  }
  const last = isOwn ? epoch : -1
  return isExhausted(epoch)
    ? { verdict: 'give', identity: { producerId: null, epoch: 0, lastProducerId: producerId, lastEpoch: last } }
    : { verdict: 'give', identity: { producerId, epoch: epoch + 1, lastProducerId, lastEpoch: last } }
}

/**
 * After an end that its producer did not ask for: two epochs on, so that no epoch it could take for a retry fits; and
 * where there is no room for two, another producer.
 */
export function fencedIdentity({ producerId, epoch, lastProducerId }: Identity): NewIdentity {
  return epoch + 2 > epochEnd
    ? { producerId: null, epoch: 0, lastProducerId: -1, lastEpoch: -1 }
    : { producerId, epoch: epoch + 2, lastProducerId, lastEpoch: epoch + 1 }
}

// --- EndTxn ---

export interface EndRequest extends ProducerClaim {
  readonly commit: boolean
  /** EndTxn 5+: every end raises the epoch (KIP-890). */
  readonly raises: boolean
}
export type EndVerdict =
  | Refused
  /** It has ended so before: the answer is the identity it has. */
  | { readonly verdict: 'done' }
  | { readonly verdict: 'end'; readonly next: NewIdentity }

export function judgeEnd(transaction: Transaction | null, asked: EndRequest): EndVerdict {
  if (transaction === null) return refuse('INVALID_PRODUCER_ID_MAPPING')
  const { identity, state } = transaction
  const overflowed =
    asked.raises && asked.producerId === identity.lastProducerId && asked.epoch === epochEnd - 1 && identity.epoch === 0
  if (asked.producerId !== identity.producerId && !overflowed) return refuse('INVALID_PRODUCER_ID_MAPPING')
  const complete = state === 'CompleteCommit' || state === 'CompleteAbort'
  const isRetry = asked.raises && complete && (overflowed || identity.epoch === asked.epoch + 1)
  if (!isRetry && asked.epoch !== identity.epoch) return refuse('PRODUCER_FENCED')
  if (transaction.pending !== null) return refuse('CONCURRENT_TRANSACTIONS')
  const same = complete && (state === 'CompleteCommit') === asked.commit
  if (isRetry) return same ? { verdict: 'done' } : refuse('INVALID_TXN_STATE')
  if (state === 'Ongoing') return { verdict: 'end', next: asked.raises ? raised(identity) : identity }
  if (!asked.raises) return same ? { verdict: 'done' } : refuse('INVALID_TXN_STATE')
  // A producer whose transaction wrote nothing may abort it all the same: it cannot know that nothing arrived.
  return asked.commit ? refuse('INVALID_TXN_STATE') : { verdict: 'end', next: raised(identity) }
}
function raised({ producerId, epoch, lastProducerId }: Identity): NewIdentity {
  return isExhausted(epoch)
    ? { producerId: null, epoch: 0, lastProducerId: producerId, lastEpoch: epoch }
    : { producerId, epoch: epoch + 1, lastProducerId, lastEpoch: epoch }
}
