// Records of any topic, gathered by partition into Kafka record batches and handed to a log: the producer inside the
// process. Partitions are those that Kafka's Java producer would choose.
import { type Appended, LogError } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import { type PartitionId, partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { Compression } from '../wire/compression.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import type { Timer, World } from '../world/world.ts'
import { gate, ProduceError, type RecordProducer } from './record-producer.ts'

export interface BatchProducerSettings {
  /** A batch is finished when it has grown to this size (before compression); a larger record makes one of its own. */
  readonly batchBytes?: number
  /** A batch is finished at the latest so long after its first record. 0: only size and `flush` finish batches. */
  readonly lingerMs?: number
  readonly compression?: Compression
  /** `room` makes callers wait above this many bytes taken and not yet acknowledged. */
  readonly waitingBytesMax?: number
  /** An identity from the log makes batches idempotent: numbered per partition, at most five of them under way. */
  readonly producer?: { readonly producerId: bigint; readonly epoch: number }
}
export const batchProducerDefaults = {
  batchBytes: 16 * 1024,
  lingerMs: 5,
  compression: 'snappy',
  waitingBytesMax: 32 * 1024 * 1024,
} as const satisfies BatchProducerSettings

export interface BatchReceiver {
  /** How many partitions the topic has; null when there is no such topic. */
  partitions(topic: string): number | null
  /** Batches of one partition arrive in the order of the calls. */
  append(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended>
}

/** Brokers remember the last five batches of a producer and partition: more under way could not be told apart. */
const batchesUnderWayMax = 5
const sequenceModulus = 2 ** 31
/** What the log does not take for the time being (its disk is full) is sent again so soon. */
const sendAgainMs = 500

interface Finished {
  readonly batch: Uint8Array
  readonly records: number
  readonly takenBytes: number
  /** Counts up in the lane. */
  readonly number: number
}
/** One partition's batch in the making and those that wait behind the ones under way. */
interface Lane {
  readonly topic: string
  readonly partition: PartitionId
  readonly writer: BatchWriter
  timer: Timer | null
  nextSequence: number
  nextNumber: number
  underWay: number
  /** Of those under way, what the log did not take, perhaps for the time being: nothing more is sent until all are back. */
  readonly refused: { readonly finished: Finished; readonly error: LogError }[]
  readonly finished: Finished[]
}

export function batchProducer(
  world: World,
  receiver: BatchReceiver,
  settings: BatchProducerSettings = {},
): RecordProducer {
  const { batchBytes, lingerMs, compression, waitingBytesMax } = { ...batchProducerDefaults, ...settings }
  const { producer } = settings
  const lanesByTopic = new Map<string, (Lane | undefined)[]>()
  /** The partition that keyless records go to until its batch is finished, by topic. */
  const stickyPartition = new Map<string, number>()
  const crowd = gate()
  const idle = gate()
  let records = 0
  let acknowledged = 0
  let sends = 0
  let sentBytes = 0
  let waitingBytes = 0
  let failed: ProduceError | null = null
  let closed = false
  let trouble: LogError | null = null
  const waitingToSend = new Set<Timer>()

  const lanesOf = (topic: string): (Lane | undefined)[] => {
    const known = lanesByTopic.get(topic)
    if (known !== undefined) return known
    const count = receiver.partitions(topic)
    if (count === null) throw new ProduceError(topic, 'there is no such topic', 'Create it first')
    const lanes = new Array<Lane | undefined>(count).fill(undefined)
    lanesByTopic.set(topic, lanes)
    return lanes
  }
  const laneOf = (topic: string, key: Uint8Array | null): Lane => {
    const lanes = lanesOf(topic)
    const partition = key === null ? (stickyPartition.get(topic) ?? 0) : partitionOfKey(key, lanes.length)
    let lane = lanes[partition]
    if (lane === undefined) {
      const writer = new BatchWriter({ compression, initialBytes: batchBytes + 1_024 })
      lane = {
        topic,
        partition: partitionId(partition),
        writer,
        timer: null,
        nextSequence: 0,
        nextNumber: 0,
        underWay: 0,
        refused: [],
        finished: [],
      }
      lanes[partition] = lane
    }
    return lane
  }

  const finish = (lane: Lane): void => {
    lane.timer?.cancel()
    lane.timer = null
    const count = lane.writer.count
    if (count === 0) return
    const takenBytes = lane.writer.sizeBytes
    const batch = lane.writer.finish(
      producer === undefined
        ? null
        : { producerId: producer.producerId, producerEpoch: producer.epoch, baseSequence: lane.nextSequence },
    )
    lane.nextSequence = (lane.nextSequence + count) % sequenceModulus
    const partitions = lanesOf(lane.topic).length
    if ((stickyPartition.get(lane.topic) ?? 0) === lane.partition) {
      stickyPartition.set(lane.topic, (lane.partition + 1) % partitions)
    }
    lane.finished.push({ batch, records: count, takenBytes, number: lane.nextNumber++ })
    waitingBytes += takenBytes
    idle.shut()
    if (waitingBytes > waitingBytesMax) crowd.shut()
    send(lane)
  }
  const send = (lane: Lane): void => {
    while (failed === null && lane.underWay < batchesUnderWayMax && lane.refused.length === 0) {
      const next = lane.finished.shift()
      if (next === undefined) return
      lane.underWay++
      sends++
      sentBytes += next.batch.length
      receiver.append(lane.topic, lane.partition, next.batch).then(
        () => {
          lane.underWay--
          acknowledged += next.records
          waitingBytes -= next.takenBytes
          if (waitingBytes <= waitingBytesMax) crowd.open()
          if (waitingBytes === 0) idle.open()
          if (lane.refused.length === 0) {
            trouble = null
            send(lane)
          } else sendAgain(lane)
        },
        (error: unknown) => {
          lane.underWay--
          // Behind a batch that is not taken those of the same producer are out of order: the ones before will tell.
          if (error instanceof LogError && (error.isTransient || error.code === 'OUT_OF_ORDER_SEQUENCE_NUMBER')) {
            lane.refused.push({ finished: next, error })
            sendAgain(lane)
          } else fail(lane.topic, error)
        },
      )
    }
  }
  const sendAgain = (lane: Lane): void => {
    if (lane.underWay > 0) return
    const transient = lane.refused.find(({ error }) => error.isTransient)?.error
    if (transient === undefined || closed) {
      fail(lane.topic, lane.refused[0]!.error)
      return
    }
    trouble = transient
    // Nothing else of this lane goes out meanwhile, so all that follows is still in order behind them.
    const again = lane.refused.map(({ finished }) => finished).sort((a, b) => a.number - b.number)
    const timer = world.clock.timer(
      sendAgainMs,
      () => {
        waitingToSend.delete(timer)
        lane.refused.length = 0
        lane.finished.unshift(...again)
        send(lane)
      },
      { background: true },
    )
    waitingToSend.add(timer)
  }
  const fail = (topic: string, cause: unknown): void => {
    failed ??= new ProduceError(
      topic,
      `the log refused a batch: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Nothing recorded after it was delivered; see the cause',
      { cause },
    )
    for (const lanes of lanesByTopic.values()) {
      for (const lane of lanes) lane?.timer?.cancel()
    }
    for (const timer of waitingToSend) timer.cancel()
    waitingToSend.clear()
    crowd.fail(failed)
    idle.fail(failed)
  }

  const flush = async (): Promise<void> => {
    if (failed !== null) throw failed
    for (const lanes of lanesByTopic.values()) {
      for (const lane of lanes) if (lane !== undefined) finish(lane)
    }
    await idle.wait()
  }

  return {
    record(topic, key, value, timeMs) {
      if (failed !== null) throw failed
      assert(!closed, 'a record after close')
      let lane = laneOf(topic, key)
      const size = (key?.length ?? 0) + (value?.length ?? 0)
      if (lane.writer.count > 0 && lane.writer.sizeBytes + size > batchBytes) {
        finish(lane)
        // A keyless record opens the batch of the next partition.
        lane = laneOf(topic, key)
      }
      lane.writer.append(key, value, timeMs)
      records++
      if (lane.writer.sizeBytes >= batchBytes) finish(lane)
      else if (lane.timer === null && lingerMs > 0) {
        lane.timer = world.clock.timer(lingerMs, () => {
          lane.timer = null
          finish(lane)
        })
      }
    },
    room: () => crowd.wait(),
    flush,
    counts: () => ({ records, acknowledged, sends, sentBytes, waitingBytes }),
    trouble: () => trouble,
    async close() {
      if (closed) return
      closed = true
      const refused = [...lanesByTopic.values()].flat().find((lane) => (lane?.refused.length ?? 0) > 0)
      if (refused !== undefined) fail(refused.topic, trouble)
      await flush()
    },
  }
}
