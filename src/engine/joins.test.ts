// Joins, unions and lookups in topics over random events: the result is what the plainest computation over the records
// that were taken gives, whatever the batches and the interleaving of topics and partitions, restored or not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { count, from, newestOf, sum, tumbling } from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob } from './engine.ts'

const PARTITIONS = 2
const BOUND_MS = 1000
const LATENESS_MS = 2000
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 5)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

const topicOf = <const N extends string>(topic: N) =>
  ({
    topic,
    version: 1,
    partitions: PARTITIONS,
    key: 'id',
    eventTime: 'at',
    identity: 'id',
    outOfOrderMs: BOUND_MS,
    idleTimeoutMs: 1000,
    futureLimitMs: 1000,
    doc: 'test events',
  }) as const
const orders = contract({
  ...topicOf('orders'),
  fields: {
    id: field({ kind: 'string' }, 'identity'),
    who: nullable({ kind: 'string' }, 'customer'),
    shop: field({ kind: 'int64' }, 'shop'),
    cents: field({ kind: 'int64' }, 'amount'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const clicks = contract({
  ...topicOf('clicks'),
  fields: {
    id: field({ kind: 'string' }, 'identity'),
    who: nullable({ kind: 'string' }, 'customer'),
    shop: field({ kind: 'int64' }, 'shop'),
    cents: field({ kind: 'int64' }, 'worth'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

interface Event {
  readonly id: string
  readonly who: string | null
  readonly shop: number
  readonly cents: number
  readonly at: number
}
type Side = 'orders' | 'clicks'
interface Taken {
  readonly orders: readonly Event[]
  readonly clicks: readonly Event[]
}

const right = from(clicks).rename({ id: 'click', at: 'clicked', cents: 'worth' })
const on = { who: 'who', shop: 'shop' } as const

interface Case {
  readonly name: string
  readonly plan: Plan
  readonly show: readonly string[]
  /** Rows of a table are kept by these; rows of a stream are all there. */
  readonly key?: readonly string[]
  readonly expected: (taken: Taken) => unknown[][]
  /** Nothing is late: a record could be too late for one operator and not for the other. */
  readonly inTime?: true
}
const sameKey = (a: Event, b: Event): boolean => a.who !== null && a.who === b.who && a.shop === b.shop
const near = (order: Event, click: Event): boolean =>
  sameKey(order, click) && click.at >= order.at - 1500 && click.at <= order.at + 500
const newestBefore = (order: Event, all: readonly Event[], withinMs: number): Event | undefined =>
  all
    .filter((click) => sameKey(order, click) && click.at <= order.at && click.at >= order.at - withinMs)
    .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .at(-1)
const secondOf = ({ at }: Event): number => Math.floor(at / 2000) * 2000

const perShop = from(orders)
  .window(tumbling({ sizeMs: 2000 }))
  .groupBy('shop')
  .aggregate((o) => ({ cents: sum(o.cents) }))
const clicksPerShop = from(clicks)
  .window(tumbling({ sizeMs: 2000 }))
  .groupBy('shop')
  .aggregate(() => ({ clicks: count() }))
const tableRows = (events: readonly Event[]): Map<string, Event[]> =>
  Map.groupBy(events, (event) => `${secondOf(event)} ${event.shop}`)
const total = (events: readonly Event[]): number => events.reduce((cents, event) => cents + event.cents, 0)

const cases: readonly Case[] = [
  {
    name: 'interval, inner',
    plan: from(orders)
      .join(right, { how: 'interval', side: 'inner', on, beforeMs: 1500, afterMs: 500 })
      .lateness(LATENESS_MS)
      .named('near'),
    show: ['id', 'click', 'cents', 'worth', 'at', 'clicked'],
    expected: ({ orders, clicks }) =>
      orders.flatMap((o) => clicks.filter((c) => near(o, c)).map((c) => [o.id, c.id, o.cents, c.cents, o.at, c.at])),
  },
  {
    name: 'interval, left',
    plan: from(orders)
      .filter((o) => o.cents.above(20))
      .join(right, { how: 'interval', side: 'left', on, beforeMs: 1500, afterMs: 500 })
      .lateness(LATENESS_MS)
      .named('near-or-none'),
    show: ['id', 'click', 'worth'],
    expected: ({ orders, clicks }) =>
      orders
        .filter(({ cents }) => cents > 20)
        .flatMap((o): unknown[][] => {
          const found = clicks.filter((c) => near(o, c))
          return found.length === 0 ? [[o.id, null, null]] : found.map((c) => [o.id, c.id, c.cents])
        }),
  },
  {
    name: 'latest, left, within a time',
    plan: from(orders)
      .join(right, { how: 'latest', side: 'left', on, withinMs: 3000 })
      .lateness(LATENESS_MS)
      .named('latest'),
    show: ['id', 'click'],
    expected: ({ orders, clicks }) => orders.map((o) => [o.id, newestBefore(o, clicks, 3000)?.id ?? null]),
  },
  {
    name: 'latest, inner, however old',
    plan: from(orders).join(right, { how: 'latest', side: 'inner', on }).lateness(LATENESS_MS).named('latest-ever'),
    show: ['id', 'click'],
    expected: ({ orders, clicks }) =>
      orders.flatMap((o) => {
        const found = newestBefore(o, clicks, 1e12)
        return found === undefined ? [] : [[o.id, found.id]]
      }),
  },
  {
    name: 'a window over an interval join',
    plan: from(orders)
      .join(right, { how: 'interval', side: 'left', on, beforeMs: 1500, afterMs: 500 })
      .window(tumbling({ sizeMs: 2000 }))
      .groupBy('shop')
      .aggregate((row) => ({ rows: count(), met: count(row.click), worth: sum(row.worth) }))
      .lateness(LATENESS_MS)
      .named('joined-windows'),
    show: ['rows', 'met', 'worth'],
    key: ['window_start', 'shop'],
    expected: ({ orders, clicks }) =>
      [...tableRows(orders).values()].map((held) => {
        const pairs = held.flatMap((o) => {
          const found = clicks.filter((c) => near(o, c))
          return found.length === 0 ? [null] : found
        })
        const met = pairs.filter((click) => click !== null)
        return [secondOf(held[0]!), held[0]!.shop, pairs.length, met.length, met.length === 0 ? null : total(met)]
      }),
  },
  {
    name: 'windows, inner',
    plan: perShop
      .join(clicksPerShop, { side: 'inner', on: { shop: 'shop' } })
      .lateness(LATENESS_MS)
      .named('both'),
    show: ['cents', 'clicks'],
    key: ['window_start', 'shop'],
    expected: ({ orders, clicks }) =>
      [...tableRows(orders)].flatMap(([key, held]) => {
        const clicked = tableRows(clicks).get(key)
        return clicked === undefined ? [] : [[secondOf(held[0]!), held[0]!.shop, total(held), clicked.length]]
      }),
  },
  {
    name: 'windows, left, running',
    plan: perShop
      .filter((row) => row.cents.above(40))
      .join(clicksPerShop, { side: 'left', on: { shop: 'shop' } })
      .lateness(LATENESS_MS)
      .emit('on-change')
      .named('both-or-none'),
    show: ['cents', 'clicks'],
    key: ['window_start', 'shop'],
    expected: ({ orders, clicks }) =>
      [...tableRows(orders)]
        .filter(([, held]) => total(held) > 40)
        .map(([key, held]) => [
          secondOf(held[0]!),
          held[0]!.shop,
          total(held),
          tableRows(clicks).get(key)?.length ?? null,
        ]),
  },
  {
    name: 'a window over a union',
    plan: from(orders)
      .union(from(clicks))
      .window(tumbling({ sizeMs: 2000 }))
      .groupBy('who')
      .aggregate((row) => ({ n: count(), cents: sum(row.cents) }))
      .lateness(LATENESS_MS)
      .named('all'),
    show: ['n', 'cents'],
    key: ['window_start', 'who'],
    expected: ({ orders, clicks }) =>
      [...Map.groupBy([...orders, ...clicks], (event) => `${secondOf(event)} ${event.who}`).values()].map((held) => [
        secondOf(held[0]!),
        held[0]!.who,
        held.length,
        total(held),
      ]),
  },
  {
    name: 'computed rows of a union of a join and a topic',
    inTime: true,
    plan: from(orders)
      .join(right, { how: 'interval', side: 'inner', on, beforeMs: 1500, afterMs: 500 })
      .select('id', 'cents', 'at')
      .union(from(clicks).select('id', 'cents', 'at'))
      .filter((row) => row.cents.above(10))
      .derive((row) => ({ twice: row.cents.times(2) }))
      .lateness(LATENESS_MS)
      .named('mixed'),
    show: ['id', 'twice'],
    expected: ({ orders, clicks }) =>
      [...orders.flatMap((o) => clicks.filter((c) => near(o, c)).map(() => o)), ...clicks]
        .filter(({ cents }) => cents > 10)
        .map(({ id, cents }) => [id, cents * 2]),
  },
]

function script(random: RandomStream, inTime = false): { [topic in Side]: Event[][] } {
  const queues = { orders: [[], []] as Event[][], clicks: [[], []] as Event[][] }
  let now = 1_700_000_000_000
  for (let i = 0; i < 260; i++) {
    now += random.below(160)
    if (random.below(50) === 0) now += 5000
    const behind = random.below(6) === 0 && !inTime ? random.below(4500) : random.below(900)
    const topic = random.below(2) === 0 ? 'orders' : 'clicks'
    const partition = random.below(PARTITIONS)
    // Ids that sort as partition and offset do: so the plain computation can tell the last of two at one time.
    const id = `${topic[0]}${partition}-${String(queues[topic][partition]!.length).padStart(4, '0')}`
    queues[topic][partition]!.push({
      id,
      who: random.below(9) === 0 ? null : `u${random.below(3)}`,
      shop: random.below(2),
      cents: random.below(60),
      at: Math.floor((now - behind) / 10) * 10,
    })
  }
  return queues
}
const textOf = (event: Event): string => JSON.stringify({ ...event, at: new Date(event.at).toISOString() })

function run(one: Case, queues: { [topic in Side]: Event[][] }, order: RandomStream, replay: string) {
  const topics = one.plan.nodes.flatMap((node) => (node.kind === 'source' ? [node.topic] : []))
  let job: Job = openJob([one.plan], { bounded: false })
  const table = new Map<string, string>()
  const rows: string[] = []
  const late = new Set<string>()
  const see = (): void => {
    const output = job.take()
    for (const { topic, partition, offset } of output.lateRecords) late.add(`${topic}/${partition}/${offset}`)
    assert.deepEqual(output.deadLetters, [])
    for (const { values, weight, evidence } of plainRows(output)) {
      assert.ok(weight === -1 || evidence.length > 0, `no evidence of ${JSON.stringify(values)}; ${replay}`)
      const shown = one.show.map((name) => values[name])
      if (one.key === undefined) {
        assert.equal(weight, 1, `a row of a stream is taken back; ${replay}`)
        rows.push(JSON.stringify(shown))
        continue
      }
      const key = one.key.map((name) => values[name])
      if (weight === -1) assert.ok(table.delete(JSON.stringify(key)), `${key} is taken back twice; ${replay}`)
      else table.set(JSON.stringify(key), JSON.stringify([...key, ...shown]))
    }
  }
  const taken = { orders: [0, 0], clicks: [0, 0] }
  const sides: readonly Side[] = ['orders', 'clicks']
  const left = (): boolean => sides.some((side) => queues[side].some((queue, i) => taken[side][i]! < queue.length))
  for (let step = 0; left(); step++) {
    if (order.below(6) === 0) {
      const snapshot = job.snapshot()
      job = openJob([one.plan], { bounded: false })
      job.restore(snapshot)
      assert.deepEqual(job.snapshot(), snapshot, `a restored job is the same job at step ${step}; ${replay}`)
    }
    if (order.below(5) === 0) job.tick({ atMs: step * 1000, interval: true, idle: [] })
    const side = sides[order.below(2)]!
    if (!topics.includes(side)) continue
    const partition = order.below(PARTITIONS)
    const at = taken[side][partition]!
    const batch = queues[side][partition]!.slice(at, at + 1 + order.below(15))
    taken[side][partition] = at + batch.length
    job.push(batchOf(side, partition, at, batch.map(textOf)))
    see()
  }
  job.finish()
  see()
  const events = (side: Side): Event[] =>
    queues[side].flatMap((queue, partition) => queue.filter((_, i) => !late.has(`${side}/${partition}/${i}`)))
  return {
    rows: one.key === undefined ? rows.sort() : [...table.values()].sort(),
    late: [...late].sort(),
    taken: { orders: events('orders'), clicks: events('clicks') },
  }
}

for (const one of cases)
  test(`${one.name}: every row that belongs there, once, in whatever order the records come`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/joins.test.ts (${one.name})`
      const queues = script(randomStream(`joins/${seed}`), one.inTime)
      const first = run(one, queues, randomStream(`order/${seed}/a`), replay)
      assert.deepEqual(
        first.rows,
        one
          .expected(first.taken)
          .map((row) => JSON.stringify(row))
          .sort(),
        replay,
      )
      for (const name of ['b', 'c', 'd'])
        assert.deepEqual(run(one, queues, randomStream(`order/${seed}/${name}`), replay), first, replay)
    }
  })

test('a lookup in a topic answers with what the topic had said before, in the order of the log', () => {
  const prices = newestOf(right.select('who', 'worth', 'clicked'), { key: 'who' })
  const plan = from(orders).lookup(prices, { by: 'who', unknown: 'null' }).select('id', 'worth').named('fresh')
  const event = (id: string, who: string | null, cents: number): string =>
    textOf({ id, who, shop: 1, cents, at: 1_700_000_000_000 })
  let job = openJob([plan], { bounded: false })
  const found: unknown[] = []
  const push = (topic: Side, offset: number, ...texts: string[]): void => {
    job.push(batchOf(topic, 0, offset, texts))
    found.push(...plainRows(job.take()).map(({ values }) => [values.id, values.worth]))
    const snapshot = job.snapshot()
    job = openJob([plan], { bounded: false })
    job.restore(snapshot)
  }
  push('orders', 0, event('a', 'ann', 0))
  push('clicks', 0, event('x', 'ann', 5), event('y', 'bob', 6), event('z', null, 7))
  push('orders', 1, event('b', 'ann', 0), event('c', 'cid', 0), event('d', null, 0))
  push('clicks', 3, event('x', 'ann', 8))
  push('orders', 4, event('e', 'ann', 0), event('f', 'bob', 0))
  assert.deepEqual(found, [
    ['a', null],
    ['b', 5],
    ['c', null],
    ['d', null],
    ['e', 8],
    ['f', 6],
  ])
  const dropping = from(orders).lookup(prices, { by: 'who', unknown: 'drop' }).select('id').named('known')
  const other = openJob([dropping], { bounded: false })
  other.push(batchOf('clicks', 0, 0, [event('x', 'ann', 5)]))
  other.push(batchOf('orders', 0, 0, [event('a', 'bob', 0), event('b', 'ann', 0)]))
  assert.deepEqual(
    plainRows(other.take()).map(({ values }) => values.id),
    ['b'],
  )
})

test('a topic that is idle as a whole does not hold a join back; when it wakes it is held to the time of the other', () => {
  const plan = from(orders).join(right, { how: 'interval', side: 'left', on, beforeMs: 0, afterMs: 0 }).named('idle')
  const job = openJob([plan], { bounded: false, partitions: { orders: 1, clicks: 1 } })
  const event = (id: string, at: number): string => textOf({ id, who: 'ann', shop: 1, cents: 1, at })
  const ids = (): unknown[] => plainRows(job.take()).map(({ values }) => [values.id, values.click])
  job.push(batchOf('orders', 0, 0, [event('a', 10_000), event('b', 20_000)]))
  assert.deepEqual(ids(), [])
  job.tick({ atMs: 1, interval: false, idle: [{ topic: 'clicks', partition: 0 }] })
  assert.deepEqual(ids(), [['a', null]])
  job.push(batchOf('clicks', 0, 0, [event('x', 10_000), event('y', 20_000)]))
  const output = job.take()
  assert.deepEqual(
    output.lateRecords.map(({ offset, watermarkMs }) => [offset, watermarkMs]),
    [[0, 19_000]],
  )
  assert.deepEqual(output.raises, [{ topic: 'clicks', partition: 0, offset: 0, watermarkMs: 19_000 }])
  assert.deepEqual(
    plainRows(output).map(({ values }) => [values.id, values.click]),
    [['b', 'y']],
  )
})
