// What rows that change, stand at one instant or leave the exact numbers must not do: each of these was once otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { argmax, count, first, from, last, sum, tumbling } from '../query/query.ts'
import { batchOf } from './batches.suite.ts'
import { Dictionary, textOf } from './dictionary.ts'
import { encodeKey, encodeRow, type Job, openJob } from './engine.ts'
import { StateReader, StateWriter } from './state-bytes.ts'

const sales = from(
  contract({
    topic: 'sales',
    version: 1,
    partitions: 1,
    key: 'who',
    eventTime: 'at',
    outOfOrderMs: 0,
    idleTimeoutMs: 1000,
    futureLimitMs: 3_600_000,
    doc: 'test events',
    fields: {
      who: nullable({ kind: 'string' }, 'group'),
      cents: field({ kind: 'int64' }, 'amount'),
      at: field({ kind: 'timestamp' }, 'when'),
    },
  }),
)
const perWho = sales
  .window(tumbling({ sizeMs: 1000 }))
  .groupBy('who')
  .aggregate((s) => ({ cents: sum(s.cents), n: count() }))

const START_MS = Date.UTC(2026, 0, 1)
let offset = 0
function push(
  job: Job,
  records: readonly (readonly [who: string | null, cents: number | string, atMs: number])[],
): void {
  const texts = records.map(
    ([who, cents, atMs]) =>
      `{"who":${JSON.stringify(who)},"cents":${cents},"at":"${new Date(START_MS + atMs).toISOString()}"}`,
  )
  job.push(batchOf('sales', 0, offset, texts))
  offset += records.length
}
const tick = (job: Job): void => job.tick({ atMs: 0, interval: true, idle: [] })

/** The rows that stand, by key; and the reasons of dead letters. */
function collector(job: Job) {
  const rows = new Map<string, string>()
  const reasons: string[] = []
  return {
    rows,
    reasons,
    take(): void {
      const { results, deadLetters } = job.take()
      for (const batch of results)
        for (let row = 0; row < batch.count; row++) {
          const key = encodeKey(batch, row) ?? ''
          if (batch.weight[row] === 1) rows.set(key, encodeRow(batch, row))
          else rows.delete(key)
        }
      reasons.push(...deadLetters.map(({ reason }) => reason))
    },
  }
}

test('first, last and argmax of rows of one instant are the same however rows are emitted', () => {
  const picks = perWho
    .window(tumbling({ sizeMs: 3000 }))
    .aggregate((row) => ({ first: first(row.cents), last: last(row.cents), most: argmax(row.cents, row.n) }))
  const plans: readonly Plan[] = [
    picks.named('on-close'),
    picks.emit('on-change').named('on-change'),
    picks.lateness(1000).named('patient'),
  ]
  const tables = plans.map((plan) => {
    const job = openJob([plan], { bounded: false })
    const { rows, take } = collector(job)
    for (const [i, who] of ['dora', null, 'cleo', 'bea'].entries()) {
      push(job, [[who, i + 1, 100 + i]])
      tick(job)
    }
    push(job, [['ana', 1, 1100]])
    push(job, [['zoe', 1, 9000]])
    tick(job)
    take()
    return [...rows.values()].filter((row) => row.includes('"window_start":"2026-01-01T00:00:00Z"'))
  })
  assert.equal(tables[0]!.length, 1)
  assert.deepEqual(tables[1], tables[0])
  assert.deepEqual(tables[2], tables[0])
})

test('a row whose derived column leaves the exact numbers is taken back, once', () => {
  const plan = perWho
    .derive((row) => ({ large: row.cents.times(1_000_000) }))
    .derive((row) => ({ larger: row.large.plus(1) }))
    .emit('on-change')
    .named('derived')
  const job = openJob([plan], { bounded: false })
  const { rows, reasons, take } = collector(job)
  push(job, [['ana', 5, 100]])
  tick(job)
  take()
  assert.match([...rows.values()].join(), /"large":5000000,"larger":5000001/)
  push(job, [['ana', 9_007_199_254_740_000, 200]])
  tick(job)
  take()
  assert.deepEqual([[...rows.values()], reasons], [[], ['overflow']], 'the old row does not stand')
  push(job, [['ana', -9_007_199_254_740_000, 300]])
  tick(job)
  take()
  assert.match([...rows.values()].join(), /"large":5000000/, 'and it comes again')
})

test('rows are not joined by sums that a number does not hold', () => {
  const big = 9_007_199_254_740_991
  const left = perWho.select('window_start', 'window_end', 'who', 'cents')
  const right = sales
    .window(tumbling({ sizeMs: 1000 }))
    .groupBy('cents')
    .aggregate((s) => ({ most: sum(s.cents) }))
    .select('window_start', 'window_end', 'cents', 'most')
    .rename({ cents: 'each' })
  const plan = left.join(right, { side: 'inner', on: { cents: 'most' } }).named('joined')
  const job = openJob([plan], { bounded: false })
  const { rows, reasons, take } = collector(job)
  // ana: 2^53 + 1; by amount: 2 * (2^53 - 1), and 2.
  push(job, [
    ['ana', big, 100],
    ['ana', 2, 200],
    ['bea', big, 300],
  ])
  push(job, [['zoe', 1, 5000]])
  take()
  assert.deepEqual(
    [...rows.values()].filter((row) => row.includes('ana')),
    [],
  )
  assert.ok(reasons.length > 0 && reasons.every((reason) => reason === 'overflow'), reasons.join())
})

test('half of a surrogate pair, as a literal of a plan may have it, is the same text after a restore', () => {
  const texts = ['\ud800', '\udc00x', '\ufffd', 'plain', '']
  const before = new Dictionary<string>()
  const ids = texts.map((text) => before.idOf(text))
  const out = new StateWriter()
  before.write(out)
  const after = new Dictionary<string>()
  after.restore(new StateReader(out.finish()), textOf)
  assert.deepEqual(
    texts.map((text) => after.idOf(text)),
    ids,
  )
  assert.equal(after.count, texts.length)
})

test('a derived column may not take the name of the event time', () => {
  assert.throws(
    () => sales.derive((s) => ({ at: s.at })),
    /derive: 'at' is the event time: windows and joins would still go by the old one\. Give the column another name/,
  )
})
