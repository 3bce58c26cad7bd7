// Exact sums of floats: against whole-number arithmetic, over the whole range, in any order, and after taking away again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomStream, randomStream } from '../std/random.ts'
import { LimbSums, roundedRatio, sumOf, varianceOf } from './exact-sums.ts'

/** The value in units of 2^-1074. */
function whole(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, Math.abs(value))
  const all = bits.getBigUint64(0)
  const biased = all >> 52n
  const mantissa = (all & 0xf_ffff_ffff_ffffn) + (biased === 0n ? 0n : 1n << 52n)
  const units = mantissa << (biased === 0n ? 0n : biased - 1n)
  return value < 0 ? -units : units
}
function anyFloat(random: RandomStream, span: number): number {
  const sign = random.below(2) === 0 ? 1 : -1
  return (
    sign *
    (1 + random.below(2 ** 30) / 2 ** 30 + random.below(2 ** 22) / 2 ** 52) *
    2 ** (random.below(span * 2) - span)
  )
}
const SEEDS = 40

test('sums of floats of any size are exact, in any order, and let go of what they took', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomStream(`exact/${seed}`)
    const span = [3, 40, 500][seed % 3] ?? 3
    const values = Array.from({ length: 1 + random.below(60) }, () =>
      random.below(10) === 0 ? 0 : anyFloat(random, span),
    )
    const [one, other] = [new LimbSums(), new LimbSums()]
    one.grow(3)
    other.grow(3)
    for (const value of values) one.addValue(1, value)
    for (const value of values.toReversed()) other.addValue(2, value)
    const truth = values.reduce((sum, value) => sum + whole(value), 0n)
    assert.equal(one.wholeOf(1) << BigInt(26 * one.first), truth, `seed ${seed}`)
    assert.equal(other.wholeOf(2) << BigInt(26 * other.first), truth, `seed ${seed}`)
    assert.equal(sumOf(one, 1), roundedRatio(truth, 1n, -1074), `seed ${seed}`)
    assert.equal(one.wholeOf(0), 0n)
    one.addFrom(1, other, 2, -1)
    assert.equal(one.wholeOf(1), 0n, `seed ${seed}: what was taken is let go`)
  }
})

test('variances are the float nearest to the true one: of floats, of cents, of values far from 0', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomStream(`variance/${seed}`)
    const far = [0, 1e9, 1e15][seed % 3] ?? 0
    const values = Array.from({ length: 1 + random.below(50) }, () =>
      seed % 2 === 0 ? far + random.below(1000) : far + anyFloat(random, 20),
    )
    const scale = seed % 2 === 0 ? 2 : 0
    const [sums, squares] = [new LimbSums(), new LimbSums()]
    sums.grow(1)
    squares.grow(1)
    for (const value of values) {
      sums.addValue(0, value)
      squares.addSquare(0, value)
    }
    const units = values.map(whole)
    const n = BigInt(values.length)
    const sum = units.reduce((a, b) => a + b, 0n)
    const square = units.reduce((a, b) => a + b * b, 0n)
    const expected = roundedRatio(n * square - sum * sum, n * n * 10n ** BigInt(2 * scale), -2148)
    assert.equal(varianceOf(sums, squares, 0, values.length, scale), expected, `seed ${seed}`)
  }
})

test('squares of the greatest and least floats, and of every bit of a mantissa, are exact', () => {
  const odd = [Number.MAX_VALUE, Number.MIN_VALUE, 2 ** -1022, Number.MAX_SAFE_INTEGER, 1 - 2 ** -53, 0.1, 2 ** 26 - 1]
  for (const value of [...odd, ...odd.map((one) => -one), ...Array.from({ length: 53 }, (_, i) => 2 ** 52 + 2 ** i)]) {
    const squares = new LimbSums()
    squares.grow(1)
    squares.addSquare(0, value)
    squares.addSquare(0, value)
    assert.equal(squares.wholeOf(0) << BigInt(26 * squares.first), 2n * whole(value) * whole(value), `${value}`)
  }
})

test('limbs carry: many values of one sign, then all of them back', () => {
  const [sums, many, same] = [new LimbSums(), new LimbSums(), new LimbSums()]
  for (const one of [sums, many, same]) one.grow(1)
  sums.addValue(0, 2 ** 26 - 1)
  // Doubling 60 times is 2^60 additions.
  many.addFrom(0, sums, 0, 1)
  for (let i = 0; i < 60; i++) {
    same.copy(many, 1)
    many.addFrom(0, same, 0, 1)
  }
  assert.equal(many.wholeOf(0) << BigInt(26 * many.first), whole(2 ** 26 - 1) << 60n)
  for (let i = 0; i < 3; i++) many.addFrom(0, sums, 0, -1)
  assert.equal(many.wholeOf(0) << BigInt(26 * many.first), whole(2 ** 26 - 1) * (2n ** 60n - 3n))
})

test('a ratio is rounded once: ties to even, beyond the range to infinity', () => {
  const table: [bigint, bigint, number, number][] = [
    [1n, 3n, 0, 1 / 3],
    [-2n, 3n, 0, -2 / 3],
    [2n ** 53n + 1n, 1n, 0, 2 ** 53],
    [2n ** 53n + 3n, 1n, 0, 2 ** 53 + 4],
    [(2n ** 53n + 1n) * 2n ** 200n + 1n, 1n, -200, 2 ** 53 + 2],
    [1n, 1n, -1074, Number.MIN_VALUE],
    [1n, 1n, 1024, Number.POSITIVE_INFINITY],
    [0n, 7n, 500, 0],
    [10n ** 40n, 10n ** 38n, 0, 100],
  ]
  for (const [over, under, exponent, value] of table) assert.equal(roundedRatio(over, under, exponent), value)
})
