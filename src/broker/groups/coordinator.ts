// The coordinator: keeps the groups, gives them time and member ids, holds the answers that wait, and keeps all of it
// bounded. Members live in memory only: after a restart they are unknown and join again. What groups have committed is
// in the journal (offset-store.ts). A group is one of the classic protocol or one of KIP-848 (consumer/), and changes
// from one to the other under its members.
import { LogError } from '../../log/log.ts'
import type { Timer, World } from '../../world/world.ts'
import { type Beat, type BeatAnswer, beat, refusedBeat } from './consumer/beat.ts'
import { type ClaimError, checkConsumer } from './consumer/claim.ts'
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './consumer/classic-members.ts'
import {
  type ConsumerGroup,
  epochJoins,
  heldBytes as heldByConsumers,
  type TopicView,
} from './consumer/consumer-group.ts'
import { expireConsumers, nextConsumerDueMs } from './consumer/expire.ts'
import { expire, forget, nextDueMs } from './expiry.ts'
import {
  type Answer,
  type Group,
  type GroupError,
  heldBytes,
  type JoinAnswer,
  joinRefusal,
  nameBytes,
  newGroup,
  protocolBytes,
  refusedJoin,
  refusedSync,
  release,
  type SyncAnswer,
  syncRefusal,
  type Ticket,
} from './group.ts'
import { checkCommit, heartbeat, type MemberClaim } from './heartbeat.ts'
import {
  asConsumerGroup,
  backToClassic,
  type GroupsCore,
  type Held,
  isEmpty,
  type ListedGroup,
  listedGroup,
  membersIn,
  mixedGroup,
  newHeld,
  protocolTypeOf,
  settledTopics,
  topicsRead,
  topicView,
} from './held.ts'
import { type JoinRequest, join } from './join.ts'
import { type Leaver, leave } from './leave.ts'
import type { OffsetStore, TopicsRead } from './offset-store.ts'
import { type GroupSettings, groupDefaults } from './settings.ts'
import { type SyncRequest, sync } from './sync.ts'

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
  readonly #topics: TopicView
  readonly #groups = new Map<string, Held>()
  readonly #waiting = new Map<Ticket, Waiting>()
  #lastTicket: Ticket = 0
  #membersNamed = 0
  /** What the members of all groups hold. */
  #bytes = 0
  #sweepTimer: Timer | null = null
  #closed = false

  constructor(world: World, core: GroupsCore, settings: Partial<GroupSettings> = {}) {
    this.#world = world
    this.offsets = core.groupOffsets
    this.#topics = topicView(core)
    this.settings = { ...groupDefaults, ...settings }
  }

  // --- Members ---

  join(id: string, asked: Omit<JoinRequest, 'freshMemberId'>, onGone: OnGone): Promise<JoinAnswer> {
    const { memberId, clientId, instanceId, protocols } = asked
    const refuse = (error: GroupError): Promise<JoinAnswer> => Promise.resolve(joinRefusal(error, memberId))
    if (id === '' || Buffer.byteLength(id) > this.settings.groupIdBytesMax) return refuse('INVALID_GROUP_ID')
    const known = this.#groups.get(id)
    if (known === undefined && memberId !== '') return refuse('UNKNOWN_MEMBER_ID')
    const names = nameBytes({ id: instanceId ?? clientId, clientId, instanceId })
    const full = this.#bytes + protocolBytes(protocols) + names > this.settings.memberBytesMax
    const held = full || this.#closed ? null : (known ?? this.#make(id))
    if (held === null) return refuse('COORDINATOR_NOT_AVAILABLE')
    const freshMemberId = this.#freshMemberId(instanceId ?? clientId)
    return new Promise((resolve) => {
      const gone = refusedJoin(0, 'COORDINATOR_NOT_AVAILABLE', memberId)
      const ticket = this.#wait(held, { to: 'join', resolve }, gone, onGone)
      const nowMs = this.#nowMs()
      const request = { ...asked, freshMemberId }
      const mixed = mixedGroup(held)
      const answers: readonly Answer[] =
        mixed === null
          ? join(held.group, this.settings, request, ticket, nowMs)
          : [{ ticket, to: 'join', answer: joinClassic(mixed, this.settings, this.#topics, request, nowMs) }]
      this.#apply(held, nowMs, answers)
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
      const { consumer } = held
      const answers: readonly Answer[] =
        consumer === null
          ? sync(held.group, this.settings, asked, ticket, nowMs)
          : [{ ticket, to: 'sync', answer: syncClassic(consumer, asked, nowMs) }]
      this.#apply(held, nowMs, answers)
    })
  }

  heartbeat(id: string, claim: MemberClaim): GroupError {
    const held = this.#groups.get(id)
    if (held === undefined) return 'UNKNOWN_MEMBER_ID'
    const nowMs = this.#nowMs()
    if (held.consumer === null) return heartbeat(held.group, claim, nowMs)
    const error = heartbeatClassic(held.consumer, claim, nowMs)
    this.#setTimer(held, nowMs)
    return error
  }

  leave(id: string, leavers: readonly Leaver[]): readonly GroupError[] {
    const held = this.#groups.get(id)
    if (held === undefined) return leavers.map(() => 'UNKNOWN_MEMBER_ID')
    const nowMs = this.#nowMs()
    const { errors, answers } =
      held.consumer === null
        ? leave(held.group, this.settings, leavers, nowMs)
        : { errors: leaveClassic(held.consumer, leavers), answers: [] }
    this.#apply(held, nowMs, answers)
    return errors
  }

  /** A heartbeat of KIP-848, checked for what its epoch needs. */
  beat(id: string, asked: Beat): BeatAnswer {
    const { memberEpoch, memberId } = asked
    if (id === '' || Buffer.byteLength(id) > this.settings.groupIdBytesMax) {
      return refusedBeat('INVALID_GROUP_ID', `a group's id has 1 to ${this.settings.groupIdBytesMax} bytes`)
    }
    const joins = memberEpoch === epochJoins
    const known = this.#groups.get(id)
    if (known === undefined && !joins) {
      return memberEpoch < epochJoins
        ? refusedBeat('GROUP_ID_NOT_FOUND', `there is no group ${id}`)
        : refusedBeat('FENCED_MEMBER_EPOCH', `the group has no member ${memberId}: join again with epoch 0`)
    }
    const isFull = joins && this.#bytes > this.settings.memberBytesMax
    const held = isFull || this.#closed ? null : (known ?? this.#make(id))
    if (held === null || held.group.state === 'Dead') {
      return refusedBeat('COORDINATOR_NOT_AVAILABLE', 'there is no room for members, or the broker stops')
    }
    const nowMs = this.#nowMs()
    const group = held.consumer ?? (joins ? asConsumerGroup(held, this.#topics, nowMs) : null)
    if (group === null) {
      return joins || memberEpoch < epochJoins
        ? refusedBeat('GROUP_ID_NOT_FOUND', `group ${id} is one of the classic protocol`)
        : refusedBeat('FENCED_MEMBER_EPOCH', `the group has no member ${memberId}: join again with epoch 0`)
    }
    const answer = beat(group, this.settings, this.#topics, asked, nowMs)
    if (held.consumer !== null) this.#apply(held, nowMs, [])
    else if (answer.error === 'NONE') {
      const left = [...held.group.members.values()].flatMap((member) => release(member, 'REBALANCE_IN_PROGRESS'))
      held.consumer = group
      held.group = newGroup(id)
      this.#apply(held, nowMs, left)
    }
    return answer
  }
  /** The id that a member gets which brings none. */
  newMemberId(): string {
    return this.#freshMemberId('member')
  }

  /** May offsets be committed with this claim? */
  checkCommit(id: string, claim: MemberClaim, inTransaction = false): GroupError | ClaimError {
    const held = this.#groups.get(id)
    if (held !== undefined && held.consumer !== null && held.group.state !== 'Dead') {
      return checkConsumer(held.consumer, claim)
    }
    if (held === undefined && this.offsets.has(id) && claim.generation >= 0) return 'UNKNOWN_MEMBER_ID'
    return checkCommit(held?.group ?? null, claim, this.#nowMs(), inTransaction)
  }
  /** May it be told what the group has committed? Members of KIP-848 say who they are, others need not. */
  checkFetch(id: string, memberId: string | null, memberEpoch: number): ClaimError {
    if (memberId === null || memberEpoch < 0) return 'NONE'
    const held = this.#groups.get(id)
    const consumer = held?.consumer ?? null
    // Members of the classic protocol have no epoch; franz-go tells its generation all the same, and Kafka ignores it.
    if (held !== undefined && consumer === null && membersIn(held) > 0) return 'NONE'
    // Never nothing for an answer: a member that takes that for "nothing was committed" reads all anew, or loses some.
    return consumer === null
      ? 'UNKNOWN_MEMBER_ID'
      : checkConsumer(consumer, { memberId, instanceId: null, generation: memberEpoch })
  }
  /** Does this member speak KIP-848? Its epoch stands in requests of the versions since. */
  hasEpoch(id: string, memberId: string): boolean {
    return this.#groups.get(id)?.consumer?.members.get(memberId)?.classic === null
  }
  /** Of the members that the group has now; '' without. */
  protocolType(id: string): string {
    const held = this.#groups.get(id)
    return held === undefined || membersIn(held) === 0 ? '' : protocolTypeOf(held)
  }

  // --- Groups ---

  /** Of the classic protocol; to be looked at, not changed. Null: it has no members, nor had any lately. */
  group(id: string): Group | null {
    const held = this.#groups.get(id)
    return held === undefined || held.consumer !== null ? null : held.group
  }
  /** Of KIP-848; to be looked at, not changed. */
  consumerGroup(id: string): ConsumerGroup | null {
    return this.#groups.get(id)?.consumer ?? null
  }
  /** How many it has, of both protocols. */
  members(id: string): number {
    const held = this.#groups.get(id)
    return held === undefined ? 0 : membersIn(held)
  }
  /** As ListGroups tells it. */
  listed(id: string): ListedGroup {
    const held = this.#groups.get(id)
    return held === undefined
      ? { type: 'classic', state: 'Empty', protocolType: this.offsets.protocolType(id) }
      : listedGroup(held)
  }
  /** Topics that its members read; null: that cannot be told, it may be any. */
  topicsRead(id: string): ReadonlySet<string> | null {
    const held = this.#groups.get(id)
    return held === undefined ? new Set() : topicsRead(held)
  }
  /** All that have members or offsets. */
  groupIds(): string[] {
    return [...new Set([...this.#groups.keys(), ...this.offsets.groups()])]
  }
  /** Resolves when that is durable. Rejects with a LogError KAFKA_STORAGE_ERROR. */
  async deleteGroup(id: string): Promise<'NONE' | 'GROUP_ID_NOT_FOUND' | 'NON_EMPTY_GROUP'> {
    const known = this.#groups.get(id)
    if (known === undefined && !this.offsets.has(id)) return 'GROUP_ID_NOT_FOUND'
    if (known !== undefined && !isEmpty(known)) {
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
    const held = newHeld(id)
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
      if (isEmpty(held)) this.#drop(held)
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
  #apply(held: Held, nowMs: number, due: readonly Answer[]): void {
    const answers = [...due, ...backToClassic(held, this.settings, nowMs)]
    const { group, consumer } = held
    const bytes = consumer === null ? heldBytes(group) : heldByConsumers(consumer)
    this.#bytes += bytes - held.bytes
    held.bytes = bytes
    this.#setTimer(held, nowMs)
    const peopled = membersIn(held) > 0
    if (peopled && !held.peopled && this.offsets.has(group.id)) {
      void orLater(this.offsets.peopled(group.id, protocolTypeOf(held)))
    }
    held.peopled = peopled
    for (const answer of answers) this.#answer(answer)
  }
  /** Signs of life only put things off: a timer that goes off too early looks and is set anew. */
  #setTimer(held: Held, nowMs: number): void {
    const nextMs = held.consumer === null ? nextDueMs(held.group) : nextConsumerDueMs(held.consumer)
    const dueMs = this.#closed ? Infinity : nextMs
    if (dueMs >= held.timerDueMs) return
    held.timer?.cancel()
    held.timerDueMs = dueMs
    const fire = (): void => {
      held.timer = null
      held.timerDueMs = Infinity
      const nowMs = this.#nowMs()
      const { consumer } = held
      if (consumer !== null) expireConsumers(consumer, nowMs)
      this.#apply(held, nowMs, consumer === null ? expire(held.group, this.settings, nowMs) : [])
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
    const isLeft = (id: string): boolean => {
      const held = this.#groups.get(id)
      return held === undefined || membersIn(held) === 0
    }
    const readIn = (id: string): TopicsRead => {
      const held = this.#groups.get(id)
      return held === undefined || membersIn(held) === 0 ? 'no members' : (settledTopics(held) ?? 'any')
    }
    this.#dropEmpty()
    await Promise.all([
      orLater(this.offsets.noteEmptied(nowMs, isLeft)),
      orLater(this.offsets.expire(nowMs, this.settings.offsetsRetentionMs, readIn)),
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
