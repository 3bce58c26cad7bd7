// OffsetForLeaderEpoch 2-4 (key 23): the largest epoch not above the asked one, and where it ended; -1 for one that never
// was. By it a consumer finds out that records it has read are not there any more. Epochs: broker/leader-epochs.ts.
// Left out: replicas (there are none).
import { partitionId } from '../../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { leaderEpochProblem } from '../leader-epoch.ts'
import type { Asking } from '../serving.ts'

type PartitionAnswer = ResponseTo<'offsetForLeaderEpoch'>['topics'][number]['partitions'][number]
const forbidden = { topic: null, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }

export function offsetForLeaderEpoch(
  { topics }: RequestOf<'offsetForLeaderEpoch'>,
  { serving, may }: Asking,
): ResponseTo<'offsetForLeaderEpoch'> {
  const { core } = serving
  return {
    topics: topics.map(({ topic: name, partitions }) => {
      const { topic, errorCode } = may('describe', 'topic', name) ? serving.topics.byName(name) : forbidden
      return {
        topic: name,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }): PartitionAnswer => {
          if (topic === null) return { partition, errorCode }
          if (partition < 0 || partition >= topic.partitions) {
            return { partition, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION }
          }
          const problem = leaderEpochProblem(core, currentLeaderEpoch)
          if (problem !== kafkaErrors.NONE) return { partition, errorCode: problem }
          const end = core.endOfEpoch(name, partitionId(partition), leaderEpoch)
          return { partition, errorCode: kafkaErrors.NONE, ...end }
        }),
      }
    }),
  }
}
