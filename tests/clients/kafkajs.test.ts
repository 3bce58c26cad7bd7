// kafkajs 2.2.4, unmaintained and everywhere: the oldest protocol versions in use. Admin and producer; its consumer is
// tried in group-kafkajs.test.ts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import { codecOf, recordCount, recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'
import { freshTopic, openTestBroker, storedBatches, type TestBroker } from './test-broker.suite.ts'

const { CompressionTypes, ConfigResourceTypes, logLevel, Partitioners } = kafkajs

let broker: TestBroker
let kafka: Kafka
let admin: Admin
before(async () => {
  broker = await openTestBroker()
  kafka = new kafkajs.Kafka({
    clientId: 'test',
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 3 },
  })
  admin = kafka.admin()
  await admin.connect()
})
after(async () => {
  await admin.disconnect()
  await broker.close()
})
async function withProducer(
  settings: { idempotent: boolean },
  run: (producer: Producer) => Promise<void>,
): Promise<void> {
  const producer = kafka.producer({ ...settings, createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  try {
    await run(producer)
  } finally {
    await producer.disconnect()
  }
}
async function stored(topic: string, partition: number): Promise<[string | null, string | null][]> {
  const found: [string | null, string | null][] = []
  const slots = recordSlots(1_000)
  for (const batch of await storedBatches(broker, topic, partition)) {
    const { bytes, start, end } = recordsOf(batch)
    const text = (from: number, to: number) => (from < 0 ? null : Buffer.from(bytes.subarray(from, to)).toString())
    assert.equal(walkRecords(bytes, start, end, slots), end)
    assert.equal(slots.count, recordCount(batch))
    for (let i = 0; i < slots.count; i++) {
      found.push([text(slots.keyStart[i]!, slots.keyEnd[i]!), text(slots.valueStart[i]!, slots.valueEnd[i]!)])
    }
  }
  return found
}

test('admin: create, list, describe, offsets, delete', async () => {
  const topic = freshTopic('kafkajs-admin')
  const configEntries = [{ name: 'retention.ms', value: '3600000' }]
  assert.equal(
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1, configEntries }] }),
    true,
  )
  assert.equal(await admin.createTopics({ topics: [{ topic }] }), false, 'it is there')
  assert.ok((await admin.listTopics()).includes(topic))
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  assert.equal(topics[0]?.partitions.length, 2)
  const described = await admin.describeConfigs({
    includeSynonyms: true,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
  })
  assert.equal(described.resources[0]?.configEntries[0]?.configValue, '3600000')
  await withProducer({ idempotent: false }, async (producer) => {
    await producer.send({
      topic,
      messages: [
        { partition: 1, value: 'x', timestamp: '5000' },
        { partition: 1, value: 'y', timestamp: '6000' },
      ],
    })
  })
  const offsets = await admin.fetchTopicOffsets(topic)
  const at = offsets.find(({ partition }) => partition === 1)
  assert.deepEqual([at?.low, at?.high], ['0', '2'])
  const byTime = await admin.fetchTopicOffsetsByTimestamp(topic, 5_500)
  assert.equal(byTime.find(({ partition }) => partition === 1)?.offset, '1')
  const cluster = await admin.describeCluster()
  assert.equal(cluster.brokers.length, 1)
  await admin.deleteTopics({ topics: [topic] })
  assert.equal((await admin.listTopics()).includes(topic), false)
})

for (const idempotent of [false, true]) {
  test(`producer${idempotent ? ', idempotent' : ''}: plain and gzip, keys, tombstones, headers`, async () => {
    const topic = freshTopic('kafkajs')
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] })
    await withProducer({ idempotent }, async (producer) => {
      const [first] = await producer.send({
        topic,
        acks: -1,
        messages: [{ key: 'a', value: '1', headers: { h: 'x' } }],
      })
      assert.deepEqual([first?.errorCode, first?.baseOffset], [0, '0'])
      await producer.send({
        topic,
        acks: -1,
        compression: CompressionTypes.GZIP,
        messages: [
          { key: 'a', value: null },
          { key: null, value: '3' },
        ],
      })
    })
    assert.deepEqual(await stored(topic, 0), [
      ['a', '1'],
      ['a', null],
      [null, '3'],
    ])
    assert.deepEqual(
      (await storedBatches(broker, topic, 0)).map((batch) => codecOf(batch)),
      ['none', 'gzip'],
    )
  })
}

test('a topic that is not there is made when first produced to', async () => {
  const topic = freshTopic('kafkajs-auto')
  await withProducer({ idempotent: false }, async (producer) => {
    await producer.send({ topic, messages: [{ key: 'k', value: 'v' }] })
  })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  assert.ok(topics[0]!.partitions.length >= 1)
})
