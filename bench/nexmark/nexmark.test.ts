// Nexmark on three ways: the engine, the Plan's DuckDB SQL and the query written by hand in DuckDB's SQL give the same rows.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { duckdbSql, type LakeFiles } from '../../src/stores/stores.ts'
import { type DuckDb, openDuckDb } from '../../tests/flows/duckdb.ts'
import { carriedRow, duckRow } from '../../tests/flows/duckdb-values.ts'
import { runOurs } from './ours.ts'
import { nexmarkNames, nexmarkQueries } from './queries.ts'
import { digestOf } from './rows.ts'
import { nexmarkSql } from './sql.ts'
import { type NexmarkTopic, nexmarkTopics, nexmarkTraffic } from './traffic.ts'

const events = 60_000
const folder = mkdtempSync(join(tmpdir(), 'nexmark-'))
const files = Object.fromEntries(nexmarkTopics.map((topic) => [topic, join(folder, `${topic}.ndjson`)])) as Record<
  NexmarkTopic,
  string
>
let duckdb: DuckDb
before(async () => {
  duckdb = await openDuckDb()
  const lines = { persons: '', auctions: '', bids: '' }
  for (const [topic, line] of nexmarkTraffic('test', events)) lines[topic] += `${line}\n`
  for (const topic of nexmarkTopics) writeFileSync(files[topic], lines[topic])
})
after(() => {
  duckdb.close()
  rmSync(folder, { recursive: true })
})

const jsonText = (row: object): string =>
  JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? Number(value) : value))

describe('Nexmark', () => {
  for (const name of nexmarkNames)
    test(`${name}: ${nexmarkQueries[name].title}`, async () => {
      const { plan } = nexmarkQueries[name]
      const ours: string[] = []
      await runOurs(name, files, (rows) => ours.push(...rows.split('\n').filter((row) => row !== '')))
      const byHand = (await duckdb.rows(nexmarkSql(name, files))).map(jsonText)
      const sources = new Map(
        nexmarkTopics.map((topic): [string, LakeFiles] => [topic, { format: 'ndjson', files: [files[topic]] }]),
      )
      const fromPlan = (await duckdb.rows(duckdbSql(plan, sources))).map((row) => carriedRow(plan, duckRow(plan, row)))
      assert.ok(ours.length > 5, `${ours.length} rows`)
      assert.deepEqual(digestOf(fromPlan), digestOf(ours))
      if (ours.length > 10_000) assert.deepEqual(digestOf(byHand), digestOf(ours))
      else assert.deepEqual(ours.map((row) => JSON.stringify(JSON.parse(row))).sort(), byHand.sort())
    })
})

test('the same seed gives the same traffic, one person and three auctions in fifty events', () => {
  const lines = [...nexmarkTraffic('a', 5000)]
  assert.deepEqual(lines, [...nexmarkTraffic('a', 5000)])
  assert.notDeepEqual(lines, [...nexmarkTraffic('b', 5000)])
  const counts = nexmarkTopics.map((topic) => lines.filter(([of]) => of === topic).length)
  assert.deepEqual(counts, [100, 300, 4600])
})
