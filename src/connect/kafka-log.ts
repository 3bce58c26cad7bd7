// Apache Kafka as a `Log`: the same interface as the embedded broker's, over the Kafka protocol. Appends are idempotent, a
// job's commit is one transaction with the order in which the job took what it read, owners are fenced by the cluster.
// What is asked without waiting (topics, offsets, now) is as of the last look at the cluster.
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
import { type Lsn, type Offset, offset, type PartitionId, partitionId } from '../std/units.ts'
import { checkBatch, hasProducer, lastOffset, recordCount } from '../wire/record-batch.ts'
import { apis } from '../wire/wire.ts'
import type { Timer, World } from '../world/world.ts'
import { Appender } from './kafka/appender.ts'
import { type ClusterTopic, KafkaCluster } from './kafka/cluster.ts'
import { KafkaFollower } from './kafka/follower.ts'
import { JobOwner } from './kafka/job-owner.ts'
import { isJobTopic, JobRecords, jobTopic, type Run } from './kafka/job-records.ts'
import { KnownOffsets } from './kafka/known-offsets.ts'
import { Positions } from './kafka/positions.ts'
import {
  committedAmong,
  fetchOnce,
  offsetRanges,
  readCommitted,
  readUncommitted,
  wholeBatches,
} from './kafka/reading.ts'
import { asLogError, holdTo } from './kafka/refusal.ts'
import { type KafkaAccess, openAccess } from './kafka-access.ts'

export interface KafkaLogSettings {
  /** `host:port`, one or more. */
  readonly brokers: readonly string[]
  readonly clientId?: string
  /** By TLS, with a login; if not given: in plain text, as nobody. */
  readonly access?: KafkaAccess
  readonly requestTimeoutMs?: number
  /** What does not succeed for so long, because brokers or leaders are away, is given up. */
  readonly patienceMs?: number
  /** Topics, leaders and the offsets of topics that were asked for are looked at this often. */
  readonly lookEveryMs?: number
  /** A commit whose process died is taken back after so long, or when the job is taken over. */
  readonly transactionTimeoutMs?: number
  /** Of one partition and of all of them, fetched by one follower and not polled yet. */
  readonly partitionBytesMax?: number
  readonly followedBytesMax?: number
  /** Appended and not yet acknowledged; more is refused, to be retried. */
  readonly waitingBytesMax?: number
  readonly followersMax?: number
}
export const kafkaLogDefaults = {
  clientId: 'millrace',
  access: openAccess,
  requestTimeoutMs: 30_000,
  patienceMs: 60_000,
  lookEveryMs: 1_000,
  transactionTimeoutMs: 30_000,
  partitionBytesMax: 1 << 20,
  followedBytesMax: 16 << 20,
  waitingBytesMax: 64 << 20,
  followersMax: 1_000,
} as const satisfies Omit<KafkaLogSettings, 'brokers'>

export interface KafkaLog extends Log {
  /** Of the cluster: what tells a job's snapshots over this log from those over another. */
  readonly clusterId: string
  /** Looks at the cluster now. Rejects with a LogError when none of the brokers answers. */
  look(): Promise<void>
  /** Why the last look failed; null: it did not. */
  trouble(): Error | null
  close(): Promise<void>
}

/** Bytes of a job's name in UTF-8, at most: as in the embedded log. */
const jobNameBytesMax = 249

/** Rejects with a LogError when none of the brokers answers. */
export async function openKafkaLog(world: World, settings: KafkaLogSettings): Promise<KafkaLog> {
  const log = new ClusterLog(world, { ...kafkaLogDefaults, ...settings })
  try {
    await log.begin()
    return log
  } catch (error) {
    await log.close()
    throw asLogError(error, true)
  }
}

class ClusterLog implements KafkaLog {
  readonly #world: World
  readonly #settings: Required<KafkaLogSettings>
  readonly #cluster: KafkaCluster
  readonly #appender: Appender
  readonly #followers = new Set<KafkaFollower>()
  readonly #offsets = new KnownOffsets()
  readonly #owners = new Map<string, JobOwner>()
  /** By job: what it does next waits for what it does. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #instance: string
  #ticks = 0
  #timer: Timer | null = null
  #trouble: Error | null = null
  #isClosed = false

  constructor(world: World, settings: Required<KafkaLogSettings>) {
    this.#world = world
    this.#settings = settings
    const { clientId, requestTimeoutMs, patienceMs, access } = settings
    const brokers = settings.brokers.map(addressOf)
    this.#cluster = new KafkaCluster(world, { brokers, clientId, requestTimeoutMs, patienceMs, access })
    this.#appender = new Appender(this.#cluster, settings.waitingBytesMax)
    this.#instance = Buffer.from(world.host.secretBytes(8)).toString('hex')
  }
  async begin(): Promise<void> {
    await this.#cluster.look()
    this.#offsets.learn(await offsetRanges(this.#cluster, this.#cluster.topics))
    this.#lookAgain()
  }
  get clusterId(): string {
    return this.#cluster.clusterId
  }

  // --- Looks at the cluster ---

  #lookAgain(): void {
    if (this.#isClosed) return
    const again = (): void => this.#lookAgain()
    this.#timer = this.#world.clock.timer(
      this.#settings.lookEveryMs,
      () => {
        this.look().then(again, again)
      },
      { background: true },
    )
  }
  async look(): Promise<void> {
    try {
      await this.#cluster.look()
      const topics = [...this.#offsets.asked].flatMap((name) => this.#cluster.topic(name) ?? [])
      this.#offsets.learn(await offsetRanges(this.#cluster, topics))
      this.#offsets.keepOnly(new Set(this.#cluster.topics.map(({ idText }) => idText)))
      this.#trouble = null
    } catch (error) {
      const trouble = asLogError(error, true)
      if (!this.#isClosed) this.#trouble = trouble
      throw trouble
    }
    for (const follower of this.#followers) follower.lookAround()
  }
  trouble(): Error | null {
    return this.#trouble
  }
  /** We know of more than the last look: what we wrote ourselves. */
  #noteEnd(topic: string, partition: number, end: number): void {
    const known = this.#cluster.topic(topic)
    if (known === null) return
    this.#offsets.note(known.idText, partition, end)
    for (const follower of this.#followers) follower.noteEnd(topic, partition, end)
  }

  // --- Topics ---

  async createTopic(spec: TopicSpec): Promise<TopicInfo> {
    const { name, partitions, configs = {} } = spec
    return inLogWords(async () => {
      const broker = await this.#cluster.any()
      const { topics } = await broker.ask(apis.createTopics, {
        topics: [
          {
            name,
            numPartitions: partitions,
            replicationFactor: -1,
            assignments: [],
            configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
          },
        ],
        timeoutMs: this.#settings.requestTimeoutMs,
      })
      const made = topics[0]
      holdTo(made?.errorCode ?? -1, `making topic ${name}`, made?.errorMessage ?? null)
      return infoOf(await this.#seen(name, partitions))
    })
  }
  /** Waits until all partitions of the topic have leaders that know of it. */
  async #seen(name: string, partitions: number): Promise<ClusterTopic> {
    const endMs = this.#world.clock.monoMs() + this.#settings.patienceMs
    for (;;) {
      await this.#cluster.look()
      const topic = this.#cluster.topic(name)
      if (topic !== null && topic.leaders.length >= partitions) {
        const found = await offsetRanges(this.#cluster, [topic])
        this.#offsets.learn(found)
        if (found.length === topic.leaders.length) {
          for (const follower of this.#followers) follower.lookAround()
          return topic
        }
      }
      if (this.#world.clock.monoMs() > endMs) {
        throw new LogError('KAFKA_STORAGE_ERROR', `topic ${name} was made and does not come to life`, {
          isTransient: true,
        })
      }
      await this.#world.clock.sleep(20)
    }
  }
  async deleteTopic(name: string): Promise<void> {
    await inLogWords(async () => {
      const broker = await this.#cluster.any()
      const before = this.#cluster.topic(name)
      const timeoutMs = this.#settings.requestTimeoutMs
      const { responses } = await broker.ask(apis.deleteTopics, { topics: [], topicNames: [name], timeoutMs })
      holdTo(responses[0]?.errorCode ?? -1, `deleting topic ${name}`, responses[0]?.errorMessage ?? null)
      const endMs = this.#world.clock.monoMs() + this.#settings.patienceMs
      for (;;) {
        await this.#cluster.look()
        const now = this.#cluster.topic(name)
        if (now === null || now.idText !== before?.idText || this.#world.clock.monoMs() > endMs) break
        await this.#world.clock.sleep(20)
      }
      for (const follower of this.#followers) follower.lookAround()
    })
  }
  topic(name: string): TopicInfo | null {
    const known = this.#cluster.topic(name)
    return known === null ? null : infoOf(known)
  }
  topics(): readonly TopicInfo[] {
    return this.#cluster.topics.map(infoOf)
  }
  #known(topic: string, partition: number): ClusterTopic {
    const known = this.#cluster.topic(topic)
    if (known !== null && partition < known.leaders.length) return known
    throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `the cluster has no ${topic}-${partition}`)
  }

  // --- Records ---

  async append(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended> {
    this.#known(topic, partition)
    const problem = checkBatch(batch)
    if (problem !== null) throw new LogError(problem.code, problem.message)
    const appended = await this.#appender.append(topic, partition, batch)
    this.#noteEnd(topic, partition, appended.baseOffset + recordCount(batch))
    return appended
  }
  offsets(topic: string, partition: PartitionId): OffsetRange {
    const { idText } = this.#known(topic, partition)
    this.#offsets.asked.add(topic)
    const { start, end } = this.#offsets.range(idText, partition)
    return { start: offset(start), end: offset(end) }
  }
  async read(topic: string, partition: PartitionId, from: Offset, maxBytes: number): Promise<readonly Uint8Array[]> {
    const { batches } = await this.#read(topic, partition, from, maxBytes, readUncommitted)
    return batches
  }
  async readCommitted(topic: string, partition: PartitionId, from: Offset, maxBytes: number): Promise<CommittedRead> {
    const { idText } = this.#known(topic, partition)
    const untilMs = this.#world.clock.monoMs() + markersMsMax
    let { batches, aborted, stable } = await this.#read(topic, partition, from, maxBytes, readCommitted)
    // A commit is acknowledged when it is decided; its markers, which make it visible, follow within milliseconds.
    const written = this.#offsets.committed(idText, partition)
    while (batches.length === 0 && from < written && stable < written && this.#world.clock.monoMs() < untilMs) {
      await this.#world.clock.sleep(2)
      const again = await this.#read(topic, partition, from, maxBytes, readCommitted)
      batches = again.batches
      aborted = again.aborted
      stable = again.stable
    }
    const last = batches.at(-1)
    if (last === undefined) return { batches: [], next: from }
    return { batches: committedAmong(batches, aborted), next: offset(lastOffset(last) + 1) }
  }
  async #read(topic: string, partition: PartitionId, from: Offset, maxBytes: number, isolation: number) {
    this.#known(topic, partition)
    return inLogWords(async () => {
      const fetched = await this.#cluster.patiently(() =>
        fetchOnce(this.#cluster, topic, partition, from, maxBytes, isolation),
      )
      const batches = wholeBatches(fetched.records).filter((batch) => lastOffset(batch) >= from)
      return { batches, aborted: fetched.abortedTransactions, stable: fetched.lastStableOffset }
    })
  }

  // --- Jobs ---

  origin(): Cursor {
    return new Positions().cursor()
  }
  now(): Cursor {
    const positions = new Positions()
    for (const { idText, leaders, name } of this.#cluster.topics) {
      if (isJobTopic(name)) continue
      for (let partition = 0; partition < leaders.length; partition++) {
        positions.set(idText, partition, this.#offsets.range(idText, partition).end)
      }
    }
    return positions.cursor()
  }
  follow(follow: { readonly job: string; readonly topics: readonly string[]; readonly from: Cursor }): Follower {
    if (this.#followers.size >= this.#settings.followersMax) {
      throw new LogError('KAFKA_STORAGE_ERROR', `${this.#followers.size} followers are open already; close some`)
    }
    const { partitionBytesMax, followedBytesMax: bytesMax } = this.#settings
    const follower = new KafkaFollower(
      this.#cluster,
      { ...follow, jobTopic: jobTopic(follow.job), partitionBytesMax, bytesMax },
      (closed) => this.#followers.delete(closed),
    )
    this.#followers.add(follower)
    return follower
  }
  async tick(job: string, payload: Uint8Array): Promise<void> {
    checkJob(job)
    const topic = await this.#ensureJobTopic(job)
    const unique = `${this.#instance}-${++this.#ticks}`
    const batch = new JobRecords(this.#world.clock.nowMs()).tick(unique, payload).batch()
    const { baseOffset } = await this.append(topic, ofJobs, batch)
    this.#owners.get(job)?.ticked(`tick/${unique}`, baseOffset)
  }
  async #ensureJobTopic(job: string): Promise<string> {
    const name = jobTopic(job)
    if (this.#cluster.topic(name) !== null) return name
    try {
      await this.createTopic({ name, partitions: 1, configs: { 'cleanup.policy': 'compact' } })
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error
      await inLogWords(() => this.#seen(name, 1))
    }
    return name
  }
  async takeJob(job: string): Promise<JobState> {
    checkJob(job)
    return this.#inTurn(job, async () => {
      const topic = await this.#ensureJobTopic(job)
      const { transactionTimeoutMs } = this.#settings
      const owner = await inLogWords(() =>
        JobOwner.take(this.#cluster, { job, topic, transactionTimeoutMs }, this.origin()),
      )
      this.#owners.set(job, owner)
      return { epoch: owner.epoch, cursor: owner.cursor }
    })
  }
  async commit(commit: Commit): Promise<{ readonly lsn: Lsn; readonly baseOffsets: readonly Offset[] }> {
    const { job } = commit
    checkJob(job)
    return this.#inTurn(job, async () => {
      const owner = this.#owners.get(job)
      if (owner === undefined || owner.epoch !== commit.epoch) {
        throw new FencedError(`owner ${commit.epoch} of job ${job} is not the one that took it here last`)
      }
      for (const { topic, partition, batch } of commit.appends) {
        this.#known(topic, partition)
        const problem = checkBatch(batch)
        if (problem !== null) throw new LogError(problem.code, problem.message)
        if (hasProducer(batch))
          throw new LogError('INVALID_RECORD', `a commit of job ${job} holds a batch of another producer`)
      }
      const { lsn, baseOffsets, ends } = await inLogWords(() => owner.commit(commit, this.#runsOf(commit)))
      for (const { topic, partition, end } of ends) {
        this.#offsets.noteCommit(this.#known(topic, partition).idText, partition, end)
        this.#noteEnd(topic, partition, end)
      }
      const reached = Positions.of(commit.cursor)
      for (const follower of this.#followers) if (follower.job === job) follower.forget(reached)
      return { lsn, baseOffsets }
    })
  }
  /** In which order the job came from the one place to the other. */
  #runsOf({ job, previous, cursor }: Commit): readonly Run[] {
    if (previous === cursor) return []
    const [from, to] = [Positions.of(previous), Positions.of(cursor)]
    if (!to.isAtOrBehind(from))
      throw new FencedError(`job ${job} stands at ${previous} and may not go back to ${cursor}`)
    const own = [...this.#followers].filter((follower) => follower.job === job)
    for (const follower of own) {
      const route = follower.route(from, to)
      if (route !== null) return route
    }
    if (own.some((follower) => !follower.knowsRoute)) {
      throw new LogError('INVALID_RECORD', `job ${job} has read more since its last commit than can be written down`)
    }
    // Nobody read it in any order: partition by partition is one.
    return [...to.places(), ...(to.get('t', 0) > 0 ? [{ id: 't', partition: 0, offset: to.get('t', 0) }] : [])].flatMap(
      ({ id, partition, offset: end }) => {
        const begin = from.get(id, partition)
        return begin < end ? [{ id, partition, from: begin, to: end }] : []
      },
    )
  }
  #inTurn<T>(job: string, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(job) ?? Promise.resolve()
    const turn = before.then(act, act)
    const quiet = turn.catch(() => {})
    this.#turns.set(job, quiet)
    return turn
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const follower of this.#followers) follower.abandon()
    this.#followers.clear()
    this.#appender.close()
    this.#cluster.close()
    await Promise.all(this.#turns.values())
  }
}
const ofJobs = partitionId(0)
/** Another producer's open transaction may stand before ours: then nobody waits any longer. */
const markersMsMax = 500

function infoOf({ name, id, leaders, configs, isInternal }: ClusterTopic): TopicInfo {
  const internal = isInternal || name.startsWith('__') || isJobTopic(name)
  return { name, id, partitions: leaders.length, configs, internal }
}
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || port === undefined) {
    throw new LogError('INVALID_CONFIG', `'${text}' is not the address of a broker; write host:port`)
  }
  return { host, port: Number(port) }
}
function checkJob(job: string): void {
  const bytes = new TextEncoder().encode(job).length
  if (bytes >= 1 && bytes <= jobNameBytesMax) return
  throw new LogError('INVALID_RECORD', `a job's name has 1 to ${jobNameBytesMax} bytes, this one ${bytes}`)
}
async function inLogWords<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof FencedError) throw error
    throw asLogError(error, true)
  }
}
