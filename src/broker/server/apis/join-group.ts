// JoinGroup 0-9 (key 11): a member joins a group; answered when the rebalance that it joins is complete, or at once if none
// is needed. When the client goes away meanwhile, its member has a session's time to come back.
// Left out: the reason a member gives (8+) is not kept.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const memberIdRequiredSince = 4
const skipAssignmentSince = 9
const noProtocolIsNullSince = 7

export async function joinGroup(
  request: RequestOf<'joinGroup'>,
  { serving: { groups }, version, remoteHost, may, onGone }: Asking,
  clientId: string | null,
): Promise<ResponseTo<'joinGroup'>> {
  const { groupId, memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType } = request
  if (!may('read', 'group', groupId)) return forbidden(memberId, version)
  const answer = await groups.join(
    groupId,
    {
      memberId,
      instanceId: groupInstanceId,
      clientId: clientId ?? '',
      clientHost: `/${remoteHost}`,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocolType,
      // What is kept must not hold on to the whole frame.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
      mustKnowItsId: version >= memberIdRequiredSince,
      maySkipAssignment: version >= skipAssignmentSince,
    },
    onGone,
  )
  return {
    errorCode: kafkaErrors[answer.error],
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: answer.protocol ?? (version >= noProtocolIsNullSince ? null : ''),
    leader: answer.leader,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members.map(({ memberId, instanceId, metadata }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata,
    })),
  }
}

const forbidden = (memberId: string, version: number): ResponseTo<'joinGroup'> => ({
  errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED,
  generationId: -1,
  protocolName: version >= noProtocolIsNullSince ? null : '',
  leader: '',
  memberId,
  members: [],
})
