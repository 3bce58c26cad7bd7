// Figures as people read them: exact money, rounding, signs, ages, changes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { ageText, changeInCount, changeInPercent, decimalText, moneyShort, moneyText } from './format.ts'

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-')

test('decimals: rounded half away from zero, grouped, exact beyond what a float holds', () => {
  const cases: [minor: number, scale: number, decimals: number, text: string][] = [
    [0, 2, 2, '0.00'],
    [5, 2, 2, '0.05'],
    [-5, 2, 2, '-0.05'],
    [123_456_789, 2, 2, '1,234,567.89'],
    [823_746_145, 3, 2, '823,746.15'],
    [-823_746_145, 3, 2, '-823,746.15'],
    [4, 3, 2, '0.00'],
    [-4, 3, 2, '0.00'],
    [5, 3, 2, '0.01'],
    [50, 2, 0, '1'],
    [49, 2, 0, '0'],
    [999_999, 2, 0, '10,000'],
    [1234, 0, 2, '1,234'],
    [Number.MAX_SAFE_INTEGER, 2, 2, '90,071,992,547,409.91'],
  ]
  for (const [minor, scale, decimals, text] of cases) assert.equal(plain(decimalText(minor, scale, decimals)), text)
})

test('property: at full scale the text is the integer with a point in it', () => {
  const random = randomStream('decimal-text')
  for (let i = 0; i < 500; i++) {
    const minor = random.below(2 ** 32) * (random.below(2) === 0 ? 1 : -1)
    const scale = random.below(5)
    const digits = plain(decimalText(minor, scale, scale)).replaceAll(/[,.]/g, '')
    assert.equal(Number(digits), minor, `minor ${minor} at scale ${scale}`)
  }
})

test('money: symbol, sign, short forms for tiles', () => {
  const reais = { currency: 'BRL', scale: 2 }
  assert.equal(plain(moneyText(14_257, reais)), 'R$ 142.57')
  assert.equal(plain(moneyText(-14_257, reais)), '-R$ 142.57')
  assert.equal(plain(moneyText(1_234_567, { currency: 'GBP', scale: 3 })), '£ 1,234.57')
  const short: [minor: number, text: string][] = [
    [999_999, 'R$ 9,999.99'],
    [1_000_000, 'R$ 10,000'],
    [99_999_949, 'R$ 999,999'],
    [100_000_000, 'R$ 1.00 M'],
    [192_345_678, 'R$ 1.92 M'],
    [123_456_789_012, 'R$ 1.23 B'],
  ]
  for (const [minor, text] of short) assert.equal(plain(moneyShort(minor, reais)), text)
})

test('ages get coarser as they grow, and are never negative', () => {
  const cases: [ms: number, text: string][] = [
    [-500, '0.0 s'],
    [340, '0.3 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ]
  for (const [ms, text] of cases) assert.equal(plain(ageText(ms)), text)
})

test('changes: percent, counts, none, and none to compare with', () => {
  assert.deepEqual(changeInPercent(104.1, 100), { direction: 'up', text: '4.1%' })
  assert.deepEqual(changeInPercent(90, 100), { direction: 'down', text: '10.0%' })
  assert.deepEqual(changeInPercent(100.01, 100), { direction: 'same', text: '0' })
  assert.equal(changeInPercent(5, 0), null)
  assert.deepEqual(changeInCount(211, 214), { direction: 'down', text: '3' })
  assert.deepEqual(changeInCount(16, 16), { direction: 'same', text: '0' })
})
