// SyncGroup 0-5 (key 14): the leader hands in the assignments, everyone gets the own one; answered when the leader has.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

export async function syncGroup(
  request: RequestOf<'syncGroup'>,
  { serving: { groups }, may, onGone }: Asking,
): Promise<ResponseTo<'syncGroup'>> {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
  if (!may('read', 'group', groupId)) {
    return { errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED, assignment: new Uint8Array(0) }
  }
  const { error, protocol, assignment, ...answer } = await groups.sync(
    groupId,
    {
      memberId,
      instanceId: groupInstanceId,
      generation: generationId,
      protocolType,
      protocol: protocolName,
      // What is kept must not hold on to the whole frame.
      assignments: request.assignments.map((each) => ({
        memberId: each.memberId,
        assignment: new Uint8Array(each.assignment),
      })),
    },
    onGone,
  )
  return {
    errorCode: kafkaErrors[error],
    protocolType: answer.protocolType,
    protocolName: protocol,
    assignment,
  }
}
