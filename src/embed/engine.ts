// The engine for other people's programs: `import { openEngine } from 'millrace/engine'`. Records in, rows out, in this
// process: no broker, no clock of its own. A Plan runs the same here, in the house, and over files.
import { runPipeline } from '../connect/run-pipeline.ts'
import { encodeKey, encodeRow, type JobOutput, openJob, timings } from '../engine/engine.ts'
import type { Plan } from '../query/plan.ts'
import { nodeWorld } from '../world/node.ts'

export interface EngineOptions {
  /**
   * `bounded` (the default): the input has an end, windows close at `finish`, nothing is late. `live`: windows close as the
   * times of the records move on, and what comes too late is told apart.
   */
  readonly input?: 'bounded' | 'live'
  /** Partitions of a topic where they are not the contract's. */
  readonly partitions?: { readonly [topic: string]: number }
  /** State beyond this stops the engine with an error. Default 1 GiB. */
  readonly stateBytesMax?: number
}
export interface PushOptions {
  /** Default 0. */
  readonly partition?: number
  /** When the records arrived, ms since 1970; default: now. Rules about the future hold against it. */
  readonly arrivalMs?: number
}
/** A row of a result, as topics and the command line carry it. */
export interface ResultRow {
  /** Of the plan. */
  readonly plan: string
  /** Rows with the same key replace each other; null: rows of this plan stand by themselves. */
  readonly key: string | null
  /** JSON, with amounts as exact decimals. */
  readonly json: string
  /** `early`: the window is still open; `late`: a correction of a row that was final. */
  readonly timing: 'early' | 'on-time' | 'late'
  readonly isFinal: boolean
  /** The row under this key stands no more: only the columns of its key are set. */
  readonly isTakenBack: boolean
  /** Where the records behind it lie: offsets within these, per partition. */
  readonly evidence: readonly {
    readonly topic: string
    readonly partition: number
    readonly offsetMin: number
    readonly offsetMax: number
  }[]
}
/** A record that was put aside, and why. */
export interface RejectedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** `missing`, `wrong-type`, `not-json`, `rule`, `future` … */
  readonly reason: string
  /** Dotted; '' for the whole record. */
  readonly field: string
  readonly message: string
  readonly value: Uint8Array
}
export interface TooLateRecord {
  readonly plan: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Uint8Array
}
export interface EngineOutput {
  readonly rows: readonly ResultRow[]
  readonly rejected: readonly RejectedRecord[]
  readonly tooLate: readonly TooLateRecord[]
}
export interface Engine {
  /** What the plans read. */
  readonly topics: readonly string[]
  /** Records of a partition in their order: JSON text, its bytes, or values that are written as JSON. */
  push(topic: string, records: readonly (string | Uint8Array | object)[], options?: PushOptions): void
  /** Makes running values of open windows due, for plans that emit on change. */
  tick(): void
  /** The input is over: every window closes. Nothing may be pushed afterwards. */
  finish(): void
  /** What became due since the last take. */
  take(): EngineOutput
  /** How far the times of a topic, or of what a plan reads, have come for certain; null before the first record. */
  watermarkMs(planOrTopic: string): number | null
}

const recordsAtOnce = 1_000
const encoder = new TextEncoder()

/** Throws a `PlanError` for a Plan that the engine does not run. */
export function openEngine(plans: readonly Plan[], options: EngineOptions = {}): Engine {
  const { input = 'bounded', ...settings } = options
  const world = nodeWorld()
  const job = openJob(plans, { bounded: input === 'bounded', ...settings })
  const next = new Map<string, number>()

  const pushSome = (topic: string, records: readonly Uint8Array[], partition: number, arrivalMs: number): void => {
    const starts = new Int32Array(records.length)
    const ends = new Int32Array(records.length)
    const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0))
    let end = 0
    for (const [i, record] of records.entries()) {
      bytes.set(record, end)
      starts[i] = end
      end += record.length
      ends[i] = end
    }
    const lane = `${topic}/${partition}`
    const first = next.get(lane) ?? 0
    next.set(lane, first + records.length)
    job.push({
      topic,
      partition,
      bytes,
      count: records.length,
      starts,
      ends,
      offsets: Float64Array.from(records, (_, i) => first + i),
      arrivals: new Float64Array(records.length).fill(arrivalMs),
    })
  }
  return {
    topics: job.topics,
    push(topic, records, { partition = 0, arrivalMs = world.clock.nowMs() } = {}) {
      if (!job.topics.includes(topic)) {
        throw new TypeError(`no plan reads topic '${topic}'; they read ${job.topics.join(', ')}`)
      }
      for (let from = 0; from < records.length; from += recordsAtOnce) {
        pushSome(topic, records.slice(from, from + recordsAtOnce).map(bytesOf), partition, arrivalMs)
      }
    },
    tick: () => job.tick({ atMs: world.clock.nowMs(), interval: true, idle: [] }),
    finish: () => job.finish(),
    take: () => outputOf(job.take()),
    watermarkMs(planOrTopic) {
      const watermarkMs = job.watermarkMs(planOrTopic)
      return Number.isFinite(watermarkMs) ? watermarkMs : null
    },
  }
}
function bytesOf(record: string | Uint8Array | object): Uint8Array {
  if (record instanceof Uint8Array) return record
  return encoder.encode(typeof record === 'string' ? record : JSON.stringify(record))
}
function outputOf({ results, deadLetters, lateRecords }: JobOutput): EngineOutput {
  const rows: ResultRow[] = []
  for (const batch of results) {
    for (let row = 0; row < batch.count; row++) {
      rows.push({
        plan: batch.plan.name,
        key: encodeKey(batch, row),
        json: encodeRow(batch, row),
        timing: timings[batch.timing[row] ?? 0] ?? 'on-time',
        isFinal: batch.final[row] === 1,
        isTakenBack: batch.weight[row] !== 1,
        evidence: batch.evidence(row),
      })
    }
  }
  const rejected = deadLetters.map(({ topic, partition, offset, reason, field, message, value }) => {
    return { topic, partition, offset, reason, field, message, value }
  })
  const tooLate = lateRecords.map(({ plan, topic, partition, offset, value }) => {
    return { plan, topic, partition, offset, value }
  })
  return { rows, rejected, tooLate }
}

export interface FilesResult {
  /** Final rows, JSON. */
  readonly rows: readonly string[]
  /** Lines that are not blank. */
  readonly read: number
  readonly rejected: readonly {
    readonly file: string
    /** From 1. */
    readonly line: number
    readonly field: string
    readonly reason: string
    readonly message: string
  }[]
}
/**
 * Runs a Plan over one topic on files of JSON lines, to their end; for more rows than memory holds, use `millrace run`.
 * Names at most 100,000 rejected lines. Rejects with a `PlanError` of a Plan that the engine does not run, an error with
 * `code` ENOENT and the like of a file that cannot be read.
 */
export async function runFiles(plan: Plan, files: readonly string[]): Promise<FilesResult> {
  const rows: string[] = []
  const rejected: FilesResult['rejected'][number][] = []
  const decoder = new TextDecoder()
  const { read } = await runPipeline(nodeWorld(), {
    plan,
    input: { files },
    output: (bytes) => {
      rows.push(...decoder.decode(bytes).trimEnd().split('\n'))
    },
    onReject: (reject) => rejected.push(reject),
    rejectsNamedMax: 100_000,
  })
  return { rows, read, rejected }
}
