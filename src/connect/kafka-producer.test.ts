// The Kafka producer's own part: what is sent together, when, what waits, and how failures are told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import type { World } from '../world/world.ts'
import { type KafkaClient, type KafkaProducerSettings, kafkaProducer } from './kafka-producer.ts'
import { ProduceError } from './record-producer.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const settings = { brokers: ['broker:9092'], sendBytes: 1_000 }

type Messages = Parameters<KafkaClient['send']>[0]
interface Sent {
  readonly messages: Messages
  readonly acknowledge: () => void
  readonly refuse: (error: Error) => void
}
/** A client that notes what it is given, and a world whose timers run when told. */
function stage(more: Partial<KafkaProducerSettings> = {}, auto = true) {
  const sent: Sent[] = []
  const timers: (() => void)[] = []
  let closed = 0
  const world: World = {
    ...nodeWorld({ seed: 'x' }),
    clock: {
      nowMs: () => 0,
      monoMs: () => 0,
      timer: (_delayMs, run) => {
        timers.push(run)
        return { cancel: () => void timers.splice(timers.indexOf(run) >>> 0, 1) }
      },
      sleep: () => Promise.reject(new Error('nobody sleeps here')),
      soon: (run) => run(),
    },
  }
  const client: KafkaClient = {
    send: (messages) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      sent.push({ messages, acknowledge: resolve, refuse: reject })
      if (auto) resolve()
      return promise
    },
    close: async () => void closed++,
  }
  const producer = kafkaProducer(world, { ...settings, ...more }, client)
  return {
    producer,
    sent,
    fire: () => {
      for (const run of timers.splice(0)) run()
    },
    closed: () => closed,
  }
}

test('records are copied, grouped by size or time, and flushed at close', async () => {
  const { producer, sent, fire, closed } = stage()
  const key = bytes('key')
  const value = bytes('value')
  producer.record('t', key, value, 1_234)
  key.fill(0)
  value.fill(0)
  assert.equal(sent.length, 0)
  fire()
  assert.deepEqual(sent[0]!.messages, [
    { topic: 't', key: Buffer.from('key'), value: Buffer.from('value'), timestamp: 1_234n },
  ])
  for (let i = 0; i < 11; i++) producer.record('t', bytes('k'), bytes('x'.repeat(83)), i)
  assert.equal(sent.length, 2)
  assert.equal(sent[1]!.messages.length, 10)
  producer.record('u', bytes('k'), null, 9)
  await producer.close()
  assert.equal(closed(), 1)
  assert.deepEqual(
    sent[2]!.messages.map(({ topic, value }) => [topic, value?.length]),
    [
      ['t', 83],
      ['u', undefined],
    ],
  )
  assert.equal(producer.counts().acknowledged, 13)
  assert.equal(producer.counts().waitingBytes, 0)
})

test('keyless records get a partition of their own making, another one for each group; keyed ones are left to the client', async () => {
  const { producer, sent } = stage()
  for (let i = 0; i < 40; i++) producer.record('t', null, bytes('x'.repeat(84)), 0)
  producer.record('t', bytes('k'), bytes('v'), 0)
  await producer.flush()
  const partitions = sent.map(({ messages }) => [...new Set(messages.map(({ partition }) => partition))])
  assert.deepEqual(partitions, [[0], [1], [2], [3], [undefined]])
})

test('five sends under way at most, then callers wait by bytes', async () => {
  const { producer, sent } = stage({ waitingBytesMax: 6_500 }, false)
  for (let i = 0; i < 6; i++) producer.record('t', bytes('k'), bytes('x'.repeat(1_000)), 0)
  assert.equal(sent.length, 5)
  assert.equal(producer.room(), null)
  producer.record('t', bytes('k'), bytes('x'.repeat(1_000)), 0)
  const room = producer.room()
  assert.ok(room !== null)
  sent[0]!.acknowledge()
  await room
  assert.equal(sent.length, 6)
})

test('a failure is told with topic, brokers and the innermost cause, and nothing is taken after it', async () => {
  const { producer, sent, closed } = stage({}, false)
  producer.record('t', bytes('k'), bytes('x'.repeat(1_000)), 0)
  const flushed = producer.flush()
  const network = new Error('Connection to broker:9092 failed.', { cause: new Error('connect ECONNREFUSED') })
  sent[0]!.refuse(new AggregateError([network], 'produce failed 4 times.'))
  const told = (error: unknown): boolean =>
    error instanceof ProduceError && /'t'.*broker:9092.*ECONNREFUSED/.test(error.message)
  await assert.rejects(flushed, told)
  assert.throws(() => producer.record('t', null, null, 0), told)
  await assert.rejects(producer.close(), told)
  assert.equal(closed(), 1)
})

test('nobody listens: the error says where, and comes soon', async () => {
  const nowhere = { brokers: ['127.0.0.1:1'], retries: 0, retryDelayMs: 10, requestTimeoutMs: 1_000 }
  const told = (error: unknown): boolean => error instanceof ProduceError && /127\.0\.0\.1:1/.test(error.message)
  const producer = kafkaProducer(nodeWorld(), nowhere)
  producer.record('t', bytes('k'), bytes('v'), 0)
  await assert.rejects(producer.close(), told)
})
