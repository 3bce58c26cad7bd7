// A rebalance: everyone is asked to join again, and when all have, or time is up, the next generation begins.
import { assert } from '../../std/assert.ts'
import {
  type Answer,
  type Group,
  type JoinAnswer,
  type Member,
  noBytes,
  rebalanceTimeoutMs,
  refusedSync,
  removeMember,
  renewSession,
} from './group.ts'
import { chooseProtocol, metadataOf } from './protocols.ts'
import type { GroupRules } from './settings.ts'

/** Begins a rebalance, or goes on with the one that is under way. */
export function rebalance(group: Group, rules: GroupRules, nowMs: number): Answer[] {
  if (group.state === 'PreparingRebalance') return completeIfAllJoined(group, nowMs)
  assert(group.state !== 'Dead', 'a dead group does not rebalance')
  const answers: Answer[] = []
  for (const member of group.members.values()) {
    member.owesSync = false
    if (group.state !== 'CompletingRebalance') continue
    member.assignment = noBytes
    if (member.syncTicket === null) continue
    answers.push(refusedSync(member.syncTicket, 'REBALANCE_IN_PROGRESS'))
    member.syncTicket = null
    renewSession(member, nowMs)
  }
  const timeoutMs = rebalanceTimeoutMs(group)
  const delayMs = group.state === 'Empty' ? Math.min(rules.initialRebalanceDelayMs, timeoutMs) : 0
  group.state = 'PreparingRebalance'
  group.syncEndsMs = Infinity
  group.gathering = delayMs > 0 ? { endsMsMax: nowMs + timeoutMs, newcomers: false } : null
  group.joinEndsMs = nowMs + (delayMs > 0 ? delayMs : timeoutMs)
  answers.push(...completeIfAllJoined(group, nowMs))
  return answers
}

function completeIfAllJoined(group: Group, nowMs: number): Answer[] {
  if (group.gathering !== null && group.members.size > 0) return []
  for (const member of group.members.values()) if (member.joinTicket === null) return []
  // One that was given an id will be here in a moment: without it there would be two rebalances.
  return group.members.size > 0 && group.pending.size > 0 ? [] : completeJoin(group, nowMs)
}

/** The time for joining is up. */
export function joinTimeIsUp(group: Group, rules: GroupRules, nowMs: number): Answer[] {
  const { gathering } = group
  if (gathering?.newcomers === true && nowMs < gathering.endsMsMax) {
    gathering.newcomers = false
    group.joinEndsMs = Math.min(nowMs + rules.initialRebalanceDelayMs, gathering.endsMsMax)
    return []
  }
  return completeJoin(group, nowMs)
}

function completeJoin(group: Group, nowMs: number): Answer[] {
  assert(group.state === 'PreparingRebalance', `joining is not completed in ${group.state}`)
  const answers: Answer[] = []
  for (const member of [...group.members.values()]) {
    // Static members keep their place until their session ends: they may be restarting.
    if (member.joinTicket === null && member.instanceId === null) {
      answers.push(...removeMember(group, member, 'UNKNOWN_MEMBER_ID'))
    }
  }
  if (group.members.size > 0 && !hasLeaderThatJoined(group)) {
    // Static members only, and none is here: their sessions decide.
    group.gathering = null
    group.joinEndsMs = nowMs + rebalanceTimeoutMs(group)
    return answers
  }
  group.generation++
  group.gathering = null
  group.joinEndsMs = Infinity
  if (group.members.size === 0) {
    group.state = 'Empty'
    group.protocol = null
    return answers
  }
  group.state = 'CompletingRebalance'
  group.protocol = chooseProtocol([...group.members.values()])
  group.syncEndsMs = nowMs + rebalanceTimeoutMs(group)
  for (const member of group.members.values()) {
    if (member.joinTicket === null) continue
    answers.push({ ticket: member.joinTicket, to: 'join', answer: presentGeneration(group, member) })
    member.joinTicket = null
    member.owesSync = true
    renewSession(member, nowMs)
  }
  return answers
}
function hasLeaderThatJoined(group: Group): boolean {
  const leader = group.leader === null ? undefined : group.members.get(group.leader)
  if (leader !== undefined && leader.joinTicket !== null) return true
  for (const member of group.members.values()) {
    if (member.joinTicket === null) continue
    group.leader = member.id
    return true
  }
  return false
}

/** What a member is told of the generation; the leader, who is all in it. */
export function presentGeneration(group: Group, member: Member): JoinAnswer {
  const { generation, protocolType, protocol, leader } = group
  assert(protocol !== null && leader !== null, 'a generation has a protocol and a leader')
  const members = leader === member.id ? membersOf(group, protocol) : []
  const error = 'NONE'
  return { error, memberId: member.id, generation, protocolType, protocol, leader, skipAssignment: false, members }
}
export function membersOf(group: Group, protocol: string): JoinAnswer['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.id,
    instanceId: member.instanceId,
    metadata: metadataOf(member, protocol),
  }))
}
