// AddPartitionsToTxn 0-5 (key 24): partitions that a transaction is about to write to, answered when that is durable. All
// of a transaction's partitions are added, or none. 4+: several transactions at once, and `verifyOnly`, which only asks.
// Kafka keeps 4+ for brokers and asks for their right; @platformatic/kafka sends it as a client, so here the rights are
// those of the older versions.
import { type KafkaError, kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Place } from '../../transactions/transaction-entry.ts'
import type { Asking } from '../serving.ts'

type Topics = RequestOf<'addPartitionsToTxn'>['v3AndBelowTopics']
type TopicResults = NonNullable<ResponseTo<'addPartitionsToTxn'>['resultsByTopicV3AndBelow']>
interface Transaction {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: Topics
}
interface Asked {
  readonly partition: number
  readonly place: Place | null
  error: KafkaError
}

const severalSince = 4
const abortableSince = 5
const fencedSince = 2

export async function addPartitionsToTxn(
  request: RequestOf<'addPartitionsToTxn'>,
  asking: Asking,
): Promise<ResponseTo<'addPartitionsToTxn'>> {
  const none = { errorCode: kafkaErrors.NONE, resultsByTransaction: [], resultsByTopicV3AndBelow: [] }
  if (asking.version < severalSince) {
    const results = await added(asking, {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    })
    return { ...none, resultsByTopicV3AndBelow: results }
  }
  const resultsByTransaction = request.transactions.map(async (transaction) => {
    return { transactionalId: transaction.transactionalId, topicResults: await added(asking, transaction) }
  })
  return { ...none, resultsByTransaction: await Promise.all(resultsByTransaction) }
}

async function added({ serving, version, may }: Asking, transaction: Transaction): Promise<TopicResults> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = transaction
  const { transactions } = serving.core
  const perTopic = topics.map(({ name, partitions }) =>
    partitions.map((partition): Asked => {
      const allowed = may('write', 'topic', name)
      const place = allowed ? transactions.placeOf(name, partition) : null
      const error = allowed ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'TOPIC_AUTHORIZATION_FAILED'
      return { partition, place, error: place === null ? error : 'NONE' }
    }),
  )
  const asked = perTopic.flat()
  const places = asked.flatMap(({ place }) => (place === null ? [] : [place]))
  const claim = { producerId: Number(producerId), epoch: producerEpoch }
  const all = (error: KafkaError): void => {
    for (const each of asked) each.error = error
  }
  if (!may('write', 'transactional-id', transactionalId)) all('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  else if (transactionalId === '') all('INVALID_REQUEST')
  else if (places.length < asked.length) {
    for (const each of asked) if (each.place !== null) each.error = 'OPERATION_NOT_ATTEMPTED'
  } else if (verifyOnly) {
    for (const [i, error] of transactions.verify(transactionalId, claim, places).entries()) asked[i]!.error = error
  } else all(await transactions.addPartitions(transactionalId, claim, places))
  return topics.map(({ name }, i) => ({
    name,
    resultsByPartition: perTopic[i]!.map(({ partition, error }) => ({
      partitionIndex: partition,
      partitionErrorCode: said(error, version),
    })),
  }))
}

function said(error: KafkaError, version: number): number {
  if (error === 'TRANSACTION_ABORTABLE' && version < abortableSince) return kafkaErrors.INVALID_TXN_STATE
  return kafkaErrors[error === 'PRODUCER_FENCED' && version < fencedSince ? 'INVALID_PRODUCER_EPOCH' : error]
}
