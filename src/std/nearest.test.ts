// Tests of suggestions after a typo.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const names = ['sales-window', 'sales-per-second', 'product-metrics', 'monthly-revenue', 'start', 'stop']

for (const [text, expected] of [
  ['sales-windw', 'sales-window'],
  ['sales_window', 'sales-window'],
  ['SALES-WINDOW', 'sales-window'],
  ['slaes-window', 'sales-window'],
  ['product', 'product-metrics'],
  ['strat', 'start'],
  ['sto', 'stop'],
  ['x', null],
  ['', null],
  ['fraud-alerts', null],
  ['a'.repeat(5_000), null],
] as const)
  test(`${text.slice(0, 20) || '(nothing)'} → ${expected}`, () => assert.equal(nearest(text, names), expected))

test('the earlier of two equally near names is taken', () => {
  assert.equal(nearest('stap', ['stop', 'star']), 'stop')
  assert.equal(nearest('anything', []), null)
})
