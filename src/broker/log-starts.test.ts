// Deleted records: gone for readers, by offset and by time; still gone after a start, a seal, a refused disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset } from '../std/units.ts'
import { batchOf, machine, p0, readValues, refused } from './broker.suite.ts'

test('records before an offset are gone, now and after every kind of start', async () => {
  const here = machine('starts')
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 2 })
  for (let i = 0; i < 10; i++) {
    await broker.append('t', p0, batchOf([`a${i}`, `b${i}`], { timestamps: [1000 + 10 * i, 1005 + 10 * i] }))
  }
  assert.equal(await broker.deleteRecords('t', p0, offset(7)), 7)
  assert.equal(await broker.deleteRecords('t', p0, offset(3)), 7, 'what is gone does not come back')
  await assert.rejects(broker.deleteRecords('t', p0, offset(21)), refused('OFFSET_OUT_OF_RANGE'))
  await assert.rejects(broker.deleteRecords('u', p0, offset(0)), refused('UNKNOWN_TOPIC_OR_PARTITION'))
  for (let life = 0; life < 3; life++) {
    assert.deepEqual(broker.offsets('t', p0), { start: 7, end: 20 })
    await assert.rejects(broker.read('t', p0, offset(6), 1), refused('OFFSET_OUT_OF_RANGE'))
    assert.equal((await broker.read('t', p0, offset(7), 1)).length, 1)
    assert.deepEqual(broker.offsetForTime('t', p0, 0), { offset: 7, timestampMs: 1035 })
    assert.deepEqual(broker.offsetForTime('t', p0, 1036), { offset: 8, timestampMs: 1040 })
    assert.deepEqual(broker.offsetOfMaxTime('t', p0), { offset: 19, timestampMs: 1095 })
    if (life === 0) await broker.close()
    broker = await here.open()
  }
  assert.equal(await broker.deleteRecords('t', p0, offset(20)), 20)
  assert.deepEqual(await readValues(broker, 't'), [])
  assert.equal(broker.offsetForTime('t', p0, 0), null)
  assert.equal(broker.offsetOfMaxTime('t', p0), null)
  await broker.close()
})

test('the largest time of what is left is not that of what was deleted', async () => {
  const broker = await machine('largest').open()
  await broker.createTopic({ name: 't', partitions: 1 })
  await broker.append('t', p0, batchOf(['first', 'second'], { timestamps: [9000, 100] }))
  await broker.append('t', p0, batchOf(['third'], { timestamps: [50] }))
  await broker.deleteRecords('t', p0, offset(1))
  assert.deepEqual(broker.offsetForTime('t', p0, 101), null)
  assert.deepEqual(broker.offsetForTime('t', p0, 100), { offset: 1, timestampMs: 100 })
  assert.equal(broker.offsetOfMaxTime('t', p0)?.offset, 2)
  await broker.close()
})

test('the use of the disk is told per partition', async () => {
  const broker = await machine('usage').open()
  await broker.createTopic({ name: 't', partitions: 2 })
  const batch = batchOf(['x'.repeat(500)])
  await broker.append('t', p0, batch)
  await broker.append('t', p0, batch)
  assert.deepEqual(broker.diskUsage(), [
    { topic: 't', partition: 0, bytes: 2 * batch.length },
    { topic: 't', partition: 1, bytes: 0 },
  ])
  await broker.close()
})
