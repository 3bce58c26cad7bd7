// State is bounded: by bytes, with an error that names who holds them and the cure; and what no open window needs goes, so
// a stream of ever new keys keeps its size. MILLRACE_KEYS=10000000 takes the first test to the size it is meant for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field } from '../query/contract.ts'
import { count, from, sum, tumbling } from '../query/query.ts'
import { batchOf } from './batches.suite.ts'
import { encodeRow, type Job, openJob, StateLimitError } from './engine.ts'

const visits = contract({
  topic: 'visits',
  version: 1,
  partitions: 1,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 1_000_000_000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group'),
    cents: field({ kind: 'int64' }, 'amount'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const KEYS = Number(process.env.MILLRACE_KEYS ?? 100_000)
const BATCH = 4096
const START_MS = Date.UTC(2026, 0, 1)

/** Keys `from` to `to`, one record each. */
function push(job: Job, from: number, to: number, atMs: number): void {
  const when = new Date(START_MS + atMs).toISOString()
  for (let at = from; at < to; at += BATCH) {
    const texts = Array.from(
      { length: Math.min(BATCH, to - at) },
      (_, i) => `{"who":"u${at + i}","cents":${(at + i) % 100},"at":"${when}"}`,
    )
    job.push(batchOf('visits', 0, at, texts))
  }
}
const perKey = from(visits)
  .window(tumbling({ sizeMs: 60_000 }))
  .groupBy('who')
  .aggregate((v) => ({ n: count(), cents: sum(v.cents) }))
  .named('per-key')

test(`${KEYS} keys in one window: each comes out, and beyond the limit in bytes it says what to do`, {
  timeout: 0,
}, (t) => {
  const job = openJob([perKey], { bounded: true, stateBytesMax: 4 * 2 ** 30 })
  push(job, 0, KEYS, 0)
  push(job, 0, Math.min(KEYS, 10_000), 1000)
  const bytes = job.stateBytes()
  t.diagnostic(`${bytes} bytes of state, ${(bytes / KEYS).toFixed(0)} a key`)
  if (KEYS <= 1_000_000) {
    const again = openJob([perKey], { bounded: true })
    const snapshot = job.snapshot()
    const before = process.cpuUsage()
    again.restore(snapshot)
    const { user, system } = process.cpuUsage(before)
    t.diagnostic(
      `restored ${(snapshot.length / 2 ** 20).toFixed(1)} MiB in ${((user + system) / 1000).toFixed(0)} ms of processor time`,
    )
    again.finish()
    assert.equal(
      again.take().results.reduce((sum, batch) => sum + batch.count, 0),
      KEYS,
    )
  }
  job.finish()
  const { results } = job.take()
  const rows = results.reduce((sum, batch) => sum + batch.count, 0)
  assert.equal(rows, KEYS)
  const first = results[0]!
  const twice = encodeRow(first, 0)
  assert.match(twice, /"who":"u0","n":2,"cents":0}/)

  const limited = openJob([perKey], { bounded: true, stateBytesMax: Math.floor(bytes / 2) })
  assert.throws(
    () => push(limited, 0, KEYS, 0),
    (error) =>
      error instanceof StateLimitError &&
      /over its limit of \d+; plan 'per-key' holds \d+, \d+ of it in its 'window-aggregate'\. Shorten its window or lateness, group by fewer keys, or raise stateBytesMax/.test(
        error.message,
      ),
  )
})

test('ever new keys: what no open window needs goes, the state keeps its size', () => {
  const job = openJob([perKey], { bounded: false })
  const sizes: number[] = []
  const each = 30_000
  for (let minute = 0; minute < 24; minute++) {
    push(job, minute * each, (minute + 1) * each, minute * 60_000)
    job.take()
    sizes.push(job.stateBytes())
  }
  // Dictionaries are swept once they have doubled: the first minutes fill them.
  const [early, late] = [Math.max(...sizes.slice(6, 12)), Math.max(...sizes.slice(12))]
  assert.ok(late <= early * 1.1, `${late} bytes at the end, ${early} before: ${sizes.join(' ')}`)
})

test('a latest join without a horizon stops at the limit and names its cure', () => {
  const other = from({ ...visits, topic: 'prices' }).rename({ cents: 'price', at: 'since' })
  const plan = from(visits)
    .join(other, { how: 'latest', side: 'left', on: { who: 'who' } })
    .named('priced')
  const job = openJob([plan], { bounded: false, stateBytesMax: 8 << 20 })
  assert.throws(
    () => {
      for (let at = 0; at < 1_000_000; at += BATCH) {
        const when = new Date(START_MS + at).toISOString()
        const texts = Array.from({ length: BATCH }, (_, i) => `{"who":"u${at + i}","cents":1,"at":"${when}"}`)
        job.push(batchOf('prices', 0, at, texts))
        job.push(batchOf('visits', 0, at / BATCH, [`{"who":"nobody","cents":1,"at":"${when}"}`]))
        job.take()
      }
    },
    (error) =>
      error instanceof StateLimitError &&
      /plan 'priced'.*'join'\. Give the `latest` join a `withinMs`/.test(error.message),
  )
})
