// Q1 to Q3 are measured: what the generator broke is found, exactly where a contract names it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoreFaults, scorePriceSpikes, scoreVolumeDrops } from './score-quality.ts'

const topics: readonly (readonly [topic: string, rate: number])[] = [
  ['sales', 20],
  ['orders', 20],
  ['user-events', 20],
  ['transactions', 10],
  ['inventory-updates', 10],
  ['marketplace-sales', 10],
  ['ecommerce_orders', 10],
  ['ecommerce_order_items', 20],
]
for (const [topic, rate] of topics)
  test(`Q1, Q2: faults of ${topic} are found with precision and recall 1`, () => {
    const scores = scoreFaults(topic, 'held-out', 5, rate)
    assert.ok(scores.length >= 4, JSON.stringify(scores))
    for (const { what, made, precision, recall } of scores)
      assert.ok(made > 0 && precision === 1 && recall === 1, `${what}: ${JSON.stringify(scores)}`)
  })

test('Q3: price spikes of five times the usual and more: precision and recall 0.95', () => {
  const score = scorePriceSpikes('held-out', 24, 30)
  assert.ok(score.made > 50 && score.precision >= 0.95 && score.recall >= 0.95, JSON.stringify(score))
})

test('Q3: volume that drops by half for a quarter of an hour and longer: precision and recall 0.95', () => {
  const score = scoreVolumeDrops('held-out', 3)
  assert.ok(score.made === 24 && score.precision >= 0.95 && score.recall >= 0.95, JSON.stringify(score))
})
