// The lake's files as other people's tools read them: DuckDB by glob, pandas and pyarrow where a Python has them
// (that of the clients' tests, or the one that MILLRACE_PYTHON names).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sales } from '../../src/commerce/commerce.ts'
import { openLake, SpoolWriter } from '../../src/stores/stores.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { clientsFolder, pythonIn } from '../../tools/clients.ts'
import { duckRows } from '../flows/duckdb.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-readers-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const ofTheClients = pythonIn(clientsFolder)
const python = process.env.MILLRACE_PYTHON ?? (existsSync(ofTheClients) ? ofTheClients : 'python3')
const hasPandas = spawnSync(python, ['-c', 'import pandas, pyarrow']).status === 0
const skip = hasPandas ? false : `${python} has no pandas and pyarrow: npm run clients makes one that has`
const table = join(folder, 'silver', 'topic=sales')

const written = (async () => {
  const world = nodeWorld()
  const lake = openLake(world, { folder, duckdb: { memoryBytesMax: 128 << 20, spillBytesMax: 0, idleMsMax: 1_000 } })
  const spool = new SpoolWriter(world, join(lake.workFolder, 'spool'))
  for (let offset = 0; offset < 100; offset++) {
    const sale = {
      id_sale: `s${offset}`,
      id_product: 'p1',
      nm_product: offset % 2 ? 'Größe' : null,
      seller: 'one',
      price: offset + 0.25,
      sale_date: new Date(Date.UTC(2026, 10, 20, 23, offset)).toISOString(),
    }
    const bytes = new TextEncoder().encode(JSON.stringify(sale))
    spool.add({
      partition: 0,
      offset,
      arrivalMs: Date.UTC(2026, 10, 21, 2),
      bytes,
      keyStart: -1,
      keyEnd: -1,
      valueStart: 0,
      valueEnd: bytes.length,
      headers: null,
    })
  }
  const topic = { topic: 'sales', bronze: true, typed: { layer: 'silver', contract: sales, rows: 'valid' } } as const
  await lake.write({ topic, ranges: [[0, 0, 100]], spool: spool.end() })
  await lake.close()
})()

test('DuckDB reads the folders by glob, the day from their names', async () => {
  await written
  const rows = await duckRows(
    `SELECT CAST(dt AS VARCHAR) AS dt, count(*) AS n, sum(price)::VARCHAR AS price FROM read_parquet('${table}/**/*.parquet', hive_partitioning = true) GROUP BY dt ORDER BY dt`,
  )
  assert.deepEqual(
    rows.map(({ dt, n, price }) => [dt, Number(n), price]),
    [
      ['2026-11-20', 60, '1785.00'],
      ['2026-11-21', 40, '3190.00'],
    ],
  )
})

test('pandas and pyarrow read the same', { skip }, async () => {
  await written
  const script = `
import pandas as pd, pyarrow.dataset as ds, json, sys
frame = pd.read_parquet(sys.argv[1])
table = ds.dataset(sys.argv[1], partitioning='hive').to_table()
print(json.dumps([len(frame), str(frame.price.sum()), int(frame.nm_product.isna().sum()), sorted(set(str(d) for d in frame.dt)),
  str(frame.sale_date.min()), table.num_rows, str(table.schema.field('price').type)]))`
  const run = spawnSync(python, ['-c', script, table], { encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  assert.deepEqual(JSON.parse(run.stdout), [
    100,
    '4975.00',
    50,
    ['2026-11-20', '2026-11-21'],
    '2026-11-20 23:00:00',
    100,
    'decimal128(18, 2)',
  ])
})
