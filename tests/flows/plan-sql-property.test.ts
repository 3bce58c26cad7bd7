// Seeded property: random Plans over random records, many of them broken. The engine and the Plan's DuckDB SQL must give
// the same final table, row for row. Replay one seed: MILLRACE_SEED=n MILLRACE_SEEDS=1 node --test tests/flows/plan-sql-property.test.ts
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { batchOf } from '../../src/engine/batches.suite.ts'
import { openJob } from '../../src/engine/engine.ts'
import { contract, field, nullable } from '../../src/query/contract.ts'
import { type Plan, timeParts } from '../../src/query/plan.ts'
import {
  argmax,
  average,
  calendar,
  constant,
  count,
  countDistinct,
  cumulative,
  explain,
  first,
  from,
  greatest,
  hopping,
  last,
  least,
  max,
  min,
  quantile,
  ratio,
  session,
  staticTable,
  sum,
  tumbling,
  variance,
  when,
} from '../../src/query/query.ts'
import type { NumericType, Value } from '../../src/query/values.ts'
import { type RandomStream, randomStream } from '../../src/std/random.ts'
import { duckdbSql } from '../../src/stores/stores.ts'
import { duckRow, engineRow, type PlainRow, rowText, sameRows } from './duckdb-values.ts'

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

const folder = mkdtempSync(join(tmpdir(), 'plan-sql-'))
after(() => rmSync(folder, { recursive: true }))

const events = contract({
  topic: 'events',
  version: 1,
  partitions: 2,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 1000,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group'),
    what: nullable({ kind: 'string' }, 'group, maybe', { aliases: ['thing', 'sort'] }),
    size: nullable({ kind: 'int64' }, 'number, maybe'),
    pieces: field({ kind: 'int64' }, 'number, stood in for', { default: 2, rules: [{ rule: 'at-least', bound: -3 }] }),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { rules: [{ rule: 'above', bound: -3.25 }] }),
    rate: nullable({ kind: 'decimal', scale: 3 }, 'thousandths, maybe'),
    weight: nullable({ kind: 'float64' }, 'any number, maybe'),
    open: nullable({ kind: 'bool' }, 'truth, maybe'),
    day: nullable({ kind: 'date' }, 'date, maybe'),
    seen: nullable({ kind: 'timestamp' }, 'time, maybe'),
    code: nullable({ kind: 'uuid' }, 'identity, maybe'),
    colour: field({ kind: 'string' }, 'one of few', {
      default: 'red',
      rules: [{ rule: 'one-of', values: ['red', 'gr"een', "bl'ue"] }],
    }),
    note: nullable({ kind: 'string' }, 'read by no plan'),
    inside: nullable({ kind: 'struct', fields: {} }, 'read by no plan'),
    many: nullable({ kind: 'array', of: { kind: 'int64' } }, 'read by no plan'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

const teams = staticTable({
  name: 'teams',
  columns: { team: { kind: 'string' }, bonus: { kind: 'money', scale: 2, currency: 'USD' }, old: { kind: 'bool' } },
  rows: {
    ann: { team: "it's one", bonus: 150, old: true },
    bob: { team: 'zwei', bonus: -25, old: false },
    çed: { team: 'zwei', bonus: 0, old: true },
  },
})

const oneOf = <T>(random: RandomStream, values: readonly T[]): T => values[random.below(values.length)]!
const DAY_MS = 86_400_000

function planOf(random: RandomStream, name: string): Plan {
  const limit = random.below(20) - 5
  const all = from(events)
  const filtered = oneOf(random, [
    () => all,
    () => all.filter((e) => e.size.isNull().or(e.size.atLeast(limit))),
    () => all.filter((e) => e.who.startsWith('a').or(e.what.equals('x')).not()),
    () => all.filter((e) => e.price.above('1.25').and(e.open.not())),
    () => all.filter((e) => e.colour.oneOf('red', "bl'ue").and(e.rate.differs(0.5))),
    () => all.filter((e) => e.what.below('é').or(e.what.atLeast('😀')).or(e.open)),
    () => all.filter((e) => e.size.times(e.pieces).above(e.pieces)),
  ])()
  const horizonMs = oneOf(random, [1, 2000, 100_000, 2 * DAY_MS])
  const once = oneOf(random, [
    () => filtered,
    () => filtered,
    () => filtered,
    () => filtered.deduplicate({ identity: ['who', 'open'], horizonMs }),
    () => filtered.deduplicate({ identity: ['what', 'size', 'rate'], horizonMs }),
    () => filtered.deduplicate({ identity: ['day'], horizonMs }),
  ])()
  const derived = once.derive((e) => ({
    total: e.price.times(e.pieces),
    half: e.rate.minus(e.rate.times(3)),
    grown: e.size.plus(e.pieces),
    heavy: e.weight.times(2),
    copy: e.what,
    cheap: e.price.below(3),
  }))
  const zone = oneOf(random, ['UTC', 'America/Sao_Paulo', 'Asia/Kathmandu'])
  const part = oneOf(random, timeParts)
  const computed = derived.derive((e) => ({
    each: e.price.dividedBy(e.pieces, { scale: 4 }),
    rated: e.grown.dividedBy(e.rate, { scale: 0 }),
    left_over: e.size.modulo(e.pieces),
    kind: when(e.size.above(2), 1).when(e.open, e.pieces).otherwise(e.size.times(e.pieces)),
    sure: e.size.orElse(e.pieces).plus(1),
    some: e.half.orElse('0.125').absolute(),
    low: least(e.size, e.grown),
    high: greatest(e.day, constant({ kind: 'date' }, 0).orElse(0), e.day),
    part: e.at.part(part, { zone }),
    seen_on: e.seen.part('day-of-week', { zone }),
    day_of: e.day.part('day-of-year'),
    waited: e.at.since(e.seen).absolute(),
    due: e.at.plusMs(e.pieces),
    even: when(e.size.modulo(2).equals(0), e.open).orNull(),
    priced: e.price.toFloat().dividedBy(e.size.toFloat()),
    root: e.weight.sqrt().ln(),
    huge: e.rate.toFloat().times(700).exp(),
    label: when(e.price.above(5), "d'ear").when(e.open, e.what).otherwise(e.who),
    thing: e.what.orElse(e.who),
    opener: e.what.orElse('ﾮ').above(e.who),
  }))
  const again = random.below(3) === 0 ? computed.derive((e) => ({ price: e.total.plus(e.price) })) : computed
  const looked = again.lookup(teams, { by: 'who', unknown: oneOf(random, ['dead-letter', 'drop', 'null'] as const) })
  const rows = random.below(3) === 0 ? looked.filter((e) => e.total.atMost(e.bonus.times(9)).or(e.old)) : looked
  if (random.below(3) === 0) {
    // Running groups, ranges at each row, decayed sums.
    const by = oneOf<readonly ('who' | 'label' | 'open' | 'size')[]>(random, [[], ['who'], ['label'], ['open', 'size']])
    const rangeMs = oneOf(random, [1, 300, 60_000, 2 * DAY_MS])
    return oneOf(random, [
      () =>
        rows
          .over({ by, rangeMs }, (e) => ({
            n: count(),
            spent: sum(e.price),
            words: countDistinct(e.thing),
            most: max(e.rate),
            least: min(e.thing),
            opened: first(e.what),
            closed: last(e.thing),
            dearest: argmax(e.label, e.price),
            share: ratio(sum(e.size), count(e.size), { scale: 2 }),
            median: quantile(e.price, 0.5),
            spread: variance(e.rate),
          }))
          .select(
            'who',
            'label',
            'at',
            'n',
            'spent',
            'words',
            'most',
            'least',
            'opened',
            'closed',
            'dearest',
            'share',
            'median',
            'spread',
          ),
      () =>
        rows
          .decayedSum('trend', {
            by,
            of: (e) => oneOf<Value<NumericType>>(random, [e.price, e.rate, e.size, e.weight]),
            halfLifeMs: rangeMs,
          })
          .select('who', 'label', 'at', 'trend'),
      () =>
        rows.groupBy(...by).aggregate((e) => ({
          n: count(),
          spent: sum(e.price),
          words: countDistinct(e.thing),
          closed: last(e.label),
          median: quantile(e.rate, 0.9),
        })),
      () =>
        rows
          .groupBy('label')
          .aggregate((e) => ({ n: count(), spent: sum(e.price) }))
          .top({ rows: 2, by: [{ column: 'n', descending: true }] }),
    ])().named(name)
  }
  if (random.below(8) === 0)
    return (
      random.below(2) === 0
        ? rows.select('who', 'total', 'heavy', 'team', 'bonus', 'open', 'day', 'seen', 'cheap', 'at')
        : rows
            .select(
              'each',
              'rated',
              'left_over',
              'kind',
              'sure',
              'some',
              'low',
              'high',
              'part',
              'seen_on',
              'day_of',
              'at',
            )
            .filter((e) => e.at.above(0))
    ).named(name)
  const window = oneOf(random, [
    () => tumbling({ sizeMs: oneOf(random, [1, 7, 1000, 60_000]) }),
    () => hopping({ sizeMs: 6000, slideMs: 1000 }),
    () => hopping({ sizeMs: 60_000, slideMs: 1500 }),
    () => hopping({ sizeMs: 5, slideMs: 5 }),
    () => cumulative({ sizeMs: 6000, stepMs: 1000 }),
    () => cumulative({ sizeMs: 90, stepMs: oneOf(random, [9, 90]) }),
    () => session({ gapMs: oneOf(random, [1, 5, 300, 20_000, DAY_MS]) }),
    () => calendar(oneOf(random, ['day', 'week', 'month'])),
    () => calendar(oneOf(random, ['day', 'week', 'month']), { zone: 'America/Sao_Paulo' }),
  ])()
  const windowed = rows.window(window)
  const grouped = oneOf(random, [
    () => windowed,
    () => windowed.groupBy('what'),
    () => windowed.groupBy('team', 'size'),
    () => windowed.groupBy('open', 'day'),
    () => windowed.groupBy('rate', 'colour', 'cheap'),
  ])()
  const table = grouped.aggregate((e) => {
    const all = {
      sized: count(e.size),
      opened: count(null, { where: e.open }),
      volume: sum(e.size),
      revenue: sum(e.total),
      doubled: sum(e.price.times(2)),
      dear: sum(e.total, { where: e.price.above(5) }),
      mean: average(e.total, { scale: 1 }),
      finer: average(e.rate, { scale: 5 }),
      whole: average(e.grown, { scale: 0 }),
      share: ratio(sum(e.half), sum(e.size), { scale: 2 }),
      people: countDistinct(e.who),
      things: countDistinct(e.what),
      kinds: countDistinct(e.size, { where: e.price.above(1) }),
      moments: countDistinct(e.seen),
      truths: countDistinct(e.open),
      most: max(e.total),
      least: min(e.rate, { where: e.colour.equals('red') }),
      heaviest: max(e.heavy),
      lightest: min(e.weight),
      newest: max(e.seen),
      oldest: min(e.day),
      opener: first(e.what),
      labels: countDistinct(e.label),
      labelled: last(e.label, { where: e.opener }),
      opened_at: first(e.seen, { where: e.price.above(1) }),
      closer: last(e.who),
      closed: last(e.rate),
      last_open: last(e.open, { where: e.size.isNull().not() }),
      buyer: argmax(e.who, e.size),
      dearest: argmax(e.team, e.weight),
      first_word: min(e.what),
      last_code: max(e.code, { where: e.open }),
      all_open: min(e.open),
      wordy: argmax(e.who, e.what),
      spread: variance(e.price),
      rates: variance(e.rate, { where: e.open }),
      median: quantile(e.price, 0.5),
      upper: quantile(e.rate, 0.9),
      visits: ratio(count(), countDistinct(e.who), { scale: 2 }),
      range: ratio(max(e.price), min(e.rate), { scale: 3 }),
      shares: sum(e.each),
      kept: sum(e.left_over),
      kinds_of: countDistinct(e.kind),
      surely: max(e.sure.absolute()),
      somehow: min(e.some),
      lows: sum(e.low),
      highest: max(e.high),
      hours: countDistinct(e.part),
      weekdays: argmax(e.seen_on, e.at),
      days: sum(e.day_of),
      waits: sum(e.waited),
      last_due: max(e.due),
      evens: count(null, { where: e.even }),
      prices: max(e.priced),
      roots: min(e.root),
      huge: max(e.huge),
      spent: argmax(e.total, e.price, { where: e.colour.equals('red') }),
    }
    const some = Object.entries(all).filter(() => random.below(4) === 0)
    return { n: count(), volume: all.volume, whole: all.whole, closer: all.closer, ...Object.fromEntries(some) }
  })
  const ranked =
    window.kind === 'session' || random.below(4) > 0
      ? table
      : table.top({
          rows: 1 + random.below(3),
          by: oneOf(random, [
            [{ column: 'n', descending: true }],
            [
              { column: 'volume', descending: random.below(2) === 0 },
              { column: 'closer', descending: random.below(2) === 0 },
            ],
            [{ column: 'whole', descending: false }],
          ] as const),
        })
  return ranked.output(random.below(4) === 0 ? { finalColumn: 'is_final' } : {}).named(name)
}

/** A record as text; about a third of them break the contract somewhere. */
function lineOf(random: RandomStream, atMs: number): string {
  const zone = oneOf(random, ['Z', 'z', '', '+00:00', '-0530', '+14'])
  const minutes = { '-0530': -330, '+14': 840 }[zone] ?? 0
  const local = new Date(atMs + minutes * 60_000).toISOString().slice(0, -1)
  const at = oneOf(random, [
    `${new Date(atMs).toISOString()}`,
    `${local}${zone}`,
    `${local.replace('T', ' ')}999${zone}`,
  ])
  const wrong = random.below(3) === 0
  const broken = (values: readonly string[]): string | null =>
    wrong && random.below(6) === 0 ? oneOf(random, values) : null
  const maybe = (value: string): string | null => oneOf(random, [value, value, 'null', null])
  const fields: [string, string | null][] = [
    [
      'who',
      broken(['null', '7', '{}', '"\\ud800"']) ??
        JSON.stringify(oneOf(random, ['ann', 'bob', 'çed', 'dan', 'a"b', '😀'])),
    ],
    [
      oneOf(random, ['what', 'thing', 'sort']),
      broken(['5', 'true', '[]']) ?? maybe(oneOf(random, ['"x"', '"é"', '"\\u0078"', '"😀"', '"\\uffee"', '""'])),
    ],
    [
      'size',
      broken(['"5"', '1.5', '9007199254740992', '1e400', 'false']) ??
        maybe(oneOf(random, ['0', '3', '-2', '4e0', '2.0', '9007199254740991', '-0'])),
    ],
    [
      'pieces',
      broken(['"1"', '-4', '0.5']) ?? maybe(oneOf(random, ['1', '2', '-3', '3', '1.5e1', '4000000000000000'])),
    ],
    [
      'price',
      broken(['1.005', '"2.50"', '-40.5', '-41', '1e15', 'null']) ??
        oneOf(random, ['10', '0.01', '1.50', '-3.25', '2.675', '19.99', '1e1', '4.35']),
    ],
    ['rate', broken(['0.0001', '[]', '"x"']) ?? maybe(oneOf(random, ['0.5', '1.005', '-2.675', '3', '0.001']))],
    ['weight', broken(['"1"', '1e999', '{}']) ?? maybe(oneOf(random, ['1.25', '-0.0', '0.1', '3', '1e-7', '1.7e308']))],
    ['open', broken(['1', '"true"', '0']) ?? maybe(oneOf(random, ['true', 'false']))],
    [
      'day',
      broken(['"2026-02-30"', '"2026-1-01"', '20260101', '"2026-01-01T00:00:00"']) ??
        maybe(oneOf(random, ['"2026-01-01"', '"1969-12-31"', '"2024-02-29"'])),
    ],
    [
      'seen',
      broken(['"yesterday"', '1767225600000', '"2026-01-01"']) ??
        maybe(oneOf(random, ['"2026-01-01T00:00:00Z"', '"1950-05-05T05:05:05.5+01:00"'])),
    ],
    ['code', broken(['"nope"', '4']) ?? maybe('"8C2f3e98-0341-4917-9439-7e0f58338fd4"')],
    ['colour', broken(['"blue"', '5']) ?? maybe(oneOf(random, ['"red"', '"gr\\"een"', `"bl'ue"`]))],
    ['note', broken(['5', '[]']) ?? maybe('"n\\u0000ote"')],
    ['inside', broken(['[]', '"{}"']) ?? maybe('{"a":{"b":1}}')],
    ['many', broken(['{}', '1']) ?? maybe('[1,2]')],
    [
      'at',
      broken(['null', '1767225600000', '"2026-13-01T00:00:00Z"', '"2026-01-01T24:00:00.000Z"', '"2026-01-01"']) ??
        `"${at}"`,
    ],
    ['more', maybe('{"unknown":[1,{"at":2}]}')],
  ]
  const members = fields.flatMap(([name, value]) => (value === null ? [] : [`"${name}":${value}`]))
  if (random.below(2) === 0) members.reverse()
  if (wrong && random.below(12) === 0)
    return oneOf(random, ['garbage', '[1]', '7', '{"who":"ann"', '"text"', 'null', '{}'])
  return `{${members.join(random.below(2) === 0 ? ',' : ' , ')}}`
}

function linesOf(random: RandomStream): string[] {
  // Around Sao Paulo's last jump over midnight, around the epoch, and now.
  let nowMs = oneOf(random, [Date.UTC(2018, 10, 3, 12), -7000, Date.UTC(2018, 1, 17, 20), Date.UTC(2026, 0, 1)])
  const stepMs = oneOf(random, [3, 300, 20_000, DAY_MS / 20])
  return Array.from({ length: 20 + random.below(140) }, () => {
    nowMs += random.below(stepMs)
    if (random.below(40) === 0) nowMs += stepMs * 50
    return lineOf(random, nowMs - random.below(stepMs * 3))
  })
}

interface Sent {
  readonly partition: number
  readonly line: string
}
/** Records in the order they come in, each in its partition. */
function sentOf(plan: Plan, random: RandomStream): Sent[] {
  // Which copy came first is told by the order over all partitions: a file has it of one only.
  const partitions = plan.nodes.some((node) => node.order === 'total') ? 1 : 2
  return linesOf(random).map((line) => ({ partition: random.below(partitions), line }))
}

function engineRows(plan: Plan, sent: readonly Sent[], random: RandomStream): PlainRow[] {
  const job = openJob([plan], { bounded: true })
  const rows: PlainRow[] = []
  const offsets = [0, 0]
  const take = (): void => {
    for (const batch of job.take().results) for (let row = 0; row < batch.count; row++) rows.push(engineRow(batch, row))
  }
  for (let at = 0; at < sent.length; ) {
    const { partition } = sent[at]!
    let next = at + 1
    for (const end = at + 1 + random.below(50); next < end && sent[next]?.partition === partition; ) next++
    const lines = sent.slice(at, next).map(({ line }) => line)
    job.push(batchOf('events', partition, offsets[partition]!, lines))
    offsets[partition]! += lines.length
    take()
    at = next
  }
  job.finish()
  take()
  return rows
}

test(`${SEEDS} random plans: the engine and DuckDB give the same tables`, async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  // Nothing may depend on where the session thinks it is.
  await connection.run("SET TimeZone = 'Asia/Kathmandu'")
  let rowsSeen = 0
  try {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = randomStream(`plan-sql/${seed}`)
      const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test tests/flows/plan-sql-property.test.ts`
      const plan = planOf(random.fork('plan'), `random-${seed}`)
      const sent = sentOf(plan, random.fork('lines'))
      const files = [0, 1].map((partition) => {
        const file = join(folder, `${seed}-${partition}.ndjson`)
        const lines = sent.filter((one) => one.partition === partition).map(({ line }) => `${line}\n`)
        writeFileSync(file, lines.join(''))
        return file
      })
      const expected = engineRows(plan, sent, random.fork('batches'))
      const sql = duckdbSql(plan, { format: 'ndjson', files })
      let found: PlainRow[]
      try {
        const reader = await connection.runAndReadAll(sql)
        found = reader.getRowObjects().map((row) => duckRow(plan, row))
      } catch (error) {
        throw new Error(`${replay}\n${explain(plan)}\n${sql}`, { cause: error })
      }
      rowsSeen += found.length
      // Variances, quantiles and float functions are equal within their tolerance, and so have no order to be held to.
      const near = ['trend', 'spread', 'rates', 'median', 'upper', 'prices', 'roots', 'huge', 'priced', 'root']
      if (plan.nodes.at(-1)?.columns.some((column) => near.includes(column.name))) {
        sameRows(plan, found, expected, `${replay}\n${explain(plan)}`)
        continue
      }
      const [a, b] = [expected.map(rowText), found.map(rowText)]
      // Rows of a plan without a window have no order, sessions go by when they closed.
      const window = plan.nodes.find((node) => node.kind === 'window-aggregate')
      if (window === undefined || window.window.kind === 'session') for (const texts of [a, b]) texts.sort()
      assert.deepEqual(b, a, `${replay}\n${explain(plan)}`)
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
  assert.ok(rowsSeen > SEEDS, `only ${rowsSeen} rows were compared`)
})
