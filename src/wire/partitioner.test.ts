// Known answers of Kafka's murmur2 (the vectors of its own UtilsTest), and the partitions they lead to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2 } from '../std/murmur2.ts'
import { partitionOfKey } from './partitioner.ts'

const known: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]
for (const [key, hash] of known) {
  test(`murmur2 of "${key}"`, () => {
    const bytes = new TextEncoder().encode(key)
    assert.equal(murmur2(bytes), hash)
    for (const partitions of [1, 3, 6, 100]) {
      assert.equal(partitionOfKey(bytes, partitions), (hash & 0x7fffffff) % partitions)
    }
  })
}

test('an empty key has a partition too', () =>
  assert.equal(partitionOfKey(new Uint8Array(0), 6), (275646681 & 0x7fffffff) % 6))
