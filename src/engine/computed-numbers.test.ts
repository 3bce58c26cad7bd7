// What expressions are worth, case by case: unknown operands, divisors of 0, signs, overflow, civil times.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan, TimePart } from '../query/plan.ts'
import { timeParts } from '../query/plan.ts'
import { constant, from, greatest, least, when } from '../query/query.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { openJob } from './engine.ts'

const numbers = contract({
  topic: 'numbers',
  version: 1,
  partitions: 1,
  key: 'at',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test numbers',
  fields: {
    a: nullable({ kind: 'int64' }, 'whole'),
    b: nullable({ kind: 'int64' }, 'whole'),
    price: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
    x: nullable({ kind: 'float64' }, 'float'),
    yes: nullable({ kind: 'bool' }, 'truth'),
    day: nullable({ kind: 'date' }, 'date'),
    at: field({ kind: 'timestamp' }, 'when', { default: '2026-01-01T00:00:00Z' }),
  },
})
const rows = from(numbers)

function results(plan: Plan, records: readonly object[]): { values: unknown[]; refused: string[] } {
  const job = openJob([plan], { bounded: true })
  job.push(
    batchOf(
      'numbers',
      0,
      0,
      records.map((record) => JSON.stringify(record)),
    ),
  )
  const output = job.take()
  const refused = output.deadLetters.map(({ reason, field }) => `${reason} ${field}`)
  return { values: plainRows(output).map(({ values }) => values.v), refused }
}

test('ratio: half away from zero at every sign, null for an unknown or a divisor of 0, beyond 2^53 a dead letter', () => {
  const plan = rows.derive((n) => ({ v: n.a.dividedBy(n.b, { scale: 1 }) })).named('p')
  const cases: [number | null, number | null, number | null][] = [
    [1, 4, 3],
    [-1, 4, -3],
    [1, -4, -3],
    [-1, -4, 3],
    [0, -5, 0],
    [7, 0, null],
    [null, 4, null],
    [4, null, null],
    [9_007_199_254_740_991, 9_007_199_254_740_991, 10],
    [9_007_199_254_740_991, 10, 9_007_199_254_740_991],
  ]
  const { values } = results(
    plan,
    cases.map(([a, b]) => ({ a, b })),
  )
  assert.deepEqual(
    values,
    cases.map(([, , ratio]) => ratio),
  )
  assert.deepEqual(results(plan, [{ a: 9_007_199_254_740_991, b: 9 }]), { values: [], refused: ['overflow v'] })
})

test('modulo keeps the sign of the dividend and has no -0; nothing is left of a division by 0', () => {
  const plan = rows.derive((n) => ({ v: n.a.modulo(n.b) })).named('p')
  const cases = [
    [7, 3, 1],
    [-7, 3, -1],
    [7, -3, 1],
    [-6, 3, 0],
    [5, 0, null],
    [null, 3, null],
  ] as const
  const { values } = results(
    plan,
    cases.map(([a, b]) => ({ a, b })),
  )
  assert.deepEqual(
    values,
    cases.map(([, , left]) => left),
  )
  assert.ok(values.every((value) => !Object.is(value, -0)))
})

test('when takes the first true branch: unknown is not true, and what is not taken is not judged', () => {
  const plan = rows
    .derive((n) => ({
      v: when(n.yes, n.a.times(n.a)).when(n.a.above(n.b), n.b).otherwise(-1),
    }))
    .named('p')
  const huge = 9_007_199_254_740_991
  const { values, refused } = results(plan, [
    { yes: true, a: 3, b: 0 },
    { yes: false, a: 3, b: 2 },
    { yes: null, a: 3, b: 2 },
    { yes: null, a: 3, b: null },
    { yes: false, a: huge, b: 5 },
    { yes: true, a: huge, b: 5 },
    { yes: true, a: null, b: 5 },
  ])
  assert.deepEqual(values, [9, 2, 2, -1, 5, null])
  assert.deepEqual(refused, ['overflow v'])
})

test('orElse takes the other where it is null; least and greatest are null if any is', () => {
  const plan = rows
    .derive((n) => ({ low: least(n.a, n.b), high: greatest(n.a, n.b), sure: n.a.orElse(n.b).orElse(7) }))
    .derive((n) => ({ v: n.low.orElse(-1).times(10_000).plus(n.high.orElse(-1).times(100)).plus(n.sure) }))
    .named('p')
  const { values } = results(plan, [{ a: 1, b: 2 }, { a: 2, b: 1 }, { b: 3 }, { a: 3 }, {}])
  assert.deepEqual(values, [10_201, 10_202, -10_097, -10_097, -10_093])
})

test('floats: no infinity, no -0, null outside a function’s domain, the nearest float to an amount', () => {
  const of = (value: Parameters<typeof rows.derive>[0]): unknown[] =>
    results(rows.derive(value).named('p'), [{ x: 0, price: 0.1 }, { x: -4, price: -0.01 }, { x: 4, price: 19.99 }, {}])
      .values
  assert.deepEqual(
    of((n) => ({ v: n.x.dividedBy(n.price.toFloat()) })),
    [0, 400, 4 / 19.99, null],
  )
  assert.deepEqual(
    of((n) => ({ v: n.price.toFloat().dividedBy(n.x) })),
    [null, 0.0025, 19.99 / 4, null],
  )
  assert.deepEqual(
    of((n) => ({ v: n.x.ln() })),
    [null, null, Math.log(4), null],
  )
  assert.deepEqual(
    of((n) => ({ v: n.x.sqrt() })),
    [0, null, 2, null],
  )
  assert.deepEqual(
    of((n) => ({ v: n.x.exp() })),
    [1, Math.exp(-4), Math.exp(4), null],
  )
  const { values } = results(rows.derive((n) => ({ v: constant({ kind: 'float64' }, 0).dividedBy(n.x) })).named('p'), [
    { x: -4 },
  ])
  assert.ok(Object.is(values[0], 0))
  const exp = rows.derive((n) => ({ v: n.x.exp() })).named('p')
  assert.deepEqual(results(exp, [{ x: 710 }]), { values: [], refused: ['overflow v'] })
})

test('parts of times: in a zone, before the epoch, over a change of clocks; of dates', () => {
  const parts = (at: string, zone: string): { [part: string]: unknown } => {
    const made = (part: TimePart): unknown =>
      results(rows.derive((n) => ({ v: n.at.part(part, { zone }) })).named('p'), [{ at }]).values[0]
    return Object.fromEntries(timeParts.map((part) => [part, made(part)]))
  }
  assert.deepEqual(parts('2024-12-31T23:59:58.999Z', 'UTC'), {
    year: 2024,
    month: 12,
    day: 31,
    'day-of-year': 366,
    'day-of-week': 2,
    hour: 23,
    minute: 59,
    second: 58,
    'hour-of-week': 47,
  })
  assert.deepEqual(parts('1969-12-28T23:00:00Z', 'Asia/Kathmandu'), {
    year: 1969,
    month: 12,
    day: 29,
    'day-of-year': 363,
    'day-of-week': 1,
    hour: 4,
    minute: 30,
    second: 0,
    'hour-of-week': 4,
  })
  // Clocks went forward at 01:00 UTC: 02:30 does not exist in Berlin.
  assert.deepEqual(
    ['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z'].map((at) => parts(at, 'Europe/Berlin').hour),
    [1, 3],
  )
  const day = rows.derive((n) => ({ v: n.day.part('day-of-week') })).named('p')
  assert.deepEqual(results(day, [{ day: '2026-11-21' }, { day: '2026-11-22' }, {}]).values, [6, 7, null])
})

test('times: milliseconds between two, and a time so many later', () => {
  const plan = rows.derive((n) => ({ v: n.at.plusMs(n.a).since(n.at).plus(n.at.plusMs(5).since(n.at)) })).named('p')
  assert.deepEqual(results(plan, [{ a: 1500 }, { a: -1 }, {}]).values, [1505, 4, null])
})
