// Session windows: named cases, and a seeded property against sessions found by sorting. Rows are applied as a reader
// outside would: a row replaces what stands under its key, a retraction must find something to take back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import {
  argmax,
  count,
  countDistinct,
  explain,
  first,
  from,
  last,
  max,
  min,
  quantile,
  ratio,
  session,
  sum,
  variance,
} from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, type PlainRow, plainRows } from './batches.suite.ts'
import { encodeKey, type Job, openJob } from './engine.ts'
import { bucketOf, middleOf } from './sketch.ts'

const PARTITIONS = 3
const GAP_MS = 1000
const BOUND_MS = 1500

const visits = contract({
  topic: 'visits',
  version: 1,
  partitions: PARTITIONS,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: BOUND_MS,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'visits',
  fields: {
    who: nullable({ kind: 'string' }, 'visitor'),
    page: nullable({ kind: 'string' }, 'seen'),
    cents: field({ kind: 'money', scale: 2, currency: 'USD' }, 'spent', { default: 0 }),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
type Grouping = 'none' | 'who'
function planOf(grouping: Grouping, emits: boolean, latenessMs: number): Plan {
  const windowed = from(visits).window(session({ gapMs: GAP_MS }))
  const grouped = grouping === 'none' ? windowed : windowed.groupBy('who')
  const table = grouped
    .aggregate((v) => ({
      n: count(),
      spent: sum(v.cents),
      most: max(v.cents),
      least: min(v.cents, { where: v.page.isNull().not() }),
      pages: countDistinct(v.page),
      opened: first(v.page),
      left: last(v.page),
      dearest: argmax(v.page, v.cents),
      lowest: min(v.page),
      at: argmax(v.at, v.page),
      spread: variance(v.cents),
      median: quantile(v.cents, 0.5, { where: v.page.isNull().not() }),
      each: ratio(count(), countDistinct(v.page), { scale: 2 }),
    }))
    .lateness(latenessMs)
  return (emits ? table.emit('on-change') : table).named(`sessions-${grouping}`)
}

interface Visit {
  readonly who: string | null
  readonly page: string | null
  readonly cents: number
  readonly at: number
}
const textOf = (visit: Visit): string =>
  JSON.stringify({ ...visit, cents: visit.cents / 100, at: new Date(visit.at).toISOString() })

const START_MS = Date.UTC(2026, 0, 1)
const perVisitor = planOf('who', false, 0)
const live = (plan: Plan): Job => openJob([plan], { bounded: false, partitions: { visits: 1 } })
function push(job: Job, offset: number, ...times: number[]): string[] {
  const visit = (at: number): Visit => ({ who: 'u', page: null, cents: 1, at: START_MS + at })
  job.push(
    batchOf(
      'visits',
      0,
      offset,
      times.map((at) => textOf(visit(at))),
    ),
  )
  return due(job)
}
const due = (job: Job): string[] =>
  plainRows(job.take()).map(({ timing, weight, values }) => {
    const bounds = `${Number(values.window_start) - START_MS}..${Number(values.window_end) - START_MS}`
    return weight === 1 ? `${timing} ${bounds} ${values.n}` : `${timing} not ${bounds}`
  })

test('a session ends one gap after its last record; a record exactly there begins the next', () => {
  const job = live(perVisitor)
  assert.deepEqual(push(job, 0, 0, 999, 1998, 2998), [])
  assert.deepEqual(push(job, 4, 2998 + BOUND_MS), ['on-time 0..2998 3'])
  assert.deepEqual(push(job, 5, 9000), ['on-time 2998..3998 1', 'on-time 4498..5498 1'])
})

test('a record between two open sessions makes them one', () => {
  const job = live(perVisitor)
  assert.deepEqual(push(job, 0, 0, 1500, 800), [])
  job.finish()
  assert.deepEqual(due(job), ['on-time 0..2500 3'])
})

test('late data joins two closed sessions: both are taken back for the one that replaces them', () => {
  const job = live(planOf('who', false, 5000))
  assert.deepEqual(push(job, 0, 0, 1500, 4000), ['on-time 0..1000 1', 'on-time 1500..2500 1'])
  assert.deepEqual(push(job, 3, 700), [])
  job.tick({ atMs: 0, interval: false, idle: [] })
  assert.deepEqual(due(job), ['late not 0..1000', 'late not 1500..2500', 'late 0..2500 3'])
  assert.deepEqual(push(job, 4, 20_000), ['on-time 4000..5000 1'])
})

test('a closed session that grows past the watermark is open again, and replaced when it closes', () => {
  const job = live(perVisitor)
  assert.deepEqual(push(job, 0, 0, 2600), ['on-time 0..1000 1'])
  assert.deepEqual(push(job, 2, 500), [])
  assert.deepEqual(push(job, 3, 3000), ['on-time not 0..1000', 'on-time 0..1500 2'])
})

test('late is what would be too late as a session of its own', () => {
  const job = live(perVisitor)
  push(job, 0, 0, 5000)
  job.push(
    batchOf(
      'visits',
      0,
      2,
      [2500, 2501].map((at) => textOf({ who: 'u', page: null, cents: 1, at: START_MS + at })),
    ),
  )
  assert.deepEqual(
    job.take().lateRecords.map(({ offset }) => offset),
    [2],
  )
})

test('a running row is taken back when its session has grown', () => {
  const job = live(planOf('who', true, 0))
  const tick = (): string[] => {
    job.tick({ atMs: 0, interval: true, idle: [] })
    return due(job)
  }
  push(job, 0, 0)
  assert.deepEqual(tick(), ['early 0..1000 1'])
  assert.deepEqual(tick(), [])
  push(job, 1, 300, 100)
  assert.deepEqual(tick(), ['early not 0..1000', 'early 0..1300 3'])
  push(job, 3, 200)
  assert.deepEqual(tick(), ['early 0..1300 4'])
  job.finish()
  assert.deepEqual(due(job), ['on-time 0..1300 4'])
})

test('a row taken back carries its key and nulls', () => {
  const job = live(planOf('who', true, 0))
  push(job, 0, 0)
  job.tick({ atMs: 0, interval: true, idle: [] })
  job.take()
  job.push(batchOf('visits', 0, 1, [textOf({ who: 'u', page: 'p', cents: 1, at: START_MS + 1 })]))
  job.finish()
  const [batch] = job.take().results
  assert.ok(batch)
  assert.equal(encodeKey(batch, 0), '["2026-01-01T00:00:00Z","2026-01-01T00:00:01Z","u"]')
  assert.match(explain(batch.plan), /session, gap 1 s\n {2}by who\n/)
  assert.throws(() => session({ gapMs: 0 }), /session window', gapMs: 0 is not a positive number of milliseconds/)
})

// --- against sessions found by sorting ---

interface Taken {
  readonly visit: Visit
  readonly partition: number
  readonly offset: number
}
class Naive {
  readonly #latenessMs: number
  readonly #bounded: boolean
  readonly #grouping: Grouping
  readonly #watermarks = new Array<number>(PARTITIONS).fill(Number.NEGATIVE_INFINITY)
  readonly #idle = new Array<boolean>(PARTITIONS).fill(false)
  #global = Number.NEGATIVE_INFINITY
  readonly taken: Taken[] = []
  readonly late: string[] = []
  constructor(grouping: Grouping, latenessMs: number, bounded: boolean) {
    this.#grouping = grouping
    this.#latenessMs = bounded ? 0 : latenessMs
    this.#bounded = bounded
  }
  idle(partition: number): void {
    this.#idle[partition] = true
    this.#advance()
  }
  push(partition: number, offset: number, made: readonly Visit[]): void {
    if (this.#idle[partition]) this.#watermarks[partition] = Math.max(this.#watermarks[partition]!, this.#global)
    this.#idle[partition] = false
    made.forEach((visit, i) => {
      if (!this.#bounded) this.#watermarks[partition] = Math.max(this.#watermarks[partition]!, visit.at - BOUND_MS)
      if (visit.at + GAP_MS + this.#latenessMs <= this.#watermarks[partition]!)
        this.late.push(`${partition}/${offset + i}`)
      else this.taken.push({ visit, partition, offset: offset + i })
    })
    this.#advance()
  }
  #advance(): void {
    const active = this.#watermarks.filter((_, i) => !this.#idle[i])
    if (active.length > 0) this.#global = Math.max(this.#global, Math.min(...active))
  }
  table(): Map<string, { row: object; of: readonly Taken[] }> {
    const groups = Map.groupBy(this.taken, ({ visit }) => (this.#grouping === 'none' ? null : visit.who))
    const table = new Map<string, { row: object; of: readonly Taken[] }>()
    for (const [who, all] of groups) {
      const sorted = all.toSorted((a, b) => a.visit.at - b.visit.at || a.partition - b.partition || a.offset - b.offset)
      for (let i = 0; i < sorted.length; ) {
        const of = [sorted[i]!]
        while (++i < sorted.length && sorted[i]!.visit.at - of.at(-1)!.visit.at < GAP_MS) of.push(sorted[i]!)
        const [startMs, endMs] = [of[0]!.visit.at, of.at(-1)!.visit.at + GAP_MS]
        const paged = of.filter(({ visit }) => visit.page !== null)
        const pages = [...new Set(paged.map(({ visit }) => visit.page ?? ''))].sort()
        const dearest = Math.max(...paged.map(({ visit }) => visit.cents))
        table.set(keyOf(startMs, endMs, who), {
          of,
          row: {
            window_start: startMs,
            window_end: endMs,
            ...(this.#grouping === 'none' ? {} : { who }),
            n: of.length,
            spent: of.reduce((total, { visit }) => total + visit.cents, 0),
            most: Math.max(...of.map(({ visit }) => visit.cents)),
            least: paged.length === 0 ? null : Math.min(...paged.map(({ visit }) => visit.cents)),
            pages: new Set(paged.map(({ visit }) => visit.page)).size,
            opened: paged[0]?.visit.page ?? null,
            left: paged.at(-1)?.visit.page ?? null,
            dearest: paged.find(({ visit }) => visit.cents === dearest)?.visit.page ?? null,
            lowest: pages[0] ?? null,
            at: paged.find(({ visit }) => visit.page === pages.at(-1))?.visit.at ?? null,
            spread: spreadOf(of.map(({ visit }) => visit.cents)),
            median: medianOf(paged.map(({ visit }) => visit.cents)),
            each: pages.length === 0 ? null : Math.floor((200 * of.length + pages.length) / (2 * pages.length)),
          },
        })
      }
    }
    return table
  }
}
/** In squared dollars; sums of cents and their squares are exact here, and so is all but the division. */
function spreadOf(cents: readonly number[]): number {
  const sum = cents.reduce((a, b) => a + b, 0)
  const squares = cents.reduce((a, b) => a + b * b, 0)
  return (cents.length * squares - sum * sum) / (cents.length * cents.length * 10_000)
}
function medianOf(cents: readonly number[]): number | null {
  const middle = [...cents].sort((a, b) => a - b)[Math.ceil(cents.length / 2) - 1]
  return middle === undefined ? null : middleOf(bucketOf(middle), true) / 100
}
const keyOf = (...parts: unknown[]): string => JSON.stringify(parts)

/** What stands outside after these rows. */
function apply(rows: readonly PlainRow[], outside: Map<string, object>, where: string): void {
  for (const { weight, values } of rows) {
    const key = keyOf(values.window_start, values.window_end, values.who ?? null)
    if (weight === 1) outside.set(key, values)
    else assert.ok(outside.delete(key), `took back ${key}, which does not stand; ${where}`)
  }
}
function visitsOf(random: RandomStream, count: number, clock: { now: number }): Visit[] {
  return Array.from({ length: count }, () => {
    clock.now += random.below(250)
    if (random.below(50) === 0) clock.now += 6000
    const behind = random.below(4) === 0 ? random.below(6000) : random.below(1400)
    return {
      who: random.below(8) === 0 ? null : `u${random.below(4)}`,
      page: random.below(4) === 0 ? null : `p${random.below(5)}`,
      cents: random.below(1000),
      at: START_MS + clock.now - behind,
    }
  })
}

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 25)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)
for (const grouping of ['none', 'who'] as const)
  for (const bounded of [false, true])
    test(`sessions by ${grouping}, ${bounded ? 'bounded' : 'live'}: every row is a session of what came, restored or not`, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/session-windows.test.ts (${grouping})`
        const random = randomStream(`sessions/${grouping}/${seed}`)
        const latenessMs = [0, 700, 3000][seed % 3]!
        const plan = planOf(grouping, seed % 2 === 0, latenessMs)
        const naive = new Naive(grouping, latenessMs, bounded)
        const outside = new Map<string, object>()
        const late: string[] = []
        const offsets = new Array<number>(PARTITIONS).fill(0)
        const clock = { now: 0 }
        let job = openJob([plan], { bounded })
        const see = (where: string): void => {
          const output = job.take()
          for (const one of output.lateRecords) late.push(`${one.partition}/${one.offset}`)
          const rows = plainRows(output)
          const table = naive.table()
          for (const { weight, values, timing, evidence } of rows) {
            if (weight !== 1) continue
            const held = table.get(keyOf(values.window_start, values.window_end, values.who ?? null))
            assert.deepEqual(values, held?.row, `${timing} row at ${where}; ${replay}`)
            for (const { partition, offset } of held?.of ?? []) {
              const within = evidence.find((one) => one.partition === partition)
              assert.ok(within && offset >= within.offsetMin && offset <= within.offsetMax, `evidence; ${replay}`)
            }
          }
          apply(rows, outside, `${where}; ${replay}`)
        }
        for (let step = 0; step < 120; step++) {
          if (random.below(10) === 0) {
            const snapshot = job.snapshot()
            job = openJob([plan], { bounded })
            job.restore(snapshot)
            assert.deepEqual(job.snapshot(), snapshot, `a restored job is the same job at step ${step}; ${replay}`)
          }
          if (random.below(5) === 0) {
            const idle = random.below(3) === 0 ? [{ topic: 'visits', partition: random.below(PARTITIONS) }] : []
            for (const { partition } of idle) naive.idle(partition)
            job.tick({ atMs: step * 1000, interval: random.below(2) === 0, idle })
          } else {
            const partition = random.below(PARTITIONS)
            const made = visitsOf(random, 1 + random.below(6), clock)
            naive.push(partition, offsets[partition]!, made)
            job.push(batchOf('visits', partition, offsets[partition]!, made.map(textOf)))
            offsets[partition]! += made.length
          }
          see(`step ${step}`)
        }
        job.finish()
        see('the end')
        assert.deepEqual(late, naive.late, replay)
        const expected = [...naive.table()].map(([key, { row }]) => [key, row] as const)
        assert.deepEqual(new Map([...outside].sort()), new Map(expected.sort()), replay)
        // Nothing is kept of what is over.
        assert.ok(job.stateBytes() < 250_000, replay)
      }
    })

test('sessions and late records do not depend on batches or on how partitions interleave', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = randomStream(`sessions interleaving/${seed}`)
    const clock = { now: 0 }
    const queues: Visit[][] = Array.from({ length: PARTITIONS }, () => [])
    for (const visit of visitsOf(random, 400, clock)) queues[random.below(PARTITIONS)]!.push(visit)
    const outcome = (order: RandomStream): unknown => {
      const job = openJob([planOf('who', seed % 2 === 0, 2000)], { bounded: false })
      const taken = new Array<number>(PARTITIONS).fill(0)
      const outside = new Map<string, object>()
      const late: string[] = []
      const see = (): void => {
        const output = job.take()
        for (const one of output.lateRecords) late.push(`${one.partition}/${one.offset}`)
        apply(plainRows(output), outside, `MILLRACE_SEED=${seed}`)
      }
      while (queues.some((queue, i) => taken[i]! < queue.length)) {
        const partition = order.below(PARTITIONS)
        const batch = queues[partition]!.slice(taken[partition]!, taken[partition]! + 1 + order.below(20))
        job.push(batchOf('visits', partition, taken[partition]!, batch.map(textOf)))
        taken[partition]! += batch.length
        if (order.below(4) === 0) job.tick({ atMs: 0, interval: true, idle: [] })
        see()
      }
      job.finish()
      see()
      return { table: [...outside].sort(), late: late.sort() }
    }
    const first = outcome(randomStream(`order/${seed}/a`))
    for (const name of ['b', 'c', 'd'])
      assert.deepEqual(outcome(randomStream(`order/${seed}/${name}`)), first, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`)
  }
})
