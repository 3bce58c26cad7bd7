// The target of a group: what its members read, looked up among the topics there are, and shared out by an assignor.
import { assert } from '../../../std/assert.ts'
import type { ConsumerRules } from '../settings.ts'
import { assignors, defaultAssignor, type Subscriber } from './assignors.ts'
import type { ConsumerGroup, ConsumerMember, TopicSeen, TopicView } from './consumer-group.ts'
import { noParts } from './parts.ts'

/**
 * Makes the target anew if members, or what they read, have changed. Topics that came, went or grew are noticed here:
 * they are looked at from time to time, on whatever heartbeat comes first.
 */
export function refreshTarget(group: ConsumerGroup, rules: ConsumerRules, topics: TopicView, nowMs: number): void {
  if (nowMs >= group.lookAtTopicsMs) lookAtTopics(group, rules, topics, nowMs)
  if (group.epoch === group.assignmentEpoch) return
  const read = new Map([...group.members.values()].map((member) => [member, topicsOf(group, member)]))
  const sizes = new Map<string, number>()
  const named = [...group.topics].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [, { id, partitions }] of named) sizes.set(id, partitions)
  const subscribers = [...read].map(([member, ids]): Subscriber => {
    return { id: member.id, instanceId: member.instanceId, topics: ids, before: group.target.get(member.id) ?? noParts }
  })
  group.assignor = chooseAssignor(group)
  const assign = assignors.get(group.assignor)
  assert(assign !== undefined, `there is no assignor ${group.assignor}`)
  group.target = assign(subscribers, sizes)
  group.assignmentEpoch = group.epoch
}

/** The one that most members ask for, a tie to the one that was asked for first. */
export function chooseAssignor(group: ConsumerGroup): string {
  const votes = new Map<string, number>()
  for (const { assignor } of group.members.values()) {
    if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
  }
  let chosen = defaultAssignor
  for (const [name, count] of votes) if (count > (votes.get(chosen) ?? 0)) chosen = name
  return chosen
}

function lookAtTopics(group: ConsumerGroup, rules: ConsumerRules, topics: TopicView, nowMs: number): void {
  const names = judgePatterns(group, topics)
  for (const { topicNames } of group.members.values()) for (const name of topicNames) names.add(name)
  const seen = new Map<string, TopicSeen>()
  for (const name of names) {
    const topic = topics.find(name)
    if (topic !== null) seen.set(name, topic)
  }
  // One step for all that has changed since the last target.
  if (group.epoch === group.assignmentEpoch && !sameTopics(group.topics, seen)) group.epoch++
  group.topics = seen
  group.lookAtTopicsMs = nowMs + rules.consumerTopicsEachMs
}
/** All topics that fit a member's pattern and that it may know of. Each name is held against a pattern once. */
function judgePatterns(group: ConsumerGroup, topics: TopicView): Set<string> {
  const fitting = new Set<string>()
  const patterned = [...group.members.values()].filter(({ pattern }) => pattern !== null)
  const present = patterned.length === 0 ? [] : topics.names()
  const used = new Set(patterned.map(({ pattern }) => pattern!.source))
  for (const source of [...group.verdicts.keys()]) if (!used.has(source)) group.verdicts.delete(source)
  for (const source of used) {
    const { pattern } = patterned.find((member) => member.pattern?.source === source)!
    const before = group.verdicts.get(source)
    const verdicts = new Map<string, boolean>()
    for (const name of present) {
      const fits = before?.get(name) ?? pattern!.fits(name)
      verdicts.set(name, fits)
      if (fits) fitting.add(name)
    }
    group.verdicts.set(source, verdicts)
  }
  for (const name of [...fitting]) {
    const wanted = patterned.some((member) => fitsMember(group, member, name))
    if (!wanted) fitting.delete(name)
  }
  return fitting
}
const fitsMember = (group: ConsumerGroup, { pattern, mayDescribe }: ConsumerMember, name: string): boolean =>
  pattern !== null && group.verdicts.get(pattern.source)?.get(name) === true && mayDescribe(name)

function sameTopics(a: ReadonlyMap<string, TopicSeen>, b: ReadonlyMap<string, TopicSeen>): boolean {
  if (a.size !== b.size) return false
  for (const [name, { id, partitions }] of a) {
    const other = b.get(name)
    if (other?.id !== id || other.partitions !== partitions) return false
  }
  return true
}

/** Names of the topics that a member reads and there are, as of the last look. */
export function namesRead(group: ConsumerGroup, member: ConsumerMember): ReadonlySet<string> {
  const names = new Set<string>()
  for (const name of member.topicNames) if (group.topics.has(name)) names.add(name)
  if (member.pattern !== null)
    for (const name of group.topics.keys()) if (fitsMember(group, member, name)) names.add(name)
  return names
}
const topicsOf = (group: ConsumerGroup, member: ConsumerMember): ReadonlySet<string> =>
  new Set([...namesRead(group, member)].map((name) => entryOfTopic(group, name).id))
function entryOfTopic(group: ConsumerGroup, name: string): TopicSeen {
  const topic = group.topics.get(name)
  assert(topic !== undefined, `topic ${name} was looked at`)
  return topic
}
