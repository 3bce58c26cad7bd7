// Members of the classic protocol in a group of KIP-848, while a group moves from one to the other: JoinGroup tells what
// they read and own, SyncGroup hands out what the broker has assigned, Heartbeat says when to join again. Nothing waits.
import { BrokenInvariant } from '../../../std/assert.ts'
import { type NamedPartitions, readSubscription, type Subscription, writeAssignment } from '../consumer-protocol.ts'
import { type GroupError, type JoinAnswer, joinRefusal, protocolBytes, type SyncAnswer, syncRefusal } from '../group.ts'
import type { MemberClaim } from '../heartbeat.ts'
import type { JoinRequest } from '../join.ts'
import type { Leaver } from '../leave.ts'
import type { ConsumerRules } from '../settings.ts'
import type { SyncRequest } from '../sync.ts'
import {
  addMember,
  type ClassicSide,
  type ConsumerGroup,
  type ConsumerMember,
  heldBytes,
  newMember,
  outdated,
  removeMember,
  replaceMember,
  type TopicView,
} from './consumer-group.ts'
import { type Parts, PartsMaker } from './parts.ts'
import { reconcile, waitsForOthers } from './reconcile.ts'
import { refreshTarget } from './target.ts'

export const consumerProtocolType = 'consumer'

export function joinClassic(
  group: ConsumerGroup,
  rules: ConsumerRules,
  topics: TopicView,
  request: JoinRequest,
  nowMs: number,
): JoinAnswer {
  const { memberId, instanceId, protocols, sessionTimeoutMs } = request
  const refuse = (error: GroupError, id = memberId): JoinAnswer => joinRefusal(error, id)
  if (sessionTimeoutMs < rules.sessionTimeoutMsMin || sessionTimeoutMs > rules.sessionTimeoutMsMax) {
    return refuse('INVALID_SESSION_TIMEOUT')
  }
  const subscription = readSubscription(protocols[0]?.metadata ?? new Uint8Array(0))
  const namesake = instanceId === null ? undefined : group.instances.get(instanceId)
  const error = claims(group, memberId, instanceId)
  if (memberId !== '' && !group.pending.has(memberId) && error !== 'NONE') return refuse(error)
  const known = group.members.get(memberId === '' ? (namesake ?? '') : memberId)
  if (request.protocolType !== consumerProtocolType || subscription === null || !fits(group, request, known)) {
    return refuse('INCONSISTENT_GROUP_PROTOCOL')
  }
  if (known === undefined && group.members.size + group.pending.size >= rules.consumerMembersMax) {
    if (!group.pending.has(memberId)) return refuse('GROUP_MAX_SIZE_REACHED')
  }
  const bytes = heldBytes(group) - protocolBytes(known?.classic?.protocols ?? []) + protocolBytes(protocols)
  if (bytes > rules.groupBytesMax) return refuse('GROUP_MAX_SIZE_REACHED')
  if (memberId === '' && instanceId === null && request.mustKnowItsId) {
    group.pending.set(request.freshMemberId, nowMs + sessionTimeoutMs)
    return refuse('MEMBER_ID_REQUIRED', request.freshMemberId)
  }

  const member =
    known !== undefined && memberId !== ''
      ? known
      : newMember(memberId === '' ? request.freshMemberId : memberId, instanceId)
  if (known === undefined) addMember(group, member)
  else if (known !== member) replaceMember(group, known, member)
  const changed = subscribe(member, rules, request, subscription)
  if (known === undefined || changed) outdated(group)
  refreshTarget(group, rules, topics, nowMs)
  reconcile(group, member, partsByName(topics, subscription.owned), nowMs)
  const side = sideOf(member)
  side.joinEndsMs = Infinity
  side.syncEndsMs = nowMs + member.rebalanceTimeoutMs
  member.sessionEndsMs = nowMs + sessionTimeoutMs
  return {
    error: 'NONE',
    memberId: member.id,
    generation: member.epoch,
    protocolType: consumerProtocolType,
    protocol: protocols[0]!.name,
    // The broker leads: no member is asked to assign anything.
    leader: '',
    skipAssignment: false,
    members: [],
  }
}
/** Could the protocols of all classic members be chosen from, if the group went back to the classic protocol? */
function fits(group: ConsumerGroup, { protocols }: JoinRequest, known: ConsumerMember | undefined): boolean {
  const others = [...group.members.values()].filter((each) => each !== known && each.classic !== null)
  return (
    others.length === 0 ||
    protocols.some(({ name }) => others.every(({ classic }) => classic!.protocols.some((each) => each.name === name)))
  )
}
/** True if that changes what the target is to be. */
function subscribe(
  member: ConsumerMember,
  rules: ConsumerRules,
  request: JoinRequest,
  { version, topics }: Subscription,
): boolean {
  const { protocols, sessionTimeoutMs, rebalanceTimeoutMs } = request
  const names = [...new Set(topics)].sort()
  const before = member.topicNames
  const changed =
    member.pattern !== null || names.length !== before.length || names.some((name, i) => name !== before[i])
  member.topicNames = names
  member.pattern = null
  member.clientId = request.clientId
  member.clientHost = request.clientHost
  const patienceMs = rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs
  member.rebalanceTimeoutMs = Math.max(rules.rebalanceTimeoutMsMin, patienceMs)
  member.classic = {
    sessionTimeoutMs,
    protocols,
    subscriptionVersion: version,
    joinEndsMs: Infinity,
    syncEndsMs: Infinity,
  }
  return changed
}
function sideOf({ id, classic }: ConsumerMember): ClassicSide {
  if (classic === null) throw new BrokenInvariant(`member ${id} is not of the classic protocol`)
  return classic
}

/** Is there such a member of the classic protocol, and is it the one that its instance id names? */
function claims(group: ConsumerGroup, memberId: string, instanceId: string | null): GroupError {
  if (instanceId !== null) {
    const current = group.instances.get(instanceId)
    if (current === undefined) return 'UNKNOWN_MEMBER_ID'
    if (current !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return (group.members.get(memberId)?.classic ?? null) === null ? 'UNKNOWN_MEMBER_ID' : 'NONE'
}

export function syncClassic(group: ConsumerGroup, request: SyncRequest, nowMs: number): SyncAnswer {
  const { memberId, instanceId, generation, protocolType, protocol } = request
  const error = claims(group, memberId, instanceId)
  const member = group.members.get(memberId)
  if (error !== 'NONE' || member === undefined) return syncRefusal(error)
  const side = sideOf(member)
  if (generation !== member.epoch) return syncRefusal('ILLEGAL_GENERATION')
  if (
    (protocolType !== null && protocolType !== consumerProtocolType) ||
    (protocol !== null && protocol !== side.protocols[0]!.name)
  ) {
    return syncRefusal('INCONSISTENT_GROUP_PROTOCOL')
  }
  member.sessionEndsMs = nowMs + side.sessionTimeoutMs
  if (member.epoch < group.epoch && member.state !== 'unrevoked') {
    mustJoinAgain(member, nowMs)
    return syncRefusal('REBALANCE_IN_PROGRESS')
  }
  side.syncEndsMs = Infinity
  const assignment = assignmentOf(group, member)
  return { error: 'NONE', protocolType: consumerProtocolType, protocol: side.protocols[0]!.name, assignment }
}
function mustJoinAgain(member: ConsumerMember, nowMs: number): void {
  const side = sideOf(member)
  if (side.joinEndsMs === Infinity) side.joinEndsMs = nowMs + member.rebalanceTimeoutMs
}

export function heartbeatClassic(group: ConsumerGroup, claim: MemberClaim, nowMs: number): GroupError {
  const { memberId, instanceId, generation } = claim
  const error = claims(group, memberId, instanceId)
  const member = group.members.get(memberId)
  if (error !== 'NONE' || member === undefined) return error
  if (generation !== member.epoch) return 'ILLEGAL_GENERATION'
  member.sessionEndsMs = nowMs + sideOf(member).sessionTimeoutMs
  const mustJoin =
    member.epoch < group.epoch ||
    member.state === 'unrevoked' ||
    (member.state === 'unreleased' && !waitsForOthers(group, member))
  if (!mustJoin) return 'NONE'
  mustJoinAgain(member, nowMs)
  return 'REBALANCE_IN_PROGRESS'
}

/** By an administrator, who names instance ids, static members of both protocols; by itself one of the classic. */
export function leaveClassic(group: ConsumerGroup, leavers: readonly Leaver[]): GroupError[] {
  return leavers.map(({ memberId, instanceId }) => {
    if (group.pending.delete(memberId)) return 'NONE'
    const named = memberId === '' && instanceId !== null ? group.instances.get(instanceId) : undefined
    const error = named === undefined ? claims(group, memberId, instanceId) : 'NONE'
    const member = group.members.get(named ?? memberId)
    if (error !== 'NONE' || member === undefined) return error
    removeMember(group, member)
    return 'NONE'
  })
}

/** What a member may use, as the classic protocol writes it. */
export function assignmentOf(group: ConsumerGroup, member: ConsumerMember): Uint8Array {
  return writeAssignment(sideOf(member).subscriptionVersion, namedParts(group, member.assigned))
}
/** Topics that are no more have no name: they are left out. */
export function namedParts({ topics }: ConsumerGroup, parts: Parts): NamedPartitions[] {
  const named: NamedPartitions[] = []
  for (const [topic, { id }] of topics) {
    const partitions = parts.get(id)
    if (partitions !== undefined) named.push({ topic, partitions: [...partitions].sort((a, b) => a - b) })
  }
  return named
}
export function partsByName(topics: TopicView, named: readonly NamedPartitions[]): Parts {
  const made = new PartsMaker()
  for (const { topic, partitions } of named) {
    const seen = topics.find(topic)
    for (const partition of seen === null ? [] : partitions) made.add(seen!.id, partition)
  }
  return made.parts
}
