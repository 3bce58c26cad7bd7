// What time does to a group: sessions end, ids lapse, a rebalance has waited long enough. And what an ended connection does.
import { unreachable } from '../../std/assert.ts'
import { type Answer, type Group, removeMember, renewSession, type Ticket } from './group.ts'
import { afterLosses } from './leave.ts'
import { joinTimeIsUp } from './rebalance.ts'
import type { GroupRules } from './settings.ts'

/** When `expire` has something to do next; Infinity: not before something else happens. */
export function nextDueMs(group: Group): number {
  let due = Math.min(group.joinEndsMs, group.syncEndsMs)
  for (const lapseMs of group.pending.values()) due = Math.min(due, lapseMs)
  for (const { joinTicket, syncTicket, sessionEndsMs } of group.members.values()) {
    if (joinTicket === null && syncTicket === null) due = Math.min(due, sessionEndsMs)
  }
  return due
}

export function expire(group: Group, rules: GroupRules, nowMs: number): Answer[] {
  const answers: Answer[] = []
  let lostMember = false
  let lostId = false
  for (const [id, lapseMs] of group.pending) if (lapseMs <= nowMs) lostId = group.pending.delete(id) || lostId
  const syncIsDue = group.syncEndsMs <= nowMs
  if (syncIsDue) group.syncEndsMs = Infinity
  for (const member of [...group.members.values()]) {
    const waits = member.joinTicket !== null || member.syncTicket !== null
    if (waits || !(member.sessionEndsMs <= nowMs || (syncIsDue && member.owesSync))) continue
    answers.push(...removeMember(group, member, 'UNKNOWN_MEMBER_ID'))
    lostMember = true
  }
  if (lostMember || lostId) answers.push(...afterLosses(group, rules, lostMember, nowMs))
  switch (group.state) {
    case 'PreparingRebalance':
      if (group.joinEndsMs <= nowMs) answers.push(...joinTimeIsUp(group, rules, nowMs))
      return answers
    case 'Empty':
    case 'CompletingRebalance':
    case 'Stable':
    case 'Dead':
      return answers
    default:
      return unreachable(group.state)
  }
}

/** Nobody waits for this answer any more; its member has a session's time to come back. */
export function forget(group: Group, ticket: Ticket, nowMs: number): void {
  for (const member of group.members.values()) {
    if (member.joinTicket !== ticket && member.syncTicket !== ticket) continue
    if (member.joinTicket === ticket) member.joinTicket = null
    else {
      member.syncTicket = null
      member.owesSync = true
    }
    renewSession(member, nowMs)
  }
}
