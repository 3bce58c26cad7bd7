// ElectLeaders 0-2 (key 43): the only broker leads every partition already, so no election is ever needed: that is the
// answer for each partition by name; of all partitions (null) none is told, as Kafka tells only those that changed.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

const electionTypes = { preferred: 0, unclean: 1 } as const

export function electLeaders(
  { electionType, topicPartitions }: RequestOf<'electLeaders'>,
  asking: Asking,
): ResponseTo<'electLeaders'> {
  const { topics } = asking.serving
  const forbidden = !mayOnCluster(asking, 'alter')
  const problem = forbidden
    ? kafkaErrors.CLUSTER_AUTHORIZATION_FAILED
    : electionType !== electionTypes.preferred && electionType !== electionTypes.unclean
      ? kafkaErrors.INVALID_REQUEST
      : kafkaErrors.NONE
  const judged = (name: string, partition: number): number => {
    if (problem !== kafkaErrors.NONE) return problem
    const { topic, errorCode } = topics.byName(name)
    if (topic === null) return errorCode
    const isThere = partition >= 0 && partition < topic.partitions
    return isThere ? kafkaErrors.ELECTION_NOT_NEEDED : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  }
  return {
    errorCode: problem,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => {
        const errorCode = judged(topic, partitionId)
        const isNeedless = errorCode === kafkaErrors.ELECTION_NOT_NEEDED
        return { partitionId, errorCode, errorMessage: isNeedless ? 'the only broker leads it already' : null }
      }),
    })),
  }
}
