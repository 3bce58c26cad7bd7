// D2 to D4 by cases: bands, the documents' wording, statistics every half minute, asked mix against seen mix.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReactionValue } from '../../query/reaction.ts'
import { DelayRulesError, parseDelayRules, versionOfDelayRules } from './delay-rules.ts'
import { bandOf, type DelaysState, delayMonitor, delaysPlanName, delayTopics } from './delays.ts'

const hourMs = 3_600_000
const soldMs = Date.UTC(2026, 0, 5, 12)
interface Monitor {
  readonly state: DelaysState
  readonly told: { readonly topic: string; readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  sale(hours: number, more?: Readonly<Record<string, ReactionValue>>): void
  tick(atMs: number): void
}
function monitor(): Monitor {
  const reaction = delayMonitor()
  const state = reaction.initial()
  const told: Monitor['told'] = []
  const emit = (topic: string, key: string, value: Readonly<Record<string, unknown>> | null): void => {
    assert.ok(value)
    told.push({ topic, key, value })
  }
  const id = { transaction_id: 'TXN-ETS-D4BE621B', marketplace: 'Etsy' }
  return {
    state,
    told,
    sale(hours, more = {}) {
      const times = { transaction_time: soldMs, arrived_at: soldMs + hours * hourMs }
      const values = { ...id, ...times, demo_pattern: null, batch_id: null, record_number: null, ...more }
      reaction.step(
        state,
        { kind: 'row', plan: delaysPlanName, values, timing: 'on-time', final: true, weight: 1, evidence: [] },
        emit,
      )
    },
    tick: (atMs) => reaction.step(state, { kind: 'tick', atMs }, emit),
  }
}
const linesOf = (one: Monitor): readonly unknown[] => one.told.flatMap(({ value }) => value.lines as unknown[])

test('D2: the bands are half-open, and a clock that is ahead is no delay', () => {
  const cases: readonly [number, string][] = [
    [-2, 'immediate'],
    [0, 'immediate'],
    [0.999, 'immediate'],
    [1, 'short'],
    [5.99, 'short'],
    [6, 'medium'],
    [23.9, 'medium'],
    [24, 'long'],
    [47.9, 'long'],
    [48, 'critical'],
    [900, 'critical'],
  ]
  for (const [hours, band] of cases) assert.equal(bandOf(hours), band, String(hours))
})

test('D3: the log lines are worded as the documents word them', () => {
  const one = monitor()
  one.sale(0.5)
  assert.deepEqual(one.told, [])
  one.sale(76.64)
  one.sale(57.28, { transaction_id: 'TXN-AMA-23251CB4', marketplace: 'Amazon' })
  one.sale(12.45, { demo_pattern: 'medium_delay' })
  one.sale(14, { batch_id: 'LATE_BATCH_1767614400', record_number: 1 })
  assert.deepEqual(linesOf(one), [
    'DELAYED SALE DETECTED: TXN-ETS-D4BE621B | Delay: 76.64h | Severity: critical | Marketplace: Etsy',
    'HIGH DELAY DETECTED: TXN-ETS-D4BE621B | Delay: 76.64h | Category: critical',
    'DELAYED SALE DETECTED: TXN-AMA-23251CB4 | Delay: 57.28h | Severity: critical | Marketplace: Amazon',
    'HIGH DELAY DETECTED: TXN-AMA-23251CB4 | Delay: 57.28h | Category: critical',
    'DELAYED SALE DETECTED: TXN-ETS-D4BE621B | Delay: 12.45h | Severity: medium | Marketplace: Etsy',
    'HIGH DELAY DETECTED: TXN-ETS-D4BE621B | Delay: 12.45h | Category: medium',
    'DEMO PATTERN: medium_delay | Delay: 12.45h',
    'DELAYED SALE DETECTED: TXN-ETS-D4BE621B | Delay: 14.00h | Severity: medium | Marketplace: Etsy',
    'LATE BATCH: TXN-ETS-D4BE621B | Batch: LATE_BATCH_1767614400 | Record: 1 | Severity: high',
    'HIGH DELAY DETECTED: TXN-ETS-D4BE621B | Delay: 14.00h | Category: medium',
  ])
  assert.deepEqual(new Set(one.told.map(({ topic }) => topic)), new Set([delayTopics.events]))
})

test('D4: the documents own figures, every half minute if something came', () => {
  const one = monitor()
  const counts = { 0.5: 15, 3: 8, 12: 12, 30: 7, 60: 3 }
  for (const [hours, times] of Object.entries(counts)) for (let i = 0; i < times; i++) one.sale(Number(hours))
  const before = one.told.length
  one.tick(soldMs + 1_000)
  one.tick(soldMs + 15_000)
  one.tick(soldMs + 31_000)
  const [told, ...more] = one.told.slice(before)
  assert.deepEqual(more, [], 'nothing came since')
  assert.equal(told?.topic, delayTopics.statistics)
  // 8 + 12 + 7 + 3 of 45: the documents print 67.8 for it.
  assert.deepEqual(told?.value.lines, [
    'Marketplace Sales Stats: 45 total | 66.7% delayed | Demo: 0 | Batches: 0',
    'Delay Breakdown: Immediate: 15 | Short: 8 | Medium: 12 | Long: 7 | Critical: 3',
  ])
  one.sale(0.2, { marketplace: 'Amazon' })
  one.tick(soldMs + 59_000)
  assert.equal(one.told.length, before + 1)
  one.tick(soldMs + 61_000)
  assert.equal(one.told.length, before + 2)
  assert.deepEqual(one.told.at(-1)?.value.average_hours_by_marketplace, [
    { marketplace: 'Amazon', sales: 1, hours: 0.2 },
    { marketplace: 'Etsy', sales: 45, hours: 12.57 },
  ])
})

test('D4: the asked mix beside the seen one', () => {
  const one = monitor()
  const asked: readonly [string, number][] = [
    ['immediate', 0.2],
    ['immediate', 0.4],
    ['immediate', 1.5],
    ['short_delay', 2],
    ['medium_delay', 8],
  ]
  for (const [demo_pattern, hours] of asked) one.sale(hours, { demo_pattern })
  one.tick(soldMs)
  assert.deepEqual(one.told.at(-1)?.value.demo_effectiveness, [
    { pattern: 'immediate', asked_percent: 60, seen_percent: 40, difference_points: -20 },
    { pattern: 'short_delay', asked_percent: 20, seen_percent: 40, difference_points: 20 },
    { pattern: 'medium_delay', asked_percent: 20, seen_percent: 20, difference_points: 0 },
    { pattern: 'long_delay', asked_percent: 0, seen_percent: 0, difference_points: 0 },
  ])
})

test('Q5: the rules for delays come from a file; what contradicts itself is refused with its cure', () => {
  const rules = parseDelayRules('{"bands":[{"name":"fine","fromHours":0},{"name":"late","fromHours":2}],"highHours":1}')
  assert.equal(bandOf(1.99, rules), 'fine')
  assert.equal(bandOf(2, rules), 'late')
  assert.equal(rules.delayedFrom, 'late')
  assert.notEqual(versionOfDelayRules(rules), versionOfDelayRules(parseDelayRules('{}')))
  assert.equal(versionOfDelayRules(parseDelayRules('{}')), 1)
  const bad: readonly [string, RegExp][] = [
    ['nothing', /no JSON/],
    ['[]', /no JSON object/],
    ['{"high": 3}', /no rule 'high'/],
    ['{"bands": []}', /1 to 20/],
    ['{"bands": [{"name":"a","fromHours":1}]}', /begin at 0/],
    ['{"bands": [{"name":"a","fromHours":0},{"name":"b","fromHours":0}]}', /not after/],
    ['{"bands": [{"name":"a","fromHours":0},{"name":"a","fromHours":1}]}', /two bands/],
    ['{"delayedFrom": "never"}', /no band/],
    ['{"highHours": -1}', /highHours/],
    ['{"statisticsMs": 10}', /statisticsMs/],
  ]
  for (const [json, says] of bad)
    assert.throws(
      () => parseDelayRules(json),
      (error) => error instanceof DelayRulesError && says.test(error.message),
      json,
    )
})
