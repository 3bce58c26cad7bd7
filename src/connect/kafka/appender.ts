// Batches to partitions of a Kafka cluster in the name of one idempotent producer: acknowledged by all replicas, sent
// again until they are, each once. One batch of a partition is under way at a time; those of all partitions that a
// broker leads travel together.
import { type Appended, LogError } from '../../log/log.ts'
import { entryOf } from '../../std/maps.ts'
import { lsn, offset, type PartitionId } from '../../std/units.ts'
import type { BatchProducer } from '../../wire/batch-writer.ts'
import { hasProducer, recordCount } from '../../wire/record-batch.ts'
import { stampedBatch } from '../../wire/stamped-batch.ts'
import { apis } from '../../wire/wire.ts'
import type { KafkaCluster } from './cluster.ts'
import { asLogError, holdTo, isPassing, KafkaRefusal, kafkaErrorOf } from './refusal.ts'

const acksAll = -1
const sequenceModulus = 2 ** 31
/** Of one request; a batch that is larger travels alone. */
const requestBytesMax = 8 * 1024 * 1024
const againMs = 50

interface Waiting {
  readonly topic: string
  readonly partition: PartitionId
  readonly batch: Uint8Array
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: Error) => void
  readonly endMs: number
}
interface Lane {
  readonly topic: string
  readonly partition: PartitionId
  readonly waiting: Waiting[]
  /** The first of those that wait, as it was or is sent. */
  sent: Uint8Array | null
  /** In whose name it is sent. */
  sentAs: Identity | null
  underWay: boolean
  sequence: number
}
type Identity = Pick<BatchProducer, 'producerId' | 'producerEpoch'>

export class Appender {
  readonly #cluster: KafkaCluster
  readonly #bytesMax: number
  readonly #lanes = new Map<string, Lane>()
  #identity: Promise<Identity> | null = null
  #current: Identity | null = null
  #bytes = 0
  #pumping = false
  #isClosed = false

  /** `bytesMax`: waiting at most; more is refused, to be retried. */
  constructor(cluster: KafkaCluster, bytesMax: number) {
    this.#cluster = cluster
    this.#bytesMax = bytesMax
  }

  append(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended> {
    if (this.#isClosed) return Promise.reject(new LogError('KAFKA_STORAGE_ERROR', 'the log is closed'))
    if (this.#bytes > 0 && this.#bytes + batch.length > this.#bytesMax) {
      const message = `${this.#bytes} bytes wait for the cluster already, at most ${this.#bytesMax} may`
      return Promise.reject(new LogError('KAFKA_STORAGE_ERROR', message, { isTransient: true }))
    }
    this.#bytes += batch.length
    return new Promise((resolve, reject) => {
      const lane = entryOf(this.#lanes, `${topic}/${partition}`, () => {
        return { topic, partition, waiting: [], sent: null, sentAs: null, underWay: false, sequence: 0 }
      })
      const endMs = this.#cluster.world.clock.monoMs() + this.#cluster.settings.patienceMs
      lane.waiting.push({ topic, partition, batch, resolve, reject, endMs })
      this.#soon()
    })
  }
  #soon(): void {
    if (this.#pumping || this.#isClosed) return
    this.#pumping = true
    // What is appended in one go travels together.
    queueMicrotask(() => {
      this.#pumping = false
      void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    let identity: Identity
    try {
      identity = await this.#identify()
    } catch (error) {
      for (const lane of this.#lanes.values()) {
        while (lane.waiting.length > 0) this.#settle(lane, (waiting) => waiting.reject(asLogError(error, true)))
      }
      return
    }
    const byNode = new Map<number, Lane[]>()
    for (const lane of this.#lanes.values()) {
      if (lane.underWay || lane.waiting.length === 0) continue
      let leader: number
      try {
        leader = this.#cluster.leader(lane.topic, lane.partition)
      } catch (error) {
        this.#failed(lane, error)
        continue
      }
      entryOf(byNode, leader, () => []).push(lane)
    }
    for (const [node, lanes] of byNode) {
      let group: Lane[] = []
      let bytes = 0
      for (const lane of lanes) {
        lane.sent ??= this.#stamped(lane, identity)
        if (group.length > 0 && bytes + lane.sent.length > requestBytesMax) {
          void this.#send(node, group)
          group = []
          bytes = 0
        }
        group.push(lane)
        bytes += lane.sent.length
      }
      void this.#send(node, group)
    }
  }
  #stamped(lane: Lane, identity: Identity): Uint8Array {
    const { batch } = lane.waiting[0]!
    lane.sentAs = identity
    // A producer of its own has its own numbers.
    return hasProducer(batch) ? batch : stampedBatch(batch, { ...identity, baseSequence: lane.sequence }, false)
  }
  #identify(): Promise<Identity> {
    this.#identity ??= this.#cluster
      .patiently(async () => {
        const broker = await this.#cluster.any()
        const answer = await broker.ask(apis.initProducerId, { transactionalId: null, transactionTimeoutMs: 0 })
        holdTo(answer.errorCode, 'the cluster gives no identity to a producer')
        this.#current = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
        return this.#current
      })
      .catch((error: unknown) => {
        this.#identity = null
        throw error
      })
    return this.#identity
  }

  async #send(node: number, lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) lane.underWay = true
    try {
      const connection = await this.#cluster.node(node)
      const { requestTimeoutMs } = this.#cluster.settings
      const topicData = [...Map.groupBy(lanes, ({ topic }) => topic)].map(([name, own]) => ({
        name,
        topicId: new Uint8Array(16),
        partitionData: own.map(({ partition, sent }) => ({ index: partition, records: sent! })),
      }))
      const answer = await connection.ask(apis.produce, { acks: acksAll, timeoutMs: requestTimeoutMs, topicData })
      const answers = new Map(
        answer.responses.flatMap(({ name, partitionResponses }) =>
          partitionResponses.map((each) => [`${name}/${each.index}`, each] as const),
        ),
      )
      for (const lane of lanes) {
        lane.underWay = false
        const said = answers.get(`${lane.topic}/${lane.partition}`)
        const code = said === undefined ? 'UNKNOWN_SERVER_ERROR' : kafkaErrorOf(said.errorCode)
        if (said !== undefined && code === 'NONE') this.#acknowledged(lane, said.baseOffset, said.logAppendTimeMs)
        else
          this.#failed(
            lane,
            new KafkaRefusal(code, said?.errorMessage ?? `appending to ${lane.topic}-${lane.partition}`),
          )
      }
    } catch (error) {
      for (const lane of lanes) {
        lane.underWay = false
        this.#failed(lane, error)
      }
    }
    this.#soon()
  }

  #settle(lane: Lane, tell: (waiting: Waiting) => void): void {
    const waiting = lane.waiting.shift()!
    lane.sent = null
    this.#bytes -= waiting.batch.length
    tell(waiting)
  }
  #acknowledged(lane: Lane, base: number, logAppendTimeMs: number): void {
    const { batch } = lane.waiting[0]!
    if (!hasProducer(batch) && lane.sentAs === this.#current)
      lane.sequence = (lane.sequence + recordCount(batch)) % sequenceModulus
    const appendedMs = logAppendTimeMs >= 0 ? logAppendTimeMs : this.#cluster.world.clock.nowMs()
    this.#settle(lane, ({ resolve }) => resolve({ baseOffset: offset(base), lsn: lsn(base), appendedMs }))
  }
  #failed(lane: Lane, error: unknown): void {
    const { endMs } = lane.waiting[0]!
    const { clock } = this.#cluster.world
    if (!this.#isClosed && isPassing(error) && clock.monoMs() < endMs) {
      lane.underWay = true
      const again = (): void => {
        lane.underWay = false
        if (this.#isClosed) this.#failed(lane, error)
        else this.#soon()
      }
      clock.timer(againMs, () => void this.#cluster.look().then(again, again), { background: true })
      return
    }
    // It may or may not have been taken: whoever goes on under the same identity could not be told from it.
    if (isPassing(error) || (error instanceof KafkaRefusal && aboutIdentity.has(error.code))) this.#begin()
    do this.#settle(lane, ({ reject }) => reject(asLogError(error, false)))
    while (this.#isClosed && lane.waiting.length > 0)
  }
  /** As another producer: what is not under way gets new numbers. */
  #begin(): void {
    this.#identity = null
    this.#current = null
    for (const lane of this.#lanes.values()) {
      lane.sequence = 0
      if (!lane.underWay) lane.sent = null
    }
  }

  close(): void {
    this.#isClosed = true
    const error = new LogError('KAFKA_STORAGE_ERROR', 'the log is closed')
    for (const lane of this.#lanes.values()) {
      while (lane.waiting.length > 0 && !lane.underWay) this.#settle(lane, ({ reject }) => reject(error))
    }
  }
}
const aboutIdentity: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
])
