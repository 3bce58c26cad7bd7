// Which files go, case by case; and with random logs: only the first ones of each, and nothing that is needed within limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { type SettledFile, settledFileBytes } from './file-format.ts'
import { type Need, planRetention, type RetainedPartition, ticksToDrop } from './retention.ts'

const day = 86_400_000
/** Files of 1,000 bytes of stream, ten offsets and ten LSNs each, one appended a day. */
function files(topicKey: number, count: number, firstLsn = 1): SettledFile[] {
  return Array.from({ length: count }, (_, i) => ({
    number: topicKey * 1000 + i,
    salt: 1,
    topicKey,
    partition: 0,
    compacted: false,
    closed: i < count - 1,
    start: 10 * i,
    end: 10 * i + 10,
    firstLsn: firstLsn + 10 * i,
    lastLsn: firstLsn + 10 * i + 9,
    length: 1000,
    entries: 10,
    maxTimestampMs: 0,
    firstAppendedMs: i * day,
    lastAppendedMs: i * day + 1,
  }))
}
const size = settledFileBytes({ length: 1000 })
const plain = {
  start: 0,
  stableEnd: Number.MAX_SAFE_INTEGER,
  journalBytes: 0,
  mayDelete: true,
  isExplicit: false,
  retentionMs: -1,
  retentionBytes: -1,
}
const one = (change: Partial<RetainedPartition>, count = 5): RetainedPartition => ({
  topic: 't',
  files: files(1, count),
  ...plain,
  ...change,
})
const limits = { nowMs: 10 * day, logBytesMax: 1e9, otherBytes: 0, pinnedBytesMax: 1e9 }
const need = (afterLsn: number, behindBytes = 0): Need => ({ afterLsn, topics: new Set(['t']), behindBytes })
const dropped = (
  partitions: readonly RetainedPartition[],
  needs: readonly Need[] = [],
  change: Partial<typeof limits> = {},
): number[] => planRetention(partitions, needs, { ...limits, ...change }).drop.map(({ file }) => file.number)

test('by age of the append, by size, by deletion, by room', () => {
  assert.deepEqual(dropped([one({})]), [])
  assert.deepEqual(dropped([one({ retentionMs: 8 * day })]), [1000, 1001])
  assert.deepEqual(dropped([one({ retentionMs: 0 })]), [1000, 1001, 1002, 1003, 1004], 'the last one too')
  assert.deepEqual(dropped([one({ retentionBytes: 2 * size })]), [1000, 1001, 1002])
  assert.deepEqual(dropped([one({ retentionBytes: 2 * size + 1 })]), [1000, 1001], 'what is asked for is kept')
  assert.deepEqual(dropped([one({ retentionBytes: 2 * size, journalBytes: 2 * size })]), [1000, 1001, 1002, 1003, 1004])
  assert.deepEqual(dropped([one({ start: 29 })]), [1000, 1001])
  assert.deepEqual(dropped([one({ start: 30, mayDelete: false, retentionMs: 0 })]), [1000, 1001, 1002])
  const room = { logBytesMax: 3 * size, otherBytes: size }
  assert.deepEqual(dropped([one({})], [], room), [1000, 1001, 1002])
  assert.deepEqual(dropped([one({ isExplicit: true })], [], room), [])
  assert.deepEqual(dropped([one({ mayDelete: false })], [], room), [])
  const other = { ...one({ topic: 'u' }), files: files(2, 5, 6) }
  assert.deepEqual(dropped([one({}), other], [], { logBytesMax: 7 * size }), [1000, 2000, 1001], 'the oldest of all')
})

test('what is needed stays up to the limit, with what a snapshot may need before it', () => {
  const all = [one({ retentionMs: 0 })]
  assert.deepEqual(dropped(all, [need(20)]), [1000, 1001])
  assert.deepEqual(dropped(all, [need(19)]), [1000])
  assert.deepEqual(dropped(all, [need(20, 1)]), [1000], 'a byte before it: the file that holds it')
  assert.deepEqual(dropped(all, [need(50, size + 1)]), [1000, 1001, 1002])
  assert.deepEqual(dropped(all, [need(1)], { pinnedBytesMax: 2 * size }), [1000, 1001, 1002])
  assert.deepEqual(dropped(all, [{ ...need(0), topics: new Set(['u']) }]), [1000, 1001, 1002, 1003, 1004])
  assert.equal(planRetention(all, [need(20)], limits).pinnedBytes, 3 * size)
})

test('random logs lose their first files only', () => {
  const random = randomStream('retention')
  for (let i = 0; i < 500; i++) {
    const partitions = Array.from({ length: 3 }, (_, key) => ({
      ...one({ topic: `t${random.below(2)}` }),
      files: files(key + 1, random.below(8), 1 + random.below(30)),
      start: random.below(60),
      retentionMs: random.below(3) === 0 ? random.below(10) * day : -1,
      retentionBytes: random.below(3) === 0 ? random.below(8000) : -1,
    }))
    const needs = [{ afterLsn: random.below(90), topics: new Set(['t0']), behindBytes: random.below(3000) }]
    const pinnedBytesMax = random.below(9000)
    const plan = planRetention(partitions, needs, { ...limits, logBytesMax: random.below(20_000), pinnedBytesMax })
    assert.ok(plan.pinnedBytes <= pinnedBytesMax)
    const gone = new Set(plan.drop.map(({ file }) => file.number))
    for (const { files: of } of partitions) {
      const kept = of.findIndex(({ number }) => !gone.has(number))
      assert.ok(kept < 0 || of.slice(kept).every(({ number }) => !gone.has(number)), `case ${i}: a hole`)
    }
  }
})

test('ticks go when they are old, nothing of their time is left and nobody needs them', () => {
  const ticks = files(0, 5)
  const late = 30 * day
  const numbers = (...args: Parameters<typeof ticksToDrop>): number[] =>
    ticksToDrop(...args).map(({ number }) => number)
  assert.deepEqual(numbers(ticks, 31, [], late), [0, 1, 2])
  assert.deepEqual(numbers(ticks, 31, [need(15)], late), [0])
  assert.deepEqual(numbers(ticks, 31, [], 8 * day), [0])
})
