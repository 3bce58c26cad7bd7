// A broker's heart in memory, for the server's own tests: appends are visible at once, or when the test says so.
import { type Appended, LogError, type TopicInfo, type TopicSpec } from '../../log/log.ts'
import { type Lsn, lsn, type Offset, offset, type PartitionId, partitionId } from '../../std/units.ts'
import {
  baseOffset,
  baseTimestampMs,
  checkBatch,
  checkRecords,
  codecOf,
  lastOffset,
  recordSlots,
  recordsOf,
  setBaseOffset,
  walkRecords,
} from '../../wire/record-batch.ts'
import { nodeWorld } from '../../world/node.ts'
import type { BrokerCore } from '../core.ts'
import { OffsetStore } from '../groups/offset-store.ts'
import { OffsetTable } from '../groups/offset-table.ts'
import type { ReadRoom } from '../read-room.ts'
import { type SettingsStore, SettingsTable } from '../settings-table.ts'
import { TransactionCoordinator } from '../transactions/coordinator.ts'
import { TransactionTable } from '../transactions/table.ts'

interface Held {
  readonly batch: Uint8Array
}
export class MemoryCore implements BrokerCore {
  readonly clusterId = 'bWlsbHJhY2UtaW4tdGVzdA'
  readonly nodeId = 1
  readonly configDefaults = { 'cleanup.policy': 'delete', 'retention.ms': '604800000' }
  autoCreate: { readonly partitions: number } | null = { partitions: 2 }
  /** Until it is called, appends are not durable: they are neither answered nor seen. */
  durable: () => Promise<void> = () => Promise.resolve()
  readonly #topics = new Map<string, TopicInfo>()
  readonly #keyOf = (name: string): number | null => this.#topics.get(name)?.id[15] ?? null
  readonly groupOffsets = new OffsetStore(
    new OffsetTable(),
    {
      keyOf: this.#keyOf,
      nameOf: (key) => [...this.#topics.keys()].find((name) => this.#keyOf(name) === key) ?? null,
    },
    async (_, taken, durable) => {
      taken()
      await this.durable()
      durable()
    },
  )
  readonly #settingsTable = new SettingsTable()
  readonly settings: SettingsStore = {
    all: () => this.#settingsTable.all(),
    onChange: (listener) => this.#settingsTable.onChange(listener),
    set: async (changes) => {
      await this.durable()
      for (const change of changes) this.#settingsTable.apply(change)
    },
  }
  readonly #batches = new Map<string, Held[]>()
  readonly #starts = new Map<string, number>()
  readonly #listeners = new Set<(topic: string, partition: PartitionId, end: Offset) => void>()
  #nextProducer = 1_000n
  readonly epochs = new Map<bigint, number>()
  #topicsMade = 0
  #lsn = 0

  async createTopic({ name, partitions, configs, internal = name.startsWith('__') }: TopicSpec): Promise<TopicInfo> {
    await Promise.resolve()
    if (this.#topics.has(name)) throw new LogError('TOPIC_ALREADY_EXISTS', `${name} is there`)
    const id = new Uint8Array(16)
    id[15] = ++this.#topicsMade
    id[0] = 7
    const topic = { name, id, partitions, configs: configs ?? {}, internal }
    this.#topics.set(name, topic)
    return topic
  }
  leaderEpoch = 0
  journalEnd = 1
  partitions = 0
  /** Topics that jobs of the house read, and their names. */
  readonly jobs = new Map<string, string>()
  jobOn = (topic: string): string | null => this.jobs.get(topic) ?? null
  logDir = () => ({ folder: 'memory', room: null })
  epochAt = (): number => this.leaderEpoch
  endOfEpoch(topic: string, partition: PartitionId, leaderEpoch: number) {
    if (leaderEpoch > this.leaderEpoch) return null
    return { leaderEpoch, endOffset: this.offsets(topic, partition).end }
  }
  async addPartitions(name: string, partitions: number): Promise<TopicInfo> {
    return this.#altered(name, (topic) => ({ ...topic, partitions }))
  }
  async alterTopic(
    name: string,
    change: (set: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<TopicInfo> {
    return this.#altered(name, (topic) => ({ ...topic, configs: change(topic.configs) }))
  }
  async #altered(name: string, change: (topic: TopicInfo) => TopicInfo): Promise<TopicInfo> {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `no ${name}`)
    const changed = change(topic)
    await this.durable()
    this.#topics.set(name, changed)
    return changed
  }
  async deleteTopic(name: string): Promise<void> {
    if (!this.#topics.delete(name)) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `no ${name}`)
    for (const key of [...this.#batches.keys()]) if (key.startsWith(`${name}/`)) this.#batches.delete(key)
  }
  topic(name: string): TopicInfo | null {
    return this.#topics.get(name) ?? null
  }
  topics(): readonly TopicInfo[] {
    return [...this.#topics.values()]
  }
  #held(topic: string, partition: PartitionId): Held[] {
    const key = `${topic}/${partition}`
    let held = this.#batches.get(key)
    if (held === undefined) {
      held = []
      this.#batches.set(key, held)
    }
    return held
  }
  async append(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended> {
    const problem = checkBatch(batch) ?? (codecOf(batch) === 'none' ? checkRecords(batch) : null)
    if (problem !== null) throw new LogError(problem.code, problem.message)
    const held = this.#held(topic, partition)
    const stored = new Uint8Array(batch)
    const place = this.#nextOffset(topic, partition)
    setBaseOffset(stored, place)
    held.push({ batch: stored })
    const entry: Lsn = lsn(++this.#lsn)
    await this.durable()
    for (const listener of this.#listeners) listener(topic, partition, offset(this.#nextOffset(topic, partition)))
    return { baseOffset: offset(place), lsn: entry, appendedMs: 0 }
  }
  #nextOffset(topic: string, partition: PartitionId): number {
    const last = this.#held(topic, partition).at(-1)
    return last === undefined ? 0 : lastOffset(last.batch) + 1
  }
  /** Forgets what lies before: as retention does. */
  setStart(topic: string, partition: number, start: number): void {
    this.#starts.set(`${topic}/${partition}`, start)
  }
  async deleteRecords(topic: string, partition: PartitionId, beforeOffset: Offset): Promise<Offset> {
    const { start, end } = this.offsets(topic, partition)
    if (beforeOffset > end) throw new LogError('OFFSET_OUT_OF_RANGE', `${topic}-${partition} ends at ${end}`)
    await this.durable()
    this.setStart(topic, partition, Math.max(start, beforeOffset))
    return this.offsets(topic, partition).start
  }
  diskUsage() {
    return this.topics().flatMap((info) =>
      Array.from({ length: info.partitions }, (_, id) => ({
        topic: info.name,
        partition: partitionId(id),
        bytes: this.#held(info.name, partitionId(id)).reduce((sum, { batch }) => sum + batch.length, 0),
      })),
    )
  }
  offsets(topic: string, partition: PartitionId) {
    const start = this.#starts.get(`${topic}/${partition}`) ?? 0
    return { start: offset(start), end: offset(this.#nextOffset(topic, partition)) }
  }
  async read(
    topic: string,
    partition: PartitionId,
    from: Offset,
    maxBytes: number,
    _room?: ReadRoom,
  ): Promise<readonly Uint8Array[]> {
    const found: Uint8Array[] = []
    let bytes = 0
    for (const { batch } of this.#held(topic, partition)) {
      if (lastOffset(batch) < from) continue
      if (found.length > 0 && bytes + batch.length > maxBytes) break
      found.push(batch)
      bytes += batch.length
    }
    return found
  }
  appendWithin(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended> {
    return this.append(topic, partition, batch)
  }
  readonly transactions = new TransactionCoordinator(nodeWorld(), {
    table: new TransactionTable(),
    newProducerId: () => Number(this.#nextProducer++),
    placeOf: (topic, partition) => {
      const key = this.#keyOf(topic)
      return key === null ? null : [key, partition]
    },
    nameOf: () => null,
    durable: () => this.durable(),
    async join(entry) {
      this.table.join(entry, 0, 0)
    },
    async turn(entry) {
      this.table.isDurable(entry, 0)
    },
    async end({ id, identity: { producerId } }, { commit, next }) {
      this.table.isDurable({ what: 'ended', id, producerId, commit, next, parts: [] }, 0)
    },
    async mark() {},
    async abortHanging() {},
  })
  readonly stable = {
    end: (topic: string, partition: PartitionId): Offset => this.offsets(topic, partition).end,
    abortedIn: () => [],
    producers: () => [],
  }
  async readCommitted(topic: string, partition: PartitionId, from: Offset, maxBytes: number) {
    const batches = await this.read(topic, partition, from, maxBytes)
    const last = batches.at(-1)
    return { batches, next: last === undefined ? from : offset(lastOffset(last) + 1) }
  }
  async newProducerId() {
    const producerId = this.#nextProducer++
    this.epochs.set(producerId, 0)
    return { producerId, epoch: 0 }
  }
  async bumpProducerEpoch(producerId: bigint, epoch: number) {
    if (this.epochs.get(producerId) !== epoch) throw new LogError('INVALID_PRODUCER_EPOCH', `not at ${epoch}`)
    this.epochs.set(producerId, epoch + 1)
    return { producerId, epoch: epoch + 1 }
  }
  onAdvance(listener: (topic: string, partition: PartitionId, end: Offset) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  get listeners(): number {
    return this.#listeners.size
  }
  #times(topic: string, partition: PartitionId): { readonly offset: Offset; readonly timestampMs: number }[] {
    const times: { readonly offset: Offset; readonly timestampMs: number }[] = []
    const slots = recordSlots(1_000)
    for (const { batch } of this.#held(topic, partition)) {
      const { bytes, start, end } = recordsOf(batch)
      for (let at = start; at < end; ) {
        at = walkRecords(bytes, at, end, slots)
        for (let i = 0; i < slots.count; i++) {
          const place = offset(baseOffset(batch) + slots.offsetDelta[i]!)
          times.push({ offset: place, timestampMs: baseTimestampMs(batch) + slots.timestampDelta[i]! })
        }
      }
    }
    return times.filter((time) => time.offset >= this.offsets(topic, partition).start)
  }
  offsetForTime(topic: string, partition: PartitionId, timestampMs: number) {
    return this.#times(topic, partition).find((time) => time.timestampMs >= timestampMs) ?? null
  }
  offsetOfMaxTime(topic: string, partition: PartitionId) {
    const times = this.#times(topic, partition)
    return times.length === 0 ? null : times.reduce((max, time) => (time.timestampMs > max.timestampMs ? time : max))
  }
  // What only followers and jobs use is not the protocol's business.
  origin = (): never => outside()
  now = (): never => outside()
  follow = (): never => outside()
  tick = (): never => outside()
  takeJob = (): never => outside()
  commit = (): never => outside()
}
function outside(): never {
  throw new Error('the Kafka server has no business with this')
}
