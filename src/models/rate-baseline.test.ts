// The learned usual comes near the true one: hours, weekdays, trend, spread; and the change score is what chance allows.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { expectedRate, learnMinute, newRateBaseline, type RateBaseline } from './rate-baseline.ts'
import { anscombe, changeAfter, logRatio, newRateChange } from './rate-change.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
/** A Monday. */
const startMs = Date.UTC(2026, 0, 5)
const hourOf = (ms: number): number => (ms / 3_600_000) % 24
const truth = (ms: number): number => {
  const weekend = Math.floor(ms / dayMs + 3) % 7 >= 5
  return 10 * (1 + 0.8 * Math.sin(((hourOf(ms) - 6) / 24) * 2 * Math.PI)) * (weekend ? 0.5 : 1)
}
function learned(days: number, rate: (ms: number) => number): RateBaseline {
  const random = randomStream('baseline')
  const baseline = newRateBaseline()
  for (let ms = startMs; ms < startMs + days * dayMs; ms += minuteMs) {
    // Poisson by Knuth.
    const limit = Math.exp(-rate(ms))
    let count = 0
    for (let product = random.float(); product > limit; product *= random.float()) count++
    learnMinute(baseline, ms, count)
  }
  return baseline
}

describe('what is usual', () => {
  test('hours and weekdays are found within a few percent after two weeks', () => {
    const baseline = learned(14, truth)
    for (let ms = startMs + 14 * dayMs; ms < startMs + 21 * dayMs; ms += 47 * minuteMs) {
      const { mean, learning } = expectedRate(baseline, ms)
      assert.equal(learning, false)
      const error = Math.abs(mean - truth(ms)) / Math.max(truth(ms), 3)
      assert.ok(error < 0.15, `${new Date(ms).toISOString()}: ${mean} for ${truth(ms)}`)
    }
  })
  test('in the first day it is the last minutes, and says that it learns', () => {
    const baseline = learned(0.25, () => 8)
    const { mean, learning } = expectedRate(baseline, startMs + dayMs / 4)
    assert.equal(learning, true)
    assert.ok(Math.abs(mean - 8) < 1.5, String(mean))
    assert.deepEqual(expectedRate(newRateBaseline(), startMs).mean, 0)
  })
  test('a slow trend is followed', () => {
    const baseline = learned(14, (ms) => 10 * (1 + (0.5 * (ms - startMs)) / (14 * dayMs)))
    // The last minute seen was a Sunday's: a trend over two weeks and a week's shape look alike.
    const { mean } = expectedRate(baseline, startMs + 14 * dayMs - minuteMs)
    assert.ok(mean > 13.5 && mean < 16, String(mean))
  })
  test('the spread is learned: a Poisson stream has a large shape, it survives JSON', () => {
    const baseline = learned(10, () => 50)
    const { shape } = expectedRate(baseline, startMs + 10 * dayMs)
    assert.ok(shape > 100, String(shape))
    const again: RateBaseline = JSON.parse(JSON.stringify(baseline))
    assert.deepEqual(expectedRate(again, startMs + 10 * dayMs), expectedRate(baseline, startMs + 10 * dayMs))
  })
})

describe('a change', () => {
  test('the log ratio is that of two negative binomials', () => {
    // ln of P(x; m, k) up to what does not depend on m.
    const log = (x: number, m: number, k: number): number => x * Math.log(m) - (x + k) * Math.log(k + m)
    for (const [x, m, k, f] of [
      [0, 5, 20, 2],
      [12, 5, 20, 0.4],
      [300, 180, 5, 1.9],
    ] as const)
      assert.ok(Math.abs(logRatio(x, m, k, f) - (log(x, f * m, k) - log(x, m, k))) < 1e-9)
  })
  test('evidence grows with a change and is bounded, and usual minutes keep it near nothing', () => {
    const change = newRateChange()
    for (let i = 0; i < 30; i++) changeAfter(change, 10, 10, 20, 40)
    assert.ok(change.up.score < 2 && change.down.score < 2)
    for (let i = 0; i < 100; i++) changeAfter(change, 25, 10, 20, 40)
    assert.equal(change.up.score, 40)
    assert.equal(change.down.score, 0)
    assert.ok(change.up.seen / change.up.meant > 2)
  })
  test('Anscombe: a standard deviation is about one', () => {
    assert.ok(Math.abs(anscombe(100 + 10, 100, 1e9) - 1) < 0.05)
    assert.ok(Math.abs(anscombe(100 + Math.sqrt(100 + 100 ** 2 / 20), 100, 20) - 1) < 0.15)
  })
})
