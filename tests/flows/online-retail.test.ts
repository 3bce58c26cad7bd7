// The real data set: all 541,909 lines are valid under their contract, and revenue per month is the published one.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlineRetail, onlineRetailLines, pipelines } from '../../src/commerce/commerce.ts'
import { importOnlineRetail } from '../../src/connect/online-retail-import.ts'
import type { RecordProducer } from '../../src/connect/record-producer.ts'
import { openJob, resultRow } from '../../src/engine/engine.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { duckRows } from './duckdb.ts'

const path =
  process.env.MILLRACE_ONLINE_RETAIL ??
  fileURLToPath(new URL('../../../shared/data/online-retail.csv.gz', import.meta.url))
const skip = existsSync(path) ? false : `no Online Retail file at ${path}: set MILLRACE_ONLINE_RETAIL`

/** Published gross sales per month; each is also recomputed from the file below. */
const published = [
  ['2010-12', 82374614],
  ['2011-01', 69136456],
  ['2011-02', 52363189],
  ['2011-03', 71763936],
  ['2011-04', 53780862],
  ['2011-05', 77053602],
  ['2011-06', 76173990],
  ['2011-07', 71922119],
  ['2011-08', 75913838],
  ['2011-09', 105859017],
  ['2011-10', 115497930],
  ['2011-11', 150949633],
  ['2011-12', 63879268],
] as const

test('every line of the Online Retail file is valid, and monthly-revenue gives the published figures', {
  skip,
}, async () => {
  const { plan } = pipelines.get('monthly-revenue')!
  const job = openJob([plan], { bounded: true, partitions: { [onlineRetail.topic]: 1 } })
  const batch = 1_000
  const bytes = new Uint8Array(1024 * 1024)
  const starts = new Int32Array(batch)
  const ends = new Int32Array(batch)
  const offsets = new Float64Array(batch)
  const arrivals = new Float64Array(batch)
  let count = 0
  let end = 0
  let records = 0
  const push = (): void => {
    job.push({ topic: onlineRetail.topic, partition: 0, bytes, count, starts, ends, offsets, arrivals })
    count = 0
    end = 0
    assert.deepEqual(
      job
        .take()
        .deadLetters.slice(0, 3)
        .map(({ message }) => message),
      [],
    )
  }
  const producer: RecordProducer = {
    record(topic, key, value, timeMs) {
      assert.equal(topic, onlineRetail.topic)
      assert.ok(key !== null && value !== null)
      bytes.set(value, end)
      starts[count] = end
      end += value.length
      ends[count] = end
      offsets[count] = records++
      arrivals[count++] = timeMs
      if (count === batch) push()
    },
    room: () => null,
    flush: async () => push(),
    counts: () => ({ records, acknowledged: records, sends: 0, sentBytes: 0, waitingBytes: 0 }),
    trouble: () => null,
    close: async () => {},
  }
  const summary = await importOnlineRetail(nodeWorld(), producer, { path, mapping: onlineRetailLines })
  assert.equal(summary.rows, 541_909)
  assert.equal(summary.outOfOrder, 0)
  assert.equal(summary.readBytes, summary.fileBytes)
  job.finish()
  const rows = job
    .take()
    .results.flatMap((result) => Array.from({ length: result.count }, (_, row) => resultRow(result, row)))
    .map((row) => {
      const { window_start, gross } = row
      assert.ok(typeof window_start === 'number' && typeof gross === 'number' && gross > 0)
      // Summed exactly in thousandths, rounded once.
      return { month: new Date(window_start).toISOString().slice(0, 7), gross: Math.floor((gross + 5) / 10) }
    })
  const [ledger] = job.ledger()
  assert.deepEqual([ledger?.in, ledger?.processed, ledger?.deadLettered, ledger?.late], [541_909, 541_909, 0, 0])
  assert.deepEqual(
    rows,
    published.map(([month, gross]) => ({ month, gross })),
  )
})

test('the published figures are what DuckDB makes of the file', { skip }, async () => {
  const rows = await duckRows(`
    SELECT strftime(InvoiceDate, '%Y-%m') AS month, (round(sum(Quantity * UnitPrice), 2) * 100)::BIGINT AS gross
    FROM read_csv('${path}', columns = {InvoiceNo: 'VARCHAR', StockCode: 'VARCHAR', Description: 'VARCHAR', Quantity: 'BIGINT',
      InvoiceDate: 'TIMESTAMP', UnitPrice: 'DECIMAL(18,3)', CustomerID: 'VARCHAR', Country: 'VARCHAR'}, header = true, quote = '"', escape = '"')
    WHERE NOT starts_with(InvoiceNo, 'C') AND Quantity > 0 AND UnitPrice > 0
    GROUP BY month ORDER BY month`)
  assert.deepEqual(
    rows.map(({ month, gross }) => [month, Number(gross)]),
    published,
  )
})
