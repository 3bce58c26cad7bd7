// Faults are what their labels say: each broken record is refused for the reason on its label, each double is one, and
// everything else passes; the same seed gives the same bytes.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { contracts } from '../commerce/commerce.ts'
import { openRecordCheck, type SourceBatch } from '../engine/engine.ts'
import { type Fault, type FaultSettings, faults, withFaults } from './faults.ts'
import { generators, type Traffic } from './generate.ts'

const startMs = Date.UTC(2026, 0, 5, 12)
const decoder = new TextDecoder()

interface Handed {
  readonly topic: string
  readonly key: string
  readonly value: Uint8Array
  readonly timeMs: number
}
interface Truth {
  readonly truth_id: string
  readonly scenario: Fault
  readonly entity_ids: readonly string[]
  readonly event_ids: readonly string[]
  readonly field: string | null
  readonly expected_outcome: string
}
/** Every fault often enough to be seen in a few thousand records. */
const often: FaultSettings = { shares: Object.fromEntries(faults.map((fault) => [fault, 0.02])) }
const cleanOf = (topic: string): Traffic => {
  const make = generators.get(topic)
  assert.ok(make)
  return make('faults', { ratePerSecond: 100, startMs, steady: true })
}
function all(traffic: Traffic, portions: readonly number[] = [Number.POSITIVE_INFINITY]): Handed[] {
  const handed: Handed[] = []
  const sink = {
    record: (topic: string, key: Uint8Array, value: Uint8Array, timeMs: number): void => {
      handed.push({ topic, key: decoder.decode(key), value: value.slice(), timeMs })
    },
  }
  for (let turn = 0; ; turn++) {
    const limit = portions[turn % portions.length]!
    if (traffic.produceUntil(startMs + 30_000, sink, limit) < limit) return handed
  }
}
const truthsOf = (handed: readonly Handed[]): Truth[] =>
  handed.filter(({ topic }) => topic === 'ground-truth').map(({ value }) => JSON.parse(decoder.decode(value)))

for (const topic of generators.keys()) {
  test(`${topic}: what is broken is refused for the reason on its label, and nothing else is`, () => {
    const contract = contracts.get(topic)
    assert.ok(contract)
    const handed = all(withFaults('faults', cleanOf(topic), often))
    const truths = truthsOf(handed)
    const records = handed.filter((one) => one.topic === topic)
    const bytes = Buffer.concat(records.map(({ value }) => value))
    let at = 0
    const ends = records.map(({ value }) => (at += value.length))
    const batch: SourceBatch = {
      topic,
      partition: 0,
      bytes,
      count: records.length,
      starts: Int32Array.from([0, ...ends.slice(0, -1)]),
      ends: Int32Array.from(ends),
      offsets: Float64Array.from(records, (_, i) => i),
      arrivals: Float64Array.from(records, ({ timeMs }) => timeMs),
    }
    const reasons = new Map<string, number>()
    const count = (reason: string): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    openRecordCheck(contract, contract.key).check(
      batch,
      () => count('stands'),
      ({ reason }) => count(reason),
    )
    const expected = new Map<string, number>()
    for (const { expected_outcome } of truths) {
      const [outcome, reason] = expected_outcome.split(':')
      if (outcome === 'dead-letter') expected.set(reason!, (expected.get(reason!) ?? 0) + 1)
    }
    expected.set('stands', records.length - [...expected.values()].reduce((sum, n) => sum + n, 0))
    assert.deepEqual(Object.fromEntries([...reasons].sort()), Object.fromEntries([...expected].sort()))
    for (const fault of ['duplicate', 'malformed', 'missing', 'wrong-type', 'future', 'zone'])
      assert.ok(
        truths.some(({ scenario }) => scenario === fault),
        `no ${fault} in ${topic}`,
      )
  })

  test(`${topic}: taking out the labelled doubles leaves each record once, and the traffic is otherwise as it was`, () => {
    const { identity } = contracts.get(topic)!
    const doubled: FaultSettings = {
      shares: { ...Object.fromEntries(faults.map((fault) => [fault, 0])), duplicate: 0.1 },
    }
    const clean = all(cleanOf(topic))
    const handed = all(withFaults('faults', cleanOf(topic), doubled))
    const truths = truthsOf(handed)
    const records = handed.filter((one) => one.topic === topic)
    assert.equal(records.length - truths.length, clean.length)
    const seen = new Set<string>()
    let again = 0
    for (const { value } of records) {
      const text = decoder.decode(value)
      if (seen.has(text)) again++
      seen.add(text)
    }
    assert.equal(again, truths.length)
    assert.deepEqual([...seen].sort(), clean.map(({ value }) => decoder.decode(value)).sort())
    for (const { event_ids } of truths) assert.equal(event_ids.length, identity === undefined ? 0 : 1)
  })
}

test('the same seed gives the same bytes, however the traffic is called for; another seed others', () => {
  const digest = (seed: string, portions?: readonly number[]): string => {
    const hash = createHash('sha256')
    for (const { topic, key, value, timeMs } of all(withFaults(seed, cleanOf('sales'), often), portions))
      hash.update(`${topic} ${key} ${timeMs} `).update(value)
    return hash.digest('hex')
  }
  assert.equal(digest('a', [1, 7, 300]), digest('a'))
  assert.notEqual(digest('b'), digest('a'))
})

test('labels can be left out, and come in order of time with what they are about', () => {
  const handed = all(withFaults('faults', cleanOf('orders'), { ...often, labels: false }))
  assert.equal(truthsOf(handed).length, 0)
  assert.deepEqual(
    handed.map(({ value }) => decoder.decode(value)),
    all(withFaults('faults', cleanOf('orders'), often))
      .filter(({ topic }) => topic === 'orders')
      .map(({ value }) => decoder.decode(value)),
  )
  for (let i = 1; i < handed.length; i++) assert.ok(handed[i]!.timeMs >= handed[i - 1]!.timeMs)
})

test('shares beyond one are refused', () => {
  assert.throws(() => withFaults('x', cleanOf('sales'), { shares: { malformed: 2 } }), /shares of faults/)
})
