// Known answers of the bench's statistics, and their edges.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentile, spreadOf, timesBetter } from './statistics.ts'

test('spread: least, median, most, whatever the order', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3, runs: 3 })
  assert.deepEqual(spreadOf([10, 2, 4, 100]), { min: 2, median: 7, max: 100, runs: 4 })
  assert.deepEqual(spreadOf([5]), { min: 5, median: 5, max: 5, runs: 1 })
})

test('spread: numbers are compared as numbers and the given array stays as it was', () => {
  const given = [100, 9, 20]
  assert.equal(spreadOf(given).median, 20)
  assert.deepEqual(given, [100, 9, 20])
})

const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
const percentiles: readonly (readonly [string, readonly number[], number, number])[] = [
  ['p0 is the least', hundred, 0, 1],
  ['p50 of 1 to 100', hundred, 0.5, 50],
  ['p99 of 1 to 100', hundred, 0.99, 99],
  ['p100 is the most', hundred, 1, 100],
  ['p99 of 50 is the most', hundred.slice(0, 50), 0.99, 100],
  ['p50 of one', [7], 0.5, 7],
  ['p50 of two is the lower', [8, 6], 0.5, 6],
]
for (const [name, values, share, expected] of percentiles)
  test(`percentile: ${name}`, () => assert.equal(percentile(values, share), expected))

test('times better: above 1 is good news in both directions', () => {
  const four = spreadOf([4])
  const two = spreadOf([2])
  assert.equal(timesBetter(four, two, 'more'), 2)
  assert.equal(timesBetter(four, two, 'less'), 0.5)
  assert.equal(timesBetter(two, four, 'less'), 2)
})

test('nothing measured, or not a number, is refused', () => {
  assert.throws(() => spreadOf([]), /nothing was measured/)
  assert.throws(() => spreadOf([1, Number.NaN]), /not a measurement/)
  assert.throws(() => percentile([1], 99), /between 0 and 1/)
})
