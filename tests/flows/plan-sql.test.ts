// Every pipeline's DuckDB SQL over generated events: row for row the engine's final table, money exact. Over NDJSON as it
// comes, and over the same records in Parquet.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { onlineRetailLines, pipelines } from '../../src/commerce/commerce.ts'
import { runPipeline } from '../../src/connect/run-pipeline.ts'
import { generators } from '../../src/generate/generate.ts'
import { contract, field, nullable } from '../../src/query/contract.ts'
import type { Column, Plan } from '../../src/query/plan.ts'
import { count, from, hopping, staticTable, sum, tumbling } from '../../src/query/query.ts'
import { decimalJson } from '../../src/std/decimal.ts'
import { dateText, instantText } from '../../src/std/instant.ts'
import { randomStream } from '../../src/std/random.ts'
import { duckdbSql } from '../../src/stores/stores.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { duckRows } from './duckdb.ts'
import { duckRow } from './duckdb-values.ts'

const folder = mkdtempSync(join(tmpdir(), 'plan-sql-'))
after(() => rmSync(folder, { recursive: true }))

/** Lines out of order, a few of them broken or in another spelling. */
function generated(topic: string, events: number): string[] {
  const random = randomStream(`plan-sql/${topic}`)
  const lines: string[] = []
  if (topic === 'online-retail') {
    for (let i = 0; i < events; i++) {
      const at = instantText(Date.UTC(2010, 11, 1) + random.below(374) * 86_400_000 + random.below(86_400) * 1000)
      const price = random.below(20) === 0 ? '0' : decimalJson(1 + random.below(20_000), 3)
      const invoice = `${random.below(30) === 0 ? 'C' : ''}${536_365 + i}`
      const row = [
        invoice,
        `${random.below(4000)}A`,
        '',
        String(random.below(60) - 4),
        at.slice(0, -1),
        price,
        '',
        'EIRE',
      ]
      lines.push(onlineRetailLines.value(row))
    }
  } else {
    const traffic = generators.get(topic)?.('plan-sql', {
      ratePerSecond: 20,
      startMs: Date.UTC(2026, 1, 27, 23, 50),
      steady: true,
    })
    assert.ok(traffic, `topic ${topic} can be generated`)
    const decoder = new TextDecoder()
    const sink = { record: (_: string, __: Uint8Array, value: Uint8Array) => void lines.push(decoder.decode(value)) }
    traffic.produceUntil(Number.POSITIVE_INFINITY, sink, events)
  }
  for (let i = 0; i < events / 100; i++) {
    const [a, b] = [random.below(lines.length), random.below(lines.length)]
    ;[lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? '']
  }
  // Inside objects and lists DuckDB's SQL judges only what the plan reads: there a record is cut off or its time written anew.
  const isNested = lines[0]?.includes('[{') === true
  const spoiltAll = [
    (line: string) => line.slice(0, -2),
    (line: string) => line.replace(/:(-?[0-9.]+)([,}])/, ':"$1"$2'),
    (line: string) => line.replace(/:(-?[0-9]+)(\.[0-9]+)?([,}])/, ':$1.98765$3'),
    (line: string) => line.replace(/"(\d{4}-\d\d-\d\d)T/, '"$1 '),
    (line: string) => line.replace(/Z"/, '+02:00"'),
    (line: string) => line.replace(/"id_product"/, '"asin"'),
    (line: string) => line.replace(/("nm_product"|"description"):"[^"]*"/, '$1:null'),
    (line: string) => line.replace(/"quantity":-?\d+,/, ''),
  ]
  const spoilt = isNested ? [spoiltAll[0], spoiltAll[3], spoiltAll[4]] : spoiltAll
  return lines.map((line) => (random.below(40) === 0 ? (spoilt[random.below(spoilt.length)]?.(line) ?? line) : line))
}

/** The engine's final rows as the topic carries them. */
async function engineRows(plan: Plan, file: string): Promise<{ rows: unknown[]; rejected: number }> {
  const decoder = new TextDecoder()
  let text = ''
  const { rejected } = await runPipeline(nodeWorld(), {
    plan,
    input: { files: [file] },
    output: (bytes) => {
      text += decoder.decode(bytes)
    },
  })
  const rows = text.split('\n').filter((line) => line !== '')
  const parsed = rows.map((line) => {
    const row = JSON.parse(line)
    // When a row was written is no answer to a query.
    if (plan.output.writtenAtColumn !== undefined) delete row[plan.output.writtenAtColumn]
    return row
  })
  return { rows: parsed, rejected }
}

/** DuckDB's rows as the topic would carry them. */
async function sqlRows(plan: Plan, sql: string): Promise<unknown[]> {
  const columns = plan.nodes.at(-1)?.columns ?? []
  return (await duckRows(sql)).map((given) => {
    const row = duckRow(plan, given)
    const carried = columns.map(({ name, type }): [string, unknown] => {
      const value = row[name] ?? null
      if (typeof value !== 'bigint') return [name, value]
      if (type.kind === 'money' || type.kind === 'decimal') return [name, JSON.parse(decimalJson(value, type.scale))]
      if (type.kind === 'date') return [name, dateText(Number(value))]
      if (type.kind !== 'timestamp') return [name, Number(value)]
      if (plan.output.times === 'epoch-seconds') return [name, Number(value) / 1000]
      return [name, instantText(Number(value), plan.output.times === 'iso-milliseconds')]
    })
    const { finalColumn } = plan.output
    return Object.fromEntries(finalColumn === null ? carried : [...carried, [finalColumn, row[finalColumn]]])
  })
}

/** How far two numbers may lie apart, of their size: sums of doubles are added in another order, quantiles are sketches. */
function toleranceOf(plan: Plan): number {
  const text = JSON.stringify(plan.nodes)
  if (/"(quantile|variance)"/.test(text)) return 0.02
  return text.includes('"decayed-sum"') ? 1e-9 : 0
}
function isNear(ours: string, theirs: string, tolerance: number): boolean {
  const [a, b]: [string, unknown][][] = [JSON.parse(ours), JSON.parse(theirs)]
  return a!.every(([name, value], i) => {
    const [otherName, other] = b![i] ?? []
    if (name !== otherName) return false
    if (typeof value !== 'number' || typeof other !== 'number') return JSON.stringify(value) === JSON.stringify(other)
    return Math.abs(value - other) <= tolerance * Math.abs(other)
  })
}

const files = new Map<string, string>()
function fileOf(topic: string): string {
  let file = files.get(topic)
  if (file === undefined) {
    file = join(folder, `${topic}.ndjson`)
    const lines = generated(topic, 20_000)
    writeFileSync(file, `${lines.join('\n')}\n\n`)
    files.set(topic, file)
  }
  return file
}

for (const { name, plan, reads } of pipelines.values()) {
  const topic = reads.join()
  // A file knows nothing of when its records came.
  const wantsArrival = plan.nodes.some(({ columns }) => columns.some((column) => column.name === '_arrival'))
  const able = (topic === 'online-retail' || generators.has(topic)) && !wantsArrival
  test(`${name}: DuckDB gives the engine's rows`, {
    skip: able ? false : wantsArrival ? 'it reads when records came' : `nothing makes up '${topic}' here`,
  }, async () => {
    const file = fileOf(topic)
    const engine = await engineRows(plan, file)
    assert.ok(engine.rejected > 50, `${engine.rejected} of the lines are broken`)
    assert.ok(engine.rows.length > 0, `${engine.rows.length} rows`)
    const sql = await sqlRows(plan, duckdbSql(plan, { format: 'ndjson', files: [file] }))
    assert.equal(sql.length, engine.rows.length)
    // Only the rows of windows have an order in SQL.
    const isOrdered = plan.nodes.at(-1)?.kind === 'window-aggregate'
    const texts = (rows: readonly unknown[]): string[] => {
      const each = rows.map((row) => JSON.stringify(Object.entries(Object(row)).sort()))
      return isOrdered ? each : each.sort()
    }
    // One row at a time: the difference of thousands would take all memory there is.
    const [ours, theirs] = [texts(engine.rows), texts(sql)]
    const tolerance = toleranceOf(plan)
    for (const [i, row] of ours.entries()) {
      if (theirs[i] !== row && !isNear(row, theirs[i] ?? '[]', tolerance)) assert.equal(theirs[i], row, `row ${i}`)
    }
  })
}

const small = contract({
  topic: 'small',
  version: 1,
  partitions: 1,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group'),
    what: nullable({ kind: 'string' }, 'maybe'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
    open: nullable({ kind: 'bool' }, 'truth'),
    day: nullable({ kind: 'date' }, 'date'),
    weight: field({ kind: 'float64' }, 'number', { default: 1.5 }),
    pieces: field({ kind: 'int64' }, 'number', { default: 2 }),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

test('Parquet files with the same records give the same table', async () => {
  const records = Array.from({ length: 500 }, (_, i) => ({
    who: `w${i % 7}`,
    what: i % 5 === 0 ? null : `t'${i % 3}`,
    price: (i * 37) / 100,
    open: i % 2 === 0,
    day: '2026-01-01',
    ...(i % 3 === 0 ? {} : { pieces: i % 4, weight: i / 8 }),
    at: instantText(Date.UTC(2026, 0, 1) + i * 700, true),
  }))
  const [ndjson, parquet] = [join(folder, 'small.ndjson'), join(folder, "sm'all.parquet")]
  writeFileSync(ndjson, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  await duckRows(
    `COPY (SELECT * FROM read_json('${ndjson}', columns = {who: 'VARCHAR', what: 'VARCHAR', price: 'DECIMAL(12, 2)',
      open: 'BOOLEAN', day: 'DATE', weight: 'DOUBLE', pieces: 'BIGINT', "at": 'TIMESTAMPTZ'})) TO '${parquet.replaceAll("'", "''")}' (FORMAT parquet)`,
  )
  const plan = from(small)
    .filter((e) => e.weight.above(0.1))
    .derive((e) => ({ total: e.price.times(e.pieces) }))
    .window(hopping({ sizeMs: 60_000, slideMs: 5000 }))
    .groupBy('what', 'open', 'day')
    .aggregate((e) => ({ n: count(), total: sum(e.total) }))
    .named('small')
  const [a, b] = await Promise.all([
    duckRows(duckdbSql(plan, { format: 'ndjson', files: [ndjson] })),
    duckRows(duckdbSql(plan, { format: 'parquet', files: [parquet] })),
  ])
  assert.ok(a.length > 100)
  assert.deepEqual(b, a)
  assert.deepEqual(
    await sqlRows(plan, duckdbSql(plan, { format: 'parquet', files: [parquet] })),
    (await engineRows(plan, ndjson)).rows,
  )
})

test('what goes wrong says what, where and the cure', async () => {
  const plan = from(small)
    .window(tumbling({ sizeMs: 1000 }))
    .aggregate(() => ({ n: count() }))
    .named('refused')
  const refused = (changed: Plan, expected: RegExp): void =>
    assert.throws(() => duckdbSql(changed, { format: 'ndjson', files: ['x.ndjson'] }), expected)
  const window = plan.nodes.at(-1)!
  const withNode = (node: object): Plan => ({
    ...plan,
    nodes: [plan.nodes[0]!, { ...window, ...node } as typeof window],
  })
  refused(withNode({ kind: 'pattern', keys: [], withinMs: 1, steps: [] }), /operator 'pattern' has no DuckDB SQL/)
  refused(withNode({ inputs: [] }), /'window-aggregate' has 0 inputs\. Give it one/)
  refused(withNode({ inputs: ['nowhere'] }), /its input nowhere does not come before it/)
  refused({ ...plan, version: 2 as 1 }, /version 2 is not known here/)
  assert.throws(() => duckdbSql(plan, { format: 'ndjson', files: [] }), /files: there are none of topic 'small'/)
  const cased = contract({ ...small, fields: { ...small.fields, Who: field({ kind: 'string' }, 'again') } })
  refused(from(cased).named('cased'), /field 'Who': DuckDB takes it for 'who'/)
  const huge = from(small)
    .window(tumbling({ sizeMs: 1000 }))
    .aggregate((e) => ({ total: sum(e.price.times(9_000_000_000_000_000)) }))
    .named('huge')
  const file = join(folder, 'huge.ndjson')
  writeFileSync(file, '{"who":"a","price":7,"at":"2026-01-01T00:00:00Z"}\n')
  await assert.rejects(duckRows(duckdbSql(huge, { format: 'ndjson', files: [file] })), /beyond what is exact/)
})

test('no records, an empty table, names in need of quotes', async () => {
  const odd = contract({
    ...small,
    fields: {
      ...small.fields,
      'se"lect': nullable({ kind: 'string' }, 'a name that wants quotes'),
      _at: nullable({ kind: 'string' }, 'ours?'),
    },
  })
  const plan = from(odd)
    .lookup(staticTable({ name: 'none', columns: { "o'ther": { kind: 'string' } }, rows: {} }), {
      by: 'who',
      unknown: 'null',
    })
    .window(hopping({ sizeMs: 2000, slideMs: 1000 }))
    .groupBy('se"lect', '_at', "o'ther")
    .aggregate(() => ({ n: count() }))
    .named('odd')
  const file = join(folder, "o'dd.ndjson")
  writeFileSync(file, '{"who":"a","price":7,"at":"2026-01-01T00:00:00Z","se\\"lect":"x","_at":"y"}\n')
  const rows = await duckRows(duckdbSql(plan, { format: 'ndjson', files: [file] }))
  assert.deepEqual(
    rows.map((row) => [row['se"lect'], row._at, row["o'ther"], row.n]),
    [
      ['x', 'y', null, 1n],
      ['x', 'y', null, 1n],
    ],
  )
  writeFileSync(file, '\n')
  assert.deepEqual(await duckRows(duckdbSql(plan, { format: 'ndjson', files: [file] })), [])
})

test('columns of a source that are no fields: inside objects by path; place and arrival only where files have them', async () => {
  const nested = contract({
    ...small,
    fields: { ...small.fields, inside: nullable({ kind: 'struct', fields: {} }, 'an object') },
  })
  const plan = from(nested).select('who', 'at').named('nested')
  const source = plan.nodes[0]!
  const reading = (...more: readonly Column[]): Plan => ({
    ...plan,
    nodes: [{ ...source, columns: [source.columns[0]!, ...more] }],
  })
  const level: Column = { name: 'inside.a.level', type: { kind: 'int64' }, nullable: true }
  const arrival: Column = { name: '_arrival', type: { kind: 'timestamp' }, nullable: true }
  const offset: Column = { name: '_offset', type: { kind: 'int64' }, nullable: false }
  const file = join(folder, 'nested.ndjson')
  const insides = ['{"a":{"level":3}}', '{"a":{"level":null}}', '{"a":{"level":"x"}}', '{"a":[]}', '{}', 'null', '[]']
  const lines = insides.map((inside, i) => `{"who":"w${i}","price":1,"at":"2026-01-01T00:00:00Z","inside":${inside}}\n`)
  writeFileSync(file, lines.join(''))
  const read = await duckRows(duckdbSql(reading(level), { format: 'ndjson', files: [file] }))
  assert.deepEqual(
    read.map((row) => [row.who, row[level.name]]),
    [
      ['w0', 3n],
      ['w1', null],
      ['w3', null],
      ['w4', null],
      ['w5', null],
    ],
  )
  assert.throws(
    () => duckdbSql(reading(arrival), { format: 'ndjson', files: [file] }),
    /column '_arrival': lines of a file do not say where a record lay and when it came\. Read/,
  )
  const stored = join(folder, 'nested.parquet')
  await duckRows(
    `COPY (SELECT 'w' AS who, 1.00 AS price, TIMESTAMP '2026-01-01' AS "at", {a: {level: 7}} AS inside, 5 AS _offset,
      TIMESTAMP '2026-01-02' AS _arrival) TO '${stored}' (FORMAT parquet)`,
  )
  const all = reading(level, arrival, offset)
  const [row] = await duckRows(duckdbSql(all, { format: 'parquet', files: [stored] }))
  assert.deepEqual(duckRow(all, row!), {
    who: 'w',
    'inside.a.level': 7n,
    _arrival: BigInt(Date.UTC(2026, 0, 2)),
    _offset: 5n,
  })
})
