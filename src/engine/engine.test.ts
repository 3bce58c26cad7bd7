// The engine by named cases: time, lateness, corrections, emit modes, nulls, calendars, lookups, limits, refusals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { NodeBody, Plan } from '../query/plan.ts'
import {
  average,
  calendar,
  count,
  countDistinct,
  cumulative,
  from,
  hopping,
  max,
  ratio,
  seconds,
  staticTable,
  sum,
  tumbling,
} from '../query/query.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { encodeKey, type Job, openJob, SnapshotError, StateLimitError } from './engine.ts'

const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: 2,
  key: 'seller',
  eventTime: 'at',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 60_000,
  doc: 'sales',
  fields: {
    seller: nullable({ kind: 'string' }, 'who'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { default: 1 }),
    quantity: field({ kind: 'int64' }, 'how many', { default: 1 }),
    refund: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'given back'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const minute = tumbling({ sizeMs: seconds(60) })
const perMinute = from(sales)
  .window(minute)
  .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))

const START_MS = Date.UTC(2026, 0, 1)
interface Sale {
  readonly at: number
  readonly seller?: string | null
  readonly price?: number
  readonly quantity?: number
  readonly refund?: number
}
const offsets = new WeakMap<Job, Map<number, number>>()
/** Sales of one partition; `at` in seconds after the start. */
function push(job: Job, partition: number, ...made: Sale[]): void {
  const known = offsets.get(job) ?? new Map<number, number>()
  offsets.set(job, known)
  const offset = known.get(partition) ?? 0
  const texts = made.map((sale) => JSON.stringify({ ...sale, at: new Date(START_MS + sale.at * 1000).toISOString() }))
  job.push(batchOf('sales', partition, offset, texts))
  known.set(partition, offset + made.length)
}
/** What became due, as `timing start..end {rest}` with seconds after the start. */
function due(job: Job): string[] {
  return plainRows(job.take()).map(({ timing, values, json }) => {
    const rest = JSON.parse(json)
    delete rest.window_start
    delete rest.window_end
    const at = (ms: unknown): number => (Number(ms) - START_MS) / 1000
    return `${timing} ${at(values.window_start)}..${at(values.window_end)} ${JSON.stringify(rest)}`
  })
}
const live = (plan: Plan): Job => openJob([plan], { bounded: false, partitions: { sales: 1 } })
const tickOf = (second: number, idle: readonly number[] = [], interval = true) => ({
  atMs: START_MS + second * 1000,
  interval,
  idle: idle.map((partition) => ({ topic: 'sales', partition })),
})

test('a window closes when the watermark reaches its end, not before', () => {
  const job = live(perMinute.named('p'))
  push(job, 0, { at: 1 }, { at: 59.999 }, { at: 64.999 })
  assert.deepEqual(due(job), [])
  push(job, 0, { at: 65 })
  assert.equal(job.watermarkMs('p'), START_MS + 60_000)
  assert.deepEqual(due(job), ['on-time 0..60 {"n":2,"revenue":2}'])
})

test('exactly at the bound is in time; beyond it and without lateness a record is late', () => {
  const job = live(perMinute.named('p'))
  push(job, 0, { at: 65 }, { at: 60 }, { at: 59.999 })
  const output = job.take()
  assert.deepEqual(
    output.lateRecords.map(({ offset, plan, watermarkMs }) => [offset, plan, watermarkMs - START_MS]),
    [[2, 'p', 60_000]],
  )
  assert.match(new TextDecoder().decode(output.lateRecords[0]?.value), /2026-01-01T00:00:59.999Z/)
  const { processed, late } = job.ledger()[0] ?? {}
  assert.deepEqual([processed, late], [2, 1])
})

test('late inside the lateness: one correction per window and close or tick; beyond it: late', () => {
  const job = live(perMinute.lateness(seconds(30)).named('p'))
  push(job, 0, { at: 10 }, { at: 70 })
  assert.deepEqual(due(job), ['on-time 0..60 {"n":1,"revenue":1}'])
  push(job, 0, { at: 20 }, { at: 30, price: 5.5 })
  assert.deepEqual(due(job), [])
  job.tick(tickOf(1, [], false))
  assert.deepEqual(due(job), ['late 0..60 {"n":3,"revenue":7.5}'])
  job.tick(tickOf(2))
  assert.deepEqual(due(job), [])
  push(job, 0, { at: 59 }, { at: 94.999 }, { at: 40 })
  push(job, 0, { at: 95 }, { at: 40 })
  const output = job.take()
  assert.deepEqual(
    output.lateRecords.map(({ offset }) => offset),
    [8],
  )
  assert.deepEqual(
    plainRows(output).map(({ timing, values }) => [timing, values.n]),
    [['late', 5]],
  )
})

test('a late record opens a window that had none', () => {
  const job = live(perMinute.lateness(seconds(100)).named('p'))
  push(job, 0, { at: 130 }, { at: 61 })
  push(job, 0, { at: 10 })
  job.finish()
  assert.deepEqual(due(job), [
    'on-time 60..120 {"n":1,"revenue":1}',
    'late 0..60 {"n":1,"revenue":1}',
    'on-time 120..180 {"n":1,"revenue":1}',
  ])
})

test('the slowest partition holds the watermark; an idle one does not, and is raised when it wakes', () => {
  const job = openJob([perMinute.lateness(seconds(60)).named('p')], { bounded: false })
  push(job, 0, { at: 200 })
  assert.equal(job.watermarkMs('p'), Number.NEGATIVE_INFINITY)
  job.tick(tickOf(1, [1]))
  assert.equal(job.watermarkMs('sales'), START_MS + 195_000)
  assert.deepEqual(
    job.partitions('sales').map(({ idle }) => idle),
    [false, true],
  )
  push(job, 1, { at: 130 }, { at: 131 })
  const output = job.take()
  assert.deepEqual(output.raises, [{ topic: 'sales', partition: 1, offset: 0, watermarkMs: START_MS + 195_000 }])
  assert.deepEqual(output.lateRecords, [])
  push(job, 1, { at: 20 })
  assert.equal(job.take().lateRecords.length, 1)
  assert.deepEqual(
    job.partitions('sales').map(({ idle, watermarkMs }) => [idle, watermarkMs - START_MS]),
    [
      [false, 195_000],
      [false, 195_000],
    ],
  )
})

test("late is decided by the record's own partition even while another holds the windows open", () => {
  const job = openJob([perMinute.named('p')], { bounded: false })
  push(job, 1, { at: 1 })
  push(job, 0, { at: 200 }, { at: 2 })
  assert.equal(job.take().lateRecords.length, 1)
  push(job, 1, { at: 2 })
  assert.equal(job.take().lateRecords.length, 0)
})

test('running rows: at ticks with an interval, on change at every tick, never without emit', () => {
  const modes: readonly (readonly [string, Plan, number])[] = [
    ['every', perMinute.emit({ everyMs: 1000 }).named('p'), 1],
    ['change', perMinute.emit('on-change').named('p'), 2],
    ['close', perMinute.named('p'), 0],
  ]
  for (const [mode, plan, rows] of modes) {
    const job = live(plan)
    push(job, 0, { at: 1 })
    job.tick(tickOf(1, [], false))
    push(job, 0, { at: 2 })
    job.tick(tickOf(2))
    job.tick(tickOf(3))
    assert.equal(due(job).filter((row) => row.startsWith('early 0..60')).length, rows, mode)
    push(job, 0, { at: 100 })
    assert.deepEqual(due(job), ['on-time 0..60 {"n":2,"revenue":2}'], mode)
  }
  const slow = live(perMinute.emit({ everyMs: 10_000 }).named('p'))
  const emitted = [0, 5, 9.5, 12, 19, 20].filter((second) => {
    push(slow, 0, { at: second / 10 })
    slow.tick(tickOf(second))
    return due(slow).length > 0
  })
  assert.deepEqual(emitted, [0, 9.5, 19])
})

test('hopping windows: final rows while a window holds a record, a running row for the newest window only', () => {
  const hops = from(sales)
    .window(hopping({ sizeMs: seconds(3), slideMs: seconds(1) }))
    .aggregate((s) => ({ n: count(), who: countDistinct(s.seller), top: max(s.price) }))
  const job = live(hops.emit({ everyMs: 1000 }).named('p'))
  push(job, 0, { at: 0, seller: 'a', price: 9 }, { at: 1, seller: 'b' }, { at: 8, seller: 'a' })
  job.tick(tickOf(1))
  assert.deepEqual(due(job), [
    'on-time -2..1 {"n":1,"who":1,"top":9}',
    'on-time -1..2 {"n":2,"who":2,"top":9}',
    'on-time 0..3 {"n":2,"who":2,"top":9}',
    'early 6..9 {"n":1,"who":1,"top":1}',
  ])
  job.finish()
  assert.deepEqual(due(job), [
    'on-time 1..4 {"n":1,"who":1,"top":1}',
    'on-time 6..9 {"n":1,"who":1,"top":1}',
    'on-time 7..10 {"n":1,"who":1,"top":1}',
    'on-time 8..11 {"n":1,"who":1,"top":1}',
  ])
})

test('cumulative windows: a row per step while its period holds a record; a late one corrects the steps from its own on', () => {
  const plan = from(sales)
    .window(cumulative({ sizeMs: seconds(30), stepMs: seconds(10) }))
    .aggregate(() => ({ n: count() }))
    .emit('on-change')
    .lateness(seconds(60))
    .named('p')
  const job = live(plan)
  push(job, 0, { at: 12 }, { at: 13 })
  job.tick(tickOf(1))
  assert.deepEqual(due(job), ['early 0..20 {"n":2}'])
  push(job, 0, { at: 46 })
  assert.deepEqual(due(job), ['on-time 0..20 {"n":2}', 'on-time 0..30 {"n":2}'])
  push(job, 0, { at: 5 })
  job.tick(tickOf(2, [], false))
  assert.deepEqual(due(job), ['late 0..10 {"n":1}', 'late 0..20 {"n":3}', 'late 0..30 {"n":3}', 'early 30..50 {"n":1}'])
  push(job, 0, { at: 33 })
  job.finish()
  assert.deepEqual(due(job), ['late 30..40 {"n":1}', 'on-time 30..50 {"n":2}', 'on-time 30..60 {"n":2}'])
  assert.throws(() => cumulative({ sizeMs: 30, stepMs: 7 }), /30 is not a multiple of stepMs 7/)
})

test('nulls: a group of their own, skipped by aggregates; a sum of none is null', () => {
  const plan = from(sales)
    .window(minute)
    .groupBy('seller')
    .aggregate((s) => ({
      n: count(),
      refunds: count(s.refund),
      refunded: sum(s.refund),
      mean: average(s.refund, { scale: 2 }),
      most: max(s.refund),
      share: ratio(sum(s.refund), sum(s.price), { scale: 3 }),
    }))
    .named('p')
  const job = openJob([plan], { bounded: true })
  push(
    job,
    0,
    { at: 1, seller: 'b' },
    { at: 2, seller: null },
    { at: 3, seller: 'a', refund: 0.05 },
    { at: 4, seller: 'a' },
    { at: 5, seller: 'a', refund: 0.1 },
  )
  job.finish()
  assert.deepEqual(due(job), [
    'on-time 0..60 {"seller":null,"n":1,"refunds":0,"refunded":null,"mean":null,"most":null,"share":null}',
    'on-time 0..60 {"seller":"a","n":3,"refunds":2,"refunded":0.15,"mean":0.08,"most":0.1,"share":0.05}',
    'on-time 0..60 {"seller":"b","n":1,"refunds":0,"refunded":null,"mean":null,"most":null,"share":null}',
  ])
})

test('conditions: three values as in SQL', () => {
  const counts = (condition: Parameters<ReturnType<typeof from<typeof sales>>['filter']>[0]): number => {
    const job = openJob(
      [
        from(sales)
          .filter(condition)
          .window(minute)
          .aggregate(() => ({ n: count() }))
          .named('p'),
      ],
      { bounded: true },
    )
    push(job, 0, { at: 1, seller: 'ana', refund: 1 }, { at: 2, seller: 'bea' }, { at: 3, seller: null, price: 20 })
    job.finish()
    return Number(plainRows(job.take())[0]?.values.n ?? 0)
  }
  assert.equal(
    counts((s) => s.seller.startsWith('a')),
    1,
  )
  assert.equal(
    counts((s) => s.seller.startsWith('a').not()),
    1,
  )
  assert.equal(
    counts((s) => s.seller.isNull()),
    1,
  )
  assert.equal(
    counts((s) => s.seller.isNull().not()),
    2,
  )
  assert.equal(
    counts((s) => s.seller.differs('ana')),
    1,
  )
  assert.equal(
    counts((s) => s.seller.above('ana')),
    1,
  )
  assert.equal(
    counts((s) => s.seller.oneOf('bea', 'x')),
    1,
  )
  assert.equal(
    counts((s) => s.refund.above(0).or(s.price.atLeast(20))),
    2,
  )
  assert.equal(
    counts((s) => s.refund.above(0).and(s.price.atLeast(20))),
    0,
  )
  assert.equal(
    counts((s) => s.refund.equals(s.price)),
    1,
  )
  assert.equal(
    counts((s) => s.refund.differs(s.price)),
    0,
  )
  assert.equal(
    counts((s) => s.price.below(20).and(s.price.atMost(1))),
    2,
  )
  assert.equal(
    counts((s) => s.at.atLeast('2026-01-01T00:00:02Z').and(s.price.oneOf(1, 2))),
    1,
  )
  assert.equal(
    counts((s) => s.price.plus(s.price).minus(s.price).times(3).equals(60)),
    1,
  )
})

test('calendar windows follow the zone, also over its clock changes', () => {
  const job = openJob(
    [
      from(sales)
        .window(calendar('day', { zone: 'America/New_York' }))
        .aggregate(() => ({ n: count() }))
        .named('day'),
      from(sales)
        .window(calendar('month', { zone: 'America/Sao_Paulo' }))
        .aggregate(() => ({ n: count() }))
        .named('month'),
      from(sales)
        .window(calendar('week'))
        .aggregate(() => ({ n: count() }))
        .named('week'),
    ],
    { bounded: true },
  )
  const texts = [
    '2026-03-08T04:59:59Z',
    '2026-03-08T05:00:00Z',
    '2026-03-09T03:59:59Z',
    '2026-03-09T04:00:00Z',
    '2026-04-01T02:59:59Z',
    '2026-04-01T03:00:00Z',
  ]
  job.push(
    batchOf(
      'sales',
      0,
      0,
      texts.map((at) => JSON.stringify({ at })),
    ),
  )
  job.finish()
  const rows = plainRows(job.take()).map(
    ({ plan, json }) => `${plan} ${json.replaceAll(/"(window_start|window_end)":|[{}"]/g, '')}`,
  )
  assert.deepEqual(rows, [
    'day 2026-03-07T05:00:00Z,2026-03-08T05:00:00Z,n:1',
    'day 2026-03-08T05:00:00Z,2026-03-09T04:00:00Z,n:2',
    'day 2026-03-09T04:00:00Z,2026-03-10T04:00:00Z,n:1',
    'day 2026-03-31T04:00:00Z,2026-04-01T04:00:00Z,n:2',
    'month 2026-03-01T03:00:00Z,2026-04-01T03:00:00Z,n:5',
    'month 2026-04-01T03:00:00Z,2026-05-01T03:00:00Z,n:1',
    'week 2026-03-02T00:00:00Z,2026-03-09T00:00:00Z,n:2',
    'week 2026-03-09T00:00:00Z,2026-03-16T00:00:00Z,n:2',
    'week 2026-03-30T00:00:00Z,2026-04-06T00:00:00Z,n:2',
  ])
})

test('lookups: unknown keys are dead letters, dropped or nulls, as the plan says', () => {
  const people = staticTable({
    name: 'people',
    columns: { city: { kind: 'string' }, level: { kind: 'int64' } },
    rows: { ana: { city: 'Rio', level: 3 } },
  })
  const outcome = (unknown: 'dead-letter' | 'drop' | 'null') => {
    const plan = from(sales).lookup(people, { by: 'seller', unknown }).select('seller', 'city', 'level').named('p')
    const job = openJob([plan], { bounded: true })
    push(job, 0, { at: 1, seller: 'ana' }, { at: 2, seller: 'bea' }, { at: 3, seller: null })
    const output = job.take()
    return {
      rows: plainRows(output).map(({ json }) => json),
      dead: output.deadLetters.map(({ offset, reason, field }) => [offset, reason, field]),
    }
  }
  const ana = '{"seller":"ana","city":"Rio","level":3}'
  assert.deepEqual(outcome('dead-letter'), {
    rows: [ana],
    dead: [
      [1, 'unknown-key', 'seller'],
      [2, 'unknown-key', 'seller'],
    ],
  })
  assert.deepEqual(outcome('drop'), { rows: [ana], dead: [] })
  assert.deepEqual(outcome('null').rows, [
    ana,
    '{"seller":"bea","city":null,"level":null}',
    '{"seller":null,"city":null,"level":null}',
  ])
})

test('sums stay exact beyond 2^53, in windows that slide too; averages of them as well', () => {
  const plan = from(sales)
    .window(hopping({ sizeMs: seconds(4), slideMs: seconds(1) }))
    .aggregate((s) => ({ n: count(), pieces: sum(s.quantity), mean: average(s.quantity, { scale: 1 }) }))
    .named('p')
  const job = openJob([plan], { bounded: true })
  const huge = Number.MAX_SAFE_INTEGER
  push(
    job,
    0,
    { at: 0, quantity: huge },
    { at: 0, quantity: huge },
    { at: 1, quantity: huge - 1 },
    { at: 2, quantity: -huge },
    { at: 3, quantity: 7 },
  )
  job.finish()
  const rows = plainRows(job.take())
  const big = BigInt(huge)
  const expected = [2n * big, 3n * big - 1n, 2n * big - 1n, 2n * big + 6n, 6n, 7n - big, 7n]
  assert.deepEqual(
    rows.map(({ values }) => BigInt(String(values.pieces))),
    expected,
  )
  assert.match(rows[0]?.json ?? '', /"pieces":18014398509481982,"mean":9007199254740991}/)
  assert.match(rows[1]?.json ?? '', /"pieces":27021597764222972,"mean":9007199254740990.7}/)
})

test('a product beyond 2^53 is a dead letter that names its column; the neighbours count', () => {
  const plan = from(sales)
    .derive((s) => ({ total: s.price.times(s.quantity) }))
    .window(minute)
    .aggregate((s) => ({ total: sum(s.total) }))
    .named('p')
  const job = openJob([plan], { bounded: true })
  push(job, 0, { at: 1, price: 2 }, { at: 1, price: 10_000_000, quantity: 10_000_000 }, { at: 1, quantity: 3 })
  job.finish()
  const output = job.take()
  assert.deepEqual(
    output.deadLetters.map(({ offset, reason, field }) => [offset, reason, field]),
    [[1, 'overflow', 'total']],
  )
  assert.equal(plainRows(output)[0]?.values.total, 500)
})

test('so is a product inside an aggregate', () => {
  const plan = from(sales)
    .window(minute)
    .aggregate((s) => ({
      total: sum(s.price.times(s.quantity)),
      mean: average(s.price.times(s.quantity), { scale: 2 }),
    }))
    .named('p')
  const job = openJob([plan], { bounded: true })
  push(job, 0, { at: 1, price: 2 }, { at: 1, price: 10_000_000, quantity: 10_000_000 }, { at: 1, quantity: 3 })
  job.finish()
  const output = job.take()
  assert.deepEqual(
    output.deadLetters.map(({ offset, reason, field }) => [offset, reason, field]),
    [[1, 'overflow', 'total']],
  )
  assert.equal(plainRows(output)[0]?.values.total, 500)
})

test('one decode for all plans of a topic; a record counts once in the ledger', () => {
  const job = openJob([perMinute.named('strict'), perMinute.lateness(seconds(600)).named('patient')], {
    bounded: false,
    partitions: { sales: 1 },
  })
  push(job, 0, { at: 500 }, { at: 1 })
  job.push(batchOf('sales', 0, 2, ['not json']))
  const output = job.take()
  assert.deepEqual(
    output.lateRecords.map(({ plan }) => plan),
    ['strict'],
  )
  assert.deepEqual(job.ledger(), [
    { topic: 'sales', partition: 0, in: 3, processed: 1, duplicates: 0, late: 1, deadLettered: 1 },
  ])
  assert.deepEqual(job.topics, ['sales'])
})

test("keys: bounds and groups in the plan's order; plans that append have none", () => {
  const job = openJob(
    [
      from(sales)
        .window(minute)
        .groupBy('seller')
        .aggregate(() => ({ n: count() }))
        .output({ times: 'epoch-seconds', finalColumn: 'is_final' })
        .named('p'),
      from(sales).select('seller').named('q'),
    ],
    { bounded: true },
  )
  push(job, 0, { at: 1, seller: 'a"b' })
  job.finish()
  const [windows, rows] = job.take().results
  assert.ok(windows && rows)
  assert.equal(encodeKey(windows, 0), `[${START_MS / 1000},${START_MS / 1000 + 60},"a\\"b"]`)
  assert.equal(encodeKey(rows, 0), null)
  assert.equal(
    plainRows({ results: [windows], deadLetters: [], lateRecords: [], raises: [], emitted: [] })[0]?.json,
    `{"window_start":${START_MS / 1000},"window_end":${START_MS / 1000 + 60},"seller":"a\\"b","n":1,"is_final":true}`,
  )
  assert.deepEqual(rows.evidence(0), [{ topic: 'sales', partition: 0, offsetMin: 0, offsetMax: 0 }])
})

test('what this engine does not run is refused by name, with a cure', () => {
  const base = perMinute.named('p')
  const [source] = base.nodes
  assert.ok(source)
  const traits = {
    id: 'x',
    inputs: [source.id],
    columns: [],
    changelog: { mode: 'append' },
    time: null,
    order: 'none',
    merges: true,
    evidence: 'record',
  } as const
  const bodies: readonly NodeBody[] = [{ kind: 'pattern', keys: [], withinMs: 1, steps: [] }]
  for (const body of bodies)
    assert.throws(() => live({ ...base, nodes: [source, { ...traits, ...body }] }), {
      name: 'PlanError',
      message: new RegExp(`plan 'p'.*'${body.kind}' does not run in this engine yet\\. Leave it out`),
    })
  const windowOf = (window: object): Plan => ({
    ...base,
    nodes: base.nodes.map((node) => (node.kind === 'window-aggregate' ? { ...node, ...window } : node)),
  })
  const of = { op: 'column', name: 'price', type: { kind: 'float64' } } as const
  const summed = { function: 'sum', of, where: null } as const
  const divided = (numerator: object) => ({
    function: 'ratio',
    numerator,
    denominator: summed,
    scale: 2,
    type: of.type,
  })
  for (const [aggregate, message] of [
    [summed, /a sum of float64 does not run in this engine\. Sum whole numbers, decimals or money/],
    [divided({ function: 'first', of, where: null }), /'first' in a ratio does not run in this engine\. Divide counts/],
    [divided({ function: 'max', of, where: null }), /'max' of float64 in a ratio does not run/],
  ] as const)
    assert.throws(() => live(windowOf({ aggregates: [{ name: 'x', aggregate }] })), message)
  assert.throws(() => openJob([base, base], { bounded: true }), /two plans have this name/)
  assert.throws(() => push(live(base), 5, { at: 1 }), /has a partition 5, its contract only 1/)
})

test('state over its limit stops the job by name; nothing is dropped', () => {
  const plan = from(sales)
    .window(minute)
    .aggregate((s) => ({ who: countDistinct(s.seller) }))
    .named('distinct')
  const job = openJob([plan], { bounded: false, partitions: { sales: 1 }, stateBytesMax: 300_000 })
  const fill = () => {
    for (let i = 0; i < 40; i++)
      push(job, 0, ...Array.from({ length: 1000 }, (_, k) => ({ at: 1, seller: `s${i}-${k}` })))
  }
  assert.throws(
    fill,
    (error) => error instanceof StateLimitError && /plan 'distinct' holds \d+.*stateBytesMax/.test(error.message),
  )
})

test('unbounded values pass through bounded state: dictionaries give back what no window holds', () => {
  const plan = from(sales)
    .window(hopping({ sizeMs: seconds(3), slideMs: seconds(1) }))
    .groupBy('seller')
    .aggregate((s) => ({ who: countDistinct(s.seller), prices: countDistinct(s.price) }))
    .named('p')
  const job = openJob([plan], { bounded: false, partitions: { sales: 1 } })
  let wrong = 0
  let peak = 0
  for (let i = 0; i < 200; i++) {
    push(job, 0, ...Array.from({ length: 1000 }, (_, k) => ({ at: i, seller: `s${i}-${k}`, price: i * 10 + k / 100 })))
    for (const { values } of plainRows(job.take())) if (values.who !== 1 || values.prices !== 1) wrong++
    peak = Math.max(peak, job.stateBytes())
  }
  assert.equal(wrong, 0)
  assert.ok(peak < 40_000_000, `${peak} bytes for 9,000 live sellers out of 200,000`)
})

test('a group that only ever came too late leaves nothing behind in a snapshot', () => {
  const plan = from(sales)
    .window(hopping({ sizeMs: seconds(20), slideMs: seconds(10) }))
    .groupBy('seller')
    .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
    .named('p')
  const job = live(plan)
  push(job, 0, ...Array.from({ length: 16 }, (_, i) => ({ at: 100, seller: `s${i}` })))
  push(job, 0, { at: 1, seller: 'late' })
  job.take()
  const restored = live(plan)
  restored.restore(job.snapshot())
  push(restored, 0, { at: 101, seller: 'new' })
  restored.finish()
  const rows = due(restored).filter((row) => row.includes('new'))
  assert.deepEqual(rows, [
    'on-time 90..110 {"seller":"new","n":1,"revenue":1}',
    'on-time 100..120 {"seller":"new","n":1,"revenue":1}',
  ])
})

test('snapshots of other plans, other versions and damaged ones are refused', () => {
  const job = live(perMinute.named('p'))
  push(job, 0, { at: 1 })
  const snapshot = job.snapshot()
  assert.throws(() => live(perMinute.named('other')).restore(snapshot), SnapshotError)
  assert.throws(() => live(perMinute.named('p')).restore(snapshot.subarray(0, snapshot.length - 1)), SnapshotError)
  assert.throws(() => live(perMinute.named('p')).restore(new Uint8Array(3)), SnapshotError)
  const newer = snapshot.slice()
  newer[4] = 99
  assert.throws(() => live(perMinute.named('p')).restore(newer), /snapshot format 99; this engine reads 4/)
  job.finish()
  assert.throws(() => job.snapshot(), /what became due is taken before a snapshot/)
})
