// The APIs of consumer groups over the wire, in every version: one member's life, offsets, the admin's view, refusals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaErrors } from '../../wire/wire.ts'
import type { RawClient } from './raw-client.suite.ts'
import { opened } from './server.suite.ts'

const subscription = (topic: string): Uint8Array =>
  new Uint8Array([0, 0, 0, 0, 0, 1, 0, topic.length, ...Buffer.from(topic), 0, 0, 0, 0])
const commitOf = (
  version: number,
  groupId: string,
  memberId: string,
  generationIdOrMemberEpoch: number,
  committedOffset = 7,
  more: { topic?: string; partitionIndex?: number; committedMetadata?: string | null } = {},
) => ({
  groupId,
  memberId,
  generationIdOrMemberEpoch,
  topics: [
    {
      name: more.topic ?? 't',
      partitions: [
        {
          partitionIndex: more.partitionIndex ?? 0,
          committedOffset,
          committedLeaderEpoch: version >= 6 ? 3 : -1,
          committedMetadata: more.committedMetadata === undefined ? 'note' : more.committedMetadata,
        },
      ],
    },
  ],
})
async function joined(client: RawClient, version: number, groupId: string) {
  const request = {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }],
  }
  const first = await client.ask('joinGroup', version, request)
  if (version < 4) return first
  assert.equal(first.errorCode, kafkaErrors.MEMBER_ID_REQUIRED)
  return client.ask('joinGroup', version, { ...request, memberId: first.memberId })
}
const fetchOf = (version: number, groupId: string) => {
  const topics = [{ name: 't', partitionIndexes: [0, 1] }]
  return version < 8 ? { groupId, topics } : { groups: [{ groupId, topics, memberId: null, memberEpoch: -1 }] }
}

test('a member lives in every version: joins, syncs, beats, commits, is seen, leaves; the group is deleted', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 2 })
  for (let version = 0; version <= 9; version++) {
    const groupId = `g${version}`
    const { errorCode, generationId, memberId, leader, protocolName, members } = await joined(client, version, groupId)
    assert.deepEqual([errorCode, generationId, leader, protocolName], [0, 1, memberId, 'range'])
    assert.deepEqual([...members[0]!.metadata], [...subscription('t')])
    const identity = { groupId, generationId, memberId }
    const assignment = new Uint8Array([1, 2, version])
    const synced = await client.ask('syncGroup', Math.min(version, 5), {
      ...identity,
      assignments: [{ memberId, assignment }],
    })
    assert.deepEqual([synced.errorCode, ...synced.assignment], [0, 1, 2, version])
    assert.equal((await client.ask('heartbeat', Math.min(version, 4), identity)).errorCode, 0)
    const commitVersion = Math.max(2, version)
    const committed = await client.ask('offsetCommit', commitVersion, commitOf(commitVersion, groupId, memberId, 1))
    assert.equal(committed.topics[0]?.partitions[0]?.errorCode, 0)
    const fetchVersion = Math.max(1, version)
    const fetched = await client.ask('offsetFetch', fetchVersion, fetchOf(fetchVersion, groupId))
    const partitions = (fetchVersion < 8 ? fetched.topics : fetched.groups[0]!.topics)[0]!.partitions
    assert.deepEqual(
      partitions.map(({ committedOffset, metadata, errorCode, committedLeaderEpoch }) => [
        committedOffset,
        metadata,
        errorCode,
        committedLeaderEpoch,
      ]),
      [
        [7, 'note', 0, commitVersion >= 6 ? 3 : -1],
        [-1, '', 0, -1],
      ],
    )
    const described = (await client.ask('describeGroups', Math.min(version, 6), { groups: [groupId] })).groups[0]!
    assert.deepEqual(
      [described.errorCode, described.groupState, described.protocolType, described.protocolData],
      [0, 'Stable', 'consumer', 'range'],
    )
    const [seen] = described.members
    assert.deepEqual([seen?.clientId, seen?.clientHost], ['raw', '/127.0.0.1'])
    assert.deepEqual([...seen!.memberAssignment], [...assignment])
    const listed = (await client.ask('listGroups', Math.min(version, 5), {})).groups.find(
      (each) => each.groupId === groupId,
    )!
    assert.deepEqual(
      [listed.protocolType, listed.groupState, listed.groupType],
      ['consumer', version >= 4 ? 'Stable' : '', version >= 5 ? 'classic' : ''],
    )
    const deletion = async () =>
      (await client.ask('deleteGroups', Math.min(version, 2), { groupsNames: [groupId] })).results[0]?.errorCode
    assert.equal(await deletion(), kafkaErrors.NON_EMPTY_GROUP)
    const left = await client.ask(
      'leaveGroup',
      Math.min(version, 5),
      version < 3 ? { groupId, memberId } : { groupId, members: [{ memberId, groupInstanceId: null, reason: null }] },
    )
    assert.deepEqual([left.errorCode, left.members[0]?.errorCode ?? 0], [0, 0])
    assert.equal(await deletion(), 0)
    assert.equal(await deletion(), kafkaErrors.GROUP_ID_NOT_FOUND)
  }
})

test('OffsetFetch of everything: null from version 2 on; several groups from version 8 on', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 3 })
  for (const partitionIndex of [2, 0]) {
    await client.ask('offsetCommit', 5, commitOf(5, 'g', '', -1, 5 + partitionIndex, { partitionIndex }))
  }
  for (let version = 2; version <= 9; version++) {
    const request =
      version < 8
        ? { groupId: 'g', topics: null }
        : { groups: ['g', 'none'].map((groupId) => ({ groupId, topics: null, memberId: null, memberEpoch: -1 })) }
    const answer = await client.ask('offsetFetch', version, request)
    const topics = version < 8 ? answer.topics : answer.groups[0]!.topics
    assert.deepEqual(
      topics.map(({ name, partitions }) => [
        name,
        partitions.map((each) => [each.partitionIndex, each.committedOffset]),
      ]),
      [
        [
          't',
          [
            [0, 5],
            [2, 7],
          ],
        ],
      ],
    )
    if (version >= 8) assert.deepEqual(answer.groups[1]?.topics, [])
  }
})

test('OffsetFetch: what is asked for many times is told once', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  const committedMetadata = 'm'.repeat(4_000)
  await client.ask('offsetCommit', 5, commitOf(5, 'g', '', -1, 5, { committedMetadata }))
  const topic = { name: 't', partitionIndexes: Array.from({ length: 1_000 }, () => 0) }
  const before = client.receivedBytes
  for (const version of [5, 9]) {
    const topics = [topic, topic]
    const group = { groupId: 'g', topics, memberId: null, memberEpoch: -1 }
    await client.ask('offsetFetch', version, version < 8 ? { groupId: 'g', topics } : { groups: [group] })
  }
  assert.ok(client.receivedBytes - before < 10_000, `${client.receivedBytes - before} bytes`)
})

test('ListGroups: a filter by states says each as often as it likes', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  await client.ask('offsetCommit', 5, commitOf(5, 'g', '', -1, 5))
  const listed = async (statesFilter: string[], typesFilter: string[] = []) =>
    (await client.ask('listGroups', 5, { statesFilter, typesFilter })).groups.map(({ groupId }) => groupId)
  assert.deepEqual(await listed(['stable', 'EMPTY', 'empty'], ['Classic']), ['g'])
  assert.deepEqual(await listed(['stable'], ['classic']), [])
  assert.deepEqual(await listed([], ['consumer']), [])
})

test('OffsetCommit refuses what it should, partition by partition; a commit is answered when it is durable', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  const code = async (...[version, group, member, generation, offset, more]: Parameters<typeof commitOf>) => {
    const answer = await client.ask('offsetCommit', version, commitOf(version, group, member, generation, offset, more))
    return answer.topics[0]?.partitions[0]?.errorCode
  }
  assert.equal(await code(9, 'g', '', -1, 1, { topic: 'none' }), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await code(9, 'g', '', -1, 1, { partitionIndex: 1 }), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await code(9, 'g', '', -1, -3), kafkaErrors.INVALID_REQUEST)
  assert.equal(await code(9, 'g', '', -1, 1, { committedMetadata: 'x'.repeat(4_096) }), 0)
  const tooLong = { committedMetadata: 'x'.repeat(4_097) }
  assert.equal(await code(9, 'g', '', -1, 1, tooLong), kafkaErrors.OFFSET_METADATA_TOO_LARGE)
  assert.equal(await code(9, 'g', '', -1, 1, { committedMetadata: null }), 0)
  assert.equal(core.groupOffsets.committed('g', { topic: 't', partition: 0 })?.offset, 1)
  for (const none of [-1, -2]) {
    assert.equal(await code(9, 'g', '', -1, 1), 0)
    assert.equal(await code(9, 'g', '', -1, none), 0)
    assert.equal(core.groupOffsets.committed('g', { topic: 't', partition: 0 })?.offset, none)
  }
  assert.equal(await code(9, 'g', '', -1, 1), 0)
  assert.equal(await code(9, 'new', 'm', 3), kafkaErrors.ILLEGAL_GENERATION)
  assert.equal(await code(9, 'g', 'm', 3), kafkaErrors.UNKNOWN_MEMBER_ID)
  assert.equal(await code(9, 'x'.repeat(1_001), '', -1), kafkaErrors.INVALID_GROUP_ID)
  const member = await joined(client, 9, 'g')
  assert.equal(await code(9, 'g', '', -1), kafkaErrors.UNKNOWN_MEMBER_ID)
  assert.equal(await code(9, 'g', member.memberId, 0), kafkaErrors.ILLEGAL_GENERATION)
  assert.equal(await code(9, 'g', member.memberId, 1), kafkaErrors.REBALANCE_IN_PROGRESS)
  let written = (): void => {}
  core.durable = () =>
    new Promise((resolve) => {
      written = resolve
    })
  let answered = false
  const committing = code(9, 'slow', '', -1).then((errorCode) => {
    answered = true
    return errorCode
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual([answered, core.groupOffsets.has('slow')], [false, false])
  written()
  assert.equal(await committing, 0)
})

test('OffsetDelete: not what members read, all else; DescribeGroups of nothing is Dead', async () => {
  const { client, core } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  await core.createTopic({ name: 'u', partitions: 1 })
  for (const topic of ['t', 'u']) await client.ask('offsetCommit', 9, commitOf(9, 'g', '', -1, 4, { topic }))
  const deletion = async (groupId: string) => {
    const topics = ['t', 'u'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const answer = await client.ask('offsetDelete', 0, { groupId, topics })
    return [answer.errorCode, ...answer.topics.map(({ partitions }) => partitions[0]?.errorCode)]
  }
  assert.deepEqual(await deletion('none'), [kafkaErrors.GROUP_ID_NOT_FOUND])
  const { memberId } = await joined(client, 5, 'g')
  assert.deepEqual(await deletion('g'), [0, kafkaErrors.GROUP_SUBSCRIBED_TO_TOPIC, 0])
  assert.deepEqual(core.groupOffsets.all('g'), [{ topic: 't', partitions: [0] }])
  await client.ask('leaveGroup', 1, { groupId: 'g', memberId })
  assert.deepEqual(await deletion('g'), [0, 0, 0])
  assert.equal(core.groupOffsets.has('g'), false)
  for (const [version, errorCode] of [
    [5, 0],
    [6, kafkaErrors.GROUP_ID_NOT_FOUND],
  ] as const) {
    const { groups } = await client.ask('describeGroups', version, { groups: ['none'] })
    assert.deepEqual([groups[0]?.errorCode, groups[0]?.groupState], [errorCode, 'Dead'])
  }
  const filtered = async (request: object) =>
    (await client.ask('listGroups', 5, request)).groups.map(({ groupId }) => groupId)
  assert.deepEqual(await filtered({ statesFilter: ['empty'] }), ['g'])
  assert.deepEqual(await filtered({ statesFilter: ['Stable'] }), [])
  assert.deepEqual(await filtered({ typesFilter: ['consumer'] }), [])
})

test('a waiting join does not outlive its server, and a half-read request keeps nothing', async () => {
  const { client, server } = await opened()
  const first = await joined(client, 3, 'g')
  assert.equal(first.errorCode, 0)
  const { RawClient: Raw } = await import('./raw-client.suite.ts')
  const { world } = await import('./server.suite.ts')
  const other = await Raw.connect(world, server)
  const waiting = joined(other, 3, 'g')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close()
  assert.equal((await waiting).errorCode, kafkaErrors.COORDINATOR_NOT_AVAILABLE)
})
