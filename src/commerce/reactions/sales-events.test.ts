// The event tracker by cases (W3 to W6): growth, gates, one event for an incident, who and what to do, quiet, silence.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReactionInput } from '../../query/reaction.ts'
import { cooldownRules, newCooldown, passes } from './cooldown.ts'
import { concentration, recommendation, sentence } from './insight.ts'
import { salesEventTracker } from './sales-events.ts'
import type { SalesEventsState } from './sales-view.ts'

const minuteMs = 60_000
const startMs = Date.UTC(2026, 0, 5, 15)
type Told = Readonly<Record<string, unknown>>
interface Shop {
  readonly state: SalesEventsState
  readonly told: Told[]
  minute(sales: Readonly<Record<string, number>>, priceMinor?: number): void
  tick(atMs: number): void
  readonly nowMs: () => number
}
function shop(state = salesEventTracker().initial()): Shop {
  const tracker = salesEventTracker()
  const told: Told[] = []
  let atMs = startMs
  const step = (input: ReactionInput): void =>
    tracker.step(state, input, (topic, key, value) => {
      assert.equal(topic, 'sales-events')
      assert.equal(value?.event_id, key)
      if (value !== null) told.push(value)
    })
  const row = (plan: string, values: Readonly<Record<string, string | number>>): void =>
    step({
      kind: 'row',
      plan,
      values: { window_start: atMs, window_end: atMs + minuteMs, ...values },
      timing: 'on-time',
      final: true,
      weight: 1,
      evidence: [],
    })
  return {
    state,
    told,
    nowMs: () => atMs,
    minute(sales, priceMinor = 100_00) {
      let all = 0
      for (const [seller, count] of Object.entries(sales)) {
        all += count
        if (count > 0) row('sales-by-seller', { seller, sales: count, revenue: count * priceMinor })
      }
      if (all > 0) {
        row('sales-by-category', { nm_category: 'Books', sales: all, revenue: all * priceMinor })
        row('sales-by-minute', { sales: all, revenue: all * priceMinor })
      }
      atMs += minuteMs
    },
    tick: (ms) => step({ kind: 'tick', atMs: ms }),
  }
}
const usual = { Ana: 12, Ben: 9, Cid: 6 }
const times = (sales: Readonly<Record<string, number>>, factor: number): Record<string, number> =>
  Object.fromEntries(Object.entries(sales).map(([name, count]) => [name, Math.round(count * factor)]))
function opened(minutes = 60): Shop {
  const one = shop()
  for (let i = 0; i < minutes; i++) one.minute(usual)
  return one
}
const firings = ({ told }: Shop): Told[] => told.filter((one) => one.detected_at === one.updated_at)

describe('W3: growth beyond the threshold is an event, told once', () => {
  test('a shop as usual tells nothing, and never on its first window', () => {
    assert.deepEqual(opened(300).told, [])
    const first = shop()
    for (let i = 0; i < 3; i++) first.minute(usual)
    for (let i = 0; i < 11; i++) first.minute(times(usual, 9))
    assert.deepEqual(first.told, [])
  })
  test('a spike fires within minutes, lasts as one event, and resolves after twenty quiet minutes', () => {
    const one = opened()
    for (let i = 0; i < 20; i++) one.minute(times(usual, 3))
    assert.equal(firings(one).length, 1)
    const [event] = firings(one)
    assert.equal(event?.kind, 'volume')
    assert.equal(event?.direction, 'up')
    assert.equal(event?.of_type, null)
    assert.ok(Number(event?.growth) > 0.5)
    assert.match(
      String(event?.sentence),
      /^ACTIVITY SPIKE: \+\d+\.\d% vs usual \| Growth: \+\d+\.\d% vs previous window \| Active sellers: 3\/3 \| Top seller: Ana \(44%\) \| Top category: Books \(100%\)$/,
    )
    assert.ok(Date.parse(String(event?.since)) >= startMs + 59 * minuteMs)
    for (let i = 0; i < 60; i++) one.minute(usual)
    const last = one.told.at(-1)
    assert.equal(last?.status, 'resolved')
    assert.equal(last?.event_id, event?.event_id)
    assert.ok(Number(last?.detections) >= 10)
    assert.deepEqual(one.state.open, {})
    assert.equal(firings(one).length, 1)
  })
  test('a drop to nothing is an event too, told by the clock as there are no more rows', () => {
    const one = opened()
    const quietFromMs = one.nowMs()
    for (let i = 1; i <= 40; i++) one.tick(quietFromMs + i * minuteMs)
    const [event] = firings(one)
    assert.equal(event?.direction, 'down')
    assert.equal(event?.observed === undefined ? null : Number(event.observed) < Number(event.expected), true)
    assert.match(String(event?.recommendation), /checkout, payment/)
  })
  test('the clock says nothing about old data', () => {
    const one = opened()
    one.tick(one.nowMs() + 30 * 86_400_000)
    assert.deepEqual(one.told, [])
  })
  test('one seller alone is an event of that seller, not of the shop, and the others are left in peace', () => {
    const one = opened(120)
    for (let i = 0; i < 20; i++) one.minute({ ...usual, Ben: 60 })
    assert.deepEqual(
      firings(one).map(({ of_type, of_name, direction }) => [of_type, of_name, direction]),
      [['seller', 'Ben', 'up']],
    )
    assert.match(String(firings(one)[0]?.recommendation), /Ben/)
  })
  test('average ticket: a price error is an event of its own', () => {
    const one = opened(120)
    for (let i = 0; i < 30; i++) one.minute(usual, 100_00 + (i % 2))
    for (let i = 0; i < 20; i++) one.minute(usual, 10_00)
    assert.deepEqual(
      firings(one).map(({ kind, direction }) => [kind, direction]),
      [['average-ticket', 'down']],
    )
    assert.match(String(firings(one)[0]?.recommendation), /price error/)
  })
})

describe('W6: gates', () => {
  test('a tiny shop raises nothing, however much it grows', () => {
    const one = shop()
    for (let i = 0; i < 120; i++) one.minute(i % 30 === 0 ? { Ana: 1 } : {})
    for (let i = 0; i < 4; i++) one.minute({ Ana: 1 })
    assert.deepEqual(one.told, [])
  })
  test('a single seller is no market', () => {
    const one = shop()
    for (let i = 0; i < 60; i++) one.minute({ Ana: 10 })
    for (let i = 0; i < 20; i++) one.minute({ Ana: 60 })
    assert.deepEqual(
      one.told.filter(({ direction }) => direction === 'up'),
      [],
    )
  })
})

test('the state survives JSON in the middle of an incident, and the rest is told the same', () => {
  const whole = opened()
  for (let i = 0; i < 10; i++) whole.minute(times(usual, 3))
  const again = shop(JSON.parse(JSON.stringify(whole.state)))
  const rest = (one: Shop, fromMs: number): readonly Told[] => {
    const before = one.told.length
    assert.ok(fromMs > 0)
    for (let i = 0; i < 60; i++) one.minute(usual)
    return one.told.slice(before)
  }
  // The copy starts its clock anew: bring it to the same minute.
  const skip = shop()
  while (skip.nowMs() < whole.nowMs()) skip.minute({})
  while (again.nowMs() < whole.nowMs()) again.minute({})
  assert.deepEqual(rest(again, again.nowMs()), rest(whole, whole.nowMs()))
})

describe('W4: cooldown', () => {
  const at = (atMs: number, key = 'a', activity: 'high' | 'usual' | 'low' = 'usual') => ({ key, atMs, activity })
  test('starts at 1.5 s, slower when busy, faster when quiet, within 0.8 and 4 s', () => {
    const cooldown = newCooldown()
    assert.equal(cooldown.spacingMs, 1_500)
    passes(cooldown, at(0, 'a', 'high'))
    assert.equal(cooldown.spacingMs, 1_800)
    for (let i = 1; i < 20; i++) passes(cooldown, at(i, 'a', 'high'))
    assert.equal(cooldown.spacingMs, cooldownRules.spacingMsMax)
    for (let i = 20; i < 60; i++) passes(cooldown, at(i, 'a', 'low'))
    assert.equal(cooldown.spacingMs, cooldownRules.spacingMsMin)
  })
  test('the same again backs off 30, 60, 120 s, then is back at the least after quiet; what it blocks is counted', () => {
    const cooldown = newCooldown()
    const passed: number[] = []
    for (let second = 0; second <= 600; second++) if (passes(cooldown, at(second * 1_000))) passed.push(second)
    assert.deepEqual(passed, [0, 30, 90, 210, 330, 450, 570])
    assert.equal(cooldown.blocked, 601 - passed.length)
    assert.equal(passes(cooldown, at(570_000 + cooldownRules.quietMs)), true)
    assert.equal(cooldown.spacingMs, cooldownRules.spacingMsMin)
    assert.equal(passes(cooldown, at(570_000 + cooldownRules.quietMs + 29_999)), false)
    assert.equal(passes(cooldown, at(570_000 + cooldownRules.quietMs + 30_000)), true)
  })
  test('another key passes during it: it says something new', () => {
    const cooldown = newCooldown()
    assert.equal(passes(cooldown, at(0, 'a')), true)
    assert.equal(passes(cooldown, at(2_000, 'b')), true)
    assert.equal(passes(cooldown, at(4_000, 'a')), false)
  })
})

describe('W5: insight', () => {
  test('concentration by Herfindahl: shares 50, 30, 20 give 3,800', () => {
    const sums = new Map([
      ['b', { sales: 3, revenueMinor: 3_000 }],
      ['a', { sales: 5, revenueMinor: 5_000 }],
      ['c', { sales: 2, revenueMinor: 2_000 }],
    ])
    const { dominant, hhi, effective, active } = concentration(sums)
    assert.deepEqual(dominant, { name: 'a', share: 0.5 })
    assert.ok(Math.abs(hhi - 3_800) < 1e-9 && Math.abs(effective - 10_000 / 3_800) < 1e-9)
    assert.equal(active, 3)
    assert.deepEqual(concentration(new Map()), { dominant: null, hhi: 0, effective: 0, active: 0 })
  })
  test('every kind and direction has a sentence and something to do', () => {
    const none = concentration(new Map())
    for (const kind of ['volume', 'average-ticket', 'active-sellers'] as const)
      for (const direction of ['up', 'down'] as const)
        for (const about of [null, { type: 'seller', name: 'Ana' }, { type: 'category', name: 'Books' }] as const) {
          const told = {
            kind,
            direction,
            of: about,
            growth: 0.473,
            growthPrevious: null,
            sellers: none,
            categories: none,
            sellersKnown: 16,
          }
          assert.match(sentence(told), /\+47\.3% vs usual \| Active sellers: 0\/16$/)
          assert.ok(recommendation(told).length > 20)
        }
  })
})
