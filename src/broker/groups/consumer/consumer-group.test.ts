// The state machine of groups of KIP-848, case by case, with a clock that the test turns.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAssignment } from '../consumer-protocol.ts'
import { Scene, text as textOf } from '../scene.suite.ts'
import type { ConsumerRules } from '../settings.ts'
import { groupDefaults } from '../settings.ts'
import { type Beat, type BeatAnswer, beat } from './beat.ts'
import { checkConsumer } from './claim.ts'
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './classic-members.ts'
import { newConsumerGroup, stateOf, type TopicSeen } from './consumer-group.ts'
import { toClassicGroup, toConsumerGroup } from './convert.ts'
import { expireConsumers, nextConsumerDueMs } from './expire.ts'
import { eachPart, type Parts, PartsMaker } from './parts.ts'
import { writeSubscription } from './subscription.suite.ts'

/** `a0 a1` = partitions 0 and 1 of the topic with id a. */
const parts = (text: string): Parts => {
  const made = new PartsMaker()
  for (const each of text.split(' ').filter((one) => one !== '')) made.add(each[0]!, Number(each.slice(1)))
  return made.parts
}
const text = (given: Parts | null): string | null =>
  given === null
    ? null
    : [...eachPart(given)]
        .map((part) => part.join(''))
        .sort()
        .join(' ')

class Stage {
  readonly group = newConsumerGroup('g', 'uniform')
  readonly topics = new Map<string, TopicSeen>([['a', { id: 'a', partitions: 4 }]])
  readonly view = { find: (name: string) => this.topics.get(name) ?? null, names: () => [...this.topics.keys()] }
  readonly rules: ConsumerRules
  nowMs = 1_000
  constructor(rules: Partial<ConsumerRules> = {}) {
    this.rules = { ...groupDefaults, ...rules }
  }
  /** Null: it says no more than that it lives. */
  beat(memberId: string, memberEpoch: number, owned: string | null = null, more: Partial<Beat> = {}): BeatAnswer {
    const joins = memberEpoch === 0
    const request: Beat = {
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: joins ? 30_000 : -1,
      topicNames: joins ? ['a'] : null,
      topicRegex: null,
      assignor: null,
      owned: joins ? parts('') : owned === null ? null : parts(owned),
      clientId: 'client',
      clientHost: '/host',
      mayDescribe: () => true,
      ...more,
    }
    return beat(this.group, this.rules, this.view, request, this.nowMs)
  }
  /** `epoch: partitions` or the error. */
  told(...asked: Parameters<Stage['beat']>): string {
    const { error, memberEpoch, assignment } = this.beat(...asked)
    return error === 'NONE' ? `${memberEpoch}: ${text(assignment) ?? '-'}` : error
  }
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    while (nextConsumerDueMs(this.group) <= untilMs) {
      this.nowMs = Math.max(this.nowMs, nextConsumerDueMs(this.group))
      expireConsumers(this.group, this.nowMs)
    }
    this.nowMs = untilMs
  }
  join(memberId: string, more: object = {}) {
    const request = {
      memberId,
      freshMemberId: `fresh ${++this.#named}`,
      instanceId: null,
      clientId: 'old',
      clientHost: '/host',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: writeSubscription(1, ['a']) }],
      mustKnowItsId: false,
      maySkipAssignment: true,
      ...more,
    }
    return joinClassic(this.group, this.rules, this.view, request, this.nowMs)
  }
  #named = 0
  sync(memberId: string, generation: number) {
    const request = { memberId, instanceId: null, generation, protocolType: null, protocol: null, assignments: [] }
    const { error, assignment } = syncClassic(this.group, request, this.nowMs)
    return error === 'NONE' ? (readAssignment(assignment)?.[0]?.partitions.join() ?? '') : error
  }
  heartbeat(memberId: string, generation: number) {
    return heartbeatClassic(this.group, { memberId, instanceId: null, generation }, this.nowMs)
  }
}

test('a partition moves only when its owner has said that it let go', () => {
  const stage = new Stage()
  assert.equal(stage.told('x', 0), '1: a0 a1 a2 a3')
  assert.equal(stateOf(stage.group), 'Stable')
  assert.equal(stage.told('x', 1), '1: -')
  // The second one is at the epoch of the target at once, and waits.
  assert.equal(stage.told('y', 0), '2: ')
  assert.equal(stateOf(stage.group), 'Reconciling')
  assert.equal(stage.told('x', 1), '1: a0 a1')
  // Whatever comes next without a list of what it owns frees nothing.
  assert.equal(stage.told('x', 1), '1: -')
  assert.equal(stage.told('y', 2), '2: -')
  assert.equal(stage.told('x', 1, 'a0 a1 a3'), '1: -')
  assert.equal(stage.told('y', 2), '2: -')
  assert.equal(stage.told('x', 1, 'a0 a1'), '2: -')
  assert.equal(stage.told('y', 2), '2: a2 a3')
  assert.equal(stateOf(stage.group), 'Stable')
  assert.equal(stage.told('y', -1), '-1: -')
  assert.equal(stage.told('x', 2), '3: a0 a1 a2 a3')
  assert.equal(stage.told('x', -1), '-1: -')
  assert.equal(stateOf(stage.group), 'Empty')
  assert.equal(stage.group.owners.size, 0)
})

test('who says everything is told everything; a lost answer is made up for; other epochs are fenced', () => {
  const stage = new Stage()
  stage.beat('x', 0)
  const whole = { rebalanceTimeoutMs: 30_000, topicNames: ['a'] }
  assert.equal(stage.told('x', 1, 'a0 a1 a2 a3', whole), '1: a0 a1 a2 a3')
  stage.beat('y', 0)
  stage.beat('x', 1, 'a0 a1')
  // It is at epoch 2 and does not know: its last answer was lost.
  assert.equal(stage.told('x', 1, 'a0 a1'), '2: -')
  assert.equal(stage.told('x', 1), 'FENCED_MEMBER_EPOCH')
  assert.equal(stage.told('x', 1, 'a0 a1 a2'), 'FENCED_MEMBER_EPOCH')
  assert.equal(stage.told('x', 3, 'a0 a1'), 'FENCED_MEMBER_EPOCH')
  assert.equal(stage.told('nobody', 2), 'FENCED_MEMBER_EPOCH')
  assert.equal(stage.told('nobody', -1), 'UNKNOWN_MEMBER_ID')
  // Fenced, it joins again under its id: nothing is its own meanwhile, and the target stands.
  assert.equal(stage.told('x', 0), '2: a0 a1')
  assert.equal(stage.group.epoch, 2)
})

test('commits: at the present epoch of a member, or by anyone while there is none', () => {
  const stage = new Stage()
  const check = (memberId: string, generation: number, instanceId: string | null = null) =>
    checkConsumer(stage.group, { memberId, instanceId, generation })
  assert.equal(check('', -1), 'NONE')
  stage.beat('x', 0)
  assert.equal(check('', -1), 'UNKNOWN_MEMBER_ID')
  assert.equal(check('x', 1), 'NONE')
  assert.equal(check('x', 0), 'STALE_MEMBER_EPOCH')
  assert.equal(check('x', 2), 'STALE_MEMBER_EPOCH')
  assert.equal(check('y', 1), 'UNKNOWN_MEMBER_ID')
  assert.equal(check('x', 1, 'other'), 'FENCED_INSTANCE_ID')
  const { memberId, generation } = stage.join('')
  assert.equal(check(memberId, generation), 'NONE')
  assert.equal(check(memberId, generation - 1), 'ILLEGAL_GENERATION')
})

test('static members: they go away for a while and keep their part; nobody else takes their name meanwhile', () => {
  const stage = new Stage()
  const named = { instanceId: 'i' }
  assert.equal(stage.told('x', 0, null, named), '1: a0 a1 a2 a3')
  assert.equal(stage.told('y', 0, null, named), 'UNRELEASED_INSTANCE_ID')
  assert.equal(stage.told('x', -2, null, named), '-2: -')
  assert.equal(stage.told('y', 0, null, named), '1: a0 a1 a2 a3')
  assert.equal(stage.group.epoch, 1, 'no rebalance')
  assert.equal(stage.told('x', 1, null, named), 'FENCED_INSTANCE_ID')
  assert.equal(stage.told('x', -1, null, named), 'FENCED_INSTANCE_ID')
  stage.beat('y', -2, null, named)
  assert.equal(stage.told('z', 0), '2: ')
  stage.pass(groupDefaults.consumerSessionMs - 1)
  stage.beat('z', 2)
  assert.equal(stage.group.members.size, 2)
  stage.pass(1)
  assert.deepEqual([...stage.group.members.keys()], ['z'])
  assert.equal(stage.told('z', 2), '3: a0 a1 a2 a3')
})

test('time: a silent member goes after its session, one that does not let go after its own rebalance timeout', () => {
  const stage = new Stage()
  stage.beat('x', 0)
  stage.beat('y', 0)
  assert.equal(stage.told('x', 1), '1: a0 a1')
  for (let i = 0; i < 29; i++) {
    stage.pass(1_000)
    stage.beat('x', 1)
    stage.beat('y', 2)
  }
  assert.equal(stage.group.members.size, 2)
  stage.pass(1_000)
  assert.deepEqual([...stage.group.members.keys()], ['y'])
  assert.equal(stage.told('x', 1), 'FENCED_MEMBER_EPOCH')
  assert.equal(stage.told('y', 2), '3: a0 a1 a2 a3')
  stage.pass(groupDefaults.consumerSessionMs)
  assert.equal(stage.group.members.size, 0)
})

test('topics that come, grow and go change the target by themselves; so do other subscriptions', () => {
  const stage = new Stage()
  stage.beat('x', 0, null, { topicNames: null, topicRegex: 'a|b.*' })
  stage.topics.set('b1', { id: 'b', partitions: 1 })
  assert.equal(stage.told('x', 1), '1: -', 'not looked at yet')
  stage.pass(groupDefaults.consumerTopicsEachMs)
  assert.equal(stage.told('x', 1), '2: a0 a1 a2 a3 b0')
  stage.topics.set('a', { id: 'a', partitions: 5 })
  stage.topics.set('c', { id: 'c', partitions: 5 })
  stage.pass(groupDefaults.consumerTopicsEachMs)
  assert.equal(stage.told('x', 2), '3: a0 a1 a2 a3 a4 b0')
  stage.topics.delete('b1')
  stage.pass(groupDefaults.consumerTopicsEachMs)
  assert.equal(stage.told('x', 3), '3: a0 a1 a2 a3 a4')
  assert.equal(stage.told('x', 3, 'a0 a1 a2 a3 a4'), '4: -')
  // A topic made anew is another topic.
  stage.topics.set('a', { id: 'd', partitions: 1 })
  stage.pass(groupDefaults.consumerTopicsEachMs)
  assert.equal(stage.told('x', 4, ''), '5: d0')
  assert.equal(stage.told('x', 5, 'd0', { topicRegex: '', topicNames: ['c'] }), '5: ')
  assert.equal(stage.told('x', 5, ''), '6: c0 c1 c2 c3 c4')
  const hidden = new Stage()
  hidden.topics.set('secret', { id: 's', partitions: 1 })
  assert.equal(
    hidden.told('x', 0, null, { topicRegex: '.*', topicNames: null, mayDescribe: (topic) => topic !== 'secret' }),
    '1: a0 a1 a2 a3',
  )
})

test('refused: unknown assignors, broken patterns, too many members, too large subscriptions; and nothing has changed', () => {
  const stage = new Stage({ consumerMembersMax: 2, groupBytesMax: 6_000 })
  assert.equal(stage.told('x', 0, null, { assignor: 'sticky' }), 'UNSUPPORTED_ASSIGNOR')
  assert.equal(stage.told('x', 0, null, { topicRegex: '(a' }), 'INVALID_REGULAR_EXPRESSION')
  assert.equal(stage.group.members.size, 0)
  assert.equal(stage.group.epoch, 0)
  stage.beat('x', 0, null, { assignor: 'range' })
  assert.equal(stage.group.assignor, 'range')
  assert.equal(stage.told('y', 0, null, { topicNames: ['x'.repeat(3_000)] }), 'GROUP_MAX_SIZE_REACHED')
  stage.beat('y', 0)
  assert.equal(stage.told('z', 0), 'GROUP_MAX_SIZE_REACHED')
  assert.equal(stage.join('').error, 'GROUP_MAX_SIZE_REACHED')
  assert.equal(stage.group.members.size, 2)
})

test('members of the classic protocol beside others: join, sync, heartbeat, leave', () => {
  const stage = new Stage()
  stage.beat('x', 0)
  const { memberId, generation, leader, members } = stage.join('')
  assert.deepEqual([generation, leader, members], [2, '', []])
  assert.equal(stage.sync(memberId, 2), '')
  assert.equal(stage.sync(memberId, 1), 'ILLEGAL_GENERATION')
  assert.equal(stage.heartbeat(memberId, 2), 'NONE')
  stage.beat('x', 1)
  stage.beat('x', 1, 'a0 a1')
  // What it waited for is free: it is to come and get it.
  assert.equal(stage.heartbeat(memberId, 2), 'REBALANCE_IN_PROGRESS')
  assert.equal(stage.join(memberId).generation, 2)
  assert.equal(stage.sync(memberId, 2), '2,3')
  // A cooperative member keeps what it has until the next round, and says then that it let go.
  stage.beat('y', 0)
  const owned = (partitions: readonly number[]) => ({
    protocols: [{ name: 'range', metadata: writeSubscription(1, ['a'], [{ topic: 'a', partitions }]) }],
  })
  stage.beat('z', 0)
  assert.equal(stage.sync(memberId, 2), 'REBALANCE_IN_PROGRESS')
  assert.equal(stage.heartbeat(memberId, 2), 'REBALANCE_IN_PROGRESS')
  assert.equal(stage.join(memberId, owned([2, 3])).generation, 2)
  assert.equal(stage.sync(memberId, 2), '2')
  assert.equal(stage.heartbeat(memberId, 2), 'REBALANCE_IN_PROGRESS')
  assert.equal(stage.join(memberId, owned([2])).generation, 4)
  assert.equal(stage.sync(memberId, 4), '2')
  assert.equal(stage.heartbeat(memberId, 4), 'NONE')
  // Told to join again, it has its rebalance timeout to do so.
  stage.beat('y', -1)
  for (let i = 0; i < 29; i++) {
    assert.equal(stage.heartbeat(memberId, 4), 'REBALANCE_IN_PROGRESS')
    stage.pass(1_000)
  }
  stage.pass(1_000)
  assert.equal(stage.heartbeat(memberId, 4), 'UNKNOWN_MEMBER_ID')
  const silent = stage.join('')
  stage.pass(10_000)
  assert.equal(stage.heartbeat(silent.memberId, silent.generation), 'UNKNOWN_MEMBER_ID', 'its session')
  const named = stage.join('', { mustKnowItsId: true })
  assert.equal(named.error, 'MEMBER_ID_REQUIRED')
  assert.equal(stage.join(named.memberId, { mustKnowItsId: true }).error, 'NONE')
  assert.deepEqual(
    leaveClassic(stage.group, [
      { memberId: named.memberId, instanceId: null },
      { memberId: 'x', instanceId: null },
      { memberId: 'nobody', instanceId: null },
    ]),
    ['NONE', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'],
  )
})

test('classic members: refused as a classic group would', () => {
  const stage = new Stage()
  stage.beat('x', 0)
  const error = (more: object, id = '') => stage.join(id, more).error
  assert.equal(error({ sessionTimeoutMs: 1 }), 'INVALID_SESSION_TIMEOUT')
  assert.equal(error({ protocolType: 'connect' }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(error({ protocols: [] }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(error({ protocols: [{ name: 'range', metadata: new Uint8Array(3) }] }), 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(error({}, 'nobody'), 'UNKNOWN_MEMBER_ID')
  assert.equal(error({}, 'x'), 'UNKNOWN_MEMBER_ID')
  assert.equal(error({}), 'NONE')
  const other = [{ name: 'sticky', metadata: writeSubscription(1, ['a']) }]
  assert.equal(error({ protocols: other }), 'INCONSISTENT_GROUP_PROTOCOL')
})

test('a static member changes its protocol in a rolling restart', () => {
  const stage = new Stage()
  stage.beat('x', 0, null, { instanceId: 'i' })
  stage.beat('y', 0)
  const joined = stage.join('', { instanceId: 'i' })
  assert.equal(joined.error, 'NONE')
  assert.equal(stage.group.members.get(joined.memberId)?.classic === null, false)
  assert.equal(stage.told('x', 1, null, { instanceId: 'i' }), 'FENCED_INSTANCE_ID')
  assert.equal(stage.told('z', 0, null, { instanceId: 'i' }).split(':')[0], '2')
  assert.deepEqual([...stage.group.members.keys()].sort(), ['y', 'z'])
})

test('conversion: a classic group becomes one of KIP-848 and back, members keep what they have', () => {
  const scene = Scene.stable(2, {}, { protocols: [{ name: 'range', metadata: writeSubscription(1, ['a']) }] })
  const { group: classic } = scene
  const stage = new Stage()
  // The leader has assigned one partition twice: it is the first one's.
  for (const [i, member] of [...classic.members.values()].entries()) {
    const bytes = [0, 1, 0, 0, 0, 1, 0, 1, 97, 0, 0, 0, 2, 0, 0, 0, i, 0, 0, 0, i + 1, 255, 255, 255, 255]
    member.assignment = new Uint8Array(bytes)
  }
  const group = toConsumerGroup(classic, stage.view, stage.nowMs)
  assert.ok(group !== null)
  assert.deepEqual(
    [...group.members.values()].map(({ epoch, assigned }) => [epoch, text(assigned)]),
    [
      [1, 'a0 a1'],
      [1, 'a2'],
    ],
  )
  assert.deepEqual([group.epoch, group.assignmentEpoch, stateOf(group)], [1, 1, 'Stable'])
  Object.assign(stage, { group })
  // The target is made anew: the newcomer waits for the partition that it takes over, the free one is for who has less.
  assert.match(stage.told('x', 0), /^2: /)
  assert.equal(stage.heartbeat('m1', 1), 'REBALANCE_IN_PROGRESS')
  const second = stage.join('m2')
  assert.equal(second.generation, 2)
  stage.join('m1')
  stage.beat('x', -1)
  const back = toClassicGroup(group, stage.nowMs)
  assert.deepEqual(
    [back.state, back.generation, back.protocol, back.protocolType, back.members.size, back.leader],
    ['Stable', group.epoch, 'range', 'consumer', 2, 'm1'],
  )
  const foreign = Scene.stable(1, {}, { protocolType: 'connect' })
  assert.equal(toConsumerGroup(foreign.group, stage.view, 0), null)
  const opaque = Scene.stable(1)
  assert.equal(textOf(opaque.group.members.get('m1')!.protocols[0]!.metadata), 'a')
  assert.equal(toConsumerGroup(opaque.group, stage.view, 0), null)
})
