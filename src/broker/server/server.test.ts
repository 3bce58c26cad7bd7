// The server against a broker's heart in memory: what each API answers, in every version that carries records.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { baseOffset, recordCount } from '../../wire/record-batch.ts'
import { apis, kafkaErrors } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { MemoryCore } from './memory-core.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { type KafkaServerSettings, serveKafka } from './server.ts'

const world = nodeWorld()
const cleanUps: (() => Promise<unknown>)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})
async function opened(settings: Partial<KafkaServerSettings> = {}) {
  const core = new MemoryCore()
  const server = await serveKafka(world, core, { port: 0, ...settings })
  cleanUps.push(() => server.close())
  return { core, server, client: await RawClient.connect(world, server) }
}
function batch(values: readonly string[], timestampMs = 1_000, compression: 'none' | 'zstd' = 'none'): Uint8Array {
  const writer = new BatchWriter({ compression })
  for (const value of values) writer.append(null, Buffer.from(value), timestampMs)
  return writer.finish()
}
const toProduce = (
  topic: string,
  index: number,
  records: Uint8Array | null,
  topicId: Uint8Array = new Uint8Array(16),
) => ({
  acks: -1,
  timeoutMs: 1_000,
  topicData: [{ name: topic, topicId, partitionData: [{ index, records }] }],
})
const toFetch = (topic: string, fetchOffset: number, more: object = {}, topicId: Uint8Array = new Uint8Array(16)) => ({
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1 << 20,
  topics: [
    {
      topic,
      topicId,
      partitions: [{ ...fetchDefaults, partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }],
    },
  ],
  ...more,
})
const fetchDefaults = {
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  logStartOffset: -1,
  replicaDirectoryId: new Uint8Array(16),
  highWatermark: 2 ** 63,
}

test('ApiVersions: each version lists what is served; Produce from 0 on, no features', async () => {
  const { client } = await opened()
  for (let version = 0; version <= 4; version++) {
    const { apiKeys, errorCode, supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await client.ask(
      'apiVersions',
      version,
      { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
    )
    assert.equal(errorCode, 0)
    assert.deepEqual(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
      [
        [0, 0, 13],
        [1, 4, 18],
        [2, 1, 10],
        [3, 0, 13],
        [10, 0, 6],
        [18, 0, 4],
        [19, 2, 7],
        [20, 1, 6],
        [22, 0, 5],
        [32, 1, 4],
      ],
    )
    assert.deepEqual([supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch], [[], [], -1])
  }
})

test('ApiVersions of the future: a version 0 body with UNSUPPORTED_VERSION, and the connection lives on', async () => {
  const { client } = await opened()
  for (const version of [5, 99, 32_767]) {
    const frame = Buffer.alloc(4 + 8 + 30)
    frame.writeInt32BE(38)
    frame.writeInt16BE(18, 4)
    frame.writeInt16BE(version, 6)
    frame.writeInt32BE(version, 8)
    client.socket.write(frame)
    const answer = await client.answer('apiVersions', 0)
    assert.equal(answer.correlationId, version)
    assert.equal(answer.body.errorCode, kafkaErrors.UNSUPPORTED_VERSION)
    assert.ok(answer.body.apiKeys.some(({ apiKey, maxVersion }) => apiKey === 18 && maxVersion === 4))
  }
  assert.equal((await client.ask('metadata', 1, { topics: null })).brokers.length, 1)
})

for (const [what, key, version] of [
  ['a key that is not served', 11, 0],
  ['a key that no one knows', 9_999, 0],
  ['Produce below 3', 0, 2],
  ['Produce above 13', 0, 14],
  ['Fetch above 18', 1, 19],
  ['a negative version', 3, -1],
] as const) {
  test(`${what} closes the connection`, async () => {
    const { client } = await opened()
    const frame = Buffer.alloc(4 + 8 + 4)
    frame.writeInt32BE(12)
    frame.writeInt16BE(key, 4)
    frame.writeInt16BE(version, 6)
    client.socket.write(frame)
    assert.equal(await client.frame(), null)
  })
}

test('Metadata: all, none, by name, by id, unknown; the address is where the client connected', async () => {
  const { core, server, client } = await opened()
  const topic = await core.createTopic({ name: 'sales', partitions: 3 })
  await core.createTopic({ name: '__hidden', partitions: 1 })
  for (let version = 0; version <= 13; version++) {
    const all = await client.ask('metadata', version, { topics: version === 0 ? [] : null })
    assert.deepEqual(
      all.topics.map(({ name }) => name),
      ['sales', '__hidden'],
      `v${version}`,
    )
    assert.deepEqual([...all.brokers], [{ nodeId: 1, host: '127.0.0.1', port: server.port, rack: null }])
    assert.deepEqual(
      all.topics[0]?.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId]),
      [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
    )
    if (version >= 1) {
      assert.equal(all.topics[1]?.isInternal, true)
      assert.deepEqual((await client.ask('metadata', version, { topics: [] })).topics, [])
    }
    if (version >= 2) assert.equal(all.clusterId, core.clusterId)
    if (version >= 10) assert.deepEqual(Buffer.from(all.topics[0]!.topicId), Buffer.from(topic.id))
  }
  const byId = await client.ask('metadata', 12, { topics: [null, ''].map((name) => ({ name, topicId: topic.id })) })
  assert.deepEqual(
    byId.topics.map(({ name }) => name),
    ['sales', 'sales'],
  )
  const unknown = await client.ask('metadata', 12, { topics: [{ name: null, topicId: new Uint8Array(16).fill(9) }] })
  assert.equal(unknown.topics[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_ID)
  const named = (name: string, allowAutoTopicCreation: boolean) =>
    client.ask('metadata', 8, { topics: [{ name, topicId: new Uint8Array(16) }], allowAutoTopicCreation })
  assert.equal((await named('new', false)).topics[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const made = await named('new', true)
  assert.equal(made.topics[0]?.errorCode, 0)
  assert.equal(made.topics[0]?.partitions.length, 2)
  core.autoCreate = null
  assert.equal((await named('newer', true)).topics[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
})

test('Metadata: an advertised address is said as it is', async () => {
  const { client } = await opened({ advertised: { host: 'shop.example', port: 19_092 } })
  const { brokers } = await client.ask('metadata', 5, { topics: [] })
  assert.deepEqual([brokers[0]?.host, brokers[0]?.port], ['shop.example', 19_092])
})

test('topics made on first use: so many per request and no more', async () => {
  const { core, client } = await opened({ limits: { autoCreatedTopicsMax: 3 } })
  const topics = Array.from({ length: 5 }, (_, i) => ({ name: `t${i}`, topicId: new Uint8Array(16) }))
  const answer = await client.ask('metadata', 4, { topics, allowAutoTopicCreation: true })
  assert.deepEqual(
    answer.topics.map(({ errorCode }) => errorCode),
    [0, 0, 0, 3, 3],
  )
  assert.equal(core.topics().length, 3)
})

for (const name of ['..', '.', '', 'a/b', '../x', 'nul\0', 'x'.repeat(250), 'ä', 'a b']) {
  test(`the name ${JSON.stringify(name.slice(0, 12))} makes no topic by any way`, async () => {
    const { core, client } = await opened()
    const topicId = new Uint8Array(16)
    const asked = await client.ask('metadata', 4, { topics: [{ name, topicId }], allowAutoTopicCreation: true })
    assert.equal(asked.topics[0]?.errorCode, kafkaErrors.INVALID_TOPIC_EXCEPTION)
    const produced = await client.ask('produce', 7, toProduce(name, 0, batch(['x'])))
    assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, kafkaErrors.INVALID_TOPIC_EXCEPTION)
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const created = await client.ask('createTopics', 4, { topics: [topic], timeoutMs: 1_000 })
    assert.equal(created.topics[0]?.errorCode, kafkaErrors.INVALID_TOPIC_EXCEPTION)
    assert.deepEqual(core.topics(), [])
  })
}

test('Produce and Fetch: records come back in every version of both', async () => {
  const { core, client } = await opened()
  const { id } = await core.createTopic({ name: 'sales', partitions: 1 })
  for (let version = 3; version <= 13; version++) {
    const { responses } = await client.ask('produce', version, toProduce('sales', 0, batch(['a', 'b']), id))
    const answer = responses[0]?.partitionResponses[0]
    assert.equal(answer?.errorCode, 0, `v${version}`)
    assert.equal(answer.baseOffset, (version - 3) * 2)
    if (version >= 5) assert.equal(answer.logStartOffset, 0)
  }
  for (let version = 4; version <= 18; version++) {
    const answer = await client.ask('fetch', version, toFetch('sales', 5, {}, id))
    const partition = answer.responses[0]?.partitions[0]
    assert.equal(partition?.errorCode, 0, `v${version}`)
    assert.equal(partition.highWatermark, 22)
    assert.equal(partition.lastStableOffset, 22)
    assert.equal(baseOffset(partition.records!), 4, 'from the batch that holds the offset')
    assert.equal(partition.records?.length, 9 * batch(['a', 'b']).length)
    assert.equal(answer.sessionId, 0)
  }
})

test('Produce: each partition has its own error', async () => {
  const { core, client } = await opened()
  const { id } = await core.createTopic({ name: 'sales', partitions: 1 })
  const code = async (index: number, records: Uint8Array | null, more: object = {}, version = 9) => {
    const answer = await client.ask('produce', version, { ...toProduce('sales', index, records, id), ...more })
    return answer.responses[0]?.partitionResponses[0]?.errorCode
  }
  const good = batch(['x'])
  const changed = (at: number, value: number, seal = true) => {
    const bytes = new Uint8Array(good)
    bytes[at] = value
    if (seal) new DataView(bytes.buffer).setUint32(17, crc32c(bytes, 21))
    return bytes
  }
  assert.equal(await code(0, good), 0)
  assert.equal(await code(1, good), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await code(-1, good), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await code(0, null), kafkaErrors.INVALID_RECORD)
  assert.equal(await code(0, new Uint8Array(0)), kafkaErrors.INVALID_RECORD)
  assert.equal(await code(0, new Uint8Array(10)), kafkaErrors.CORRUPT_MESSAGE)
  assert.equal(await code(0, Buffer.concat([good, good])), kafkaErrors.CORRUPT_MESSAGE, 'two batches')
  assert.equal(await code(0, changed(62, 9, false)), kafkaErrors.CORRUPT_MESSAGE, 'damage on the way')
  assert.equal(await code(0, changed(61, 2)), kafkaErrors.INVALID_RECORD, 'records that are not what they say')
  assert.equal(await code(0, changed(60, 5)), kafkaErrors.INVALID_RECORD, 'a wrong count')
  assert.equal(await code(0, changed(26, 5)), kafkaErrors.INVALID_RECORD, 'a wrong last offset delta')
  assert.equal(await code(0, changed(22, 0x20)), kafkaErrors.INVALID_RECORD, 'a control batch')
  assert.equal(await code(0, changed(16, 1)), kafkaErrors.INVALID_RECORD, 'an old format')
  assert.equal(await code(0, batch([`${'0'.repeat(8 << 20)}`], 0, 'zstd')), kafkaErrors.MESSAGE_TOO_LARGE, 'a bomb')
  assert.equal(await code(0, good, { acks: 2 }), kafkaErrors.INVALID_REQUIRED_ACKS)
  const strange = await client.ask('produce', 13, toProduce('', 0, good, new Uint8Array(16).fill(3)))
  assert.equal(strange.responses[0]?.partitionResponses[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_ID)
  assert.equal(core.offsets('sales', partitionId(0)).end, 1, 'only the good one is there')
})

test('Produce: a missing topic is made once, and the batches of waiting requests keep their order', async () => {
  const { core, client } = await opened()
  const ids = ['1', '2', '3'].map((value) => client.send('produce', 9, toProduce('fresh', 1, batch([value]))))
  for (const [i, id] of ids.entries()) {
    const { correlationId, body } = await client.answer('produce', 9)
    assert.equal(correlationId, id)
    assert.equal(body.responses[0]?.partitionResponses[0]?.baseOffset, i)
  }
  core.autoCreate = null
  const { responses } = await client.ask('produce', 9, toProduce('other', 0, batch(['x'])))
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
})

test('acks=0: no answer; a refused batch closes the connection', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  client.send('produce', 9, { ...toProduce('sales', 0, batch(['quiet'])), acks: 0 })
  // The next answer on the wire is the one to the next request.
  const { responses } = await client.ask('fetch', 11, toFetch('sales', 0))
  assert.equal(recordCount(responses[0]!.partitions[0]!.records!), 1)
  client.send('produce', 9, { ...toProduce('sales', 7, batch(['wrong'])), acks: 0 })
  assert.equal(await client.frame(), null)
})

test('pipelining: Produce requests go to the log at once, other requests wait; answers keep the order', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  const releases: (() => void)[] = []
  core.durable = () => new Promise((resolve) => releases.push(resolve))
  const sent = ['a', 'b', 'c'].map((value) => client.send('produce', 9, toProduce('sales', 0, batch([value]))))
  const fetched = client.send('fetch', 11, toFetch('sales', 0))
  while (releases.length < 3) await world.clock.sleep(1)
  releases[2]!()
  releases[1]!()
  await world.clock.sleep(20)
  releases[0]!()
  for (const [i, id] of sent.entries()) {
    const { correlationId, body } = await client.answer('produce', 9)
    assert.equal(correlationId, id)
    assert.equal(body.responses[0]?.partitionResponses[0]?.baseOffset, i)
  }
  const last = await client.answer('fetch', 11)
  assert.equal(last.correlationId, fetched)
})

test('Fetch: out of range on both sides, at the end, unknown, a session, an epoch', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  for (let i = 0; i < 3; i++) await core.append('sales', partitionId(0), batch(['a', 'b']))
  core.setStart('sales', 0, 2)
  const code = async (from: number, topic = 'sales', more: object = {}) =>
    (await client.ask('fetch', 11, toFetch(topic, from, more))).responses[0]?.partitions[0]?.errorCode
  assert.equal(await code(1), kafkaErrors.OFFSET_OUT_OF_RANGE)
  assert.equal(await code(7), kafkaErrors.OFFSET_OUT_OF_RANGE)
  assert.equal(await code(-1), kafkaErrors.OFFSET_OUT_OF_RANGE)
  assert.equal(await code(2 ** 63), kafkaErrors.OFFSET_OUT_OF_RANGE)
  assert.equal(await code(6), 0)
  assert.equal(await code(2), 0)
  assert.equal(await code(0, 'nowhere'), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const session = await client.ask('fetch', 11, toFetch('sales', 2, { sessionId: 5, sessionEpoch: 1 }))
  assert.equal(session.errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  const byId = await client.ask('fetch', 13, toFetch('', 2, {}, new Uint8Array(16).fill(1)))
  assert.equal(byId.responses[0]?.partitions[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_ID)
  const epoch = toFetch('sales', 2)
  const later = { ...epoch.topics[0]!.partitions[0]!, currentLeaderEpoch: 4 }
  const ahead = await client.ask('fetch', 11, { ...epoch, topics: [{ ...epoch.topics[0]!, partitions: [later] }] })
  assert.equal(ahead.responses[0]?.partitions[0]?.errorCode, kafkaErrors.UNKNOWN_LEADER_EPOCH)
})

test('Fetch limits: per partition, in all, and the first batch whatever its size', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 2 })
  const size = batch(['x'.repeat(1_000)]).length
  for (let i = 0; i < 4; i++) {
    for (const p of [0, 1]) await core.append('sales', partitionId(p), batch(['x'.repeat(1_000)]))
  }
  const sizes = async (maxBytes: number, partitionMaxBytes: number) => {
    const partitions = [0, 1].map((partition) => ({ ...fetchDefaults, partition, fetchOffset: 0, partitionMaxBytes }))
    const { responses } = await client.ask('fetch', 11, {
      ...toFetch('sales', 0),
      maxBytes,
      topics: [{ topic: 'sales', topicId: new Uint8Array(16), partitions }],
    })
    return responses[0]?.partitions.map(({ records }) => (records?.length ?? 0) / size)
  }
  assert.deepEqual(await sizes(1 << 20, 1 << 20), [4, 4])
  assert.deepEqual(await sizes(1 << 20, 2 * size), [2, 2])
  assert.deepEqual(await sizes(1 << 20, 2 * size - 1), [1, 1])
  assert.deepEqual(await sizes(5 * size, 1 << 20), [4, 1])
  assert.deepEqual(await sizes(4 * size, 1 << 20), [4, 0])
  assert.deepEqual(await sizes(1, 1), [1, 0], 'the first batch of the answer alone may be above')
  assert.deepEqual(await sizes(0, 0), [1, 0])
})

test('Fetch long poll: waits for records, for enough of them, and no longer than asked', async () => {
  const { core, client, server } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  const other = await RawClient.connect(world, server)
  let answered = false
  client.send('fetch', 11, toFetch('sales', 0, { maxWaitMs: 30_000 }))
  const first = client.answer('fetch', 11).then((answer) => {
    answered = true
    return answer
  })
  await other.ask('metadata', 1, { topics: [] })
  await world.clock.sleep(10)
  assert.equal(answered, false)
  await core.append('sales', partitionId(0), batch(['news']))
  assert.equal(recordCount((await first).body.responses[0]!.partitions[0]!.records!), 1)

  answered = false
  client.send('fetch', 11, toFetch('sales', 1, { maxWaitMs: 30_000, minBytes: 3 * batch(['n']).length }))
  const enough = client.answer('fetch', 11).then((answer) => {
    answered = true
    return answer
  })
  for (let i = 0; i < 3; i++) {
    await world.clock.sleep(15)
    assert.equal(answered, false, `after ${i} batches`)
    await core.append('sales', partitionId(0), batch(['n']))
  }
  const records = (await enough).body.responses[0]!.partitions[0]!.records
  assert.equal(records?.length, 3 * batch(['n']).length)

  const startMs = world.clock.monoMs()
  const nothing = await client.ask('fetch', 11, toFetch('sales', 4, { maxWaitMs: 60 }))
  assert.equal(nothing.responses[0]?.partitions[0]?.records?.length, 0)
  assert.ok(world.clock.monoMs() - startMs >= 59)
})

test('Fetch long poll: an end that moves between the look and the wait is not missed', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  const read = core.offsets.bind(core)
  let moved = false
  core.offsets = (topic, partition) => {
    const range = read(topic, partition)
    if (!moved) {
      moved = true
      void core.append('sales', partitionId(0), batch(['meanwhile']))
    }
    return range
  }
  const { responses } = await client.ask('fetch', 11, toFetch('sales', 0, { maxWaitMs: 30_000 }))
  assert.equal(recordCount(responses[0]!.partitions[0]!.records!), 1)
})

test('ListOffsets: the ends, times, the largest timestamp, in every version', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'sales', partitions: 1 })
  for (const timestampMs of [100, 300, 200]) await core.append('sales', partitionId(0), batch(['a', 'b'], timestampMs))
  core.setStart('sales', 0, 2)
  const asked = async (version: number, timestamp: number, partitionIndex = 0, name = 'sales') => {
    const partitions = [{ partitionIndex, currentLeaderEpoch: -1, timestamp }]
    const { topics } = await client.ask('listOffsets', version, { replicaId: -1, topics: [{ name, partitions }] })
    const { offset, timestamp: at, errorCode } = topics[0]!.partitions[0]!
    return errorCode === 0 ? [offset, at] : errorCode
  }
  for (let version = 1; version <= 10; version++) {
    assert.deepEqual(await asked(version, -1), [6, -1])
    assert.deepEqual(await asked(version, -2), [2, -1])
    assert.deepEqual(await asked(version, 250), [2, 300])
    assert.deepEqual(await asked(version, 301), [-1, -1])
    assert.equal(await asked(version, -1, 9), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
    assert.equal(await asked(version, -1, 0, 'nowhere'), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  }
  assert.deepEqual(await asked(7, -3), [2, 300])
  assert.deepEqual(await asked(8, -4), [2, -1])
  assert.deepEqual(await asked(9, -5), [-1, -1])
})

test('InitProducerId: fresh ids for all; no transactions', async () => {
  const { client } = await opened()
  for (let version = 0; version <= 5; version++) {
    const fresh = await client.ask('initProducerId', version, { transactionalId: null, transactionTimeoutMs: 0 })
    assert.deepEqual([fresh.errorCode, fresh.producerId, fresh.producerEpoch], [0, 1_000n + BigInt(version), 0])
    const transactional = await client.ask('initProducerId', version, { transactionalId: 't', transactionTimeoutMs: 9 })
    assert.equal(transactional.errorCode, kafkaErrors.INVALID_REQUEST)
  }
  // @platformatic/kafka names id 0 and epoch 0 when it has none yet.
  const identity = { transactionalId: null, transactionTimeoutMs: 0, producerId: 0n, producerEpoch: 0 }
  const named = await client.ask('initProducerId', 5, identity)
  assert.deepEqual([named.errorCode, named.producerId, named.producerEpoch], [0, 1_006n, 0])
})

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

test('FindCoordinator says in every version that groups and transactions are not served', async () => {
  const { client } = await opened()
  for (let version = 0; version <= 6; version++) {
    const body = version < 4 ? { key: 'g' } : { coordinatorKeys: ['g', 'h'] }
    const answer = await client.ask('findCoordinator', version, body)
    const codes = version < 4 ? [answer.errorCode] : answer.coordinators.map(({ errorCode }) => errorCode)
    assert.deepEqual(codes, version < 4 ? [42] : [42, 42])
  }
  assert.equal(apis.findCoordinator.key, 10)
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
for (const [what, version, topic] of [
  ['a name that is not UTF-8', 1, '0003' + '41ff42'],
  ['an id below version 12', 10, `02${'07'.repeat(16)}${'00'}`],
] as const) {
  test(`Metadata with ${what} closes the connection`, async () => {
    const { client } = await opened()
    const flexible = version >= 9
    const header = `0003${version.toString(16).padStart(4, '0')}00000001ffff${flexible ? '00' : ''}`
    const body = flexible ? `${topic}00` + '01' + '00' + '00' + '00' : `00000001${topic}`
    const bytes = Buffer.from(header + body, 'hex')
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes.length)
    client.socket.write(Buffer.concat([length, bytes]))
    assert.equal(await client.frame(), null)
  })
}
