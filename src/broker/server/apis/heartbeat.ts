// Heartbeat 0-4 (key 12): keeps a member's session; REBALANCE_IN_PROGRESS asks it to join again.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

export function heartbeat(
  { groupId, memberId, groupInstanceId, generationId }: RequestOf<'heartbeat'>,
  { serving: { groups }, may }: Asking,
): ResponseTo<'heartbeat'> {
  if (!may('read', 'group', groupId)) return { errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
  const error = groups.heartbeat(groupId, { memberId, instanceId: groupInstanceId, generation: generationId })
  return { errorCode: kafkaErrors[error] }
}
