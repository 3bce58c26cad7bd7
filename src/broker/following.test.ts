// Followers and jobs: visibility order, ticks, commits that are whole or not at all, owners that fence each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FencedError, type Follower, type LogEntry } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { batchOf, machine, p0, p1, readValues, refused, valuesOf } from './broker.suite.ts'
import type { Broker } from './broker.ts'

const text = (entry: LogEntry): string =>
  entry.kind === 'tick'
    ? `tick ${new TextDecoder().decode(entry.payload)}`
    : `${entry.topic}-${entry.partition}@${entry.baseOffset}..${entry.lastOffset} ${valuesOf(entry.bytes).join(',')}`
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
function pollAll(follower: Follower, maxBytes = 1_000_000): LogEntry[] {
  const all: LogEntry[] = []
  for (;;) {
    const entries = follower.poll(maxBytes)
    if (entries.length === 0) return all
    all.push(...entries)
  }
}

async function filled(broker: Broker): Promise<void> {
  for (const name of ['a', 'b', 'c']) await broker.createTopic({ name, partitions: 2 })
  await broker.append('a', p0, batchOf(['1']))
  await broker.append('b', p1, batchOf(['2', '3']))
  await broker.tick('mine', bytes('t1'))
  await broker.tick('other', bytes('no'))
  await broker.append('c', p0, batchOf(['hidden']))
  await broker.append('a', p1, batchOf(['4']))
  await broker.append('a', p0, batchOf(['5', '6', '7']))
}
const expected = ['a-0@0..0 1', 'b-1@0..1 2,3', 'tick t1', 'a-1@0..0 4', 'a-0@1..3 5,6,7']

test('the batches of the topics and the ticks of the job, in the order of their appends; from any cursor on', async () => {
  const here = machine()
  let broker = await here.open()
  await filled(broker)
  for (const life of [1, 2]) {
    const follow = (from = broker.origin()): Follower => broker.follow({ job: 'mine', topics: ['a', 'b'], from })
    const all = pollAll(follow())
    assert.deepEqual(all.map(text), expected, `life ${life}`)
    assert.ok(all.every((entry, i) => i === 0 || entry.lsn > all[i - 1]!.lsn))
    assert.deepEqual(pollAll(follow(), 1).map(text), expected, 'entry by entry')
    for (const [i, entry] of all.entries()) {
      const rest = follow(entry.after)
      assert.equal(rest.cursor(), entry.after)
      assert.deepEqual(pollAll(rest).map(text), expected.slice(i + 1))
      assert.equal(rest.cursor(), all.at(-1)!.after)
      assert.ok(rest.caughtUp())
    }
    assert.deepEqual(pollAll(follow(broker.now())), [])
    await broker.close()
    broker = await here.open()
  }
  assert.throws(
    () => broker.follow({ job: 'j', topics: [], from: 'j99999' as never }),
    refused('OFFSET_OUT_OF_RANGE'),
    'a cursor of another log',
  )
  await broker.close()
})

test('ready waits for something of its own; closing wakes it', async () => {
  const broker = await machine().open()
  await filled(broker)
  const follower = broker.follow({ job: 'mine', topics: ['a'], from: broker.now() })
  assert.equal(follower.caughtUp(), true)
  let woken = 0
  const waiting = follower.ready().then(() => woken++)
  await broker.append('c', p0, batchOf(['not mine']))
  await broker.tick('other', bytes('nor this'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(woken, 0)
  await broker.append('a', p0, batchOf(['mine']))
  await waiting
  assert.equal(follower.caughtUp(), false)
  await follower.ready()
  assert.deepEqual(follower.poll(100).map(text), ['a-0@4..4 mine'])
  assert.deepEqual(follower.poll(100), [])
  const last = follower.ready()
  follower.close()
  await last
  assert.deepEqual(follower.poll(100), [])
  assert.equal(broker.stats().followers, 0)
  await broker.close()
})

test('the entries of a deleted topic are hidden; a topic made later under a followed name is followed', async () => {
  const broker = await machine().open()
  await filled(broker)
  await broker.deleteTopic('a')
  await broker.createTopic({ name: 'a', partitions: 1 })
  await broker.append('a', p0, batchOf(['new']))
  const follower = broker.follow({ job: 'mine', topics: ['a', 'later'], from: broker.origin() })
  assert.deepEqual(pollAll(follower).map(text), ['tick t1', 'a-0@0..0 new'])
  await broker.createTopic({ name: 'later', partitions: 1 })
  await broker.append('later', p0, batchOf(['x']))
  await follower.ready()
  assert.deepEqual(pollAll(follower).map(text), ['later-0@0..0 x'])
  await broker.close()
})

test('followers at the tail and far behind see the same, whatever is still in memory', async () => {
  const random = randomStream('tail')
  const here = machine('tail')
  const settings = { cacheBytes: 0, segmentBytes: 3 << 20, partitionsMax: 50 }
  const broker = await here.open(settings)
  for (const name of ['a', 'b']) {
    await broker.createTopic({ name, partitions: 2, configs: { 'max.message.bytes': '10000000' } })
  }
  const tail = broker.follow({ job: 'tail', topics: ['a'], from: broker.origin() })
  const seen: string[] = []
  const wanted: string[] = []
  for (let i = 0; i < 400; i++) {
    const name = random.below(3) === 0 ? 'b' : 'a'
    const value = `${i} `.padEnd(random.below(i % 50 === 0 ? 400_000 : 20_000) + 10, '.')
    const appended = broker.append(name, random.below(2) === 0 ? p0 : p1, batchOf([value]))
    if (name === 'a') wanted.push(value.split(' ')[0]!)
    if (i % 5 === 0) await appended
    if (i % 3 === 0) for (const entry of tail.poll(50_000)) seen.push(numberOf(entry))
  }
  await broker.append('a', p0, batchOf(['end ']))
  wanted.push('end')
  for (const entry of pollAll(tail)) seen.push(numberOf(entry))
  assert.deepEqual(seen, wanted)
  for (const maxBytes of [1, 100_000, 50_000_000]) {
    const behind = broker.follow({ job: 'behind', topics: ['a'], from: broker.origin() })
    assert.deepEqual(pollAll(behind, maxBytes).map(numberOf), wanted)
  }
  await broker.close()
})
const numberOf = (entry: LogEntry): string =>
  entry.kind === 'batch' ? valuesOf(entry.bytes)[0]!.split(' ')[0]! : 'tick'

test('a commit is whole: its outputs and its cursor are there together, after a crash too', async () => {
  const here = machine()
  let broker = await here.open()
  await filled(broker)
  const { epoch, cursor } = await broker.takeJob('job')
  assert.deepEqual({ epoch, cursor }, { epoch: 1, cursor: broker.origin() })
  const next = pollAll(broker.follow({ job: 'job', topics: ['a'], from: cursor })).at(-1)!.after
  const { lsn, baseOffsets } = await broker.commit({
    job: 'job',
    epoch,
    previous: cursor,
    cursor: next,
    appends: [
      { topic: 'c', partition: p0, batch: batchOf(['r1', 'r2']) },
      { topic: 'c', partition: p0, batch: batchOf(['r3']) },
      { topic: 'b', partition: p0, batch: batchOf(['r4']) },
    ],
  })
  assert.ok(lsn > 0)
  assert.deepEqual(baseOffsets, [1, 3, 0], 'one after the other in a partition')
  broker = await here.open()
  assert.deepEqual(await readValues(broker, 'c'), ['hidden', 'r1', 'r2', 'r3'])
  assert.deepEqual(await readValues(broker, 'b'), ['r4'])
  assert.deepEqual(await broker.takeJob('job'), { epoch: 2, cursor: next })
  await broker.close()
})

test('commits of an older owner, on another commit than the last, or backwards are fenced; nothing of them stays', async () => {
  const broker = await machine().open()
  await filled(broker)
  const first = await broker.takeJob('job')
  const commit = (epoch: number, previous: string, cursor: string, topic = 'c') =>
    broker.commit({
      job: 'job',
      epoch,
      previous: previous as never,
      cursor: cursor as never,
      appends: [{ topic, partition: p1, batch: batchOf(['out']) }],
    })
  await assert.rejects(commit(0, 'j0', 'j3'), FencedError, 'nobody owns epoch 0')
  await commit(first.epoch, 'j0', 'j5')
  await assert.rejects(commit(first.epoch, 'j0', 'j6'), FencedError)
  await assert.rejects(commit(first.epoch, 'j5', 'j4'), FencedError)
  await assert.rejects(commit(first.epoch, 'j5', 'j6', 'nope'), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  // Two commits in a row, the second on top of the first before that is durable; then one that comes too late.
  const results = await Promise.allSettled([
    commit(first.epoch, 'j5', 'j6'),
    commit(first.epoch, 'j6', 'j7'),
    broker.takeJob('job'),
    commit(first.epoch, 'j7', 'j8'),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  assert.deepEqual(results[2]!.status === 'fulfilled' && results[2]!.value, { epoch: 2, cursor: 'j7' })
  assert.deepEqual(await readValues(broker, 'c', p1), ['out', 'out', 'out'])
  await commit(2, 'j7', 'j8')
  await assert.rejects(broker.takeJob(''), refused('INVALID_RECORD'))
  await assert.rejects(broker.tick('x'.repeat(250), new Uint8Array(0)), refused('INVALID_RECORD'))
  await broker.close()
})

test('followers are limited', async () => {
  const broker = await machine().open({ followersMax: 1 })
  const one = broker.follow({ job: 'a', topics: [], from: broker.origin() })
  const another = () => broker.follow({ job: 'b', topics: [], from: broker.origin() })
  assert.throws(another, refused('KAFKA_STORAGE_ERROR'))
  one.close()
  another()
  await broker.close()
})
