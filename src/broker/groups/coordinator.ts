// The coordinator: keeps the groups, gives them time and member ids, holds the answers that wait, and keeps all of it
// bounded. Members live in memory only: after a restart they are unknown and join again. What groups have committed is
// in the journal (offset-store.ts).
import { LogError } from '../../log/log.ts'
import type { Timer, World } from '../../world/world.ts'
import { expire, forget, nextDueMs } from './expiry.ts'
import {
  type Answer,
  type Group,
  type GroupError,
  heldBytes,
  type JoinAnswer,
  joinRefusal,
  newGroup,
  protocolBytes,
  refusedJoin,
  refusedSync,
  type SyncAnswer,
  syncRefusal,
  type Ticket,
} from './group.ts'
import { checkCommit, heartbeat, type MemberClaim } from './heartbeat.ts'
import { type JoinRequest, join } from './join.ts'
import { type Leaver, leave } from './leave.ts'
import type { OffsetStore } from './offset-store.ts'
import { type GroupSettings, groupDefaults } from './settings.ts'
import { type SyncRequest, sync } from './sync.ts'

interface Held {
  readonly group: Group
  timer: Timer | null
  /** When the timer goes off; Infinity without one. */
  timerDueMs: number
  bytes: number
  /** It has members, and the journal was told if that matters to offsets. */
  peopled: boolean
}
type Wanted =
  | { readonly to: 'join'; readonly resolve: (answer: JoinAnswer) => void }
  | { readonly to: 'sync'; readonly resolve: (answer: SyncAnswer) => void }
type Waiting = Wanted & { readonly stopWatching: () => void }
/** Calls back when nobody waits for the answer any more; returns the way out. */
export type OnGone = (callback: () => void) => () => void

export class GroupCoordinator {
  readonly settings: GroupSettings
  readonly offsets: OffsetStore
  readonly #world: World
  readonly #groups = new Map<string, Held>()
  readonly #waiting = new Map<Ticket, Waiting>()
  #lastTicket: Ticket = 0
  #membersNamed = 0
  /** What the members of all groups hold. */
  #bytes = 0
  #sweepTimer: Timer | null = null
  #closed = false

  constructor(world: World, offsets: OffsetStore, settings: Partial<GroupSettings> = {}) {
    this.#world = world
    this.offsets = offsets
    this.settings = { ...groupDefaults, ...settings }
  }

  // --- Members ---

  join(id: string, asked: Omit<JoinRequest, 'freshMemberId'>, onGone: OnGone): Promise<JoinAnswer> {
    const { memberId, clientId, instanceId, protocols } = asked
    const refuse = (error: GroupError): Promise<JoinAnswer> => Promise.resolve(joinRefusal(error, memberId))
    if (id === '' || Buffer.byteLength(id) > this.settings.groupIdBytesMax) return refuse('INVALID_GROUP_ID')
    const known = this.#groups.get(id)
    if (known === undefined && memberId !== '') return refuse('UNKNOWN_MEMBER_ID')
    const full = this.#bytes + protocolBytes(protocols) > this.settings.memberBytesMax
    const held = full || this.#closed ? null : (known ?? this.#make(id))
    if (held === null) return refuse('COORDINATOR_NOT_AVAILABLE')
    const freshMemberId = this.#freshMemberId(instanceId ?? clientId)
    return new Promise((resolve) => {
      const gone = refusedJoin(0, 'COORDINATOR_NOT_AVAILABLE', memberId)
      const ticket = this.#wait(held, { to: 'join', resolve }, gone, onGone)
      const nowMs = this.#nowMs()
      this.#apply(held, nowMs, join(held.group, this.settings, { ...asked, freshMemberId }, ticket, nowMs))
    })
  }

  sync(id: string, asked: SyncRequest, onGone: OnGone): Promise<SyncAnswer> {
    const held = this.#groups.get(id)
    if (held === undefined) return Promise.resolve(syncRefusal('UNKNOWN_MEMBER_ID'))
    const bytes = asked.assignments.reduce((sum, { assignment }) => sum + assignment.length, 0)
    const full = this.#bytes + bytes > this.settings.memberBytesMax
    if (full || this.#closed) return Promise.resolve(syncRefusal('COORDINATOR_NOT_AVAILABLE'))
    return new Promise((resolve) => {
      const gone = refusedSync(0, 'COORDINATOR_NOT_AVAILABLE')
      const ticket = this.#wait(held, { to: 'sync', resolve }, gone, onGone)
      const nowMs = this.#nowMs()
      this.#apply(held, nowMs, sync(held.group, this.settings, asked, ticket, nowMs))
    })
  }

  heartbeat(id: string, claim: MemberClaim): GroupError {
    const held = this.#groups.get(id)
    return held === undefined ? 'UNKNOWN_MEMBER_ID' : heartbeat(held.group, claim, this.#nowMs())
  }

  leave(id: string, leavers: readonly Leaver[]): readonly GroupError[] {
    const held = this.#groups.get(id)
    if (held === undefined) return leavers.map(() => 'UNKNOWN_MEMBER_ID')
    const nowMs = this.#nowMs()
    const { errors, answers } = leave(held.group, this.settings, leavers, nowMs)
    this.#apply(held, nowMs, answers)
    return errors
  }

  /** May offsets be committed with this claim? */
  checkCommit(id: string, claim: MemberClaim): GroupError {
    const held = this.#groups.get(id)
    if (held === undefined && this.offsets.has(id) && claim.generation >= 0) return 'UNKNOWN_MEMBER_ID'
    return checkCommit(held?.group ?? null, claim, this.#nowMs())
  }
  /** Of the members that the group has now; '' without. */
  protocolType(id: string): string {
    const group = this.#groups.get(id)?.group
    return group === undefined || group.members.size === 0 ? '' : (group.protocolType ?? '')
  }

  // --- Groups ---

  /** To be looked at, not changed. Null: it has no members, nor had any lately. */
  group(id: string): Group | null {
    return this.#groups.get(id)?.group ?? null
  }
  /** All that have members or offsets. */
  groupIds(): string[] {
    return [...new Set([...this.#groups.keys(), ...this.offsets.groups()])]
  }
  /** Resolves when that is durable. Rejects with a LogError KAFKA_STORAGE_ERROR. */
  async deleteGroup(id: string): Promise<'NONE' | 'GROUP_ID_NOT_FOUND' | 'NON_EMPTY_GROUP'> {
    const known = this.#groups.get(id)
    if (known === undefined && !this.offsets.has(id)) return 'GROUP_ID_NOT_FOUND'
    if (known !== undefined && (known.group.state !== 'Empty' || known.group.pending.size > 0)) {
      return known.group.state === 'Dead' ? 'GROUP_ID_NOT_FOUND' : 'NON_EMPTY_GROUP'
    }
    // Until it is durable nobody may join.
    const held = known ?? this.#hold(id)
    held.group.state = 'Dead'
    try {
      await this.offsets.deleteGroup(id)
      this.#drop(held)
    } catch (error) {
      held.group.state = 'Empty'
      throw error
    }
    return 'NONE'
  }

  get groups(): number {
    return this.#groups.size
  }
  /** Answers that wait. */
  get waiting(): number {
    return this.#waiting.size
  }
  get bytes(): number {
    return this.#bytes
  }

  /** A new group, if there is room. */
  #make(id: string): Held | null {
    if (this.#groups.size >= this.settings.groupsMax) this.#dropEmpty()
    return this.#groups.size >= this.settings.groupsMax ? null : this.#hold(id)
  }
  #hold(id: string): Held {
    const held: Held = { group: newGroup(id), timer: null, timerDueMs: Infinity, bytes: 0, peopled: false }
    this.#groups.set(id, held)
    return held
  }
  #drop(held: Held): void {
    held.timer?.cancel()
    this.#bytes -= held.bytes
    this.#groups.delete(held.group.id)
  }
  #dropEmpty(): void {
    for (const held of [...this.#groups.values()]) {
      if (held.group.state === 'Empty' && held.group.pending.size === 0) this.#drop(held)
    }
  }

  // --- Time, and answers that wait ---

  #nowMs(): number {
    return this.#world.clock.monoMs()
  }
  #freshMemberId(name: string): string {
    const { clock, random } = this.#world
    const stream = random.fork('member').fork(`${clock.nowMs()} ${++this.#membersNamed} ${name}`)
    return `${name}-${Buffer.from(stream.fill(new Uint8Array(16))).toString('hex')}`
  }

  #wait(held: Held, wanted: Wanted, gone: Answer, onGone: OnGone): Ticket {
    const ticket = ++this.#lastTicket
    const stopWatching = onGone(() => {
      this.#answer({ ...gone, ticket })
      const nowMs = this.#nowMs()
      forget(held.group, ticket, nowMs)
      this.#apply(held, nowMs, [])
    })
    this.#waiting.set(ticket, { ...wanted, stopWatching })
    return ticket
  }
  #answer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.ticket)
    if (waiting === undefined) return
    this.#waiting.delete(answer.ticket)
    waiting.stopWatching()
    if (answer.to === 'join' && waiting.to === 'join') waiting.resolve(answer.answer)
    if (answer.to === 'sync' && waiting.to === 'sync') waiting.resolve(answer.answer)
  }

  /** After anything that moved a group: gives the answers that are due, counts, and sets the clock. */
  #apply(held: Held, nowMs: number, answers: readonly Answer[]): void {
    const { group } = held
    const bytes = heldBytes(group)
    this.#bytes += bytes - held.bytes
    held.bytes = bytes
    this.#setTimer(held, nowMs)
    const peopled = group.members.size > 0
    if (peopled && !held.peopled && this.offsets.has(group.id)) {
      void orLater(this.offsets.peopled(group.id, group.protocolType ?? ''))
    }
    held.peopled = peopled
    for (const answer of answers) this.#answer(answer)
  }
  /** Signs of life only put things off: a timer that goes off too early looks and is set anew. */
  #setTimer(held: Held, nowMs: number): void {
    const dueMs = this.#closed ? Infinity : nextDueMs(held.group)
    if (dueMs >= held.timerDueMs) return
    held.timer?.cancel()
    held.timerDueMs = dueMs
    const fire = (): void => {
      held.timer = null
      held.timerDueMs = Infinity
      const nowMs = this.#nowMs()
      this.#apply(held, nowMs, expire(held.group, this.settings, nowMs))
    }
    const delayMs = Math.min(Math.max(0, dueMs - nowMs), timerMsMax)
    held.timer = this.#world.clock.timer(delayMs, fire, { background: true })
  }

  // --- Retention ---

  /** Begins to forget what is too old: now, and from time to time. */
  start(): void {
    const sweep = (): void => {
      this.#sweepTimer = this.#world.clock.timer(this.settings.sweepEachMs, sweep, { background: true })
      void this.sweep()
    }
    sweep()
  }
  /** Forgets offsets and groups that have been without members for too long. Resolves when that is durable. */
  async sweep(): Promise<void> {
    const nowMs = this.#world.clock.nowMs()
    const isEmpty = (id: string): boolean => (this.#groups.get(id)?.group.members.size ?? 0) === 0
    this.#dropEmpty()
    await Promise.all([
      orLater(this.offsets.noteEmptied(nowMs, isEmpty)),
      orLater(this.offsets.expire(nowMs, this.settings.offsetsRetentionMs, isEmpty)),
    ])
  }

  /** Answers all who wait. Nothing happens by itself afterwards. */
  close(): void {
    this.#closed = true
    this.#sweepTimer?.cancel()
    for (const { timer } of this.#groups.values()) timer?.cancel()
    for (const [ticket, { to }] of [...this.#waiting]) {
      const error = 'COORDINATOR_NOT_AVAILABLE'
      this.#answer(to === 'join' ? refusedJoin(ticket, error, '') : refusedSync(ticket, error))
    }
  }
}

/** When the disk takes nothing it says so elsewhere, and the next sweep finds the same to be done. */
async function orLater(written: Promise<unknown>): Promise<void> {
  try {
    await written
  } catch (error) {
    if (!(error instanceof LogError)) throw error
  }
}

/** The longest timer there is. */
const timerMsMax = 0x7fff_ffff
