// One Plan over bounded NDJSON input, no broker: lines in, final rows out as NDJSON, what was rejected named by its line.
import { type DeadLetter, encodeRows, type JobOutput, openJob, type ResultBatch } from '../engine/engine.ts'
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
  /** Takes rows: UTF-8, each ending in a newline. The next ones wait for the promise; the bytes are theirs from then on. */
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
  const pieces = new RowPieces()
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
    const nowMs = world.clock.nowMs()
    for (const batch of output.results) {
      for (const rows of pieces.of(batch, nowMs)) {
        progress.rows += rows.count
        // Awaiting nothing costs more than a few rows.
        const written = settings.output(rows.bytes)
        if (written !== undefined) await written
      }
    }
    job.release(output)
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
class RowPieces {
  #bytes = new Uint8Array(2 * outputBytesAtOnce);

  /** Each piece is valid until the next one: others may encode rows meanwhile. */
  *of(batch: ResultBatch, nowMs: number): Generator<{ readonly bytes: Uint8Array; readonly count: number }> {
    const { bytes, ends } = encodeRows(batch, writtenAtJson(batch.plan, nowMs))
    if (this.#bytes.length < bytes.length) this.#bytes = new Uint8Array(bytes.length * 2)
    const all = this.#bytes
    all.set(bytes)
    const rowEnds = ends.slice()
    const { count, final, weight } = batch
    let from = 0
    for (let row = 0; row < count; ) {
      let to = from
      let taken = 0
      for (; row < count && to - from < outputBytesAtOnce && final[row] === 1 && weight[row] === 1; row++) {
        to = rowEnds[row]!
        taken++
      }
      if (taken > 0) yield { bytes: all.subarray(from, to), count: taken }
      for (; row < count && (final[row] !== 1 || weight[row] !== 1); row++) to = rowEnds[row]!
      from = to
    }
  }
}
