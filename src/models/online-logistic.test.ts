// The regression learns a known rule from few labels, keeps its prior without any, says probabilities that come true; the
// measures of ranking are those of worked examples.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { learn, newOnlineLogistic, probability, sigmoid } from './online-logistic.ts'
import { averagePrecision, brier, calibrationError, type Scored } from './ranking-quality.ts'

describe('a regression that learns as it goes', () => {
  test('without labels it says what its prior says', () => {
    const model = newOnlineLogistic([-4, 2, 1])
    assert.ok(Math.abs(probability(model, [1, 1]) - sigmoid(-1)) < 1e-12)
    assert.deepEqual(JSON.parse(JSON.stringify(model)), model)
  })
  test('it finds a rule that its prior had wrong, and its probabilities come true', () => {
    const random = randomStream('logistic')
    const truth = [-3, 3, 0, -1]
    const model = newOnlineLogistic([-3, 0, 2, 0])
    const draw = (): { readonly x: number[]; readonly p: number } => {
      const x = [random.float() < 0.3 ? 1 : 0, random.float(), random.float()]
      return { x, p: sigmoid(truth[0]! + x.reduce((sum, value, i) => sum + value * truth[i + 1]!, 0)) }
    }
    for (let i = 0; i < 20_000; i++) {
      const { x, p } = draw()
      learn(model, x, random.float() < p, 1, { step: 0.15, pull: 0.002 })
    }
    const scored: Scored[] = []
    let far = 0
    for (let i = 0; i < 5_000; i++) {
      const { x, p } = draw()
      far = Math.max(far, Math.abs(probability(model, x) - p))
      scored.push({ score: probability(model, x), positive: random.float() < p })
    }
    assert.ok(far < 0.12, `a probability is ${far} off`)
    assert.ok(calibrationError(scored) < 0.03, String(calibrationError(scored)))
  })
  test('an example that stands for ten moves it further, never by more than the limit', () => {
    const [one, ten] = [newOnlineLogistic([0, 0]), newOnlineLogistic([0, 0])]
    learn(one, [1], true)
    learn(ten, [1], true, 10)
    assert.ok(ten.weights[1]! > one.weights[1]!)
    const wild = newOnlineLogistic([0, 0])
    learn(wild, [1], true, 1e9, { step: 100, pull: 0 })
    assert.ok(Math.abs(wild.weights[1]!) <= 0.25)
  })
})

describe('how good a ranking is', () => {
  const of = (...marks: readonly (readonly [number, boolean])[]): Scored[] =>
    marks.map(([score, positive]) => ({ score, positive }))
  test('average precision by hand', () => {
    assert.equal(averagePrecision(of([0.9, true], [0.8, true], [0.1, false])), 1)
    assert.ok(Math.abs(averagePrecision(of([0.9, true], [0.8, false], [0.7, true])) - (0.5 + 0.5 * (2 / 3))) < 1e-12)
    assert.ok(Math.abs(averagePrecision(of([0.5, true], [0.5, false])) - 0.5) < 1e-12, 'equal scores are one step')
  })
  test('Brier and calibration by hand', () => {
    assert.equal(brier(of([1, true], [0, false])), 0)
    assert.equal(brier(of([0.5, true], [0.5, false])), 0.25)
    assert.equal(calibrationError(of([0.5, true], [0.5, false])), 0)
    assert.equal(calibrationError(of([0.95, false], [0.95, false])), 0.95)
  })
})
