// What administrators and consoles ask of a broker, by @platformatic/kafka and kafkajs: the cluster, topics with their
// configs, sizes on the disk, more partitions, other configs, records deleted, offsets by time. kcat reads what they see.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import {
  Admin,
  alterPartitionReassignmentsV1,
  ConfigResourceTypes,
  Connection,
  describeClusterV1,
  describeQuorumV2,
  describeTopicPartitionsV0,
  IncrementalAlterConfigOperationTypes,
  listConfigResourcesV1,
  listPartitionReassignmentsV0,
  offsetForLeaderEpochV4,
  updateFeaturesV1,
} from '@platformatic/kafka'
import kafkajs, { type Admin as KafkajsAdmin } from 'kafkajs'
import { freshTopic, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

let broker: TestBroker
let admin: Admin
let old: KafkajsAdmin
let kafka: kafkajs.Kafka
before(async () => {
  broker = await openTestBroker()
  admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.address], retries: 3, retryDelay: 100 })
  kafka = new kafkajs.Kafka({ clientId: 'test', brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING })
  old = kafka.admin()
  await old.connect()
})
after(async () => {
  await admin.close()
  await old.disconnect()
  await broker.close()
})

async function produce(topic: string, partition: number, values: readonly string[], timestamp = '1000'): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value, partition, timestamp })) })
  await producer.disconnect()
}
async function configOf(topic: string, name: string): Promise<string | null | undefined> {
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [name] }]
  const [described] = await admin.describeConfigs({ resources })
  return described?.configs[0]?.value
}
const { SET, DELETE, APPEND, SUBTRACT } = IncrementalAlterConfigOperationTypes

test('a console’s first page: cluster, brokers, topics with partitions and configs, sizes', async () => {
  const topic = freshTopic('console')
  await admin.createTopics({
    topics: [topic],
    partitions: 2,
    replicas: 1,
    configs: [{ name: 'retention.ms', value: '5000000' }],
  })
  await produce(topic, 0, ['x'.repeat(2_000)])
  const cluster = await old.describeCluster()
  assert.ok(cluster.brokers.some(({ host, port }) => host === broker.host && port === broker.port))
  assert.equal(cluster.controller !== null && cluster.brokers.some(({ nodeId }) => nodeId === cluster.controller), true)
  assert.ok((await admin.listTopics()).includes(topic))
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: null }]
  const [described] = await admin.describeConfigs({ resources, includeSynonyms: true, includeDocumentation: true })
  const configs = new Map(described?.configs.map((config) => [config.name, config]))
  const retention = configs.get('retention.ms')
  assert.deepEqual([retention?.value, retention?.configSource, retention?.configType], ['5000000', 1, 5])
  assert.deepEqual([retention?.synonyms[0]?.value, retention?.synonyms.at(-1)?.name], ['5000000', 'log.retention.ms'])
  assert.ok((retention?.documentation?.length ?? 0) > 10)
  for (const name of [
    'cleanup.policy',
    'segment.bytes',
    'max.message.bytes',
    'min.insync.replicas',
    'compression.type',
  ]) {
    assert.ok(configs.has(name), name)
  }
  const brokers = [
    { resourceType: ConfigResourceTypes.BROKER, resourceName: String(cluster.controller), configurationKeys: null },
  ]
  const [own] = await admin.describeConfigs({ resources: brokers })
  assert.equal(own?.configs.find(({ name }) => name === 'log.retention.ms')?.value !== undefined, true)
  const [dirs] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1] }] })
  const sizes = dirs?.results.flatMap(({ topics }) => topics.flatMap((each) => each.partitions)) ?? []
  assert.equal(sizes.length, 2)
  assert.ok(sizes.some(({ partitionSize }) => partitionSize >= 2_000n))
  assert.ok((dirs?.results[0]?.totalBytes ?? 0n) > 0n)
  await admin.deleteTopics({ topics: [topic] })
  await until(async () => !(await admin.listTopics()).includes(topic))
})

test('what newer clients and consoles ask: in the codecs of @platformatic/kafka', async () => {
  const topic = freshTopic('raw')
  await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 })
  await produce(topic, 1, ['a', 'b'])
  const connection = new Connection('test')
  await connection.connect(broker.host, broker.port)
  const cluster = await describeClusterV1.api.async(connection, true, 1)
  assert.deepEqual(
    cluster.brokers.map(({ host, port }) => [host, port]),
    [[broker.host, broker.port]],
  )
  assert.ok(cluster.clusterAuthorizedOperations > 0)
  const pages: [string | null | undefined, number[]][] = []
  let cursor: { topicName: string; partitionIndex: number } | null | undefined
  do {
    const page = await describeTopicPartitionsV0.api.async(connection, [{ name: topic }], 2, cursor ?? undefined)
    for (const { name, partitions } of page.topics) pages.push([name, partitions.map((each) => each.partitionIndex)])
    cursor = page.nextCursor
  } while (cursor !== undefined && cursor !== null)
  assert.deepEqual(pages, [
    [topic, [0, 1]],
    [topic, [2]],
  ])
  const quorum = await describeQuorumV2.api.async(connection, [
    { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
  ])
  const [leader] = quorum.topics[0]!.partitions
  assert.deepEqual([leader?.errorCode, leader?.leaderId], [0, cluster.controllerId])
  const listed = await listConfigResourcesV1.api.async(connection, [2])
  assert.ok(listed.configResources.some(({ resourceName }) => resourceName === topic))
  const ends = await offsetForLeaderEpochV4.api.async(connection, -1, [
    { name: topic, partitions: [{ partitionIndex: 1, currentLeaderEpoch: -1, leaderEpoch: 0 }] },
  ])
  assert.equal(ends.topics[0]?.partitions[0]?.endOffset, 2n)
  assert.deepEqual((await listPartitionReassignmentsV0.api.async(connection, 1_000, [])).topics, [])
  const moved = [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [cluster.controllerId] }] }]
  const moves = await alterPartitionReassignmentsV1.api.async(connection, 1_000, true, moved)
  assert.equal(moves.responses[0]?.partitions[0]?.errorCode, 0)
  await assert.rejects(
    updateFeaturesV1.api.async(
      connection,
      1_000,
      [{ feature: 'no.such.feature', maxVersionLevel: 1, upgradeType: 1 }],
      true,
    ),
  )
  await connection.close()
})

test('partitions are added while a producer and a group use the topic: both find the new ones', async () => {
  const topic = freshTopic('grows')
  await old.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const consumer = kafka.consumer({
    groupId: `${topic}-group`,
    metadataMaxAge: 200,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
  })
  const read: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ partition, message }) => void read.push(`${partition} ${message.value}`) })
  await produce(topic, 0, ['before'])
  await until(() => read.length === 1)
  await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }], validateOnly: true })
  assert.equal((await old.fetchTopicOffsets(topic)).length, 1)
  await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }] })
  assert.equal((await old.fetchTopicOffsets(topic)).length, 3)
  await produce(topic, 2, ['after'])
  await until(() => read.length === 2, 30_000)
  assert.deepEqual(read, ['0 before', '2 after'])
  await consumer.disconnect()
  await old.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  assert.equal((await old.fetchTopicOffsets(topic)).length, 4)
  await assert.rejects(old.createPartitions({ topicPartitions: [{ topic, count: 2 }] }), { type: 'INVALID_PARTITIONS' })
})

test('configs: one by one by @platformatic/kafka, all at once by kafkajs; at work at once', async () => {
  const topic = freshTopic('configs')
  await old.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const alter = (name: string, configOperation: number, value?: string) =>
    admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: topic,
          configs: [{ name, configOperation, value } as never],
        },
      ],
    })
  await alter('max.message.bytes', SET, '500')
  await assert.rejects(produce(topic, 0, ['x'.repeat(1_000)]))
  await alter('max.message.bytes', DELETE)
  await produce(topic, 0, ['x'.repeat(1_000)])
  await alter('cleanup.policy', APPEND, 'compact')
  assert.equal(await configOf(topic, 'cleanup.policy'), 'delete,compact')
  await alter('cleanup.policy', SUBTRACT, 'delete')
  assert.equal(await configOf(topic, 'cleanup.policy'), 'compact')
  await assert.rejects(alter('cleanup.policy', SET, 'rubbish'))
  const entries = [{ name: 'retention.ms', value: '7777' }]
  const { TOPIC } = kafkajs.ConfigResourceTypes
  await old.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries: entries }] })
  assert.deepEqual([await configOf(topic, 'retention.ms'), await configOf(topic, 'cleanup.policy')], ['7777', 'delete'])
  await assert.rejects(
    old.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries: [{ name: 'min.insync.replicas', value: 'x' }] }],
    }),
    { type: 'INVALID_CONFIG' },
  )
})

test('records are deleted, and offsets found by time', async () => {
  const topic = freshTopic('deletes')
  await old.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  await produce(topic, 0, ['a', 'b'], '1000')
  await produce(topic, 0, ['c', 'd', 'e'], '2000')
  assert.deepEqual(await old.fetchTopicOffsetsByTimestamp(topic, 1_500), [{ partition: 0, offset: '2' }])
  await old.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  const [first] = await old.fetchTopicOffsets(topic)
  assert.deepEqual([first?.low, first?.high], ['3', '5'])
  const deleted = await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 4n }] }] })
  assert.equal(deleted[0]?.partitions[0]?.lowWatermark, 4n)
  const latest = await admin.listOffsets({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }] }],
  })
  assert.equal(latest[0]?.partitions[0]?.offset, 4n)
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: -1n }] }] })
  const [last] = await old.fetchTopicOffsets(topic)
  assert.deepEqual([last?.low, last?.high], ['5', '5'])
})

const withoutKcat = spawnSync('kcat', ['-V']).error === undefined ? false : 'kcat is not installed'
test('kcat -L sees topics as they are changed, and internal ones as they are', { skip: withoutKcat }, async () => {
  const topic = freshTopic('listed')
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  await admin.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] })
  // Not in step: the broker lives in this process.
  const { stdout } = await promisify(execFile)('kcat', ['-b', broker.address, '-L', '-J', '-t', topic], {
    timeout: 30_000,
  })
  const listed = JSON.parse(stdout)
  assert.deepEqual(
    listed.topics.map((each: { topic: string; partitions: unknown[] }) => [each.topic, each.partitions.length]),
    [[topic, 4]],
  )
})

test('topics of the house are not for clients', async () => {
  if (!broker.ours) return
  await assert.rejects(old.createTopics({ topics: [{ topic: '__http_ingest_keys', numPartitions: 1 }] }))
  await assert.rejects(produce('__consumer_offsets', 0, ['x']))
  assert.ok(!(await old.listTopics()).includes('__consumer_offsets'))
})
