// The broker for other people's programs and tests: `import { openBroker } from 'millrace/broker'`. It listens on the
// Kafka protocol in this process, in memory or on a folder, and lets a test put records in and look at what came.
//
// This file is the package's public surface: it names no type of another room, so its declarations stand alone.
import { type Broker, openBroker as openInnerBroker } from '../broker/broker.ts'
import { LogError } from '../log/log.ts'
import { offset, partitionId } from '../std/units.ts'
import { nodeWorld } from '../world/node.ts'
import type { Clock } from '../world/world.ts'
import { batchesOf, partitionsOf, recordsIn } from './records.ts'

export interface BrokerOptions {
  /** In memory: nothing touches the disk, everything is gone at the end. This, or a `dataDir`. */
  readonly ephemeral?: true
  /** The folder that keeps the data; made if it is not there. One broker at a time has it. */
  readonly dataDir?: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: a free one, see `port` of what opens. */
  readonly port?: number
  /** `power` (the default): acknowledged = on disk. `process`: acknowledged = written. In memory it makes no difference. */
  readonly durability?: 'power' | 'process'
  /** Topics are made on first use with so many partitions; `false`: they are not. Default 1. */
  readonly autoCreatePartitions?: number | false
  /** Clients must log in: with these mechanisms, or `[]` with any that is safe there. */
  readonly sasl?: readonly ('PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512')[]
  /** Who may log in, beside those that administrators add. */
  readonly users?: readonly { readonly user: string; readonly password: string }[]
  /** May do everything; with one of them access control is on, and everyone else needs rules (ACLs). */
  readonly superUsers?: readonly string[]
  /** PEM. With `clientCa` clients must show a certificate of that authority. */
  readonly tls?: { readonly certificate: Uint8Array; readonly key: Uint8Array; readonly clientCa?: Uint8Array }
  /** Allows a `host` that other machines can reach without authentication, or PLAIN there without TLS. */
  readonly insecure?: boolean
}
export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number
  /** Kafka topic configs by Kafka's names. */
  readonly configs?: Readonly<Record<string, string>>
}
/** A record to put in. Text is written as UTF-8. */
export interface NewRecord {
  readonly key?: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
  /** Ms since 1970; default: now. */
  readonly timestampMs?: number
  /** Default: by the key as Kafka's own producer chooses, without a key 0. */
  readonly partition?: number
}
/** A record as it lies in the log. `text` of the bytes is `new TextDecoder().decode(value)`. */
export interface StoredRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[]
}
export interface OpenBroker extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** For a client's list of bootstrap servers: one `host:port`. */
  readonly brokers: readonly string[]
  /** Rejects with a BrokerError: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG. */
  createTopic(name: string, options?: TopicOptions): Promise<void>
  /** Rejects with a BrokerError UNKNOWN_TOPIC_OR_PARTITION. */
  deleteTopic(name: string): Promise<void>
  topics(): readonly string[]
  /**
   * Appends records as a producer would; resolves when they are durable, in their order, to what is now stored of them.
   * A topic that is not there is made, as for any client. Rejects with a BrokerError.
   */
  produce(topic: string, records: readonly NewRecord[]): Promise<readonly StoredRecord[]>
  /** What the topic holds, partition after partition; at most `recordsMax` (default 10,000). */
  records(topic: string, options?: { readonly recordsMax?: number }): Promise<readonly StoredRecord[]>
  /** Resolves once the topic holds at least so many records; rejects after `timeoutMs` (default 10 s) telling how many. */
  waitForRecords(
    topic: string,
    count: number,
    options?: { readonly timeoutMs?: number },
  ): Promise<readonly StoredRecord[]>
  close(): Promise<void>
}

/** What the broker refuses; `code` is the name of Kafka's error. */
export class BrokerError extends Error {
  override name = 'BrokerError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const recordsMaxDefault = 10_000
const readBytesMax = 1 << 20

/** Rejects with a TypeError if the options contradict each other, with the broker's own error if it cannot open. */
export async function openBroker(options: BrokerOptions): Promise<OpenBroker> {
  const { ephemeral, dataDir, autoCreatePartitions = 1 } = options
  if ((ephemeral === true) === (dataDir !== undefined)) {
    throw new TypeError('openBroker takes either ephemeral: true (data in memory) or dataDir (a folder that keeps it)')
  }
  const world = nodeWorld()
  const broker = await openInnerBroker(world, {
    dataDir: dataDir ?? null,
    durability: options.durability ?? 'power',
    autoCreate: autoCreatePartitions === false ? null : { partitions: autoCreatePartitions },
    users: options.users ?? [],
    superUsers: options.superUsers ?? [],
  })
  const close = (): Promise<void> => broker.close()
  try {
    const { sasl, tls, insecure } = options
    const { host, port } = await broker.listen({
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls }),
      ...(insecure === undefined ? {} : { insecure }),
    })
    return {
      host,
      port,
      brokers: [`${host.includes(':') ? `[${host}]` : host}:${port}`],
      createTopic: (name, { partitions = 1, configs = {} } = {}) =>
        inOwnWords(async () => {
          await broker.createTopic({ name, partitions, configs })
        }),
      deleteTopic: (name) => inOwnWords(() => broker.deleteTopic(name)),
      topics: () =>
        broker
          .topics()
          .filter(({ internal }) => !internal)
          .map(({ name }) => name),
      produce: (topic, records) => inOwnWords(() => produce(broker, topic, records, world.clock)),
      records: (topic, { recordsMax = recordsMaxDefault } = {}) => inOwnWords(() => read(broker, topic, recordsMax)),
      async waitForRecords(topic, count, { timeoutMs = 10_000 } = {}) {
        let over = false
        const timer = world.clock.timer(timeoutMs, () => {
          over = true
          wake()
        })
        let wake = (): void => {}
        const stop = broker.onAdvance(() => wake())
        try {
          for (;;) {
            // Asked for before looking, so that what comes in between is not missed.
            const news = new Promise<void>((resolve) => {
              wake = resolve
            })
            const there = broker.topic(topic) === null ? [] : await inOwnWords(() => read(broker, topic, count))
            if (there.length >= count) return there
            if (over) {
              throw new BrokerError('REQUEST_TIMED_OUT', `${topic} holds ${there.length} records after ${timeoutMs} ms`)
            }
            await news
          }
        } finally {
          timer.cancel()
          stop()
        }
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function inOwnWords<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof LogError) throw new BrokerError(error.code, error.message, { cause: error })
    throw error
  }
}

async function produce(
  broker: Broker,
  topic: string,
  records: readonly NewRecord[],
  clock: Clock,
): Promise<StoredRecord[]> {
  const nowMs = clock.nowMs()
  while (broker.topic(topic) === null && broker.autoCreate !== null) {
    try {
      await broker.createTopic({ name: topic, partitions: broker.autoCreate.partitions })
    } catch (error) {
      // Another call, or a client, was quicker: its topic is there as soon as that is durable.
      if (!(error instanceof LogError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error
      await clock.sleep(1)
    }
  }
  const partitions = broker.topic(topic)?.partitions
  if (partitions === undefined) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`)
  const outgoing = partitionsOf(records, partitions, nowMs)
  const stored: StoredRecord[] = []
  const groups = Map.groupBy(outgoing, ({ partition }) => partition)
  await Promise.all(
    [...groups].map(async ([partition, group]) => {
      for (const batch of batchesOf(group)) {
        const { baseOffset } = await broker.append(topic, partitionId(partition), batch.bytes)
        for (const [i, { at, partition: _, ...record }] of batch.records.entries()) {
          stored[at] = { topic, partition, offset: baseOffset + i, ...record }
        }
      }
    }),
  )
  return stored
}

async function read(broker: Broker, topic: string, recordsMax: number): Promise<StoredRecord[]> {
  const partitions = broker.topic(topic)?.partitions
  if (partitions === undefined) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`)
  const found: StoredRecord[] = []
  for (let partition = 0; partition < partitions && found.length < recordsMax; partition++) {
    const id = partitionId(partition)
    const { start, end } = broker.offsets(topic, id)
    for (let from: number = start; from < end && found.length < recordsMax; ) {
      const { batches, next } = await broker.readCommitted(topic, id, offset(from), readBytesMax)
      for (const batch of batches) {
        for (const record of recordsIn(batch)) {
          if (record.offset >= from && found.length < recordsMax) found.push({ topic, partition, ...record })
        }
      }
      // From here on records wait for the end of a transaction.
      if (next === from) break
      from = next
    }
  }
  return found
}
