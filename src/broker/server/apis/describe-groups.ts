// DescribeGroups 0-6 (key 15): the state of groups, who is in them, and what each was assigned. A group that is not there is
// Dead, and from version 6 on GROUP_ID_NOT_FOUND; and so is one of KIP-848, which ConsumerGroupDescribe tells of.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { GroupCoordinator } from '../../groups/coordinator.ts'
import { type Member, noBytes } from '../../groups/group.ts'
import { authorizedOperations } from '../allowed.ts'
import { once } from '../once.ts'
import type { Asking } from '../serving.ts'

type GroupAnswer = ResponseTo<'describeGroups'>['groups'][number]
const notFoundSince = 6

export function describeGroups(request: RequestOf<'describeGroups'>, asking: Asking): ResponseTo<'describeGroups'> {
  const { serving, version, may } = asking
  return {
    groups: once(request.groups, (id) => id).map((id) => {
      if (!may('describe', 'group', id)) return forbidden(id)
      const answer = described(serving.groups, id, version)
      if (!request.includeAuthorizedOperations || answer.errorCode !== kafkaErrors.NONE) return answer
      return { ...answer, authorizedOperations: authorizedOperations(asking, 'group', id) }
    }),
  }
}

const forbidden = (groupId: string): GroupAnswer => ({
  groupId,
  errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED,
  groupState: '',
  protocolType: '',
  protocolData: '',
  members: [],
})
function described(groups: GroupCoordinator, groupId: string, version: number): GroupAnswer {
  const group = groups.group(groupId)
  const protocolType = group?.protocolType ?? groups.offsets.protocolType(groupId)
  if (group === null || group.state === 'Dead') {
    const isOther = groups.consumerGroup(groupId) !== null
    const isThere = group === null && !isOther && groups.offsets.has(groupId)
    const errorCode = isThere || version < notFoundSince ? kafkaErrors.NONE : kafkaErrors.GROUP_ID_NOT_FOUND
    const errorMessage = errorCode === kafkaErrors.NONE ? null : `there is no classic group ${groupId}`
    const groupState = isThere ? 'Empty' : 'Dead'
    return { groupId, errorCode, errorMessage, groupState, protocolType, protocolData: '', members: [] }
  }
  // While members join again, what they were told before means nothing any more.
  const protocol = group.state === 'Stable' ? group.protocol : null
  return {
    groupId,
    errorCode: kafkaErrors.NONE,
    groupState: group.state,
    protocolType,
    protocolData: protocol ?? '',
    members: [...group.members.values()].map((member) => describedMember(member, protocol)),
  }
}
function describedMember(member: Member, protocol: string | null): GroupAnswer['members'][number] {
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: member.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes,
    memberAssignment: protocol === null ? noBytes : member.assignment,
  }
}
