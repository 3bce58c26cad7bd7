// Topics that change while they are used: more partitions, other configs; durable when said so, taken back whole, at work
// at once, through restarts, seals and crashes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { randomStream } from '../std/random.ts'
import { offset, partitionId } from '../std/units.ts'
import { isAppendTime } from '../wire/record-batch.ts'
import { batchOf, machine, p0, p1, readValues, refused, valuesOf } from './broker.suite.ts'
import { type Broker, openBroker } from './broker.ts'
import { brokerConfigSetting } from './broker-setting.ts'
import { readTopic, writeTopic } from './house-entries.ts'
import { configDefaults, configProblem, topicConfig } from './topic-configs.ts'
import { TopicTable } from './topic-table.ts'

const set =
  (name: string, value: string) =>
  (configs: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({ ...configs, [name]: value })

test('every topic config has a type, words about it, and takes its own default', () => {
  for (const [name, value] of Object.entries(configDefaults)) {
    assert.ok((topicConfig(name)?.documentation.length ?? 0) > 10, name)
    assert.equal(configProblem({ [name]: value }), null, name)
  }
})
test('the entries of a change are their bytes; those of before say nothing of whose a topic is', () => {
  const create = { op: 'create', key: 3, name: 'a', id: '00'.repeat(16), partitions: 2, configs: { x: 'y' } } as const
  for (const entry of [
    create,
    { ...create, internal: false },
    { ...create, internal: true },
    { op: 'partitions', key: 7, partitions: 9 } as const,
    { op: 'configs', key: 7, configs: { 'retention.ms': '5' } } as const,
    { op: 'delete', key: 7 } as const,
  ]) {
    assert.deepEqual(readTopic(writeTopic(entry)), entry)
  }
})

test('partitions are added: seen when durable, then written, read and followed; not fewer, not more than there is room', async () => {
  const here = machine()
  let broker = await here.open({ partitionsMax: 6 })
  await broker.createTopic({ name: 't', partitions: 1 })
  await broker.append('t', p0, batchOf(['a']))
  const follower = broker.follow({ job: 'j', topics: ['t'], from: broker.origin() })
  assert.deepEqual([broker.jobOn('t'), broker.jobOn('none')], ['j', null])
  const adding = broker.addPartitions('t', 3)
  assert.equal(broker.topic('t')?.partitions, 1)
  await assert.rejects(broker.append('t', p1, batchOf(['b'])), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  // It builds on what is on its way.
  await assert.rejects(broker.addPartitions('t', 2), refused('INVALID_PARTITIONS'))
  await assert.rejects(broker.addPartitions('t', 3), refused('INVALID_PARTITIONS'))
  const more = broker.addPartitions('t', 5)
  assert.equal((await adding).partitions, 3)
  assert.equal((await more).partitions, 5)
  assert.equal(broker.stats().partitions, 5)
  await assert.rejects(broker.addPartitions('t', 7), refused('INVALID_PARTITIONS'))
  await assert.rejects(broker.addPartitions('none', 7), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await broker.append('t', partitionId(4), batchOf(['b']))
  const followed = follower.poll(1 << 20).concat(follower.poll(1 << 20))
  assert.deepEqual(
    followed.map((entry) => entry.kind === 'batch' && [entry.partition, ...valuesOf(entry.bytes)]),
    [
      [0, 'a'],
      [4, 'b'],
    ],
  )
  broker = await here.open({ partitionsMax: 6 })
  assert.equal(broker.topic('t')?.partitions, 5)
  assert.deepEqual(await readValues(broker, 't', partitionId(4)), ['b'])
  await broker.deleteTopic('t')
  assert.equal(broker.stats().partitions, 0)
  await broker.close()
})

test('configs are altered: max.message.bytes and message.timestamp.type hold from the moment they are durable', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1, configs: { 'retention.ms': '5' } })
  const large = batchOf(['x'.repeat(500)])
  await broker.append('t', p0, large)
  // Two at a time build on each other: neither is lost.
  await Promise.all([
    broker.alterTopic('t', set('max.message.bytes', '400')),
    broker.alterTopic('t', set('message.timestamp.type', 'LogAppendTime')),
  ])
  const expected = { 'retention.ms': '5', 'max.message.bytes': '400', 'message.timestamp.type': 'LogAppendTime' }
  assert.deepEqual(broker.topic('t')?.configs, expected)
  await assert.rejects(broker.append('t', p0, large), refused('MESSAGE_TOO_LARGE'))
  await broker.append('t', p0, batchOf(['small']))
  const [, second] = await broker.read('t', p0, offset(0), 1 << 20)
  assert.equal(isAppendTime(second!), true)
  await assert.rejects(broker.alterTopic('t', set('min.insync.replicas', '2')), refused('INVALID_CONFIG'))
  await assert.rejects(broker.alterTopic('t', set('no.such', '2')), refused('INVALID_CONFIG'))
  await assert.rejects(broker.alterTopic('u', set('retention.ms', '2')), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  broker = await here.open()
  assert.deepEqual(broker.topic('t')?.configs, expected)
  await assert.rejects(broker.append('t', p0, large), refused('MESSAGE_TOO_LARGE'))
  await broker.alterTopic('t', () => ({}))
  await broker.append('t', p0, large)
  await broker.close()
})

test('a default that administrators set holds for all topics that do not say otherwise, at once and after restarts', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 'own', partitions: 1, configs: { 'max.message.bytes': '1000' } })
  await broker.createTopic({ name: 'other', partitions: 1 })
  const large = batchOf(['x'.repeat(500)])
  const check = async (): Promise<void> => {
    assert.equal(broker.configDefaults['max.message.bytes'], '400')
    await broker.append('own', p0, large)
    await assert.rejects(broker.append('other', p0, large), refused('MESSAGE_TOO_LARGE'))
  }
  await broker.settings.set([
    brokerConfigSetting('broker', 'message.max.bytes', '400'),
    brokerConfigSetting('cluster', 'message.max.bytes', '300'),
  ])
  await check()
  broker = await here.open()
  await check()
  await broker.settings.set([
    brokerConfigSetting('broker', 'message.max.bytes', null),
    brokerConfigSetting('cluster', 'message.max.bytes', null),
  ])
  await broker.append('other', p0, large)
  await broker.close()
})

test('what is taken back leaves no trace: partitions and configs, newest first', () => {
  const topics = new TopicTable(10)
  const plan = topics.plan({ name: 't', partitions: 2 }, randomStream('t'))
  const topic = topics.add(plan, 'live')
  topics.grow(topic, 4)
  assert.equal(topics.partitions, 4)
  assert.throws(() => topics.partition('t', 2), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  topics.grow(topic, 5)
  topics.shrink(topic, 4)
  topics.shrink(topic, 2)
  assert.deepEqual([topics.partitions, topic.partitions.length, topic.taken], [2, 2, topic.info])
})

test('a topic is the house’s own by its name, unless its maker says otherwise', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: '__own', partitions: 1 })
  await broker.createTopic({ name: '__theirs', partitions: 1, internal: false })
  const internals = () => broker.topics().map(({ name, internal }) => [name, internal])
  const expected = [
    ['__own', true],
    ['__theirs', false],
  ]
  assert.deepEqual(internals(), expected)
  broker = await here.open()
  assert.deepEqual(internals(), expected)
  await broker.close()
})

test('60 histories of crashes: an acknowledged change stays, and no change is half', async () => {
  let crashes = 0
  let seals = 0
  for (let seed = 0; seed < 60; seed++) {
    const told = `seed ${seed} (to replay it alone, let the loop begin there)`
    const simulation = simulate({ seed: `topic changes ${seed}`, faults: { survival: [0, 0.5, 1][seed % 3]! } })
    const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0, segmentBytes: 4_000 } as const
    let acked = 1
    let asked = 1
    const written: string[] = []
    for (let life = 0; life < 5; life++) {
      const crash = simulation.random.below(3) === 0 ? 'kill' : 'power'
      simulation.machine.plan(life === 4 ? null : { at: 1 + simulation.random.below(80), crash })
      const end = await simulation.run(async (world, process) => {
        const broker = await openBroker(world, settings)
        if (broker.topic('t') === null) await broker.createTopic({ name: 't', partitions: 1 })
        seals += world.fs.list('/data/journal').filter((name) => name.endsWith('.seal')).length
        const { partitions, configs } = broker.topic('t')!
        const changes = Math.max(partitions, Number(configs['retention.ms'] ?? 1))
        assert.ok(changes >= acked && changes <= asked, `${told}: ${changes}, acknowledged ${acked}, asked ${asked}`)
        for (const value of written) {
          const id = Number(value.split(' ')[0])
          assert.ok((await readValues(broker, 't', partitionId(id))).includes(value), `${told}: ${value}`)
        }
        asked = changes
        for (let i = 0; i < 20 && process.alive; i++) {
          const value = await change(broker, ++asked)
          // What a process computes after its death, nobody is told.
          if (!process.alive) break
          written.push(value)
          acked = asked
        }
        await broker.close()
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') crashes++
    }
  }
  assert.ok(crashes > 100, `${crashes} crashes`)
  assert.ok(seals > 50, `${seals} seals met`)
})

/** One more partition, a config that counts them, and a record in the new partition. */
async function change(broker: Broker, count: number): Promise<string> {
  if (broker.topic('t')!.partitions < count) await broker.addPartitions('t', count)
  await broker.alterTopic('t', set('retention.ms', String(count)))
  const value = `${count - 1} ${'x'.repeat(150)}`
  await broker.append('t', partitionId(count - 1), batchOf([value]))
  return value
}
