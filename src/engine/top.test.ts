// The top of windows: named cases, and a seeded property against a sorted table of what came in time. Rows are applied
// as a reader outside would: a row that leaves the top must be taken back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { average, calendar, count, cumulative, explain, from, hopping, sum, tumbling } from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob } from './engine.ts'
import { compareLanes } from './top.ts'

const PARTITIONS = 2
const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: PARTITIONS,
  key: 'what',
  eventTime: 'at',
  outOfOrderMs: 1000,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'sales',
  fields: {
    what: nullable({ kind: 'string' }, 'product'),
    shelf: field({ kind: 'int64' }, 'where', { default: 0 }),
    cents: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'paid'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const START_MS = Date.UTC(2026, 0, 1)
interface Sale {
  readonly what: string | null
  readonly shelf?: number
  readonly cents?: number | null
  readonly at: number
}
const textOf = ({ cents, at, ...rest }: Sale): string =>
  JSON.stringify({ ...rest, cents: cents == null ? null : cents / 100, at: new Date(START_MS + at).toISOString() })
const table = from(sales)
  .window(tumbling({ sizeMs: 1000 }))
  .groupBy('what')
  .aggregate((s) => ({ n: count(), revenue: sum(s.cents) }))

const live = (plan: Plan): Job => openJob([plan], { bounded: false, partitions: { sales: 1 } })
function push(job: Job, offset: number, ...made: Sale[]): string[] {
  job.push(batchOf('sales', 0, offset, made.map(textOf)))
  return due(job)
}
const due = (job: Job): string[] =>
  plainRows(job.take()).map(
    ({ timing, weight, values }) => `${timing} ${weight === 1 ? '' : 'not '}${values.what}=${values.revenue}`,
  )

test('the greatest come first; ties by UTF-8 bytes, nulls last', () => {
  const job = live(table.top({ rows: 4, by: 'revenue' }).named('top'))
  push(job, 0, { what: 'none', at: 1 }, { what: '\u{1f600}', cents: 5, at: 1 }, { what: '\uffee', cents: 5, at: 1 })
  push(job, 3, { what: 'z', cents: 9, at: 2 }, { what: 'less', cents: 1, at: 3 }, { what: 'least', cents: 0, at: 3 })
  assert.deepEqual(push(job, 6, { what: 'later', at: 2000 }), [
    'on-time z=9',
    'on-time \uffee=5',
    'on-time \u{1f600}=5',
    'on-time less=1',
  ])
})

test('smallest first where asked, by several columns; fewer rows than asked for are all', () => {
  const by = [
    { column: 'n', descending: false },
    { column: 'what', descending: true },
  ] as const
  const job = live(table.top({ rows: 9, by }).named('top'))
  push(
    job,
    0,
    { what: 'a', at: 1 },
    { what: 'b', at: 1 },
    { what: null, at: 1 },
    { what: 'c', at: 1 },
    { what: 'c', at: 1 },
  )
  assert.deepEqual(push(job, 5, { what: 'later', at: 2000 }), [
    'on-time b=null',
    'on-time a=null',
    'on-time null=null',
    'on-time c=null',
  ])
})

test('a late record lifts a row into the top: the one it pushes out is taken back', () => {
  const job = live(table.top({ rows: 2, by: 'revenue' }).lateness(9000).named('top'))
  push(job, 0, { what: 'a', cents: 3, at: 1 }, { what: 'b', cents: 2, at: 1 }, { what: 'c', cents: 1, at: 1 })
  assert.deepEqual(push(job, 3, { what: 'x', at: 2000 }), ['on-time a=3', 'on-time b=2'])
  push(job, 4, { what: 'c', cents: 5, at: 5 })
  job.tick({ atMs: 0, interval: false, idle: [] })
  assert.deepEqual(due(job), ['late not b=null', 'late c=6', 'late a=3'])
})

test('plan: the key of the window, an own node; what cannot be one is refused', () => {
  const plan = table.top({ rows: 2, by: 'revenue' }).named('top')
  assert.match(
    explain(plan),
    /top #[0-9a-f]{16}\n {2}2 rows per window_start, window_end by revenue descending\n {2}changelog upsert by window_start, window_end, what; time window_end; .*one thread; evidence partition-and-pane/,
  )
  assert.throws(() => table.top({ rows: 0, by: 'n' }), /0 is not a positive number of rows/)
  // @ts-expect-error there is no such column
  assert.throws(() => table.top({ rows: 1, by: 'nothing' }), /there is no such column/)
})

test('sums in two lanes compare exactly', () => {
  assert.ok(compareLanes(-5, 1, 2 ** 52 - 1, 0, false) < 0)
  assert.ok(
    compareLanes(2 ** 52 - 1, 5, -(2 ** 52) + 2, 7, false) > 0 ===
      2n ** 52n - 1n + 5n * 2n ** 52n > 7n * 2n ** 52n - 2n ** 52n + 2n,
  )
  assert.equal(compareLanes(3, 1, 3, 1, true), 0)
  assert.ok(compareLanes(Number.NaN, 0, 0, 0, true) > 0)
})

const windows = {
  tumbling: { window: tumbling({ sizeMs: 4000 }), sizeMs: 4000, slideMs: 4000 },
  hopping: { window: hopping({ sizeMs: 4000, slideMs: 1000 }), sizeMs: 4000, slideMs: 1000 },
  cumulative: { window: cumulative({ sizeMs: 4000, stepMs: 1000 }), sizeMs: 4000, slideMs: 1000 },
  calendar: { window: calendar('day', { zone: 'Europe/Berlin' }), sizeMs: 86_400_000, slideMs: 86_400_000 },
} as const
function boundsOf(shape: keyof typeof windows, at: number): [number, number][] {
  const { sizeMs, slideMs } = windows[shape]
  // Berlin's winter time: the test stays in January.
  const zoneMs = shape === 'calendar' ? 3_600_000 : 0
  const paneEnd = (Math.floor((at + zoneMs) / slideMs) + 1) * slideMs - zoneMs
  const steps = Array.from({ length: sizeMs / slideMs }, (_, i) => i * slideMs)
  if (shape !== 'cumulative') return steps.map((step) => [paneEnd + step - sizeMs, paneEnd + step])
  const start = Math.floor(at / sizeMs) * sizeMs
  return steps.map((step): [number, number] => [start, start + step + slideMs]).filter(([, end]) => end >= paneEnd)
}

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 15)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)
for (const shape of ['tumbling', 'hopping', 'cumulative', 'calendar'] as const)
  test(`the top of ${shape} windows is the top of the sorted table, corrected, running, restored or not`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/top.test.ts (${shape})`
      const random = randomStream(`top/${shape}/${seed}`)
      const within = seed % 3 === 0
      const by = seed % 2 === 0 ? 'revenue' : 'mean'
      const ranked = from(sales)
        .window(windows[shape].window)
        .groupBy('what', 'shelf')
        .aggregate((s) => ({ revenue: sum(s.cents), mean: average(s.cents, { scale: 2 }) }))
        .top({ rows: 2, by, within: within ? ['shelf'] : [] })
        .lateness([0, 3000][seed % 2]!)
      const plan = (seed % 4 < 2 ? ranked.emit('on-change') : ranked).named('top')
      let job = openJob([plan], { bounded: false })
      const outside = new Map<string, object>()
      const sent = new Map<string, Sale>()
      const see = (): void => {
        const output = job.take()
        for (const one of output.lateRecords) sent.delete(`${one.partition}/${one.offset}`)
        for (const { weight, values } of plainRows(output)) {
          const { window_start, window_end, what, shelf } = values
          const key = JSON.stringify([window_start, window_end, what, shelf])
          if (weight === 1) outside.set(key, values)
          else assert.ok(outside.delete(key), `took back ${key}, which does not stand; ${replay}`)
        }
      }
      const offsets = new Array<number>(PARTITIONS).fill(0)
      let now = 0
      for (let step = 0; step < 100; step++) {
        if (random.below(8) === 0) {
          const snapshot = job.snapshot()
          job = openJob([plan], { bounded: false })
          job.restore(snapshot)
          assert.deepEqual(job.snapshot(), snapshot, replay)
        }
        if (random.below(5) === 0) job.tick({ atMs: step * 1000, interval: true, idle: [] })
        const partition = random.below(PARTITIONS)
        const made = Array.from({ length: 1 + random.below(6) }, () => {
          now += random.below(400) * (shape === 'calendar' ? 1000 : 1)
          const what = random.below(9) === 0 ? null : `p${random.below(5)}`
          const cents = random.below(4) === 0 ? null : random.below(20)
          return { what, shelf: random.below(2), cents, at: now - random.below(4000) }
        })
        job.push(batchOf('sales', partition, offsets[partition]!, made.map(textOf)))
        for (const sale of made) sent.set(`${partition}/${offsets[partition]!++}`, sale)
        see()
      }
      job.finish()
      see()
      const rows = new Map<string, { window: string; what: string | null; shelf: number; cents: number[] }>()
      for (const { what, shelf = 0, cents, at } of sent.values())
        for (const bounds of boundsOf(shape, START_MS + at)) {
          const key = JSON.stringify([...bounds, what, shelf])
          const row = rows.get(key) ?? { window: JSON.stringify([bounds, within ? shelf : 0]), what, shelf, cents: [] }
          rows.set(key, row)
          if (cents != null) row.cents.push(cents)
        }
      const total = (cents: readonly number[]): number => cents.reduce((a, b) => a + b, 0)
      const rankOf = (cents: readonly number[]): number =>
        cents.length === 0
          ? -1
          : by === 'revenue'
            ? total(cents)
            : Math.floor((2 * total(cents) + cents.length) / (2 * cents.length))
      const expected = [...Map.groupBy(rows, ([, { window }]) => window).values()].flatMap((competing) =>
        competing
          .toSorted(
            ([, a], [, b]) =>
              rankOf(b.cents) - rankOf(a.cents) ||
              ((a.what ?? '') < (b.what ?? '') ? -1 : a.what === b.what ? a.shelf - b.shelf : 1),
          )
          .slice(0, 2)
          .map(([key, { cents }]) => `${key} ${cents.length === 0 ? null : total(cents)}`),
      )
      const found = [...outside].map(([key, values]) => `${key} ${'revenue' in values ? values.revenue : ''}`)
      assert.deepEqual(found.sort(), expected.sort(), replay)
    }
  })
