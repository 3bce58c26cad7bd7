// One Plan over bounded NDJSON input, no broker: lines in, final rows out as NDJSON, what was rejected named by its line.
import { type DeadLetter, type EncodedRows, encodeRows, type JobOutput, openJob } from '../engine/engine.ts'
import type { Plan } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import type { World } from '../world/world.ts'
import {
  type NdjsonInput,
  ndjsonFromChunks,
  ndjsonFromFiles,
  ndjsonLineBytesMax,
  type OverlongLine,
} from './ndjson-source.ts'
import { writtenAtJson } from './outputs.ts'

export interface RunSettings {
  /** Reads one topic. */
  readonly plan: Plan
  /** Files are read one after another; chunks come from somewhere that `name` says (`standard input`). */
  readonly input:
    | { readonly files: readonly string[] }
    | { readonly name: string; readonly chunks: AsyncIterable<Uint8Array> }
  /** Takes rows: UTF-8, each ending in a newline. The next ones wait for the promise. */
  readonly output: (rows: Uint8Array) => Promise<void> | void
  /** Called for each of the first `rejectsNamedMax` rejects, by ascending line. */
  readonly onReject?: (reject: Reject) => void
  readonly rejectsNamedMax?: number
  /** Called now and then, and at the end. */
  readonly onProgress?: (progress: RunProgress) => void
  /** Aborts between batches: `runPipeline` rejects with the signal's reason. */
  readonly signal?: AbortSignal
}
export interface RunProgress {
  /** Lines that are not blank. */
  readonly read: number
  readonly rejected: number
  readonly rows: number
}
export interface RunSummary extends RunProgress {
  readonly seconds: number
}
/** A line that was not taken, and why. */
export interface Reject {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The field at fault, dotted; '' for the whole line. */
  readonly field: string
  /** `missing`, `wrong-type`, `not-json`, `rule`, `too-long` … */
  readonly reason: string
  /** A sentence for people. */
  readonly message: string
}

export const rejectsNamedDefault = 100
/** Between two of these the event loop is let in: signals are heard, progress is shown. 16 of 256 KiB are 4 MiB. */
const batchesAtOnce = 16
const outputBytesAtOnce = 64 * 1024
/** The input is one partition: in a bounded run nothing is late, so its order does not matter. */
const partition = 0

type Fault = Pick<DeadLetter, 'offset' | 'field' | 'reason' | 'message'>

/**
 * Runs the Plan to the end of its input. Rejects with the `PlanError` of a Plan the engine does not run, an `FsError` of
 * an input that cannot be read, whatever `output` throws.
 */
export async function runPipeline(world: World, settings: RunSettings): Promise<RunSummary> {
  const { plan, onReject, onProgress, signal } = settings
  const rejectsNamedMax = settings.rejectsNamedMax ?? rejectsNamedDefault
  const startedMs = world.clock.monoMs()
  const topic = onlyTopic(plan)
  const job = openJob([plan], { bounded: true, partitions: { [topic]: 1 } })
  const progress = { read: 0, rejected: 0, rows: 0 }
  let faults: Fault[] = []
  const onOverlong = (line: OverlongLine): void => {
    progress.read++
    faults.push(overlongFault(line))
  }
  const lines = { topic, partition, onOverlong, memory: job.memoryOf(topic) }
  const input: NdjsonInput =
    'files' in settings.input
      ? ndjsonFromFiles(world, settings.input.files, lines)
      : ndjsonFromChunks(settings.input.name, settings.input.chunks, lines)

  const tellRejects = (deadLetters: readonly DeadLetter[]): void => {
    const found = faults.length === 0 ? deadLetters : [...deadLetters, ...faults].sort((a, b) => a.offset - b.offset)
    faults = []
    for (const { offset, field, reason, message } of found) {
      if (progress.rejected++ < rejectsNamedMax) onReject?.({ ...input.place(offset), field, reason, message })
    }
  }
  const deliver = async (output: JobOutput): Promise<void> => {
    tellRejects(output.deadLetters)
    for (const rows of rowLines(output, world.clock.nowMs())) {
      progress.rows += rows.count
      await settings.output(rows.bytes)
    }
  }

  let batches = 0
  for await (const batch of input.batches()) {
    progress.read += batch.count
    job.push(batch)
    await deliver(job.take())
    if (++batches % batchesAtOnce !== 0) continue
    await new Promise<void>((resolve) => world.clock.soon(resolve))
    signal?.throwIfAborted()
    onProgress?.({ ...progress })
  }
  job.finish()
  await deliver(job.take())
  onProgress?.({ ...progress })
  return { ...progress, seconds: (world.clock.monoMs() - startedMs) / 1000 }
}

function onlyTopic(plan: Plan): string {
  const topics = Object.keys(plan.contracts)
  const [topic] = topics
  if (topic !== undefined && topics.length === 1) return topic
  throw new PlanError(
    plan.name,
    'input',
    `reads ${topics.length} topics (${topics.join(', ')})`,
    'A run over files takes Plans over one topic',
  )
}

function overlongFault({ offset, sizeBytes, beginning }: OverlongLine): Fault {
  const shown = new TextDecoder().decode(beginning)
  return {
    offset,
    field: '',
    reason: 'too-long',
    message: `the line has ${sizeBytes} bytes, at most ${ndjsonLineBytesMax - 1} are taken; it begins ${JSON.stringify(shown)}`,
  }
}

/** Final rows as lines, in pieces of about `outputBytesAtOnce`. */
function* rowLines(
  output: JobOutput,
  nowMs: number,
): Generator<{ readonly bytes: Uint8Array; readonly count: number }> {
  for (const batch of output.results) {
    const { bytes, ends } = withMember(encodeRows(batch), writtenAtJson(batch.plan, nowMs))
    let from = 0
    let to = 0
    let count = 0
    for (let row = 0; row < batch.count; row++) {
      const begin = row === 0 ? 0 : ends[row - 1]!
      const taken = batch.final[row] === 1 && batch.weight[row] === 1
      if ((!taken || to - from >= outputBytesAtOnce) && count > 0) {
        yield { bytes: bytes.slice(from, to), count }
        count = 0
      }
      if (!taken) continue
      if (count === 0) from = begin
      to = ends[row]!
      count++
    }
    if (count > 0) yield { bytes: bytes.slice(from, to), count }
  }
}

/** The rows with `json` in front of their last brace. */
function withMember(rows: EncodedRows, json: string): EncodedRows {
  if (json === '') return rows
  const member = new TextEncoder().encode(`${json}}\n`)
  // Instead of the brace and the newline.
  const grown = member.length - 2
  const count = rows.ends.length
  const bytes = new Uint8Array(rows.bytes.length + count * grown)
  const ends = new Int32Array(count)
  let [from, to] = [0, 0]
  for (const [row, end] of rows.ends.entries()) {
    bytes.set(rows.bytes.subarray(from, end - 2), to)
    to += end - 2 - from
    bytes.set(member, to)
    to += member.length
    from = end
    ends[row] = to
  }
  return { bytes, ends }
}
