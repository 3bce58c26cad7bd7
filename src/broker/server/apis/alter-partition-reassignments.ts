// AlterPartitionReassignments 0-1 (key 45): a partition lies on the only broker, and can be told to lie there; any other
// place is refused, and there is never a move to cancel.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}
const none: Problem = { errorCode: kafkaErrors.NONE, errorMessage: null }

export function alterPartitionReassignments(
  { topics, allowReplicationFactorChange }: RequestOf<'alterPartitionReassignments'>,
  asking: Asking,
): ResponseTo<'alterPartitionReassignments'> {
  if (!mayOnCluster(asking, 'alter')) {
    const errorCode = kafkaErrors.CLUSTER_AUTHORIZATION_FAILED
    return { allowReplicationFactorChange, errorCode, errorMessage: null, responses: [] }
  }
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => ({
      partitionIndex,
      ...judged(asking, name, partitionIndex, replicas),
    })),
  }))
  return { allowReplicationFactorChange, ...none, responses }
}

function judged({ serving }: Asking, name: string, partition: number, replicas: readonly number[] | null): Problem {
  const { topic, errorCode } = serving.topics.byName(name)
  if (topic === null) return { errorCode, errorMessage: null }
  if (partition < 0 || partition >= topic.partitions) {
    return { errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null }
  }
  if (replicas === null) return { errorCode: kafkaErrors.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null }
  const { nodeId } = serving.core
  if (replicas.length === 1 && replicas[0] === nodeId) return none
  const errorMessage = `there is one broker: a partition lies on ${nodeId} alone`
  return { errorCode: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, errorMessage }
}
