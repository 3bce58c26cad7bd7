// The state machine of a group, case by case: joining, assigning, heartbeats, leaving, expiry, static members, limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextDueMs } from './expiry.ts'
import { chooseProtocol } from './protocols.ts'
import { bytes, protocolsOf, Scene, text } from './scene.suite.ts'
import { subscribedTopics } from './subscription.ts'

test('one member: joins at once, is its own leader, syncs, is stable, leaves', () => {
  const scene = new Scene()
  const answer = scene.joined.get(scene.join())!
  assert.deepEqual(
    { ...answer, members: answer.members.map(({ memberId, metadata }) => [memberId, text(metadata)]) },
    {
      error: 'NONE',
      memberId: 'm1',
      generation: 1,
      protocolType: 'consumer',
      protocol: 'range',
      leader: 'm1',
      skipAssignment: false,
      members: [['m1', 'a']],
    },
  )
  assert.equal(scene.group.state, 'CompletingRebalance')
  assert.equal(scene.part(scene.sync('m1', 1, { m1: 'all', ghost: 'none' })), 'all')
  assert.equal(scene.group.state, 'Stable')
  assert.equal(scene.heartbeat('m1', 1), 'NONE')
  assert.deepEqual(scene.leave('m1'), ['NONE'])
  assert.deepEqual([scene.group.state, scene.group.generation, scene.group.leader], ['Empty', 2, null])
  assert.equal(nextDueMs(scene.group), Infinity)
})

test('a second member: the first is asked to join again, both wait for the leader, each gets its part', () => {
  const scene = Scene.stable(1)
  const second = scene.join({ protocols: protocolsOf('range:b') })
  assert.equal(scene.error(second), 'waits')
  assert.equal(scene.heartbeat('m1', 1), 'REBALANCE_IN_PROGRESS')
  assert.equal(scene.checkCommit('m1', 1), 'NONE', 'what it did before it gives its partitions up may be committed')
  assert.equal(scene.error(scene.sync('m1', 1)), 'REBALANCE_IN_PROGRESS')
  const first = scene.join({ memberId: 'm1' })
  assert.deepEqual([scene.error(first), scene.error(second)], ['NONE', 'NONE'])
  assert.deepEqual(
    scene.joined.get(first)?.members.map(({ memberId, metadata }) => [memberId, text(metadata)]),
    [
      ['m1', 'a'],
      ['m2', 'b'],
    ],
  )
  assert.deepEqual(scene.joined.get(second)?.members, [])
  const [follower, leader] = [scene.sync('m2', 2), null]
  assert.equal(scene.error(follower), 'waits')
  assert.equal(leader, null)
  assert.equal(scene.checkCommit('m1', 2), 'REBALANCE_IN_PROGRESS')
  assert.equal(scene.heartbeat('m2', 2), 'NONE')
  const leads = scene.sync('m1', 2, { m1: 'left', m2: 'right' })
  assert.deepEqual([scene.part(leads), scene.part(follower)], ['left', 'right'])
  assert.equal(scene.part(scene.sync('m2', 2)), 'right', 'who asks again is told again')
})

test('a member that does not join again is put out when the longest rebalance timeout is over', () => {
  const scene = Scene.stable(2, {}, { rebalanceTimeoutMs: 30_000 })
  const third = scene.join({ rebalanceTimeoutMs: 20_000 })
  const first = scene.join({ memberId: 'm1', rebalanceTimeoutMs: 20_000 })
  for (let i = 0; i < 5; i++) {
    scene.pass(5_000)
    assert.equal(scene.heartbeat('m2', 1), 'REBALANCE_IN_PROGRESS')
  }
  assert.equal(scene.error(third), 'waits')
  scene.pass(5_000)
  assert.deepEqual([scene.error(first), scene.error(third)], ['NONE', 'NONE'])
  assert.deepEqual([...scene.group.members.keys()], ['m1', 'm3'])
  assert.equal(scene.heartbeat('m2', 1), 'UNKNOWN_MEMBER_ID')
})

test('sessions: each sign of life puts the end off; who gives none is gone, and the others rebalance', () => {
  const scene = Scene.stable(2)
  const lives = (run: () => void): void => {
    scene.pass(9_000)
    assert.equal(scene.heartbeat('m2', 1), 'NONE')
    run()
    assert.equal(scene.group.members.size, 2)
  }
  lives(() => assert.equal(scene.heartbeat('m1', 1), 'NONE'))
  lives(() => assert.equal(scene.checkCommit('m1', 1), 'NONE'))
  lives(() => scene.sync('m1', 1))
  scene.pass(9_000)
  scene.heartbeat('m2', 1)
  scene.pass(1_001)
  assert.deepEqual([...scene.group.members.keys()], ['m2'])
  assert.equal(scene.heartbeat('m2', 1), 'REBALANCE_IN_PROGRESS')
  assert.equal(scene.joined.get(scene.join({ memberId: 'm2' }))?.leader, 'm2')
})

test('a leader that never syncs is put out, and who waits for it is told to join again', () => {
  const scene = Scene.stable(2)
  scene.join({ memberId: 'm1', protocols: protocolsOf('range:new') })
  scene.join({ memberId: 'm2' })
  const waits = scene.sync('m2', 2)
  for (let i = 0; i < 12; i++) {
    scene.pass(5_000)
    scene.heartbeat('m1', 2)
  }
  assert.equal(scene.error(waits), 'REBALANCE_IN_PROGRESS')
  assert.deepEqual([...scene.group.members.keys()], ['m2'])
})

test('an answer nobody waits for any more: its member has a session to come back in', () => {
  const scene = Scene.stable(1)
  const second = scene.join()
  scene.forget(second)
  scene.join({ memberId: 'm1' })
  assert.equal(scene.group.state, 'PreparingRebalance')
  scene.pass(10_000)
  assert.deepEqual([scene.group.state, scene.group.members.size], ['CompletingRebalance', 1])
  assert.equal(scene.error(second), 'waits')
})

test('MEMBER_ID_REQUIRED: the id is reserved for a session, and the group waits for it', () => {
  const scene = new Scene()
  const told = scene.joined.get(scene.join({ mustKnowItsId: true }))!
  assert.deepEqual([told.error, told.memberId, scene.group.members.size], ['MEMBER_ID_REQUIRED', 'm1', 0])
  const other = scene.join()
  assert.equal(scene.error(other), 'waits', 'the first will be here in a moment')
  const first = scene.join({ memberId: 'm1', mustKnowItsId: true })
  assert.deepEqual([scene.error(first), scene.error(other)], ['NONE', 'NONE'])
  const lapsed = scene.joined.get(scene.join({ mustKnowItsId: true }))!.memberId
  assert.equal(scene.group.pending.size, 1)
  scene.pass(10_000)
  assert.equal(scene.group.pending.size, 0)
  assert.equal(scene.error(scene.join({ memberId: lapsed })), 'UNKNOWN_MEMBER_ID')
  const left = scene.joined.get(scene.join({ mustKnowItsId: true }))!.memberId
  assert.deepEqual(scene.leave(left), ['NONE'])
  assert.equal(scene.error(scene.join({ memberId: left })), 'UNKNOWN_MEMBER_ID')
})

test('joining again: a follower unchanged is told the generation, a leader or a changed member rebalances', () => {
  const scene = Scene.stable(2)
  const follower = scene.joined.get(scene.join({ memberId: 'm2' }))!
  assert.deepEqual([follower.generation, follower.leader, scene.group.state], [1, 'm1', 'Stable'])
  const leader = scene.join({ memberId: 'm1' })
  assert.equal(scene.group.state, 'PreparingRebalance')
  scene.join({ memberId: 'm2' })
  assert.equal(scene.joined.get(leader)?.generation, 2)
  // In CompletingRebalance: unchanged, only the answer was lost.
  assert.equal(scene.joined.get(scene.join({ memberId: 'm1' }))?.members.length, 2)
  const waits = scene.sync('m2', 2)
  scene.join({ memberId: 'm1', protocols: protocolsOf('range:changed') })
  assert.equal(scene.error(waits), 'REBALANCE_IN_PROGRESS')
  assert.equal(scene.group.state, 'PreparingRebalance')
})

test('who asks twice: the request given up is answered first', () => {
  const scene = Scene.stable(2)
  const early = scene.join({ memberId: 'm1', protocols: protocolsOf('range:b') })
  const late = scene.join({ memberId: 'm1', protocols: protocolsOf('range:c') })
  assert.deepEqual([scene.error(early), scene.error(late)], ['REBALANCE_IN_PROGRESS', 'waits'])
  scene.join({ memberId: 'm2' })
  const syncs = [scene.sync('m2', 2), scene.sync('m2', 2)]
  assert.deepEqual(
    syncs.map((ticket) => scene.error(ticket)),
    ['REBALANCE_IN_PROGRESS', 'waits'],
  )
})

test('the first rebalance of an empty group gathers members, as long as some keep coming, up to the rebalance timeout', () => {
  const scene = new Scene({ initialRebalanceDelayMs: 3_000 })
  const first = scene.join({ rebalanceTimeoutMs: 8_000 })
  scene.pass(2_000)
  scene.join({ rebalanceTimeoutMs: 8_000 })
  scene.pass(2_000)
  assert.equal(scene.error(first), 'waits')
  scene.join({ rebalanceTimeoutMs: 8_000 })
  scene.pass(2_500)
  scene.join({ rebalanceTimeoutMs: 8_000 })
  scene.pass(1_499)
  assert.equal(scene.error(first), 'waits')
  scene.pass(1)
  assert.equal(scene.joined.get(first)?.members.length, 4)
  assert.equal(scene.group.generation, 1)
})

test('static members: restarted in a stable group they take their place without a rebalance, and fence who was there', () => {
  const scene = new Scene({ initialRebalanceDelayMs: 10 })
  for (const instanceId of ['one', 'two']) scene.join({ instanceId })
  scene.pass(20)
  scene.sync('m1', 1, { m1: 'left', m2: 'right' })
  scene.sync('m2', 1)
  const follower = scene.joined.get(scene.join({ instanceId: 'two' }))!
  assert.deepEqual(
    [follower.error, follower.memberId, follower.generation, follower.leader, follower.members.length],
    ['NONE', 'm3', 1, 'm1', 0],
  )
  assert.equal(scene.part(scene.sync('m3', 1, {}, { instanceId: 'two' })), 'right')
  assert.equal(scene.heartbeat('m2', 1, 'two'), 'FENCED_INSTANCE_ID')
  assert.equal(scene.heartbeat('m2', 1), 'UNKNOWN_MEMBER_ID')
  assert.equal(scene.checkCommit('m2', 1, 'two'), 'FENCED_INSTANCE_ID')
  assert.equal(scene.error(scene.join({ memberId: 'm2', instanceId: 'two' })), 'FENCED_INSTANCE_ID')
  // The leader: before version 9 it is told that another leads, from then on to skip the assignment.
  const old = scene.joined.get(scene.join({ instanceId: 'one' }))!
  assert.deepEqual([old.memberId, old.leader, old.skipAssignment, old.members.length], ['m5', 'm1', false, 0])
  const leader = scene.joined.get(scene.join({ instanceId: 'one', maySkipAssignment: true }))!
  assert.deepEqual([leader.leader, leader.skipAssignment, leader.members.length], [leader.memberId, true, 2])
  assert.equal(scene.part(scene.sync(leader.memberId, 1)), 'left')
  assert.equal(scene.group.generation, 1)
})

test('static members: another choice of protocol rebalances; in a rebalance the newcomer takes the waiting place', () => {
  const scene = new Scene()
  scene.join({ instanceId: 'one', protocols: protocolsOf('range', 'sticky') })
  scene.sync('m1', 1, { m1: 'all' })
  const changed = scene.joined.get(scene.join({ instanceId: 'one', protocols: protocolsOf('sticky', 'range') }))!
  assert.deepEqual([changed.generation, changed.protocol], [2, 'sticky'])
  scene.sync('m2', 2, { m2: 'all' })
  const dynamic = scene.join({ protocols: protocolsOf('sticky') })
  const waits = scene.join({ memberId: 'm2', instanceId: 'one', protocols: protocolsOf('sticky') })
  assert.deepEqual([scene.error(dynamic), scene.error(waits)], ['NONE', 'NONE'])
  const again = scene.join({ instanceId: 'one', protocols: protocolsOf('sticky') })
  assert.equal(scene.error(again), 'waits', 'in CompletingRebalance a new member makes it begin anew')
  const newest = scene.join({ instanceId: 'one', protocols: protocolsOf('sticky') })
  assert.deepEqual([scene.error(again), scene.error(newest)], ['FENCED_INSTANCE_ID', 'waits'])
})

test('static members: they keep their place through a rebalance until their session ends', () => {
  const scene = new Scene()
  scene.join({ instanceId: 'one', sessionTimeoutMs: 100_000 })
  scene.sync('m1', 1, { m1: 'all' })
  const dynamic = scene.join()
  scene.pass(60_000)
  const answer = scene.joined.get(dynamic)!
  assert.deepEqual([answer.leader, answer.members.map(({ memberId }) => memberId)], ['m2', ['m1', 'm2']])
  scene.sync('m2', 2, { m1: 'left', m2: 'right' })
  assert.equal(scene.joined.get(scene.join({ instanceId: 'one' }))?.generation, 2, 'it is back')
  assert.equal(scene.part(scene.sync('m3', 2)), 'left')
})

test('leaving: by member id, by instance id alone, several at once, each with its own error', () => {
  const scene = new Scene({ initialRebalanceDelayMs: 10 })
  for (const instanceId of ['one', null, 'three', null]) scene.join({ instanceId })
  scene.pass(20)
  assert.deepEqual(scene.leave(['', 'one'], 'm2', ['m9', 'three'], ['', 'nobody'], 'm9', 'm2'), [
    'NONE',
    'NONE',
    'FENCED_INSTANCE_ID',
    'UNKNOWN_MEMBER_ID',
    'UNKNOWN_MEMBER_ID',
    'UNKNOWN_MEMBER_ID',
  ])
  assert.deepEqual([...scene.group.members.keys()], ['m3', 'm4'])
  assert.equal(scene.group.state, 'PreparingRebalance')
  const waits = scene.join({ memberId: 'm4' })
  assert.deepEqual(scene.leave(['m3', 'three']), ['NONE'])
  assert.equal(scene.error(waits), 'NONE', 'the last one that was waited for has left')
  const newcomer = scene.join()
  assert.deepEqual(scene.leave('m6'), ['NONE'])
  assert.equal(scene.error(newcomer), 'UNKNOWN_MEMBER_ID', 'who waits and is put out is told')
})

test('refused: what does not fit, with the error that Kafka gives', () => {
  const refused = (request: Parameters<Scene['join']>[0]) => {
    const scene = Scene.stable(1)
    const error = scene.error(scene.join(request))
    assert.deepEqual([scene.group.state, scene.group.members.size], ['Stable', 1])
    return error
  }
  assert.equal(refused({ sessionTimeoutMs: 5_999 }), 'INVALID_SESSION_TIMEOUT')
  assert.equal(refused({ sessionTimeoutMs: 1_800_001 }), 'INVALID_SESSION_TIMEOUT')
  assert.equal(refused({ protocolType: 'connect' }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(refused({ protocolType: '' }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(refused({ protocols: [] }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(refused({ protocols: protocolsOf('sticky') }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(refused({ memberId: 'nobody' }), 'UNKNOWN_MEMBER_ID')
  assert.equal(refused({ memberId: 'm1', instanceId: 'nobody' }), 'UNKNOWN_MEMBER_ID')
  const scene = Scene.stable(1)
  assert.equal(scene.error(scene.sync('m1', 0)), 'ILLEGAL_GENERATION')
  assert.equal(scene.error(scene.sync('m1', 2)), 'ILLEGAL_GENERATION')
  assert.equal(scene.error(scene.sync('m2', 1)), 'UNKNOWN_MEMBER_ID')
  assert.equal(scene.error(scene.sync('m1', 1, {}, { protocolType: 'connect' })), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(scene.error(scene.sync('m1', 1, {}, { protocol: 'sticky' })), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(scene.heartbeat('m1', 0), 'ILLEGAL_GENERATION')
  assert.equal(scene.heartbeat('m2', 1), 'UNKNOWN_MEMBER_ID')
})

test('a member alone may change to other protocols altogether', () => {
  const scene = Scene.stable(1)
  const answer = scene.joined.get(
    scene.join({ memberId: 'm1', protocolType: 'connect', protocols: protocolsOf('eager') }),
  )!
  assert.deepEqual([answer.error, answer.protocolType, answer.protocol], ['NONE', 'connect', 'eager'])
})

test('commits: members of the present generation may; who claims none only while nobody is there', () => {
  const scene = new Scene()
  assert.equal(scene.checkCommit('', -1), 'NONE')
  assert.equal(scene.checkCommit('m1', 1), 'UNKNOWN_MEMBER_ID')
  const there = Scene.stable(1)
  assert.equal(there.checkCommit('', -1), 'UNKNOWN_MEMBER_ID')
  assert.equal(there.checkCommit('m1', -1), 'ILLEGAL_GENERATION')
  assert.equal(there.checkCommit('m1', 0), 'ILLEGAL_GENERATION')
  assert.equal(there.checkCommit('m2', 1), 'UNKNOWN_MEMBER_ID')
  assert.equal(there.checkCommit('m1', 1), 'NONE')
})

test('a dead group says so to all', () => {
  const scene = Scene.stable(1)
  scene.group.state = 'Dead'
  assert.equal(scene.error(scene.join()), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(scene.error(scene.sync('m1', 1)), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(scene.heartbeat('m1', 1), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(scene.checkCommit('m1', 1), 'COORDINATOR_NOT_AVAILABLE')
  assert.deepEqual(scene.leave('m1'), ['COORDINATOR_NOT_AVAILABLE'])
})

test('limits: members, ids given out, bytes of protocols and of assignments, the shortest rebalance', () => {
  const full = Scene.stable(3, { membersMax: 3 })
  assert.equal(full.error(full.join()), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(full.error(full.join({ mustKnowItsId: true })), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(full.error(full.join({ memberId: 'm2' })), 'NONE', 'who is in stays in')
  const named = new Scene({ membersMax: 2 })
  const errors = [1, 2, 3].map(() => named.error(named.join({ mustKnowItsId: true })))
  assert.deepEqual(errors, ['MEMBER_ID_REQUIRED', 'MEMBER_ID_REQUIRED', 'GROUP_MAX_SIZE_REACHED'])
  // `range` and a byte of metadata are six.
  const large = Scene.stable(2, { groupBytesMax: 30 })
  const metadata = (size: number) => [{ name: 'range', metadata: new Uint8Array(size) }]
  assert.equal(large.error(large.join({ protocols: metadata(14) })), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(large.error(large.join({ memberId: 'm2', protocols: metadata(20) })), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(large.error(large.join({ protocols: metadata(13) })), 'waits')
  const leads = Scene.stable(1, { groupBytesMax: 30 })
  leads.join({ memberId: 'm1' })
  assert.equal(leads.error(leads.sync('m1', 2, { m1: 'x'.repeat(31) })), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(leads.part(leads.sync('m1', 2, { m1: 'x'.repeat(30) })).length, 30)
  const hasty = Scene.stable(2, {}, { rebalanceTimeoutMs: 0 })
  const again = hasty.join({ memberId: 'm1', rebalanceTimeoutMs: 0 })
  hasty.pass(999)
  assert.equal(hasty.error(again), 'waits')
  hasty.pass(1)
  assert.equal(hasty.error(again), 'NONE')
  const old = Scene.stable(1, {}, { rebalanceTimeoutMs: -1 })
  assert.equal(old.group.members.get('m1')?.rebalanceTimeoutMs, 10_000, 'JoinGroup 0 says nothing: the session timeout')
})

test('the protocol: what all know, by the most votes, a tie to the first voted for', () => {
  const chosen = (...lists: readonly (readonly string[])[]) => {
    const scene = new Scene({ initialRebalanceDelayMs: 10 })
    for (const list of lists) scene.join({ protocols: protocolsOf(...list) })
    return chooseProtocol([...scene.group.members.values()])
  }
  assert.equal(chosen(['a', 'b']), 'a')
  assert.equal(chosen(['a', 'b'], ['b']), 'b')
  assert.equal(chosen(['a', 'b'], ['b', 'a'], ['b', 'a']), 'b')
  assert.equal(chosen(['a', 'b'], ['b', 'a']), 'a')
  assert.equal(chosen(['a', 'b', 'c'], ['c', 'b'], ['b', 'c']), 'b')
})

test('subscribed topics are read from the metadata of consumers, and from nothing else', () => {
  const subscription = (...topics: readonly string[]): Uint8Array => {
    const parts = topics.map((topic) => Buffer.concat([Buffer.of(0, topic.length), Buffer.from(topic)]))
    return new Uint8Array(
      Buffer.concat([Buffer.of(0, 1, 0, 0, 0, topics.length), ...parts, Buffer.of(255, 255, 255, 255)]),
    )
  }
  const of = (protocolType: string, ...metadata: readonly Uint8Array[]) => {
    const scene = new Scene({ initialRebalanceDelayMs: 10 })
    for (const each of metadata) scene.join({ protocolType, protocols: [{ name: 'range', metadata: each }] })
    scene.pass(20)
    const topics = subscribedTopics(scene.group)
    return topics === null ? null : [...topics].sort()
  }
  assert.deepEqual(of('consumer', subscription('a', 'bc'), subscription('d')), ['a', 'bc', 'd'])
  assert.deepEqual(of('consumer'), [])
  assert.equal(of('connect', subscription('a')), null)
  for (const broken of [bytes(''), bytes('xxxxx'), subscription('abc').subarray(0, 9)]) {
    assert.equal(of('consumer', subscription('a'), broken), null)
  }
})
