// Exact decimals: readers, printers and the rounding division.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decimalJson, decimalText, dividedHalfAway, minorFromNumber, minorFromText } from './decimal.ts'
import { randomStream } from './random.ts'

test('text to minor units', () => {
  const cases: readonly (readonly [string, number, number | string])[] = [
    ['12.50', 2, 1250],
    ['-12.5', 2, -1250],
    ['0', 2, 0],
    ['-0.00', 2, 0],
    ['1e3', 2, 100_000],
    ['2.50E1', 2, 2500],
    ['125e-2', 2, 125],
    ['1.005', 2, 'scale'],
    ['1.0050', 3, 1005],
    ['1e-9', 2, 'scale'],
    ['0e-9', 2, 0],
    ['90071992547409.91', 2, 9007199254740991],
    ['90071992547409.92', 2, 'range'],
    ['1e400', 2, 'range'],
    ['.5', 2, 'not-a-number'],
    ['1,5', 2, 'not-a-number'],
    ['', 2, 'not-a-number'],
  ]
  for (const [text, scale, minor] of cases) assert.equal(minorFromText(text, scale), minor, text)
})

test('every amount survives text, double and print', () => {
  const random = randomStream('decimals')
  for (let i = 0; i < 20_000; i++) {
    const scale = random.below(4)
    const minor = (random.below(2) === 0 ? -1 : 1) * Math.floor(random.float() * 10 ** random.below(15))
    const text = decimalText(minor, scale)
    assert.equal(minorFromText(text, scale), minor + 0)
    assert.equal(minorFromNumber(Number(text), scale), minor + 0, text)
    assert.equal(JSON.parse(decimalJson(minor, scale)) + 0, Number(text) + 0)
  }
  assert.equal(minorFromNumber(0.1 + 0.2, 2), 'scale')
  assert.equal(minorFromNumber(1e300, 2), 'range')
  assert.equal(decimalJson(1200, 2), '12')
  assert.equal(decimalJson(-5, 2), '-0.05')
  assert.equal(decimalText(12345678901234567890n, 3), '12345678901234567.890')
})

test('division rounds half away from zero, once', () => {
  assert.equal(dividedHalfAway(5n, 2n, 0), 3n)
  assert.equal(dividedHalfAway(-5n, 2n, 0), -3n)
  assert.equal(dividedHalfAway(1n, 3n, 2), 33n)
  assert.equal(dividedHalfAway(249n, 1n, -2), 2n)
  assert.equal(dividedHalfAway(250n, 1n, -2), 3n)
})
