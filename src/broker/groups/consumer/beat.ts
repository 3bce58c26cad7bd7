// A heartbeat of KIP-848: the one request of a member, with which it joins, lives, tells what it reads and owns, leaves.
import type { ConsumerRules } from '../settings.ts'
import { assignors } from './assignors.ts'
import {
  addMember,
  type ConsumerGroup,
  type ConsumerGroupError,
  type ConsumerMember,
  epochGoesAway,
  epochJoins,
  epochLeaves,
  heldBytes,
  memberBytes,
  newMember,
  outdated,
  removeMember,
  replaceMember,
  setParts,
  type TopicView,
} from './consumer-group.ts'
import { isWithin, noParts, type Parts, sameParts } from './parts.ts'
import { reconcile } from './reconcile.ts'
import { refreshTarget } from './target.ts'
import { type TopicPattern, topicPattern } from './topic-pattern.ts'

export interface Beat {
  readonly memberId: string
  readonly memberEpoch: number
  /** Null in all that follows: as before. */
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1: as before. */
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  /** '' = no more. */
  readonly topicRegex: string | null
  readonly assignor: string | null
  readonly owned: Parts | null
  readonly clientId: string
  readonly clientHost: string
  /** May it know of this topic? Asked of topics that fit its pattern, at any later time. */
  readonly mayDescribe: (topic: string) => boolean
}
export interface BeatAnswer {
  readonly error: ConsumerGroupError
  readonly message: string | null
  readonly memberId: string
  readonly memberEpoch: number
  /** What it may use; null: nothing new. */
  readonly assignment: Parts | null
}
export function refusedBeat(error: ConsumerGroupError, message: string): BeatAnswer {
  return { error, message, memberId: '', memberEpoch: 0, assignment: null }
}

export function beat(
  group: ConsumerGroup,
  rules: ConsumerRules,
  topics: TopicView,
  request: Beat,
  nowMs: number,
): BeatAnswer {
  const { memberId, memberEpoch, assignor, topicRegex } = request
  if (memberEpoch === epochLeaves || memberEpoch === epochGoesAway) return leave(group, rules, request, nowMs)
  if (assignor !== null && !assignors.has(assignor)) {
    const known = [...assignors.keys()].join(', ')
    return refusedBeat('UNSUPPORTED_ASSIGNOR', `there is no assignor ${assignor}; there are ${known}`)
  }
  const pattern = topicRegex === null || topicRegex === '' ? null : topicPattern(topicRegex)
  if (typeof pattern === 'string') return refusedBeat('INVALID_REGULAR_EXPRESSION', pattern)
  const found = memberEpoch === epochJoins ? joining(group, rules, request) : living(group, request)
  if ('error' in found) return found
  const { member, isNew } = found
  const before = memberBytes(member)
  const changed = subscribe(member, request, pattern)
  if (memberBytes(member) > before && heldBytes(group) > rules.groupBytesMax) {
    removeMember(group, member)
    return refusedBeat('GROUP_MAX_SIZE_REACHED', `the group's members take more than ${rules.groupBytesMax} bytes`)
  }
  if (isNew || changed) outdated(group)
  refreshTarget(group, rules, topics, nowMs)
  const had = member.assigned
  reconcile(group, member, request.owned, nowMs)
  member.sessionEndsMs = nowMs + rules.consumerSessionMs
  const hasSaidAll =
    request.rebalanceTimeoutMs !== -1 && (request.topicNames !== null || topicRegex !== null) && request.owned !== null
  const isTold = memberEpoch === epochJoins || hasSaidAll || !sameParts(had, member.assigned)
  const assignment = isTold ? member.assigned : null
  return { error: 'NONE', message: null, memberId, memberEpoch: member.epoch, assignment }
}

type Found = { readonly member: ConsumerMember; readonly isNew: boolean } | BeatAnswer

/** With member epoch 0: for the first time, again after it was fenced, or in the place of a static member. */
function joining(group: ConsumerGroup, rules: ConsumerRules, { memberId, instanceId }: Beat): Found {
  const namesake = instanceId === null ? undefined : group.instances.get(instanceId)
  const known = group.members.get(namesake ?? memberId)
  if (known !== undefined && known.id === memberId) {
    // It has given up all it had: else it would not ask like this.
    known.classic = null
    known.epoch = epochJoins
    known.previousEpoch = epochJoins
    known.state = 'stable'
    known.revokeEndsMs = Infinity
    setParts(group, known, noParts, noParts)
    return { member: known, isNew: false }
  }
  if (known !== undefined) {
    if (known.classic === null && known.epoch !== epochGoesAway) {
      const message = `member ${known.id} has the instance id ${instanceId}, and has not gone`
      return refusedBeat('UNRELEASED_INSTANCE_ID', message)
    }
    const member = newMember(memberId, instanceId)
    replaceMember(group, known, member)
    return { member, isNew: false }
  }
  if (group.members.size >= rules.consumerMembersMax) {
    const message = `the group has ${group.members.size} members, as many as it may`
    return refusedBeat('GROUP_MAX_SIZE_REACHED', message)
  }
  const member = newMember(memberId, instanceId)
  addMember(group, member)
  return { member, isNew: true }
}

function living(group: ConsumerGroup, { memberId, memberEpoch, instanceId, owned }: Beat): Found {
  const holder = instanceId === null ? undefined : group.instances.get(instanceId)
  if (holder !== undefined && holder !== memberId) {
    return refusedBeat('FENCED_INSTANCE_ID', `the instance id ${instanceId} is member ${holder}'s now`)
  }
  const member = group.members.get(memberId)
  if (member === undefined || member.classic !== null) {
    // Kafka says UNKNOWN_MEMBER_ID. This is what every client takes for "let go of everything and join again", and after
    // a restart of the broker all members are unknown.
    return refusedBeat('FENCED_MEMBER_EPOCH', `the group has no member ${memberId}: join again with epoch 0`)
  }
  // With the epoch before, and no more than it has, it has missed the last answer.
  const hasMissedOne =
    memberEpoch === member.previousEpoch &&
    memberEpoch < member.epoch &&
    owned !== null &&
    isWithin(owned, member.assigned)
  if (memberEpoch !== member.epoch && !hasMissedOne) {
    const message = `member ${memberId} is at epoch ${member.epoch}, not ${memberEpoch}: join again with epoch 0`
    return refusedBeat('FENCED_MEMBER_EPOCH', message)
  }
  return { member, isNew: false }
}

function leave(group: ConsumerGroup, rules: ConsumerRules, request: Beat, nowMs: number): BeatAnswer {
  const { memberId, memberEpoch, instanceId } = request
  const holder = instanceId === null ? undefined : group.instances.get(instanceId)
  if (holder !== undefined && holder !== memberId) {
    return refusedBeat('FENCED_INSTANCE_ID', `the instance id ${instanceId} is member ${holder}'s now`)
  }
  const member = group.members.get(memberId)
  if (member === undefined || member.classic !== null) {
    return refusedBeat('UNKNOWN_MEMBER_ID', `the group has no member ${memberId}`)
  }
  if (memberEpoch === epochGoesAway && member.instanceId !== null) {
    // What it has stays its own until its session ends.
    member.epoch = epochGoesAway
    member.state = 'stable'
    member.revokeEndsMs = Infinity
    setParts(group, member, member.assigned, noParts)
    member.sessionEndsMs = nowMs + rules.consumerSessionMs
  } else removeMember(group, member)
  return { error: 'NONE', message: null, memberId, memberEpoch, assignment: null }
}

/** Takes over what the request says. True if that changes what the target is to be. */
function subscribe(member: ConsumerMember, request: Beat, pattern: TopicPattern | null): boolean {
  const { topicNames, topicRegex, rebalanceTimeoutMs, assignor } = request
  const before = { names: member.topicNames, source: member.pattern?.source, assignor: member.assignor }
  if (topicNames !== null) member.topicNames = [...new Set(topicNames)].sort()
  if (topicRegex !== null) member.pattern = pattern
  if (rebalanceTimeoutMs !== -1) member.rebalanceTimeoutMs = rebalanceTimeoutMs
  if (assignor !== null) member.assignor = assignor
  member.rackId = request.rackId ?? member.rackId
  member.clientId = request.clientId
  member.clientHost = request.clientHost
  member.mayDescribe = request.mayDescribe
  const { topicNames: names } = member
  const sameNames = names.length === before.names.length && names.every((name, i) => name === before.names[i])
  return !sameNames || member.pattern?.source !== before.source || member.assignor !== before.assignor
}
