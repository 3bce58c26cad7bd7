// Records to a Kafka cluster (or a Millrace on a port) over its protocol: @platformatic/kafka behind our words, with the
// shop's settings: acks all, idempotent, 3 retries, snappy. The client has no linger and no batch size of its own: what
// is sent together is gathered here.
import { compatibilityPartitioner, Producer } from '@platformatic/kafka'
import { assert } from '../std/assert.ts'
import type { Timer, World } from '../world/world.ts'
import { type KafkaAccess, libraryAccess, openAccess } from './kafka-access.ts'
import { gate, ProduceError, type RecordProducer } from './record-producer.ts'

export interface KafkaProducerSettings {
  /** `host:port`, one or more. */
  readonly brokers: readonly string[]
  readonly clientId?: string
  /** By TLS, with a login; if not given: in plain text, as nobody. */
  readonly access?: KafkaAccess
  /** Records are sent together when they have grown to this size: about 16 KiB for each partition of a topic of six. */
  readonly sendBytes?: number
  /** Records are sent at the latest so long after the first of them was taken. */
  readonly lingerMs?: number
  /** At least 2: for an idempotent producer the client takes 0 and 1 as "for ever". */
  readonly retries?: number
  readonly retryDelayMs?: number
  readonly requestTimeoutMs?: number
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** `room` makes callers wait above this many bytes taken and not yet acknowledged. */
  readonly waitingBytesMax?: number
}
export const kafkaProducerDefaults = {
  clientId: 'millrace',
  access: openAccess,
  sendBytes: 96 * 1024,
  lingerMs: 5,
  retries: 3,
  retryDelayMs: 250,
  requestTimeoutMs: 10_000,
  compression: 'snappy',
  waitingBytesMax: 8 * 1024 * 1024,
} as const satisfies Omit<KafkaProducerSettings, 'brokers'>

/** Brokers remember the last five batches of a producer and partition. */
const sendsUnderWayMax = 5
const acksAll = -1

interface Message {
  readonly topic: string
  readonly key?: Buffer
  readonly value?: Buffer
  /** Set for keyless records only: the client's partitioner would send them all to partition 0. */
  readonly partition?: number
  readonly timestamp: bigint
}
/** The part of the client that is used: what a test stands in for. */
export interface KafkaClient {
  send(messages: Message[]): Promise<void>
  close(): Promise<void>
}

export function kafkaProducer(
  world: World,
  settings: KafkaProducerSettings,
  client: KafkaClient = kafkaClient(settings),
): RecordProducer {
  const { sendBytes, lingerMs, waitingBytesMax } = { ...kafkaProducerDefaults, ...settings }
  const crowd = gate()
  const idle = gate()
  const groups: { readonly messages: Message[]; readonly bytes: number }[] = []
  let open: Message[] = []
  let openBytes = 0
  let timer: Timer | null = null
  /** Keyless records of one group share it; the client takes it modulo the topic's partitions. */
  let sticky = 0
  let underWay = 0
  let records = 0
  let acknowledged = 0
  let sends = 0
  let sentBytes = 0
  let waitingBytes = 0
  let failed: ProduceError | null = null
  let closed = false

  const finish = (): void => {
    timer?.cancel()
    timer = null
    if (open.length === 0) return
    groups.push({ messages: open, bytes: openBytes })
    waitingBytes += openBytes
    open = []
    openBytes = 0
    sticky = (sticky + 1) % 0x7fffffff
    idle.shut()
    if (waitingBytes > waitingBytesMax) crowd.shut()
    send()
  }
  const send = (): void => {
    while (failed === null && underWay < sendsUnderWayMax) {
      const group = groups.shift()
      if (group === undefined) return
      underWay++
      sends++
      sentBytes += group.bytes
      client.send(group.messages).then(
        () => {
          underWay--
          acknowledged += group.messages.length
          waitingBytes -= group.bytes
          if (waitingBytes <= waitingBytesMax) crowd.open()
          if (waitingBytes === 0) idle.open()
          send()
        },
        (error: unknown) => fail(group.messages[0]?.topic ?? '', error),
      )
    }
  }
  const fail = (topic: string, cause: unknown): void => {
    failed ??= new ProduceError(
      topic,
      `not delivered to ${settings.brokers.join(', ')}: ${reasonOf(cause)}`,
      'Is the broker running there, and does it have the topic?',
      { cause },
    )
    timer?.cancel()
    crowd.fail(failed)
    idle.fail(failed)
  }
  const flush = async (): Promise<void> => {
    if (failed !== null) throw failed
    finish()
    await idle.wait()
  }

  return {
    record(topic, key, value, timeMs) {
      if (failed !== null) throw failed
      assert(!closed, 'a record after close')
      open.push({
        topic,
        timestamp: BigInt(timeMs),
        ...(key === null ? { partition: sticky } : { key: Buffer.from(key) }),
        ...(value === null ? {} : { value: Buffer.from(value) }),
      })
      openBytes += (key?.length ?? 0) + (value?.length ?? 0) + 16
      records++
      if (openBytes >= sendBytes) finish()
      else if (timer === null) {
        timer = world.clock.timer(lingerMs, () => {
          timer = null
          finish()
        })
      }
    },
    room: () => crowd.wait(),
    flush,
    trouble: () => null,
    counts: () => ({ records, acknowledged, sends, sentBytes, waitingBytes }),
    async close() {
      if (closed) return
      closed = true
      try {
        await flush()
      } finally {
        await client.close()
      }
    },
  }
}

function kafkaClient(settings: KafkaProducerSettings): KafkaClient {
  const { clientId, retries, retryDelayMs, requestTimeoutMs, compression, access } = {
    ...kafkaProducerDefaults,
    ...settings,
  }
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId,
    bootstrapBrokers: [...settings.brokers],
    retries: Math.max(2, retries),
    retryDelay: retryDelayMs,
    requestTimeout: requestTimeoutMs,
    acks: acksAll,
    idempotent: true,
    compression,
    // The Java client's choice of partition; the library's own default differs from it on 3 or 6 partitions.
    partitioner: compatibilityPartitioner,
    autocreateTopics: false,
    ...libraryAccess(access),
  })
  return {
    send: async (messages) => void (await producer.send({ messages })),
    close: () => producer.close(),
  }
}

/** The first cause that says something: the client wraps what the network or the broker said in several layers. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error instanceof Error) {
    if (error.cause instanceof Error) return reasonOf(error.cause)
    return error.message || error.name
  }
  return String(error)
}
