// The Flink SQL of every pipeline, as a golden to read: it is run on a real cluster elsewhere. After a wanted change:
// UPDATE_GOLDENS=1 npm test -- src/flink
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pipelines } from '../commerce/commerce.ts'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan, Window } from '../query/plan.ts'
import { calendar, count, from, hopping, least, max, min, staticTable, sum, tumbling, when } from '../query/query.ts'
import { type FlinkSql, flinkSql } from './flink.ts'
import { interval } from './sql-text.ts'
import { lookupRowsMax } from './step-sql.ts'

const printed = ({ options, ddl, insert }: FlinkSql): string =>
  [
    ...Object.entries(options).map(([name, value]) => `SET '${name}' = '${value}';`),
    ...[...ddl, insert].map((statement) => `\n${statement};`),
  ].join('\n')

for (const { name, plan } of pipelines.values())
  test(`${name} in Flink SQL`, () => {
    const golden = new URL(`goldens/${name}.sql`, import.meta.url)
    const seen = `${printed(flinkSql(plan))}\n`
    if (process.env.UPDATE_GOLDENS) writeFileSync(golden, seen)
    assert.equal(seen, readFileSync(golden, 'utf8'))
  })

const small = contract({
  topic: 'small',
  version: 1,
  partitions: 1,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 1500,
  idleTimeoutMs: 2000,
  futureLimitMs: 60_000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group', { aliases: ['whom'] }),
    size: nullable({ kind: 'int64' }, 'number'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { rules: [{ rule: 'above', bound: 0.5 }] }),
    open: nullable({ kind: 'bool' }, 'truth'),
    day: nullable({ kind: 'date' }, 'date'),
    weight: nullable({ kind: 'float64' }, 'number'),
    _at: nullable({ kind: 'string' }, "it's taken"),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

test('every kind of step, window and value in Flink SQL', () => {
  const golden = new URL('goldens/every-kind.sql', import.meta.url)
  const bonus = staticTable({
    name: 'bonus',
    columns: { team: { kind: 'string' }, bonus: { kind: 'money', scale: 2, currency: 'USD' } },
    rows: { ann: { team: "it's one", bonus: 150 }, bob: { team: 'two', bonus: -5 } },
  })
  const rows = from(small)
    .filter((e) => e.who.startsWith("o'").not().and(e.open.or(e.size.isNull())))
    .derive((e) => ({ total: e.price.times(e.size), heavy: e.weight.times(2), when: e.at }))
    .lookup(bonus, { by: 'who', unknown: 'null' })
  const week = rows
    .window(calendar('week'))
    .groupBy('who', 'day', '_at')
    .aggregate((e) => ({
      n: count(e.open, { where: e.size.oneOf(1, 2) }),
      least: min(e.price.minus(e.bonus)),
      most: max(e.heavy),
      newest: max(e.when),
      oldest: min(e.day),
      total: sum(e.total),
    }))
    .lateness(500)
    .output({ times: 'epoch-milliseconds', finalColumn: 'is_final', topic: 'weeks' })
    .named('every-kind')
  const append = rows
    .filter((e) => e.total.above('3.50'))
    .output({ times: 'epoch-seconds' })
    .named('append')
  const hops = rows
    .window(hopping({ sizeMs: 1500, slideMs: 250 }))
    .aggregate(() => ({ n: count() }))
    .output({ times: 'iso-milliseconds' })
    .named('hops')
  const computed = from(small)
    .derive((e) => ({
      each: e.price.dividedBy(e.size, { scale: 4 }),
      left_over: e.size.modulo(3).absolute(),
      kind: when(e.size.above(2), 1).when(e.open, e.size.times(2)).otherwise(e.size.orElse(0)),
      low: least(e.size, e.size.plus(1)),
      heavy: e.weight.dividedBy(e.price.toFloat()).ln(),
      root: e.weight.sqrt().exp(),
      hour: e.at.part('hour-of-week'),
      day_of: e.day.part('day-of-year'),
      later: e.at.plusMs(500).since(e.at),
    }))
    .named('computed')
  const seen = [week, append, hops, computed]
    .map((plan) => `${printed(flinkSql(plan, { brokers: 'kafka:9092' }))}\n`)
    .join('\n')
  if (process.env.UPDATE_GOLDENS) writeFileSync(golden, seen)
  assert.equal(seen, readFileSync(golden, 'utf8'))
})

test('intervals, in the largest unit, with their digits announced', () => {
  assert.deepEqual(
    [1000, 15_000, 900_000, 3_600_000, 5_400_000, 86_400_000, 864_000_000_0, 250, 1500, 123_456_789, 0].map(interval),
    [
      "INTERVAL '1' SECOND",
      "INTERVAL '15' SECOND",
      "INTERVAL '15' MINUTE",
      "INTERVAL '1' HOUR",
      "INTERVAL '90' MINUTE",
      "INTERVAL '1' DAY",
      "INTERVAL '100' DAY(3)",
      "INTERVAL '0.250' SECOND(2, 3)",
      "INTERVAL '1.500' SECOND(2, 3)",
      "INTERVAL '123456.789' SECOND(6, 3)",
      "INTERVAL '0' DAY",
    ],
  )
})

test('what has no Flink SQL is refused by name', () => {
  const refused = (plan: Plan, expected: RegExp): void => assert.throws(() => flinkSql(plan), expected)
  const counted = (window: Window): Plan =>
    from(small)
      .window(window)
      .aggregate(() => ({ n: count() }))
      .named('refused')
  refused(
    from(small)
      .derive((e) => ({ hour: e.at.part('hour', { zone: 'Europe/Berlin' }) }))
      .named('refused'),
    /parts of times in zone 'Europe\/Berlin' have no Flink SQL yet\. Use UTC/,
  )
  const plan = counted(tumbling({ sizeMs: 1000 }))
  const [source, window] = [plan.nodes[0]!, plan.nodes[1]!]
  const then = (node: object, ...more: object[]): Plan => ({
    ...plan,
    nodes: [source, node, ...more] as unknown as Plan['nodes'],
  })
  refused(then({ ...window, kind: 'pattern', steps: [] }), /operator 'pattern' has no Flink SQL/)
  refused(then({ ...window, inputs: [source.id, source.id] }), /'window-aggregate' has 2 inputs\. Give it 1/)
  refused(then({ ...window, inputs: ['nowhere'] }), /its input nowhere does not come before it/)
  refused({ ...plan, version: 2 as 1 }, /version 2 is not known here/)
  const bound = { op: 'column', name: 'window_start', type: { kind: 'timestamp' } }
  const filter = { ...window, id: 'next', kind: 'filter', inputs: [window.id], condition: { op: 'is-null', of: bound } }
  refused(then(window, filter), /a computation with the bounds of a window has no Flink SQL/)
  const first = { function: 'first', of: { ...bound, name: 'n', type: { kind: 'int64' } }, where: null }
  const total = { ...window, id: 'next', kind: 'running-aggregate', inputs: [window.id], aggregates: [] }
  const again = { ...total, id: 'again', inputs: ['next'], aggregates: [{ name: 'f', aggregate: first }] }
  refused(then(window, total, again), /what is first or last of rows without event time has no Flink SQL/)
  refused(then(window, total, { ...window, inputs: ['next'] }), /needs event time, and the rows of 'running-aggregate'/)
  const rows = (length: number) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, { word: 'w' }]))
  const looked = (length: number): Plan =>
    from(small)
      .lookup(staticTable({ name: 'long', columns: { word: { kind: 'string' } }, rows: rows(length) }), {
        by: 'who',
        unknown: 'drop',
      })
      .named('long')
  flinkSql(looked(lookupRowsMax))
  refused(looked(lookupRowsMax + 1), /table 'long' has 1001 rows, Flink SQL takes at most 1000/)
})
