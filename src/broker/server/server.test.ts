// What the server answers to all: versions, metadata, names, and what it closes connections for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordCount } from '../../wire/record-batch.ts'
import { apis, kafkaErrors } from '../../wire/wire.ts'
import { batch, opened, toFetch, toProduce } from './server.suite.ts'

test('ApiVersions: each version lists what is served; Produce from 0 on; features from 3 on', async () => {
  const { client } = await opened()
  for (let version = 0; version <= 4; version++) {
    const { apiKeys, errorCode, supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await client.ask(
      'apiVersions',
      version,
      { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
    )
    assert.equal(errorCode, 0)
    const offered = apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])
    // What is in `apis` has a handler (dispatch.ts), and stands in docs/kafka-protocol.md.
    const expected = Object.values(apis).map(({ key, versions: { min, max } }) => [key, key === 0 ? 0 : min, max])
    assert.deepEqual(
      offered,
      expected.sort(([a = 0], [b = 0]) => a - b),
    )
    const groupVersion = { name: 'group.version', minVersion: 0, maxVersion: 1 }
    assert.deepEqual(
      supportedFeatures.filter(({ name }) => name === groupVersion.name),
      version < 4 ? [] : [groupVersion],
    )
    assert.ok(
      supportedFeatures.every(({ minVersion }) => version >= 4 || minVersion > 0),
      'KAFKA-17011',
    )
    assert.deepEqual(
      finalizedFeatures.filter(({ name }) => name === groupVersion.name),
      version < 3 ? [] : [{ name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 }],
    )
    assert.equal(finalizedFeaturesEpoch, version < 3 ? -1 : 0)
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
  ['a key that is not served', 71, 0],
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
  // The same topic, whatever names stand beside its id.
  assert.deepEqual(
    byId.topics.map(({ name }) => name),
    ['sales'],
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

for (const [what, version, topic] of [
  ['a name that is not UTF-8', 1, '0003' + '41ff42'],
  ['an id below version 12', 10, `02${'07'.repeat(16)}${'00'}`],
] as const) {
  test(`Metadata with ${what} closes the connection`, async () => {
    const { client } = await opened()
    const flexible = version >= 9
    const header = `0003${version.toString(16).padStart(4, '0')}00000001ffff${flexible ? '00' : ''}`
    const body = flexible ? `${topic}0001000000` : `00000001${topic}`
    const bytes = Buffer.from(header + body, 'hex')
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes.length)
    client.socket.write(Buffer.concat([length, bytes]))
    assert.equal(await client.frame(), null)
  })
}
