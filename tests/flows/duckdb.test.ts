// Every flow's records through DuckDB: its plans' SQL gives the rows of a bounded run of the engine, and, where nothing
// came too late, every row of the file's final table.
//
//   MILLRACE_FLOW=sessions npm test -- tests/flows/duckdb.test.ts      some flows (part of their names)
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { batchOf } from '../../src/engine/batches.suite.ts'
import { openJob, type ResultBatch } from '../../src/engine/engine.ts'
import type { Plan } from '../../src/query/plan.ts'
import { duckdbSql, type LakeFiles } from '../../src/stores/stores.ts'
import { type DuckDb, openDuckDb } from './duckdb.ts'
import { carriedRow, duckRow, engineRow, type PlainRow, sameRows } from './duckdb-values.ts'
import { allFlows, type Flow, type SentRecord } from './flow-file.ts'
import { type Outcome, printSection } from './outcome.ts'

const { MILLRACE_FLOW: only } = process.env
const flows = allFlows().filter(({ name }) => only === undefined || name.includes(only))
const folder = mkdtempSync(join(tmpdir(), 'flows-duckdb-'))

let duckdb: DuckDb
before(async () => {
  duckdb = await openDuckDb()
})
after(() => {
  duckdb.close()
  rmSync(folder, { recursive: true })
})

const recordsOf = (flow: Flow): SentRecord[] => flow.steps.filter((step) => step.kind === 'record')
const topicsOf = (plan: Plan): string[] => Object.keys(plan.contracts)

/** A bounded run, record by record in the order of the file. */
function engineRows(flow: Flow, plan: Plan): PlainRow[] {
  const job = openJob([plan], { bounded: true })
  const batches: ResultBatch[] = []
  for (const { topic, partition, offset, value, arrivalMs } of recordsOf(flow)) {
    if (!topicsOf(plan).includes(topic)) continue
    job.push(batchOf(topic, partition, offset, [value], arrivalMs))
    batches.push(...job.take().results)
  }
  job.finish()
  batches.push(...job.take().results)
  return batches.flatMap((batch) => Array.from({ length: batch.count }, (_, row) => engineRow(batch, row)))
}

/** The records as files: one per partition, or one of all where the order between partitions matters. */
function filesOf(flow: Flow, plan: Plan): Map<string, LakeFiles> {
  const total = plan.nodes.some((node) => node.kind === 'deduplicate')
  const lines = new Map<string, Uint8Array[]>()
  for (const record of recordsOf(flow)) {
    const key = `${record.topic}/${total ? 0 : record.partition}`
    // A tombstone has no line, and a line has no line break inside.
    const line = (record.value ?? new Uint8Array(0)).map((byte) => (byte === 10 ? 32 : byte))
    lines.set(key, [...(lines.get(key) ?? []), line, Uint8Array.of(10)])
  }
  const files = new Map<string, LakeFiles>()
  for (const topic of topicsOf(plan)) {
    const written = Array.from({ length: total ? 1 : plan.contracts[topic]!.partitions }, (_, partition) => {
      const file = join(folder, `${topic}-${partition}.ndjson`)
      writeFileSync(file, Buffer.concat(lines.get(`${topic}/${partition}`) ?? []))
      return file
    })
    files.set(topic, { format: 'ndjson', files: written })
  }
  return files
}

const blank: Outcome = { results: new Map(), late: [], dead: [], ledger: [], bounded: new Map() }

/** Flows whose records DuckDB reads otherwise, and how (`src/stores/lake/source-sql.ts`). */
const otherwise = new Map([
  ['dead-letters-and-their-reasons', 'of a name given twice the first counts'],
  ['money-is-never-a-float', 'the 16th digit of an amount is read as a double'],
])

describe('flows, in DuckDB', () => {
  for (const flow of flows)
    test(flow.name, { skip: otherwise.get(flow.name) ?? false }, async () => {
      for (const plan of flow.plans.filter(({ name }) => !flow.removed.has(name))) {
        const sql = duckdbSql(plan, filesOf(flow, plan))
        const found = (await duckdb.rows(sql)).map((row) => duckRow(plan, row))
        sameRows(plan, found, engineRows(flow, plan), `${plan.name} in DuckDB`)
        const late = flow.sections.get('late')?.some((line) => line.includes(plan.name))
        const future = flow.sections.get('dead letters')?.some((line) => line.includes(' future'))
        // Floats differ in their last digit, running rows may be older than what has come since.
        const floats = plan.nodes.at(-1)?.columns.some(({ type }) => type.kind === 'float64')
        if (late || future || floats || plan.emit.mode !== 'on-close') continue
        const bounded = new Map([[plan.name, found.map((row) => ({ key: null, row: carriedRow(plan, row) }))]])
        const table = printSection(flow, { ...blank, bounded }, `bounded ${plan.name}`)
        const there = new Set(table.map((line) => line.replaceAll(/\s+/g, ' ')))
        for (const line of flow.sections.get(plan.name) ?? [])
          assert.ok(
            there.has(line),
            `${flow.name}.flow, ${plan.name}: '${line}' is not in DuckDB's table\n${table.join('\n')}`,
          )
      }
    })
})
