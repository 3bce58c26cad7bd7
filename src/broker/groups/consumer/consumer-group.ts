// A group of KIP-848 as data: the broker assigns, and each member goes to its part of the target at its own pace.
//
//   group epoch       grows when members or what they read change: the target is out of date
//   assignment epoch  the group epoch that the target was made for
//   member epoch      the assignment epoch that the member has reached; it gets there once it has given up what it must
//
//   stable ──the target has moved: it has nothing to give up──▶ stable or unreleased (part of its own is still another's)
//     └──it has──▶ unrevoked ──it says that it has let go──▶ stable or unreleased
//
// A partition has one owner at a time: the member that may use it, or has been told to let go and has not said that it
// did. `owners` is that rule, and `setParts` the only way to change it. Members of the classic protocol may be among
// the others while a group moves from one protocol to the other (`classic`). The files beside this one move a group:
// plain functions of it, a request and the time.
import { assert } from '../../../std/assert.ts'
import { entryOf } from '../../../std/maps.ts'
import type { KafkaError } from '../../../wire/wire.ts'
import { nameBytes, type Protocol, protocolBytes } from '../group.ts'
import { countParts, eachPart, noParts, type Parts } from './parts.ts'
import type { TopicPattern } from './topic-pattern.ts'

/** The topics there are. */
export interface TopicView {
  find(name: string): TopicSeen | null
  names(): readonly string[]
}
export interface TopicSeen {
  /** In hexadecimal. */
  readonly id: string
  readonly partitions: number
}

export interface ConsumerMember {
  readonly id: string
  /** Of a static member: its name across restarts. */
  readonly instanceId: string | null
  rackId: string | null
  clientId: string
  clientHost: string
  /** 0: it has just joined. -2: a static member that has gone away for a while. */
  epoch: number
  previousEpoch: number
  state: 'stable' | 'unrevoked' | 'unreleased'
  rebalanceTimeoutMs: number
  /** Sorted, each once. */
  topicNames: readonly string[]
  pattern: TopicPattern | null
  /** Of the topics that fit the pattern: which it may know of. */
  mayDescribe: (topic: string) => boolean
  /** The assignor that it would like. */
  assignor: string | null
  /** What it may use. */
  assigned: Parts
  /** What it was told to let go, and has not said that it did. */
  revoking: Parts
  /** Without a sign of life it is gone then. */
  sessionEndsMs: number
  /** In `unrevoked`: it must have let go then. */
  revokeEndsMs: number
  classic: ClassicSide | null
}
/** What a member of the classic protocol is besides. */
export interface ClassicSide {
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly Protocol[]
  /** Of its subscription: its assignment is written in the same. */
  readonly subscriptionVersion: number
  /** It was told to join again, and is gone if it has not then. */
  joinEndsMs: number
  /** It has joined, and is gone if it does not ask for its part until then. */
  syncEndsMs: number
}

export interface ConsumerGroup {
  readonly id: string
  epoch: number
  assignmentEpoch: number
  /** That made the target. */
  assignor: string
  /** In order of arrival. */
  readonly members: Map<string, ConsumerMember>
  /** Member ids of the static members, by instance id. */
  readonly instances: Map<string, string>
  /** By member id. */
  target: Map<string, Parts>
  /** Member ids, by topic and partition. */
  readonly owners: Map<string, Map<number, string>>
  /** What the members read and there is, by name, as it was when it was looked at. */
  topics: ReadonlyMap<string, TopicSeen>
  /** When topics are to be looked at again. */
  lookAtTopicsMs: number
  /** What patterns have said of topics' names, by pattern. */
  readonly verdicts: Map<string, Map<string, boolean>>
  /** Member ids that were given to members of the classic protocol and not used yet, and when each lapses. */
  readonly pending: Map<string, number>
}

export type ConsumerGroupError = Extract<
  KafkaError,
  | 'NONE'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'FENCED_INSTANCE_ID'
  | 'FENCED_MEMBER_EPOCH'
  | 'GROUP_ID_NOT_FOUND'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'INVALID_GROUP_ID'
  | 'INVALID_REGULAR_EXPRESSION'
  | 'INVALID_REQUEST'
  | 'UNKNOWN_MEMBER_ID'
  | 'UNRELEASED_INSTANCE_ID'
  | 'UNSUPPORTED_ASSIGNOR'
>
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

export const epochJoins = 0
export const epochLeaves = -1
export const epochGoesAway = -2

export function newConsumerGroup(id: string, assignor: string): ConsumerGroup {
  return {
    id,
    epoch: 0,
    assignmentEpoch: 0,
    assignor,
    members: new Map(),
    instances: new Map(),
    target: new Map(),
    owners: new Map(),
    topics: new Map(),
    lookAtTopicsMs: -Infinity,
    verdicts: new Map(),
    pending: new Map(),
  }
}
export function newMember(id: string, instanceId: string | null): ConsumerMember {
  return {
    id,
    instanceId,
    rackId: null,
    clientId: '',
    clientHost: '',
    epoch: epochJoins,
    previousEpoch: epochJoins,
    state: 'stable',
    rebalanceTimeoutMs: 0,
    topicNames: [],
    pattern: null,
    mayDescribe: () => true,
    assignor: null,
    assigned: noParts,
    revoking: noParts,
    sessionEndsMs: Infinity,
    revokeEndsMs: Infinity,
    classic: null,
  }
}

/** Members, or what they read, have changed. */
export function outdated(group: ConsumerGroup): void {
  group.epoch++
  group.lookAtTopicsMs = -Infinity
}
export function addMember(group: ConsumerGroup, member: ConsumerMember): void {
  group.pending.delete(member.id)
  group.members.set(member.id, member)
  if (member.instanceId !== null) group.instances.set(member.instanceId, member.id)
}
export function removeMember(group: ConsumerGroup, member: ConsumerMember): void {
  forgetMember(group, member)
  outdated(group)
}
/** A static member is back under another id: it takes what the old one had, and its place in the target. */
export function replaceMember(group: ConsumerGroup, old: ConsumerMember, member: ConsumerMember): void {
  const { assigned, topicNames, pattern, mayDescribe, assignor, rackId } = old
  const target = group.target.get(old.id)
  forgetMember(group, old)
  addMember(group, member)
  Object.assign(member, { topicNames, pattern, mayDescribe, assignor, rackId })
  setParts(group, member, assigned, noParts)
  if (target !== undefined) group.target.set(member.id, target)
}
function forgetMember(group: ConsumerGroup, member: ConsumerMember): void {
  setParts(group, member, noParts, noParts)
  group.members.delete(member.id)
  group.target.delete(member.id)
  if (member.instanceId !== null && group.instances.get(member.instanceId) === member.id) {
    group.instances.delete(member.instanceId)
  }
}

/** The one way to change what a member has. */
export function setParts(group: ConsumerGroup, member: ConsumerMember, assigned: Parts, revoking: Parts): void {
  const { owners } = group
  for (const parts of [member.assigned, member.revoking]) {
    for (const [topic, partition] of eachPart(parts)) {
      owners.get(topic)?.delete(partition)
      if (owners.get(topic)?.size === 0) owners.delete(topic)
    }
  }
  for (const parts of [assigned, revoking]) {
    for (const [topic, partition] of eachPart(parts)) {
      const byPartition = entryOf(owners, topic, () => new Map<number, string>())
      const other = byPartition.get(partition)
      assert(
        other === undefined,
        `partition ${partition} of ${topic} has an owner, ${other}, and would get ${member.id}`,
      )
      byPartition.set(partition, member.id)
    }
  }
  member.assigned = assigned
  member.revoking = revoking
}
export const ownerOf = (group: ConsumerGroup, topic: string, partition: number): string | null =>
  group.owners.get(topic)?.get(partition) ?? null

export function stateOf(group: ConsumerGroup): ConsumerGroupState {
  if (group.members.size === 0) return 'Empty'
  if (group.epoch > group.assignmentEpoch) return 'Assigning'
  for (const { state, epoch } of group.members.values()) {
    if (state !== 'stable' || epoch !== group.assignmentEpoch) return 'Reconciling'
  }
  return 'Stable'
}

/** What a member holds in memory, about. */
export function memberBytes(member: ConsumerMember): number {
  let bytes = 1_000 + nameBytes(member) + 2 * ((member.rackId?.length ?? 0) + (member.assignor?.length ?? 0))
  bytes += 32 * (countParts(member.assigned) + countParts(member.revoking))
  for (const name of member.topicNames) bytes += 2 * name.length
  if (member.pattern !== null) bytes += member.pattern.bytes
  return member.classic === null ? bytes : bytes + protocolBytes(member.classic.protocols)
}
export function heldBytes(group: ConsumerGroup): number {
  let bytes = 500 * group.pending.size
  for (const id of group.pending.keys()) bytes += 2 * id.length
  for (const member of group.members.values()) bytes += memberBytes(member)
  return bytes
}
