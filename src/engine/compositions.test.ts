// Long chains of operators that change each other's rows: the final table is the same whatever the order of partitions,
// the batches, ticks, restores and emit mode, and the same that a bounded run gives of the records that were in time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { count, countDistinct, from, hopping, last, max, session, sum, tumbling } from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { openJob } from './engine.ts'

const LATENESS_MS = 2000
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 2)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

const sales = from(
  contract({
    topic: 'sales',
    version: 1,
    partitions: 2,
    key: 'who',
    eventTime: 'at',
    outOfOrderMs: 500,
    idleTimeoutMs: 1000,
    futureLimitMs: 1000,
    doc: 'test events',
    fields: {
      id: field({ kind: 'string' }, 'identity'),
      who: nullable({ kind: 'string' }, 'group'),
      what: nullable({ kind: 'string' }, 'thing'),
      cents: nullable({ kind: 'int64' }, 'amount'),
      at: field({ kind: 'timestamp' }, 'when'),
    },
  }),
)
const seconds = tumbling({ sizeMs: 1000 })
const perWho = sales
  .window(seconds)
  .groupBy('who')
  .aggregate((s) => ({ cents: sum(s.cents), n: count(), top: last(s.what) }))
const perWhat = sales
  .window(seconds)
  .groupBy('what')
  .aggregate((s) => ({ all: sum(s.cents), most: max(s.cents) }))
const sessions = sales
  .window(session({ gapMs: 300 }))
  .groupBy('who')
  .aggregate((s) => ({ cents: sum(s.cents), n: count() }))
const other = sales.rename({ id: 'other', cents: 'worth', at: 'then', who: 'them' })

const plans: readonly Plan[] = [
  perWho
    .filter((row) => row.cents.above(20))
    .join(
      perWhat.filter((row) => row.most.above(8)),
      { side: 'left', on: { top: 'what' } },
    )
    .window(tumbling({ sizeMs: 3000 }))
    .groupBy('top')
    .aggregate((row) => ({ n: count(), most: max(row.all), met: count(row.most) }))
    .lateness(LATENESS_MS)
    .named('window-of-a-join-whose-keys-move'),
  sales
    .window(hopping({ sizeMs: 3000, slideMs: 1000 }))
    .groupBy('who', 'what')
    .aggregate((s) => ({ cents: sum(s.cents), n: countDistinct(s.id) }))
    .top({ rows: 2, by: 'cents', within: ['who'] })
    .window(hopping({ sizeMs: 4000, slideMs: 2000 }))
    .groupBy('what')
    .aggregate((row) => ({ rows: count(), n: sum(row.n) }))
    .lateness(LATENESS_MS)
    .named('hopping-window-of-a-top'),
  sessions
    .filter((row) => row.n.above(2))
    .window(tumbling({ sizeMs: 4000 }))
    .groupBy('who')
    .aggregate((row) => ({ n: count(), cents: sum(row.cents) }))
    .top({ rows: 2, by: 'cents' })
    .lateness(LATENESS_MS)
    .named('top-of-windows-of-sessions'),
  sales
    .groupBy('who')
    .aggregate((s) => ({ n: count(), thing: last(s.what), cents: sum(s.cents) }))
    .filter((row) => row.n.modulo(2).equals(1))
    .top({ rows: 2, by: 'cents', within: ['thing'] })
    .named('running-top-whose-parts-move'),
  sales
    .select('id', 'who', 'cents', 'at')
    .join(other, { how: 'interval', side: 'left', on: { who: 'them' }, beforeMs: 300, afterMs: 200 })
    .over({ by: ['what'], rangeMs: 900 }, (row) => ({ pairs: count(), worths: sum(row.worth) }))
    .window(seconds)
    .groupBy('who')
    .aggregate((row) => ({ pairs: sum(row.pairs), worths: sum(row.worths) }))
    .lateness(LATENESS_MS)
    .named('ranges-over-a-join'),
]

function script(random: RandomStream): string[][] {
  const queues: string[][] = [[], []]
  let now = 1_700_000_000_000
  for (let i = 0; i < 220; i++) {
    now += random.below(160)
    if (random.below(50) === 0) now += 5000
    const partition = random.below(2)
    const behind = random.below(6) === 0 ? random.below(3600) : random.below(500)
    const oneOf = (letter: string, nulls: number): string | null =>
      random.below(nulls) === 0 ? null : `${letter}${random.below(3)}`
    const id = `${partition}-${queues[partition]!.length}`
    const cents = random.below(8) === 0 ? null : random.below(40)
    const at = new Date(Math.floor((now - behind) / 50) * 50).toISOString()
    queues[partition]!.push(JSON.stringify({ id, who: oneOf('u', 7), what: oneOf('t', 6), cents, at }))
  }
  return queues
}

interface How {
  readonly plan: Plan
  readonly queues: readonly string[][]
  readonly order: RandomStream
  /** Records to leave out; given: a bounded run, without ticks. */
  readonly without: readonly string[] | null
  readonly replay: string
}
function run({ plan, queues, order, without, replay }: How) {
  const settings = { bounded: without !== null }
  let job = openJob([plan], settings)
  const { changelog } = plan.nodes.at(-1)!
  const key = changelog.mode === 'upsert' ? changelog.key : []
  const table = new Map<string, string>()
  const late = new Set<string>()
  const see = (): void => {
    const output = job.take()
    assert.deepEqual(output.deadLetters, [])
    for (const { partition, offset } of output.lateRecords) late.add(`${partition}/${offset}`)
    for (const { values, weight } of plainRows(output)) {
      const name = JSON.stringify(key.map((column) => values[column]))
      if (weight === 1) table.set(name, JSON.stringify(values))
      else assert.ok(table.delete(name), `${name} is taken back but does not stand; ${replay}`)
    }
  }
  const taken = [0, 0]
  for (let step = 0; taken.some((at, i) => at < queues[i]!.length); step++) {
    if (without === null && order.below(5) === 0) {
      const snapshot = job.snapshot()
      job = openJob([plan], settings)
      job.restore(snapshot)
    }
    if (without === null && order.below(4) === 0) job.tick({ atMs: step * 1000, interval: true, idle: [] })
    const partition = order.below(2)
    const at = taken[partition]!
    const batch = queues[partition]!.slice(at, at + 1 + order.below(14))
    taken[partition] = at + batch.length
    const kept = batch.filter((_, i) => without?.includes(`${partition}/${at + i}`) !== true)
    if (kept.length > 0) job.push(batchOf('sales', partition, at, kept))
    see()
  }
  job.finish()
  see()
  return { rows: [...table].map(([name, values]) => `${name} ${values}`).sort(), late: [...late].sort() }
}
test('compositions are the same in any order, with ticks and restores, and bounded', () => {
  for (const base of plans)
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const replay = `replay: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test src/engine/compositions.test.ts (${base.name})`
      const queues = script(randomStream(`compositions/${seed}`))
      const orderOf = (name: string): RandomStream => randomStream(`order/${seed}/${name}`)
      const running: Plan = { ...base, emit: { mode: 'on-change' } }
      const closing: Plan = { ...base, emit: { mode: 'on-close' } }
      const first = run({ plan: closing, queues, order: orderOf('a'), without: null, replay })
      assert.ok(first.rows.length > 0, replay)
      for (const [plan, name] of [
        [closing, 'b'],
        [running, 'c'],
      ] as const)
        assert.deepEqual(run({ plan, queues, order: orderOf(name), without: null, replay }), first, replay)
      const bounded = run({ plan: closing, queues, order: orderOf('d'), without: first.late, replay })
      assert.deepEqual(bounded.rows, first.rows, replay)
    }
})
