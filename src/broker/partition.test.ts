// The limits of what is remembered of producers: the one that wrote longest ago is forgotten first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Partition, partitionProducersMax } from './partition.ts'
import { epochMax, ProducerIds, raisedEpochsMax } from './producer-ids.ts'

test('a partition remembers a bounded number of producers', () => {
  const partition = new Partition(1, 0)
  const window = { epoch: 0, batches: [] }
  for (let id = 0; id < partitionProducersMax; id++) partition.setWindow(id, window)
  partition.setWindow(0, window)
  partition.setWindow(partitionProducersMax, window)
  assert.equal(partition.producers, partitionProducersMax)
  assert.equal(partition.window(1), undefined, 'the one that wrote longest ago')
  assert.notEqual(partition.window(0), undefined, 'it wrote again')
})

test('a bounded number of raised epochs is remembered; the last epoch gives a new id', () => {
  const ids = new ProducerIds(new Uint8Array(16).fill(1))
  const first = ids.take()
  ids.setEpoch(first, 1)
  for (let i = 0; i < raisedEpochsMax; i++) ids.setEpoch(ids.take(), 1)
  assert.equal(ids.epoch(first), 0, 'forgotten')
  const last = ids.take()
  ids.setEpoch(last, epochMax - 1)
  assert.deepEqual(ids.raised(last, epochMax - 1), { id: last, epoch: epochMax })
  ids.setEpoch(last, epochMax)
  assert.deepEqual(ids.raised(last, epochMax), { id: last + 1, epoch: 0 })
  assert.ok(Number.isSafeInteger(new ProducerIds(new Uint8Array(16).fill(255)).take()))
})
