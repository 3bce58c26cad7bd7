// Deduplication: named cases, and a seeded property against a list that is searched from its start.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { count, explain, from, seconds, sum, tumbling } from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob } from './engine.ts'
import { Identities } from './identities.ts'
import { Murmur128 } from './murmur.ts'

const orders = contract({
  topic: 'orders',
  version: 1,
  partitions: 3,
  key: 'shop',
  eventTime: 'at',
  identity: 'id',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 60_000,
  doc: 'orders',
  fields: {
    id: nullable({ kind: 'string' }, 'identity'),
    line: field({ kind: 'int64' }, 'line of the order', { default: 1 }),
    shop: field({ kind: 'string' }, 'where', { default: 'a' }),
    cents: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { default: 1 }),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const HORIZON_MS = 10_000
const START_MS = Date.UTC(2026, 0, 1)
const rows = from(orders)
  .deduplicate({ identity: ['id', 'line'], horizonMs: HORIZON_MS })
  .select('id', 'line')
  .named('rows')

interface Order {
  readonly id?: string | null
  readonly line?: number
  /** Milliseconds after the start. */
  readonly at: number
}
const textOf = (order: Order): string => JSON.stringify({ ...order, at: new Date(START_MS + order.at).toISOString() })
function push(job: Job, partition: number, offset: number, ...made: Order[]): unknown[] {
  job.push(batchOf('orders', partition, offset, made.map(textOf)))
  return plainRows(job.take()).map(({ values }) => [values.id, values.line])
}
const bounded = (plan: Plan): Job => openJob([plan], { bounded: true })

test('an identity passes once, whatever partition brings it again; all its parts count', () => {
  const job = bounded(rows)
  assert.deepEqual(push(job, 0, 0, { id: 'x', at: 0 }, { id: 'x', at: 0 }, { id: 'x', line: 2, at: 0 }), [
    ['x', 1],
    ['x', 2],
  ])
  assert.deepEqual(push(job, 1, 0, { id: 'x', at: 0 }, { id: 'y', at: 0 }), [['y', 1]])
  assert.deepEqual(
    job.ledger().map((line) => [line.in, line.processed, line.duplicates]),
    [
      [3, 2, 1],
      [2, 1, 1],
      [0, 0, 0],
    ],
  )
})

test('an identity is remembered up to the horizon and not beyond, from its first record on', () => {
  const job = bounded(rows)
  assert.deepEqual(push(job, 0, 0, { id: 'x', at: 0 }), [['x', 1]])
  assert.deepEqual(push(job, 0, 1, { id: 'x', at: 6000 }, { id: 'x', at: 10_000 }), [])
  assert.deepEqual(push(job, 0, 3, { id: 'x', at: 10_001 }), [['x', 1]])
  assert.equal(job.horizons()[0]?.identities, 1)
})

test("a null in the identity is nobody's duplicate", () => {
  const job = bounded(rows)
  assert.equal(push(job, 0, 0, { id: null, at: 0 }, { id: null, at: 0 }, { at: 0 }).length, 3)
})

test('a record that is filtered out first is no first, but moves the clock', () => {
  const plan = from(orders)
    .filter((o) => o.line.above(0))
    .deduplicate({ identity: ['id'], horizonMs: HORIZON_MS })
    .select('id', 'line')
    .named('filtered')
  const job = bounded(plan)
  assert.deepEqual(push(job, 0, 0, { id: 'x', line: 0, at: 0 }, { id: 'x', at: 0 }), [['x', 1]])
  assert.deepEqual(push(job, 0, 2, { id: 'y', line: 0, at: 20_000 }), [])
  assert.deepEqual(push(job, 1, 0, { id: 'x', at: 0 }), [['x', 1]])
})

test('windows count what passed; a plan beside it that does not deduplicate makes no record less a duplicate', () => {
  const window = tumbling({ sizeMs: seconds(60) })
  const once = from(orders)
    .deduplicate({ identity: ['id'], horizonMs: HORIZON_MS })
    .window(window)
    .groupBy('shop')
    .aggregate((o) => ({ n: count(), cents: sum(o.cents) }))
    .named('once')
  const every = from(orders)
    .window(window)
    .groupBy('id')
    .aggregate(() => ({ n: count() }))
    .named('every')
  const job = openJob([once, every], { bounded: true })
  push(job, 0, 0, { id: 'x', at: 0 }, { id: 'x', at: 1 }, { id: 'y', at: 2 })
  job.finish()
  assert.deepEqual(
    plainRows(job.take()).map(({ plan, values }) => [plan, values.n]),
    [
      ['once', 2],
      ['every', 2],
      ['every', 1],
    ],
  )
  assert.equal(job.ledger()[0]?.duplicates, 1)
})

test('explain names identity and horizons; the node needs one order and does not merge', () => {
  assert.match(
    explain(rows),
    /deduplicate #[0-9a-f]{16}\n {2}by id, line within 10 s and 67108864 bytes\n.*order total; one thread/,
  )
})

test('what holds no horizon is refused', () => {
  const stream = from(orders)
  assert.throws(() => stream.deduplicate({ identity: ['id'], horizonMs: 0 }), /horizonMs: 0 is not a positive number/)
  const tiny = stream.deduplicate({ identity: ['id'], horizonMs: 1, horizonBytesMax: 100 }).named('tiny')
  assert.throws(() => bounded(tiny), /plan 'tiny', [0-9a-f]+: 100 bytes hold no horizon/)
})

test('at the limit of bytes the oldest identity goes first, and the job says so', () => {
  const plan = from(orders)
    .deduplicate({ identity: ['id'], horizonMs: HORIZON_MS, horizonBytesMax: 4096 })
    .select('id', 'line')
    .named('limited')
  const job = bounded(plan)
  const identities = Math.floor(4096 / 40)
  const made = Array.from({ length: identities }, (_, i) => ({ id: `o${i}`, at: i }))
  assert.equal(push(job, 0, 0, ...made).length, identities)
  assert.deepEqual(push(job, 0, identities, { id: 'o0', at: 0 }), [])
  assert.deepEqual(push(job, 0, identities + 1, { id: 'new', at: 0 }, { id: 'o1', at: 0 }, { id: 'o0', at: 0 }), [
    ['new', 1],
    ['o0', 1],
  ])
  const line = job.horizons()[0]
  assert.deepEqual([line?.identities, line?.forgottenEarly, line?.reachMs], [identities, 2, identities - 3])
  assert.ok((line?.bytes ?? 0) <= 4096)
})

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 20)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)
test('every record is told a duplicate or not as a search of the past tells it, restored or not', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/deduplicate.test.ts`
    const random = randomStream(`deduplicate/${seed}`)
    const horizonBytesMax = random.below(2) === 0 ? 4096 : 2 ** 20
    const plan = from(orders)
      .deduplicate({ identity: ['id', 'line'], horizonMs: HORIZON_MS, horizonBytesMax })
      .select('id', 'line')
      .named('rows')
    const remembered: { key: string; clock: number }[] = []
    const offsets = [0, 0, 0]
    let [job, clock, now, duplicates] = [openJob([plan], { bounded: false }), Number.NEGATIVE_INFINITY, 0, 0]
    for (let step = 0; step < 150; step++) {
      if (random.below(12) === 0) {
        const snapshot = job.snapshot()
        job = openJob([plan], { bounded: false })
        job.restore(snapshot)
        assert.deepEqual(job.snapshot(), snapshot, replay)
      }
      const partition = random.below(3)
      const expected: unknown[] = []
      const made = Array.from({ length: 1 + random.below(30) }, () => {
        now += random.below(100)
        const id = random.below(20) === 0 ? null : `o${random.below(150)}`
        const order = { id, line: random.below(2), at: now - random.below(3000) }
        clock = Math.max(clock, order.at)
        while (remembered.length > 0 && remembered[0]!.clock < clock - HORIZON_MS) remembered.shift()
        const key = `${id}/${order.line}`
        if (id !== null && remembered.some((one) => one.key === key)) duplicates++
        else expected.push([id, order.line])
        if (id !== null && !remembered.some((one) => one.key === key)) {
          if (remembered.length === Math.floor(horizonBytesMax / 40)) remembered.shift()
          remembered.push({ key, clock })
        }
        return order
      })
      assert.deepEqual(push(job, partition, offsets[partition]!, ...made), expected, `step ${step}; ${replay}`)
      offsets[partition]! += made.length
    }
    assert.equal(
      job.ledger().reduce((total, line) => total + line.duplicates, 0),
      duplicates,
      replay,
    )
    assert.equal(job.horizons()[0]?.identities, remembered.length, replay)
  }
})

test('the ring keeps its bounds while it grows, wraps and forgets', () => {
  const identities = new Identities(40 * 3000)
  for (let i = 0; i < 10_000; i++) {
    identities.forgetBefore(i - 2500)
    assert.equal(identities.add(Math.imul(i, 7), i, 0, 1, i), true)
    assert.equal(identities.add(Math.imul(i, 7), i, 0, 1, i), false)
  }
  assert.equal(identities.count, 2501)
  assert.equal(identities.forgottenEarly, 0)
  assert.ok(identities.bytes <= 40 * 3000)
})

test('the hash tells parts apart from their joins, and spreads', () => {
  const hash = new Murmur128()
  const of = (...values: (string | number)[]): string => {
    hash.begin()
    for (const value of values) typeof value === 'string' ? hash.addText(value) : hash.addNumber(value)
    hash.end()
    return [hash.a, hash.b, hash.c, hash.d].join()
  }
  const seen = new Set([
    of('ab', 'c'),
    of('a', 'bc'),
    of('abc'),
    of('abc', ''),
    of(''),
    of('', ''),
    of(1),
    of(1, 0),
    of('1'),
  ])
  assert.equal(seen.size, 9)
  const words = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()]
  for (let i = 0; i < 20_000; i++) {
    of(`order-${i}`)
    ;[hash.a, hash.b, hash.c, hash.d].forEach((word, k) => {
      words[k]!.add(word)
    })
  }
  // Birthday: 20,000 random words of 32 bits meet 0.05 times.
  for (const set of words) assert.ok(set.size > 19_995)
})
