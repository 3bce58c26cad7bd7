// Topics through the server: made, described, refused, deleted; and strings of the greatest length.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError, type TopicInfo } from '../../log/log.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { BrokerCore } from '../core.ts'
import { batch, opened, toFetch } from './server.suite.ts'
import { TopicDirectory } from './topic-directory.ts'

test('CreateTopics, DescribeConfigs, DeleteTopics in every version', async () => {
  const { core, client } = await opened()
  const topic = {
    numPartitions: 3,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: 'retention.ms', value: '5' }],
  }
  for (let version = 2; version <= 7; version++) {
    const name = `t${version}`
    const { topics } = await client.ask('createTopics', version, { topics: [{ ...topic, name }], timeoutMs: 1 })
    assert.equal(topics[0]?.errorCode, 0, `v${version}`)
    if (version >= 5) assert.deepEqual([topics[0]?.numPartitions, topics[0]?.replicationFactor], [3, 1])
    if (version >= 7) assert.deepEqual(Buffer.from(topics[0]!.topicId), Buffer.from(core.topic(name)!.id))
    assert.equal(core.topic(name)?.partitions, 3)
  }
  for (let version = 1; version <= 4; version++) {
    const asked = [{ resourceType: 2, resourceName: 't2', configurationKeys: null }]
    const { results } = await client.ask('describeConfigs', version, { resources: asked, includeSynonyms: true })
    const values = results[0]?.configs.map(({ name, value, configSource }) => [name, value, configSource])
    assert.deepEqual(values, [
      ['cleanup.policy', 'delete', 5],
      ['retention.ms', '5', 1],
    ])
    assert.equal(results[0]?.configs[1]?.synonyms.length, 2)
  }
  const other = await client.ask('describeConfigs', 2, {
    resources: [
      { resourceType: 2, resourceName: 'nowhere', configurationKeys: null },
      { resourceType: 4, resourceName: '1', configurationKeys: ['num.partitions'] },
      { resourceType: 4, resourceName: '77', configurationKeys: null },
      { resourceType: 8, resourceName: 'x', configurationKeys: null },
    ],
  })
  assert.deepEqual(
    other.results.map(({ errorCode }) => errorCode),
    [3, 0, 42, 42],
  )
  assert.deepEqual(
    other.results[1]?.configs.map(({ name, value }) => [name, value]),
    [['num.partitions', '2']],
  )

  for (let version = 1; version <= 5; version++) {
    const { responses } = await client.ask('deleteTopics', version, {
      topicNames: [`t${version}`, 'nowhere'],
      timeoutMs: 1,
    })
    assert.deepEqual(
      responses.map(({ errorCode }) => errorCode),
      [version === 1 ? 3 : 0, 3],
    )
  }
  const t6 = core.topic('t6')!
  const { responses } = await client.ask('deleteTopics', 6, {
    topics: [
      { name: null, topicId: t6.id },
      { name: 't7', topicId: new Uint8Array(16) },
      { name: null, topicId: new Uint8Array(16).fill(4) },
    ],
    timeoutMs: 1,
  })
  assert.deepEqual(
    responses.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['t6', 0],
      ['t7', 0],
      [null, kafkaErrors.UNKNOWN_TOPIC_ID],
    ],
  )
  assert.deepEqual(core.topics(), [])
})

const refusedTopics: readonly (readonly [string, keyof typeof kafkaErrors, object])[] = [
  ['an existing one', 'TOPIC_ALREADY_EXISTS', { name: 'old' }],
  ['no partitions', 'INVALID_PARTITIONS', { numPartitions: 0 }],
  ['-2 partitions', 'INVALID_PARTITIONS', { numPartitions: -2 }],
  ['three replicas', 'INVALID_REPLICATION_FACTOR', { replicationFactor: 3 }],
  ['an unknown config', 'INVALID_CONFIG', { configs: [{ name: 'no.such', value: '1' }] }],
  ['a config of Object itself', 'INVALID_CONFIG', { configs: [{ name: 'constructor', value: '1' }] }],
  [
    'replicas elsewhere',
    'INVALID_REPLICA_ASSIGNMENT',
    { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [2] }] },
  ],
  [
    'a gap in the assignment',
    'INVALID_REPLICA_ASSIGNMENT',
    { numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
  ],
]
for (const [what, error, change] of refusedTopics) {
  test(`CreateTopics refuses ${what}: ${error}`, async () => {
    const { core, client } = await opened()
    await core.createTopic({ name: 'old', partitions: 1 })
    const topic = { name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...change }
    const { topics } = await client.ask('createTopics', 4, { topics: [topic], timeoutMs: 1 })
    assert.equal(topics[0]?.errorCode, kafkaErrors[error])
    assert.equal(core.topics().length, 1)
  })
}
test('CreateTopics: only validated, with defaults, by assignment, twice the same name', async () => {
  const { core, client } = await opened()
  const topic = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  const looked = await client.ask('createTopics', 5, {
    topics: [{ ...topic, name: 'a' }],
    timeoutMs: 1,
    validateOnly: true,
  })
  assert.deepEqual([looked.topics[0]?.errorCode, looked.topics[0]?.numPartitions, core.topic('a')], [0, 2, null])
  const assignments = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] }))
  await client.ask('createTopics', 5, { topics: [{ ...topic, name: 'b', assignments }], timeoutMs: 1 })
  assert.equal(core.topic('b')?.partitions, 3)
  const twice = [
    { ...topic, name: 'c' },
    { ...topic, name: 'c' },
  ]
  const { topics } = await client.ask('createTopics', 5, { topics: twice, timeoutMs: 1 })
  assert.deepEqual(
    topics.map(({ errorCode }) => errorCode),
    [kafkaErrors.INVALID_REQUEST],
  )
})

test('FindCoordinator: for groups and transactions the address that the client reached; nobody for anything else', async () => {
  const { client, server } = await opened()
  for (let version = 0; version <= 6; version++) {
    const found = async (keyType: number) => {
      const body = version < 4 ? { key: 'g', keyType } : { coordinatorKeys: ['g', 'h'], keyType }
      const answer = await client.ask('findCoordinator', version, body)
      return version < 4 ? [answer] : answer.coordinators
    }
    for (const keyType of version === 0 ? [0] : [0, 1]) {
      const here = await found(keyType)
      assert.equal(here.length, version < 4 ? 1 : 2)
      for (const { errorCode, nodeId, host, port } of here) {
        assert.deepEqual([errorCode, nodeId, host, port], [kafkaErrors.NONE, 1, '127.0.0.1', server.port])
      }
    }
    if (version === 0) continue
    for (const keyType of [2, 3]) {
      for (const { errorCode, nodeId } of await found(keyType)) {
        assert.deepEqual([errorCode, nodeId], [kafkaErrors.INVALID_REQUEST, -1])
      }
    }
  }
})

test('the longest strings a client can send are quoted shortened, and stop nobody', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  const long = 'x'.repeat(0x7fff)
  const topicId = new Uint8Array(16)
  const topic = {
    name: 'new',
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: long, value: long }],
  }
  const created = await client.ask('createTopics', 7, { topics: [topic, { ...topic, name: long }], timeoutMs: 1 })
  assert.deepEqual(
    created.topics.map(({ errorCode }) => errorCode),
    [40, 17],
  )
  assert.ok((created.topics[0]?.errorMessage?.length ?? 0) < 1_100)
  const resources = [{ resourceType: 2, resourceName: long, configurationKeys: [long] }]
  assert.equal((await client.ask('describeConfigs', 4, { resources })).results[0]?.errorCode, 3)
  assert.equal((await client.ask('metadata', 12, { topics: [{ name: long, topicId }] })).topics[0]?.errorCode, 17)
  assert.equal((await client.ask('deleteTopics', 5, { topicNames: [long], timeoutMs: 1 })).responses[0]?.errorCode, 3)
  assert.equal((await client.ask('findCoordinator', 6, { coordinatorKeys: [long] })).coordinators[0]?.key, long)
  const fetched = await client.ask('fetch', 12, toFetch(long, 0))
  assert.equal(fetched.responses[0]?.topic, long)
})

test('a topic that somebody else is making by another way is to be asked for again', async () => {
  let isThere = false
  const topic: TopicInfo = { name: 't', id: new Uint8Array(16), partitions: 1, configs: {}, internal: false }
  const core = {
    autoCreate: { partitions: 1 },
    createTopic: () => Promise.reject(new LogError('TOPIC_ALREADY_EXISTS', 'on its way')),
    topic: () => (isThere ? topic : null),
  }
  const directory = new TopicDirectory(core as unknown as BrokerCore)
  await assert.rejects(directory.make('t'), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  isThere = true
  assert.equal(await directory.make('t'), topic)
})

test('a Produce makes no more topics than a Metadata may', async () => {
  const { client, core } = await opened({ limits: { autoCreatedTopicsMax: 2 } })
  const partitionData = [0, 0].map((index) => ({ index, records: batch(['x']) }))
  const topicData = ['a', 'b', 'c'].map((name) => ({ name, topicId: new Uint8Array(16), partitionData }))
  const { responses } = await client.ask('produce', 9, { acks: -1, timeoutMs: 1_000, topicData })
  assert.deepEqual(
    responses.map(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
    [
      [0, 0],
      [0, 0],
      [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION],
    ],
  )
  assert.equal(core.topics().length, 2)
})
