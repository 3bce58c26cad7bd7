// ConsumerGroupHeartbeat, ConsumerGroupDescribe and what they mean for the other APIs of groups, over the wire.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaErrors, type RequestOf } from '../../wire/wire.ts'
import type { RawClient } from './raw-client.suite.ts'
import { opened } from './server.suite.ts'

type Heartbeat = RequestOf<'consumerGroupHeartbeat'>
const joining = (memberId: string, more: Partial<Heartbeat> = {}): Heartbeat => ({
  groupId: 'g',
  memberId,
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: ['t'],
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: [],
  ...more,
})
const living = (memberId: string, memberEpoch: number, more: Partial<Heartbeat> = {}): Heartbeat =>
  joining(memberId, {
    memberEpoch,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    topicPartitions: null,
    ...more,
  })
const commit = async (client: RawClient, version: number, memberId: string, epoch: number) => {
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' }]
  const topics = [{ name: 't', partitions }]
  const answer = await client.ask('offsetCommit', version, {
    groupId: 'g',
    memberId,
    generationIdOrMemberEpoch: epoch,
    topics,
  })
  return answer.topics[0]?.partitions[0]?.errorCode
}
const fetched = async (client: RawClient, memberId: string | null, memberEpoch: number) => {
  const topics = [{ name: 't', partitionIndexes: [0] }]
  const answer = await client.ask('offsetFetch', 9, { groups: [{ groupId: 'g', topics, memberId, memberEpoch }] })
  const [group] = answer.groups
  return group?.errorCode === 0 ? group.topics[0]?.partitions[0]?.committedOffset : group?.errorCode
}

test('a member lives: joins, is assigned, commits at its epoch, is described, leaves', async () => {
  for (const version of [0, 1]) {
    const { client, core } = await opened()
    const { id } = await core.createTopic({ name: 't', partitions: 2 })
    const joined = await client.ask('consumerGroupHeartbeat', version, joining(version === 0 ? '' : 'mine'))
    assert.deepEqual([joined.errorCode, joined.memberEpoch, joined.heartbeatIntervalMs], [0, 1, 1_000])
    const memberId = joined.memberId ?? ''
    assert.match(memberId, version === 0 ? /^member-[0-9a-f]{32}$/ : /^mine$/)
    assert.deepEqual(
      joined.assignment?.topicPartitions.map(({ topicId, partitions }) => [[...topicId], partitions]),
      [[[...id], [0, 1]]],
    )
    const beaten = await client.ask('consumerGroupHeartbeat', version, living(memberId, 1))
    assert.deepEqual([beaten.errorCode, beaten.assignment], [0, null])
    assert.equal(await commit(client, 9, memberId, 1), 0)
    assert.equal(await commit(client, 9, memberId, 0), kafkaErrors.STALE_MEMBER_EPOCH)
    assert.equal(await commit(client, 9, 'nobody', 1), kafkaErrors.UNKNOWN_MEMBER_ID)
    assert.equal(await commit(client, 9, '', -1), kafkaErrors.UNKNOWN_MEMBER_ID)
    assert.equal(await commit(client, 8, memberId, 1), kafkaErrors.UNSUPPORTED_VERSION)
    assert.equal(await fetched(client, memberId, 1), 5)
    assert.equal(await fetched(client, null, -1), 5)
    assert.equal(await fetched(client, memberId, 2), kafkaErrors.STALE_MEMBER_EPOCH)
    assert.equal(await fetched(client, 'nobody', 1), kafkaErrors.UNKNOWN_MEMBER_ID)
    const { groups } = await client.ask('consumerGroupDescribe', version, { groupIds: ['g', 'none'] })
    const [group, none] = groups
    assert.deepEqual(
      [group?.groupState, group?.groupEpoch, group?.assignmentEpoch, group?.assignorName],
      ['Stable', 1, 1, 'uniform'],
    )
    const [member] = group?.members ?? []
    assert.deepEqual(
      [member?.memberId, member?.memberEpoch, member?.clientId, member?.subscribedTopicNames, member?.memberType],
      [memberId, 1, 'raw', ['t'], version === 0 ? -1 : 1],
    )
    assert.deepEqual(member?.assignment, member?.targetAssignment)
    assert.deepEqual(member?.assignment.topicPartitions[0]?.topicName, 't')
    assert.equal(none?.errorCode, kafkaErrors.GROUP_ID_NOT_FOUND)
    const listed = await client.ask('listGroups', 5, { typesFilter: ['consumer'] })
    assert.deepEqual(
      listed.groups.map(({ groupId, groupState, groupType, protocolType }) => [
        groupId,
        groupState,
        groupType,
        protocolType,
      ]),
      [['g', 'Stable', 'consumer', 'consumer']],
    )
    const old = await client.ask('describeGroups', 6, { groups: ['g'] })
    assert.equal(old.groups[0]?.errorCode, kafkaErrors.GROUP_ID_NOT_FOUND)
    const deletion = async () => (await client.ask('deleteGroups', 2, { groupsNames: ['g'] })).results[0]?.errorCode
    assert.equal(await deletion(), kafkaErrors.NON_EMPTY_GROUP)
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }]
    const refused = await client.ask('offsetDelete', 0, { groupId: 'g', topics })
    assert.equal(refused.topics[0]?.partitions[0]?.errorCode, kafkaErrors.GROUP_SUBSCRIBED_TO_TOPIC)
    const left = await client.ask('consumerGroupHeartbeat', version, living(memberId, -1))
    assert.deepEqual([left.errorCode, left.memberEpoch], [0, -1])
    assert.equal(await commit(client, 2, '', -1), 0, 'anyone may set offsets of a group without members')
    assert.equal(await deletion(), 0)
    assert.equal(await fetched(client, null, -1), -1)
  }
})

test('new partitions, new topics and deleted ones reach members on their next heartbeats', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  const joins = joining('m', { subscribedTopicNames: null, subscribedTopicRegex: 't.*' })
  assert.equal((await client.ask('consumerGroupHeartbeat', 1, joins)).memberEpoch, 1)
  let epoch = 1
  let owned: Heartbeat['topicPartitions'] = []
  const becomes = async (counts: readonly number[]) => {
    for (;;) {
      const answer = await client.ask('consumerGroupHeartbeat', 1, living('m', epoch, { topicPartitions: owned }))
      assert.equal(answer.errorCode, 0)
      epoch = answer.memberEpoch
      owned = answer.assignment?.topicPartitions ?? owned
      const now = (owned ?? []).map(({ partitions }) => partitions.length).sort()
      if (now.join() === counts.join()) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await core.addPartitions('t', 3)
  await becomes([3])
  await core.createTopic({ name: 't2', partitions: 2 })
  await becomes([2, 3])
  await core.deleteTopic('t')
  await becomes([2])
})

test('requests that no member may send, and errors with their reasons', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  const error = async (version: number, request: Heartbeat) => {
    const { errorCode, errorMessage } = await client.ask('consumerGroupHeartbeat', version, request)
    assert.equal(errorCode === 0, errorMessage === null)
    return errorCode
  }
  const { INVALID_REQUEST } = kafkaErrors
  assert.equal(await error(1, joining('m', { groupId: '' })), INVALID_REQUEST)
  assert.equal(await error(1, joining('')), INVALID_REQUEST)
  assert.equal(await error(0, living('', 1)), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { instanceId: '' })), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { rackId: '' })), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { serverAssignor: '' })), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { rebalanceTimeoutMs: -1 })), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { topicPartitions: null })), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { subscribedTopicNames: null })), INVALID_REQUEST)
  assert.equal(await error(1, living('m', -2)), INVALID_REQUEST)
  assert.equal(await error(1, living('m', -3)), INVALID_REQUEST)
  assert.equal(await error(1, joining('m', { groupId: 'x'.repeat(1_001) })), kafkaErrors.INVALID_GROUP_ID)
  assert.equal(await error(1, living('m', 1)), kafkaErrors.FENCED_MEMBER_EPOCH)
  assert.equal(await error(1, living('m', -1)), kafkaErrors.GROUP_ID_NOT_FOUND)
  assert.equal(await error(1, joining('m', { serverAssignor: 'sticky' })), kafkaErrors.UNSUPPORTED_ASSIGNOR)
  assert.equal(await error(1, joining('m', { subscribedTopicRegex: '(?=a)' })), kafkaErrors.INVALID_REGULAR_EXPRESSION)
  assert.equal(await error(1, joining('m')), 0)
  const connect = await client.ask('joinGroup', 3, {
    groupId: 'workers',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'connect',
    protocols: [{ name: 'compatible', metadata: new Uint8Array(1) }],
  })
  assert.equal(connect.errorCode, 0)
  assert.equal(await error(1, joining('m', { groupId: 'workers' })), kafkaErrors.GROUP_ID_NOT_FOUND)
})
