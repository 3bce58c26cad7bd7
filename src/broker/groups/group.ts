// A group of the classic protocol as data: its state, its members, who of them waits for which answer.
//
//   Empty ──join──▶ PreparingRebalance ──all have joined, or time is up──▶ CompletingRebalance ──the leader syncs──▶ Stable
//     ▲                  ▲      │                                                │                                    │
//     └──all are gone────│──────┘◀───────── join, leave, expiry ─────────────────┴────────────────────────────────────┘
//
// The files beside this one move it, one per request: plain functions of a group, what is asked and the time. They do
// no I/O and keep no clock; answers that are due, of this request or of earlier ones, are what they return. As in
// Kafka's coordinator (KIP-62, KIP-345 static members, KIP-394 known member ids, KIP-814 skipped assignments).
import type { KafkaError } from '../../wire/wire.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'
export type GroupError = Extract<
  KafkaError,
  | 'NONE'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'FENCED_INSTANCE_ID'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'ILLEGAL_GENERATION'
  | 'INCONSISTENT_GROUP_PROTOCOL'
  | 'INVALID_GROUP_ID'
  | 'INVALID_SESSION_TIMEOUT'
  | 'MEMBER_ID_REQUIRED'
  | 'REBALANCE_IN_PROGRESS'
  | 'UNKNOWN_MEMBER_ID'
>

/** Names a request whose answer waits. The owner gives numbers out and hears of each again exactly once. */
export type Ticket = number
export interface JoinAnswer {
  readonly error: GroupError
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly leader: string
  /** The leader is to leave the assignments as they are (KIP-814). */
  readonly skipAssignment: boolean
  /** For the leader only. */
  readonly members: readonly {
    readonly memberId: string
    readonly instanceId: string | null
    readonly metadata: Uint8Array
  }[]
}
export interface SyncAnswer {
  readonly error: GroupError
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignment: Uint8Array
}
export type Answer =
  | { readonly ticket: Ticket; readonly to: 'join'; readonly answer: JoinAnswer }
  | { readonly ticket: Ticket; readonly to: 'sync'; readonly answer: SyncAnswer }

/** A way of assigning that a member knows, and what its assignor should know of the member. The broker reads neither. */
export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}
export interface Member {
  readonly id: string
  /** Of a static member: its name across restarts. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly Protocol[]
  assignment: Uint8Array
  /** Without a sign of life it is gone then; while one of its requests waits for an answer it lives. */
  sessionEndsMs: number
  joinTicket: Ticket | null
  syncTicket: Ticket | null
  /** It was told the present generation and has not asked for its part yet. */
  owesSync: boolean
}
export interface Group {
  readonly id: string
  state: GroupState
  /** Grows with every rebalance that is completed. */
  generation: number
  protocolType: string | null
  /** Chosen for the present generation. */
  protocol: string | null
  leader: string | null
  /** By member id, in order of arrival. */
  readonly members: Map<string, Member>
  /** Member ids of the static members, by instance id. */
  readonly instances: Map<string, string>
  /** Member ids that were given out with MEMBER_ID_REQUIRED and not used yet, and when each lapses. */
  readonly pending: Map<string, number>
  /** In PreparingRebalance: it is completed then with those who have joined. */
  joinEndsMs: number
  /** The first rebalance of an empty group is put off while members keep coming, at most until `endsMsMax`. */
  gathering: { readonly endsMsMax: number; newcomers: boolean } | null
  /** In CompletingRebalance and Stable: who still owes its sync then is put out. Infinity: nobody. */
  syncEndsMs: number
}

export function newGroup(id: string): Group {
  return {
    id,
    state: 'Empty',
    generation: 0,
    protocolType: null,
    protocol: null,
    leader: null,
    members: new Map(),
    instances: new Map(),
    pending: new Map(),
    joinEndsMs: Infinity,
    gathering: null,
    syncEndsMs: Infinity,
  }
}

export const noBytes: Uint8Array = new Uint8Array(0)

export function addMember(group: Group, member: Member): void {
  group.pending.delete(member.id)
  group.members.set(member.id, member)
  if (member.instanceId !== null) group.instances.set(member.instanceId, member.id)
  group.leader ??= member.id
}
/** Takes a member out; requests of its that wait are answered with the error. */
export function removeMember(group: Group, member: Member, error: GroupError): Answer[] {
  group.members.delete(member.id)
  if (member.instanceId !== null && group.instances.get(member.instanceId) === member.id) {
    group.instances.delete(member.instanceId)
  }
  if (group.leader === member.id) group.leader = group.members.keys().next().value ?? null
  return release(member, error)
}
/** Answers what the member waits for with an error. */
export function release(member: Member, error: GroupError): Answer[] {
  const answers: Answer[] = []
  if (member.joinTicket !== null) answers.push(refusedJoin(member.joinTicket, error, member.id))
  if (member.syncTicket !== null) answers.push(refusedSync(member.syncTicket, error))
  member.joinTicket = null
  member.syncTicket = null
  return answers
}

export const joinRefusal = (error: GroupError, memberId: string): JoinAnswer => ({
  error,
  memberId,
  generation: -1,
  protocolType: null,
  protocol: null,
  leader: '',
  skipAssignment: false,
  members: [],
})
export const syncRefusal = (error: GroupError): SyncAnswer => ({
  error,
  protocolType: null,
  protocol: null,
  assignment: noBytes,
})
export const refusedJoin = (ticket: Ticket, error: GroupError, memberId: string): Answer => ({
  ticket,
  to: 'join',
  answer: joinRefusal(error, memberId),
})
export const refusedSync = (ticket: Ticket, error: GroupError): Answer => ({
  ticket,
  to: 'sync',
  answer: syncRefusal(error),
})

/** Is there such a member, and is it the one that its instance id names now? */
export function checkMember(group: Group, memberId: string, instanceId: string | null): GroupError {
  if (instanceId !== null) {
    const current = group.instances.get(instanceId)
    if (current === undefined) return 'UNKNOWN_MEMBER_ID'
    if (current !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return group.members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
}
export function renewSession(member: Member, nowMs: number): void {
  member.sessionEndsMs = nowMs + member.sessionTimeoutMs
}
/** The patience of the most patient member. */
export function rebalanceTimeoutMs(group: Group): number {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

export const protocolBytes = (protocols: readonly Protocol[]): number =>
  protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0)
/** What its members have brought. */
export function broughtBytes(group: Group): number {
  let bytes = 0
  for (const member of group.members.values()) bytes += protocolBytes(member.protocols)
  return bytes
}
/** What the group holds in memory, about. */
export function heldBytes(group: Group): number {
  let bytes = broughtBytes(group) + 500 * (group.members.size + group.pending.size)
  for (const member of group.members.values()) bytes += member.assignment.length + nameBytes(member)
  for (const id of group.pending.keys()) bytes += 2 * id.length
  return bytes
}
/** Clients call themselves what they like. */
export const nameBytes = ({ id, clientId, instanceId }: Pick<Member, 'id' | 'clientId' | 'instanceId'>): number =>
  2 * (id.length + clientId.length + (instanceId?.length ?? 0))
