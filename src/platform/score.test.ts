// Detection is measured, not claimed: a small run of each suite reaches what the product promises of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoreSuite } from './score.ts'

test('W3: clear incidents are found once each, nearly nothing else is told', () => {
  const score = scoreSuite('easy', ['held-out-1'], 3)
  assert.equal(score.incidents, 48)
  assert.ok(score.recall >= 0.97 && score.precision >= 0.95, JSON.stringify(score))
  assert.ok(score.duplicateReduction >= 0.99 && score.notificationsPerIncident <= 1.1, JSON.stringify(score))
})
test('W3: weak incidents in a shop of 1.5 sales a minute', () => {
  const score = scoreSuite('hard', ['held-out-1'], 3)
  assert.ok(score.f1 >= 0.88, JSON.stringify(score))
  assert.ok(score.falsePerStreamWeek <= 1, JSON.stringify(score))
})
test('the same seed gives the same score, another seed other shops', () => {
  const [a, again, b] = ['a', 'a', 'b'].map((seed) => scoreSuite('hard', [seed], 1))
  assert.deepEqual(again, a)
  assert.notDeepEqual(b, a)
})
