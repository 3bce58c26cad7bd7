// DescribeTransactions 0 (key 65): what the coordinator knows of transactional ids; topics only as far as the asker may
// know of them.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { shownState } from '../../transactions/transaction.ts'
import { once } from '../once.ts'
import type { Asking } from '../serving.ts'

type State = ResponseTo<'describeTransactions'>['transactionStates'][number]

export function describeTransactions(
  { transactionalIds }: RequestOf<'describeTransactions'>,
  asking: Asking,
): ResponseTo<'describeTransactions'> {
  return { transactionStates: once(transactionalIds, (id) => id).map((id) => described(asking, id)) }
}

function described({ serving: { core }, may }: Asking, id: string): State {
  if (!may('describe', 'transactional-id', id)) {
    return unknown(id, kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  }
  if (id === '') return unknown(id, kafkaErrors.INVALID_REQUEST)
  const transaction = core.transactions.table.get(id)
  // An id whose first identity is on its way is not known yet.
  if (transaction === null || transaction.identity.producerId < 0) {
    return unknown(id, kafkaErrors.TRANSACTIONAL_ID_NOT_FOUND)
  }
  const topics = new Map<string, number[]>()
  for (const place of transaction.places.values()) {
    const named = core.transactions.nameOf(place)
    if (named === null || !may('describe', 'topic', named.topic)) continue
    const partitions = topics.get(named.topic)
    if (partitions === undefined) topics.set(named.topic, [named.partition])
    else partitions.push(named.partition)
  }
  return {
    errorCode: kafkaErrors.NONE,
    transactionalId: id,
    transactionState: shownState(transaction),
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startedMs,
    producerId: BigInt(transaction.identity.producerId),
    producerEpoch: transaction.identity.epoch,
    topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
  }
}

const unknown = (transactionalId: string, errorCode: number): State => ({
  errorCode,
  transactionalId,
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0,
  producerId: 0n,
  producerEpoch: 0,
  topics: [],
})
