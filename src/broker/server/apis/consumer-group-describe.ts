// ConsumerGroupDescribe 0-1 (key 69): groups of KIP-848: their epochs, who is in them, what each has and is to have. A group
// of the classic protocol, or one without members since the broker started, is not found: DescribeGroups knows of it.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { type ConsumerGroup, type ConsumerMember, stateOf } from '../../groups/consumer/consumer-group.ts'
import { noParts, type Parts } from '../../groups/consumer/parts.ts'
import { authorizedOperations } from '../allowed.ts'
import { once } from '../once.ts'
import type { Asking } from '../serving.ts'
import { topicIdOf } from './consumer-group-heartbeat.ts'

type GroupAnswer = ResponseTo<'consumerGroupDescribe'>['groups'][number]
const memberType = { classic: 0, consumer: 1 } as const

export function consumerGroupDescribe(
  { groupIds, includeAuthorizedOperations }: RequestOf<'consumerGroupDescribe'>,
  asking: Asking,
): ResponseTo<'consumerGroupDescribe'> {
  const { serving, may } = asking
  return {
    groups: once(groupIds, (id) => id).map((groupId) => {
      if (!may('describe', 'group', groupId)) return refused(groupId, 'GROUP_AUTHORIZATION_FAILED', null)
      const group = serving.groups.consumerGroup(groupId)
      if (group === null) return refused(groupId, 'GROUP_ID_NOT_FOUND', `there is no group ${groupId} of KIP-848`)
      const forbidden = [...group.topics.keys()].some((topic) => !may('describe', 'topic', topic))
      if (forbidden) {
        return refused(groupId, 'TOPIC_AUTHORIZATION_FAILED', 'its members read topics that the asker may not describe')
      }
      const answer = described(group)
      if (!includeAuthorizedOperations) return answer
      return { ...answer, authorizedOperations: authorizedOperations(asking, 'group', groupId) }
    }),
  }
}

function refused(groupId: string, error: keyof typeof kafkaErrors, errorMessage: string | null): GroupAnswer {
  return {
    errorCode: kafkaErrors[error],
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
function described(group: ConsumerGroup): GroupAnswer {
  return {
    errorCode: kafkaErrors.NONE,
    groupId: group.id,
    groupState: stateOf(group),
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignor,
    members: [...group.members.values()].map((member) => describedMember(group, member)),
  }
}
function describedMember(group: ConsumerGroup, member: ConsumerMember): GroupAnswer['members'][number] {
  const { id, instanceId, rackId, epoch, clientId, clientHost, topicNames, pattern, classic } = member
  return {
    memberId: id,
    instanceId,
    rackId,
    memberEpoch: epoch,
    clientId,
    clientHost,
    subscribedTopicNames: topicNames,
    subscribedTopicRegex: pattern === null ? null : pattern.source,
    assignment: namedAssignment(group, member.assigned),
    targetAssignment: namedAssignment(group, group.target.get(id) ?? noParts),
    memberType: classic === null ? memberType.consumer : memberType.classic,
  }
}
function namedAssignment({ topics }: ConsumerGroup, parts: Parts) {
  const named = [...topics].filter(([, { id }]) => parts.has(id))
  return {
    topicPartitions: named.map(([topicName, { id }]) => ({
      topicId: topicIdOf(id),
      topicName,
      partitions: [...(parts.get(id) ?? [])].sort((a, b) => a - b),
    })),
  }
}
