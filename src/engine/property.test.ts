// Seeded property: the engine against a naive recomputation with plain arrays, under late data, idle partitions, ticks
// and restores in the middle. Every row that comes out must be what the records taken in so far make of its window.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import {
  argmax,
  average,
  calendar,
  count,
  countDistinct,
  cumulative,
  first,
  from,
  hopping,
  last,
  max,
  min,
  quantile,
  ratio,
  sum,
  tumbling,
  variance,
} from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, type PlainRow, plainRows } from './batches.suite.ts'
import { type Job, openJob, type Tick } from './engine.ts'

const PARTITIONS = 3
const BOUND_MS = 2000
const LATENESS_MS = 3000

const events = contract({
  topic: 'events',
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
    what: nullable({ kind: 'string' }, 'counted'),
    size: nullable({ kind: 'int64' }, 'number, maybe'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
    warmth: nullable({ kind: 'float64' }, 'any number, maybe'),
    hot: nullable({ kind: 'bool' }, 'truth, maybe'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

const stream = from(events).derive((e) => ({ total: e.price.times(3) }))
type Shape = 'tumbling' | 'hopping' | 'cumulative' | 'calendar'
type Grouping = 'none' | 'text' | 'two'
const DAY_MS = 86_400_000
const sizes = { tumbling: 2000, hopping: 6000, cumulative: 6000, calendar: DAY_MS }
const slides = { tumbling: 2000, hopping: 1000, cumulative: 1000, calendar: DAY_MS }

function planOf(shape: Shape, grouping: Grouping, emits: boolean): Plan {
  const windows = {
    tumbling: tumbling({ sizeMs: 2000 }),
    hopping: hopping({ sizeMs: 6000, slideMs: 1000 }),
    cumulative: cumulative({ sizeMs: 6000, stepMs: 1000 }),
    calendar: calendar('day'),
  }
  const windowed = stream.window(windows[shape])
  const grouped =
    grouping === 'none' ? windowed : grouping === 'text' ? windowed.groupBy('what') : windowed.groupBy('what', 'size')
  const table = grouped
    .aggregate((e) => ({
      n: count(),
      sized: count(e.size),
      volume: sum(e.size),
      revenue: sum(e.total),
      mean: average(e.total, { scale: 1 }),
      people: countDistinct(e.who),
      things: countDistinct(e.what),
      kinds: countDistinct(e.size),
      most: max(e.total),
      least: min(e.size),
      dear: countDistinct(e.who, { where: e.price.above(5) }),
      opener: first(e.what),
      closer: last(e.what),
      closed: last(e.size, { where: e.price.above(5) }),
      buyer: argmax(e.who, e.size),
      paid: argmax(e.total, e.price),
      lowest: min(e.what),
      highest: max(e.what, { where: e.price.above(5) }),
      newest: max(e.at),
      shown: min(e.hot),
      owner: argmax(e.price, e.what),
      spread: variance(e.total),
      heat: variance(e.warmth, { where: e.price.above(5) }),
      median: quantile(e.size, 0.5),
      dearly: quantile(e.price, 0.9, { where: e.price.above(5) }),
      warm: quantile(e.warmth, 0.25),
      each: ratio(count(), countDistinct(e.who), { scale: 3 }),
      range: ratio(max(e.price), min(e.size), { scale: 1 }),
    }))
    .lateness(LATENESS_MS)
  return (emits ? table.emit('on-change') : table).named(`${shape}-${grouping}`)
}

interface Event {
  readonly who: string
  readonly what: string | null
  readonly size: number | null
  readonly price: number
  readonly warmth: number | null
  readonly hot: boolean | null
  readonly at: number
}
type Action =
  | { readonly kind: 'push'; readonly partition: number; readonly offset: number; readonly events: readonly Event[] }
  | { readonly kind: 'tick'; readonly tick: Tick }

function script(random: RandomStream, shape: Shape, steps: number): Action[] {
  const actions: Action[] = []
  const offsets = new Array<number>(PARTITIONS).fill(0)
  const stretch = shape === 'calendar' ? DAY_MS / 3000 : 1
  let now = random.below(2) === 0 ? -5000 : 1_700_000_000_000
  for (let step = 0; step < steps; step++) {
    if (random.below(5) === 0) {
      const idle = random.below(3) === 0 ? [{ topic: 'events', partition: random.below(PARTITIONS) }] : []
      actions.push({ kind: 'tick', tick: { atMs: step * 1000, interval: random.below(2) === 0, idle } })
      continue
    }
    const partition = random.below(PARTITIONS)
    const made: Event[] = []
    const size = 1 + random.below(6)
    for (let i = 0; i < size; i++) {
      now += random.below(400) * stretch
      if (random.below(60) === 0) now += 9000 * stretch
      const behind = random.below(4) === 0 ? random.below(9000) : random.below(1500)
      made.push({
        who: `u${random.below(4)}`,
        what: random.below(5) === 0 ? null : `t${random.below(3)}`,
        size: random.below(4) === 0 ? null : random.below(4) - 1,
        price: random.below(1000),
        warmth: random.below(4) === 0 ? null : (random.below(2000) - 1000) * 10 ** (random.below(12) - 6),
        hot: random.below(3) === 0 ? null : random.below(2) === 0,
        at: Math.floor(now - behind * stretch),
      })
    }
    actions.push({ kind: 'push', partition, offset: offsets[partition] ?? 0, events: made })
    offsets[partition] = (offsets[partition] ?? 0) + size
  }
  return actions
}

const textOf = (event: Event): string =>
  JSON.stringify({ ...event, price: event.price / 100, at: new Date(event.at).toISOString() })

function act(job: Job, action: Action): void {
  if (action.kind === 'tick') job.tick(action.tick)
  else job.push(batchOf('events', action.partition, action.offset, action.events.map(textOf)))
}

type NaiveRow = { readonly [column: string]: unknown }
/** The same rules in the plainest way: what was taken in, what came too late. */
class Naive {
  readonly #slideMs: number
  readonly #bounded: boolean
  readonly #watermarks = new Array<number>(PARTITIONS).fill(Number.NEGATIVE_INFINITY)
  readonly #idle = new Array<boolean>(PARTITIONS).fill(false)
  #global = Number.NEGATIVE_INFINITY
  readonly taken: { readonly event: Event; readonly partition: number; readonly offset: number }[] = []
  readonly late: string[] = []

  constructor(slideMs: number, bounded: boolean) {
    this.#slideMs = slideMs
    this.#bounded = bounded
  }
  act(action: Action): void {
    if (action.kind === 'tick') for (const { partition } of action.tick.idle) this.#idle[partition] = true
    else {
      const { partition } = action
      if (this.#idle[partition]) this.#watermarks[partition] = Math.max(this.#watermarks[partition]!, this.#global)
      this.#idle[partition] = false
      action.events.forEach((event, i) => {
        if (!this.#bounded) this.#watermarks[partition] = Math.max(this.#watermarks[partition]!, event.at - BOUND_MS)
        const paneEnd = (Math.floor(event.at / this.#slideMs) + 1) * this.#slideMs
        if (paneEnd + LATENESS_MS <= this.#watermarks[partition]!) this.late.push(`${partition}/${action.offset + i}`)
        else this.taken.push({ event, partition, offset: action.offset + i })
      })
    }
    const active = this.#watermarks.filter((_, i) => !this.#idle[i])
    if (active.length > 0) this.#global = Math.max(this.#global, Math.min(...active))
  }
  /** The row of a window and group, or null if it holds no record. */
  row(startMs: number, endMs: number, grouping: Grouping, what: unknown, size: unknown): NaiveRow | null {
    const held = this.taken.filter(
      ({ event }) =>
        event.at >= startMs &&
        event.at < endMs &&
        (grouping === 'none' || event.what === what) &&
        (grouping !== 'two' || event.size === size),
    )
    if (held.length === 0) return null
    const rows = held.map(({ event }) => event)
    const inTime = held
      .toSorted((a, b) => a.event.at - b.event.at || a.partition - b.partition || a.offset - b.offset)
      .map(({ event }) => event)
    const present = rows.flatMap(({ size }) => (size === null ? [] : [size]))
    const revenue = rows.reduce((total, { price }) => total + price * 3, 0)
    const distinct = (values: readonly unknown[]): number => new Set(values.filter((value) => value !== null)).size
    return {
      window_start: startMs,
      window_end: endMs,
      ...(grouping === 'none' ? {} : { what }),
      ...(grouping === 'two' ? { size } : {}),
      n: rows.length,
      sized: present.length,
      volume: present.length === 0 ? null : present.reduce((a, b) => a + b, 0),
      revenue,
      mean: Math.floor((2 * revenue + rows.length * 10) / (2 * rows.length * 10)),
      people: distinct(rows.map(({ who }) => who)),
      things: distinct(rows.map(({ what }) => what)),
      kinds: distinct(rows.map(({ size }) => size)),
      most: Math.max(...rows.map(({ price }) => price * 3)),
      least: present.length === 0 ? null : Math.min(...present),
      dear: distinct(rows.flatMap(({ who, price }) => (price > 500 ? [who] : []))),
      opener: inTime.find(({ what }) => what !== null)?.what ?? null,
      closer: inTime.findLast(({ what }) => what !== null)?.what ?? null,
      closed: inTime.findLast(({ size, price }) => size !== null && price > 500)?.size ?? null,
      buyer: present.length === 0 ? null : inTime.find(({ size }) => size === Math.max(...present))?.who,
      paid: Math.max(...rows.map(({ price }) => price * 3)),
      lowest: textsOf(rows)[0] ?? null,
      highest: textsOf(rows.filter(({ price }) => price > 500)).at(-1) ?? null,
      newest: Math.max(...rows.map(({ at }) => at)),
      shown: rows.every(({ hot }) => hot === null) ? null : !rows.some(({ hot }) => hot === false),
      owner: inTime.find(({ what }) => what !== null && what === textsOf(rows).at(-1))?.price ?? null,
      spread: naiveVariance(rows.map(({ price }) => [BigInt(price * 3), 100n])),
      heat: naiveVariance(
        rows.flatMap(({ warmth, price }) => (warmth === null || price <= 500 ? [] : [fraction(warmth)])),
      ),
      median: quantileOf(present, 0.5),
      dearly: quantileOf(
        rows.flatMap(({ price }) => (price > 500 ? [price / 100] : [])),
        0.9,
      ),
      warm: quantileOf(
        rows.flatMap(({ warmth }) => (warmth === null ? [] : [warmth])),
        0.25,
      ),
      each: half(rows.length * 1000, distinct(rows.map(({ who }) => who))),
      range:
        present.length === 0 || Math.min(...present) === 0
          ? null
          : half(Math.max(...rows.map(({ price }) => price)), Math.min(...present) * 10),
    }
  }
  /** The final table: every window and group that holds a record. */
  table(shape: Shape, grouping: Grouping): Map<string, NaiveRow> {
    const table = new Map<string, NaiveRow>()
    for (const { event } of this.taken) {
      for (const [startMs, endMs] of windowsOf(shape, event.at)) {
        const key = JSON.stringify([startMs, endMs, ...groupKey(grouping, event.what, event.size)])
        const row = table.has(key) ? null : this.row(startMs, endMs, grouping, event.what, event.size)
        if (row !== null) table.set(key, row)
      }
    }
    return table
  }
  /** Are the offsets of the window's records within the row's evidence? */
  covers({ values, evidence }: PlainRow): boolean {
    return this.taken.every(({ event, partition, offset }) => {
      if (event.at < Number(values.window_start) || event.at >= Number(values.window_end)) return true
      const of = evidence.find((one) => one.partition === partition)
      return of !== undefined && offset >= of.offsetMin && offset <= of.offsetMax
    })
  }
}
const textsOf = (rows: readonly Event[]): string[] =>
  rows
    .flatMap(({ what }) => (what === null ? [] : [what]))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
/** Half away from zero. */
const half = (over: number, under: number): number => {
  const quotient = Math.floor((2 * Math.abs(over) + Math.abs(under)) / (2 * Math.abs(under)))
  return over < 0 === under < 0 ? quotient : 0 - quotient
}
/** A float64 as the exact fraction it is. */
function fraction(value: number): [bigint, bigint] {
  let [over, under] = [value, 1n]
  while (!Number.isInteger(over)) {
    over *= 2
    under *= 2n
  }
  return [BigInt(over), under]
}
/** Of the population: exact, then rounded once. */
function naiveVariance(values: readonly (readonly [bigint, bigint])[]): number | null {
  if (values.length === 0) return null
  // Powers of two and a hundred: their product is a multiple of each.
  const under = [...new Set(values.map(([, one]) => one))].reduce((a, b) => a * b, 1n)
  const whole = values.map(([over, one]) => over * (under / one))
  const n = BigInt(values.length)
  const sum = whole.reduce((a, b) => a + b, 0n)
  const squares = whole.reduce((a, b) => a + b * b, 0n)
  const shift = 200n
  return Number(((n * squares - sum * sum) << shift) / (n * n * under * under)) / 2 ** Number(shift)
}
/** What may stand for the quantile: anything within 1/256 of it. */
function quantileOf(values: readonly number[], fraction: number): number | null {
  if (values.length === 0) return null
  return [...values].sort((a, b) => a - b)[Math.max(1, Math.ceil(fraction * values.length)) - 1] ?? null
}
const sketched = ['median', 'dearly', 'warm'] as const
/** A row with the sketched values of another where they are within the tolerance of its own. */
function within(row: { readonly [column: string]: unknown }, other: { readonly [column: string]: unknown }): object {
  const made: { [column: string]: unknown } = { ...row }
  for (const name of sketched) {
    const [value, near] = [row[name], other[name]]
    if (typeof value === 'number' && typeof near === 'number' && Math.abs(value - near) <= Math.abs(value) / 256)
      made[name] = near
  }
  return made
}
/** The windows that hold a time. */
function windowsOf(shape: Shape, at: number): [number, number][] {
  const [sizeMs, slideMs] = [sizes[shape], slides[shape]]
  const paneEnd = (Math.floor(at / slideMs) + 1) * slideMs
  const steps = Array.from({ length: sizeMs / slideMs }, (_, i) => i * slideMs)
  if (shape !== 'cumulative') return steps.map((step) => [paneEnd - sizeMs + step, paneEnd + step])
  const startMs = Math.floor(at / sizeMs) * sizeMs
  return steps.map((step): [number, number] => [startMs, startMs + step + slideMs]).filter(([, end]) => end >= paneEnd)
}
const groupKey = (grouping: Grouping, what: unknown, size: unknown): unknown[] =>
  grouping === 'none' ? [] : grouping === 'text' ? [what] : [what, size]

const shapes: readonly Shape[] = ['tumbling', 'hopping', 'cumulative', 'calendar']
const groupings: readonly Grouping[] = ['none', 'text', 'two']
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 12)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

for (const shape of shapes)
  for (const grouping of groupings)
    for (const bounded of [false, true])
      test(`${shape} by ${grouping}, ${bounded ? 'bounded' : 'live'}: every row is what its window holds, restored or not`, () => {
        for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
          const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/property.test.ts (${shape} ${grouping})`
          const random = randomStream(`${shape}/${grouping}/${seed}`)
          const plan = planOf(shape, grouping, seed % 2 === 0)
          let job = openJob([plan], { bounded })
          const naive = new Naive(slides[shape], bounded)
          const final = new Map<string, NaiveRow>()
          const onTime = new Set<string>()
          const late: string[] = []
          const see = (where: string): void => {
            const output = job.take()
            for (const one of output.lateRecords) late.push(`${one.partition}/${one.offset}`)
            assert.equal(output.deadLetters.length, 0)
            for (const row of plainRows(output)) {
              const { window_start, window_end, what, size } = row.values
              const expected = naive.row(Number(window_start), Number(window_end), grouping, what, size)
              assert.deepEqual(
                row.values,
                expected && within(expected, row.values),
                `${row.timing} row ${row.json} at ${where}; ${replay}`,
              )
              assert.ok(naive.covers(row), `evidence of ${row.timing} ${row.json} at ${where}; ${replay}`)
              const key = JSON.stringify([window_start, window_end, ...groupKey(grouping, what, size)])
              if (row.timing === 'on-time') assert.ok(!onTime.has(key), `on time twice: ${key}; ${replay}`)
              if (row.timing === 'on-time') onTime.add(key)
              final.set(key, row.values)
            }
          }
          script(random, shape, 120).forEach((action, step) => {
            if (random.below(10) === 0) {
              const snapshot = job.snapshot()
              job = openJob([plan], { bounded })
              job.restore(snapshot)
              assert.deepEqual(job.snapshot(), snapshot, `a restored job is the same job at step ${step}; ${replay}`)
            }
            naive.act(action)
            act(job, action)
            see(`step ${step}`)
          })
          job.finish()
          see('the end')
          assert.deepEqual(late, naive.late, replay)
          const expected = [...naive.table(shape, grouping)].map(([key, row]): [string, object] => [
            key,
            within(row, final.get(key) ?? {}),
          ])
          assert.deepEqual(new Map([...final].sort()), new Map(expected.sort()), replay)
          const ledger = job.ledger().reduce((sum, line) => sum + line.late, 0)
          assert.equal(ledger, naive.late.length, replay)
        }
      })

test('final tables and late records do not depend on batches or on how partitions interleave', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = randomStream(`interleaving/${seed}`)
    const pushes = script(random, 'hopping', 150).flatMap((action) => (action.kind === 'push' ? [action] : []))
    const outcome = (order: RandomStream): { table: [string, string][]; late: string[] } => {
      const queues = Array.from({ length: PARTITIONS }, (_, partition) =>
        pushes.filter((push) => push.partition === partition).flatMap((push) => push.events),
      )
      const plans = [
        planOf('hopping', 'text', false),
        planOf('tumbling', 'none', false),
        planOf('cumulative', 'text', false),
      ]
      const job = openJob(plans, { bounded: false })
      const taken = new Array<number>(PARTITIONS).fill(0)
      const table = new Map<string, string>()
      const late: string[] = []
      const see = (): void => {
        const output = job.take()
        for (const one of output.lateRecords) late.push(`${one.plan}/${one.partition}/${one.offset}`)
        for (const { plan, values, json } of plainRows(output))
          table.set(JSON.stringify([plan, values.window_start, values.window_end, values.what]), json)
      }
      while (queues.some((queue, i) => taken[i]! < queue.length)) {
        const partition = order.below(PARTITIONS)
        const from = taken[partition]!
        const batch = queues[partition]!.slice(from, from + 1 + order.below(20))
        taken[partition] = from + batch.length
        job.push(batchOf('events', partition, from, batch.map(textOf)))
        see()
      }
      job.finish()
      see()
      return { table: [...table].sort(), late: late.sort() }
    }
    const first = outcome(randomStream(`order/${seed}/a`))
    assert.ok(first.table.length > 50)
    for (const name of ['b', 'c', 'd'])
      assert.deepEqual(
        outcome(randomStream(`order/${seed}/${name}`)),
        first,
        `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`,
      )
  }
})
