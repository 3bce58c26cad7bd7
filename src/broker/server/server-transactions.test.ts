// The APIs of transactions over the wire, in all their versions: what each answers, in which words, and what readers see.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type KafkaError, kafkaErrors } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { type Broker, openBroker } from '../broker.ts'
import { transactional } from '../transactions/transactions.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { fetchDefaults } from './server.suite.ts'

const world = nodeWorld()
let broker: Broker
let client: RawClient
before(async () => {
  broker = await openBroker(world, { dataDir: null, durability: 'process', transactions: { idsMax: 200 } })
  client = await RawClient.connect(world, await broker.listen({ host: '127.0.0.1', port: 0 }))
  await broker.createTopic({ name: 't', partitions: 2 })
})
after(() => broker.close())

/** Where a version names topics by their names. */
const topicId = new Uint8Array(16)
const named = (code: number): KafkaError | undefined =>
  Object.entries(kafkaErrors).find(([, each]) => each === code)?.[0] as KafkaError | undefined

interface Producer {
  readonly id: string
  readonly producerId: bigint
  producerEpoch: number
}
let ids = 0
async function begin(id = `id ${++ids}`, version = 5): Promise<Producer> {
  const asked = { transactionalId: id, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
  for (;;) {
    const answer = await client.ask('initProducerId', version, asked)
    if (answer.errorCode === kafkaErrors.CONCURRENT_TRANSACTIONS) continue
    assert.equal(named(answer.errorCode), 'NONE')
    return { id, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  }
}
async function add(producer: Producer, version: number, partitions = [0], name = 't'): Promise<(string | undefined)[]> {
  const topics = [{ name, partitions }]
  const { id, producerId, producerEpoch } = producer
  const transaction = { transactionalId: id, producerId, producerEpoch, verifyOnly: false, topics }
  const answer = await client.ask(
    'addPartitionsToTxn',
    version,
    version < 4
      ? {
          v3AndBelowTransactionalId: id,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: topics,
        }
      : { transactions: [transaction] },
  )
  const results = version < 4 ? answer.resultsByTopicV3AndBelow : answer.resultsByTransaction[0]!.topicResults
  return results[0]!.resultsByPartition.map(({ partitionErrorCode }) => named(partitionErrorCode))
}
async function write(producer: Producer, version: number, value: string, sequence: number, index = 0) {
  const { id, producerId, producerEpoch } = producer
  const batch = transactional([value], { producerId: Number(producerId), epoch: producerEpoch }, sequence)
  const answer = await client.ask('produce', version, {
    transactionalId: id,
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 't', topicId: broker.topic('t')!.id, partitionData: [{ index, records: batch }] }],
  })
  const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
  return errorCode === 0 ? baseOffset : named(errorCode)
}
async function end(producer: Producer, version: number, committed: boolean): Promise<string | undefined> {
  const { id, producerId, producerEpoch } = producer
  const answer = await client.ask('endTxn', version, { transactionalId: id, producerId, producerEpoch, committed })
  if (answer.errorCode === 0 && version >= 5) {
    assert.equal(answer.producerId, producerId)
    producer.producerEpoch = answer.producerEpoch
  }
  return named(answer.errorCode)
}
async function fetch(from: number, isolationLevel: number, partition = 0) {
  const answer = await client.ask('fetch', 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    isolationLevel,
    topics: [
      {
        topic: 't',
        topicId,
        partitions: [{ ...fetchDefaults, partition, fetchOffset: from, partitionMaxBytes: 1 << 20 }],
      },
    ],
  })
  return answer.responses[0]!.partitions[0]!
}
async function latest(isolationLevel: number): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }]
  const answer = await client.ask('listOffsets', 5, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: 't', partitions }],
  })
  return answer.topics[0]!.partitions[0]!.offset
}

test('AddPartitionsToTxn 0-5: added, all or none; who is fenced is told in the words of the version', async () => {
  for (let version = 0; version <= 5; version++) {
    const producer = await begin()
    assert.deepEqual(await add(producer, version, [0, 1]), ['NONE', 'NONE'])
    assert.deepEqual(await add(producer, version, [0]), ['NONE'], 'again')
    assert.deepEqual(await add(producer, version, [0, 7]), ['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    const fenced = version < 2 ? 'INVALID_PRODUCER_EPOCH' : 'PRODUCER_FENCED'
    assert.deepEqual(await add({ ...producer, producerEpoch: 7 }, version), [fenced])
    assert.deepEqual(await add({ ...producer, producerId: 1n }, version), ['INVALID_PRODUCER_ID_MAPPING'])
    assert.deepEqual(await add({ ...producer, id: 'unknown' }, version), ['INVALID_PRODUCER_ID_MAPPING'])
    assert.deepEqual(await add({ ...producer, id: '' }, version), ['INVALID_REQUEST'])
    assert.equal(await end(producer, Math.min(version, 4), true), 'NONE')
  }
})

test('AddPartitionsToTxn 4+: only a question', async () => {
  const [one, other] = [await begin(), await begin()]
  await add(one, 5, [0])
  for (const version of [4, 5]) {
    const topics = [{ name: 't', partitions: [0, 1] }]
    const transactions = [one, other].map(({ id, producerId, producerEpoch }) => {
      return { transactionalId: id, producerId, producerEpoch, verifyOnly: true, topics }
    })
    const { resultsByTransaction } = await client.ask('addPartitionsToTxn', version, { transactions })
    const no = version < 5 ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE'
    assert.deepEqual(
      resultsByTransaction.map(({ topicResults }) =>
        topicResults[0]!.resultsByPartition.map(({ partitionErrorCode }) => named(partitionErrorCode)),
      ),
      [
        ['NONE', no],
        [no, no],
      ],
    )
  }
  assert.equal(await end(one, 5, false), 'NONE')
})

test('Produce: older clients add first; from 12 on partitions join; a late batch is refused in the words of the version', async () => {
  for (const version of [3, 10, 11]) {
    const producer = await begin()
    assert.equal(await write(producer, version, 'no', 0), version < 11 ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE')
    await add(producer, 0)
    assert.equal(typeof (await write(producer, version, `old ${version}`, 0)), 'number')
    assert.equal(await end(producer, 1, true), 'NONE')
    const late = await write(producer, version, 'late', 1)
    assert.equal(late, version < 11 ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE', 'it would be in no transaction')
  }
  for (const version of [12, 13]) {
    const producer = await begin()
    const place = await write(producer, version, `new ${version}`, 0)
    assert.equal(typeof place, 'number')
    assert.equal(await write(producer, version, `new ${version}`, 0), place, 'a repeated batch is where it was')
    const before = { ...producer }
    assert.equal(await end(producer, 5, true), 'NONE')
    assert.equal(producer.producerEpoch, before.producerEpoch + 1)
    assert.equal(await write(before, version, 'late', 1), 'INVALID_PRODUCER_EPOCH')
    assert.equal(await write({ ...producer, id: 'unknown' }, version, 'no', 0), 'INVALID_PRODUCER_ID_MAPPING')
  }
  const { producerId, producerEpoch } = await begin()
  const batch = transactional(['x'], { producerId: Number(producerId), epoch: producerEpoch }, 0)
  const anonymous = await client.ask('produce', 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 't', topicId, partitionData: [{ index: 0, records: batch }] }],
  })
  const { errorCode } = anonymous.responses[0]!.partitionResponses[0]!
  assert.equal(named(errorCode), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
})

test('Fetch and ListOffsets: committed reading ends before the open transaction, and names what was aborted', async () => {
  const start = await latest(0)
  const [first, second] = [await begin(), await begin()]
  const [a, b] = [await write(first, 12, 'aborted', 0), await write(second, 12, 'open', 0)]
  assert.deepEqual([a, b], [start, start + 1])
  assert.equal(await end(first, 5, false), 'NONE')
  assert.deepEqual([await latest(0), await latest(1)], [start + 3, start + 1])
  const all = await fetch(start, 0)
  assert.deepEqual([all.highWatermark, all.lastStableOffset, all.abortedTransactions], [start + 3, start + 1, null])
  const committed = await fetch(start, 1)
  assert.equal(committed.lastStableOffset, start + 1)
  assert.deepEqual(committed.abortedTransactions, [{ producerId: first.producerId, firstOffset: start }])
  assert.ok(committed.records!.length < all.records!.length)
  const beyond = await fetch(start + 1, 1)
  assert.deepEqual([beyond.errorCode, beyond.records?.length ?? 0, beyond.abortedTransactions], [0, 0, []])
  assert.equal(await end(second, 5, true), 'NONE')
  assert.deepEqual([await latest(0), await latest(1)], [start + 4, start + 4])
  const later = await fetch(start + 1, 1)
  assert.deepEqual(later.abortedTransactions, [{ producerId: first.producerId, firstOffset: start }], 'it overlaps')
  assert.deepEqual((await fetch(start + 3, 1)).abortedTransactions, [])
})

test('a long poll for committed records is answered by the commit', async () => {
  const start = await latest(1)
  const producer = await begin()
  await write(producer, 12, 'soon', 0)
  const other = await RawClient.connect(world, await broker.listen({ host: '127.0.0.1', port: 0 }))
  const partitions = [{ ...fetchDefaults, partition: 0, fetchOffset: start, partitionMaxBytes: 1 << 20 }]
  const asked = {
    maxWaitMs: 30_000,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 1,
    topics: [{ topic: 't', topicId, partitions }],
  }
  const polled = other.ask('fetch', 11, asked)
  assert.equal(await end(producer, 5, true), 'NONE')
  assert.ok(((await polled).responses[0]!.partitions[0]!.records?.length ?? 0) > 0)
})

test('offsets in a transaction: unstable until it ends, committed with it, gone with an abort', async () => {
  const committed = async (requireStable: boolean): Promise<[number, string | undefined]> => {
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: [{ name: 't', partitionIndexes: [0] }] }]
    const answer = await client.ask('offsetFetch', 8, { groups, requireStable })
    const { committedOffset, errorCode } = answer.groups[0]!.topics[0]!.partitions[0]!
    return [committedOffset, named(errorCode)]
  }
  const stage = async (producer: Producer, version: number, offset: number, more = {}) => {
    const partitions = [
      { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: 'note' },
      { partitionIndex: 9, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null },
    ]
    const { id, producerId, producerEpoch } = producer
    const answer = await client.ask('txnOffsetCommit', version, {
      transactionalId: id,
      groupId: 'g',
      producerId,
      producerEpoch,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [{ name: 't', partitions }],
      ...more,
    })
    const [first, second] = answer.topics[0]!.partitions.map(({ errorCode }) => named(errorCode))
    if (first === 'NONE') assert.equal(second, 'UNKNOWN_TOPIC_OR_PARTITION')
    return first
  }
  let before = -1
  for (let version = 0; version <= 5; version++) {
    for (const commit of [false, true]) {
      const producer = await begin()
      const asked = { transactionalId: producer.id, producerId: producer.producerId, groupId: 'g' }
      if (version < 5) {
        assert.equal(await stage(producer, version, 5), 'INVALID_TXN_STATE', 'the group has not been added')
        for (let adding = 0; adding <= 4; adding++) {
          const add = { ...asked, producerEpoch: producer.producerEpoch }
          assert.equal(named((await client.ask('addOffsetsToTxn', adding, add)).errorCode), 'NONE')
          const fenced = adding < 2 ? 'INVALID_PRODUCER_EPOCH' : 'PRODUCER_FENCED'
          assert.equal(
            named((await client.ask('addOffsetsToTxn', adding, { ...add, producerEpoch: 9 })).errorCode),
            fenced,
          )
        }
      }
      assert.equal(await stage(producer, version, 10 + version), 'NONE')
      assert.equal(await stage({ ...producer, producerEpoch: 9 }, version, 1), 'INVALID_PRODUCER_EPOCH')
      if (version >= 3) {
        assert.equal(
          await stage(producer, version, 1, { memberId: 'gone', generationId: 3 }),
          before < 0 ? 'ILLEGAL_GENERATION' : 'UNKNOWN_MEMBER_ID',
        )
      }
      assert.deepEqual(await committed(true), [-1, 'UNSTABLE_OFFSET_COMMIT'])
      assert.deepEqual(await committed(false), [before, 'NONE'])
      assert.equal(await end(producer, version < 5 ? 3 : 5, commit), 'NONE')
      if (commit) before = 10 + version
      assert.deepEqual(await committed(true), [before, 'NONE'])
    }
  }
})

test('InitProducerId with an id: fences, goes on, refuses long timeouts', async () => {
  for (let version = 0; version <= 5; version++) {
    const id = `init ${version}`
    const ask = async (timeoutMs: number, producerId = -1n, producerEpoch = -1) => {
      const asked = { transactionalId: id, transactionTimeoutMs: timeoutMs, producerId, producerEpoch }
      return client.ask('initProducerId', version, asked)
    }
    assert.equal(named((await ask(60_001)).errorCode), 'INVALID_TRANSACTION_TIMEOUT')
    assert.equal(named((await ask(0)).errorCode), 'INVALID_TRANSACTION_TIMEOUT')
    const first = await ask(60_000)
    assert.deepEqual([named(first.errorCode), first.producerEpoch], ['NONE', 0])
    assert.deepEqual([(await ask(60_000)).producerEpoch, (await ask(60_000)).producerEpoch], [1, 2])
    if (version < 3) continue
    const onward = await ask(60_000, first.producerId, 2)
    assert.deepEqual([named(onward.errorCode), onward.producerEpoch], ['NONE', 3])
    assert.equal((await ask(60_000, first.producerId, 2)).producerEpoch, 3, 'the same request again')
    const fenced = await ask(60_000, first.producerId, 1)
    assert.equal(named(fenced.errorCode), version < 4 ? 'INVALID_PRODUCER_EPOCH' : 'PRODUCER_FENCED')
    assert.equal(named((await ask(60_000, first.producerId, -1)).errorCode), 'INVALID_REQUEST')
  }
  const none = { transactionalId: 'init 5', transactionTimeoutMs: 60_000, producerId: 0n, producerEpoch: 0 }
  assert.equal(named((await client.ask('initProducerId', 5, none)).errorCode), 'NONE', 'id 0 is nobody’s')
  const producer = await begin()
  await write(producer, 12, 'lost', 0)
  const asked = { transactionalId: producer.id, transactionTimeoutMs: 60_000 }
  const first = await client.ask('initProducerId', 5, { ...asked, producerId: -1n, producerEpoch: -1 })
  assert.equal(named(first.errorCode), 'CONCURRENT_TRANSACTIONS', 'the open transaction is aborted first')
  await begin(producer.id)
  assert.equal(await end(producer, 5, true), 'PRODUCER_FENCED')
  assert.equal(await end(producer, 1, true), 'INVALID_PRODUCER_EPOCH')
  assert.equal(await latest(1), await latest(0), 'nothing is open')
})

test('DescribeTransactions, ListTransactions, DescribeProducers: who does what', async () => {
  const [busy, idle] = [await begin('shown.busy'), await begin('shown.idle')]
  const place = await write(busy, 12, 'x', 0, 1)
  const { transactionStates } = await client.ask('describeTransactions', 0, {
    // Asked for again it is not told again.
    transactionalIds: ['shown.busy', 'shown.idle', 'nobody', '', 'shown.busy'],
  })
  assert.deepEqual(
    transactionStates.map(({ errorCode, transactionState, producerId, topics }) => [
      named(errorCode),
      transactionState,
      producerId,
      topics,
    ]),
    [
      ['NONE', 'Ongoing', busy.producerId, [{ topic: 't', partitions: [1] }]],
      ['NONE', 'Empty', idle.producerId, []],
      ['TRANSACTIONAL_ID_NOT_FOUND', '', 0n, []],
      ['INVALID_REQUEST', '', 0n, []],
    ],
  )
  assert.ok(Math.abs(transactionStates[0]!.transactionStartTimeMs - world.clock.nowMs()) < 60_000)
  const list = async (version: number, more: object) => {
    const asked = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null, ...more }
    const answer = await client.ask('listTransactions', version, asked)
    const found = answer.transactionStates.map(({ transactionalId }) => transactionalId)
    return { ...answer, found: found.filter((id) => id.startsWith('shown')).sort() }
  }
  for (let version = 0; version <= 2; version++) {
    assert.deepEqual((await list(version, {})).found, ['shown.busy', 'shown.idle'])
    assert.deepEqual((await list(version, { stateFilters: ['Ongoing'] })).found, ['shown.busy'])
    assert.deepEqual((await list(version, { producerIdFilters: [idle.producerId] })).found, ['shown.idle'])
    const { unknownStateFilters } = await list(version, { stateFilters: ['Ongoing', 'Odd'] })
    assert.deepEqual(unknownStateFilters, ['Odd'])
  }
  assert.deepEqual((await list(1, { durationFilter: 3_600_000 })).found, [])
  assert.deepEqual((await list(2, { transactionalIdPattern: 'shown\\.b.*' })).found, ['shown.busy'])
  assert.deepEqual((await list(2, { transactionalIdPattern: 'b.*' })).found, [], 'a pattern fits the whole id')
  const odd = await list(2, { transactionalIdPattern: '(' })
  assert.equal(named(odd.errorCode), 'INVALID_REGULAR_EXPRESSION')
  const { topics } = await client.ask('describeProducers', 0, { topics: [{ name: 't', partitionIndexes: [1, 9] }] })
  const [one, nine] = topics[0]!.partitions
  assert.equal(named(nine!.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
  const producer = one!.activeProducers.find(({ producerId }) => producerId === busy.producerId)
  assert.deepEqual(
    [producer?.producerEpoch, producer?.lastSequence, producer?.currentTxnStartOffset],
    [busy.producerEpoch, 0, place],
  )
  assert.equal(await end(busy, 5, false), 'NONE')
})

test('WriteTxnMarkers: an administrator ends a transaction that hangs', async () => {
  const producer = await begin()
  await write(producer, 12, 'hangs', 0)
  assert.ok((await latest(1)) < (await latest(0)))
  const mark = async (producerEpoch: number) => {
    const topics = [{ name: 't', partitionIndexes: [0, 9] }]
    const { producerId } = producer
    const marker = { producerId, producerEpoch, transactionResult: false, topics, coordinatorEpoch: 0 }
    const { markers } = await client.ask('writeTxnMarkers', 1, { markers: [marker] })
    return markers[0]!.topics[0]!.partitions.map(({ errorCode }) => named(errorCode))
  }
  assert.deepEqual(await mark(producer.producerEpoch - 1), ['INVALID_PRODUCER_EPOCH', 'UNKNOWN_TOPIC_OR_PARTITION'])
  assert.deepEqual(await mark(producer.producerEpoch), ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  assert.equal(await latest(1), await latest(0))
  assert.equal(await end(producer, 5, true), 'NONE', 'its owner knows nothing of that, and ends it as well')
})

test('limits: ids beyond the number make the idle ones go; one too long is refused', async () => {
  const asked = { transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
  const long = await client.ask('initProducerId', 5, { ...asked, transactionalId: 'x'.repeat(4_097) })
  assert.equal(named(long.errorCode), 'INVALID_REQUEST')
  await begin('x'.repeat(4_096))
  for (let i = 0; i < 250; i++) await begin(`many ${i}`)
  assert.equal(broker.transactions.table.size, 200)
})
