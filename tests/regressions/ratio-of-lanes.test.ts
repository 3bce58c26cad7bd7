// A sum is kept in two lanes, which may be of opposite signs: where they were 0 together but neither alone, a ratio
// divided by zero and took the job down. It is null.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, plainRows } from '../../src/engine/batches.suite.ts'
import { openJob } from '../../src/engine/engine.ts'
import { contract, field } from '../../src/query/contract.ts'
import { from, ratio, sum, tumbling } from '../../src/query/query.ts'

const events = contract({
  topic: 'events',
  version: 1,
  partitions: 1,
  key: 'size',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: { size: field({ kind: 'int64' }, 'number'), at: field({ kind: 'timestamp' }, 'when') },
})

test('a ratio over a sum that is 0 in two lanes is null', () => {
  const plan = from(events)
    .window(tumbling({ sizeMs: 1000 }))
    .aggregate((e) => ({ total: sum(e.size), share: ratio(sum(e.size), sum(e.size), { scale: 2 }) }))
    .named('shares')
  const lines = [-(2 ** 53 - 1), 2 ** 52 - 1, 2 ** 52].map((size) => `{"size":${size},"at":"2026-01-01T00:00:00Z"}`)
  const job = openJob([plan], { bounded: true })
  job.push(batchOf('events', 0, 0, lines))
  job.finish()
  const rows = plainRows(job.take()).map(({ values }) => values)
  assert.deepEqual(
    rows.map(({ total, share }) => ({ total, share })),
    [{ total: 0, share: null }],
  )
})
