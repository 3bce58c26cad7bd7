// @platformatic/kafka, the client the application itself uses on a cluster: admin, idempotent producer, plain fetch.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  Admin,
  Consumer,
  compatibilityPartitioner,
  defaultPartitioner,
  ListOffsetTimestamps,
  ProduceAcks,
  Producer,
  type ProducerOptions,
  type RecordsBatch,
} from '@platformatic/kafka'
import { codecOf, hasProducer, isAppendTime, maxTimestampMs } from '../../src/wire/record-batch.ts'
import { freshTopic, openTestBroker, storedBatches, type TestBroker } from './test-broker.suite.ts'

let broker: TestBroker
const open: { close(): Promise<void> }[] = []
before(async () => {
  broker = await openTestBroker()
})
after(async () => {
  for (const client of open.reverse()) await client.close()
  await broker.close()
})
const base = () => ({ clientId: 'test', bootstrapBrokers: [broker.address], retries: 3, retryDelay: 100 })
function admin(): Admin {
  const client = new Admin(base())
  open.push(client)
  return client
}
function producer(options: Partial<ProducerOptions<Buffer, Buffer, Buffer, Buffer>> = {}) {
  const client = new Producer({
    ...base(),
    idempotent: true,
    acks: ProduceAcks.ALL,
    partitioner: compatibilityPartitioner,
    ...options,
  })
  open.push(client)
  return client
}
async function topicOf(partitions: number): Promise<string> {
  const topic = freshTopic('platformatic')
  await admin().createTopics({ topics: [topic], partitions, replicas: 1 })
  return topic
}
/** Reads a partition with the client's own fetch, which needs no group. */
async function fetchAll(topic: string, partition: number): Promise<RecordsBatch['records']> {
  const client = new Consumer({ ...base(), groupId: 'unused' })
  try {
    const metadata = await client.metadata({ topics: [topic] })
    const { id, partitions } = metadata.topics.get(topic)!
    const records: RecordsBatch['records'] = []
    for (;;) {
      const answer = await client.fetch({
        node: partitions[partition]!.leader,
        maxWaitTime: 100,
        minBytes: 1,
        maxBytes: 1 << 20,
        topics: [
          {
            topicId: id,
            partitions: [
              {
                partition,
                currentLeaderEpoch: partitions[partition]!.leaderEpoch,
                fetchOffset: BigInt(records.length),
                lastFetchedEpoch: -1,
                partitionMaxBytes: 1 << 20,
              },
            ],
          },
        ],
      })
      const batches = answer.responses[0]?.partitions[0]?.records ?? []
      if (batches.length === 0) return records
      for (const batch of batches) records.push(...batch.records)
    }
  } finally {
    await client.close()
  }
}

test('admin: topics are created, listed, described and deleted', async () => {
  const client = admin()
  const topic = freshTopic('platformatic-admin')
  const configs = [{ name: 'retention.ms', value: '3600000' }]
  const created = await client.createTopics({ topics: [topic], partitions: 3, replicas: 1, configs })
  assert.deepEqual(
    created.map(({ name, partitions, replicas }) => [name, partitions, replicas]),
    [[topic, 3, 1]],
  )
  assert.equal(created[0]?.configuration['retention.ms'], '3600000')
  assert.ok((await client.listTopics()).includes(topic))
  const metadata = await client.metadata({ topics: [topic] })
  assert.equal(metadata.topics.get(topic)?.partitionsCount, 3)
  assert.equal(metadata.topics.get(topic)?.id, created[0]?.id)
  const [described] = await client.describeConfigs({ resources: [{ resourceType: 2, resourceName: topic }] })
  const config = described?.configs.find(({ name }) => name === 'retention.ms')
  assert.deepEqual([config?.value, config?.configSource], ['3600000', 1])
  await assert.rejects(client.createTopics({ topics: [topic], partitions: 3, replicas: 1 }))
  await client.deleteTopics({ topics: [topic] })
  assert.equal((await client.listTopics()).includes(topic), false)
  await assert.rejects(client.deleteTopics({ topics: [topic] }))
})

test('admin: what cannot be is refused', async () => {
  const client = admin()
  const refused = (options: object) =>
    assert.rejects(client.createTopics({ topics: [freshTopic('refused')], partitions: 1, replicas: 1, ...options }))
  await refused({ topics: ['no/such'] })
  await refused({ replicas: 3 })
  await refused({ configs: [{ name: 'no.such.config', value: '1' }] })
})

test('admin: a topic made anew under its old name has another id and is empty', async () => {
  const client = admin()
  const topic = freshTopic('again')
  const [first] = await client.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  const sender = producer()
  await sender.send({ messages: [{ topic, partition: 0, value: Buffer.from('old') }] })
  await client.deleteTopics({ topics: [topic] })
  const [second] = await client.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  assert.notEqual(first?.id, second?.id)
  assert.deepEqual(await storedBatches(broker, topic, 0), [])
})

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`producer: idempotent, acks all, ${compression}: stored as sent, and fetched back`, async () => {
    const topic = await topicOf(1)
    const client = producer({ compression })
    const messages = Array.from({ length: 300 }, (_, i) => ({
      topic,
      key: Buffer.from(`k${i}`),
      value: Buffer.from(`value number ${i}, value number ${i}`),
      headers: new Map([[Buffer.from('h'), Buffer.from(String(i))]]),
      timestamp: 1_700_000_000_000n + BigInt(i),
    }))
    const { offsets } = await client.send({ messages: messages.slice(0, 100) })
    assert.deepEqual(offsets, [{ topic, partition: 0, offset: 0n }])
    await client.send({ messages: messages.slice(100) })
    const batches = await storedBatches(broker, topic, 0)
    assert.equal(batches.length, 2)
    for (const batch of batches) {
      assert.equal(codecOf(batch), compression)
      assert.ok(hasProducer(batch))
    }
    const records = await fetchAll(topic, 0)
    assert.deepEqual(
      records.map(({ key, value, headers }) => [String(key), String(value), headers.map((pair) => pair.map(String))]),
      messages.map(({ key, value }, i) => [String(key), String(value), [['h', String(i)]]]),
    )
  })
}

test('producer: 200 sends at once, none lost, none doubled, in order', async () => {
  const topic = await topicOf(1)
  const client = producer()
  const values = Array.from({ length: 200 }, (_, i) => `v${i}`)
  await Promise.all(
    values.map((value) => client.send({ messages: [{ topic, partition: 0, value: Buffer.from(value) }] })),
  )
  const records = await fetchAll(topic, 0)
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    values,
  )
})

test('producer: two producers at once, tombstones, empty keys, autocreated topics', async () => {
  const topic = freshTopic('auto')
  const [one, two] = [producer({ autocreateTopics: true }), producer({ autocreateTopics: true, idempotent: false })]
  await one.send({ messages: [{ topic, partition: 0, key: Buffer.from('a'), value: Buffer.from('1') }] })
  await two.send({ messages: [{ topic, partition: 0, key: Buffer.from('a') }] })
  await one.send({ messages: [{ topic, partition: 0, key: Buffer.alloc(0), value: Buffer.alloc(0) }] })
  const records = await fetchAll(topic, 0)
  assert.deepEqual(
    records.map(({ key, value }) => [key === null ? null : String(key), value === null ? null : String(value)]),
    [
      ['a', '1'],
      ['a', null],
      ['', ''],
    ],
  )
})

test('admin: offsets at the ends and by time', async () => {
  const topic = await topicOf(2)
  const sender = producer()
  for (const timestamp of [1_000n, 3_000n, 2_000n]) {
    await sender.send({ messages: [{ topic, partition: 1, value: Buffer.from('x'), timestamp }] })
  }
  const client = admin()
  const at = async (timestamp: bigint) => {
    const listed = await client.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 1, timestamp }] }],
    })
    const { offset, timestamp: time } = listed[0]!.partitions[0]!
    return [offset, time]
  }
  assert.deepEqual(await at(ListOffsetTimestamps.LATEST), [3n, -1n])
  assert.deepEqual(await at(ListOffsetTimestamps.EARLIEST), [0n, -1n])
  assert.deepEqual(await at(1_001n), [1n, 3_000n])
  assert.deepEqual(await at(2_500n), [1n, 3_000n])
  assert.deepEqual(await at(3_001n), [-1n, -1n])
  assert.deepEqual(await at(-3n), [1n, 3_000n])
})

test("a topic with append time: records carry the broker's clock", async () => {
  const topic = freshTopic('append-time')
  const configs = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
  await admin().createTopics({ topics: [topic], partitions: 1, replicas: 1, configs })
  const beforeMs = Date.now()
  await producer().send({ messages: [{ topic, partition: 0, value: Buffer.from('x'), timestamp: 1_000n }] })
  const [batch] = await storedBatches(broker, topic, 0)
  const timeMs = maxTimestampMs(batch!)
  assert.ok(isAppendTime(batch!) && timeMs >= beforeMs && timeMs <= Date.now(), `${timeMs}`)
})

test('partitioners: compatibilityPartitioner goes where Java goes; the default one does not always', async () => {
  const { partitionOfKey } = await import('../../src/wire/partitioner.ts')
  let differing = 0
  for (let i = 0; i < 500; i++) {
    const key = Buffer.from(`seller-${i}`)
    for (const partitions of [3, 6, 16]) {
      const ours = partitionOfKey(key, partitions)
      assert.equal(compatibilityPartitioner({} as never, key) % partitions, ours)
      if (defaultPartitioner({} as never, key) % partitions !== ours) differing++
    }
  }
  assert.ok(differing > 0)
})
