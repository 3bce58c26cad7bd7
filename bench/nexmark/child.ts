// A Nexmark query on either side, in a process of its own: file bytes to a file of rows.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { z } from 'zod'
import { givenToChild, tellParent } from '../child.ts'
import { runOurs } from './ours.ts'
import { nexmarkNames } from './queries.ts'
import { digestOf } from './rows.ts'
import { nexmarkSql } from './sql.ts'

const { name, files, output, runs, threads } = givenToChild(
  z.object({
    name: z.enum(nexmarkNames),
    files: z.object({ persons: z.string(), auctions: z.string(), bids: z.string() }),
    output: z.string(),
    /** The first run is cold, the others are not. */
    runs: z.int(),
    /** Of DuckDB; null: the engine. */
    threads: z.int().nullable(),
  }),
)

async function ours(): Promise<void> {
  const file = openSync(output, 'w')
  await runOurs(name, files, (rows) => {
    const bytes = Buffer.from(rows)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  })
  closeSync(file)
}

async function duckdb(): Promise<() => Promise<void>> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  // Only q7 asks which of two bids came first.
  await connection.run(`SET preserve_insertion_order = ${name === 'q7'}`)
  return async () => {
    await connection.run(`COPY (${nexmarkSql(name, files)}) TO '${output.replaceAll("'", "''")}' (FORMAT json)`)
  }
}

const run = threads === null ? ours : await duckdb()
const seconds: number[] = []
for (let i = 0; i < runs; i++) {
  const startedMs = performance.now()
  await run()
  seconds.push((performance.now() - startedMs) / 1000)
}
const lines = readFileSync(output, 'utf8').split('\n')
tellParent({ seconds, digest: digestOf(lines.filter((line) => line !== '')) })
