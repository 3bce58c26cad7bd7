// Leader epochs: one for each start, carried by the batches, kept through seals, bounded; where each one ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset, partitionId } from '../std/units.ts'
import { leaderEpoch } from '../wire/record-batch.ts'
import { batchOf, dataDir, machine, p0 } from './broker.suite.ts'
import { LeaderEpochs, partitionEpochsMax } from './leader-epochs.ts'

test('where an epoch ended, as Kafka answers it', () => {
  const epochs = new LeaderEpochs()
  // Offsets 0-9 in epoch 2, 10-14 in epoch 5; the log goes on in epoch 7 and holds 10 to 14 still.
  epochs.note(2, 0)
  epochs.note(5, 10)
  epochs.note(5, 12)
  const end = (asked: number, start = 0) => {
    const found = epochs.endOf(asked, start, 15, 7)
    return found === null ? null : [found.leaderEpoch, found.endOffset]
  }
  assert.deepEqual(
    [end(7), end(6), end(5), end(4), end(3), end(2)],
    [
      [7, 15],
      [5, 15],
      [5, 15],
      [2, 10],
      [2, 10],
      [2, 10],
    ],
  )
  assert.deepEqual([end(1), end(0), end(-1), end(8)], [[1, 0], [0, 0], null, null])
  // What retention took is not an end any more.
  assert.deepEqual(end(2, 12), [2, 12])
  assert.deepEqual(
    [0, 9, 10, 14, 15].map((at) => epochs.at(at, 15, 7)),
    [2, 2, 5, 5, 7],
  )
})

test('what was taken back has no epoch, and no partition remembers epochs without end', () => {
  const epochs = new LeaderEpochs()
  epochs.note(0, 0)
  epochs.note(1, 4)
  epochs.takenBack(5)
  assert.equal(epochs.latest, 1)
  epochs.takenBack(4)
  assert.equal(epochs.latest, 0)
  for (let epoch = 1; epoch <= partitionEpochsMax; epoch++) epochs.note(epoch, epoch)
  assert.equal(epochs.capture().length, 2 * partitionEpochsMax)
  assert.equal(epochs.capture()[0], 1)
})

test('each start has an epoch of its own; batches carry it, also through seals and without the file', async () => {
  const here = machine()
  const settings = { segmentBytes: 6_000 }
  for (let life = 0; life < 3; life++) {
    const broker = await here.open(settings)
    if (life === 0) await broker.createTopic({ name: 't', partitions: 2 })
    assert.equal(broker.leaderEpoch, life)
    if (life !== 1) for (let i = 0; i < 5; i++) await broker.append('t', p0, batchOf(['x'.repeat(1_500)]))
  }
  assert.ok(here.fs.list(`${dataDir}/journal`).some((name) => name.endsWith('.seal')))
  const check = async (current: number): Promise<void> => {
    const broker = await here.open(settings)
    const batches = await broker.read('t', p0, offset(0), 1 << 20)
    assert.deepEqual(
      batches.map((batch) => leaderEpoch(batch)),
      [0, 0, 0, 0, 0, 2, 2, 2, 2, 2],
    )
    assert.equal(broker.leaderEpoch, current)
    assert.deepEqual([broker.endOfEpoch('t', p0, 0)?.endOffset, broker.endOfEpoch('t', p0, 1)?.endOffset], [5, 5])
    assert.deepEqual(broker.endOfEpoch('t', p0, 2), { leaderEpoch: 2, endOffset: 10 })
    assert.deepEqual(broker.endOfEpoch('t', p0, current), { leaderEpoch: current, endOffset: 10 })
    assert.equal(broker.endOfEpoch('t', p0, current + 1), null)
    assert.deepEqual([broker.epochAt('t', p0, offset(4)), broker.epochAt('t', p0, offset(5))], [0, 2])
    assert.equal(broker.epochAt('t', partitionId(1), offset(0)), current)
  }
  await check(3)
  // The file is lost, or says nothing: the log itself tells what must be exceeded.
  here.fs.unlink(`${dataDir}/epoch`)
  await check(3)
  const file = here.fs.open(`${dataDir}/epoch`, 'write')
  file.write(new TextEncoder().encode('{"rubbish'), 0)
  file.close()
  await check(3)
  await check(3)
})
