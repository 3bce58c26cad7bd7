// The admin APIs through the server, in every version, with what is refused: partitions, records, log directories,
// epochs, quorum, features, reassignments, pages of topics, and the topics of the house.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiName, apis, kafkaErrors, type ResponseOf } from '../../wire/wire.ts'
import type { MemoryCore } from './memory-core.suite.ts'
import type { RawClient } from './raw-client.suite.ts'
import { batch, opened, toProduce } from './server.suite.ts'

const versionsOf = (name: ApiName): number[] => {
  const { min, max } = apis[name].versions
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}
const codes = (answers: readonly { readonly errorCode: number }[]) => answers.map(({ errorCode }) => errorCode)
const error = kafkaErrors

test('CreatePartitions: more, not fewer nor as many; only looked at; by assignment; each topic once', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: '__own', partitions: 1 })
  for (const version of versionsOf('createPartitions')) {
    const name = `t${version}`
    await core.createTopic({ name, partitions: 2 })
    const ask = async (changes: object, validateOnly = false) => {
      const topic = { name, count: 3, assignments: null, ...changes }
      const { results } = await client.ask('createPartitions', version, { topics: [topic], timeoutMs: 1, validateOnly })
      return results[0]!
    }
    assert.equal((await ask({}, true)).errorCode, 0)
    assert.equal(core.topic(name)?.partitions, 2, 'only looked at')
    assert.equal((await ask({})).errorCode, 0)
    assert.equal(core.topic(name)?.partitions, 3)
    const same = await ask({})
    assert.deepEqual(
      [same.errorCode, same.errorMessage],
      [error.INVALID_PARTITIONS, 'topic already has 3 partition(s)'],
    )
    assert.equal((await ask({ count: 2 })).errorCode, error.INVALID_PARTITIONS)
    assert.equal((await ask({ name: 'none' })).errorCode, error.UNKNOWN_TOPIC_OR_PARTITION)
    assert.equal((await ask({ name: '__own' })).errorCode, error.INVALID_TOPIC_EXCEPTION)
    const assignments = (brokers: readonly number[]) => brokers.map((id) => ({ brokerIds: [id] }))
    assert.equal((await ask({ count: 5, assignments: assignments([1]) })).errorCode, error.INVALID_REPLICA_ASSIGNMENT)
    assert.equal(
      (await ask({ count: 5, assignments: assignments([1, 2]) })).errorCode,
      error.INVALID_REPLICA_ASSIGNMENT,
    )
    assert.equal((await ask({ count: 5, assignments: assignments([1, 1]) })).errorCode, 0)
    assert.equal(core.topic(name)?.partitions, 5)
  }
  core.jobs.set('t1', 'sales')
  const read = { name: 't1', count: 9, assignments: null }
  const { results: policy } = await client.ask('createPartitions', 3, { topics: [read], timeoutMs: 1 })
  assert.deepEqual(codes(policy), [error.POLICY_VIOLATION])
  assert.match(policy[0]?.errorMessage ?? '', /^job sales reads t1/)
  const twice = { name: 't0', count: 9, assignments: null }
  const { results } = await client.ask('createPartitions', 3, { topics: [twice, twice], timeoutMs: 1 })
  assert.deepEqual(codes(results), [error.INVALID_REQUEST])
})

test('DescribeCluster, DescribeQuorum, ListConfigResources, features and reassignments in every version', async () => {
  const { core, client, server } = await opened()
  await core.createTopic({ name: 't', partitions: 2 })
  for (const version of versionsOf('describeCluster')) {
    const ask = (endpointType: number) =>
      client.ask('describeCluster', version, { includeClusterAuthorizedOperations: version > 0, endpointType })
    const cluster = await ask(1)
    assert.deepEqual([cluster.errorCode, cluster.clusterId, cluster.controllerId], [0, core.clusterId, 1])
    assert.deepEqual(
      cluster.brokers.map(({ brokerId, host, port }) => [brokerId, host, port]),
      [[1, server.host, server.port]],
    )
    assert.equal(cluster.clusterAuthorizedOperations, version > 0 ? 0b1_1111_1010_0000 & ~(1 << 6) : -(2 ** 31))
    if (version === 0) continue
    assert.equal((await ask(2)).errorCode, error.MISMATCHED_ENDPOINT_TYPE)
    assert.equal((await ask(3)).errorCode, error.UNSUPPORTED_ENDPOINT_TYPE)
  }
  for (const version of versionsOf('describeQuorum')) {
    const partitions = [{ partitionIndex: 0 }]
    const topics = ['__cluster_metadata', 't'].map((topicName) => ({ topicName, partitions }))
    const quorum = await client.ask('describeQuorum', version, { topics })
    const [metadata, other] = quorum.topics.map((topic) => topic.partitions[0]!)
    assert.deepEqual([metadata?.errorCode, metadata?.leaderId, metadata?.highWatermark], [0, 1, 1])
    assert.deepEqual(
      metadata?.currentVoters.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset]),
      [[1, 1]],
    )
    assert.equal(other?.errorCode, error.UNKNOWN_TOPIC_OR_PARTITION)
    if (version >= 2) assert.equal(quorum.nodes[0]?.listeners[0]?.port, server.port)
  }
  const names = (answer: ResponseOf<'listConfigResources'>) =>
    answer.configResources.map(({ resourceName, resourceType }) => [resourceName, resourceType])
  assert.deepEqual(names(await client.ask('listConfigResources', 0, {})), [])
  assert.deepEqual(names(await client.ask('listConfigResources', 1, { resourceTypes: [] })), [
    ['t', 2],
    ['1', 4],
  ])
  assert.deepEqual(names(await client.ask('listConfigResources', 1, { resourceTypes: [4] })), [['1', 4]])
  assert.equal((await client.ask('listConfigResources', 1, { resourceTypes: [99] })).errorCode, 35)

  for (const version of versionsOf('updateFeatures')) {
    const update = { feature: 'no.such', maxVersionLevel: 1, allowDowngrade: false, upgradeType: 1 }
    const answer = await client.ask('updateFeatures', version, { featureUpdates: [update], timeoutMs: 1 })
    const told = version < 2 ? answer.results[0]! : answer
    assert.deepEqual([told.errorCode, told.errorMessage], [error.INVALID_UPDATE_VERSION, 'there is no feature no.such'])
  }
  for (const version of versionsOf('electLeaders')) {
    const topicPartitions = [
      { topic: 't', partitions: [0, 7] },
      { topic: 'none', partitions: [0] },
    ]
    const { replicaElectionResults } = await client.ask('electLeaders', version, { topicPartitions, timeoutMs: 1 })
    assert.deepEqual(
      replicaElectionResults.map(({ partitionResult }) => codes(partitionResult)),
      [[84, 3], [3]],
    )
    const all = await client.ask('electLeaders', version, { topicPartitions: null, timeoutMs: 1 })
    assert.deepEqual([all.errorCode, all.replicaElectionResults], [0, []])
  }
  for (const version of versionsOf('alterPartitionReassignments')) {
    const partitions = [[1], [2], [1, 2], null].map((replicas) => ({ partitionIndex: 0, replicas }))
    const moved = await client.ask('alterPartitionReassignments', version, {
      topics: [{ name: 't', partitions: [...partitions, { partitionIndex: 9, replicas: [1] }] }],
      timeoutMs: 1,
    })
    const expected = [0, error.INVALID_REPLICA_ASSIGNMENT, 39, error.NO_REASSIGNMENT_IN_PROGRESS, 3]
    assert.deepEqual(codes(moved.responses[0]!.partitions), expected)
  }
  const moves = await client.ask('listPartitionReassignments', 0, { topics: null, timeoutMs: 1 })
  assert.deepEqual([moves.errorCode, moves.topics], [0, []])
})

test('DescribeTopicPartitions: in order, page by page, some or all', async () => {
  const { core, client } = await opened()
  for (const [name, partitions] of [
    ['b', 3],
    ['a', 2],
    ['c', 1],
  ] as const)
    await core.createTopic({ name, partitions })
  const pages: unknown[] = []
  let cursor: ResponseOf<'describeTopicPartitions'>['nextCursor'] = null
  do {
    const page: ResponseOf<'describeTopicPartitions'> = await client.ask('describeTopicPartitions', 0, {
      topics: [],
      responsePartitionLimit: 2,
      cursor,
    })
    pages.push(page.topics.map(({ name, partitions }) => [name, ...partitions.map((each) => each.partitionIndex)]))
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(pages, [
    [['a', 0, 1]],
    [['b', 0, 1]],
    [
      ['b', 2],
      ['c', 0],
    ],
  ])
  const some = await client.ask('describeTopicPartitions', 0, {
    topics: ['none', 'c', 'not a name', 'c'].map((name) => ({ name })),
    responsePartitionLimit: 2000,
    cursor: null,
  })
  assert.deepEqual(
    some.topics.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['c', 0],
      ['none', 3],
      ['not a name', 17],
    ],
  )
  assert.equal(some.topics[0]?.partitions[0]?.leaderId, 1)
  client.send('describeTopicPartitions', 0, { topics: [], cursor: { topicName: 'a', partitionIndex: -1 } })
  assert.equal(await client.frame(), null, 'a cursor below 0 closes the connection')
})

test('DeleteRecords and DescribeLogDirs in every version', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 't', partitions: 2 })
  await core.createTopic({ name: '__own', partitions: 1 })
  await client.ask('produce', 9, toProduce('t', 0, batch(['a', 'b', 'c', 'd'])))
  let start = 0
  for (const version of versionsOf('deleteRecords')) {
    const ask = async (name: string, partitionIndex: number, offset: number) => {
      const topics = [{ name, partitions: [{ partitionIndex, offset }] }]
      const { topics: answers } = await client.ask('deleteRecords', version, { topics, timeoutMs: 1 })
      const { lowWatermark, errorCode } = answers[0]!.partitions[0]!
      return [lowWatermark, errorCode]
    }
    assert.deepEqual(await ask('t', 0, ++start), [start, 0])
    assert.deepEqual(await ask('t', 0, 5), [-1, error.OFFSET_OUT_OF_RANGE])
    assert.deepEqual(await ask('t', 0, -2), [-1, error.OFFSET_OUT_OF_RANGE])
    assert.deepEqual(await ask('t', 7, 0), [-1, 3])
    assert.deepEqual(await ask('none', 0, 0), [-1, 3])
    assert.deepEqual(await ask('__own', 0, 0), [-1, error.INVALID_TOPIC_EXCEPTION])
    if (version === 2) assert.deepEqual(await ask('t', 0, -1), [4, 0])
  }
  for (const version of versionsOf('describeLogDirs')) {
    const all = await client.ask('describeLogDirs', version, { topics: null })
    assert.deepEqual([all.errorCode, all.results.length, all.results[0]?.errorCode], [0, 1, 0])
    assert.deepEqual(
      sizes(all).map(([name, id]) => [name, id]),
      [
        ['t', 0],
        ['t', 1],
        ['__own', 0],
      ],
    )
    const topics = [
      { topic: 't', partitions: [0] },
      { topic: 'none', partitions: [0] },
    ]
    const [[, , bytes] = [], ...others] = sizes(await client.ask('describeLogDirs', version, { topics }))
    assert.deepEqual([Number(bytes) >= 0, others], [true, []])
  }
})
function sizes({ results }: ResponseOf<'describeLogDirs'>) {
  return results[0]!.topics
    .flatMap(({ name, partitions }) =>
      partitions.map((each) => [name, each.partitionIndex, each.partitionSize] as const),
    )
    .sort(([a], [b]) => (a === b ? 0 : a > b ? -1 : 1))
}

test('leader epochs: OffsetForLeaderEpoch in every version; an old epoch is fenced, one of the future unknown', async () => {
  const { core, client } = await opened()
  core.leaderEpoch = 3
  await core.createTopic({ name: 't', partitions: 1 })
  await client.ask('produce', 9, toProduce('t', 0, batch(['a', 'b'])))
  for (const version of versionsOf('offsetForLeaderEpoch')) {
    const asked = [
      [0, -1, 3],
      [0, 3, 3],
      [0, 2, 3],
      [0, 4, 3],
      [0, -1, 9],
      [7, -1, 3],
    ] as const
    const partitions = asked.map(([partition, currentLeaderEpoch, leaderEpoch]) => ({
      partition,
      currentLeaderEpoch,
      leaderEpoch,
    }))
    const { topics } = await client.ask('offsetForLeaderEpoch', version, { topics: [{ topic: 't', partitions }] })
    assert.deepEqual(
      topics[0]?.partitions.map(({ errorCode, leaderEpoch, endOffset }) => [errorCode, leaderEpoch, endOffset]),
      [
        [0, 3, 2],
        [0, 3, 2],
        [error.FENCED_LEADER_EPOCH, -1, -1],
        [error.UNKNOWN_LEADER_EPOCH, -1, -1],
        [0, -1, -1],
        [3, -1, -1],
      ],
    )
  }
  const listed = async (currentLeaderEpoch: number) => {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch, timestamp: -1 }]
    const { topics } = await client.ask('listOffsets', 7, { replicaId: -1, topics: [{ name: 't', partitions }] })
    return [topics[0]?.partitions[0]?.errorCode, topics[0]?.partitions[0]?.leaderEpoch]
  }
  assert.deepEqual(
    [await listed(-1), await listed(3), await listed(2), await listed(4)],
    [
      [0, 3],
      [0, 3],
      [74, -1],
      [75, -1],
    ],
  )
  const { topics } = await client.ask('metadata', 9, { topics: [{ name: 't', topicId: new Uint8Array(16) }] })
  assert.equal(topics[0]?.partitions[0]?.leaderEpoch, 3)
})

test('ListOffsets: questions below 0 from their versions on, each partition once', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  await client.ask('produce', 9, toProduce('t', 0, batch(['a', 'b'], 500)))
  const ask = async (version: number, timestamp: number, times = 1) => {
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp }
    const topics = [{ name: 't', partitions: Array.from({ length: times }, () => partition) }]
    const answer = await client.ask('listOffsets', version, { replicaId: -1, topics })
    return answer.topics[0]!.partitions[0]!
  }
  for (const version of versionsOf('listOffsets')) {
    for (const [timestamp, since, offset] of [
      [-1, 1, 2],
      [-2, 1, 0],
      [-3, 7, 0],
      [-4, 8, 0],
      [-5, 9, -1],
      [-6, 99, -1],
      [0, 1, 0],
      [501, 1, -1],
    ] as const) {
      const found = await ask(version, timestamp)
      const expected = version < since ? [error.UNSUPPORTED_VERSION, -1] : [0, offset]
      assert.deepEqual([found.errorCode, found.offset], expected, `${timestamp} in version ${version}`)
    }
  }
  assert.equal((await ask(5, -1, 2)).errorCode, error.INVALID_REQUEST)
})

test('topics of the house: listed and read, not made, written, changed or deleted', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: '__own', partitions: 1 })
  const made = async (name: string) => {
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    return (await client.ask('createTopics', 7, { topics: [topic], timeoutMs: 1 })).topics[0]!
  }
  for (const name of ['__consumer_offsets', '__http_ingest_keys', '__millrace_anything']) {
    assert.equal((await made(name)).errorCode, error.TOPIC_AUTHORIZATION_FAILED, name)
    assert.equal(core.topic(name), null)
    await metadataOf(client, core, name)
  }
  // A client's own topic may look like one of the house.
  assert.equal((await made('__debezium-heartbeat')).errorCode, 0)
  assert.equal((await client.ask('produce', 9, toProduce('__debezium-heartbeat', 0, batch(['a'])))).responses.length, 1)
  assert.equal(core.offsets('__debezium-heartbeat', 0 as never).end, 1)

  const produced = await client.ask('produce', 9, toProduce('__own', 0, batch(['a'])))
  assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, error.INVALID_TOPIC_EXCEPTION)
  const deleted = await client.ask('deleteTopics', 5, { topicNames: ['__own'], timeoutMs: 1 })
  assert.deepEqual(codes(deleted.responses), [error.INVALID_TOPIC_EXCEPTION])
  const configs = [{ name: 'retention.ms', configOperation: 0, value: '1' }]
  const resources = [{ resourceType: 2, resourceName: '__own', configs }]
  const altered = await client.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false })
  assert.deepEqual(codes(altered.responses), [error.INVALID_TOPIC_EXCEPTION])
  assert.notEqual(core.topic('__own'), null)
})
async function metadataOf(client: RawClient, core: MemoryCore, name: string): Promise<void> {
  const topics = [{ name, topicId: new Uint8Array(16) }]
  const answer = await client.ask('metadata', 9, { topics, allowAutoTopicCreation: true })
  assert.deepEqual(codes(answer.topics), [error.INVALID_TOPIC_EXCEPTION])
  assert.equal(core.topic(name), null, 'not made on first use either')
}
