// The SQL console against people who want more than an answer: over a hundred statements that read outside, write, change
// settings, reach into the network or never end. Nothing is read, nothing is written, the next question is answered.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeWorld } from '../../../world/node.ts'
import { LakeError } from '../lake-error.ts'
import { type ConsoleLimits, consoleLimits, type Filling, openConsole } from './console.ts'
import { judge, statementBytesMax } from './guard.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-console-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const canary = 'canary-5f1c'
const secret = join(folder, 'secret.csv')
writeFileSync(secret, `a,b\n${canary},2\n`)
const before = readdirSync(folder)

const fill = async (): Promise<Filling> => ({
  setup: ['CREATE TABLE lake.silver_sales AS SELECT range AS id, range % 7 AS price FROM range(1000)'],
  files: [],
})
const limits: ConsoleLimits = { ...consoleLimits, timeMsMax: 4_000 }

const reading = [
  `SELECT * FROM read_csv('${secret}')`,
  `SELECT * FROM read_csv_auto('${secret}')`,
  `SELECT * FROM '${secret}'`,
  `FROM '${secret}'`,
  `SELECT * FROM "${secret}"`,
  `SELECT * FROM read_text('${secret}')`,
  `SELECT * FROM read_blob('${secret}')`,
  `SELECT content FROM read_text('/etc/passwd')`,
  `SELECT * FROM read_json('${secret}')`,
  `SELECT * FROM read_json_auto('${secret}')`,
  `SELECT * FROM read_json_objects('${secret}')`,
  `SELECT * FROM read_ndjson('${secret}')`,
  `SELECT * FROM read_ndjson_auto('${secret}')`,
  `SELECT * FROM read_parquet('${secret}')`,
  `SELECT * FROM parquet_scan('${secret}')`,
  `SELECT * FROM parquet_metadata('${secret}')`,
  `SELECT * FROM parquet_schema('${secret}')`,
  `SELECT * FROM parquet_file_metadata('${secret}')`,
  `SELECT * FROM parquet_kv_metadata('${secret}')`,
  `SELECT * FROM sniff_csv('${secret}')`,
  `SELECT * FROM glob('${folder}/*')`,
  `SELECT * FROM glob('/etc/*')`,
  `SELECT (SELECT content FROM read_text('${secret}'))`,
  `WITH x AS (SELECT * FROM read_csv('${secret}')) SELECT * FROM x`,
  `WITH x AS MATERIALIZED (SELECT * FROM read_text('${secret}')) SELECT * FROM x`,
  `SELECT * FROM lake.silver_sales WHERE EXISTS (SELECT * FROM read_text('${secret}'))`,
  `SELECT * FROM lake.silver_sales UNION ALL SELECT 1, size FROM read_text('${secret}')`,
  `SELECT * FROM lake.silver_sales, LATERAL (SELECT * FROM read_text('${secret}'))`,
  `EXPLAIN SELECT * FROM read_csv('${secret}')`,
  `EXPLAIN ANALYZE SELECT * FROM read_csv('${secret}')`,
  `SELECT * FROM query('SELECT * FROM read_text(''${secret}'')')`,
  `SELECT * FROM query_table('${secret}')`,
  `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''${secret}'')'))`,
  `PIVOT (FROM read_csv('${secret}')) ON a`,
  `SELECT * FROM read_duckdb('${secret}')`,
  `SELECT * FROM sqlite_scan('${secret}', 't')`,
  `SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 't')`,
  `SELECT * FROM read_xlsx('${secret}')`,
  `SELECT * FROM st_read('${secret}')`,
  `SELECT * FROM iceberg_scan('${folder}')`,
  `SELECT * FROM delta_scan('${folder}')`,
  `SELECT getenv('HOME')`,
  `SELECT * FROM 'https://127.0.0.1:1/x.csv'`,
  `SELECT * FROM read_csv('https://127.0.0.1:1/x.csv')`,
  `SELECT * FROM read_parquet('s3://bucket/x.parquet')`,
  `SELECT * FROM '/proc/self/environ'`,
  `SELECT * FROM read_text('/proc/self/environ')`,
  `SELECT * FROM (VALUES (1)) t, '${secret}'`,
  `SELECT * FROM (FROM '${secret}' SELECT a)`,
  `SELECT * FROM lake.silver_sales WHERE id IN (FROM read_csv('${secret}') SELECT b)`,
]
const writing = [
  `COPY lake.silver_sales TO '${folder}/out.csv'`,
  `COPY (SELECT 1) TO '${folder}/out.parquet' (FORMAT parquet)`,
  `COPY lake.silver_sales FROM '${secret}'`,
  `EXPORT DATABASE '${folder}/out'`,
  `IMPORT DATABASE '${folder}'`,
  `ATTACH '${folder}/out.db' AS x`,
  `ATTACH ':memory:' AS x`,
  `DETACH memory`,
  `USE lake`,
  `CREATE TABLE lake.x AS SELECT 1`,
  `CREATE TEMP TABLE x (a INTEGER)`,
  `CREATE VIEW lake.x AS SELECT 1`,
  `CREATE MACRO f(a) AS a + 1`,
  `CREATE SCHEMA x`,
  `CREATE SECRET s (TYPE s3)`,
  `CREATE SEQUENCE s`,
  `CREATE TYPE t AS ENUM ('a')`,
  `DROP TABLE lake.silver_sales`,
  `DROP SCHEMA lake CASCADE`,
  `ALTER TABLE lake.silver_sales ADD COLUMN c INTEGER`,
  `INSERT INTO lake.silver_sales VALUES (1, 2)`,
  `UPDATE lake.silver_sales SET price = 0`,
  `DELETE FROM lake.silver_sales`,
  `TRUNCATE lake.silver_sales`,
  `MERGE INTO lake.silver_sales USING lake.silver_sales AS s ON true WHEN MATCHED THEN DELETE`,
  `BEGIN TRANSACTION`,
  `COMMIT`,
  `CHECKPOINT`,
  `VACUUM`,
  `ANALYZE`,
  `PREPARE p AS SELECT 1`,
  `EXECUTE p`,
  `CALL pragma_version()`,
  `SELECT 1; SELECT 2`,
  `SELECT 1; COPY (SELECT 1) TO '${folder}/out.csv'`,
  `SELECT 1;; DROP TABLE lake.silver_sales`,
  `/* */ COPY (SELECT 1) TO '${folder}/out.csv' -- SELECT`,
  `EXPLAIN COPY (SELECT 1) TO '${folder}/out.csv'`,
  `EXPLAIN ANALYZE COPY (SELECT 1) TO '${folder}/out.csv'`,
  `EXPLAIN SELECT 1; COPY (SELECT 1) TO '${folder}/out.csv'`,
  `WITH x AS (INSERT INTO lake.silver_sales VALUES (1, 2) RETURNING *) SELECT * FROM x`,
]
const settings = [
  `SET enable_external_access = true`,
  `SET lock_configuration = false`,
  `SET memory_limit = '64GB'`,
  `SET allowed_paths = ['${secret}']`,
  `SET VARIABLE x = 1`,
  `RESET ALL`,
  `PRAGMA database_list`,
  `PRAGMA enable_profiling`,
  `INSTALL httpfs`,
  `LOAD httpfs`,
  `FORCE INSTALL httpfs`,
  `UPDATE EXTENSIONS`,
  `SELECT * FROM duckdb_settings()`,
  `SELECT * FROM duckdb_secrets()`,
  `SELECT * FROM duckdb_logs()`,
  `SELECT * FROM duckdb_temporary_files()`,
  `SELECT * FROM pragma_database_list()`,
  `SELECT current_setting('allowed_paths')`,
  `SELECT getvariable('x')`,
  `SHOW TABLES`,
  `DESCRIBE lake.silver_sales`,
  `SUMMARIZE lake.silver_sales`,
  `SELECT * FROM information_schema.tables`,
  `SELECT * FROM pg_catalog.pg_settings`,
  `SELECT * FROM main.sqlite_master`,
  `SELECT * FROM other.lake.silver_sales`,
  `SELECT * FROM silver_sales`,
  `SELECT`,
  ``,
  `'`,
  `\u0000SELECT 1`,
  `SELECT $1`,
]

test('hostile statements are refused, nothing is read and nothing is written', async () => {
  const hostile = [...reading, ...writing, ...settings]
  assert.ok(hostile.length >= 100)
  const console = openConsole(nodeWorld(), limits)
  try {
    for (const sql of hostile) {
      const answer = await console.ask(sql, fill).then(
        (rows) => JSON.stringify(rows),
        (error: unknown) => error,
      )
      assert.ok(answer instanceof LakeError && answer.code === 'REFUSED', `${sql} gave ${String(answer).slice(0, 300)}`)
      assert.ok(!answer.message.includes(canary), sql)
    }
    assert.deepEqual(readdirSync(folder), before)
    assert.equal(readFileSync(secret, 'utf8'), `a,b\n${canary},2\n`)
    const rows = await console.ask('SELECT count(*) FROM lake.silver_sales', fill)
    assert.deepEqual(rows.rows, [['1000']])
  } finally {
    await console.close()
  }
})

test('DuckDB is locked up besides: what the guard would let through finds no file and no setting', async () => {
  const console = openConsole(nodeWorld(), limits)
  try {
    // The filling runs before the doors close, so it can make what no statement may: a view over a file.
    for (const view of [
      `SELECT * FROM read_csv('${secret}')`,
      `SELECT * FROM glob('${folder}/*')`,
      `SELECT * FROM read_text('${secret}')`,
    ]) {
      const opened = async (): Promise<Filling> => ({ setup: [`CREATE VIEW lake.silver_sales AS ${view}`], files: [] })
      const error = await console.ask('SELECT * FROM lake.silver_sales', opened).then(
        (rows) => assert.fail(`it was read: ${JSON.stringify(rows)}`),
        (refused: unknown) => refused,
      )
      assert.match(String(error), /disabled by configuration|allowed|Permission/, view)
    }
    const allowed = async (): Promise<Filling> => ({
      setup: [`CREATE VIEW lake.silver_sales AS SELECT * FROM read_csv('${secret}')`],
      files: [secret],
    })
    assert.deepEqual((await console.ask('SELECT a FROM lake.silver_sales', allowed)).rows, [[canary]])
  } finally {
    await console.close()
  }
})

test('bombs end with their process: time, memory, rows and bytes; our thread goes on', async () => {
  const short = { ...limits, timeMsMax: 2_500, memoryBytesMax: 64 << 20, rowsMax: 100, bytesMax: 100_000 }
  const console = openConsole(nodeWorld(), short)
  let turns = 0
  const ticking = setInterval(() => turns++, 5)
  try {
    const bombs = [
      'SELECT count(*) FROM range(10000000000) a, range(1000000) b',
      "SELECT length(repeat('x', 3000000000))",
      'SELECT list(range) FROM range(100000000)',
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t',
      `SELECT ${'('.repeat(5_000)}1${')'.repeat(5_000)}`,
      `SELECT ${Array.from({ length: 9_000 }, (_, i) => `${i} + `).join('')}1`,
    ]
    for (const sql of bombs) {
      const answer = await console.ask(sql, fill).then(
        () => null,
        (error: unknown) => error,
      )
      // A long sum is only long.
      assert.ok(answer === null || answer instanceof LakeError, `${sql.slice(0, 60)} gave ${String(answer)}`)
    }
    const many = await console.ask('SELECT * FROM range(1000000)', fill)
    assert.equal(many.rows.length, 100)
    assert.equal(many.truncated, true)
    const wide = await console.ask("SELECT repeat('y', 30000) FROM range(50)", fill)
    assert.ok(wide.truncated && wide.rows.length <= 4)
    await assert.rejects(console.ask(`SELECT '${'x'.repeat(statementBytesMax)}'`, fill), /at most/)
    assert.ok(turns > 10, 'the event loop stood still')
  } finally {
    clearInterval(ticking)
    await console.close()
  }
})

test('what is let through: tables of ours, common tables of the statement, lists and ranges', async () => {
  const console = openConsole(nodeWorld(), limits)
  try {
    const rows = async (sql: string): Promise<unknown> => (await console.ask(sql, fill)).rows
    assert.deepEqual(await rows('SELECT 1 AS a, NULL, true, [1, 2], {x: 1.50}'), [
      [1, null, true, [1, 2], { x: '1.50' }],
    ])
    assert.deepEqual(await rows('WITH t AS (SELECT max(id) AS n FROM lake.silver_sales) SELECT n FROM t'), [['999']])
    assert.deepEqual(await rows('SELECT sum(i) FROM generate_series(1, 3) AS s(i)'), [['6']])
    assert.deepEqual(await rows('SELECT unnest([3, 4])'), [[3], [4]])
    assert.deepEqual(await rows('VALUES (1), (2)'), [[1], [2]])
    assert.equal(((await rows('EXPLAIN SELECT * FROM lake.silver_sales')) as unknown[]).length > 0, true)
  } finally {
    await console.close()
  }
})

test('a parse that is none is refused', () => {
  for (const text of ['', '{', 'null', '[]', '{"error":false,"statements":[]}', '{"error":true}'])
    assert.notEqual(judge(text).refusal, null)
})
