// LeaveGroup 0-5 (key 13): one member (0-2) or several (3+), each with its own error; static members also by their instance
// id alone.
// Left out: the reason a member gives (5+) is not kept.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const severalSince = 3

export function leaveGroup(
  { groupId, memberId, members }: RequestOf<'leaveGroup'>,
  { serving: { groups }, version, may }: Asking,
): ResponseTo<'leaveGroup'> {
  if (!may('read', 'group', groupId)) return { errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED, members: [] }
  const leavers = version < severalSince ? [{ memberId, groupInstanceId: null }] : members
  const errors = groups.leave(
    groupId,
    leavers.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId })),
  )
  const answers = leavers.map(({ memberId, groupInstanceId }, i) => ({
    memberId,
    groupInstanceId,
    errorCode: kafkaErrors[errors[i]!],
  }))
  return { errorCode: version < severalSince ? answers[0]!.errorCode : kafkaErrors.NONE, members: answers }
}
