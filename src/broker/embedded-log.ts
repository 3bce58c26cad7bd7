// The broker's heart: a `Log` on the journal. State changes when an entry is taken, readers see it when it is durable,
// and what could not be made durable is taken back, newest first.
import {
  type Appended,
  type Commit,
  type CommittedRead,
  type Cursor,
  FencedError,
  type Follower,
  type JobState,
  type Log,
  LogError,
  type OffsetRange,
  type TopicInfo,
  type TopicSpec,
} from '../log/log.ts'
import { type Lsn, lsn, type Offset, offset, type PartitionId, partitionId } from '../std/units.ts'
import type { World } from '../world/world.ts'
import { batchEntry, checkedBatch, judgeProducer, placeBatch } from './appending.ts'
import { planAppends } from './committing.ts'
import type { BrokerCore, ConfigsChange, PartitionUsage } from './core.ts'
import { cursorAt, isBackwards, placeOfCursor } from './cursors.ts'
import { LogFollower } from './follower.ts'
import { OffsetStore } from './groups/offset-store.ts'
import { writeJob, writeProducer, writeTick, writeTopic } from './house-entries.ts'
import type { Need } from './journal/disk-room.ts'
import { type EntryKind, entryKind, ownStream } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { GroupPlace, NewEntry } from './journal/new-entry.ts'
import type { EpochEnd } from './leader-epochs.ts'
import { diskUsageOf, planLogStart, showLogStart, startOf, takeLogStart } from './log-starts.ts'
import type { Partition } from './partition.ts'
import { newlyFollowed, type Pin, pinsOf } from './pins.ts'
import type { ReadRoom } from './read-room.ts'
import { findMaxTime, findTime, offsetsOf, readBatches, type Tiers } from './reading.ts'
import { asLogError, inKafkasWords } from './refusals.ts'
import type { LogState } from './replay.ts'
import { type SettingsStore, settingsStore } from './settings-table.ts'
import type { Settled } from './settled/settled.ts'
import { planConfigs, planDeletion, planPartitions, planTopic, type TopicChange } from './topic-changes.ts'
import { checkMembership, type Within } from './transactions/appending.ts'
import { TransactionCoordinator } from './transactions/coordinator.ts'
import { JournaledTransactions, type LogHands } from './transactions/journaled.ts'
import type { TransactionSettings } from './transactions/settings.ts'
import { committedOf, type StableReading, stableReading } from './transactions/stable-reading.ts'

export interface EmbeddedLogSettings {
  readonly clusterId: string
  readonly nodeId: number
  /** Null: in memory. */
  readonly dataDir: string | null
  readonly autoCreate: { readonly partitions: number } | null
  /** Followers open at a time, at most. */
  readonly followersMax: number
  readonly transactions?: Partial<TransactionSettings> | undefined
}

/** Bytes of a job's name in UTF-8, at most. */
export const jobNameBytesMax = 249

export class EmbeddedLog implements Log, BrokerCore {
  readonly clusterId: string
  readonly nodeId: number
  readonly autoCreate: { readonly partitions: number } | null
  readonly groupOffsets: OffsetStore
  readonly transactions: TransactionCoordinator
  readonly stable: StableReading
  readonly settings: SettingsStore
  readonly #world: World
  readonly #dataDir: string | null
  readonly #journal: Journal
  readonly #settled: Settled
  readonly #state: LogState
  readonly #followersMax: number
  readonly #followers = new Set<LogFollower>()
  readonly #listeners = new Set<(topic: string, partition: PartitionId, end: Offset) => void>()
  /** Partitions whose durable end moved and whose listeners do not know yet. */
  #moved = new Set<Partition>()

  constructor(world: World, { journal, settled }: Tiers, state: LogState, settings: EmbeddedLogSettings) {
    this.#world = world
    this.#journal = journal
    this.#settled = settled
    this.#state = state
    this.clusterId = settings.clusterId
    this.nodeId = settings.nodeId
    this.#dataDir = settings.dataDir
    this.autoCreate = settings.autoCreate
    this.#followersMax = settings.followersMax
    const { topics, offsets } = state
    const keys = {
      keyOf(name: string): number | null {
        const topic = topics.live(name)
        return topic?.state === 'live' ? topic.key : null
      },
      nameOf: (key: number): string | null => topics.byKey(key)?.info.name ?? null,
    }
    this.groupOffsets = new OffsetStore(offsets, keys, (payload, taken, durable) =>
      this.#take([this.#own(entryKind.groupOffset, ownStream.groups, payload)], taken, durable),
    )
    this.settings = settingsStore(state.settings, (payloads, taken, durable) => {
      const entries = payloads.map((payload) => this.#own(entryKind.setting, ownStream.settings, payload))
      return this.#take(entries, taken, durable)
    })
    this.stable = stableReading(state)
    const hands: LogHands = {
      state,
      nowMs: () => world.clock.nowMs(),
      take: (entries, placed, durable) => this.#take(entries, placed, durable),
      durable: (at) => journal.durable(at).catch(thrownOn),
      placeBatches: (place, from, batches) => this.#placeBatches(place, from, batches),
      moveEnd: (partition, batchLsn) => this.#moveEnd(partition, batchLsn),
    }
    this.transactions = new TransactionCoordinator(world, new JournaledTransactions(hands), settings.transactions)
    journal.onAdvance(() => this.#advanced())
  }

  get #tiers(): Tiers {
    return { journal: this.#journal, settled: this.#settled }
  }
  #advanced(): void {
    const moved = this.#moved
    this.#moved = new Set()
    for (const partition of moved) {
      const topic = this.#state.topics.byKey(partition.topicKey)
      if (topic === null) continue
      const end = offset(partition.durableEnd)
      for (const listener of this.#listeners) listener(topic.info.name, partitionId(partition.id), end)
    }
    for (const follower of this.#followers) follower.advanced()
  }

  /**
   * Takes a group of entries. `placed` changes the state at once and returns the way back; `durable` runs when the
   * group is. Resolves then; rejects with a LogError if the group was taken back. `need`: see `Journal.appendGroup`.
   */
  #take<T>(
    entries: readonly NewEntry[],
    placed: (place: GroupPlace) => () => void,
    durable: (place: GroupPlace) => T,
    need?: Need,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      // The journal tells of the outcome later, never before `appendGroup` has returned.
      let undo = (): void => {}
      const place = inKafkasWords(() =>
        this.#journal.appendGroup(
          entries,
          {
            durable: () => resolve(durable(place)),
            undone: (error) => {
              undo()
              reject(asLogError(error))
            },
          },
          need,
        ),
      )
      undo = placed(place)
    })
  }
  #own(kind: EntryKind, stream: number, payload: Uint8Array): NewEntry {
    return { kind, topicKey: 0, partition: stream, payload }
  }

  // --- Topics ---

  async createTopic(spec: TopicSpec): Promise<TopicInfo> {
    const random = this.#world.random.fork('topic').fork(`${this.#journal.lastLsn} ${spec.name}`)
    return this.#change(planTopic(this.#state.topics, spec, random))
  }
  async deleteTopic(name: string): Promise<void> {
    await this.#change(planDeletion(this.#state, name), 'cure')
  }
  async addPartitions(name: string, partitions: number): Promise<TopicInfo> {
    return this.#change(planPartitions(this.#state.topics, name, partitions))
  }
  async alterTopic(name: string, change: ConfigsChange): Promise<TopicInfo> {
    return this.#change(planConfigs(this.#state.topics, name, change))
  }
  #change<T>(change: TopicChange<T>, need?: Need): Promise<T> {
    const entry = this.#own(entryKind.topic, ownStream.metadata, writeTopic(change.entry))
    return this.#take(
      [entry],
      () => change.take(),
      () => change.durable(),
      need,
    )
  }
  get configDefaults(): Readonly<Record<string, string>> {
    return this.#state.topics.defaults
  }
  topic(name: string): TopicInfo | null {
    return this.#state.topics.live(name)?.info ?? null
  }
  topics(): readonly TopicInfo[] {
    return this.#state.topics.all().map((topic) => topic.info)
  }

  // --- Records ---

  append(topicName: string, id: PartitionId, batch: Uint8Array): Promise<Appended> {
    return this.#append(topicName, id, batch, null)
  }
  appendWithin(topicName: string, id: PartitionId, batch: Uint8Array, within: Within): Promise<Appended> {
    return this.#append(topicName, id, batch, within)
  }
  async #append(topicName: string, id: PartitionId, batch: Uint8Array, within: Within | null): Promise<Appended> {
    const { topics, producers, transactions } = this.#state
    const { topic, partition } = topics.partition(topicName, id)
    const stored = checkedBatch(topic, partition, batch, this.#world.clock.nowMs())
    checkMembership(transactions, this.transactions.settings.placesMax, partition, stored, within)
    const repeated = judgeProducer(partition, producers, stored)
    if (repeated !== null) {
      // The first copy may still be on its way to the disk.
      await this.#journal.durable(repeated.lsn).catch(thrownOn)
      const { baseOffset, appendedMs } = repeated
      return { baseOffset: offset(baseOffset), lsn: lsn(repeated.lsn), appendedMs }
    }
    const base = partition.nextOffset
    return this.#take(
      [batchEntry(partition, stored, base)],
      (place) => this.#placeBatches(place, 0, [{ partition, batch: stored }]),
      ({ firstLsn, appendedMs }) => {
        this.#moveEnd(partition, firstLsn)
        return { baseOffset: offset(base), lsn: lsn(firstLsn), appendedMs }
      },
    )
  }
  #placeBatches(
    place: GroupPlace,
    from: number,
    batches: readonly { readonly partition: Partition; readonly batch: Uint8Array }[],
  ): () => void {
    const ways = batches.map(({ partition, batch }, i) =>
      placeBatch(partition, this.#state, batch, batch.length, {
        lsn: place.firstLsn + from + i,
        appendedMs: place.appendedMs,
        segment: place.segment,
        position: place.positions[from + i]!,
      }),
    )
    return () => {
      for (const back of ways.reverse()) back()
    }
  }
  /** The batch with this LSN is durable. */
  #moveEnd(partition: Partition, batchLsn: number): void {
    const { index } = partition
    let entry = index.count - 1
    while (entry > 0 && index.lsn(entry) > batchLsn) entry--
    partition.durableEnd = index.lastOffset(entry) + 1
    this.#moved.add(partition)
  }

  offsets(topic: string, partition: PartitionId): OffsetRange {
    return offsetsOf(this.#state.topics.partition(topic, partition).partition)
  }
  async read(topic: string, id: PartitionId, from: Offset, maxBytes: number, room?: ReadRoom): Promise<Uint8Array[]> {
    const { partition } = this.#state.topics.partition(topic, id)
    return readBatches(this.#tiers, partition, topic, from, maxBytes, room)
  }
  async readCommitted(topic: string, id: PartitionId, from: Offset, maxBytes: number): Promise<CommittedRead> {
    const { partition } = this.#state.topics.partition(topic, id)
    return committedOf(partition, from, await this.read(topic, id, from, maxBytes))
  }
  offsetForTime(topic: string, partition: PartitionId, timestampMs: number) {
    return findTime(this.#tiers, this.#state.topics.partition(topic, partition).partition, topic, timestampMs)
  }
  offsetOfMaxTime(topic: string, partition: PartitionId) {
    return findMaxTime(this.#tiers, this.#state.topics.partition(topic, partition).partition, topic)
  }
  async deleteRecords(topicName: string, id: PartitionId, beforeOffset: Offset): Promise<Offset> {
    const { partition } = this.#state.topics.partition(topicName, id)
    const entry = planLogStart(partition, topicName, beforeOffset)
    if (entry === null) return startOf(partition)
    return this.#take(
      [entry],
      () => takeLogStart(partition, beforeOffset),
      () => {
        showLogStart(partition, beforeOffset)
        return startOf(partition)
      },
    )
  }
  diskUsage(): readonly PartitionUsage[] {
    return diskUsageOf(this.#state.topics)
  }
  onAdvance(listener: (topic: string, partition: PartitionId, end: Offset) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  logDir(): ReturnType<BrokerCore['logDir']> {
    const folder = this.#dataDir
    return folder === null ? { folder: 'memory', room: null } : { folder, room: this.#world.fs.space(folder) }
  }
  get partitions(): number {
    return this.#state.topics.partitions
  }
  get journalEnd(): number {
    return this.#journal.durableLsn + 1
  }
  get leaderEpoch(): number {
    return this.#state.topics.epoch.current
  }
  epochAt(topic: string, id: PartitionId, at: Offset): number {
    const { partition } = this.#state.topics.partition(topic, id)
    return partition.epochs.at(at, partition.durableEnd, partition.currentEpoch)
  }
  endOfEpoch(topic: string, id: PartitionId, epoch: number): EpochEnd | null {
    const { partition } = this.#state.topics.partition(topic, id)
    return partition.epochs.endOf(epoch, partition.start, partition.durableEnd, partition.currentEpoch)
  }

  // --- Producers ---

  async newProducerId(): Promise<{ readonly producerId: bigint; readonly epoch: number }> {
    return this.#producer(this.#state.producers.take(), 0)
  }
  async bumpProducerEpoch(
    producerId: bigint,
    epoch: number,
  ): Promise<{ readonly producerId: bigint; readonly epoch: number }> {
    const raised = this.#state.producers.raised(Number(producerId), epoch)
    return this.#producer(raised.id, raised.epoch)
  }
  #producer(id: number, epoch: number): Promise<{ readonly producerId: bigint; readonly epoch: number }> {
    const { producers } = this.#state
    const before = producers.epoch(id)
    return this.#take(
      [this.#own(entryKind.producer, ownStream.metadata, writeProducer({ id, epoch }))],
      () => {
        producers.setEpoch(id, epoch)
        return () => producers.setEpoch(id, before)
      },
      () => ({ producerId: BigInt(id), epoch }),
    )
  }

  // --- Jobs ---

  origin(): Cursor {
    return cursorAt(0)
  }
  now(): Cursor {
    return cursorAt(this.#journal.durableLsn)
  }
  follow(follow: { readonly job: string; readonly topics: readonly string[]; readonly from: Cursor }): Follower {
    if (this.#followers.size >= this.#followersMax) {
      throw new LogError('KAFKA_STORAGE_ERROR', `${this.#followersMax} followers are open already; close some`)
    }
    const from = placeOfCursor(follow.from, this.#journal.lastLsn)
    const follower = new LogFollower(
      this.#tiers,
      this.#state.topics,
      { job: follow.job, topics: follow.topics, from },
      (closed) => this.#followers.delete(closed),
    )
    this.#followers.add(follower)
    return follower
  }
  /** What of the log is still needed, and by whom. */
  pins(): Pin[] {
    return pinsOf(this.#state.jobs, this.#followers)
  }
  jobOn(topic: string): string | null {
    for (const { job, topics } of this.#followers) if (topics.has(topic)) return job
    return null
  }
  get followers(): number {
    return this.#followers.size
  }

  async tick(job: string, payload: Uint8Array): Promise<void> {
    this.#checkJob(job)
    const entry = this.#own(entryKind.tick, ownStream.ticks, writeTick(job, payload))
    await this.#take(
      [entry],
      () => () => {},
      () => {},
    )
  }
  async takeJob(job: string): Promise<JobState> {
    this.#checkJob(job)
    const { jobs } = this.#state
    const { epoch, cursor } = jobs.state(job)
    const entry = { job, epoch: epoch + 1, step: null }
    return this.#take(
      [this.#own(entryKind.jobTaken, ownStream.jobs, writeJob(entry))],
      ({ lastLsn }) => {
        this.#state.lastJobLsn = lastLsn
        return jobs.apply(entry, cursor)
      },
      () => ({ epoch: epoch + 1, cursor }),
    )
  }
  async commit(commit: Commit): Promise<{ readonly lsn: Lsn; readonly baseOffsets: readonly Offset[] }> {
    const { job, epoch, previous, cursor } = commit
    const { jobs } = this.#state
    this.#checkJob(job)
    jobs.check(job, epoch, previous)
    if (isBackwards(previous, cursor, this.#journal.durableLsn)) {
      throw new FencedError(`job ${job} stands at ${previous} and may not go back to ${cursor}`)
    }
    const { batches, baseOffsets, entries } = planAppends(this.#state, commit, this.#world.clock.nowMs())
    const followed = newlyFollowed(this.#followers, job, jobs.topics(job))
    const entry = { job, epoch, step: { previous, cursor }, ...(followed === undefined ? {} : { topics: followed }) }
    return this.#take(
      [this.#own(entryKind.jobCommit, ownStream.jobs, writeJob(entry)), ...entries],
      (place) => {
        const unplace = this.#placeBatches(place, 1, batches)
        const unapply = jobs.apply(entry, cursor)
        const unfollow = followed === undefined ? () => {} : jobs.setTopics(job, followed)
        this.#state.lastJobLsn = place.firstLsn
        return () => {
          unfollow()
          unapply()
          unplace()
        }
      },
      ({ firstLsn, lastLsn }) => {
        for (const [i, { partition }] of batches.entries()) this.#moveEnd(partition, firstLsn + 1 + i)
        return { lsn: lsn(lastLsn), baseOffsets }
      },
      // Who brings records and does not move on is a producer.
      previous === cursor && batches.length > 0 ? 'records' : 'progress',
    )
  }
  #checkJob(job: string): void {
    const bytes = new TextEncoder().encode(job).length
    if (bytes < 1 || bytes > jobNameBytesMax) {
      throw new LogError('INVALID_RECORD', `a job's name has 1 to ${jobNameBytesMax} bytes, this one ${bytes}`)
    }
    if (this.#state.jobsDamage !== null) throw new LogError('KAFKA_STORAGE_ERROR', this.#state.jobsDamage)
  }

  /** Lets go of all who follow; nothing is told to anyone afterwards. */
  close(): void {
    this.transactions.close()
    for (const follower of [...this.#followers]) follower.abandon()
    this.#listeners.clear()
  }
}

function thrownOn(error: unknown): never {
  throw asLogError(error)
}
