// What graphs keep is bounded by time, whatever passes through, and a limit in bytes stops a job by name. Tops of streams.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { count, from, newestOf, tumbling } from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob, StateLimitError } from './engine.ts'

const topicOf = <const N extends string>(topic: N) =>
  contract({
    topic,
    version: 1,
    partitions: 1,
    key: 'id',
    eventTime: 'at',
    identity: 'id',
    outOfOrderMs: 0,
    idleTimeoutMs: 1000,
    futureLimitMs: 1000,
    doc: 'test events',
    fields: {
      id: field({ kind: 'string' }, 'identity'),
      who: nullable({ kind: 'string' }, 'group'),
      n: nullable({ kind: 'int64' }, 'number'),
      at: field({ kind: 'timestamp' }, 'when'),
    },
  })
const [a, b] = [topicOf('a'), topicOf('b')]
const other = from(b).rename({ id: 'other', at: 'then', n: 'm', who: 'whose' })

interface Event {
  readonly id: string
  readonly who: string | null
  readonly n: number | null
  readonly at: number
}
const textOf = (event: Event): string => JSON.stringify({ ...event, at: new Date(event.at).toISOString() })
const push = (job: Job, topic: string, offset: number, events: readonly Event[]): void =>
  job.push(batchOf(topic, 0, offset, events.map(textOf)))

const bounded: readonly (readonly [string, Plan, (row: { readonly [column: string]: unknown }) => boolean])[] = [
  [
    'an interval join',
    from(a)
      .join(other, { how: 'interval', side: 'inner', on: { id: 'other' }, beforeMs: 1000, afterMs: 1000 })
      .named('near'),
    (row) => row.id === row.other && row.n === row.m,
  ],
  [
    'a join with the latest',
    from(a)
      .join(other, { how: 'latest', side: 'inner', on: { id: 'other' }, withinMs: 2000 })
      .named('latest'),
    (row) => row.id === row.other,
  ],
  [
    'a window join of a union',
    from(a)
      .union(from(b))
      .window(tumbling({ sizeMs: 1000 }))
      .groupBy('id')
      .aggregate(() => ({ n: count() }))
      .join(
        from(b)
          .window(tumbling({ sizeMs: 1000 }))
          .groupBy('id')
          .aggregate(() => ({ m: count() })),
        { side: 'inner', on: { id: 'id' } },
      )
      .named('windows'),
    (row) => row.n === 2 && row.m === 1,
  ],
]
for (const [name, plan, isRight] of bounded)
  test(`${name}: a hundred thousand keys pass through the state of a few`, () => {
    let job = openJob([plan], { bounded: false })
    let [rows, wrong, peak] = [0, 0, 0]
    for (let i = 0; i < 100; i++) {
      const events = Array.from({ length: 1000 }, (_, k) => ({ id: `k${i}-${k}`, who: null, n: k, at: i * 1000 + 500 }))
      push(job, 'b', i * 1000, events)
      push(job, 'a', i * 1000, events)
      for (const { values } of plainRows(job.take())) {
        rows++
        if (!isRight(values)) wrong++
      }
      peak = Math.max(peak, job.stateBytes())
      if (i % 30 !== 29) continue
      const snapshot = job.snapshot()
      job = openJob([plan], { bounded: false })
      job.restore(snapshot)
    }
    job.finish()
    rows += plainRows(job.take()).length
    assert.equal(wrong, 0)
    assert.equal(rows, 100_000)
    assert.ok(peak < 40_000_000, `${peak} bytes for the keys of a few seconds`)
  })

test('a topic that is looked up in may hold many keys; over its limit the job stops by name', () => {
  const plan = from(a)
    .lookup(newestOf(from(b).rename({ at: 'then', n: 'm', who: 'whose' }), { key: 'id' }), {
      by: 'id',
      unknown: 'drop',
    })
    .named('fresh')
  const fill = (stateBytesMax: number): Job => {
    const job = openJob([plan], { bounded: false, stateBytesMax })
    for (let i = 0; i < 100; i++)
      push(
        job,
        'b',
        i * 1000,
        Array.from({ length: 1000 }, (_, k) => ({ id: `k${i * 1000 + k}`, who: null, n: k, at: i })),
      )
    return job
  }
  const job = fill(2 ** 30)
  // Keys asked for in vain are not kept.
  for (let i = 0; i < 100; i++)
    push(
      job,
      'a',
      i * 1000,
      Array.from({ length: 1000 }, (_, k) => ({ id: `no${i}-${k}`, who: null, n: 0, at: i })),
    )
  push(job, 'a', 100_000, [
    { id: 'k7', who: null, n: 0, at: 200 },
    { id: 'k99999', who: null, n: 0, at: 200 },
  ])
  assert.deepEqual(
    plainRows(job.take()).map(({ values }) => values.m),
    [7, 999],
  )
  assert.throws(
    () => fill(4_000_000),
    (error) => error instanceof StateLimitError && /plan 'fresh' holds \d+.*stateBytesMax/.test(error.message),
  )
})

test('the top of a stream: the first rows so far, one for each key, at ticks and at the end', () => {
  const plan = from(a)
    .top({ rows: 3, by: 'n', within: ['who'] })
    .emit('on-change')
    .named('greatest')
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomStream(`top of a stream/${seed}`)
    const events = Array.from(
      { length: 200 },
      (_, i): Event => ({
        id: `e${random.below(120)}`,
        who: random.below(9) === 0 ? null : `u${random.below(3)}`,
        n: random.below(10) === 0 ? null : random.below(50),
        at: i,
      }),
    )
    let job = openJob([plan], { bounded: false })
    const table = new Map<string, string>()
    const see = (): void => {
      for (const { values, weight } of plainRows(job.take())) {
        const key = `${values.who} ${values.id}`
        if (weight === -1) assert.ok(table.delete(key), `${key}, seed ${seed}`)
        else table.set(key, String(values.n))
      }
    }
    const expected = (upTo: number): string[] => {
      const best = new Map<string, Event>()
      const rank = (x: Event, y: Event): number => (y.n ?? -1) - (x.n ?? -1) || (x.id < y.id ? -1 : 1)
      for (const event of events.slice(0, upTo)) {
        const key = `${event.who} ${event.id}`
        const before = best.get(key)
        if (before === undefined || rank(event, before) < 0) best.set(key, event)
      }
      return [...Map.groupBy(best.values(), ({ who }) => who).values()]
        .flatMap((rows) => rows.toSorted(rank).slice(0, 3))
        .map(({ who, id, n }) => `${who} ${id} ${n}`)
        .sort()
    }
    for (let at = 0; at < events.length; ) {
      const size = 1 + random.below(30)
      push(job, 'a', at, events.slice(at, at + size))
      at = Math.min(events.length, at + size)
      if (random.below(2) === 0) {
        job.tick({ atMs: at, interval: true, idle: [] })
        see()
        assert.deepEqual([...table].map(([key, n]) => `${key} ${n}`).sort(), expected(at), `seed ${seed}, after ${at}`)
        const snapshot = job.snapshot()
        job = openJob([plan], { bounded: false })
        job.restore(snapshot)
        assert.deepEqual(job.snapshot(), snapshot)
      }
    }
    job.finish()
    see()
    assert.deepEqual([...table].map(([key, n]) => `${key} ${n}`).sort(), expected(events.length), `seed ${seed}`)
  }
})
