// The coordinator of transactions: judges what producers ask, has the journal take it, ends what takes too long, and
// forgets ids that nobody uses. All it knows is in the journal: after a restart open transactions go on, with their
// time running anew.
import { LogError } from '../../log/log.ts'
import { assert } from '../../std/assert.ts'
import type { KafkaError } from '../../wire/wire.ts'
import type { Timer, World } from '../../world/world.ts'
import { committedBytes } from '../groups/offset-table.ts'
import {
  type EndRequest,
  fencedIdentity,
  judgeEnd,
  judgeInit,
  judgeMember,
  type NewIdentity,
  type ProducerClaim,
} from './judging.ts'
import { type TransactionSettings, transactionDefaults } from './settings.ts'
import { stagedBytesOf, type TransactionTable } from './table.ts'
import { placeKey, type Transaction } from './transaction.ts'
import type { Identity, JoinedEntry, Place, StagedEntry, StagedOffset, TurningEntry } from './transaction-entry.ts'

export interface NamedPartition {
  readonly topic: string
  readonly partition: number
}
export interface EndedTransaction {
  readonly commit: boolean
  readonly next: Identity
  readonly markerEpoch: number
}
/** Where transactions are kept. Promises resolve when durable and reject with a LogError when nothing was taken. */
export interface TransactionLog {
  readonly table: TransactionTable
  newProducerId(): number
  /** Null: there is no such partition. */
  placeOf(topic: string, partition: number): Place | null
  nameOf(place: Place): NamedPartition | null
  durable(lsn: number): Promise<void>
  join(entry: JoinedEntry | StagedEntry): Promise<void>
  turn(entry: TurningEntry): Promise<void>
  end(transaction: Transaction, ended: EndedTransaction): Promise<void>
  mark(producerId: number, epoch: number, commit: boolean, places: readonly Place[]): Promise<void>
  abortHanging(): Promise<void>
}
export interface Answer extends ProducerClaim {
  readonly error: KafkaError
}
const refused = (error: KafkaError): Answer => ({ error, producerId: -1, epoch: -1 })

export class TransactionCoordinator {
  readonly settings: TransactionSettings
  readonly #world: World
  readonly #log: TransactionLog
  /** When open transactions have had their time, by the steady clock. */
  readonly #dueMs = new Map<Transaction, number>()
  #timer: Timer | null = null
  #timerDueMs = Infinity
  #sweepTimer: Timer | null = null
  #hangingTimer: Timer | null = null
  #closed = false

  constructor(world: World, log: TransactionLog, settings: Partial<TransactionSettings> = {}) {
    this.#world = world
    this.#log = log
    this.settings = { ...transactionDefaults, ...settings }
  }
  /** To be looked at, not changed. */
  get table(): TransactionTable {
    return this.#log.table
  }

  // --- What producers ask ---

  async init(id: string, timeoutMs: number, expected: ProducerClaim | null): Promise<Answer> {
    if (id === '' || Buffer.byteLength(id) > this.settings.idBytesMax) return refused('INVALID_REQUEST')
    if (timeoutMs <= 0 || timeoutMs > this.settings.timeoutMsMax) return refused('INVALID_TRANSACTION_TIMEOUT')
    const transaction = this.table.get(id)
    const verdict = judgeInit(transaction, expected)
    if (verdict.verdict === 'refuse') return refused(verdict.error)
    return this.#answered(async () => {
      if (verdict.verdict === 'fence') {
        assert(transaction !== null, 'an open transaction is somebody’s')
        await this.#abort(transaction)
        // The caller comes again, and is given an epoch then.
        return refused('CONCURRENT_TRANSACTIONS')
      }
      if (transaction === null && this.table.size >= this.settings.idsMax) {
        if (!(await this.#makeRoom())) return refused('POLICY_VIOLATION')
        // Someone else may have come with this id meanwhile.
        if (this.table.get(id) !== null) return refused('CONCURRENT_TRANSACTIONS')
      }
      const identity = this.#named(verdict.identity)
      await this.#log.turn({ what: 'identity', id, ...identity, timeoutMs })
      return { error: 'NONE', producerId: identity.producerId, epoch: identity.epoch }
    })
  }
  #named(identity: NewIdentity): Identity {
    return { ...identity, producerId: identity.producerId ?? this.#log.newProducerId() }
  }

  /** All of the places, or none. */
  addPartitions(id: string, claim: ProducerClaim, places: readonly Place[]): Promise<KafkaError> {
    return this.#join(id, claim, { what: 'joined', id, places, groups: [] })
  }
  addOffsets(id: string, claim: ProducerClaim, group: string): Promise<KafkaError> {
    return this.#join(id, claim, { what: 'joined', id, places: [], groups: [group] })
  }
  async #join(id: string, claim: ProducerClaim, entry: JoinedEntry): Promise<KafkaError> {
    const transaction = this.table.get(id)
    const error = judgeMember(transaction, claim)
    if (error !== 'NONE' || transaction === null) return error
    const places = entry.places.filter((place) => !transaction.places.has(placeKey(place)))
    const groups = entry.groups.filter((group) => !transaction.groups.has(group))
    const { placesMax, groupsMax } = this.settings
    if (places.length > 0 && this.table.places + places.length > placesMax) return 'TRANSACTION_ABORTABLE'
    if (groups.length > 0 && this.table.groups + groups.length > groupsMax) return 'TRANSACTION_ABORTABLE'
    const { error: outcome } = await this.#answered(async () => {
      if (places.length + groups.length > 0) await this.#log.join({ ...entry, places, groups })
      // It may be on its way, from the request that this one repeats.
      else await this.#log.durable(transaction.lsn)
      return refused('NONE')
    })
    return outcome
  }
  /** Which of the places are in the open transaction? */
  verify(id: string, claim: ProducerClaim, places: readonly Place[]): KafkaError[] {
    const transaction = this.table.get(id)
    const error = judgeMember(transaction, claim)
    return places.map((place) => {
      if (error !== 'NONE') return error
      return transaction?.places.has(placeKey(place)) === true ? 'NONE' : 'TRANSACTION_ABORTABLE'
    })
  }

  /** `joins`: the group needs not have been added before (TxnOffsetCommit 5+). */
  async stage(
    id: string,
    claim: ProducerClaim,
    { group, protocolType, joins }: { readonly group: string; readonly protocolType: string; readonly joins: boolean },
    offsets: readonly StagedOffset[],
  ): Promise<KafkaError> {
    const transaction = this.table.get(id)
    const error = judgeMember(transaction, claim)
    if (error !== 'NONE' || transaction === null) return error
    if (!transaction.groups.has(group)) {
      if (!joins) return 'INVALID_TXN_STATE'
      if (this.table.groups >= this.settings.groupsMax) return 'TRANSACTION_ABORTABLE'
    }
    const bytes = offsets.reduce((sum, [, , , , metadata]) => sum + committedBytes(metadata), 0)
    const { stagedBytesMax, allStagedBytesMax } = this.settings
    if (stagedBytesOf(transaction) + bytes > stagedBytesMax || this.table.stagedBytes + bytes > allStagedBytesMax) {
      return 'INVALID_COMMIT_OFFSET_SIZE'
    }
    const { error: outcome } = await this.#answered(async () => {
      await this.#log.join({ what: 'staged', id, group, protocolType, offsets })
      return refused('NONE')
    })
    return outcome
  }
  /** Does an open transaction hold an offset of the group for this partition? */
  isUnstable(group: string, { topic, partition }: NamedPartition): boolean {
    const place = this.#log.placeOf(topic, partition)
    return place !== null && this.table.holdsOffset(group, place)
  }

  async end(id: string, asked: EndRequest): Promise<Answer> {
    const transaction = this.table.get(id)
    const verdict = judgeEnd(transaction, asked)
    if (verdict.verdict === 'refuse') return refused(verdict.error)
    assert(transaction !== null, 'who may end a transaction has one')
    if (verdict.verdict === 'done') return answerOf(transaction)
    return this.#answered(async () => {
      const next = this.#named(verdict.next)
      const markerEpoch = next.producerId === asked.producerId ? next.epoch : asked.epoch + 1
      // Its time is forgotten when that is looked at: by the time this goes on the next transaction may have begun.
      await this.#log.end(transaction, { commit: asked.commit, next, markerEpoch })
      return { error: 'NONE', producerId: next.producerId, epoch: next.epoch }
    })
  }

  /** Ends transactions in partitions on an administrator's word (WriteTxnMarkers). */
  async mark(claim: ProducerClaim, commit: boolean, places: readonly Place[]): Promise<KafkaError> {
    const transaction = this.table.ofProducer(claim.producerId)
    if (transaction !== null && claim.epoch < transaction.identity.epoch) return 'INVALID_PRODUCER_EPOCH'
    const { error } = await this.#answered(async () => {
      await this.#log.mark(claim.producerId, claim.epoch, commit, places)
      return refused('NONE')
    })
    return error
  }

  /** A place by the names of its topic, and the way back; null: there is none. */
  placeOf(topic: string, partition: number): Place | null {
    return this.#log.placeOf(topic, partition)
  }
  nameOf(place: Place): NamedPartition | null {
    return this.#log.nameOf(place)
  }

  /** What the disk does not take now may be tried again. */
  async #answered(run: () => Promise<Answer>): Promise<Answer> {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      return refused(error.code === 'MESSAGE_TOO_LARGE' ? 'INVALID_COMMIT_OFFSET_SIZE' : 'COORDINATOR_NOT_AVAILABLE')
    }
  }

  // --- Time ---

  /** Begins to watch: what was open before goes on, what hangs without an owner is ended. */
  start(): void {
    this.table.began = (transaction) => this.#watch(transaction)
    for (const transaction of this.table.ongoing()) this.#watch(transaction)
    void this.#abortHanging()
    const sweep = (): void => {
      this.#sweepTimer = this.#world.clock.timer(this.settings.sweepEachMs, sweep, { background: true })
      void this.sweep()
    }
    sweep()
  }
  /** Until then committed readers of those partitions wait. */
  async #abortHanging(): Promise<void> {
    if (this.#closed || (await orLater(this.#log.abortHanging())) || this.#closed) return
    const again = (): void => void this.#abortHanging()
    this.#hangingTimer = this.#world.clock.timer(this.settings.retryMs, again, { background: true })
  }
  #watch(transaction: Transaction): void {
    const dueMs = this.#world.clock.monoMs() + transaction.timeoutMs
    this.#dueMs.set(transaction, dueMs)
    this.#setTimer(dueMs)
  }
  /** Transactions that end only put things off: a timer that goes off too early looks and is set anew. */
  #setTimer(dueMs: number): void {
    if (this.#closed || dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    const delayMs = Math.max(0, dueMs - this.#world.clock.monoMs())
    this.#timer = this.#world.clock.timer(delayMs, () => this.#look(), { background: true })
  }
  #look(): void {
    this.#timer = null
    this.#timerDueMs = Infinity
    const nowMs = this.#world.clock.monoMs()
    let nextMs = Infinity
    for (const [transaction, dueMs] of this.#dueMs) {
      if (transaction.state !== 'Ongoing') this.#dueMs.delete(transaction)
      else if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs)
      else {
        const retryMs = nowMs + this.settings.retryMs
        this.#dueMs.set(transaction, retryMs)
        nextMs = Math.min(nextMs, retryMs)
        if (transaction.pending === null) void orLater(this.#abort(transaction))
      }
    }
    if (nextMs < Infinity) this.#setTimer(nextMs)
  }
  /** Ends a transaction that its producer does not end; it is fenced, and no later request of it fits. */
  async #abort(transaction: Transaction): Promise<void> {
    const { producerId, epoch } = transaction.identity
    const next = this.#named(fencedIdentity(transaction.identity))
    const markerEpoch = next.producerId === producerId ? next.epoch : Math.min(epoch + 1, 32_767)
    await this.#log.end(transaction, { commit: false, next, markerEpoch })
  }

  /** Forgets ids that nobody has used for long. Resolves when that is durable. */
  async sweep(): Promise<void> {
    const before = this.#world.clock.nowMs() - this.settings.idExpirationMs
    const idle = [...this.table.all()].filter((each) => isIdle(each) && each.updatedMs <= before)
    await Promise.all(idle.map(({ id }) => orLater(this.#log.turn({ what: 'forgotten', id }))))
  }
  /** For one more id: the one used longest ago goes, unless it has a transaction. */
  async #makeRoom(): Promise<boolean> {
    let oldest: Transaction | null = null
    for (const each of this.table.all()) {
      if (isIdle(each) && (oldest === null || each.updatedMs < oldest.updatedMs)) oldest = each
    }
    if (oldest !== null) await this.#log.turn({ what: 'forgotten', id: oldest.id })
    return this.table.size < this.settings.idsMax
  }

  /** Nothing happens by itself afterwards. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#sweepTimer?.cancel()
    this.#hangingTimer?.cancel()
    this.table.began = () => {}
  }
}

const isIdle = ({ state, pending }: Transaction): boolean => state !== 'Ongoing' && pending === null

function answerOf({ identity: { producerId, epoch } }: Transaction): Answer {
  return { error: 'NONE', producerId, epoch }
}

/** When the disk takes nothing it says so elsewhere; it is tried again. False: that is to be done. */
async function orLater(written: Promise<unknown>): Promise<boolean> {
  try {
    await written
    return true
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return false
  }
}
