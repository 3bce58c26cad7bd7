// The coordinator in virtual time: answers that wait, connections that end, timers, its limits, deletion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import type { World } from '../../world/world.ts'
import { MemoryCore } from '../server/memory-core.suite.ts'
import { writeSubscription } from './consumer/subscription.suite.ts'
import { GroupCoordinator } from './coordinator.ts'
import type { JoinRequest } from './join.ts'
import { protocolsOf, text } from './scene.suite.ts'
import type { GroupSettings } from './settings.ts'

const stays = (): (() => void) => () => {}
const request = (more: Partial<JoinRequest> = {}) => ({
  memberId: '',
  instanceId: null,
  clientId: 'client',
  clientHost: '/host',
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 20_000,
  protocolType: 'consumer',
  protocols: protocolsOf('range:a'),
  mustKnowItsId: false,
  maySkipAssignment: false,
  ...more,
})
async function on(
  settings: Partial<GroupSettings>,
  run: (groups: GroupCoordinator, core: MemoryCore, world: World) => Promise<void>,
): Promise<void> {
  const ended = await simulate({ seed: 'coordinator' }).run(async (world) => {
    const core = new MemoryCore()
    await core.createTopic({ name: 't', partitions: 1 })
    const groups = new GroupCoordinator(world, core, settings)
    await run(groups, core, world)
    groups.close()
    assert.equal(groups.waiting, 0)
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
}
const part = (memberId: string, assignment: string) => ({
  memberId,
  assignment: new Uint8Array(Buffer.from(assignment)),
})
const toSync = (memberId: string, generation: number, ...assignments: ReturnType<typeof part>[]) => ({
  memberId,
  instanceId: null,
  generation,
  protocolType: null,
  protocol: null,
  assignments,
})

test('answers wait for the rebalance, its timeout included; sessions end by themselves', () =>
  on({}, async (groups, _, world) => {
    const first = await groups.join('g', request(), stays)
    assert.equal(first.error, 'NONE')
    assert.match(first.memberId, /^client-[0-9a-f]{32}$/)
    await groups.sync('g', toSync(first.memberId, 1, part(first.memberId, 'all')), stays)
    const startedMs = world.clock.monoMs()
    const joining = groups.join('g', request(), stays)
    const claim = { memberId: first.memberId, instanceId: null, generation: 1 }
    while (groups.heartbeat('g', claim) === 'REBALANCE_IN_PROGRESS') await world.clock.sleep(1_000)
    const second = await joining
    assert.deepEqual([second.error, second.generation, second.leader], ['NONE', 2, second.memberId])
    const waitedMs = world.clock.monoMs() - startedMs
    assert.ok(waitedMs >= 20_000 && waitedMs < 21_100, `${waitedMs} ms`)
    await world.clock.sleep(6_001)
    assert.deepEqual([groups.group('g')?.state, groups.group('g')?.members.size], ['Empty', 0])
  }))

test('a connection that ends takes its answer along, and its member after a session', () =>
  on({}, async (groups, _, world) => {
    const first = await groups.join('g', request(), stays)
    let gone = (): void => {}
    let watching = false
    const joining = groups.join('g', request(), (callback) => {
      gone = callback
      watching = true
      return () => {
        watching = false
      }
    })
    assert.equal(groups.waiting, 1)
    gone()
    assert.equal((await joining).error, 'COORDINATOR_NOT_AVAILABLE')
    assert.deepEqual([groups.waiting, watching, groups.group('g')?.members.size], [0, false, 2])
    const again = await groups.join('g', request({ memberId: first.memberId }), stays)
    assert.deepEqual([again.error, again.members.length], ['NONE', 1])
    assert.ok(world.clock.monoMs() >= 6_000)
  }))

test('an answer that was given does not watch its connection any more', () =>
  on({}, async (groups) => {
    let watched = 0
    const onGone = (): (() => void) => {
      watched++
      return () => {
        watched--
      }
    }
    const { memberId } = await groups.join('g', request(), onGone)
    const { assignment } = await groups.sync('g', toSync(memberId, 1, part(memberId, 'all')), onGone)
    assert.equal(text(assignment), 'all')
    assert.equal(watched, 0)
  }))

test('limits: group ids, groups (the empty ones make room), bytes of all members', () =>
  on({ groupsMax: 2, groupIdBytesMax: 4, memberBytesMax: 3_000 }, async (groups) => {
    const error = async (id: string, more = {}) => (await groups.join(id, request(more), stays)).error
    assert.equal(await error(''), 'INVALID_GROUP_ID')
    assert.equal(await error('five5'), 'INVALID_GROUP_ID')
    assert.equal(await error('ééé'), 'INVALID_GROUP_ID')
    const one = await groups.join('four', request(), stays)
    assert.equal(await error('two'), 'NONE')
    assert.equal(await error('more'), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(await error('new', { memberId: 'unknown' }), 'UNKNOWN_MEMBER_ID')
    assert.deepEqual(groups.leave('four', [{ memberId: one.memberId, instanceId: null }]), ['NONE'])
    assert.equal(await error('more'), 'NONE')
    assert.equal(groups.group('four'), null)
    const large = protocolsOf(`range:${'x'.repeat(3_000)}`)
    assert.equal(await error('two', { protocols: large }), 'COORDINATOR_NOT_AVAILABLE')
    assert.ok(groups.bytes > 0 && groups.bytes <= 3_000)
    assert.deepEqual(groups.leave('none', [{ memberId: 'x', instanceId: null }]), ['UNKNOWN_MEMBER_ID'])
    assert.equal((await groups.sync('none', toSync('x', 1), stays)).error, 'UNKNOWN_MEMBER_ID')
  }))

test('what clients call themselves counts among the bytes of members', () =>
  on({ memberBytesMax: 300_000 }, async (groups) => {
    const long = (what: string) => ({ [what]: 'n'.repeat(30_000) })
    for (const more of [{ clientId: 'n'.repeat(30_000) }, long('instanceId')]) {
      const errors = new Set<string>()
      for (let i = 0; i < 6; i++)
        errors.add((await groups.join(`${Object.keys(more)[0]} ${i}`, request(more), stays)).error)
      assert.deepEqual([...errors].at(-1), 'COORDINATOR_NOT_AVAILABLE')
    }
    assert.ok(groups.bytes > 200_000 && groups.bytes <= 300_000)
  }))

test('deletion: not with members, not of nothing; while it is not durable nobody joins or commits', () =>
  on({}, async (groups, core, world) => {
    const { memberId } = await groups.join('g', request(), stays)
    assert.equal(await groups.deleteGroup('g'), 'NON_EMPTY_GROUP')
    assert.equal(await groups.deleteGroup('none'), 'GROUP_ID_NOT_FOUND')
    groups.leave('g', [{ memberId, instanceId: null }])
    const offsets = [{ topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
    await core.groupOffsets.commit('g', '', 0, offsets)
    core.durable = () => world.clock.sleep(100)
    const deleting = groups.deleteGroup('g')
    assert.equal((await groups.join('g', request(), stays)).error, 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(
      groups.checkCommit('g', { memberId: '', instanceId: null, generation: -1 }),
      'COORDINATOR_NOT_AVAILABLE',
    )
    assert.equal(await groups.deleteGroup('g'), 'GROUP_ID_NOT_FOUND')
    assert.equal(await deleting, 'NONE')
    assert.deepEqual(groups.groupIds(), [])
    assert.equal((await groups.join('g', request(), stays)).error, 'NONE')
  }))

test('closing answers everyone who waits', () =>
  on({}, async (groups) => {
    const { memberId } = await groups.join('g', request(), stays)
    const joining = groups.join('g', request(), stays)
    groups.close()
    assert.equal((await joining).error, 'COORDINATOR_NOT_AVAILABLE')
    assert.equal((await groups.join('g', request({ memberId }), stays)).error, 'COORDINATOR_NOT_AVAILABLE')
  }))

test('offsets of topics that living members do not read expire, in both protocols', () =>
  on({ offsetsRetentionMs: 1_000, sessionTimeoutMsMin: 1, consumerSessionMs: 60_000 }, async (groups, core, world) => {
    await core.createTopic({ name: 'u', partitions: 1 })
    const reads = (topic: string) => [{ name: 'range', metadata: writeSubscription(1, [topic]) }]
    for (const id of ['classic', 'consumer']) {
      const both = ['t', 'u'].map((topic) => ({ topic, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }))
      await core.groupOffsets.commit(id, '', world.clock.nowMs(), both)
    }
    const { memberId } = await groups.join(
      'classic',
      request({ sessionTimeoutMs: 60_000, protocols: reads('t') }),
      stays,
    )
    const beaten = groups.beat('consumer', {
      memberId: 'm',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 1_000,
      topicNames: [],
      topicRegex: 't.*',
      assignor: null,
      owned: new Map(),
      clientId: '',
      clientHost: '',
      mayDescribe: () => true,
    })
    assert.equal(beaten.error, 'NONE')
    const kept = (id: string) => core.groupOffsets.all(id).map(({ topic }) => topic)
    await world.clock.sleep(999)
    await groups.sweep()
    assert.deepEqual(
      [kept('classic'), kept('consumer')],
      [
        ['t', 'u'],
        ['t', 'u'],
      ],
    )
    await world.clock.sleep(1)
    await groups.sweep()
    assert.deepEqual([kept('classic'), kept('consumer')], [['t', 'u'], ['t']], 'in a rebalance all may be read')
    await groups.sync('classic', toSync(memberId, 1, part(memberId, '')), stays)
    await groups.sweep()
    assert.deepEqual(kept('classic'), ['t'])
  }))

test('a group of KIP-848: refused without room, closed, deleted when its members have gone; its epoch outlives them', () =>
  on({ groupsMax: 1 }, async (groups, _, world) => {
    const told = (id: string, memberId: string, memberEpoch: number) =>
      groups.beat(id, {
        memberId,
        memberEpoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: 1_000,
        topicNames: ['t'],
        topicRegex: null,
        assignor: null,
        owned: new Map(),
        clientId: '',
        clientHost: '',
        mayDescribe: () => true,
      })
    assert.equal(told('g', 'm', 0).memberEpoch, 1)
    assert.equal(told('more', 'm', 0).error, 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(await groups.deleteGroup('g'), 'NON_EMPTY_GROUP')
    await world.clock.sleep(45_001)
    assert.equal(groups.members('g'), 0)
    assert.equal(told('g', 'm', 1).error, 'FENCED_MEMBER_EPOCH')
    assert.equal(told('g', 'm', 0).memberEpoch, 3)
    assert.equal(told('g', 'm', -1).error, 'NONE')
    // A member of the classic protocol finds it empty: it is a classic group from then on.
    const joined = await groups.join('g', request(), stays)
    assert.deepEqual([joined.generation, groups.listed('g').type], [5, 'classic'])
    assert.equal(told('g', 'm', 0).error, 'GROUP_ID_NOT_FOUND', 'its metadata says nothing of topics')
    groups.leave('g', [{ memberId: joined.memberId, instanceId: null }])
    assert.equal(told('g', 'm', 0).error, 'NONE')
    told('g', 'm', -1)
    assert.equal(await groups.deleteGroup('g'), 'NONE')
    groups.close()
    assert.equal(told('g', 'm', 0).error, 'COORDINATOR_NOT_AVAILABLE')
  }))
