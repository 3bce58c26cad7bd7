// Reads the batches of some topics and the ticks of one job from a Kafka cluster, in one order: first as the job's
// commits have written it down, from there on as the brokers hand it out, which is kept until the next commit writes it.
import { type Cursor, type Follower, type LogEntry, LogError } from '../../log/log.ts'
import { lsn, offset, partitionId } from '../../std/units.ts'
import { apis } from '../../wire/wire.ts'
import type { KafkaCluster } from './cluster.ts'
import type { BrokerConnection } from './connection.ts'
import { type Run, readJobRecord } from './job-records.ts'
import { PartitionTail } from './partition-tail.ts'
import { Positions, ticksId, topicIdText } from './positions.ts'
import { fetchRequest, offsetRanges, readCommitted, recordsWithin } from './reading.ts'
import { asLogError, holdTo, isPassing, KafkaRefusal, kafkaErrorOf } from './refusal.ts'
import { Route } from './route.ts'

export interface FollowSettings {
  readonly job: string
  readonly jobTopic: string
  readonly topics: readonly string[]
  readonly from: Cursor
  /** Fetched and not yet handed out: of one partition, and of all together before only empty ones are fetched. */
  readonly partitionBytesMax: number
  readonly bytesMax: number
}

/** A Fetch waits so long at the broker for something new. */
const fetchWaitMs = 500
const againMs = 50

export class KafkaFollower implements Follower {
  readonly job: string
  readonly #cluster: KafkaCluster
  readonly #settings: FollowSettings
  readonly #wanted: ReadonlySet<string>
  readonly #positions: Positions
  /** By topic id and partition. */
  readonly #tails = new Map<string, PartitionTail>()
  /** The tails of the batches that were fetched, in the order they came; some may be used up by a recorded order. */
  readonly #arrivals: PartitionTail[] = []
  readonly #ticks: { readonly offset: number; readonly payload: Uint8Array }[] = []
  /** What the commits have written down and is not handed out yet; `#recordedAt` is the next. */
  readonly #recorded: Run[] = []
  #recordedAt = 0
  /** Where the job's topic ended when we began: orders before it count. Null until that is known. */
  #historyEnd: number | null = null
  readonly #route = new Route()
  readonly #loops = new Set<number>()
  readonly #closed: (follower: KafkaFollower) => void
  #isClosed = false
  #trouble: Error | null = null
  #waiting: (() => void)[] = []
  /** Those who fetch and found no room, or nothing to do. */
  #drained: (() => void)[] = []

  constructor(cluster: KafkaCluster, settings: FollowSettings, closed: (follower: KafkaFollower) => void) {
    this.job = settings.job
    this.#cluster = cluster
    this.#settings = settings
    this.#wanted = new Set(settings.topics)
    this.#positions = Positions.of(settings.from)
    this.#closed = closed
    void this.#begin()
  }
  get topics(): ReadonlySet<string> {
    return this.#wanted
  }

  async #begin(): Promise<void> {
    try {
      const jobTopic = this.#cluster.topic(this.#settings.jobTopic)
      if (jobTopic === null) this.#historyEnd = 0
      else {
        const [range] = await this.#cluster.patiently(() => offsetRanges(this.#cluster, [jobTopic]))
        this.#historyEnd = range?.end ?? 0
      }
      this.lookAround()
    } catch (error) {
      this.#fail(error)
    }
  }
  #fail(error: unknown): void {
    this.#trouble ??= asLogError(error, false)
    this.#wake()
  }

  /** The cluster was looked at: topics may have come, gone, grown, or moved. */
  lookAround(): void {
    if (this.#isClosed || this.#historyEnd === null) return
    const live = new Set<string>()
    for (const topic of this.#cluster.topics) {
      const isOwn = topic.name === this.#settings.jobTopic
      if (!isOwn && !this.#wanted.has(topic.name)) continue
      const id = isOwn ? ticksId : topic.idText
      for (let partition = 0; partition < topic.leaders.length; partition++) {
        const key = `${id}/${partition}`
        live.add(key)
        if (this.#tails.has(key)) continue
        // Of its own topic all is read: orders count from its beginning.
        const from = isOwn ? 0 : this.#positions.get(id, partition)
        this.#tails.set(key, new PartitionTail(topic, id, partition, from))
      }
    }
    // Records of a topic that is gone are hidden.
    for (const key of this.#tails.keys()) if (!live.has(key)) this.#tails.delete(key)
    for (const tail of this.#tails.values()) {
      const leader = this.#leaderOf(tail)
      if (leader !== null && !this.#loops.has(leader)) {
        this.#loops.add(leader)
        void this.#fetchFrom(leader)
      }
    }
    this.#goOn()
    if (this.#waiting.length > 0 && this.#worthAPoll()) this.#wake()
  }
  #leaderOf({ topic, partition }: PartitionTail): number | null {
    const leader = this.#cluster.topic(topic)?.leaders[partition] ?? -1
    return leader < 0 ? null : leader
  }
  /** Something was appended there by ourselves and will come. */
  noteEnd(topic: string, partition: number, end: number): void {
    const id = topic === this.#settings.jobTopic ? ticksId : this.#cluster.topic(topic)?.idText
    if (id === undefined || (id !== ticksId && !this.#wanted.has(topic))) return
    const tail = this.#tails.get(`${id}/${partition}`)
    if (tail !== undefined) tail.end = Math.max(tail.end, end)
    else this.lookAround()
  }

  // --- Fetching: one request under way at each broker ---

  async #fetchFrom(node: number): Promise<void> {
    let connection: BrokerConnection | null = null
    try {
      while (!this.#isClosed && this.#trouble === null) {
        const own = [...this.#tails.values()].filter((tail) => this.#leaderOf(tail) === node)
        if (own.length === 0) break
        const isFull = this.#bufferedBytes() >= this.#settings.bytesMax
        const asked = own.filter(({ bytes }) => bytes === 0 || (!isFull && bytes < this.#settings.partitionBytesMax))
        if (asked.length === 0) {
          await this.#room(null)
          continue
        }
        const mayWait = asked.length === own.length && asked.every(({ isLookedAt }) => isLookedAt)
        try {
          if (connection === null || !connection.isOpen) connection = await this.#cluster.apart(node)
          const came = await this.#fetch(connection, asked, mayWait ? fetchWaitMs : 0)
          // Those that are full are fetched again as soon as they are not; the others had nothing just now.
          if (asked.length < own.length && came === 0) await this.#room(againMs)
        } catch (error) {
          if (!isPassing(error)) throw error
          connection?.close()
          connection = null
          await this.#cluster.world.clock.sleep(againMs)
          await this.#cluster.look().catch(() => {})
          this.lookAround()
        }
      }
    } catch (error) {
      if (!this.#isClosed) this.#fail(error)
    } finally {
      connection?.close()
      this.#loops.delete(node)
    }
  }
  #bufferedBytes(): number {
    let bytes = 0
    for (const tail of this.#tails.values()) bytes += tail.bytes
    return bytes
  }
  #room(waitMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = waitMs === null ? null : this.#cluster.world.clock.timer(waitMs, resolve, { background: true })
      this.#drained.push(() => {
        timer?.cancel()
        resolve()
      })
    })
  }
  #goOn(): void {
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  async #fetch(connection: BrokerConnection, asked: readonly PartitionTail[], maxWaitMs: number): Promise<number> {
    const request = fetchRequest(asked, {
      isolationLevel: readCommitted,
      maxWaitMs,
      maxBytes: this.#settings.bytesMax,
      partitionMaxBytes: this.#settings.partitionBytesMax,
    })
    const { errorCode, responses } = await connection.ask(apis.fetch, request, maxWaitMs)
    holdTo(errorCode, 'following')
    if (this.#isClosed) return 0
    const byName = new Map(asked.map((tail) => [`${tail.topic}/${tail.partition}`, tail]))
    const names = new Map(asked.map(({ topic, topicId }) => [topicIdText(topicId), topic]))
    let came = 0
    let moved: KafkaRefusal | null = null
    for (const { topic: name, topicId, partitions } of responses) {
      const topic = name === '' ? (names.get(topicIdText(topicId)) ?? '') : name
      for (const fetched of partitions) {
        const tail = byName.get(`${topic}/${fetched.partitionIndex}`)
        if (tail === undefined || this.#tails.get(`${tail.id}/${tail.partition}`) !== tail) continue
        const code = kafkaErrorOf(fetched.errorCode)
        if (code === 'NONE') came += this.#took(tail, tail.take(fetched))
        else if (code === 'OFFSET_OUT_OF_RANGE') await this.#outOfRange(tail)
        else if (code === 'UNKNOWN_TOPIC_OR_PARTITION' || code === 'UNKNOWN_TOPIC_ID') {
          moved = new KafkaRefusal('LEADER_NOT_AVAILABLE', `${topic}-${fetched.partitionIndex} is not there`)
        } else moved = new KafkaRefusal(code, `following ${topic}-${fetched.partitionIndex}`)
      }
    }
    if (this.#waiting.length > 0 && this.#worthAPoll()) this.#wake()
    if (moved !== null) throw moved
    return came
  }
  #took(tail: PartitionTail, count: number): number {
    if (tail.id === ticksId) this.#tookOwn(tail)
    else for (let i = 0; i < count; i++) this.#arrivals.push(tail)
    return count
  }
  /** Orders of before we began, and ticks that were not handed out yet. */
  #tookOwn(tail: PartitionTail): void {
    for (let batch = tail.shift(); batch !== undefined; batch = tail.shift()) {
      for (const { offset: at, key, value } of recordsWithin(batch.bytes)) {
        const record = readJobRecord(tail.topic, key, value)
        if (record.kind === 'tick' && at >= this.#positions.get(ticksId, 0))
          this.#ticks.push({ offset: at, payload: record.payload })
        else if (record.kind === 'order' && at < (this.#historyEnd ?? 0)) this.#recorded.push(...record.runs)
      }
    }
  }
  /** Nothing was read of it yet: it begins where the partition does. Else what came next is gone. */
  async #outOfRange(tail: PartitionTail): Promise<void> {
    const topic = this.#cluster.topic(tail.topic)
    const [range] =
      topic === null
        ? []
        : (await offsetRanges(this.#cluster, [topic])).filter(({ partition }) => partition === tail.partition)
    if (range === undefined) return
    const isOwn = tail.id === ticksId
    if (range.start > tail.from && (isOwn || this.#positions.get(tail.id, tail.partition) === 0))
      tail.from = range.start
    else throw gone(tail.topic, tail.partition, tail.from, range.start, range.end)
  }

  // --- Handing out ---

  poll(maxBytes: number): LogEntry[] {
    const entries: LogEntry[] = []
    if (this.#isClosed) return entries
    if (this.#trouble !== null) throw this.#trouble
    let bytes = 0
    while (bytes < maxBytes) {
      const entry = this.#isHistoryRead ? this.#next() : null
      if (entry === null) break
      entries.push(entry)
      bytes += entry.kind === 'batch' ? entry.bytes.length : entry.payload.length
    }
    if (this.#drained.length > 0) this.#goOn()
    return entries
  }
  /** The orders of all commits before we began are known. */
  get #isHistoryRead(): boolean {
    if (this.#historyEnd === null) return false
    const own = this.#tails.get(`${ticksId}/0`)
    return own === undefined || own.from >= this.#historyEnd
  }
  #next(): LogEntry | null {
    while (this.#recordedAt < this.#recorded.length) {
      const found = this.#ofRun(this.#recorded[this.#recordedAt]!)
      if (found === 'wait') return null
      if (found !== 'done') return found
      this.#recordedAt++
    }
    if (this.#recordedAt > 0) {
      this.#recorded.length = 0
      this.#recordedAt = 0
    }
    const tick = this.#ticks.shift()
    if (tick !== undefined) return this.#tick(tick.offset, tick.payload)
    for (let tail = this.#arrivals.shift(); tail !== undefined; tail = this.#arrivals.shift()) {
      if (this.#tails.get(`${tail.id}/${tail.partition}`) !== tail || tail.first === undefined) continue
      return this.#batch(tail)
    }
    return null
  }
  /** The next entry of a run that was written down; `done`: there is none any more. */
  #ofRun({ id, partition, from, to }: Run): LogEntry | 'wait' | 'done' {
    const at = this.#positions.get(id, partition)
    if (at >= to) return 'done'
    if (at < from) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `in which order job ${this.job} took offsets ${at} to ${from - 1} of topic ${id} is not known any more: follow ` +
          'from a newer snapshot of the job, or give it another name to compute everything anew',
      )
    }
    if (id === ticksId) {
      const tick = this.#ticks[0]
      if (tick !== undefined && tick.offset < to) {
        this.#ticks.shift()
        return this.#tick(tick.offset, tick.payload)
      }
      this.#moveTo(id, partition, to)
      return 'done'
    }
    const tail = this.#tails.get(`${id}/${partition}`)
    // Of a topic that is gone, or not followed any more, nothing is seen; the place moves on all the same.
    const isFollowed = tail !== undefined
    if (isFollowed && tail.first !== undefined && tail.first.base < to) return this.#batch(tail)
    if (isFollowed && tail.first === undefined && tail.from < to) return 'wait'
    this.#moveTo(id, partition, to)
    return 'done'
  }
  /** Runs of which nothing is seen belong to the place after the entry before them: a commit may have ended there. */
  #passUnseen(): void {
    for (; this.#recordedAt < this.#recorded.length; this.#recordedAt++) {
      const { id, partition, to } = this.#recorded[this.#recordedAt]!
      if (this.#positions.get(id, partition) >= to) continue
      if (id === ticksId || this.#tails.has(`${id}/${partition}`)) return
      this.#moveTo(id, partition, to)
    }
  }
  /** What is left of a run holds no records: they were aborted, or compacted away. */
  #moveTo(id: string, partition: number, to: number): void {
    const at = this.#positions.get(id, partition)
    this.#positions.set(id, partition, to)
    this.#route.went(id, partition, at, to)
  }
  #batch(tail: PartitionTail): LogEntry {
    const { bytes, base, last } = tail.shift()!
    this.#moveTo(tail.id, tail.partition, last + 1)
    this.#passUnseen()
    return {
      kind: 'batch',
      lsn: lsn(this.#positions.total),
      after: this.#positions.cursor(),
      topic: tail.topic,
      partition: partitionId(tail.partition),
      baseOffset: offset(base),
      lastOffset: offset(last),
      bytes,
    }
  }
  #tick(at: number, payload: Uint8Array): LogEntry {
    this.#moveTo(ticksId, 0, at + 1)
    this.#passUnseen()
    return { kind: 'tick', lsn: lsn(this.#positions.total), after: this.#positions.cursor(), payload }
  }

  ready(): Promise<void> {
    if (this.#isClosed || this.#worthAPoll()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  #worthAPoll(): boolean {
    if (this.#trouble !== null) return true
    if (!this.#isHistoryRead) return false
    const run = this.#recorded[this.#recordedAt]
    if (run === undefined) return this.#ticks.length > 0 || this.#arrivals.length > 0
    const tail = this.#tails.get(`${run.id}/${run.partition}`)
    return run.id === ticksId || tail === undefined || tail.first !== undefined || tail.from >= run.to
  }
  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
  caughtUp(): boolean {
    if (this.#isClosed) return true
    if (this.#trouble !== null || !this.#isHistoryRead) return false
    if (this.#recordedAt < this.#recorded.length || this.#ticks.length > 0) return false
    for (const tail of this.#tails.values()) if (tail.first !== undefined || !tail.isFetched) return false
    return true
  }
  cursor(): Cursor {
    return this.#positions.cursor()
  }
  /** In which order everything between the two places was handed out; null if it was not by this follower. */
  route(from: Positions, to: Positions): Run[] | null {
    return this.#route.between(from, to)
  }
  get knowsRoute(): boolean {
    return this.#route.isWhole
  }
  /** What lies before this place is written down. */
  forget(before: Positions): void {
    this.#route.forget(before)
  }
  /** The log is closed under whoever follows: the next poll says so, for a closed follower would be silence for ever. */
  abandon(): void {
    this.#fail(new LogError('KAFKA_STORAGE_ERROR', 'the log is closed'))
    this.#goOn()
  }
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closed(this)
    this.#goOn()
    this.#wake()
  }
}

function gone(topic: string, partition: number, from: number, start: number, end: number): LogError {
  return new LogError(
    'OFFSET_OUT_OF_RANGE',
    `${topic}-${partition} holds offsets ${start} to ${end - 1}, what comes next is ${from}: retention did not wait. ` +
      'What was computed from it must be rebuilt from what the log still holds.',
  )
}
