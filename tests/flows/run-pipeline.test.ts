// `runPipeline` against rows known to be right: the small examples, DuckDB over 200,000 generated events out of order,
// and what it says about lines it cannot take.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pipelines } from '../../src/commerce/commerce.ts'
import { ndjsonBatchBytes } from '../../src/connect/ndjson-source.ts'
import { type Reject, type RunSettings, type RunSummary, runPipeline } from '../../src/connect/run-pipeline.ts'
import { generators } from '../../src/generate/generate.ts'
import { type RandomStream, randomStream } from '../../src/std/random.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { duckRows } from './duckdb.ts'

const folder = mkdtempSync(join(tmpdir(), 'run-pipeline-'))
after(() => rmSync(folder, { recursive: true }))
const world = nodeWorld()

type Row = Readonly<Record<string, string | number | boolean | null>>
interface Ran {
  readonly rows: Row[]
  readonly rejects: Reject[]
  readonly summary: RunSummary
}
async function run(pipeline: string, input: RunSettings['input'], more: Partial<RunSettings> = {}): Promise<Ran> {
  const decoder = new TextDecoder()
  let text = ''
  const rejects: Reject[] = []
  const summary = await runPipeline(world, {
    plan: pipelines.get(pipeline)!.plan,
    input,
    output: (bytes) => {
      text += decoder.decode(bytes)
    },
    onReject: (reject) => rejects.push(reject),
    ...more,
  })
  const lines = text.split('\n')
  assert.equal(lines.pop(), '', 'the last row ends its line')
  return { rows: lines.map((line) => JSON.parse(line)), rejects, summary }
}
const overFile = (pipeline: string, path: string): Promise<Ran> => run(pipeline, { files: [path] })
async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}
function written(name: string, lines: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return path
}

// --- the small examples ---

const examples = fileURLToPath(new URL('../../../shared/examples/', import.meta.url))
const haveExamples = existsSync(examples)
for (const [pipeline, name, expected] of [
  ['sales-window', 'sales-small', 'sales-window-small.expected'],
  ['product-metrics', 'orders-small', 'product-metrics-small.expected'],
] as const) {
  test(`${pipeline} gives the expected rows of ${name}`, {
    skip: haveExamples ? false : 'no examples beside the checkout',
  }, async () => {
    const path = `${examples}${name}.ndjson`
    const wanted = readFileSync(`${examples}${expected}.ndjson`, 'utf8')
      .trim()
      .split('\n')
      .map((line): Row => JSON.parse(line))
    for (const input of [{ files: [path] }, { name: 'stdin', chunks: inChunks(readFileSync(path), 777) }]) {
      const { rows, rejects, summary } = await run(pipeline, input)
      assert.deepEqual(rejects, [])
      assert.equal(summary.rows, rows.length)
      // Rows may carry more fields than the examples.
      assert.deepEqual(
        rows.map((row, i) => Object.fromEntries(Object.keys(wanted[i] ?? row).map((key) => [key, row[key]]))),
        wanted,
      )
    }
  })
}

// --- DuckDB over generated events ---

const events = 200_000

/** Writes 200,000 generated events, 1 % of them far from their place; each line also in a guise that means the same. */
function generated(
  topic: 'sales' | 'orders',
  ratePerSecond: number,
): { readonly plain: string; readonly disguised: string } {
  const traffic = generators.get(topic)!('oracle', {
    ratePerSecond,
    startMs: Date.UTC(2026, 1, 27, 23, 50),
    steady: true,
  })
  const decoder = new TextDecoder()
  const lines: string[] = []
  traffic.produceUntil(
    Number.POSITIVE_INFINITY,
    { record: (_topic, _key, value) => lines.push(decoder.decode(value)) },
    events,
  )
  const random = randomStream(`guise/${topic}`)
  for (let i = 0; i < events / 100; i++) {
    const from = random.below(lines.length)
    const to = random.below(lines.length)
    ;[lines[from], lines[to]] = [lines[to]!, lines[from]!]
  }
  return {
    plain: written(`${topic}.ndjson`, lines),
    disguised: written(
      `${topic}-disguised.ndjson`,
      lines.map((line) => (random.below(10) === 0 ? disguise(line, random) : line)),
    ),
  }
}
/** Another spelling of the same record: key order, white space, escapes, exponents, offsets, unknown fields, aliases. */
function disguise(line: string, random: RandomStream): string {
  const record = Object.entries(JSON.parse(line) as Row).map(([name, value]): [string, string] => {
    let text = JSON.stringify(value)
    if (name === 'id_product' && random.below(2) === 0) return ['asin', text]
    if (name === 'sale_date' || name === 'timestamp') {
      const ms = Date.parse(String(value))
      const zone = random.below(5)
      text = [
        `"${new Date(ms).toISOString()}"`,
        `"${new Date(ms).toISOString().replace('Z', '000+00:00')}"`,
        `"${new Date(ms - 3 * 3_600_000).toISOString().replace('Z', '-03:00')}"`,
        `"${new Date(ms).toISOString().replace('Z', '+0000')}"`,
        `"${new Date(ms).toISOString().replace('Z', '')}"`,
      ][zone]!
    } else if (typeof value === 'number' && random.below(2) === 0) text = value.toExponential().replace('+', '')
    else if (typeof value === 'string' && random.below(2) === 0) {
      text = `"${[...value].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    }
    return [name, text]
  })
  record.push(['unknown', '{"deep":[1,null,"}"]}'])
  const kept = record.filter(
    ([name, text]) => !(name === 'quantity' && text === '1') && !(name === 'tp_payment' && text === '"Credit Card"'),
  )
  for (let i = kept.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[kept[i], kept[j]] = [kept[j]!, kept[i]!]
  }
  const blank = (): string => ['', ' ', '\t', '  '][random.below(4)]!
  return `${blank()}{${kept.map(([name, text]) => `${blank()}"${name}"${blank()}:${blank()}${text}${blank()}`).join(',')}}${blank()}`
}

/** `12.5` and 1250n are the same money: every figure as an integer of hundredths. */
const hundredths = (value: unknown): bigint => BigInt(Math.round(Number(value) * 100))

test('sales-window over 200,000 sales equals DuckDB row for row', async () => {
  const { plain, disguised } = generated('sales', 250)
  // A pair (second, id) is the first of its id in the windows whose end lies in [max(second + 1, the id's second before
  // + 901), second + 901): counting firsts counts what is distinct.
  const distinct = (column: string): string => `
    (SELECT window_end, sum(sum(change)) OVER (ORDER BY window_end) AS n FROM (
      SELECT unnest([greatest(second + 1, coalesce(before, second - 900) + 901), second + 901]) AS window_end, unnest([1, -1]) AS change
      FROM (SELECT second, lag(second) OVER (PARTITION BY id ORDER BY second) AS before
        FROM (SELECT DISTINCT second, ${column} AS id FROM sale))) GROUP BY window_end)`
  const wanted = await duckRows(`
    WITH sale AS MATERIALIZED (
      SELECT epoch_ms(sale_date) // 1000 AS second, seller, nm_category, id_product,
        cast(price * 100 AS BIGINT) * quantity AS value
      FROM read_json('${plain}', format = 'newline_delimited', columns = {id_product: 'VARCHAR', nm_category: 'VARCHAR',
        seller: 'VARCHAR', price: 'DECIMAL(18,2)', quantity: 'BIGINT', sale_date: 'TIMESTAMP'})),
    per_second AS MATERIALIZED (SELECT second, count(*) AS n, sum(value) AS total, max(value) AS most FROM sale GROUP BY second),
    ends AS (SELECT DISTINCT second + ahead AS window_end FROM per_second, range(1, 901) r(ahead)),
    totals AS (SELECT window_end, sum(n)::BIGINT AS n, sum(total)::BIGINT AS total, max(most) AS most
      FROM ends JOIN per_second ON second < window_end AND second >= window_end - 900 GROUP BY window_end)
    SELECT strftime(make_timestamp((t.window_end - 900) * 1000000), '%Y-%m-%dT%H:%M:%SZ') AS window_start,
      strftime(make_timestamp(t.window_end * 1000000), '%Y-%m-%dT%H:%M:%SZ') AS window_end,
      t.n AS sales, t.total AS revenue, t.total // t.n + CASE WHEN 2 * (t.total % t.n) >= t.n THEN 1 ELSE 0 END AS avg_ticket,
      s.n::BIGINT AS active_sellers, c.n::BIGINT AS active_categories, p.n::BIGINT AS active_products, t.most AS biggest_sale
    FROM totals t
      ASOF JOIN ${distinct('seller')} s ON s.window_end <= t.window_end
      ASOF JOIN ${distinct('nm_category')} c ON c.window_end <= t.window_end
      ASOF JOIN ${distinct('id_product')} p ON p.window_end <= t.window_end
    ORDER BY t.window_end`)
  assert.ok(wanted.length > 1_600)
  for (const path of [plain, disguised]) {
    const { rows, rejects, summary } = await overFile('sales-window', path)
    assert.deepEqual(rejects, [])
    assert.equal(summary.read, events)
    const exact = rows.map(({ revenue, avg_ticket, biggest_sale, ...row }) => ({
      ...row,
      revenue: hundredths(revenue),
      avg_ticket: hundredths(avg_ticket),
      biggest_sale: hundredths(biggest_sale),
    }))
    same(
      exact,
      wanted.map((row) => counted(row, ['sales', 'active_sellers', 'active_categories', 'active_products'])),
    )
  }
})

test('product-metrics over 200,000 orders equals DuckDB row for row', async () => {
  const { plain, disguised } = generated('orders', 300)
  const wanted = await duckRows(`
    SELECT window_start, window_start + 60 AS window_end, product_id,
      CASE product_id WHEN 'prod-1' THEN 'Laptop' WHEN 'prod-2' THEN 'Phone' WHEN 'prod-3' THEN 'Tablet'
        WHEN 'prod-4' THEN 'Monitor' WHEN 'prod-5' THEN 'Keyboard' END AS product_name,
      count(*) AS order_count, sum(value)::BIGINT AS total_revenue,
      (sum(value) // count(*) + CASE WHEN 2 * (sum(value) % count(*)) >= count(*) THEN 1 ELSE 0 END)::BIGINT AS avg_order_value
    FROM (SELECT epoch_ms("timestamp") // 60000 * 60 AS window_start, product_id, cast(amount * 100 AS BIGINT) AS value
      FROM read_json('${plain}', format = 'newline_delimited', columns = {product_id: 'VARCHAR', amount: 'DECIMAL(18,2)', "timestamp": 'TIMESTAMP'}))
    GROUP BY window_start, product_id ORDER BY window_start, product_id`)
  assert.ok(wanted.length > 50)
  for (const path of [plain, disguised]) {
    const { rows, rejects, summary } = await overFile('product-metrics', path)
    assert.deepEqual(rejects, [])
    assert.equal(summary.read, events)
    const exact = rows.map(({ total_revenue, avg_order_value, is_final, ...row }) => {
      assert.equal(is_final, true)
      return { ...row, total_revenue: hundredths(total_revenue), avg_order_value: hundredths(avg_order_value) }
    })
    same(
      exact,
      wanted.map((row) => counted(row, ['window_start', 'window_end', 'order_count'])),
    )
  }
})

/** Turns these columns into plain numbers, as the rows have them. */
function counted(row: Record<string, unknown>, columns: readonly string[]): Record<string, unknown> {
  return { ...row, ...Object.fromEntries(columns.map((column) => [column, Number(row[column])])) }
}
/** Row for row, so that a difference names its row. */
function same(rows: readonly object[], wanted: readonly object[]): void {
  for (const [i, row] of rows.entries()) assert.deepEqual(row, wanted[i], `row ${i}`)
  assert.equal(rows.length, wanted.length)
}

// --- what is not taken ---

const sale = (more: object = {}): string =>
  JSON.stringify({
    id_sale: 'a',
    id_product: 'p',
    seller: 's',
    price: 10.5,
    sale_date: '2026-01-01T00:00:00.5Z',
    ...more,
  })

test('each bad line is counted and named by line, field and reason, and stops nothing', async () => {
  const path = written('bad.ndjson', [
    sale(),
    'not json',
    sale({ price: 'x' }),
    '',
    sale({ seller: undefined }),
    sale({ sale_date: '2026-02-30T00:00:00Z' }),
    `{"x":"${'y'.repeat(ndjsonBatchBytes)}"}`,
    sale({ quantity: 2 }),
    '[1]',
    sale({ price: 0.001 }),
  ])
  const { rows, rejects, summary } = await overFile('sales-window', path)
  assert.deepEqual(
    rejects.map(({ file, line, field, reason }) => ({ file, line, field, reason })),
    [
      { line: 2, field: '', reason: 'not-json' },
      { line: 3, field: 'price', reason: 'wrong-type' },
      { line: 5, field: 'seller', reason: 'missing' },
      { line: 6, field: 'sale_date', reason: 'wrong-type' },
      { line: 7, field: '', reason: 'too-long' },
      { line: 9, field: '', reason: 'wrong-type' },
      { line: 10, field: 'price', reason: 'scale' },
    ].map((wanted) => ({ file: path, ...wanted })),
  )
  for (const { message } of rejects) assert.ok(message.length > 10)
  const { seconds, ...counts } = summary
  assert.ok(seconds >= 0)
  assert.deepEqual(counts, { read: 9, rejected: 7, rows: 900 })
  assert.deepEqual(rows[0], {
    window_start: '2025-12-31T23:45:01Z',
    window_end: '2026-01-01T00:00:01Z',
    sales: 2,
    revenue: 31.5,
    avg_ticket: 15.75,
    active_sellers: 1,
    active_categories: 1,
    active_products: 1,
    biggest_sale: 21,
  })
})

test('orders: an amount of zero or less and an unknown product are rejected', async () => {
  const order = (more: object): string =>
    JSON.stringify({
      order_id: 'o',
      user_id: 'u',
      product_id: 'prod-1',
      amount: 10,
      timestamp: '2026-01-01T00:00:00Z',
      ...more,
    })
  const path = written('orders-bad.ndjson', [
    order({}),
    order({ amount: 0 }),
    order({ amount: -1 }),
    order({ product_id: 'prod-6' }),
  ])
  const { rows, rejects } = await overFile('product-metrics', path)
  assert.deepEqual(
    rejects.map(({ line, field, reason }) => [line, field, reason]),
    [
      [2, 'amount', 'rule'],
      [3, 'amount', 'rule'],
      [4, 'product_id', 'rule'],
    ],
  )
  assert.deepEqual(rows, [
    {
      window_start: 1767225600,
      window_end: 1767225660,
      product_id: 'prod-1',
      product_name: 'Laptop',
      order_count: 1,
      total_revenue: 10,
      avg_order_value: 10,
      is_final: true,
    },
  ])
})

test('the first hundred rejects are named, the others counted', async () => {
  const path = written(
    'hundred.ndjson',
    Array.from({ length: 250 }, () => 'x'),
  )
  const { rejects, summary } = await overFile('sales-window', path)
  assert.deepEqual(
    rejects.map(({ line }) => line),
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
  assert.equal(summary.rejected, 250)
})

test('no input, no rows; a signal stops a run; a missing file is an error of the disk', async () => {
  const { summary } = await overFile('sales-window', written('empty.ndjson', []))
  assert.deepEqual([summary.read, summary.rejected, summary.rows], [0, 0, 0])
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield new TextEncoder().encode(`${sale()}\n`)
  }
  const stop = new AbortController()
  const stopped = run(
    'sales-window',
    { name: 'stdin', chunks: endless() },
    { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) },
  )
  await assert.rejects(stopped, /enough/)
  await assert.rejects(overFile('sales-window', join(folder, 'no.ndjson')), { code: 'ENOENT' })
})
