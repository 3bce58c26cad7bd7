// Committed offsets on the journal: they outlive restarts, kills, power cuts and snapshots, go with their topics, expire.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import type { World } from '../../world/world.ts'
import { batchOf, machine, p0, refused } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import { groupDefaults } from './settings.ts'

const at = (broker: Broker, group: string, topic: string, partition = 0) =>
  broker.groupOffsets.committed(group, { topic, partition })?.offset ?? null
const commit = (
  broker: Broker,
  group: string,
  topic: string,
  offset: number,
  more: { metadata?: string; partition?: number } = {},
) =>
  broker.groupOffsets.commit(group, '', Date.now(), [
    { topic, partition: 0, offset, leaderEpoch: 4, metadata: '', ...more },
  ])

test('what was committed is there after a restart, and after one that was no end but a kill', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 2 })
  await broker.createTopic({ name: 'u', partitions: 1 })
  await commit(broker, 'g', 't', 5, { metadata: 'note' })
  await commit(broker, 'g', 't', 7, { partition: 1 })
  await commit(broker, 'other', 'u', 1)
  await commit(broker, 'g', 't', 6, { metadata: 'newer' })
  for (const end of ['kill', 'close']) {
    broker = await here.open()
    assert.deepEqual(broker.groupOffsets.all('g'), [{ topic: 't', partitions: [0, 1] }])
    const { committedMs, ...found } = broker.groupOffsets.committed('g', { topic: 't', partition: 0 })!
    assert.deepEqual(found, { offset: 6, leaderEpoch: 4, metadata: 'newer' })
    assert.ok(Math.abs(committedMs - Date.now()) < 600_000)
    if (end === 'close') await broker.close()
  }
  broker = await here.open()
  await broker.groupOffsets.forget('g', [{ topic: 't', partition: 0 }])
  await broker.groupOffsets.deleteGroup('other')
  broker = await here.open()
  assert.deepEqual(broker.groupOffsets.all('g'), [{ topic: 't', partitions: [1] }])
  assert.deepEqual(broker.groupOffsets.groups(), ['g'])
  await broker.close()
})

test('a topic takes its offsets along: one of the same name has none, before and after a restart', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  await commit(broker, 'g', 't', 5)
  const deleted = broker.deleteTopic('t')
  await assert.rejects(commit(broker, 'g', 't', 6), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await deleted
  await broker.createTopic({ name: 't', partitions: 1 })
  assert.deepEqual([at(broker, 'g', 't'), broker.groupOffsets.has('g')], [null, false])
  broker = await here.open()
  assert.deepEqual([at(broker, 'g', 't'), broker.groupOffsets.has('g')], [null, false])
  await broker.close()
})

test('a full disk takes no commit, and nothing of it is told', async () => {
  const broker = await openBroker(machine().life(), {
    dataDir: null,
    durability: 'power',
    memoryBytesMax: 300_000,
    segmentBytes: 100_000,
  })
  await broker.createTopic({ name: 't', partitions: 1 })
  await commit(broker, 'g', 't', 1)
  for (let full = false; !full; ) {
    full = await broker.append('t', p0, batchOf(['x'.repeat(20_000)])).then(
      () => false,
      () => true,
    )
  }
  await assert.rejects(commit(broker, 'g', 't', 2, { metadata: 'y'.repeat(30_000) }), refused('KAFKA_STORAGE_ERROR'))
  assert.equal(at(broker, 'g', 't'), 1)
  await broker.close()
})

test('60 histories of crashes: no acknowledged offset is lost, none goes back, none comes from nowhere', async () => {
  let crashes = 0
  let seals = 0
  for (let seed = 0; seed < 60; seed++) {
    const told = `seed ${seed} (to replay it alone, let the loop begin there)`
    const simulation = simulate({
      seed: `offsets ${seed}`,
      faults: { survival: [0, 0.5, 1][seed % 3]!, shortOdds: 0.05 },
    })
    const random = simulation.random
    const settings = {
      dataDir: '/data',
      durability: 'power',
      freeBytesMin: 0,
      segmentBytes: 5000,
      cacheBytes: 0,
    } as const
    /** Per group: acknowledged, and asked for. Offsets only grow. */
    const acked = new Map<string, number>()
    const asked = new Map<string, number>()
    const groups = ['a', 'b', 'c']
    const check = (broker: Broker): void => {
      for (const group of groups) {
        const found = at(broker, group, 'in') ?? 0
        assert.ok(found >= (acked.get(group) ?? 0), `${told}: ${group} went back to ${found} from ${acked.get(group)}`)
        assert.ok(
          found <= (asked.get(group) ?? 0),
          `${told}: ${group} is at ${found}, further than ${asked.get(group)}`,
        )
        asked.set(group, Math.max(found, acked.get(group) ?? 0))
        acked.set(group, found)
      }
    }
    for (let life = 0; life < 5; life++) {
      const isLast = life === 4
      simulation.machine.plan(
        isLast ? null : { at: 1 + random.below(90), crash: random.below(3) === 0 ? 'kill' : 'power' },
      )
      const end = await simulation.run(async (world: World, process) => {
        const broker = await openBroker(world, settings)
        if (broker.topic('in') === null) await broker.createTopic({ name: 'in', partitions: 1 })
        check(broker)
        seals += world.fs.list('/data/journal').filter((name) => name.endsWith('.seal')).length
        const committing = groups.map(async (group) => {
          for (let i = 0; i < 25; i++) {
            const next = (asked.get(group) ?? 0) + 1 + random.below(3)
            if (!process.alive) return
            asked.set(group, next)
            await commit(broker, group, 'in', next, { metadata: 'm'.repeat(random.below(200)) })
            if (process.alive) acked.set(group, next)
          }
        })
        await Promise.all(committing)
        check(broker)
        await broker.close()
        check(await openBroker(world, settings))
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') crashes++
    }
  }
  assert.ok(crashes > 100, `${crashes} crashes`)
  assert.ok(seals > 100, `${seals} seals met`)
})

test('offsets expire by the clock, at the start and hourly, but not those of a group with members', async () => {
  const simulation = simulate({ seed: 'retention' })
  const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0 } as const
  const dayMs = 24 * 3_600_000
  assert.equal(groupDefaults.offsetsRetentionMs, 7 * dayMs)
  const ended = await simulation.run(async (world) => {
    const nowMs = (): number => world.clock.nowMs()
    let broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1 })
    const offsets = [{ topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
    await broker.groupOffsets.commit('tool', '', nowMs(), offsets)
    await broker.groupOffsets.commit('members', 'consumer', nowMs(), offsets)
    const groups = (): string[] => broker.groupOffsets.groups().sort()
    await world.clock.sleep(7 * dayMs - 7_200_000)
    assert.deepEqual(groups(), ['members', 'tool'])
    await world.clock.sleep(7_200_000 + 3_600_000)
    assert.deepEqual(groups(), ['members'], 'its members were last heard of within the first hour')
    await world.clock.sleep(3_600_000 * 2)
    assert.deepEqual(groups(), [])

    await broker.groupOffsets.commit('members', 'consumer', nowMs(), offsets)
    await broker.groupOffsets.commit('tool', '', nowMs(), offsets)
    await broker.close()
    await world.clock.sleep(8 * dayMs)
    broker = await openBroker(world, settings)
    await world.clock.sleep(1_000)
    assert.deepEqual(groups(), ['members'], 'no one can tell when its members left: the start counts')
    await broker.close()
    await world.clock.sleep(6 * dayMs)
    broker = await openBroker(world, settings)
    await world.clock.sleep(1_000)
    assert.deepEqual(groups(), ['members'])
    await broker.close()
    await world.clock.sleep(dayMs + 1)
    broker = await openBroker(world, settings)
    await world.clock.sleep(1_000)
    assert.deepEqual(groups(), [])
    await broker.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
})

test('what is committed while the sweep forgets its older version stays, and so does what a transaction commits then', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 1 })
  for (const [i, group] of ['plain', 'in a transaction'].entries()) {
    const offsets = [{ topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
    await broker.groupOffsets.commit(group, '', 1_000, offsets)
    let committing: Promise<unknown>
    if (i === 0) committing = commit(broker, group, 't', 2)
    else {
      const claim = await broker.transactions.init('shop', 60_000, null)
      const [key] = broker.transactions.placeOf('t', 0)!
      const joins = { group, protocolType: '', joins: true }
      await broker.transactions.stage('shop', claim, joins, [[key, 0, 2, -1, '']])
      committing = broker.transactions.end('shop', { ...claim, commit: true, raises: true })
    }
    await broker.groupOffsets.expire(100_000, 10_000, () => 'no members')
    await committing
    assert.equal(at(broker, group, 't'), 2, group)
    assert.equal(await broker.groupOffsets.expire(Date.now() + 100_000, 10_000, () => 'no members'), 1)
  }
  await broker.close()
})
