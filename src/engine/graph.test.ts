// Steps, windows and tops after windows: the final tables are what the same computation over the final tables before them
// gives, whatever the batches and the interleaving, restored or not, with late records and running rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { count, countDistinct, from, hopping, last, max, session, sum, tumbling } from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob } from './engine.ts'

const PARTITIONS = 3
const BOUND_MS = 2000
const LATENESS_MS = 3000
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 4)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: PARTITIONS,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: BOUND_MS,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group'),
    what: nullable({ kind: 'string' }, 'thing'),
    cents: field({ kind: 'int64' }, 'amount'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

interface Event {
  readonly who: string
  readonly what: string | null
  readonly cents: number
  readonly at: number
}

const seconds = tumbling({ sizeMs: 1000 })
const perSecond = from(sales)
  .window(seconds)
  .groupBy('who')
  .aggregate((s) => ({ cents: sum(s.cents), n: count(), thing: last(s.what) }))

/** The first windows, plainly. */
function perSecondOf(events: readonly Event[]) {
  const groups = Map.groupBy(events, ({ who, at }) => `${Math.floor(at / 1000)} ${who}`)
  return [...groups.values()].map((held) => ({
    who: held[0]!.who,
    startMs: Math.floor(held[0]!.at / 1000) * 1000,
    cents: held.reduce((total, { cents }) => total + cents, 0),
    n: held.length,
  }))
}
const keyed = (rows: readonly { readonly key: unknown[]; readonly values: object }[]): string[] =>
  rows.map(({ key, values }) => `${JSON.stringify(key)} ${JSON.stringify(values)}`).sort()

interface Case {
  readonly name: string
  readonly plan: (emits: boolean) => Plan
  /** Names of key and value columns of the final table. */
  readonly key: readonly string[]
  readonly values: readonly string[]
  readonly expected: (events: readonly Event[]) => string[]
}

const cases: readonly Case[] = [
  {
    name: 'a filter, a computed column and a choice of columns after a window',
    plan: (emits) => {
      const table = perSecond
        .filter((row) => row.cents.above(100))
        .derive((row) => ({ twice: row.cents.times(2) }))
        .select('window_start', 'window_end', 'who', 'twice')
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('steps')
    },
    key: ['window_start', 'who'],
    values: ['twice'],
    expected: (events) =>
      keyed(
        perSecondOf(events)
          .filter(({ cents }) => cents > 100)
          .map(({ who, startMs, cents }) => ({ key: [startMs, who], values: { twice: cents * 2 } })),
      ),
  },
  {
    name: 'a window over a window',
    plan: (emits) => {
      const table = perSecond
        .window(tumbling({ sizeMs: 5000 }))
        .groupBy('who')
        .aggregate((row) => ({ cents: sum(row.cents), busiest: max(row.n), windows: count() }))
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('of-windows')
    },
    key: ['window_start', 'who'],
    values: ['cents', 'busiest', 'windows'],
    expected: (events) =>
      keyed(
        [
          ...Map.groupBy(perSecondOf(events), ({ who, startMs }) => `${Math.floor(startMs / 5000)} ${who}`).values(),
        ].map((held) => ({
          key: [Math.floor(held[0]!.startMs / 5000) * 5000, held[0]!.who],
          values: {
            cents: held.reduce((total, { cents }) => total + cents, 0),
            busiest: Math.max(...held.map(({ n }) => n)),
            windows: held.length,
          },
        })),
      ),
  },
  {
    name: 'a hopping window over the filtered rows of a window',
    plan: (emits) => {
      const table = perSecond
        .filter((row) => row.cents.above(100))
        .window(hopping({ sizeMs: 3000, slideMs: 1000 }))
        .aggregate((row) => ({ people: countDistinct(row.who), cents: sum(row.cents) }))
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('hops')
    },
    key: ['window_start'],
    values: ['people', 'cents'],
    expected: (events) => {
      const rows = perSecondOf(events)
        .filter(({ cents }) => cents > 100)
        .flatMap((row) => [0, 1, 2].map((hop) => ({ ...row, windowMs: row.startMs - hop * 1000 })))
      return keyed(
        [...Map.groupBy(rows, ({ windowMs }) => windowMs)].map(([windowMs, held]) => ({
          key: [windowMs],
          values: {
            people: new Set(held.map(({ who }) => who)).size,
            cents: held.reduce((total, { cents }) => total + cents, 0),
          },
        })),
      )
    },
  },
  {
    name: 'a top after a filter after a window',
    plan: (emits) => {
      const table = perSecond
        .filter((row) => row.n.atMost(3))
        .top({ rows: 2, by: 'cents' })
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('top')
    },
    key: ['window_start', 'who'],
    values: ['cents'],
    expected: (events) => {
      const windows = Map.groupBy(
        perSecondOf(events).filter(({ n }) => n <= 3),
        ({ startMs }) => startMs,
      )
      return keyed(
        [...windows.values()].flatMap((rows) =>
          rows
            .toSorted((a, b) => b.cents - a.cents || (a.who < b.who ? -1 : 1))
            .slice(0, 2)
            .map(({ startMs, who, cents }) => ({ key: [startMs, who], values: { cents } })),
        ),
      )
    },
  },
  {
    name: 'a window over the tops of windows',
    plan: (emits) => {
      const table = perSecond
        .top({ rows: 1, by: 'cents' })
        .window(tumbling({ sizeMs: 4000 }))
        .groupBy('who')
        .aggregate((row) => ({ wins: count(), cents: sum(row.cents) }))
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('wins')
    },
    key: ['window_start', 'who'],
    values: ['wins', 'cents'],
    expected: (events) => {
      const windows = Map.groupBy(perSecondOf(events), ({ startMs }) => startMs)
      const best = [...windows.values()].map(
        (rows) => rows.toSorted((a, b) => b.cents - a.cents || (a.who < b.who ? -1 : 1))[0]!,
      )
      return keyed(
        [...Map.groupBy(best, ({ who, startMs }) => `${Math.floor(startMs / 4000)} ${who}`).values()].map((held) => ({
          key: [Math.floor(held[0]!.startMs / 4000) * 4000, held[0]!.who],
          values: { wins: held.length, cents: held.reduce((total, { cents }) => total + cents, 0) },
        })),
      )
    },
  },
  {
    name: 'a window over sessions',
    plan: (emits) => {
      const table = from(sales)
        .window(session({ gapMs: 400 }))
        .groupBy('who')
        .aggregate((s) => ({ cents: sum(s.cents) }))
        .window(tumbling({ sizeMs: 4000 }))
        .aggregate((row) => ({ sessions: count(), cents: sum(row.cents), people: countDistinct(row.who) }))
        .lateness(LATENESS_MS)
      return (emits ? table.emit('on-change') : table).named('visits')
    },
    key: ['window_start'],
    values: ['sessions', 'cents', 'people'],
    expected: (events) => {
      const found: { who: string; endMs: number; cents: number }[] = []
      for (const held of Map.groupBy(events, ({ who }) => who).values()) {
        let open: { who: string; endMs: number; cents: number } | null = null
        for (const { who, at, cents } of held.toSorted((a, b) => a.at - b.at)) {
          if (open === null || at >= open.endMs) {
            open = { who, endMs: 0, cents: 0 }
            found.push(open)
          }
          open.endMs = at + 400
          open.cents += cents
        }
      }
      return keyed(
        [...Map.groupBy(found, ({ endMs }) => Math.floor((endMs - 1) / 4000) * 4000)].map(([startMs, held]) => ({
          key: [startMs],
          values: {
            sessions: held.length,
            cents: held.reduce((total, { cents }) => total + cents, 0),
            people: new Set(held.map(({ who }) => who)).size,
          },
        })),
      )
    },
  },
]

function script(random: RandomStream): Event[][] {
  const queues: Event[][] = Array.from({ length: PARTITIONS }, () => [])
  let now = 1_700_000_000_000
  for (let i = 0; i < 300; i++) {
    now += random.below(150)
    if (random.below(60) === 0) now += 6000
    const behind = random.below(5) === 0 ? random.below(5500) : random.below(1200)
    queues[random.below(PARTITIONS)]!.push({
      who: `u${random.below(4)}`,
      what: random.below(5) === 0 ? null : `t${random.below(3)}`,
      cents: random.below(90),
      at: now - behind,
    })
  }
  return queues
}
const textOf = (event: Event): string => JSON.stringify({ ...event, at: new Date(event.at).toISOString() })

/** Runs the events in some order of partitions and batches; the final table, and what was taken in. */
function run(one: Case, plan: Plan, queues: readonly Event[][], order: RandomStream, replay: string) {
  let job: Job = openJob([plan], { bounded: false })
  const table = new Map<string, string>()
  const late = new Set<string>()
  const see = (): void => {
    const output = job.take()
    for (const { partition, offset } of output.lateRecords) late.add(`${partition}/${offset}`)
    assert.equal(output.deadLetters.length, 0)
    for (const { values, weight } of plainRows(output)) {
      const key = JSON.stringify(one.key.map((name) => values[name]))
      if (weight === -1) assert.ok(table.delete(key), `${key} is taken back but does not stand; ${replay}`)
      else table.set(key, JSON.stringify(Object.fromEntries(one.values.map((name) => [name, values[name]]))))
    }
  }
  const taken = new Array<number>(PARTITIONS).fill(0)
  for (let step = 0; queues.some((queue, i) => taken[i]! < queue.length); step++) {
    if (order.below(6) === 0) {
      const snapshot = job.snapshot()
      job = openJob([plan], { bounded: false })
      job.restore(snapshot)
      assert.deepEqual(job.snapshot(), snapshot, `a restored job is the same job at step ${step}; ${replay}`)
    }
    if (order.below(5) === 0) job.tick({ atMs: step * 1000, interval: true, idle: [] })
    const partition = order.below(PARTITIONS)
    const from = taken[partition]!
    const batch = queues[partition]!.slice(from, from + 1 + order.below(20))
    taken[partition] = from + batch.length
    job.push(batchOf('sales', partition, from, batch.map(textOf)))
    see()
  }
  job.finish()
  see()
  const events = queues.flatMap((queue, partition) => queue.filter((_, i) => !late.has(`${partition}/${i}`)))
  return { table: [...table].map(([key, values]) => `${key} ${values}`).sort(), late: [...late].sort(), events }
}

for (const one of cases)
  for (const emits of [false, true])
    test(`${one.name}, ${emits ? 'running' : 'on close'}`, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/graph.test.ts (${one.name})`
        const queues = script(randomStream(`graph/${seed}`))
        const plan = one.plan(emits)
        const first = run(one, plan, queues, randomStream(`order/${seed}/a`), replay)
        assert.deepEqual(first.table, one.expected(first.events), replay)
        for (const name of ['b', 'c'])
          assert.deepEqual(run(one, plan, queues, randomStream(`order/${seed}/${name}`), replay), first, replay)
      }
    })

test('an hour of minutes holds sixty of them: the time of a row is the last millisecond of its window', () => {
  const plan = perSecond
    .window(tumbling({ sizeMs: 3000 }))
    .aggregate(() => ({ windows: count() }))
    .named('seconds')
  const job = openJob([plan], { bounded: true })
  job.push(
    batchOf(
      'sales',
      0,
      0,
      [0, 1000, 2000, 3000].map((at) => textOf({ who: 'a', what: null, cents: 1, at })),
    ),
  )
  job.finish()
  assert.deepEqual(
    plainRows(job.take()).map(({ values }) => [values.window_start, values.windows]),
    [
      [0, 3],
      [3000, 1],
    ],
  )
})

test('what a window says of windows leads to the records behind all of them', () => {
  const plan = perSecond
    .window(tumbling({ sizeMs: 3000 }))
    .aggregate((row) => ({ cents: sum(row.cents) }))
    .named('seconds')
  const job = openJob([plan], { bounded: true })
  const event = (at: number): string => textOf({ who: 'a', what: null, cents: 1, at })
  job.push(batchOf('sales', 0, 10, [event(0), event(1000)]))
  job.push(batchOf('sales', 2, 70, [event(2000), event(3000)]))
  job.finish()
  assert.deepEqual(
    plainRows(job.take()).map(({ evidence }) => evidence),
    [
      [
        { topic: 'sales', partition: 0, offsetMin: 10, offsetMax: 11 },
        { topic: 'sales', partition: 2, offsetMin: 70, offsetMax: 70 },
      ],
      [{ topic: 'sales', partition: 2, offsetMin: 71, offsetMax: 71 }],
    ],
  )
})

test('rows that are over leave nothing behind, however long the job runs', () => {
  const events = (first: number): string[] =>
    Array.from({ length: 200 }, (_, i) =>
      textOf({ who: `u${i % 4}`, what: null, cents: (i * 7) % 90, at: (first + i) * 100 }),
    )
  const plans = [
    perSecond
      .window(tumbling({ sizeMs: 5000 }))
      .aggregate((row) => ({ cents: sum(row.cents) }))
      .lateness(LATENESS_MS)
      .named('windows-of-windows'),
    from(sales)
      .top({ rows: 3, by: 'cents', key: ['at'] })
      .named('top-of-stream'),
  ]
  for (const plan of plans) {
    const job = openJob([plan], { bounded: false, partitions: { sales: 1 } })
    const lengths: number[] = []
    for (let first = 0; first < 8000; first += 200) {
      job.push(batchOf('sales', 0, first, events(first)))
      job.tick({ atMs: first, interval: true, idle: [] })
      plainRows(job.take())
      lengths.push(job.snapshot().length)
    }
    const [early, late] = [lengths.slice(10, 20), lengths.slice(-10)].map((some) => Math.max(...some))
    assert.ok(late! < early! * 1.5, `'${plan.name}' has grown from ${early} to ${late} bytes`)
  }
})

test('a row that moves to another part of a top, the last of its own, leaves that part empty', () => {
  const plan = from(sales)
    .groupBy('who')
    .aggregate((s) => ({ thing: last(s.what), cents: sum(s.cents) }))
    .top({ rows: 1, by: 'cents', within: ['thing'] })
    .named('moving')
  const job = openJob([plan], { bounded: false, partitions: { sales: 1 } })
  const table = new Map<unknown, unknown>()
  const say = (offset: number, who: string, what: string): void => {
    job.push(batchOf('sales', 0, offset, [textOf({ who, what, cents: 1, at: offset * 1000 })]))
    job.tick({ atMs: offset, interval: true, idle: [] })
    for (const { values, weight } of plainRows(job.take()))
      if (weight === -1) table.delete(values.who)
      else table.set(values.who, [values.thing, values.cents])
  }
  const words = ['x', 'y', 'x', 'z', 'y', 'x']
  words.forEach((what, i) => {
    say(i * 2, 'ann', what)
    say(i * 2 + 1, 'bob', `${what}2`)
  })
  assert.deepEqual(
    [...table],
    [
      ['ann', ['x', 6]],
      ['bob', ['x2', 6]],
    ],
  )
})

test('a snapshot is of one emit mode: what operators after a window keep depends on it', () => {
  const windows = perSecond.window(tumbling({ sizeMs: 5000 })).aggregate((row) => ({ cents: sum(row.cents) }))
  const [closing, running] = [windows.named('modes'), windows.emit('on-change').named('modes')]
  const job = openJob([closing], { bounded: false })
  job.push(batchOf('sales', 0, 0, [textOf({ who: 'a', what: null, cents: 1, at: 1000 })]))
  const other = openJob([running], { bounded: false })
  assert.throws(() => other.restore(job.snapshot()), /is of other plans/)
})
