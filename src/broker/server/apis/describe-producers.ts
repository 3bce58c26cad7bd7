// DescribeProducers 0 (key 61): who writes to partitions with an identity, and where its open transaction began.
import { LogError } from '../../../log/log.ts'
import { partitionId } from '../../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { once } from '../once.ts'
import { type Asking, refusal } from '../serving.ts'

type PartitionAnswer = ResponseTo<'describeProducers'>['topics'][number]['partitions'][number]

export function describeProducers(
  { topics }: RequestOf<'describeProducers'>,
  { serving: { core }, may }: Asking,
): ResponseTo<'describeProducers'> {
  const described = (topic: string, partitionIndex: number): PartitionAnswer => {
    if (!may('read', 'topic', topic)) {
      return { partitionIndex, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, activeProducers: [] }
    }
    const partitions = core.topic(topic)?.partitions ?? 0
    if (partitionIndex < 0 || partitionIndex >= partitions) {
      return { partitionIndex, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] }
    }
    try {
      const activeProducers = core.stable.producers(topic, partitionId(partitionIndex)).map((producer) => ({
        producerId: BigInt(producer.producerId),
        producerEpoch: producer.epoch,
        lastSequence: producer.lastSequence,
        lastTimestamp: producer.lastAppendedMs,
        coordinatorEpoch: 0,
        currentTxnStartOffset: producer.firstOffset,
      }))
      return { partitionIndex, errorCode: kafkaErrors.NONE, activeProducers }
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      return { partitionIndex, ...refusal(error), activeProducers: [] }
    }
  }
  return {
    topics: once(topics, ({ name }) => name).map(({ name, partitionIndexes }) => ({
      name,
      partitions: once(partitionIndexes, String).map((partition) => described(name, partition)),
    })),
  }
}
