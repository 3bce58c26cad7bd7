// Transactions and groups: who may commit offsets in one, in words that its producer knows; and what one may bring: not
// more offsets than all groups together may keep, nor ever more groups.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { kafkaErrors } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { type Broker, openBroker } from '../broker.ts'
import type { ProducerClaim } from '../transactions/judging.ts'
import { RawClient } from './raw-client.suite.ts'

const world = nodeWorld()
let broker: Broker
let client: RawClient
let claim: ProducerClaim
before(async () => {
  broker = await openBroker(world, {
    dataDir: null,
    durability: 'process',
    groups: { offsetBytesMax: 3_000 },
    transactions: { groupsMax: 2 },
  })
  client = await RawClient.connect(world, await broker.listen({ host: '127.0.0.1', port: 0 }))
  await broker.createTopic({ name: 't', partitions: 20 })
  claim = await broker.transactions.init('shop', 60_000, null)
})
after(() => broker.close())

async function commit(groupId: string, partitions: readonly number[], member = {}, version = 5): Promise<string[]> {
  const topics = [
    {
      name: 't',
      partitions: partitions.map((partitionIndex) => {
        return { partitionIndex, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }
      }),
    },
  ]
  const { producerId, epoch: producerEpoch } = claim
  const answer = await client.ask('txnOffsetCommit', version, {
    transactionalId: 'shop',
    groupId,
    producerId: BigInt(producerId),
    producerEpoch,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    topics,
    ...member,
  })
  return answer.topics[0]!.partitions.map(({ errorCode }) => named(errorCode))
}
const named = (code: number): string => Object.entries(kafkaErrors).find(([, each]) => each === code)?.[0] ?? '?'
const end = async (committed: boolean): Promise<void> => {
  const answer = await broker.transactions.end('shop', { ...claim, commit: committed, raises: true })
  assert.equal(answer.error, 'NONE')
  claim = answer
}
const partitions = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('offsets in transactions count with those that are committed', async () => {
  const asked = partitions(16)
  const answers = asked.map((i) => (i < 15 ? 'NONE' : 'INVALID_COMMIT_OFFSET_SIZE'))
  assert.deepEqual(await commit('g', asked), answers, '200 bytes each of 3,000')
  assert.deepEqual(await commit('g', [16]), ['INVALID_COMMIT_OFFSET_SIZE'], 'what others have staged counts')
  await end(true)
  assert.deepEqual(await commit('g', [16]), ['INVALID_COMMIT_OFFSET_SIZE'])
  await broker.groupOffsets.deleteGroup('g')
  assert.deepEqual(await commit('g', [16]), ['NONE'])
  await end(false)
})

test('groups in open transactions, whether they were added or join by themselves', async () => {
  const add = (group: string) => broker.transactions.addOffsets('shop', claim, group)
  assert.deepEqual(
    [await add('a'), await add('b'), await add('a'), await add('c')],
    ['NONE', 'NONE', 'NONE', 'TRANSACTION_ABORTABLE'],
  )
  for (const [version, error] of [
    [3, 'INVALID_TXN_STATE'],
    [4, 'TRANSACTION_ABORTABLE'],
  ] as const) {
    const asked = {
      transactionalId: 'shop',
      producerId: BigInt(claim.producerId),
      producerEpoch: claim.epoch,
      groupId: 'c',
    }
    assert.equal(named((await client.ask('addOffsetsToTxn', version, asked)).errorCode), error)
  }
  assert.deepEqual(await commit('d', [0]), ['TRANSACTION_ABORTABLE'])
  assert.deepEqual(await commit('b', [0]), ['NONE'])
  await end(false)
  assert.equal(broker.transactions.table.groups, 0)
  assert.deepEqual(await commit('d', [0]), ['NONE'])
  assert.equal(broker.transactions.table.groups, 1)
  await end(false)
})

test('members of KIP-848 at another epoch are told of a generation: producers know no other word', async () => {
  const joined = await client.ask('consumerGroupHeartbeat', 1, {
    groupId: 'modern',
    memberId: 'one',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: ['t'],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
  })
  assert.equal(named(joined.errorCode), 'NONE')
  const at = (generationId: number) => commit('modern', [0], { memberId: 'one', generationId })
  assert.deepEqual(await at(joined.memberEpoch + 1), ['ILLEGAL_GENERATION'])
  assert.deepEqual(await at(joined.memberEpoch), ['NONE'])
  await end(false)
})

test('a member that waits for its assignment may finish its transaction, and may not commit without one', async () => {
  const joined = await client.ask('joinGroup', 3, {
    groupId: 'classic',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(4) }],
  })
  assert.equal(named(joined.errorCode), 'NONE')
  const { memberId, generationId } = joined
  assert.deepEqual(await commit('classic', [0], { memberId, generationId }), ['NONE'])
  assert.deepEqual(await commit('classic', [0], { memberId, generationId: generationId - 1 }), ['ILLEGAL_GENERATION'])
  const partition = { partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }
  const plain = await client.ask('offsetCommit', 7, {
    groupId: 'classic',
    memberId,
    generationIdOrMemberEpoch: generationId,
    groupInstanceId: null,
    topics: [{ name: 't', partitions: [partition] }],
  })
  assert.equal(named(plain.topics[0]!.partitions[0]!.errorCode), 'REBALANCE_IN_PROGRESS')
  await end(false)
})

test('who claims no membership may commit in a transaction, whoever is in the group', async () => {
  assert.deepEqual(await commit('modern', [0]), ['NONE'])
  assert.deepEqual(await commit('classic', [0]), ['NONE'])
  await end(false)
})
