// Record batches of every codec through a job: decoded where they were decompressed, and from anywhere, with equal rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipelines, sales } from '../commerce/commerce.ts'
import { encodeRow, type Job, openJob } from '../engine/engine.ts'
import { salesTraffic } from '../generate/generate.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { Compression } from '../wire/compression.ts'
import { recordSource } from './record-source.ts'

const plan = pipelines.get('sales-window')!.plan
const startMs = Date.UTC(2026, 0, 1)

/** Batches of 700 records, every 50th broken. */
function batches(codec: Compression): Uint8Array[] {
  const found: Uint8Array[] = []
  let writer = new BatchWriter({ compression: codec })
  let count = 0
  const finish = (): void => {
    found.push(writer.finish())
    writer = new BatchWriter({ compression: codec })
  }
  salesTraffic('record-source', { ratePerSecond: 200, startMs, steady: true }).produceUntil(
    Number.POSITIVE_INFINITY,
    {
      record(_topic, _key, value) {
        writer.append(null, ++count % 50 === 0 ? value.subarray(3) : value, startMs)
        if (count % 700 === 0) finish()
      },
    },
    5_000,
  )
  finish()
  return found
}
function run(codec: Compression, memoryOf: boolean): object {
  const job: Job = openJob([plan], { bounded: true, partitions: { [sales.topic]: 1 } })
  const push = recordSource({
    push: (batch) => job.push(batch),
    memoryOf: (topic) => (memoryOf ? job.memoryOf(topic) : null),
  })
  let offset = 0
  for (const batch of batches(codec)) {
    push(sales.topic, 0, offset, batch)
    offset += 700
  }
  job.finish()
  const { results, deadLetters } = job.take()
  return {
    rows: results.flatMap((batch) => Array.from({ length: batch.count }, (_, row) => encodeRow(batch, row))),
    dead: deadLetters.map(({ offset: at, reason, value }) => [at, reason, Buffer.from(value).toString()]),
    ledger: job.ledger(),
  }
}

const expected = run('none', false)
for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
  for (const memoryOf of [true, false])
    test(`${codec}, ${memoryOf ? "in the decoder's memory" : 'from elsewhere'}: the rows and dead letters of plain batches`, () => {
      assert.deepEqual(run(codec, memoryOf), expected)
    })

test('there were rows and dead letters to compare', () => {
  const { rows, dead } = expected as { rows: string[]; dead: unknown[] }
  assert.ok(rows.length > 900 && dead.length === 100)
})
