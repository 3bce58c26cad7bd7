// Running group-by, `over` and decayed sums: named cases, and seeded properties against plain recomputation: late data,
// restores in the middle, batches and partitions in any order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import {
  argmax,
  average,
  count,
  countDistinct,
  first,
  from,
  last,
  max,
  min,
  quantile,
  ratio,
  sum,
  tumbling,
  variance,
  when,
} from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, type PlainRow, plainRows } from './batches.suite.ts'
import { type Job, openJob, StateLimitError } from './engine.ts'
import { bucketOf, middleOf } from './sketch.ts'

const PARTITIONS = 3
const BOUND_MS = 1500

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
    who: nullable({ kind: 'string' }, 'key'),
    what: nullable({ kind: 'string' }, 'counted'),
    cents: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
    weight: nullable({ kind: 'float64' }, 'any number'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

const stream = from(events)
type Columns = Parameters<Parameters<typeof stream.derive>[0]>[0]
const aggregates = (e: Columns) => ({
  n: count(),
  spent: sum(e.cents),
  mean: average(e.cents, { scale: 3 }),
  things: countDistinct(e.what),
  dear: countDistinct(e.cents, { where: e.cents.above(5) }),
  most: max(e.cents),
  least: min(e.what),
  opener: first(e.what),
  closer: last(e.what),
  dearest: argmax(e.what, e.cents),
  spread: variance(e.weight),
  median: quantile(e.cents, 0.5),
  each: ratio(count(), countDistinct(e.what), { scale: 2 }),
})
type Key = 'who' | 'what'
const over = (rangeMs: number, by: readonly Key[], latenessMs: number): Plan =>
  stream.over({ by, rangeMs }, aggregates).lateness(latenessMs).named('over')
const running = (groups: readonly Key[]): Plan =>
  stream
    .groupBy(...groups)
    .aggregate(aggregates)
    .named('running')
const decayed = (halfLifeMs: number, by: readonly Key[], column: 'cents' | 'weight', latenessMs: number): Plan =>
  stream
    .decayedSum('trend', { by, of: (e) => e[column], halfLifeMs })
    .lateness(latenessMs)
    .named('decayed')

interface Event {
  readonly who: string | null
  readonly what: string | null
  readonly cents: number | null
  readonly weight: number | null
  readonly at: number
}
interface Taken extends Event {
  readonly partition: number
  readonly offset: number
}
const textOf = (event: Event): string =>
  JSON.stringify({
    ...event,
    cents: event.cents === null ? null : event.cents / 100,
    at: new Date(event.at).toISOString(),
  })

const START_MS = Date.UTC(2026, 0, 1)
function eventsOf(random: RandomStream, clock: { now: number }, count: number): Event[] {
  return Array.from({ length: count }, () => {
    clock.now += random.below(200)
    if (random.below(60) === 0) clock.now += 6000
    const behind = random.below(5) === 0 ? random.below(6000) : random.below(1400)
    return {
      who: random.below(8) === 0 ? null : `u${random.below(4)}`,
      what: random.below(4) === 0 ? null : `${['é', 'z', '😀', 'ﾮ'][random.below(4)]}`,
      cents: random.below(5) === 0 ? null : random.below(2000) - 500,
      weight: random.below(4) === 0 ? null : (random.below(2000) - 1000) * 10 ** (random.below(8) - 4),
      // Often the same moment.
      at: START_MS + Math.floor((clock.now - behind) / 100) * 100,
    }
  })
}
const inTime = (rows: readonly Taken[]): Taken[] =>
  rows.toSorted((a, b) => a.at - b.at || a.partition - b.partition || a.offset - b.offset)
const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The aggregates of these rows, in the plainest way. */
function aggregatesOf(of: readonly Taken[]): { readonly [name: string]: unknown } {
  const rows = inTime(of)
  const paid = rows.filter(({ cents }) => cents !== null)
  const total = paid.reduce((all, { cents }) => all + (cents ?? 0), 0)
  const said = rows.filter(({ what }) => what !== null)
  const words = [...new Set(said.map(({ what }) => what ?? ''))].sort(bytes)
  const most = Math.max(...paid.map(({ cents }) => cents ?? 0))
  const both = said.filter(({ cents }) => cents !== null)
  const dearest = Math.max(...both.map(({ cents }) => cents ?? 0))
  const weights = rows.flatMap(({ weight }) => (weight === null ? [] : [weight]))
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length
  const middle = paid.map(({ cents }) => cents ?? 0).sort((a, b) => a - b)[Math.ceil(paid.length / 2) - 1]
  return {
    n: rows.length,
    spent: paid.length === 0 ? null : total,
    mean: paid.length === 0 ? null : half(total * 10, paid.length),
    things: words.length,
    dear: new Set(paid.flatMap(({ cents }) => ((cents ?? 0) > 500 ? [cents] : []))).size,
    most: paid.length === 0 ? null : most,
    least: words[0] ?? null,
    opener: said[0]?.what ?? null,
    closer: said.at(-1)?.what ?? null,
    dearest: both.find(({ cents }) => cents === dearest)?.what ?? null,
    spread: weights.length === 0 ? null : weights.reduce((all, one) => all + (one - mean) ** 2, 0) / weights.length,
    median: middle === undefined ? null : middleOf(bucketOf(middle), true) / 100,
    each: words.length === 0 ? null : half(rows.length * 100, words.length),
  }
}
/** Half away from zero. */
function half(over: number, under: number): number {
  const quotient = Math.floor((2 * Math.abs(over) + under) / (2 * under))
  return over < 0 ? 0 - quotient : quotient
}
/** The variance of floats is compared within rounding of the naive one. */
function near(row: { readonly [name: string]: unknown }, other: { readonly [name: string]: unknown }): object {
  const [value, naive] = [row.spread, other.spread]
  if (typeof value !== 'number' || typeof naive !== 'number') return row
  return Math.abs(value - naive) <= 1e-9 * (1 + naive) ? { ...row, spread: naive } : row
}

/** What was taken in, and what came too late. */
class Naive {
  readonly #latenessMs: number
  readonly #watermarks = new Array<number>(PARTITIONS).fill(Number.NEGATIVE_INFINITY)
  readonly taken: Taken[] = []
  readonly late: string[] = []
  constructor(latenessMs: number) {
    this.#latenessMs = latenessMs
  }
  push(partition: number, offset: number, made: readonly Event[]): void {
    made.forEach((event, i) => {
      const watermarkMs = Math.max(this.#watermarks[partition]!, event.at - BOUND_MS)
      this.#watermarks[partition] = watermarkMs
      if (event.at < watermarkMs - this.#latenessMs) this.late.push(`${partition}/${offset + i}`)
      else this.taken.push({ ...event, partition, offset: offset + i })
    })
  }
  /** Rows before this have come out. */
  get limitMs(): number {
    return Math.min(...this.#watermarks) - this.#latenessMs
  }
}

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 20)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)
const replayOf = (seed: number): string =>
  `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/keyed.test.ts`

/** Random pushes, ticks and restores; `see` is called after each with the rows that came. */
function drive(
  plan: Plan,
  naive: Naive,
  random: RandomStream,
  see: (rows: readonly PlainRow[], where: string) => void,
): Job {
  let job = openJob([plan], { bounded: false })
  const clock = { now: 0 }
  const offsets = new Array<number>(PARTITIONS).fill(0)
  const late: string[] = []
  const take = (where: string): void => {
    const output = job.take()
    assert.equal(output.deadLetters.length, 0)
    for (const one of output.lateRecords) late.push(`${one.partition}/${one.offset}`)
    see(plainRows(output), where)
  }
  for (let step = 0; step < 80; step++) {
    if (random.below(8) === 0) {
      const snapshot = job.snapshot()
      job = openJob([plan], { bounded: false })
      job.restore(snapshot)
      assert.deepEqual(job.snapshot(), snapshot, `a restored job is the same job at step ${step}`)
    }
    if (random.below(6) === 0) job.tick({ atMs: step * 1000, interval: true, idle: [] })
    else {
      const partition = random.below(PARTITIONS)
      const events = eventsOf(random, clock, 1 + random.below(8))
      naive.push(partition, offsets[partition]!, events)
      job.push(batchOf('events', partition, offsets[partition]!, events.map(textOf)))
      offsets[partition]! += events.length
    }
    take(`step ${step}`)
  }
  job.finish()
  take('the end')
  assert.deepEqual(late, naive.late)
  return job
}

for (const keys of [[], ['who'], ['who', 'what']] as readonly Key[][])
  for (const latenessMs of [0, 2500])
    test(`over by ${keys.join(' and ') || 'nothing'}, lateness ${latenessMs}: every row is what its range holds, once, in time`, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const random = randomStream(`over/${keys}/${latenessMs}/${seed}`)
        const rangeMs = [100, 1000, 7000][seed % 3]!
        const naive = new Naive(latenessMs)
        const seen: PlainRow[] = []
        const job = drive(over(rangeMs, keys, latenessMs), naive, random, (rows, where) => {
          seen.push(...rows)
          const due = naive.taken.filter(({ at }) => at < naive.limitMs || where === 'the end')
          assert.equal(seen.length, due.length, `${where}; ${replayOf(seed)}`)
        })
        const expected = inTime(naive.taken)
        seen.forEach(({ values, evidence, timing, weight }, i) => {
          const record = expected[i]!
          const held = naive.taken.filter(
            (other) =>
              other.at <= record.at &&
              other.at > record.at - rangeMs &&
              (!keys.includes('who') || other.who === record.who) &&
              (!keys.includes('what') || other.what === record.what),
          )
          const { who, what, cents, weight: heavy, at } = record
          const row = { who, what, cents, weight: heavy, at, ...aggregatesOf(held) }
          assert.deepEqual(near(values, row), row, replayOf(seed))
          assert.deepEqual([timing, weight], ['on-time', 1])
          for (const { partition, offset } of held) {
            const of = evidence.find((one) => one.partition === partition)
            assert.ok(of && offset >= of.offsetMin && offset <= of.offsetMax, `evidence; ${replayOf(seed)}`)
          }
        })
        assert.ok(job.stateBytes() < 400_000, `${job.stateBytes()} bytes; ${replayOf(seed)}`)
      }
    })

for (const groups of [[], ['who'], ['who', 'what']] as readonly Key[][])
  test(`running by ${groups.join(' and ') || 'nothing'}: every row is what its group holds so far, and nothing is late`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = randomStream(`running/${groups}/${seed}`)
      const naive = new Naive(Number.POSITIVE_INFINITY)
      const table = new Map<string, object>()
      const keyOf = (row: { readonly [name: string]: unknown }): string =>
        JSON.stringify(groups.map((name) => row[name]))
      drive(running(groups), naive, random, (rows, where) => {
        for (const { values, evidence, weight, timing } of rows) {
          const held = naive.taken.filter((event) => keyOf({ ...event }) === keyOf(values))
          const row = { ...Object.fromEntries(groups.map((name) => [name, values[name]])), ...aggregatesOf(held) }
          assert.deepEqual(near(values, row), row, `${where}; ${replayOf(seed)}`)
          assert.deepEqual([timing, weight], [where === 'the end' ? 'on-time' : 'early', 1])
          for (const { partition, offset } of held) {
            const of = evidence.find((one) => one.partition === partition)
            assert.ok(of && offset >= of.offsetMin && offset <= of.offsetMax, `evidence; ${replayOf(seed)}`)
          }
          table.set(keyOf(values), row)
        }
      })
      assert.equal(table.size, new Set(naive.taken.map((event) => keyOf({ ...event }))).size, replayOf(seed))
    }
  })

for (const column of ['cents', 'weight'] as const)
  for (const latenessMs of [0, 2500])
    test(`decayed sum of ${column}, lateness ${latenessMs}: within 10^-12 of what is left of the values`, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const random = randomStream(`decayed/${column}/${latenessMs}/${seed}`)
        const halfLifeMs = [50, 1000, 60_000][seed % 3]!
        const naive = new Naive(latenessMs)
        const seen: PlainRow[] = []
        drive(decayed(halfLifeMs, ['who'], column, latenessMs), naive, random, (rows) => seen.push(...rows))
        const expected = inTime(naive.taken)
        assert.equal(seen.length, expected.length)
        seen.forEach(({ values }, i) => {
          const { who, at } = expected[i]!
          assert.deepEqual([values.who, values.at], [who, at])
          let [sum, left] = [0, 0]
          for (const other of naive.taken) {
            if (other.who !== who || other.at > at) continue
            const value = (other[column] ?? 0) / (column === 'cents' ? 100 : 1)
            const weight = 2 ** ((other.at - at) / halfLifeMs)
            sum += value * weight
            // What 64 half-lives have left of a value may be forgotten.
            left += Math.abs(value) * (1e-12 * weight + 2 ** -64)
          }
          assert.ok(Math.abs(Number(values.trend) - sum) <= left, `${values.trend}, not ${sum}; ${replayOf(seed)}`)
        })
      }
    })

test('over and decayed sums do not depend on batches or on how partitions interleave: not in a bit, not in order', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = randomStream(`keyed interleaving/${seed}`)
    const clock = { now: 0 }
    const queues: Event[][] = Array.from({ length: PARTITIONS }, () => [])
    for (const event of eventsOf(random, clock, 250)) queues[random.below(PARTITIONS)]!.push(event)
    const outcome = (order: RandomStream): unknown => {
      const plans = [over(2000, ['who'], 1000), decayed(800, ['who'], 'weight', 1000), running(['what'])]
      const job = openJob(plans, { bounded: false })
      const taken = new Array<number>(PARTITIONS).fill(0)
      const rows: string[] = []
      const table = new Map<unknown, string>()
      const late: string[] = []
      const see = (): void => {
        const output = job.take()
        for (const one of output.lateRecords) late.push(`${one.plan}/${one.partition}/${one.offset}`)
        for (const { plan, json, values } of plainRows(output)) {
          if (plan === 'running') table.set(values.what, json)
          else rows.push(`${plan} ${json}`)
        }
      }
      while (queues.some((queue, i) => taken[i]! < queue.length)) {
        const partition = order.below(PARTITIONS)
        const batch = queues[partition]!.slice(taken[partition]!, taken[partition]! + 1 + order.below(20))
        job.push(batchOf('events', partition, taken[partition]!, batch.map(textOf)))
        taken[partition]! += batch.length
        if (order.below(4) === 0) job.tick({ atMs: 0, interval: true, idle: [] })
        see()
      }
      job.finish()
      see()
      const of = (plan: string): string[] => rows.filter((row) => row.startsWith(plan))
      return { over: of('over'), decayed: of('decayed'), running: [...table].sort(), late: late.sort() }
    }
    const one = outcome(randomStream(`keyed order/${seed}/a`))
    for (const name of ['b', 'c'])
      assert.deepEqual(outcome(randomStream(`keyed order/${seed}/${name}`)), one, replayOf(seed))
  }
})

test('state that grows without bound stops the job by name: running groups, open ranges', () => {
  for (const plan of [running(['who']), over(86_400_000, ['who'], 0), decayed(3_600_000, ['who'], 'cents', 0)]) {
    const job = openJob([plan], { bounded: false, partitions: { events: 1 }, stateBytesMax: 1_000_000 })
    const fill = (): void => {
      for (let i = 0; i < 60; i++) {
        const made = Array.from({ length: 1000 }, (_, k) => ({ who: `u${i}-${k}`, at: START_MS + i * 1000 + k }))
        job.push(
          batchOf(
            'events',
            0,
            i * 1000,
            made.map((one) => textOf({ what: null, cents: 1, weight: 1, ...one })),
          ),
        )
        job.take()
      }
    }
    assert.throws(
      fill,
      (error) => error instanceof StateLimitError && error.message.includes(`plan '${plan.name}' holds`),
      plan.name,
    )
  }
})

test('keys and moments that are over leave the state: a day of new keys in the memory of some seconds', () => {
  for (const plan of [over(2000, ['who'], 0), decayed(30, ['who'], 'cents', 0)]) {
    const job = openJob([plan], { bounded: false, partitions: { events: 1 } })
    let [peak, rows] = [0, 0]
    for (let i = 0; i < 150; i++) {
      const made = Array.from({ length: 500 }, (_, k) => ({ who: `u${i}-${k}`, at: START_MS + i * 1000 + k }))
      job.push(
        batchOf(
          'events',
          0,
          i * 500,
          made.map((one) => textOf({ what: `w${i}`, cents: 1, weight: 1, ...one })),
        ),
      )
      rows += plainRows(job.take()).length
      peak = Math.max(peak, job.stateBytes())
    }
    assert.ok(rows > 73_000, `${plan.name}: ${rows} rows`)
    assert.ok(peak < 12_000_000, `${plan.name}: ${peak} bytes`)
  }
})

test('a running table of a running table: groups whose rows move to another group are counted where they stand', () => {
  const plan = stream
    .groupBy('who')
    .aggregate((e) => ({ visits: count(), what: last(e.what) }))
    .groupBy('what')
    .aggregate((t) => ({ people: count(), visits: sum(t.visits) }))
    .named('nested')
  const job = openJob([plan], { bounded: false, partitions: { events: 1 } })
  const push = (offset: number, ...made: [string, string, number][]): string[] => {
    const texts = made.map(([who, what, at]) => textOf({ who, what, cents: null, weight: null, at: START_MS + at }))
    job.push(batchOf('events', 0, offset, texts))
    job.tick({ atMs: 0, interval: true, idle: [] })
    return plainRows(job.take()).map(({ weight, json }) => `${weight} ${json}`)
  }
  assert.deepEqual(push(0, ['ann', 'tea', 0], ['bob', 'tea', 1], ['bob', 'tea', 2]), [
    '1 {"what":"tea","people":2,"visits":3}',
  ])
  assert.deepEqual(push(3, ['bob', 'ice', 3]), [
    '1 {"what":"ice","people":1,"visits":3}',
    '1 {"what":"tea","people":1,"visits":1}',
  ])
  assert.deepEqual(push(4, ['ann', 'ice', 4]), [
    '-1 {"what":"tea","people":null,"visits":null}',
    '1 {"what":"ice","people":2,"visits":5}',
  ])
})

test('what follows a range keeps up: windows over its rows hold each row once, live and with late records', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = randomStream(`chain/${seed}`)
    const latenessMs = [0, 1500][seed % 2]!
    const plan = stream
      .over({ by: ['who'], rangeMs: 3000 }, (e) => ({ recent: count(), spent: sum(e.cents) }))
      .window(tumbling({ sizeMs: 2000 }))
      .groupBy('who')
      .aggregate((e) => ({ n: count(), busiest: max(e.recent), spent: max(e.spent) }))
      .lateness(latenessMs)
      .named('chain')
    const naive = new Naive(latenessMs)
    const table = new Map<string, unknown>()
    drive(plan, naive, random, (rows) => {
      for (const { values } of rows) table.set(JSON.stringify([values.window_start, values.who]), values)
    })
    const expected = new Map<string, unknown>()
    for (const { at, who } of naive.taken) {
      const startMs = Math.floor(at / 2000) * 2000
      const rows = naive.taken.filter((one) => one.who === who && Math.floor(one.at / 2000) * 2000 === startMs)
      const ranges = rows.map((row) =>
        naive.taken.filter((one) => one.who === who && one.at <= row.at && one.at > row.at - 3000),
      )
      const sums = ranges.map((of) => aggregatesOf(of).spent).filter((one) => one !== null) as number[]
      expected.set(JSON.stringify([startMs, who]), {
        window_start: startMs,
        window_end: startMs + 2000,
        who,
        n: rows.length,
        busiest: Math.max(...ranges.map(({ length }) => length)),
        spent: sums.length === 0 ? null : Math.max(...sums),
      })
    }
    assert.deepEqual(new Map([...table].sort()), new Map([...expected].sort()), replayOf(seed))
  }
})

test('trending: the top of running groups changes as they do', () => {
  const plan = stream
    .groupBy('what')
    .aggregate((e) => ({ n: count(), spent: sum(e.cents) }))
    .top({ rows: 2, by: 'n' })
    .named('trending')
  const job = openJob([plan], { bounded: false, partitions: { events: 1 } })
  let offset = 0
  const push = (...words: string[]): string[] => {
    const texts = words.map((what) => textOf({ who: null, what, cents: 1, weight: null, at: START_MS + offset }))
    job.push(batchOf('events', 0, offset, texts))
    offset += words.length
    job.tick({ atMs: 0, interval: true, idle: [] })
    return plainRows(job.take()).map(({ weight, values }) => `${weight} ${values.what} ${values.n}`)
  }
  assert.deepEqual(push('a', 'b', 'b'), ['1 b 2', '1 a 1'])
  assert.deepEqual(push('c', 'c', 'c'), ['-1 a null', '1 c 3'])
  assert.deepEqual(push('a', 'a', 'a'), ['-1 b null', '1 a 4'])
})

test('texts are chosen, stood in for, compared and grouped by; their dictionaries forget what nobody holds', () => {
  const plan = stream
    .derive((e) => ({
      kind: when(e.cents.above(10), 'dear').when(e.what.orElse('none').equals('none'), e.who).otherwise('cheap'),
      word: e.what.orElse(e.who).orElse('nobody'),
    }))
    .filter((e) => e.word.startsWith('x').not())
    .window(tumbling({ sizeMs: 1000 }))
    .groupBy('kind')
    .aggregate((e) => ({ n: count(), words: countDistinct(e.word), last_word: last(e.word), least: min(e.word) }))
    .named('kinds')
  let job = openJob([plan], { bounded: false, partitions: { events: 1 } })
  const event = (who: string | null, what: string | null, cents: number | null, at: number): string =>
    textOf({ who, what, cents, weight: null, at: START_MS + at })
  job.push(
    batchOf('events', 0, 0, [
      event('ann', 'tea', 2000, 0),
      event('bob', null, 2000, 1),
      event('bob', null, 5, 2),
      event(null, null, 5, 3),
      event('ann', 'tea', null, 4),
      event('x', null, 5, 5),
      event('ann', 'ice', 7, 6),
    ]),
  )
  const snapshot = job.snapshot()
  job = openJob([plan], { bounded: false, partitions: { events: 1 } })
  job.restore(snapshot)
  assert.deepEqual(job.snapshot(), snapshot)
  job.push(batchOf('events', 0, 7, [event('cy', 'tea', 3000, 10)]))
  job.finish()
  const rows = plainRows(job.take()).map(({ values: { kind, n, words, last_word, least } }) => [
    kind,
    n,
    words,
    last_word,
    least,
  ])
  assert.deepEqual(rows, [
    [null, 1, 1, 'nobody', 'nobody'],
    ['bob', 1, 1, 'bob', 'bob'],
    ['cheap', 2, 2, 'ice', 'ice'],
    ['dear', 3, 2, 'tea', 'bob'],
  ])

  job = openJob([plan], { bounded: false, partitions: { events: 1 } })
  let peak = 0
  for (let i = 0; i < 150; i++) {
    const made = Array.from({ length: 1000 }, (_, k) => event(`u${i}-${k}`, null, 5, i * 5000))
    job.push(batchOf('events', 0, i * 1000, made))
    assert.equal(
      job.take().results.every(({ count }) => count === 1000),
      true,
    )
    peak = Math.max(peak, job.stateBytes())
  }
  assert.ok(peak < 60_000_000, `${peak} bytes for 1,000 texts at a time out of 150,000`)
})
