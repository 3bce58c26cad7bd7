// Reactions in a job: they see the rows in the order they became due and the ticks between them, however the input is
// cut; their state goes with the job's through a snapshot; what does not fit is refused by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field } from '../query/contract.ts'
import { PlanError } from '../query/plan.ts'
import { count, from, minutes, seconds, sum, tumbling } from '../query/query.ts'
import type { Reaction } from '../query/reaction.ts'
import { type Emitted, type Job, openJob, SnapshotError, type SourceBatch } from './engine.ts'

const orders = contract({
  topic: 'orders',
  version: 1,
  partitions: 1,
  key: 'shop',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    shop: field({ kind: 'string' }, 'shop'),
    amount: field({ kind: 'int64' }, 'amount'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
  doc: 'orders',
})
const byShop = from(orders)
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('shop')
  .aggregate((order) => ({ n: count(), total: sum(order.amount) }))
  .emit({ everyMs: seconds(1) })
  .lateness(minutes(1))
  .named('by-shop')
const all = from(orders)
  .window(tumbling({ sizeMs: minutes(1) }))
  .aggregate(() => ({ n: count() }))
  .lateness(minutes(1))
  .named('all')

interface Seen {
  lines: number
  ticks: number
}
/** Tells everything it sees, numbered by its own state. */
const teller: Reaction<Seen> = {
  name: 'teller',
  version: 1,
  reads: ['by-shop', 'all'],
  writes: [{ topic: 'told', partitions: 1, compacted: false }],
  initial: () => ({ lines: 0, ticks: 0 }),
  step(state, input, emit) {
    if (input.kind === 'tick') {
      state.ticks++
      emit('told', 'tick', { ticks: state.ticks, atMs: input.atMs })
      return
    }
    state.lines++
    const { plan, values, timing, final, weight, evidence } = input
    const value = { line: state.lines, plan, n: values.n, start: values.window_start, timing, final, weight }
    emit('told', String(values.shop ?? 'all'), { ...value, records: evidence.length })
  },
}
const startMs = Date.UTC(2026, 0, 5)
const encoder = new TextEncoder()
interface Order {
  readonly shop: string
  readonly atMs: number
}
function batch(orders: readonly Order[], first: number): SourceBatch {
  const texts = orders.map(({ shop, atMs }) =>
    encoder.encode(JSON.stringify({ shop, amount: 1, at: new Date(startMs + atMs).toISOString() })),
  )
  const bytes = Buffer.concat(texts)
  let at = 0
  const ends = texts.map((text) => (at += text.length))
  return {
    topic: 'orders',
    partition: 0,
    bytes,
    count: orders.length,
    starts: Int32Array.from([0, ...ends.slice(0, -1)]),
    ends: Int32Array.from(ends),
    offsets: Float64Array.from(orders, (_, i) => first + i),
    arrivals: Float64Array.from(orders, ({ atMs }) => startMs + atMs),
  }
}
type Step = Order | { readonly tickMs: number }
const steps: readonly Step[] = Array.from({ length: 240 }, (_, i): Step => {
  if (i % 7 === 6) return { tickMs: startMs + i * 1_000 }
  // One in ten comes late, inside the lateness.
  return { shop: `shop ${i % 3}`, atMs: i * 1_000 - (i % 10 === 3 ? 30_000 : 0) }
})
const open = (): Job => openJob([byShop, all], { bounded: false, partitions: { orders: 1 } }, [teller])
/** Runs the steps; before step `at` the job is put aside by `swap`. */
function run(size: number, swap?: { readonly at: number; readonly by: (job: Job) => Job }): Emitted[] {
  let job = open()
  const told: Emitted[] = []
  let waiting: Order[] = []
  let pushed = 0
  const flush = (): void => {
    if (waiting.length === 0) return
    job.push(batch(waiting, pushed))
    pushed += waiting.length
    waiting = []
  }
  steps.forEach((step, i) => {
    if (swap?.at === i) {
      flush()
      told.push(...job.take().emitted)
      job = swap.by(job)
    }
    if ('tickMs' in step) {
      flush()
      job.tick({ atMs: step.tickMs, interval: true, idle: [] })
    } else {
      waiting.push(step)
      if (waiting.length === size) flush()
    }
  })
  flush()
  job.finish()
  told.push(...job.take().emitted)
  return told
}

test('rows come in the order they became due, plans in the order the reaction names them, ticks after what they made due', () => {
  const told = run(1).map(({ value }) => JSON.parse(value ?? ''))
  const lines = told.filter(({ line }) => line !== undefined)
  assert.deepEqual(
    lines.map(({ line }) => line),
    lines.map((_, i) => i + 1),
  )
  assert.ok(lines.some(({ timing }) => timing === 'late') && lines.some(({ final }) => final === false))
  assert.equal(told.filter(({ ticks }) => ticks !== undefined).length, steps.filter((step) => 'tickMs' in step).length)
  const closing = lines.filter(({ final, timing, start }) => final && timing === 'on-time' && start === startMs)
  assert.deepEqual(
    closing.map(({ plan }) => plan),
    ['by-shop', 'by-shop', 'by-shop', 'all'],
  )
  assert.ok(lines.every(({ records }) => records === 1))
})

test('a snapshot at any step carries their state: the rest is told the same', () => {
  const whole = run(1)
  for (let at = 0; at < steps.length; at += 13) {
    const restored = run(1, {
      at,
      by(job) {
        const again = open()
        again.restore(job.snapshot())
        return again
      },
    })
    assert.deepEqual(restored, whole, `restored before step ${at}`)
  }
})

test('a plan that is not in the job, and a state of another version or of no reactions, are refused by name', () => {
  assert.throws(
    () => openJob([all], { bounded: false }, [teller]),
    (error: unknown) => error instanceof PlanError && /reaction 'teller'.*no such plan/.test(error.message),
  )
  const state = open().snapshot()
  const newer = openJob([byShop, all], { bounded: false, partitions: { orders: 1 } }, [{ ...teller, version: 2 }])
  assert.throws(() => newer.restore(state), SnapshotError)
  const plain = openJob([byShop, all], { bounded: false, partitions: { orders: 1 } })
  assert.throws(() => plain.restore(state), SnapshotError)
  assert.throws(() => open().restore(plain.snapshot()), SnapshotError)
})
