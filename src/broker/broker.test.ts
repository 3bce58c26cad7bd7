// The broker as a log: topics, records, offsets, what a restart gives back, what it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset, partitionId } from '../std/units.ts'
import { baseOffset, checkStored, isAppendTime, leaderEpoch, maxTimestampMs } from '../wire/record-batch.ts'
import { batchOf, dataDir, machine, p0, p1, produced, readValues, refused, valuesOf } from './broker.suite.ts'
import { memoryFileSystem } from './journal/memory-files.ts'

test('records come back in order, with offsets, and after a restart and a crash', async () => {
  const here = machine()
  let broker = await here.open()
  const topic = await broker.createTopic({ name: 'sales', partitions: 2, configs: { 'retention.ms': '1000' } })
  assert.equal(topic.id.length, 16)
  assert.equal(topic.internal, false)
  const first = await broker.append('sales', p0, batchOf(['a', 'b', 'c']))
  const second = await broker.append('sales', p0, batchOf(['d']))
  await broker.append('sales', p1, batchOf(['x'], { compression: 'gzip' }))
  assert.equal(first.baseOffset, 0)
  assert.equal(second.baseOffset, 3)
  assert.ok(second.lsn > first.lsn)
  const check = async (): Promise<void> => {
    assert.deepEqual(broker.topic('sales'), topic)
    assert.deepEqual(broker.offsets('sales', p0), { start: 0, end: 4 })
    assert.deepEqual(await readValues(broker, 'sales'), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await readValues(broker, 'sales', p1), ['x'])
    const batches = await broker.read('sales', p0, offset(2), 1_000_000)
    assert.deepEqual(
      batches.map((batch) => baseOffset(batch)),
      [0, 3],
      'whole batches, from the one that holds it',
    )
    assert.equal(leaderEpoch(batches[1]!), 0)
    assert.equal(checkStored(batches[1]!), null, 'its checksum still holds')
    assert.deepEqual(await broker.read('sales', p0, offset(4), 100), [], 'nothing at the end')
    assert.equal((await broker.read('sales', p0, offset(0), 1)).length, 1, 'at least one batch')
  }
  await check()
  const clusterId = broker.clusterId
  assert.match(clusterId, /^[\w-]{22}$/)
  await broker.close()
  broker = await here.open()
  await check()
  assert.equal(broker.clusterId, clusterId)
  // A crash: the next process starts without a close.
  broker = await here.open()
  await check()
  assert.equal((await broker.append('sales', p0, batchOf(['e']))).baseOffset, 4)
  await broker.close()
})

test('what is refused: unknown places, offsets outside, batches that are not what they say', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 1, configs: { 'max.message.bytes': '200' } })
  const good = batchOf(['value'])
  await assert.rejects(broker.append('no', p0, good), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(broker.append('t', p1, good), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(broker.append('t', p0, batchOf(['x'.repeat(200)])), refused('MESSAGE_TOO_LARGE'))
  const flipped = good.slice()
  flipped[70]! ^= 1
  await assert.rejects(broker.append('t', p0, flipped), refused('CORRUPT_MESSAGE'))
  await assert.rejects(broker.append('t', p0, good.subarray(0, 50)), refused('CORRUPT_MESSAGE'))
  assert.throws(() => broker.offsets('t', p1), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await broker.append('t', p0, good)
  await assert.rejects(broker.read('t', p0, offset(2), 100), refused('OFFSET_OUT_OF_RANGE'))
  assert.equal(broker.offsets('t', p0).end, 1, 'nothing of the refused ones was kept')
  await broker.close()
  await assert.rejects(broker.append('t', p0, good), refused('KAFKA_STORAGE_ERROR'))
})

test('topics: names, numbers, configs, limits; made twice, deleted, made again with nothing of the old one', async () => {
  const here = machine()
  let broker = await here.open({ partitionsMax: 10 })
  const make = (name: string, partitions = 1, configs = {}) => broker.createTopic({ name, partitions, configs })
  for (const name of ['', '.', '..', 'a/b', 'a\0', 'ä', 'x'.repeat(250)]) {
    await assert.rejects(make(name), refused('INVALID_TOPIC_EXCEPTION'), name)
  }
  for (const partitions of [0, -1, 1.5, 11]) await assert.rejects(make('n', partitions), refused('INVALID_PARTITIONS'))
  const wrong: Record<string, string>[] = [
    { 'no.such.config': '1' },
    { 'retention.ms': 'soon' },
    { 'cleanup.policy': 'burn' },
    { 'compression.type': 'lz4' },
    { __proto__x: '1' },
  ]
  for (const configs of wrong) await assert.rejects(make('n', 1, configs), refused('INVALID_CONFIG'))
  await make('x'.repeat(249), 4)
  const first = await make('again', 6)
  await assert.rejects(make('more'), refused('INVALID_PARTITIONS'), 'the limit of all topics together')
  const racing = await Promise.allSettled([broker.deleteTopic('again'), broker.deleteTopic('again'), make('again')])
  assert.deepEqual(
    racing.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  const second = await make('again', 6)
  assert.notDeepEqual(first.id, second.id)
  await broker.append('again', p0, produced(5, 0, 7))
  await broker.deleteTopic('again')
  await assert.rejects(broker.append('again', p0, batchOf(['x'])), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  await make('again', 2)
  assert.deepEqual(broker.offsets('again', p0), { start: 0, end: 0 })
  await broker.append('again', p0, produced(5, 0, 3))
  broker = await here.open({ partitionsMax: 10 })
  assert.deepEqual(await readValues(broker, 'again'), ['5/0/3'])
  assert.deepEqual(
    broker.topics().map(({ name, partitions }) => [name.slice(0, 5), partitions]),
    [
      ['xxxxx', 4],
      ['again', 2],
    ],
  )
  await broker.close()
})

test('a reader sees a record when it is durable, and its listeners are told once all of the step is', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 2 })
  const told: string[] = []
  const stop = broker.onAdvance((topic, partition, end) => {
    told.push(`${topic}-${partition} ${end} ${broker.offsets('t', p0).end}+${broker.offsets('t', p1).end}`)
  })
  const appended = Promise.all([
    broker.append('t', p0, batchOf(['a'])),
    broker.append('t', p0, batchOf(['b', 'c'])),
    broker.append('t', p1, batchOf(['d'])),
  ])
  assert.deepEqual(broker.offsets('t', p0), { start: 0, end: 0 })
  assert.deepEqual(await broker.read('t', p0, offset(0), 1000), [])
  await appended
  assert.deepEqual(told, ['t-0 3 3+1', 't-1 1 3+1'])
  stop()
  await broker.append('t', p0, batchOf(['e']))
  assert.equal(told.length, 2)
  await broker.close()
})

test('offsets by time: the earliest record at or after it; the record with the largest', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 2 })
  assert.equal(broker.offsetForTime('t', p0, 0), null)
  assert.equal(broker.offsetOfMaxTime('t', p0), null)
  await broker.append('t', p0, batchOf(['a', 'b', 'c'], { timestamps: [100, 300, 200] }))
  await broker.append('t', p0, batchOf(['d', 'e'], { timestamps: [150, 400], compression: 'lz4' }))
  await broker.append('t', p0, batchOf(['f'], { timestamps: [250] }))
  const at = (ms: number) => {
    const found = broker.offsetForTime('t', p0, ms)
    return found === null ? null : [found.offset, found.timestampMs]
  }
  assert.deepEqual([0, 100, 101, 300, 301, 400, 401].map(at), [
    [0, 100],
    [0, 100],
    [1, 300],
    [1, 300],
    [4, 400],
    [4, 400],
    null,
  ])
  assert.deepEqual(broker.offsetOfMaxTime('t', p0), { offset: 4, timestampMs: 400 })
  await broker.close()
})

test('a topic with the broker’s time: records carry it, and the checksum is right', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 1, configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const before = Date.now()
  await broker.append('t', p0, batchOf(['a'], { timestamps: [5] }))
  const [batch] = await broker.read('t', p0, offset(0), 1000)
  assert.equal(isAppendTime(batch!), true)
  assert.ok(maxTimestampMs(batch!) >= before)
  assert.equal(checkStored(batch!), null)
  assert.equal(broker.offsetForTime('t', p0, before)?.offset, 0)
  await broker.close()
})

test('in memory: the same log, nothing on disk, bounded', async () => {
  const here = machine()
  const broker = await here.open({ dataDir: null, memoryBytesMax: 300_000 })
  await broker.createTopic({ name: 't', partitions: 1 })
  await broker.append('t', p0, batchOf(['a']))
  assert.deepEqual(await readValues(broker, 't'), ['a'])
  const large = batchOf(['x'.repeat(100_000)])
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => broker.append('t', p0, large)))
  assert.ok(results.some(({ status }) => status === 'rejected'))
  assert.equal(here.fs.stat(dataDir), null)
  await broker.close()
})

test('a full disk: refused, nothing of it stays, not even in the producer’s window; then it goes on', async () => {
  const small = memoryFileSystem(200_000, () => 0)
  const here = machine('full', small)
  const broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  await broker.append('t', p0, produced(9, 0, 0))
  const filler = small.open(`${dataDir}/filler`, 'create')
  filler.write(new Uint8Array(small.space('/').freeBytes - 300), 0)
  const large = batchOf(['x'.repeat(1000)])
  const results = await Promise.allSettled([
    broker.append('t', p0, large),
    broker.append('t', p0, produced(9, 0, 1)),
    broker.append('t', p0, produced(9, 0, 2, 3)),
    broker.createTopic({ name: 'u', partitions: 1 }),
    broker.takeJob('job'),
  ])
  for (const result of results) {
    assert.ok(result.status === 'rejected' && refused('KAFKA_STORAGE_ERROR')(result.reason))
  }
  assert.equal(broker.topic('u'), null)
  assert.deepEqual(broker.offsets('t', p0), { start: 0, end: 1 })
  assert.deepEqual(await readValues(broker, 't'), ['9/0/0'])
  small.unlink(`${dataDir}/filler`)
  await assert.rejects(broker.append('t', p0, produced(9, 0, 2)), refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  assert.equal((await broker.append('t', p0, produced(9, 0, 1))).baseOffset, 1)
  assert.equal((await broker.append('t', p0, produced(9, 0, 0))).baseOffset, 0, 'the old one is known as before')
  assert.equal((await broker.takeJob('job')).epoch, 1)
  await broker.createTopic({ name: 'u', partitions: 1 })
  assert.equal(broker.trouble(), null)
  await broker.close()
  const again = await here.open()
  assert.deepEqual(await readValues(again, 't'), ['9/0/0', '9/0/1'])
  await again.close()
})

test('damage: the partition is read-only, reads stop before it and name it, others go on', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 3 })
  const values = ['a', 'b', 'c', 'd'].map((value) => value.repeat(500))
  for (const value of values) {
    await broker.append('t', p0, batchOf([value]))
    await broker.append('t', p1, batchOf([value]))
  }
  await broker.close()
  const path = `${dataDir}/journal/${here.fs.list(`${dataDir}/journal`)[0]}`
  const file = here.fs.open(path, 'write')
  const bytes = new Uint8Array(file.sizeBytes())
  file.read(bytes, 0)
  // A byte in the middle of the second "b": partition 1, offset 1.
  const needle = Buffer.from('b'.repeat(500))
  const at = Buffer.from(bytes).indexOf(needle, Buffer.from(bytes).indexOf(needle) + 500)
  file.write(new Uint8Array([0]), at + 100)
  file.close()
  broker = await here.open()
  assert.match(broker.trouble()!.message, /1 entries of the journal .* damaged .*t-1.*Nothing was deleted/)
  assert.deepEqual(await readValues(broker, 't', p0), values)
  const before = await broker.read('t', p1, offset(0), 100_000)
  assert.deepEqual(
    before.map((batch) => valuesOf(batch)[0]),
    [values[0]],
  )
  await assert.rejects(broker.read('t', p1, offset(1), 1000), refused('CORRUPT_MESSAGE'))
  assert.equal((await broker.read('t', p1, offset(2), 100_000)).length, 2)
  await assert.rejects(broker.append('t', p1, batchOf(['e'])), refused('KAFKA_STORAGE_ERROR'))
  assert.equal((await broker.append('t', p0, batchOf(['e']))).baseOffset, 4)
  assert.equal((await broker.append('t', partitionId(2), batchOf(['e']))).baseOffset, 0, 'whose entry it was is known')
  const follower = broker.follow({ job: 'j', topics: ['t'], from: broker.origin() })
  const polled = follower.poll(1_000_000)
  assert.ok(polled.length > 0 && polled.every((each) => each.kind === 'batch' && each.bytes.length > 0))
  assert.throws(() => follower.poll(1_000_000), refused('CORRUPT_MESSAGE'))
  await broker.close()
})
