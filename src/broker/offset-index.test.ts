// The index of a partition at the edges of its chunks, by offset and by time, against plain lists.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { OffsetIndex } from './offset-index.ts'

test('finds the batch of every offset, whatever was taken back in between', () => {
  for (const batches of [1, 15, 16, 17, 64, 1023, 1024, 1025, 2048, 5000]) {
    const random = randomStream(`index ${batches}`)
    const index = new OffsetIndex()
    const list: { base: number; last: number; time: number }[] = []
    let next = 0
    while (list.length < batches) {
      if (list.length > 0 && random.below(100) === 0) {
        const back = 1 + random.below(Math.min(40, list.length))
        for (let i = 0; i < back; i++) {
          index.removeLast()
          next = list.pop()!.base
        }
        continue
      }
      const last = next + random.below(5)
      const time = random.below(1_000_000)
      index.add(next, last, list.length + 1, time, 3, list.length * 7, 100 + list.length)
      list.push({ base: next, last, time })
      next = last + 1
      // Ask for times now and then: what it remembers of full chunks must not outlive a change.
      if (random.below(300) === 0) index.findMaxTime(index.count)
    }
    assert.equal(index.count, list.length)
    for (let i = 0; i < 500; i++) {
      const offset = random.below(next + 3)
      const expected = list.findIndex((batch) => batch.last >= offset)
      assert.equal(index.find(offset), expected < 0 ? list.length : expected)
      const time = random.below(1_100_000)
      const end = 1 + random.below(list.length)
      assert.equal(
        index.findTime(time, end),
        list.slice(0, end).findIndex((batch) => batch.time >= time),
        `time ${time} before ${end}`,
      )
      const most = Math.max(...list.slice(0, end).map((batch) => batch.time))
      assert.equal(
        index.findMaxTime(end),
        list.findIndex((batch) => batch.time === most),
      )
    }
    const entry = random.below(list.length)
    assert.deepEqual(
      [index.baseOffset(entry), index.lastOffset(entry), index.lsn(entry), index.maxTimestampMs(entry)],
      [list[entry]!.base, list[entry]!.last, entry + 1, list[entry]!.time],
    )
    assert.deepEqual([index.segment(entry), index.position(entry), index.bytes(entry)], [3, entry * 7, 100 + entry])
  }
})
