// Records without a key are refused where only the newest record of each key is kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { batchOf, machine, p0, refused } from '../broker.suite.ts'

const keyless = (compression: 'none' | 'zstd'): Uint8Array => {
  const writer = new BatchWriter({ compression })
  writer.append(new Uint8Array([1]), new Uint8Array([1]), 1)
  writer.append(null, new Uint8Array([2]), 2)
  return writer.finish()
}

test('a batch with a keyless record is refused by a compacted topic, compressed or not, and taken by others', async () => {
  const broker = await machine().open()
  for (const policy of ['compact', 'compact,delete', 'delete, compact']) {
    const name = `t-${policy.replaceAll(/\W+/g, '-')}`
    await broker.createTopic({ name, partitions: 1, configs: { 'cleanup.policy': policy } })
    for (const codec of ['none', 'zstd'] as const) {
      await assert.rejects(broker.append(name, p0, keyless(codec)), refused('INVALID_RECORD'))
    }
    await broker.append(name, p0, batchOf(['keyed']))
    assert.equal(broker.offsets(name, p0).end, 1)
  }
  await broker.createTopic({ name: 'deleted', partitions: 1 })
  await broker.append('deleted', p0, keyless('none'))
  await broker.close()
})
