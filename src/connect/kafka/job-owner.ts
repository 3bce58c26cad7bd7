// The owner of a job on a Kafka cluster: its commits are transactions, and whoever takes the job over fences it off. The
// broker that coordinates the job's transactional id decides who that is.
import { type Commit, type Cursor, FencedError } from '../../log/log.ts'
import { entryOf } from '../../std/maps.ts'
import { type Lsn, lsn, type Offset, offset, type PartitionId, partitionId } from '../../std/units.ts'
import { recordCount } from '../../wire/record-batch.ts'
import { stampedBatch } from '../../wire/stamped-batch.ts'
import { apis } from '../../wire/wire.ts'
import type { KafkaCluster } from './cluster.ts'
import type { BrokerConnection } from './connection.ts'
import { readHistory } from './job-history.ts'
import { JobRecords, type Run } from './job-records.ts'
import { Positions } from './positions.ts'
import { asLogError, holdTo, isFenced, KafkaRefusal, kafkaErrorOf } from './refusal.ts'

export interface OwnerSettings {
  readonly job: string
  /** The job's topic, and its transactional id. */
  readonly topic: string
  readonly transactionTimeoutMs: number
}
export interface Outgoing {
  readonly topic: string
  readonly partition: PartitionId
  readonly batch: Uint8Array
}
export interface Committed {
  readonly lsn: Lsn
  readonly baseOffsets: readonly Offset[]
  /** One past what stands now in each partition that was written to. */
  readonly ends: readonly { readonly topic: string; readonly partition: PartitionId; readonly end: number }[]
}

const acksAll = -1
const concurrentMs = 5

export class JobOwner {
  readonly job: string
  readonly epoch: number
  /** After the last commit. */
  cursor: Cursor
  readonly #cluster: KafkaCluster
  readonly #settings: OwnerSettings
  #producerId: bigint
  #producerEpoch: number
  #sequences = new Map<string, number>()
  #number: number
  /** What replays may still need, oldest first. */
  readonly #orders: { readonly number: number; readonly keys: readonly string[]; readonly after: Positions | null }[]
  readonly #ticks: { readonly key: string; readonly offset: number }[]
  /** A commit whose end nobody heard of: looked up before anything else. */
  #unsure: { readonly number: number; readonly commit: Commit; readonly made: Committed } | null = null
  /** The last transaction did not come to its end: the next one begins with a new epoch. */
  #isBroken = false
  #fenced: FencedError | null = null

  private constructor(
    cluster: KafkaCluster,
    settings: OwnerSettings,
    identity: { readonly producerId: bigint; readonly producerEpoch: number },
    history: Awaited<ReturnType<typeof readHistory>>,
    origin: Cursor,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.job = settings.job
    this.#producerId = identity.producerId
    this.#producerEpoch = identity.producerEpoch
    this.epoch = history.epoch + 1
    this.cursor = history.commit?.cursor ?? origin
    this.#number = history.commit?.number ?? 0
    this.#orders = history.orders.map((order) => ({ ...order, after: null }))
    this.#ticks = [...history.ticks]
  }

  /** Takes the job over; rejects with a FencedError if somebody else does so at the same time. */
  static async take(cluster: KafkaCluster, settings: OwnerSettings, origin: Cursor): Promise<JobOwner> {
    const identity = await initialise(cluster, settings, null)
    const history = await readHistory(cluster, settings.topic)
    const owner = new JobOwner(cluster, settings, identity, history, origin)
    const records = new JobRecords(cluster.world.clock.nowMs()).owner(owner.epoch)
    await owner.#fencedBy(() => owner.#transaction([{ topic: settings.topic, partition: own, batch: records.batch() }]))
    return owner
  }

  /** One at a time. `runs`: the order that leads from the last commit to this one. */
  async commit(commit: Commit, runs: readonly Run[]): Promise<Committed> {
    if (this.#fenced !== null) throw this.#fenced
    const { topic } = this.#settings
    if (this.#unsure !== null || this.#isBroken) {
      const settled = await this.#fencedBy(() => this.#recover())
      if (settled !== null && isSame(settled.commit, commit)) return settled.made
    }
    if (commit.epoch !== this.epoch || commit.previous !== this.cursor) {
      throw new FencedError(
        `job ${this.job} stands at ${this.cursor} under owner ${this.epoch}; a commit of owner ${commit.epoch} on top of ${commit.previous} came`,
      )
    }
    const number = this.#number + 1
    const records = new JobRecords(this.#cluster.world.clock.nowMs())
    const keys = records.order(number, runs)
    const unneeded = this.#unneeded(commit)
    for (const key of unneeded.keys) records.gone(key)
    records.commit(number, this.epoch, commit.cursor)
    // Of the job's own records last, so that who reads them in order knows that all before is there.
    const outgoing: Outgoing[] = [...commit.appends, { topic, partition: own, batch: records.batch() }]
    let made: Committed
    try {
      made = await this.#fencedBy(() => this.#transaction(outgoing, { number, commit }))
    } catch (error) {
      if (error instanceof FencedError) throw error
      this.#isBroken = true
      // Its end may not have been heard of: then it is looked up, now or when the cluster is there again.
      const settled = await this.#fencedBy(() => this.#recover()).catch((trouble: unknown) => {
        if (trouble instanceof FencedError) throw trouble
        return null
      })
      if (settled === null) throw asLogError(error, true)
      made = settled.made
    }
    this.#took(number, commit)
    unneeded.forget()
    if (keys.length > 0) this.#orders.push({ number, keys, after: Positions.of(commit.cursor) })
    return made
  }
  #took(number: number, commit: Commit): void {
    this.#number = number
    this.cursor = commit.cursor
  }
  /** A tick stands in the job's topic. */
  ticked(key: string, at: number): void {
    this.#ticks.push({ key, offset: at })
  }
  #unneeded({ keepsFrom }: Commit): { readonly keys: readonly string[]; forget(): void } {
    if (keepsFrom === undefined || keepsFrom === null) return { keys: [], forget() {} }
    const from = Positions.of(keepsFrom)
    let orders = 0
    const keys: string[] = []
    while (orders < this.#orders.length && keys.length < goneMax) {
      const { after, keys: own } = this.#orders[orders]!
      // Those of earlier owners: how far they go is not kept. They go once one that follows them may.
      const next = after ?? this.#orders.find((order) => order.after !== null)?.after
      if (next === null || next === undefined || !from.isAtOrBehind(next)) break
      keys.push(...own)
      orders++
    }
    const ticks = this.#ticks.slice(0, goneMax).filter(({ offset: at }) => at < from.get('t', 0))
    keys.push(...ticks.map(({ key }) => key))
    return {
      keys,
      forget: () => {
        this.#orders.splice(0, orders)
        for (const tick of ticks) this.#ticks.splice(this.#ticks.indexOf(tick), 1)
      },
    }
  }

  // --- Transactions ---

  async #transaction(
    outgoing: readonly Outgoing[],
    ending: { readonly number: number; readonly commit: Commit } | null = null,
  ): Promise<Committed> {
    const { topic: transactionalId } = this.#settings
    const identity = { transactionalId, producerId: this.#producerId, producerEpoch: this.#producerEpoch }
    await this.#join(outgoing)
    const written = await this.#write(outgoing)
    // From here on the transaction may be committed, whatever we hear of it.
    const made = madeOf(outgoing, written)
    if (ending !== null) this.#unsure = { ...ending, made }
    await this.#atCoordinator(async (coordinator) => {
      const { errorCode } = await coordinator.ask(apis.endTxn, { ...identity, committed: true })
      holdTo(errorCode, `committing for job ${this.job}`)
    })
    this.#unsure = null
    return made
  }
  async #join(outgoing: readonly Outgoing[]): Promise<void> {
    const topics = [...Map.groupBy(outgoing, ({ topic }) => topic)].map(([name, each]) => ({
      name,
      partitions: [...new Set(each.map(({ partition }) => partition))],
    }))
    await this.#atCoordinator(async (coordinator) => {
      const { resultsByTopicV3AndBelow } = await coordinator.ask(apis.addPartitionsToTxn, {
        transactions: [],
        v3AndBelowTransactionalId: this.#settings.topic,
        v3AndBelowProducerId: this.#producerId,
        v3AndBelowProducerEpoch: this.#producerEpoch,
        v3AndBelowTopics: topics,
      })
      const codes = resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
        resultsByPartition.map(({ partitionErrorCode }) => kafkaErrorOf(partitionErrorCode)),
      )
      const problem = codes.find((code) => code !== 'NONE' && code !== 'OPERATION_NOT_ATTEMPTED')
      if (problem !== undefined) throw new KafkaRefusal(problem, `a transaction of job ${this.job} does not begin`)
    })
  }
  /** A batch of each partition at a time; what a broker leads travels together. Returns where each went. */
  async #write(outgoing: readonly Outgoing[]): Promise<number[]> {
    const bases = new Array<number>(outgoing.length)
    const lanes = Map.groupBy(outgoing.keys(), (i) => `${outgoing[i]!.topic}/${outgoing[i]!.partition}`)
    const depth = Math.max(...[...lanes.values()].map((lane) => lane.length))
    for (let wave = 0; wave < depth; wave++) {
      const now = [...lanes.values()].flatMap((lane) => lane.slice(wave, wave + 1))
      const stamped = new Map(now.map((i) => [i, this.#stamped(outgoing[i]!)]))
      // Sent again, batches are the same to the last byte: the broker knows those it has.
      const missing = new Set(now)
      await this.#cluster.patiently(() => this.#send(outgoing, stamped, missing, bases))
    }
    return bases
  }
  #stamped({ topic, partition, batch }: Outgoing): Uint8Array {
    const key = `${topic}/${partition}`
    const baseSequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, (baseSequence + recordCount(batch)) % 2 ** 31)
    return stampedBatch(batch, { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence }, true)
  }
  async #send(
    outgoing: readonly Outgoing[],
    stamped: ReadonlyMap<number, Uint8Array>,
    missing: Set<number>,
    bases: number[],
  ): Promise<void> {
    const byLeader = Map.groupBy(missing, (i) => this.#cluster.leader(outgoing[i]!.topic, outgoing[i]!.partition))
    await Promise.all(
      [...byLeader].map(async ([leader, each]) => {
        const connection = await this.#cluster.node(leader)
        const topicData = [...Map.groupBy(each, (i) => outgoing[i]!.topic)].map(([name, own]) => ({
          name,
          topicId: new Uint8Array(16),
          partitionData: own.map((i) => ({ index: outgoing[i]!.partition, records: stamped.get(i)! })),
        }))
        const { requestTimeoutMs } = this.#cluster.settings
        const transactionalId = this.#settings.topic
        const { responses } = await connection.ask(apis.produce, {
          transactionalId,
          acks: acksAll,
          timeoutMs: requestTimeoutMs,
          topicData,
        })
        const answers = new Map(
          responses.flatMap(({ name, partitionResponses }) =>
            partitionResponses.map((answer) => [`${name}/${answer.index}`, answer] as const),
          ),
        )
        for (const i of each) {
          const { topic, partition } = outgoing[i]!
          const answer = answers.get(`${topic}/${partition}`)
          holdTo(answer?.errorCode ?? -1, `writing to ${topic}-${partition}`, answer?.errorMessage ?? null)
          bases[i] = answer!.baseOffset
          missing.delete(i)
        }
      }),
    )
  }
  #atCoordinator<T>(ask: (coordinator: BrokerConnection) => Promise<T>): Promise<T> {
    return atCoordinator(this.#cluster, this.#settings.topic, ask)
  }

  /** A new epoch under the same identity ends what is open; then it is known how the last commit ended. */
  async #recover(): Promise<{ readonly commit: Commit; readonly made: Committed } | null> {
    const before = { producerId: this.#producerId, producerEpoch: this.#producerEpoch }
    const identity = await initialise(this.#cluster, this.#settings, before)
    this.#producerId = identity.producerId
    this.#producerEpoch = identity.producerEpoch
    this.#sequences = new Map()
    const unsure = this.#unsure
    if (unsure !== null) {
      const { commit, epoch } = await readHistory(this.#cluster, this.#settings.topic)
      if (epoch !== this.epoch) throw new KafkaRefusal('PRODUCER_FENCED', `job ${this.job} belongs to owner ${epoch}`)
      this.#unsure = null
      this.#isBroken = false
      if (commit?.number !== unsure.number) return null
      this.#took(unsure.number, unsure.commit)
      return unsure
    }
    this.#isBroken = false
    return null
  }
  async #fencedBy<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (!isFenced(error)) throw error
      this.#fenced = new FencedError(`job ${this.job} was taken over: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      })
      throw this.#fenced
    }
  }
}
/** The one partition of a job's topic. */
const own = partitionId(0)
/** Records that are let go with one commit, about. */
const goneMax = 1_000

function isSame(a: Commit, b: Commit): boolean {
  return a.epoch === b.epoch && a.previous === b.previous && a.cursor === b.cursor && a.appends === b.appends
}
function madeOf(outgoing: readonly Outgoing[], bases: readonly number[]): Committed {
  const ends = new Map<string, { topic: string; partition: PartitionId; end: number }>()
  for (const [i, { topic, partition, batch }] of outgoing.entries()) {
    const end = bases[i]! + recordCount(batch)
    const known = entryOf(ends, `${topic}/${partition}`, () => ({ topic, partition, end }))
    known.end = Math.max(known.end, end)
  }
  const last = bases.at(-1)! + recordCount(outgoing.at(-1)!.batch) - 1
  return { lsn: lsn(last), baseOffsets: bases.slice(0, -1).map(offset), ends: [...ends.values()] }
}

async function initialise(
  cluster: KafkaCluster,
  { topic, transactionTimeoutMs }: OwnerSettings,
  before: { readonly producerId: bigint; readonly producerEpoch: number } | null,
): Promise<{ readonly producerId: bigint; readonly producerEpoch: number }> {
  return atCoordinator(cluster, topic, async (coordinator) => {
    const answer = await coordinator.ask(apis.initProducerId, {
      transactionalId: topic,
      transactionTimeoutMs,
      ...before,
    })
    holdTo(answer.errorCode, `taking ${topic} over`)
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  })
}
/** While the transaction before is being ended, the next one waits; it does not take long. */
async function atCoordinator<T>(
  cluster: KafkaCluster,
  transactionalId: string,
  ask: (coordinator: BrokerConnection) => Promise<T>,
): Promise<T> {
  return cluster.patiently(async () => {
    for (let tries = 0; ; tries++) {
      try {
        return await cluster.askCoordinator(transactionalId, ask)
      } catch (error) {
        const isConcurrent = error instanceof KafkaRefusal && error.code === 'CONCURRENT_TRANSACTIONS'
        if (!isConcurrent || tries >= 200) throw error
        await cluster.world.clock.sleep(concurrentMs)
      }
    }
  })
}
