// A member joins: for the first time, again, or in the place of a static member that was restarted.
import { BrokenInvariant, unreachable } from '../../std/assert.ts'
import {
  type Answer,
  addMember,
  broughtBytes,
  checkMember,
  type Group,
  type GroupError,
  type Member,
  noBytes,
  type Protocol,
  protocolBytes,
  refusedJoin,
  release,
  renewSession,
  type Ticket,
} from './group.ts'
import { chooseProtocol, fits, sameProtocols } from './protocols.ts'
import { membersOf, presentGeneration, rebalance } from './rebalance.ts'
import type { GroupRules } from './settings.ts'

export interface JoinRequest {
  /** '' = it has none yet. */
  readonly memberId: string
  /** What it will be called if it has none; no one was ever called so. */
  readonly freshMemberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  /** Below 0: as the session's. */
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** Kept: the owner has copied them from the request. */
  readonly protocols: readonly Protocol[]
  /** JoinGroup 4+: a new member is told its id first, so that a lost answer leaves no member behind (KIP-394). */
  readonly mustKnowItsId: boolean
  /** JoinGroup 9+: it understands `skipAssignment`. */
  readonly maySkipAssignment: boolean
}

export function join(group: Group, rules: GroupRules, request: JoinRequest, ticket: Ticket, nowMs: number): Answer[] {
  const { memberId, instanceId, protocolType, protocols } = request
  const refuse = (error: GroupError, id = memberId): Answer[] => [refusedJoin(ticket, error, id)]
  if (group.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE')
  if (request.sessionTimeoutMs < rules.sessionTimeoutMsMin || request.sessionTimeoutMs > rules.sessionTimeoutMsMax) {
    return refuse('INVALID_SESSION_TIMEOUT')
  }
  const isPending = group.pending.has(memberId)
  if (memberId !== '' && !isPending) {
    const error = checkMember(group, memberId, instanceId)
    if (error !== 'NONE') return refuse(error)
  }
  const namesake = memberId === '' && instanceId !== null ? group.instances.get(instanceId) : memberId
  const known = namesake === undefined ? undefined : group.members.get(namesake)
  if (known === undefined && group.members.size >= rules.membersMax) return refuse('GROUP_MAX_SIZE_REACHED')
  if (!fits(group, protocolType, protocols, known ?? null)) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  const bytes = broughtBytes(group) - protocolBytes(known?.protocols ?? []) + protocolBytes(protocols)
  if (bytes > rules.groupBytesMax) return refuse('GROUP_MAX_SIZE_REACHED')

  if (known !== undefined && memberId !== '') return joinAgain(group, rules, known, request, ticket, nowMs)
  if (known !== undefined) return takePlaceOf(group, rules, known, request, ticket, nowMs)
  if (memberId === '' && instanceId === null && request.mustKnowItsId) {
    if (group.pending.size >= rules.membersMax) return refuse('GROUP_MAX_SIZE_REACHED')
    group.pending.set(request.freshMemberId, nowMs + request.sessionTimeoutMs)
    return refuse('MEMBER_ID_REQUIRED', request.freshMemberId)
  }
  const member = memberOf(isPending ? memberId : request.freshMemberId, rules, request, nowMs)
  if (group.members.size === 0) group.protocolType = protocolType
  member.joinTicket = ticket
  addMember(group, member)
  if (group.gathering !== null) group.gathering.newcomers = true
  return rebalance(group, rules, nowMs)
}

function memberOf(id: string, rules: GroupRules, request: JoinRequest, nowMs: number): Member {
  const { instanceId, clientId, clientHost, sessionTimeoutMs, protocols } = request
  return {
    id,
    instanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: patience(rules, request),
    protocols,
    assignment: noBytes,
    sessionEndsMs: nowMs + sessionTimeoutMs,
    joinTicket: null,
    syncTicket: null,
    owesSync: false,
  }
}
const patience = (rules: GroupRules, { rebalanceTimeoutMs, sessionTimeoutMs }: JoinRequest): number =>
  Math.max(rules.rebalanceTimeoutMsMin, rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs)

function joinAgain(
  group: Group,
  rules: GroupRules,
  member: Member,
  request: JoinRequest,
  ticket: Ticket,
  nowMs: number,
): Answer[] {
  const changed = !sameProtocols(member.protocols, request.protocols)
  switch (group.state) {
    case 'CompletingRebalance':
    case 'Stable': {
      // Unchanged it has only missed the answer; but a leader that joins again wants to assign anew.
      const asksAgain = !changed && !(group.state === 'Stable' && member.id === group.leader)
      if (!asksAgain) break
      renewSession(member, nowMs)
      return [{ ticket, to: 'join', answer: presentGeneration(group, member) }]
    }
    case 'PreparingRebalance':
      break
    case 'Empty':
    case 'Dead':
      throw new BrokenInvariant(`member ${member.id} is in a group that is ${group.state}`)
    default:
      return unreachable(group.state)
  }
  // An earlier request of the member that still waits has been given up by it.
  const answers = release(member, 'REBALANCE_IN_PROGRESS')
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.rebalanceTimeoutMs = patience(rules, request)
  member.protocols = request.protocols
  member.joinTicket = ticket
  renewSession(member, nowMs)
  if (group.members.size === 1) group.protocolType = request.protocolType
  return [...answers, ...rebalance(group, rules, nowMs)]
}

/** A static member was restarted: it takes its old place under a new id, if it can without a rebalance. */
function takePlaceOf(
  group: Group,
  rules: GroupRules,
  old: Member,
  request: JoinRequest,
  ticket: Ticket,
  nowMs: number,
): Answer[] {
  const answers = release(old, 'FENCED_INSTANCE_ID')
  const member = memberOf(request.freshMemberId, rules, request, nowMs)
  member.assignment = old.assignment
  const wasLeader = group.leader === old.id
  group.members.delete(old.id)
  addMember(group, member)
  if (wasLeader) group.leader = member.id
  if (group.members.size === 1) group.protocolType = request.protocolType
  const { protocol } = group
  if (group.state !== 'Stable' || protocol === null || chooseProtocol([...group.members.values()]) !== protocol) {
    member.joinTicket = ticket
    return [...answers, ...rebalance(group, rules, nowMs)]
  }
  // A leader of old that cannot be told to skip the assignment is told that another leads: its former self.
  const leads = wasLeader && request.maySkipAssignment
  const answer = {
    ...presentGeneration(group, member),
    leader: wasLeader && !leads ? old.id : group.leader!,
    skipAssignment: leads,
    members: leads ? membersOf(group, protocol) : [],
  }
  return [...answers, { ticket, to: 'join', answer }]
}
