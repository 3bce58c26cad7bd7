// The quantile sketch's buckets: their order, their width, and the promise of 1/256.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { bucketOf, middleOf, rankOf } from './sketch.ts'

test('what stands for a value is within 1/256 of it, over the whole range of floats', () => {
  const random = randomStream('sketch')
  for (let i = 0; i < 20_000; i++) {
    const value =
      (random.below(2) === 0 ? -1 : 1) * (1 + random.below(2 ** 30) / 2 ** 30) * 2 ** (random.below(2040) - 1020)
    const middle = middleOf(bucketOf(value), false)
    assert.ok(Math.abs(middle - value) <= Math.abs(value) / 256, `${value} becomes ${middle}`)
  }
  for (const value of [Number.MAX_VALUE, -Number.MAX_VALUE])
    assert.ok(Math.abs(middleOf(bucketOf(value), false) - value) <= Number.MAX_VALUE / 256)
})

test('whole numbers: exact below 256, within 1/256 beyond, up to 2^53', () => {
  for (let value = -255; value < 256; value++) assert.equal(middleOf(bucketOf(value), true), value)
  const random = randomStream('whole')
  for (let i = 0; i < 20_000; i++) {
    const value = Math.floor(2 ** (random.below(53_000) / 1000)) * (random.below(2) === 0 ? -1 : 1)
    const middle = middleOf(bucketOf(value), true)
    assert.ok(Number.isInteger(middle), `${middle} is whole`)
    assert.ok(Math.abs(middle - value) <= Math.abs(value) / 256, `${value} becomes ${middle}`)
  }
  assert.ok(Math.abs(middleOf(bucketOf(Number.MAX_SAFE_INTEGER), true) - Number.MAX_SAFE_INTEGER) < 2 ** 45)
})

test('buckets are in the order of values', () => {
  const values = [-1e300, -255.5, -3, -1, -0.001, -Number.MIN_VALUE, 0, Number.MIN_VALUE, 0.5, 1, 2, 1000, 1e300]
  const buckets = values.map(bucketOf)
  assert.deepEqual(
    buckets.toSorted((a, b) => a - b),
    buckets,
  )
  assert.equal(middleOf(bucketOf(0), false), 0)
  assert.equal(middleOf(bucketOf(-Number.MIN_VALUE), false), 0)
})

test('the rank of a fraction is its ceiling, in whole arithmetic', () => {
  const table: [number, number, number][] = [
    [0, 10, 1],
    [1, 10, 10],
    [0.5, 4, 2],
    [0.5, 5, 3],
    [0.07, 100, 7],
    [0.95, 20, 19],
    [0.000001, 1, 1],
    [0.999999, 9e9, 8_999_991_000],
  ]
  for (const [fraction, count, rank] of table) assert.equal(rankOf(fraction, count), rank)
})
