// The doorway between a log and the engine: Plans run on a log's topics, their results go back into it, exactly once;
// or over what a topic holds now, for a report.
import { type Job, type JobOutput, openJob, type PartitionProgress, type ResultBatch } from '../engine/engine.ts'
import { type Cursor, type Log, LogError, type TopicSpec } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import type { WindowRange } from '../query/reprocessing.ts'
import { offset, partitionId } from '../std/units.ts'
import { baseOffset, recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import type { World } from '../world/world.ts'
import type { AccountLine } from './account.ts'
import { dirtyWindows } from './dirty-windows.ts'
import { identityOfPlan } from './job-plans.ts'
import { madeTopic } from './job-topics.ts'
import type { Place } from './moved-places.ts'
import { resultTopic } from './outputs.ts'
import { recordSource } from './record-source.ts'
import { reprocessPlan } from './reprocess.ts'
import type { JobLoad, RunningJob } from './running-job.ts'
import type { AskForSchema } from './schema-registry.ts'
import { startWithPlans } from './starting.ts'

export type { AccountLine, Place }

export { dirtyWindows, resultTopic }

export interface LogJobSettings {
  /** Names the job in the log: its commits and ticks. Changing it starts the job over from the log's origin. */
  readonly name: string
  readonly plans: readonly Plan[]
  /** What is made of the plans' rows beyond what a plan can say, in the same commits. None if not given. */
  readonly reactions?: readonly Reaction[]
  /** Names of plans whose rows do not go back into the log: they feed figures that stay in the house. */
  readonly inHouse: ReadonlySet<string>
  /** Where snapshots are kept; null: none, recovery replays the whole log. */
  readonly snapshotFolder: string | null
  /** Of the log: a snapshot taken over another one is ignored. */
  readonly logIdentity: string
  /** Distance of the recorded ticks at which running values are emitted. */
  readonly tickMs: number
  /** Worker threads that may be used once one thread is more than half busy. Default 0; results do not depend on it. */
  readonly shardsMax?: number
  /** All of them from the start, whatever the load: for tests. */
  readonly shardsAlways?: boolean
  /** Plans that are new or changed are computed from records that arrived since; default: from the earliest retained. */
  readonly rebuildFromMs?: number
  /** Told of every output when it is due, before its commit: for figures that stay in the house. */
  readonly onOutput: (output: JobOutput, at: { readonly epoch: number; readonly cursor: Cursor }) => void
  /** Told after each durable commit which offsets come next in the partitions it moved in: for whoever shows progress. */
  readonly onCommitted?: (places: readonly Place[]) => void
  /** Topics whose dead letters another job keeps. */
  readonly judgedElsewhere?: ReadonlySet<string>
  /** For topics in Avro: where the schemas of their records come from. Plans over such topics that change are computed anew. */
  readonly schemas?: AskForSchema
  /** It is opened where its last commit left it, to be looked at, and does not go on. */
  readonly atRest?: boolean
}

export interface LogJob extends RunningJob {
  /** Of the job in the log. */
  readonly name: string
  watermarkMs(topic: string): number
  partitions(topic: string): readonly PartitionProgress[]
  ledger(): readonly AccountLine[]
  stateBytes(): number
  operators(): ReturnType<Job['operators']>
  load(): JobLoad
  /** Resolves when the plans that are wanted are those that run, or when the job was stopped before; rejects if that fails. */
  upgraded(): Promise<void>
  /** The plans that run now, by name; until it is upgraded those of before. */
  plans(): readonly string[]
}

/**
 * Creates what topics are missing, recovers the job and runs it. Resolves when it is where its last commit left it. Where
 * other plans ran under its name, those go on until the new and changed ones are computed from the log: see `upgraded`.
 */
export function startLogJob(world: World, log: Log, settings: LogJobSettings): Promise<LogJob> {
  return startWithPlans(world, log, settings)
}

/** Returns how many partitions the topic has: the asked number, or what it was created with before. */
export function ensureTopic(log: Log, spec: TopicSpec): Promise<number> {
  return madeTopic(log, spec)
}

/** Name, form and operators of a plan: what its state belongs to. */
export function planIdentity(plan: Plan): string {
  return identityOfPlan(plan)
}

/** What became of the windows that were marked as lacking late records (`dirty-windows.ts`). */
export interface Reprocessed {
  /** Ranges that were recomputed. */
  readonly recomputed: number
  /** Their windows may still change by themselves. */
  readonly waiting: number
  /** The log does not hold all their records any more, or the plan takes more than times can tell: for the lake. */
  readonly notInTheLog: readonly WindowRange[]
  /** Told, because they differed from what stood in the topic. */
  readonly rows: number
}
/** Recomputes the marked windows of a pipeline out of the log and tells what differs, as corrections. Repeating it tells nothing. */
export function reprocess(world: World, log: Log, plan: Plan): Promise<Reprocessed> {
  return reprocessPlan(world, log, plan)
}

/** Bytes read from a topic between two looks at the world, for a bounded run. */
const boundedStepBytes = 1 << 20

/**
 * Runs a plan over what the topics it reads hold at this moment, bounded: every window closes, nothing is late.
 * Rejects with the signal's reason when it is aborted, with a `LogError` UNKNOWN_TOPIC_OR_PARTITION when a topic is missing.
 */
export async function runOverLog(
  world: World,
  log: Log,
  plan: Plan,
  signal: AbortSignal | null,
): Promise<{ readonly results: readonly ResultBatch[]; readonly records: number; readonly deadLettered: number }> {
  const partitions: Record<string, number> = {}
  for (const topic of Object.keys(plan.contracts)) {
    const info = log.topic(topic)
    if (info === null) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${topic}' in this log yet`)
    partitions[topic] = info.partitions
  }
  const job = openJob([plan], { bounded: true, partitions })
  const push = recordSource(job)
  const results: ResultBatch[] = []
  let deadLettered = 0
  const take = (): void => {
    const output = job.take()
    results.push(...output.results)
    deadLettered += output.deadLetters.length
  }
  for (const [topic, count] of Object.entries(partitions)) {
    for (let partition = 0; partition < count; partition++) {
      const { start, end } = log.offsets(topic, partitionId(partition))
      for (let next: number = start; next < end; ) {
        signal?.throwIfAborted()
        const read = await log.readCommitted(topic, partitionId(partition), offset(next), boundedStepBytes)
        for (const batch of read.batches) push(topic, partition, baseOffset(batch), batch)
        // From here on records wait for the end of a transaction.
        if (read.next === next) break
        next = read.next
        take()
        await new Promise<void>((resolve) => world.clock.soon(resolve))
      }
    }
  }
  job.finish()
  take()
  const records = job.ledger().reduce((sum, line) => sum + line.in, 0)
  return { results, records, deadLettered }
}

/**
 * The JSON objects among about the last `recordsMax` records of each partition of a topic, oldest first: what a restart
 * knows at once. Any client may write to any topic, so other values are left out.
 */
export async function lastRows(
  log: Log,
  topic: string,
  recordsMax: number,
): Promise<Readonly<Record<string, unknown>>[]> {
  const info = log.topic(topic)
  if (info === null) return []
  const rows: Readonly<Record<string, unknown>>[] = []
  const slots = recordSlots(1024)
  for (let partition = 0; partition < info.partitions; partition++) {
    const { start, end } = log.offsets(topic, partitionId(partition))
    for (let next = Math.max(start, end - recordsMax); next < end; ) {
      const read = await log.readCommitted(topic, partitionId(partition), offset(next), boundedStepBytes)
      for (const batch of read.batches) {
        const records = recordsOf(batch)
        for (let at = records.start; at < records.end; ) {
          at = walkRecords(records.bytes, at, records.end, slots)
          for (let row = 0; row < slots.count; row++) {
            if (slots.valueStart[row]! < 0) continue
            const value = jsonObject(records.bytes.subarray(slots.valueStart[row]!, slots.valueEnd[row]!))
            if (value !== null) rows.push(value)
          }
        }
      }
      if (read.next === next) break
      next = read.next
    }
  }
  return rows
}

function jsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
