// ListPartitionReassignments 0 (key 46): with one broker no partition ever moves.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

export function listPartitionReassignments(
  _: RequestOf<'listPartitionReassignments'>,
  asking: Asking,
): ResponseTo<'listPartitionReassignments'> {
  const may = mayOnCluster(asking, 'describe')
  const errorCode = may ? kafkaErrors.NONE : kafkaErrors.CLUSTER_AUTHORIZATION_FAILED
  return { errorCode, errorMessage: null, topics: [] }
}
