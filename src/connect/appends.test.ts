// What goes into one commit is cut into batches that every topic takes, in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import { Appends } from './appends.ts'

test('megabytes for one partition become batches below the limit of a topic, none lost, in order', () => {
  const appends = new Appends()
  const value = new Uint8Array(60_000)
  for (let i = 0; i < 100; i++)
    for (const partition of [0, 1]) appends.add('rows', partition, new TextEncoder().encode(`k${i}`), value, 1000, [])
  assert.ok(appends.pendingBytes > 200 * value.length)
  const slots = recordSlots(64)
  const keys = new Map<number, string[]>()
  for (const { topic, partition, batch } of appends.take()) {
    assert.equal(topic, 'rows')
    assert.ok(batch.length < 1_000_000, `a batch of ${batch.length} bytes`)
    const { bytes, start, end } = recordsOf(batch)
    for (let at = start; at < end; ) {
      at = walkRecords(bytes, at, end, slots)
      for (let row = 0; row < slots.count; row++) {
        const key = new TextDecoder().decode(bytes.subarray(slots.keyStart[row]!, slots.keyEnd[row]!))
        keys.set(partition, [...(keys.get(partition) ?? []), key])
      }
    }
  }
  const wanted = Array.from({ length: 100 }, (_, i) => `k${i}`)
  assert.deepEqual([keys.get(0), keys.get(1)], [wanted, wanted])
  assert.deepEqual([appends.pendingBytes, appends.take().length], [0, 0])
})
