// `millrace groups` against a broker: lists, describes members of both protocols, resets in every way, deletes; and refuses.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka'
import { type Broker, openBroker } from '../broker/broker.ts'
import { nodeWorld } from '../world/node.ts'
import { newOffset, type ResetTo } from './offset-reset.ts'
import { runCli } from './run-cli.suite.ts'

let broker: Broker
let brokers: string
before(async () => {
  broker = await openBroker(nodeWorld(), { dataDir: null, durability: 'process', groups: { consumerHeartbeatMs: 100 } })
  const at = await broker.listen({ host: '127.0.0.1', port: 0 })
  brokers = `${at.host}:${at.port}`
  await broker.createTopic({ name: 'sales', partitions: 2 })
  await broker.createTopic({ name: 'views', partitions: 1 })
  const producer = new Producer({ clientId: 't', bootstrapBrokers: [brokers], serializers: stringSerializers })
  const messages = Array.from({ length: 30 }, (_, i) => ({
    topic: i < 20 ? 'sales' : 'views',
    partition: i < 20 ? i % 2 : 0,
    value: `value ${i}`,
    timestamp: BigInt(Date.UTC(2026, 10, 21, 8, i)),
  }))
  await producer.send({ messages })
  await producer.close()
  const admin = new Admin({ clientId: 't', bootstrapBrokers: [brokers] })
  const partitionOffsets = [
    { partition: 0, offset: 4n },
    { partition: 1, offset: 10n },
  ]
  await admin.alterConsumerGroupOffsets({ groupId: 'app', topics: [{ name: 'sales', partitionOffsets }] })
  await admin.close()
})
after(() => broker.close())

const groups = (...args: readonly string[]) => runCli(['groups', ...args, '--brokers', brokers])
async function rows(...args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await groups(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Record<string, unknown>[]
}
const offsets = async (...args: readonly string[]) =>
  (await rows(...args)).map(({ topic, partition, committed, offset, lag }) => [
    topic,
    partition,
    committed,
    offset,
    lag,
  ])

test('ls and describe: how far behind; members of both protocols', async () => {
  assert.deepEqual(await rows('ls'), [{ group: 'app', state: 'Empty', type: 'classic', lag: 6 }])
  const table = await groups('describe', 'app')
  assert.match(table.stdout, /sales {6,}0 +4 +10 +6/)
  assert.match(table.stderr, /Empty, classic protocol, 0 members, 6 messages behind/)
  for (const groupProtocol of ['classic', 'consumer'] as const) {
    const groupId = `readers-${groupProtocol}`
    const consumer = new Consumer({ clientId: 'reader', groupId, groupProtocol, bootstrapBrokers: [brokers] })
    const stream = await consumer.consume({ topics: ['views'], mode: 'committed', fallbackMode: 'earliest' })
    const described = async () =>
      (await rows('describe', groupId)).map(({ topic, lag, client }) => [topic, lag, client])
    while ((await described()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(await described(), [['views', 10, 'reader']])
    const refused = await groups('reset', groupId, '--to-earliest', '--topic', 'views', '--execute')
    assert.equal(refused.code, 5)
    assert.match(refused.stderr, /has members/)
    assert.equal((await groups('delete', groupId, '--execute')).code, 5)
    await stream.close()
    await consumer.close(true)
  }
})

test('reset: shows what would be, and does it when told to', async () => {
  assert.deepEqual(await offsets('reset', 'app', '--to-earliest'), [
    ['sales', 0, 4, 0, 10],
    ['sales', 1, 10, 0, 10],
  ])
  const shown = await groups('reset', 'app', '--shift-by', '-2')
  assert.match(shown.stdout, /would be/)
  assert.match(shown.stderr, /Nothing was changed: add --execute. app would be 10 messages behind./)
  assert.deepEqual(await offsets('describe', 'app'), [
    ['sales', 0, 4, undefined, 6],
    ['sales', 1, 10, undefined, 0],
  ])
  assert.deepEqual(await offsets('reset', 'app', '--shift-by', '-6', '--execute'), [
    ['sales', 0, 4, 0, 10],
    ['sales', 1, 10, 4, 6],
  ])
  assert.deepEqual(await offsets('reset', 'app', '--to-offset', '7', '--topic', 'views', '--execute'), [
    ['views', 0, null, 7, 3],
  ])
  // Records lie a minute apart, the first at 08:00; two partitions take turns.
  assert.deepEqual(await offsets('reset', 'app', '--to-datetime', '2026-11-21T08:05:00Z', '--execute'), [
    ['sales', 0, 0, 3, 7],
    ['sales', 1, 4, 2, 8],
    ['views', 0, 7, 0, 10],
  ])
  assert.deepEqual(await offsets('reset', 'app', '--to-datetime', '2027-01-01T00:00:00Z', '--topic', 'sales'), [
    ['sales', 0, 3, 10, 0],
    ['sales', 1, 2, 10, 0],
  ])
  assert.deepEqual(await offsets('reset', 'app', '--to-latest', '--execute'), [
    ['sales', 0, 3, 10, 0],
    ['sales', 1, 2, 10, 0],
    ['views', 0, 0, 10, 0],
  ])
  assert.deepEqual(await offsets('reset', 'yet-to-come', '--to-latest', '--topic', 'views', '--execute'), [
    ['views', 0, null, 10, 0],
  ])
})

test('delete: shows it, does it, and finds nothing afterwards', async () => {
  const shown = await groups('delete', 'yet-to-come')
  assert.match(shown.stdout, /would delete yet-to-come, and where it is in 1 partitions/)
  assert.equal((await rows('describe', 'yet-to-come')).length, 1)
  assert.match((await groups('delete', 'yet-to-come', '--execute')).stdout, /deleted/)
  assert.equal((await groups('describe', 'yet-to-come')).code, 4)
})

test('what cannot be is refused with a reason', async () => {
  const cases: readonly (readonly [args: readonly string[], code: number, words: RegExp])[] = [
    [['describe', 'ap'], 4, /did you mean `millrace groups describe app`/],
    [['reset', 'app'], 2, /none was named/],
    [['reset', 'app', '--to-earliest', '--to-latest'], 2, /more was named/],
    [['reset', 'app', '--to-offset', '-1'], 2, /offsets begin at 0/],
    [['reset', 'app', '--shift-by', 'x'], 2, /whole number/],
    [['reset', 'app', '--to-datetime', 'yesterday'], 2, /2026-11-21T08:00:00Z/],
    [['reset', 'app', '--to-latest', '--topic', 'sale'], 4, /sales/],
    [['reset', 'nobody', '--to-latest'], 4, /there is no group/],
    [['reset', 'nobody', '--shift-by', '1', '--topic', 'sales'], 4, /committed nothing/],
    [['delete', 'nobody'], 4, /there is no group/],
  ]
  for (const [args, code, words] of cases) {
    const ended = await groups(...args)
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`)
    assert.match(ended.stderr, words)
  }
  const nobody = await runCli(['groups', 'ls', '--brokers', '127.0.0.1:1'])
  assert.equal(nobody.code, 3)
})

test('a new offset stays within what the partition has', () => {
  const place = { committed: 50, start: 10, end: 100, atTime: null }
  const cases: readonly (readonly [ResetTo, number | null])[] = [
    [{ to: 'earliest' }, 10],
    [{ to: 'latest' }, 100],
    [{ to: 'offset', offset: 5 }, 10],
    [{ to: 'offset', offset: 101 }, 100],
    [{ to: 'shift', by: -45 }, 10],
    [{ to: 'shift', by: 51 }, 100],
    [{ to: 'shift', by: 1 }, 51],
    [{ to: 'datetime', timeMs: 0 }, 100],
  ]
  for (const [reset, expected] of cases) assert.equal(newOffset(reset, place), expected)
  assert.equal(newOffset({ to: 'shift', by: 1 }, { ...place, committed: null }), null)
  assert.equal(newOffset({ to: 'datetime', timeMs: 0 }, { ...place, atTime: 30 }), 30)
})
