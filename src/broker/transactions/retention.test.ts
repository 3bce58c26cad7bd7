// Retention stops where an open transaction begins: what it wrote is still to be committed, or aborted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SettledFile } from '../settled/file-format.ts'
import { planRetention, type RetainedPartition } from '../settled/retention.ts'

/** Ten offsets each, old. */
const files = [0, 1, 2, 3].map((number): SettledFile => {
  const span = { start: number * 10, end: number * 10 + 10, firstLsn: number * 10 + 1, lastLsn: number * 10 + 10 }
  const times = { maxTimestampMs: 0, firstAppendedMs: 0, lastAppendedMs: 0 }
  const place = { number, salt: 1, topicKey: 1, partition: 0, compacted: false, closed: true }
  return { ...place, ...span, ...times, length: 1_000, entries: 10 }
})
const limits = { nowMs: 1_000_000, logBytesMax: 1e9, otherBytes: 0, pinnedBytesMax: 1e9 }
function dropped(stableEnd: number, rules: Partial<RetainedPartition>, logBytesMax = limits.logBytesMax): number[] {
  const partition: RetainedPartition = {
    topic: 't',
    files,
    start: 0,
    stableEnd,
    journalBytes: 0,
    mayDelete: true,
    isExplicit: false,
    retentionMs: -1,
    retentionBytes: -1,
    ...rules,
  }
  return planRetention([partition], [], { ...limits, logBytesMax }).drop.map(({ file }) => file.number)
}

test('by age, by size, for room: nothing goes that holds records of an open transaction, or lies behind its beginning', () => {
  for (const [rules, logBytesMax] of [
    [{ retentionMs: 1_000 }, undefined],
    [{ retentionBytes: 0 }, undefined],
    [{}, 0],
  ] as const) {
    assert.deepEqual(dropped(40, rules, logBytesMax), [0, 1, 2, 3])
    assert.deepEqual(dropped(30, rules, logBytesMax), [0, 1, 2])
    assert.deepEqual(dropped(25, rules, logBytesMax), [0, 1])
    assert.deepEqual(dropped(0, rules, logBytesMax), [])
  }
})

test('records that were deleted by hand go all the same', () => {
  assert.deepEqual(dropped(20, { start: 20, retentionMs: 1_000 }), [0, 1])
})
