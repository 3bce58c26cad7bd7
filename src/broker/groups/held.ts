// A group as the coordinator holds it: one of the classic protocol or one of KIP-848, and the way from one to the other.
import type { Timer } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import { defaultAssignor } from './consumer/assignors.ts'
import { consumerProtocolType } from './consumer/classic-members.ts'
import { type ConsumerGroup, newConsumerGroup, stateOf, type TopicView } from './consumer/consumer-group.ts'
import { toClassicGroup, toConsumerGroup } from './consumer/convert.ts'
import { namesRead } from './consumer/target.ts'
import { type Answer, type Group, newGroup } from './group.ts'
import { rebalance } from './rebalance.ts'
import type { GroupRules } from './settings.ts'
import { subscribedTopics } from './subscription.ts'

export interface Held {
  /** Without members while the group is one of KIP-848. */
  group: Group
  consumer: ConsumerGroup | null
  timer: Timer | null
  /** When the timer goes off; Infinity without one. */
  timerDueMs: number
  bytes: number
  /** It has members, and the journal was told if that matters to offsets. */
  peopled: boolean
}
export const newHeld = (id: string): Held => ({
  group: newGroup(id),
  consumer: null,
  timer: null,
  timerDueMs: Infinity,
  bytes: 0,
  peopled: false,
})

export const membersIn = ({ group, consumer }: Held): number => (consumer ?? group).members.size
export const pendingIn = ({ group, consumer }: Held): number => (consumer ?? group).pending.size
export const protocolTypeOf = ({ group, consumer }: Held): string =>
  consumer === null ? (group.protocolType ?? '') : consumerProtocolType
/** Nothing of it is worth keeping, but what it has committed. */
export const isEmpty = (held: Held): boolean =>
  held.group.state === 'Empty' && pendingIn(held) === 0 && membersIn(held) === 0

/** The group as one of KIP-848, its members with it; null if it cannot be. What is held stays as it is. */
export function asConsumerGroup({ group }: Held, topics: TopicView, nowMs: number): ConsumerGroup | null {
  if (group.members.size > 0) return toConsumerGroup(group, topics, nowMs)
  const fresh = newConsumerGroup(group.id, defaultAssignor)
  fresh.epoch = group.generation
  fresh.assignmentEpoch = group.generation
  return fresh
}
/** The group that a member of the classic protocol joins beside others of KIP-848; null: it is a classic one. */
export function mixedGroup(held: Held): ConsumerGroup | null {
  const { consumer, group } = held
  if (consumer !== null && consumer.members.size === 0) {
    for (const [id, lapseMs] of consumer.pending) group.pending.set(id, lapseMs)
    group.generation = consumer.epoch
    held.consumer = null
  }
  return held.consumer
}
/** The last member of KIP-848 has gone, and there are others: they go on among themselves. Answers that are due. */
export function backToClassic(held: Held, rules: GroupRules, nowMs: number): Answer[] {
  const { consumer } = held
  if (consumer === null || consumer.members.size === 0) return []
  for (const { classic } of consumer.members.values()) if (classic === null) return []
  held.consumer = null
  held.group = toClassicGroup(consumer, nowMs)
  return rebalance(held.group, rules, nowMs)
}

export interface ListedGroup {
  readonly type: 'classic' | 'consumer'
  readonly state: string
  readonly protocolType: string
}
export function listedGroup(held: Held): ListedGroup {
  const { group, consumer } = held
  const protocolType = protocolTypeOf(held)
  if (consumer === null) return { type: 'classic', state: group.state, protocolType }
  return { type: 'consumer', state: group.state === 'Dead' ? 'Dead' : stateOf(consumer), protocolType }
}
/** Topics that its members read; null: that cannot be told, it may be any. */
export function topicsRead({ group, consumer }: Held): ReadonlySet<string> | null {
  if (consumer === null) return subscribedTopics(group)
  const read = new Set<string>()
  for (const member of consumer.members.values()) {
    for (const name of [...member.topicNames, ...namesRead(consumer, member)]) read.add(name)
  }
  return read
}

/** The same, of a group that is not in the middle of a rebalance: who joins again may read something else. */
export const settledTopics = (held: Held): ReadonlySet<string> | null =>
  held.consumer === null && held.group.state !== 'Stable' ? null : topicsRead(held)

/** Of the broker's heart: what groups have committed, and the topics there are. */
export type GroupsCore = Pick<BrokerCore, 'groupOffsets' | 'topic' | 'topics'>
export const topicView = (core: GroupsCore): TopicView => ({
  find(name) {
    const topic = core.topic(name)
    return topic === null ? null : { id: Buffer.from(topic.id).toString('hex'), partitions: topic.partitions }
  },
  names: () => core.topics().map(({ name }) => name),
})
