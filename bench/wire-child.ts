// B1 from a file or from record batches, in a process of its own: seconds of the best run, and a digest of the rows.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ndjsonFromFiles } from '../src/connect/ndjson-source.ts'
import { recordSource } from '../src/connect/record-source.ts'
import { encodeRows, type Job, openJob } from '../src/engine/engine.ts'
import type { Plan } from '../src/query/plan.ts'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import type { Compression } from '../src/wire/compression.ts'
import { checkStored } from '../src/wire/record-batch.ts'
import { nodeWorld } from '../src/world/node.ts'
import { givenToChild, tellParent } from './child.ts'
import { forms } from './wire-forms.ts'
import { salesWindowSliding, workOf } from './work.ts'

const given = givenToChild(z.object({ form: z.enum(forms), input: z.string(), runs: z.int() }))
const recordsInBatch = 500
/** After all of the events: none of them lies in the future. */
const arrivedMs = Date.UTC(2030, 0, 1)
const topic = 'sales'
const world = nodeWorld()
const first = workOf('sales-window').plan
const plans: readonly Plan[] =
  given.form === 'four plans'
    ? [first, ...[5, 15, 60].map((slide) => ({ ...salesWindowSliding(slide), name: `sliding by ${slide} s` }))]
    : [first]

const onOverlong = (): never => {
  throw new Error('the input holds a line that is too long: the generator makes none')
}
const lines = (job: Job | null) =>
  ndjsonFromFiles(world, [given.input], {
    topic,
    partition: 0,
    onOverlong,
    memory: job?.memoryOf(topic) ?? null,
  }).batches()

/** The whole input as record batches, or null. */
async function recordBatches(codec: Compression): Promise<{ offset: number; bytes: Uint8Array }[]> {
  const batches: { offset: number; bytes: Uint8Array }[] = []
  const writer = new BatchWriter({ compression: codec })
  let offset = 0
  const finish = (): void => {
    const { count } = writer
    batches.push({ offset, bytes: writer.finish() })
    offset += count
  }
  for await (const { bytes, starts, ends, count } of lines(null)) {
    for (let i = 0; i < count; i++) {
      writer.append(null, bytes.subarray(starts[i]!, ends[i]), arrivedMs)
      if (writer.count === recordsInBatch) finish()
    }
  }
  if (writer.count > 0) finish()
  return batches
}

const codecs = {
  'batches, none': 'none',
  'batches, lz4': 'lz4',
  'batches, snappy': 'snappy',
  'batches, zstd': 'zstd',
  'batches, gzip': 'gzip',
} as const
const isBatches = (form: string): form is keyof typeof codecs => form in codecs
const batches = isBatches(given.form) ? await recordBatches(codecs[given.form]) : null

let best = Number.POSITIVE_INFINITY
let digest = ''
let rows = 0
for (let run = 0; run < given.runs; run++) {
  const startedMs = performance.now()
  const job = openJob(plans, { bounded: false, partitions: { [topic]: 1 } })
  const hash = createHash('sha256')
  rows = 0
  const deliver = (): void => {
    for (const batch of job.take().results) {
      const { bytes } = encodeRows(batch)
      if (batch.plan !== first) continue
      hash.update(bytes)
      rows += batch.count
    }
  }
  if (batches === null)
    for await (const batch of lines(job)) {
      job.push(batch)
      deliver()
    }
  else {
    const push = recordSource(job)
    for (const { offset, bytes } of batches) {
      const problem = checkStored(bytes)
      if (problem !== null) throw new Error(problem.message)
      push(topic, 0, offset, bytes)
      deliver()
    }
  }
  job.finish()
  deliver()
  best = Math.min(best, (performance.now() - startedMs) / 1000)
  digest = hash.digest('hex')
}
tellParent({ seconds: best, rows, digest })
