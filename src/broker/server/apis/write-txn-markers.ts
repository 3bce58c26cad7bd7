// WriteTxnMarkers 1 (key 27): ends transactions in partitions on an administrator's word (`abortTransaction` of Kafka's
// admin client, for one that hangs). Answered when durable. The coordinator's epoch is not looked at: there is one.
import { type KafkaError, kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Place } from '../../transactions/transaction-entry.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

export async function writeTxnMarkers(
  { markers }: RequestOf<'writeTxnMarkers'>,
  asking: Asking,
): Promise<ResponseTo<'writeTxnMarkers'>> {
  const { transactions } = asking.serving.core
  const allowed = mayOnCluster(asking, 'cluster-action') || mayOnCluster(asking, 'alter')
  const answers = markers.map(async ({ producerId, producerEpoch, transactionResult, topics }) => {
    const places: Place[] = []
    const judged = topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const place = transactions.placeOf(name, partitionIndex)
        if (place !== null) places.push(place)
        return { partitionIndex, known: place !== null }
      }),
    }))
    const claim = { producerId: Number(producerId), epoch: producerEpoch }
    const outcome: KafkaError = allowed
      ? await transactions.mark(claim, transactionResult, places)
      : 'CLUSTER_AUTHORIZATION_FAILED'
    return {
      producerId,
      topics: judged.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, known }) => {
          const error = known || !allowed ? outcome : 'UNKNOWN_TOPIC_OR_PARTITION'
          return { partitionIndex, errorCode: kafkaErrors[error] }
        }),
      })),
    }
  })
  return { markers: await Promise.all(answers) }
}
