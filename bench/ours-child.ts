// Millrace doing the work of a window bench, in a process of its own: file bytes to a file of rows.
import { closeSync, openSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { ndjsonFromFiles } from '../src/connect/ndjson-source.ts'
import { runPipeline } from '../src/connect/run-pipeline.ts'
import { encodeRows, openJob } from '../src/engine/engine.ts'
import { nodeWorld } from '../src/world/node.ts'
import { givenToChild, tellParent } from './child.ts'
import { memoryOf } from './memory.ts'
import { workNames, workOf } from './work.ts'

const given = givenToChild(
  z.object({
    work: z.enum(workNames),
    input: z.string(),
    output: z.string(),
    /**
     * `bounded`: what `millrace run` does, windows close at the end of the file. `live`: what runs behind the broker,
     * windows close as the watermark passes them, and records later than that correct them.
     */
    mode: z.enum(['bounded', 'live']),
    /** The first run is cold, the others are not. */
    runs: z.int(),
  }),
)

const { plan } = workOf(given.work)
const world = nodeWorld()

async function bounded(write: (rows: Uint8Array) => void): Promise<number> {
  const summary = await runPipeline(world, { plan, input: { files: [given.input] }, output: write })
  if (summary.rejected > 0) throw new Error(`${summary.rejected} records were rejected: the generator makes none`)
  return summary.read
}

async function live(write: (rows: Uint8Array) => void): Promise<number> {
  const [topic] = Object.keys(plan.contracts)
  if (topic === undefined) throw new Error(`the plan ${plan.name} reads nothing`)
  const job = openJob([plan], { bounded: false, partitions: { [topic]: 1 } })
  let read = 0
  const deliver = (): void => {
    const { results, deadLetters, lateRecords } = job.take()
    if (deadLetters.length + lateRecords.length > 0)
      throw new Error(`${deadLetters.length} dead letters, ${lateRecords.length} too late: the input holds neither`)
    for (const batch of results) {
      write(encodeRows(batch).bytes)
    }
  }
  const onOverlong = (): never => {
    throw new Error('the input holds a line that is too long: the generator makes none')
  }
  for await (const batch of ndjsonFromFiles(world, [given.input], {
    topic,
    partition: 0,
    onOverlong,
    memory: job.memoryOf(topic),
  }).batches()) {
    read += batch.count
    job.push(batch)
    deliver()
  }
  job.finish()
  deliver()
  return read
}

const seconds: number[] = []
let peakBytes: number | null = null
let read = 0
for (let run = 0; run < given.runs; run++) {
  const startedMs = performance.now()
  const output = openSync(given.output, 'w')
  const write = (rows: Uint8Array): void => {
    for (let at = 0; at < rows.length; ) at += writeSync(output, rows, at)
  }
  read = await (given.mode === 'bounded' ? bounded(write) : live(write))
  closeSync(output)
  seconds.push((performance.now() - startedMs) / 1000)
  peakBytes ??= memoryOf(process.pid)?.peakBytes ?? null
}
tellParent({ seconds, peakBytes, read })
