// DuckDB doing the work of a window bench, in a process of its own: file bytes to a file of rows.
import { DuckDBInstance } from '@duckdb/node-api'
import { z } from 'zod'
import { givenToChild, tellParent } from './child.ts'
import { memoryOf } from './memory.ts'
import { workNames, workOf } from './work.ts'

const given = givenToChild(
  z.object({
    work: z.enum(workNames),
    input: z.string(),
    output: z.string(),
    threads: z.int(),
    /** The first run is cold, the others are not. */
    runs: z.int(),
  }),
)

const work = workOf(given.work)
const instance = await DuckDBInstance.create(':memory:', { threads: String(given.threads) })
const connection = await instance.connect()
// Lets the scan hand out its pieces as they come; the result is ordered by itself.
await connection.run('SET preserve_insertion_order = false')

const seconds: number[] = []
let peakBytes: number | null = null
for (let run = 0; run < given.runs; run++) {
  const startedMs = performance.now()
  for (const statement of work.sql(given.input)) await connection.run(statement)
  await connection.run(`COPY result TO '${given.output.replaceAll("'", "''")}' (FORMAT json)`)
  seconds.push((performance.now() - startedMs) / 1000)
  peakBytes ??= memoryOf(process.pid)?.peakBytes ?? null
}
const rows = await connection.runAndReadAll('SELECT library_version FROM pragma_version()')
tellParent({ seconds, peakBytes, version: String(rows.getRows()[0]?.[0]) })
