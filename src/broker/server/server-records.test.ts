// Records through the server: produced, fetched, waited for, found by time, in every version of the requests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { partitionId } from '../../std/units.ts'
import { baseOffset, recordCount } from '../../wire/record-batch.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import { RawClient } from './raw-client.suite.ts'
import { batch, fetchDefaults, opened, toFetch, toProduce, world } from './server.suite.ts'

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

test('Fetch by id: a topic that was made anew while it waited is another topic', async () => {
  const { core, client } = await opened()
  const { id } = await core.createTopic({ name: 'sales', partitions: 1 })
  await core.append('sales', partitionId(0), batch(['old']))
  client.send('fetch', 13, toFetch('', 1, { maxWaitMs: 10_000 }, id))
  await world.clock.sleep(50)
  await core.deleteTopic('sales')
  await core.createTopic({ name: 'sales', partitions: 1 })
  for (const value of ['new', 'news']) await core.append('sales', partitionId(0), batch([value]))
  const [partition] = (await client.answer('fetch', 13)).body.responses[0]!.partitions
  assert.deepEqual([partition!.errorCode, partition!.records?.length ?? 0], [kafkaErrors.UNKNOWN_TOPIC_ID, 0])
})

test('ListOffsets: a long name costs its length once, however many partitions are asked of', async () => {
  const { client } = await opened()
  const name = 'n'.repeat(32_000)
  const partitions = Array.from({ length: 10_000 }, (_, partitionIndex) => {
    return { partitionIndex, timestamp: -1, currentLeaderEpoch: -1 }
  })
  const before = process.memoryUsage().heapUsed
  const { topics } = await client.ask('listOffsets', 7, { isolationLevel: 0, topics: [{ name, partitions }] })
  const grown = process.memoryUsage().heapUsed - before
  assert.equal(topics[0]?.partitions[9_999]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  // Once for each partition it would be 320 MB.
  assert.ok(grown < 100e6, `${grown} bytes more`)
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

test('InitProducerId: fresh ids for all who have no transactional id', async () => {
  const { client } = await opened()
  for (let version = 0; version <= 5; version++) {
    const fresh = await client.ask('initProducerId', version, { transactionalId: null, transactionTimeoutMs: 0 })
    assert.deepEqual([fresh.errorCode, fresh.producerId, fresh.producerEpoch], [0, 1_000n + BigInt(version), 0])
  }
  // @platformatic/kafka names id 0 and epoch 0 when it has none yet.
  const identity = { transactionalId: null, transactionTimeoutMs: 0, producerId: 0n, producerEpoch: 0 }
  const named = await client.ask('initProducerId', 5, identity)
  assert.deepEqual([named.errorCode, named.producerId, named.producerEpoch], [0, 1_006n, 0])
})
