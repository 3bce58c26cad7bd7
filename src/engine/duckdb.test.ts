// W2- and O5-like queries over generated out-of-order events, row for row against DuckDB; and the small examples that
// ship beside the project, where they are.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { contract, field } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import {
  average,
  count,
  countDistinct,
  from,
  hopping,
  max,
  minutes,
  seconds,
  staticTable,
  sum,
  tumbling,
} from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { openJob } from './engine.ts'

const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: 1,
  key: 'seller',
  eventTime: 'sale_date',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 60_000,
  doc: 'sales',
  fields: {
    id_product: field({ kind: 'string' }, 'what', { aliases: ['asin'] }),
    nm_category: field({ kind: 'string' }, 'category', { default: 'General Category' }),
    seller: field({ kind: 'string' }, 'who'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'for one'),
    quantity: field({ kind: 'int64' }, 'how many', { default: 1 }),
    sale_date: field({ kind: 'timestamp' }, 'when'),
  },
})
const orders = contract({
  topic: 'orders',
  version: 1,
  partitions: 1,
  key: 'product_id',
  eventTime: 'timestamp',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 60_000,
  doc: 'orders',
  fields: {
    product_id: field({ kind: 'string' }, 'what'),
    amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'paid', { rules: [{ rule: 'above', bound: 0 }] }),
    timestamp: field({ kind: 'timestamp' }, 'when'),
  },
})
const names: { [id: string]: string } = {
  'prod-1': 'Laptop',
  'prod-2': 'Phone',
  'prod-3': 'Tablet',
  'prod-4': 'Monitor',
  'prod-5': 'Keyboard',
}

const slidingSales = from(sales)
  .derive((s) => ({ total: s.price.times(s.quantity) }))
  .window(hopping({ sizeMs: minutes(15), slideMs: seconds(1) }))
  .aggregate((s) => ({
    sales: count(),
    revenue: sum(s.total),
    avg_ticket: average(s.total, { scale: 2 }),
    active_sellers: countDistinct(s.seller),
    active_categories: countDistinct(s.nm_category),
    active_products: countDistinct(s.id_product),
    biggest_sale: max(s.total),
  }))
  .lateness(seconds(60))
  .named('sales-window')
const ordersByMinute = from(orders)
  .lookup(
    staticTable({
      name: 'products',
      columns: { product_name: { kind: 'string' } },
      rows: Object.fromEntries(Object.entries(names).map(([id, name]) => [id, { product_name: name }])),
    }),
    { by: 'product_id', unknown: 'dead-letter' },
  )
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('product_id', 'product_name')
  .aggregate((o) => ({
    order_count: count(),
    total_revenue: sum(o.amount),
    avg_order_value: average(o.amount, { scale: 2 }),
  }))
  .lateness(minutes(1))
  .output({ times: 'epoch-seconds' })
  .named('orders-by-minute')

/** The plan's final rows, in the order they came, over all lines in one partition. */
function run(
  plan: Plan,
  topic: string,
  lines: readonly string[],
  bounded: boolean,
): { rows: string[]; rejected: number } {
  const job = openJob([plan], { bounded })
  const final = new Map<string, string>()
  let rejected = 0
  const see = (): void => {
    const output = job.take()
    assert.equal(output.lateRecords.length, 0)
    rejected += output.deadLetters.length
    for (const { values, json } of plainRows(output))
      final.set(JSON.stringify([values.window_start, values.product_id]), json)
  }
  for (let at = 0; at < lines.length; at += 700) {
    job.push(batchOf(topic, 0, at, lines.slice(at, at + 700)))
    see()
  }
  job.finish()
  see()
  return { rows: [...final.values()], rejected }
}

async function duckdb(lines: readonly string[], sql: (file: string) => string): Promise<unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-duckdb-'))
  try {
    const file = join(folder, 'events.ndjson')
    writeFileSync(file, `${lines.join('\n')}\n`)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    const reader = await connection.runAndReadAll(sql(file))
    const rows = reader.getRowObjectsJson()
    connection.closeSync()
    instance.closeSync()
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const START_MS = Date.UTC(2026, 0, 1)
const zones = ['Z', '+00:00', '+0000', '']
function iso(ms: number, zone: string): string {
  return new Date(ms).toISOString().replace('Z', zone)
}

test('24,000 out-of-order sales in a 15 min / 1 s window equal DuckDB, live and bounded', async () => {
  const random = randomStream('duckdb-sales')
  const lines = Array.from({ length: 24_000 }, (_, i) => {
    const timeMs =
      START_MS + i * 40 + (i > 12_000 ? 2_400_000 : 0) - random.below(random.below(100) === 0 ? 50_000 : 3000)
    const product = `B0${random.below(3000).toString(36)}`
    const sale = {
      [random.below(3) === 0 ? 'asin' : 'id_product']: product,
      nm_category: `Category ${random.below(40)}`,
      seller: `seller.${random.below(16)}`,
      price: (1 + random.below(50_000)) / 100,
      quantity: 1 + random.below(4),
      sale_date: iso(timeMs, zones[random.below(zones.length)] ?? 'Z'),
    }
    return JSON.stringify(sale)
  })
  const expected = await duckdb(
    lines,
    (file) => `
    WITH sales AS (
      SELECT coalesce(id_product, asin) AS product, nm_category, seller,
             CAST(round(price * 100) AS BIGINT) * quantity AS total, epoch_ms(CAST(sale_date || CASE WHEN sale_date LIKE '%Z' OR sale_date LIKE '%+00%' THEN '' ELSE 'Z' END AS TIMESTAMPTZ)) AS at_ms
      FROM read_json('${file}', format = 'newline_delimited', columns = {id_product: 'VARCHAR', asin: 'VARCHAR',
        nm_category: 'VARCHAR', seller: 'VARCHAR', price: 'DOUBLE', quantity: 'BIGINT', sale_date: 'VARCHAR'})),
    bounds AS (SELECT unnest(range((SELECT min(at_ms) FROM sales) // 1000, (SELECT max(at_ms) FROM sales) // 1000 + 900)) + 1 AS end_s),
    panes AS (SELECT at_ms // 1000 AS second, count(*) AS n, sum(total) AS total, max(total) AS most,
                     list(DISTINCT seller) AS sellers, list(DISTINCT nm_category) AS categories, list(DISTINCT product) AS products
              FROM sales GROUP BY 1)
    SELECT end_s, sum(n)::BIGINT AS n, sum(total)::BIGINT AS total,
           max(most) AS most, len(list_distinct(flatten(list(sellers)))) AS sellers,
           len(list_distinct(flatten(list(categories)))) AS categories, len(list_distinct(flatten(list(products)))) AS products
    FROM bounds JOIN panes ON second >= end_s - 900 AND second < end_s GROUP BY 1 ORDER BY 1`,
  )
  const table = expected.map((row) => {
    const of = row as { [column: string]: string | number }
    const [total, n] = [BigInt(of.total ?? 0), BigInt(of.n ?? 1)]
    const average = (2n * total + n) / (2n * n)
    const at = (second: number): string => new Date(second * 1000).toISOString().replace('.000Z', 'Z')
    return {
      window_start: at(Number(of.end_s) - 900),
      window_end: at(Number(of.end_s)),
      sales: Number(of.n),
      revenue: Number(total) / 100,
      avg_ticket: Number(average) / 100,
      active_sellers: Number(of.sellers),
      active_categories: Number(of.categories),
      active_products: Number(of.products),
      biggest_sale: Number(of.most) / 100,
    }
  })
  assert.ok(table.length > 2000)
  for (const bounded of [true, false]) {
    const { rows, rejected } = run(slidingSales, 'sales', lines, bounded)
    assert.equal(rejected, 0)
    assert.deepEqual(
      rows.map((row) => JSON.parse(row)),
      table,
    )
  }
})

test('30,000 orders by product and minute equal DuckDB; bad amounts and unknown products are dead letters', async () => {
  const random = randomStream('duckdb-orders')
  const lines = Array.from({ length: 30_000 }, (_, i) =>
    JSON.stringify({
      order_id: `order-${i}`,
      product_id: `prod-${1 + random.below(random.below(50) === 0 ? 7 : 5)}`,
      amount: random.below(100) === 0 ? -1 : (1000 + random.below(49_000)) / 100,
      timestamp: iso(START_MS + i * 20 - random.below(5000), 'Z'),
    }),
  )
  const expected = await duckdb(
    lines,
    (file) => `
    SELECT epoch_ms(timestamp) // 60000 * 60 AS start, product_id, count(*) AS n,
           sum(CAST(round(amount * 100) AS BIGINT))::BIGINT AS total
    FROM read_json('${file}', format = 'newline_delimited', columns = {product_id: 'VARCHAR', amount: 'DOUBLE', timestamp: 'TIMESTAMP'})
    WHERE amount > 0 AND product_id <= 'prod-5' GROUP BY ALL ORDER BY ALL`,
  )
  const table = expected.map((row) => {
    const of = row as { [column: string]: string | number }
    const [total, n] = [BigInt(of.total ?? 0), BigInt(of.n ?? 1)]
    return {
      window_start: Number(of.start),
      window_end: Number(of.start) + 60,
      product_id: of.product_id,
      product_name: names[String(of.product_id)],
      order_count: Number(n),
      total_revenue: Number(total) / 100,
      avg_order_value: Number((2n * total + n) / (2n * n)) / 100,
    }
  })
  assert.ok(table.length >= 50)
  const bad = lines.filter((line) => /prod-[67]|"amount":-1,/.test(line)).length
  for (const bounded of [true, false]) {
    const { rows, rejected } = run(ordersByMinute, 'orders', lines, bounded)
    assert.deepEqual(
      rows.map((row) => JSON.parse(row)),
      table,
    )
    assert.equal(rejected, bad)
  }
})

const examples = new URL('../../../shared/examples/', import.meta.url)
const cases = [
  { plan: slidingSales, topic: 'sales', input: 'sales-small.ndjson', expected: 'sales-window-small.expected.ndjson' },
  {
    plan: ordersByMinute,
    topic: 'orders',
    input: 'orders-small.ndjson',
    expected: 'product-metrics-small.expected.ndjson',
  },
]
for (const { plan, topic, input, expected } of cases)
  test(`${input} gives ${expected}`, {
    skip: existsSync(examples) ? false : `no examples at ${examples.pathname}`,
  }, () => {
    const lines = (name: string): string[] => readFileSync(new URL(name, examples), 'utf8').trim().split('\n')
    const { rows } = run(plan, topic, lines(input), true)
    assert.deepEqual(
      rows.map((row) => JSON.parse(row)),
      lines(expected).map((row) => JSON.parse(row)),
    )
  })
