// A log that leaves its journal: read, followed and searched across both tiers; kept in bounds; opened again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEntry } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { offset, partitionId } from '../std/units.ts'
import { batchOf, dataDir, type Machine, machine, p0, p1, readValues, refused, valuesOf } from './broker.suite.ts'
import type { Broker, BrokerSettings, RetentionSettings } from './broker.ts'
import { readManifest } from './settled/manifest.ts'

const bounds: Partial<RetentionSettings> = {
  checkEveryMs: 5,
  logBytesMax: 1 << 30,
  pinnedBytesMax: 1 << 30,
  tiers: { openFilesMax: 3, keeper: { bufferBytesMax: 3000, openFilesMax: 2, sliceBytes: 700 } },
}
const small = { segmentBytes: 6000, cacheBytes: 0, retention: bounds }

/** Waits until everything but the segment that is written is settled, and retention has been looked at since. */
async function settled(broker: Broker, files = 1): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    const { journal, retention } = broker.stats()
    if (journal.segments <= 1 && retention.settledFiles >= files) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  assert.fail(`not settled: ${JSON.stringify(broker.stats())}`)
}
async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (done()) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  assert.fail(`never: ${what}`)
}
function followed(broker: Broker, from = broker.origin(), maxBytes = 500): LogEntry[] {
  const follower = broker.follow({ job: 'job', topics: ['a', 'b'], from })
  const entries: LogEntry[] = []
  for (let polled = follower.poll(maxBytes); polled.length > 0; polled = follower.poll(maxBytes)) {
    entries.push(...polled.map((entry) => (entry.kind === 'batch' ? { ...entry, bytes: entry.bytes.slice() } : entry)))
  }
  assert.equal(follower.caughtUp(), true)
  follower.close()
  return entries
}

interface Sent {
  readonly topic: string
  readonly partition: number
  readonly values: readonly string[]
  readonly times: readonly number[]
}
async function lived(here: Machine, settings: Partial<BrokerSettings>, steps: number): Promise<Sent[]> {
  const random = randomStream('lived')
  const broker = await here.open(settings)
  await broker.createTopic({ name: 'a', partitions: 2 })
  await broker.createTopic({ name: 'b', partitions: 2, configs: { 'segment.bytes': '4000' } })
  await broker.createTopic({ name: 'other', partitions: 1 })
  const sent: Sent[] = []
  for (let i = 0; i < steps; i++) {
    if (random.below(10) === 0) await broker.tick('job', new Uint8Array([i]))
    const topic = ['a', 'b', 'other'][random.below(3)]!
    const partition = topic === 'other' ? 0 : random.below(2)
    const values = Array.from({ length: 1 + random.below(3) }, (_, k) => `${i}.${k}.${'x'.repeat(random.below(400))}`)
    const times = values.map(() => random.below(100_000))
    await broker.append(topic, partitionId(partition), batchOf(values, { timestamps: times }))
    sent.push({ topic, partition, values, times })
  }
  await settled(broker)
  await broker.close()
  return sent
}

test('a settled log reads as one that is not: by offset, by time, in order, with ticks', async () => {
  const here = machine('settled')
  const one = await lived(here, small, 400)
  const broker = await here.open(small)
  assert.ok(broker.stats().retention.settledFiles >= 8)
  for (const [topic, partition] of [
    ['a', 0],
    ['a', 1],
    ['b', 0],
    ['b', 1],
    ['other', 0],
  ] as const) {
    const mine = one.filter((each) => each.topic === topic && each.partition === partition)
    const values = mine.flatMap((each) => each.values)
    const times = mine.flatMap((each) => each.times)
    const id = partitionId(partition)
    assert.deepEqual(broker.offsets(topic, id), { start: 0, end: values.length })
    assert.deepEqual(await readValues(broker, topic, id), values)
    for (const at of [0, 1, Math.floor(values.length / 2), values.length - 1]) {
      const [first] = await broker.read(topic, id, offset(at), 1)
      assert.ok(valuesOf(first!).includes(values[at]!))
    }
    for (const ms of [0, 30_000, 99_000, 99_900]) {
      const expected = times.findIndex((time) => time >= ms)
      const found = broker.offsetForTime(topic, id, ms)
      assert.deepEqual(found, expected < 0 ? null : { offset: expected, timestampMs: times[expected] })
    }
    const most = Math.max(...times)
    assert.deepEqual(broker.offsetOfMaxTime(topic, id), { offset: times.indexOf(most), timestampMs: most })
  }
  const entries = followed(broker)
  const batches = entries.filter((entry) => entry.kind === 'batch')
  assert.deepEqual(
    batches.map((entry) => ({ topic: entry.topic, partition: entry.partition, values: valuesOf(entry.bytes) })),
    one.filter(({ topic }) => topic !== 'other').map(({ topic, partition, values }) => ({ topic, partition, values })),
  )
  assert.ok(entries.length - batches.length > 20, 'ticks')
  for (const [i, entry] of entries.entries()) if (i > 0) assert.ok(entry.lsn > entries[i - 1]!.lsn)
  // From any place in it: the rest.
  for (let i = 0; i < entries.length; i += 37) {
    assert.deepEqual(followed(broker, entries[i]!.after, 2000), entries.slice(i + 1))
  }
  await broker.close()
})

test('a follower is overtaken by settling while it reads, and misses nothing', async () => {
  const broker = await machine('overtaken').open(small)
  await broker.createTopic({ name: 'a', partitions: 2 })
  await broker.createTopic({ name: 'b', partitions: 1 })
  const follower = broker.follow({ job: 'job', topics: ['a', 'b'], from: broker.origin() })
  const values: string[] = []
  const expected: string[] = []
  for (let i = 0; i < 300; i++) {
    const value = `${i} ${'y'.repeat(i % 200)}`
    expected.push(value)
    await broker.append(i % 3 === 0 ? 'b' : 'a', i % 3 === 1 ? p1 : p0, batchOf([value]))
    if (i % 60 === 59) await settled(broker)
    // Slower than what is written.
    if (i % 2 === 0)
      for (const entry of follower.poll(1)) if (entry.kind === 'batch') values.push(...valuesOf(entry.bytes))
  }
  while (!follower.caughtUp()) {
    for (const entry of follower.poll(300)) if (entry.kind === 'batch') values.push(...valuesOf(entry.bytes))
  }
  assert.deepEqual(values, expected)
  await broker.close()
})

test('retention by size drops the first files, by age all of them; what is asked for before is out of range', async () => {
  const here = machine('retention')
  let broker = await here.open(small)
  const configs = { 'segment.bytes': '2000', 'retention.bytes': '9000' }
  await broker.createTopic({ name: 'a', partitions: 1, configs })
  await broker.createTopic({ name: 'b', partitions: 1, configs: { 'segment.bytes': '2000', 'retention.ms': '1' } })
  const all: string[] = []
  for (let i = 0; i < 100; i++) {
    const value = `${i} ${'z'.repeat(300)}`
    all.push(value)
    await broker.append('a', p0, batchOf([value]))
    await broker.append('b', p0, batchOf([value]))
  }
  await until('dropped', () => broker.offsets('a', p0).start > 40 && broker.offsets('b', p0).start > 60)
  const usage = broker.diskUsage().find(({ topic }) => topic === 'a')!.bytes
  assert.ok(usage >= 9000 && usage < 22_000, `${usage} bytes`)
  const { start } = broker.offsets('a', p0)
  await assert.rejects(broker.read('a', p0, offset(start - 1), 1), refused('OFFSET_OUT_OF_RANGE'))
  assert.deepEqual(await readValues(broker, 'a'), all.slice(start))
  assert.equal(broker.offsetForTime('a', p0, 0)?.offset, start)
  await broker.close()
  broker = await here.open(small)
  assert.equal(broker.offsets('a', p0).start, start)
  assert.deepEqual(await readValues(broker, 'a'), all.slice(start))
  // A follower from the origin begins with what is there.
  const entries = followed(broker)
  assert.ok(entries.length > 5)
  const files = here.fs.list(`${dataDir}/settled`).filter((name) => name.endsWith('.settled'))
  assert.equal(files.length, broker.stats().retention.settledFiles, 'nothing is left behind')
  await broker.close()
})

test('deleted records and topics leave the disk', async () => {
  const here = machine('deleted')
  const broker = await here.open(small)
  for (const name of ['a', 'b']) {
    await broker.createTopic({ name, partitions: 1, configs: { 'segment.bytes': '2000' } })
    for (let i = 0; i < 60; i++) await broker.append(name, p0, batchOf([`${i} ${'z'.repeat(300)}`]))
  }
  await settled(broker, 10)
  const before = broker.stats().retention.settledFiles
  await broker.deleteRecords('a', p0, offset(30))
  await until('half of them', () => broker.stats().retention.settledFiles <= before - 4)
  assert.equal(broker.offsets('a', p0).start, 30)
  assert.equal(valuesOf((await broker.read('a', p0, offset(30), 1))[0]!)[0]!.slice(0, 2), '30')
  await broker.deleteTopic('b')
  await until('all of b', () => here.fs.list(`${dataDir}/settled`).every((name) => !name.startsWith('2-')))
  await broker.close()
})

test('of deleted topics whose entries are gone nothing is remembered; a start in between leaves nothing behind', async () => {
  const here = machine('forgotten')
  let broker = await here.open(small)
  const remembered = (): number[] => {
    const manifest = readManifest(
      here.fs,
      `${dataDir}/settled`,
      new Uint8Array(Buffer.from(broker.clusterId, 'base64url')),
    )
    const text = new TextDecoder().decode(manifest?.state ?? new Uint8Array(0))
    return JSON.parse(/"deleted":(\[[\d,]*\])/.exec(text)?.[1] ?? '[-1]')
  }
  await broker.createTopic({ name: 'stays', partitions: 1 })
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) await broker.append('stays', p0, batchOf([`${i} ${'z'.repeat(300)}`]))
    await settled(broker)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (let i = 0; i < 8; i++) {
    await broker.createTopic({ name: `t${i}`, partitions: 1 })
    await broker.append(`t${i}`, p0, batchOf(['one']))
    if (i % 2 === 0) await fill()
    await broker.deleteTopic(`t${i}`)
    if (i !== 5) continue
    await broker.close()
    broker = await here.open(small)
  }
  assert.notDeepEqual(remembered(), [], 'some are remembered for a while')
  for (let i = 0; i < 3; i++) await fill()
  assert.deepEqual(remembered(), [])
  assert.ok(here.fs.list(`${dataDir}/settled`).every((name) => !/^([2-9])-/.test(name)))
  await broker.close()
  broker = await here.open(small)
  assert.deepEqual(
    broker.topics().map(({ name }) => name),
    ['stays'],
  )
  await broker.close()
})

test('what a job needs stays up to a limit; behind that the job is told to rebuild', async () => {
  const here = machine('pinned')
  const pinned = { ...small, retention: { ...bounds, pinnedBytesMax: 12_000 } }
  let broker = await here.open(pinned)
  await broker.createTopic({ name: 'a', partitions: 1, configs: { 'segment.bytes': '2000', 'retention.bytes': '0' } })
  const put = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await broker.append('a', p0, batchOf([`${i} ${'z'.repeat(300)}`]))
    await settled(broker, 0)
  }
  await put(5)
  const { epoch, cursor } = await broker.takeJob('slow')
  const follower = broker.follow({ job: 'slow', topics: ['a'], from: cursor })
  follower.poll(1)
  const at = follower.cursor()
  await broker.commit({ job: 'slow', epoch, previous: cursor, cursor: at, appends: [] })
  follower.close()
  await put(20)
  await until('kept for it', () => broker.stats().retention.pinnedBytes > 0)
  assert.deepEqual(broker.stats().retention.mustRebuild, [])
  assert.equal(broker.offsets('a', p0).start, 0)
  await broker.close()
  broker = await here.open(pinned)
  await put(200)
  await until('told', () => broker.stats().retention.mustRebuild.includes('slow'))
  const late = broker.follow({ job: 'slow', topics: ['a'], from: at })
  assert.throws(() => late.poll(1), refused('OFFSET_OUT_OF_RANGE'))
  assert.throws(() => late.poll(1), /rebuilt/)
  late.close()
  await broker.close()
  broker = await here.open(pinned)
  assert.deepEqual(broker.stats().retention.mustRebuild, ['slow'], 'still known')
  await broker.close()
})

test('little data that is old leaves the journal too; an idle log settles once', async () => {
  const broker = await machine('idle').open({ ...small, retention: { ...bounds, settleAfterMs: 10 } })
  await broker.createTopic({ name: 'a', partitions: 1 })
  await broker.append('a', p0, batchOf(['one']))
  await settled(broker)
  const { settledLsn } = broker.stats().retention
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(broker.stats().retention.settledLsn, settledLsn)
  assert.deepEqual(await readValues(broker, 'a'), ['one'])
  await broker.close()
})

test('a journal that cannot be settled is bounded: more is refused, to be retried', async () => {
  const broker = await machine('bounded').open({
    segmentBytes: 6000,
    retention: { ...bounds, journalBytesMax: 20_000, tiers: { keeper: { sliceBytes: 1 } } },
  })
  await broker.createTopic({ name: 'a', partitions: 1 })
  const appends = Array.from({ length: 80 }, (_, i) => broker.append('a', p0, batchOf([`${i} ${'z'.repeat(500)}`])))
  const results = await Promise.allSettled(appends)
  assert.ok(results.some(({ status }) => status === 'rejected'))
  for (const result of results)
    if (result.status === 'rejected') assert.ok(refused('KAFKA_STORAGE_ERROR')(result.reason))
  await settled(broker)
  await broker.append('a', p0, batchOf(['again']))
  await broker.close()
})
