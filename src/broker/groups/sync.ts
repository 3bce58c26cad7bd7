// Members ask for their part of the work; all are answered when the leader has handed the parts in.
import { unreachable } from '../../std/assert.ts'
import {
  type Answer,
  checkMember,
  type Group,
  type GroupError,
  type Member,
  noBytes,
  refusedSync,
  renewSession,
  type Ticket,
} from './group.ts'
import type { GroupRules } from './settings.ts'

export interface SyncRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  /** SyncGroup 5+, null if not said: they must be those of the generation. */
  readonly protocolType: string | null
  readonly protocol: string | null
  /** The leader's. Kept: the owner has copied them from the request. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export function sync(group: Group, rules: GroupRules, request: SyncRequest, ticket: Ticket, nowMs: number): Answer[] {
  const refuse = (error: GroupError): Answer[] => [refusedSync(ticket, error)]
  if (group.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE')
  const error = checkMember(group, request.memberId, request.instanceId)
  const member = group.members.get(request.memberId)
  if (error !== 'NONE' || member === undefined) return refuse(error)
  if (request.generation !== group.generation) return refuse('ILLEGAL_GENERATION')
  if (request.protocolType !== null && request.protocolType !== group.protocolType) {
    return refuse('INCONSISTENT_GROUP_PROTOCOL')
  }
  if (request.protocol !== null && request.protocol !== group.protocol) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  switch (group.state) {
    case 'Empty':
      return refuse('UNKNOWN_MEMBER_ID')
    case 'PreparingRebalance':
      return refuse('REBALANCE_IN_PROGRESS')
    case 'CompletingRebalance': {
      const answers: Answer[] = []
      // An earlier request of the member that still waits has been given up by it.
      if (member.syncTicket !== null) answers.push(refusedSync(member.syncTicket, 'REBALANCE_IN_PROGRESS'))
      member.syncTicket = null
      if (member.id !== group.leader) {
        member.syncTicket = ticket
        member.owesSync = false
        return answers
      }
      const bytes = request.assignments.reduce((sum, { assignment }) => sum + assignment.length, 0)
      if (bytes > rules.groupBytesMax) return [...answers, ...refuse('GROUP_MAX_SIZE_REACHED')]
      member.syncTicket = ticket
      return [...answers, ...handOut(group, request.assignments, nowMs)]
    }
    case 'Stable':
      member.owesSync = false
      renewSession(member, nowMs)
      return [answered(group, member, ticket)]
    default:
      return unreachable(group.state)
  }
}

function handOut(group: Group, assignments: SyncRequest['assignments'], nowMs: number): Answer[] {
  const parts = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  const answers: Answer[] = []
  group.state = 'Stable'
  for (const member of group.members.values()) {
    member.assignment = parts.get(member.id) ?? noBytes
    if (member.syncTicket === null) continue
    answers.push(answered(group, member, member.syncTicket))
    member.syncTicket = null
    member.owesSync = false
    renewSession(member, nowMs)
  }
  return answers
}
const answered = ({ protocolType, protocol }: Group, { assignment }: Member, ticket: Ticket): Answer => ({
  ticket,
  to: 'sync',
  answer: { error: 'NONE', protocolType, protocol, assignment },
})
