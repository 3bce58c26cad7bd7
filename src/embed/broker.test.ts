// Tests of the broker as a library: opened in a test, used by a stranger's client, looked at, closed.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { BrokerError, openBroker, type StoredRecord } from './broker.ts'

const text = (record: StoredRecord | undefined): string => new TextDecoder().decode(record?.value ?? undefined)
const refused = (code: string) => (error: unknown) => error instanceof BrokerError && error.code === code

test("a stranger's producer writes, the test sees the records with key, headers and time", async () => {
  await using broker = await openBroker({ ephemeral: true })
  await broker.createTopic('orders', { partitions: 3 })
  assert.deepEqual(broker.topics(), ['orders'])
  const client = new Kafka({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  const waiting = broker.waitForRecords('orders', 3)
  await producer.send({
    topic: 'orders',
    messages: [
      { key: 'a', value: 'one', headers: { source: 'shop' }, timestamp: '1700000000000', partition: 1 },
      { key: null, value: 'two', partition: 1 },
      { key: 'b', value: null, partition: 2 },
    ],
  })
  const [one, two, three] = await waiting
  assert.equal(text(one), 'one')
  assert.deepEqual(
    {
      ...one,
      key: String(one?.key),
      value: null,
      headers: one?.headers.map(({ name, value }) => [name, String(value)]),
    },
    {
      topic: 'orders',
      partition: 1,
      offset: 0,
      timestampMs: 1700000000000,
      key: '97',
      value: null,
      headers: [['source', '115,104,111,112']],
    },
  )
  assert.equal(text(two), 'two')
  assert.equal(two?.key, null)
  assert.equal(three?.value, null)
  await producer.disconnect()
})

test('records that a test puts in reach a consumer; equal keys go where Kafka would send them', async () => {
  await using broker = await openBroker({ ephemeral: true })
  await broker.createTopic('payments', { partitions: 6 })
  const stored = await broker.produce(
    'payments',
    Array.from({ length: 20 }, (_, i) => ({
      key: `customer-${i % 4}`,
      value: JSON.stringify({ i }),
      headers: { n: `${i}` },
    })),
  )
  assert.equal(stored.length, 20)
  const client = new Kafka({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId: 'test' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'payments', fromBeginning: true })
  const got = new Map<string, string>()
  const all = new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ partition, message }) => {
        got.set(`${partition}/${message.offset}`, String(message.value))
        if (got.size === 20) resolve()
      },
    })
  })
  await all
  for (const record of stored) assert.equal(got.get(`${record.partition}/${record.offset}`), text(record))
  await consumer.disconnect()
  // As murmur2 of Kafka's own producer has it.
  const partitions = new Map(
    stored.map(({ key, partition }) => [new TextDecoder().decode(key ?? undefined), partition]),
  )
  assert.equal(partitions.size, 4)
})

test('more records than a batch takes are stored in their order', async () => {
  await using broker = await openBroker({ ephemeral: true })
  const value = 'x'.repeat(1000)
  const stored = await broker.produce(
    'many',
    Array.from({ length: 3000 }, (_, i) => ({ value: `${i} ${value}`, partition: 0 })),
  )
  assert.deepEqual(
    stored.map(({ offset }) => offset),
    Array.from({ length: 3000 }, (_, i) => i),
  )
  const read = await broker.records('many')
  assert.equal(read.length, 3000)
  for (const [i, record] of read.entries()) assert.ok(text(record).startsWith(`${i} `))
  assert.equal((await broker.records('many', { recordsMax: 7 })).length, 7)
})

test('a folder keeps what was written; a second broker on it is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-embed-'))
  try {
    const first = await openBroker({ dataDir: folder })
    await first.produce('kept', [{ key: 'k', value: 'v' }])
    await assert.rejects(openBroker({ dataDir: folder }), /in use|taken|another/)
    await first.close()
    await using again = await openBroker({ dataDir: folder })
    assert.deepEqual(again.topics(), ['kept'])
    assert.equal(text((await again.records('kept'))[0]), 'v')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test("what is wrong is said in Kafka's words", async () => {
  await using broker = await openBroker({ ephemeral: true, autoCreatePartitions: false })
  await broker.createTopic('there')
  await assert.rejects(broker.createTopic('there'), refused('TOPIC_ALREADY_EXISTS'))
  await assert.rejects(broker.createTopic('a/b'), refused('INVALID_TOPIC_EXCEPTION'))
  await assert.rejects(broker.createTopic('x', { configs: { nonsense: '1' } }), refused('INVALID_CONFIG'))
  await assert.rejects(broker.produce('absent', [{ value: 'v' }]), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(broker.produce('there', [{ value: 'v', partition: 7 }]), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(broker.produce('there', [{ value: 'x'.repeat(2 << 20) }]), refused('MESSAGE_TOO_LARGE'))
  await assert.rejects(broker.records('absent'), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(broker.waitForRecords('there', 1, { timeoutMs: 20 }), refused('REQUEST_TIMED_OUT'))
  await broker.deleteTopic('there')
  assert.deepEqual(broker.topics(), [])
  await assert.rejects(openBroker({}), TypeError)
  await assert.rejects(openBroker({ ephemeral: true, dataDir: '/x' }), TypeError)
})

test('logins, TLS and access rules, for programs that must cope with them', async () => {
  const file = (name: string): Buffer => readFileSync(new URL(`../../tests/certificates/${name}`, import.meta.url))
  await using broker = await openBroker({
    ephemeral: true,
    sasl: ['SCRAM-SHA-256'],
    tls: { certificate: file('server.pem'), key: file('server.key') },
    users: [
      { user: 'root', password: 'r' },
      { user: 'ann', password: 'a' },
    ],
    superUsers: ['root'],
  })
  await broker.createTopic('orders')
  const topicsOf = async (username: string, password: string): Promise<readonly string[]> => {
    const client = new Kafka({
      brokers: [...broker.brokers],
      ssl: { ca: [file('authority.pem')] },
      sasl: { mechanism: 'scram-sha-256', username, password },
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    })
    const admin = client.admin()
    try {
      await admin.connect()
      return await admin.listTopics()
    } finally {
      await admin.disconnect()
    }
  }
  assert.deepEqual(await topicsOf('root', 'r'), ['orders'])
  assert.deepEqual(await topicsOf('ann', 'a'), [])
  await assert.rejects(topicsOf('ann', 'r'), /authentication failed/i)
  await assert.rejects(openBroker({ ephemeral: true, host: '0.0.0.0' }), /open to anybody/)
})

test('two who produce to a topic that is not there yet both succeed; an address of IPv6 stands in brackets', async () => {
  await using broker = await openBroker({ ephemeral: true, host: '::1' })
  assert.deepEqual([...broker.brokers], [`[::1]:${broker.port}`])
  await Promise.all(['one', 'two', 'three'].map((value) => broker.produce('new', [{ value }])))
  const values = (await broker.records('new')).map(text)
  assert.deepEqual(values.sort(), ['one', 'three', 'two'])
})
