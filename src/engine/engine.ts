// The engine's door: Plans in, record bytes in, rows out. It decodes, windows and aggregates; it has never heard of a
// shop or of Kafka. Synchronous and bounded: `push` does the work of one batch and returns.
import type { Contract, FieldType } from '../query/contract.ts'
import { type Plan, PlanError } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import { assert } from '../std/assert.ts'
import type { EventTimeMs } from '../std/units.ts'
import { schemaIdOf } from './avro-values.ts'
import type { RowTexts } from './columns.ts'
import { EngineJob } from './job.ts'
import { openDecoder } from './kernel/kernel-decoder.ts'
import { rowDecoder } from './row-decoder.ts'

export { timings } from './results.ts'
export { FORMAT_VERSION as STATE_FORMAT_VERSION, SnapshotError, type StateParts } from './state-bytes.ts'
export { StateLimitError } from './state-limit.ts'

import { recordsJson, rowsJson } from './encoded-rows.ts'
import { lowerPlan } from './lower.ts'
import { reactingJob } from './reacting-job.ts'
import { rowJson, rowKey, rowObject } from './result-rows.ts'
import { canShard, EngineShard } from './shard.ts'
import type { PartitionTime } from './source-time.ts'
import type { StateParts } from './state-bytes.ts'
import { upgradeJob } from './upgrade.ts'

/** Some records of one partition, as byte ranges in one memory (JSON text, UTF-8). At most 256 KiB is the intended size. */
export interface SourceBatch {
  readonly topic: string
  readonly partition: number
  readonly bytes: Uint8Array
  readonly count: number
  /** Value i is bytes[starts[i] .. ends[i]); starts[i] = -1 is a null value (tombstone). */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** Offset of each record in its partition. */
  readonly offsets: Float64Array
  /** Arrival (the record's Kafka timestamp) of each record, ms since the epoch. */
  readonly arrivals: Float64Array
}

/**
 * Memory of one topic's decoder. A batch whose bytes were put here is decoded where it lies; one from elsewhere is copied
 * in first.
 */
export interface DecoderMemory {
  /** For WebAssembly that writes into the room by itself. */
  readonly memory: WebAssembly.Memory
  /** Room for one batch of at most so many records. Views of an earlier room may be empty after. */
  room(sizeBytes: number, records: number): Uint8Array<ArrayBuffer>
  /** The first newlines in `room[from, to)`, as positions in the room: 4,096 at most, and valid until the next call. */
  newlines(from: number, to: number): Int32Array
}

/** A decision of the job's clock, recorded in the log so that a replay takes it at the same place. */
export interface Tick {
  /** Wall time of the decision, ms. */
  readonly atMs: number
  /** Emit the running values of every table with an interval (early panes). */
  readonly interval: boolean
  /** Partitions that have been silent for longer than their source's idle timeout. A batch wakes them again. */
  readonly idle: readonly { readonly topic: string; readonly partition: number }[]
}

export interface DeadLetter {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly arrivalMs: number
  /** Copy of the raw bytes of the value. */
  readonly value: Uint8Array
  /** What is wrong, e.g. `missing`, `wrong-type`, `not-json`, `rule`, `future`. */
  readonly reason: string
  /** Dotted path of the field at fault, or '' for the whole record. */
  readonly field: string
  /** A sentence for people: what, where, value, cause, cure. */
  readonly message: string
}
export interface LateRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly arrivalMs: number
  readonly value: Uint8Array
  readonly eventTimeMs: EventTimeMs
  readonly watermarkMs: EventTimeMs
  /** The plan for which it came too late. */
  readonly plan: string
  /** The windows of the plan's result that lack it: from the start of the first to the end of the last. Null: none, or which is not known. */
  readonly windows: { readonly fromMs: number; readonly toMs: number } | null
}

export interface JobSettings {
  /** The input ends (files, reports): windows close at `finish` only, so nothing is late, and future limits are ignored. */
  readonly bounded: boolean
  /** Records of the future are dead letters in a bounded run too, as they were when they came. */
  readonly judgesFuture?: boolean
  /** State beyond this stops the job with a `StateLimitError`. Default 1 GiB. */
  readonly stateBytesMax?: number
  /** Partitions of a topic where they are not the contract's. */
  readonly partitions?: { readonly [topic: string]: number }
  /** What reads the records of topics in Avro. */
  readonly avro?: AvroReaders
  /** For figures of operators; without it they are never busy. Results do not depend on it. */
  readonly monoMs?: () => number
}

/** Readers of records in Avro, by the id of the schema that they were written with. */
export interface AvroReaders {
  /** Null: the registry knows no such schema. Has to be there: whoever pushes a batch has asked for its schemas before. */
  reader(schemaId: number): AvroReader | null
}
export interface AvroReader {
  /** A record as JSON would have it: times and dates as text, decimals as numbers; or why it cannot be read. */
  read(record: Uint8Array): { readonly value: unknown } | AvroFault
}
/** Bytes that are not a record of their schema, or a number that would not be exact. */
export interface AvroFault {
  readonly fault: 'not-avro' | 'range'
  readonly message: string
}
/** The id of the schema of the value [start, end) of a topic in Avro; null: it does not begin as such records do. */
export function avroSchemaId(bytes: Uint8Array, start: number, end: number): number | null {
  return schemaIdOf(bytes, start, end)
}

/** Runs some Plans over their sources. One decode per topic, whatever the number of Plans. */
export interface Job {
  /** What the Plans read. */
  readonly topics: readonly string[]
  /** Takes the batch in: may close windows. The batch's memory is free again when it returns. */
  push(batch: SourceBatch): void
  /** Where batches of a topic are best put; null where any memory will do. */
  memoryOf(topic: string): DecoderMemory | null
  tick(tick: Tick): void
  /** The input has ended: the watermark goes to infinity, every window closes. */
  finish(): void
  /** What became due since the last take, and clears it. */
  take(): JobOutput
  /** Nothing of the output taken last is read any more: its memory may be used for the next one. Nobody has to say so. */
  release(output: JobOutput): void
  /** Global watermark of a topic, or of the topic a plan reads; -Infinity before there is one. */
  watermarkMs(planOrTopic: string): number
  partitions(topic: string): readonly PartitionProgress[]
  ledger(): readonly LedgerLine[]
  /** What each operator of the plans has done here and holds: without what shards have gathered for it. */
  operators(): readonly OperatorLine[]
  /** How far back each deduplication of the plans sees. */
  horizons(): readonly HorizonLine[]
  /** The whole state, in a versioned format. What became due must have been taken. */
  snapshot(): Uint8Array
  /** The same as the job holds it, without a copy: valid until the next `push`, `tick` or `finish`. */
  cut(): StateParts
  /** Puts a new job of the same Plans where the snapshot was taken; throws a `SnapshotError` if it does not fit. */
  restore(state: Uint8Array | StateParts): void
  stateBytes(): number

  // With shards on other threads; see `Shard`.
  /** Has a tick found the partition silent, and has nothing come since? */
  isIdle(topic: string, partition: number): boolean
  /** How its time stands for the next batch: an idle one is raised by it. All before must have been taken in. */
  wakingAt(topic: string, partition: number): PartitionTime
  /**
   * Takes in what a shard made of a batch (or of a flush), in the order in which the batches were given out: the job is
   * then as if it had been pushed. `rawOf` gives the batch again, for a record that goes wrong.
   */
  absorb(shard: number, piece: Uint8Array, rawOf: (use: (batch: SourceBatch) => void) => void): void
}

/**
 * The share of a job's work that another thread does: it decodes, runs the stateless steps and gathers panes. What it
 * gives back is taken in by `Job.absorb`. The job and all its shards are opened with the same Plans and partitions.
 */
export interface Shard {
  /** What the job needs of the batch. */
  push(batch: SourceBatch): Uint8Array<ArrayBuffer>
  /** As of a job. */
  memoryOf(topic: string): DecoderMemory | null
  /** All that was gathered. */
  flush(): Uint8Array<ArrayBuffer>
  /** A partition is this shard's from here on, or its time has changed otherwise than by its batches. */
  setPartition(topic: string, partition: number, state: PartitionTime, idle: boolean): void
}
export type ShardSettings = Pick<JobSettings, 'bounded' | 'partitions'>

export interface PartitionProgress {
  readonly partition: number
  /** -Infinity before the first record. */
  readonly watermarkMs: number
  readonly idle: boolean
  /** Newest event time seen, for display; -Infinity before the first record. */
  readonly eventTimeMsMax: number
}
/** in = processed + duplicates + late + deadLettered, always. A record counts once, as the worst any Plan made of it. */
export interface LedgerLine {
  readonly topic: string
  readonly partition: number
  readonly in: number
  readonly processed: number
  readonly duplicates: number
  readonly late: number
  readonly deadLettered: number
}

/** An operator as it is now; counts are since this job was opened. */
export interface OperatorLine {
  readonly plan: string
  /** The id of its node. */
  readonly operator: string
  /** Of its node: `window-aggregate`, `join` … */
  readonly kind: string
  readonly rowsIn: number
  readonly busyMs: number
  readonly stateBytes: number
  /** -Infinity before there is one. */
  readonly watermarkMs: number
}

/** A deduplication as it is now: shorter than asked for only where its bytes ran out. */
export interface HorizonLine {
  readonly plan: string
  /** Asked for, in event time. */
  readonly horizonMs: number
  /** Reached now. */
  readonly reachMs: number
  readonly identities: number
  /** Identities forgotten before their time, ever: a duplicate of theirs would pass for new. */
  readonly forgottenEarly: number
  readonly bytes: number
}

export interface JobOutput {
  /** Rows in the order they became due; several batches of one plan may follow each other. */
  readonly results: readonly ResultBatch[]
  readonly deadLetters: readonly DeadLetter[]
  readonly lateRecords: readonly LateRecord[]
  /** Idle partitions that woke and were raised to the global watermark: a replay in another order applies these. */
  readonly raises: readonly WatermarkRaise[]
  /** What the reactions made of the rows, in order. */
  readonly emitted: readonly Emitted[]
}
/** A record that a reaction wants in a topic; its value is JSON, null takes the key back. */
export interface Emitted {
  readonly topic: string
  readonly key: string
  readonly value: string | null
}
export interface WatermarkRaise {
  readonly topic: string
  readonly partition: number
  /** Of the first record after the raise. */
  readonly offset: number
  readonly watermarkMs: number
}

export type Timing = 'early' | 'on-time' | 'late'

/** Result rows of one plan, column by column. */
export interface ResultBatch {
  readonly plan: Plan
  readonly count: number
  /** In the order of the result node's columns. */
  readonly columns: readonly ResultColumn[]
  /** Index into `timings`. Rows of plans without windows are on time. */
  readonly timing: Uint8Array
  /**
   * 1, or -1 for a row that takes back what stood under its key, of which only the key's columns are set: a session that
   * has merged or grown, a row that has left the top.
   */
  readonly weight: Int8Array
  /** 1: the watermark has passed the window's end; only a correction (timing late) can replace the row. */
  readonly final: Uint8Array
  /** Offsets of the records behind a row lie within these, per partition; partitions without any are left out. */
  evidence(row: number): readonly Evidence[]
  /** The same for all rows, as it is held. */
  readonly spans: EvidenceSpans
}
/** Offsets behind rows by lane: by partition of each of the plan's topics. */
export interface EvidenceSpans {
  readonly lanes: readonly { readonly topic: string; readonly partition: number }[]
  /** Of each row: -1 - its lane where one record is behind it; else which of `offsets` are its own. */
  readonly rows: Int32Array
  /** The offset of that record. */
  readonly records: Float64Array
  /** Least and greatest offset of each lane (Infinity, -1: none), for one row's evidence after another. */
  readonly offsets: Float64Array
}
export interface Evidence {
  readonly topic: string
  readonly partition: number
  readonly offsetMin: number
  readonly offsetMax: number
}
export type ResultColumn =
  | {
      readonly kind: 'number'
      readonly name: string
      readonly type: FieldType
      /** Minor units, milliseconds, 0 or 1; NaN is null. */
      readonly values: Float64Array
      /** Where sums left 2^53 behind: the value is values[i] + high[i] * 2^52. Absent where no row needs it. */
      readonly high: Float64Array | null
    }
  | {
      readonly kind: 'text'
      readonly name: string
      readonly type: FieldType
      /** Made when first asked for. */
      readonly values: readonly (string | null)[]
      /** The same as it is held. */
      readonly texts: RowTexts
    }

export function openShard(plans: readonly Plan[], settings: ShardSettings): Shard {
  return new EngineShard(plans, openDecoder, settings)
}
/** False: these Plans run on one thread only. */
export function shardable(plans: readonly Plan[]): boolean {
  return canShard(plans.map((plan) => lowerPlan(plan)))
}

/** Lowers the Plans; throws a `PlanError` that names what this engine does not run, or a reaction's Plan that is not there. */
export function openJob(plans: readonly Plan[], settings: JobSettings, reactions: readonly Reaction[] = []): Job {
  for (const { name, reads } of reactions)
    for (const plan of reads)
      if (!plans.some((one) => one.name === plan))
        throw new PlanError(
          plan,
          `reaction '${name}'`,
          'the job has no such plan',
          'Give the job what its reactions read',
        )
  const job = new EngineJob(plans, openDecoder, settings)
  return reactions.length === 0 ? job : reactingJob(job, reactions)
}

/** From the Plans and reactions that ran to those that are wanted. */
export interface UpgradeSettings {
  readonly running: {
    readonly plans: readonly Plan[]
    readonly reactions: readonly Pick<Reaction, 'name' | 'version'>[]
  }
  readonly wanted: { readonly plans: readonly Plan[]; readonly reactions: readonly Reaction[] }
  readonly job: JobSettings
}
export interface Upgrade {
  /** What ran, to be restored from its snapshot. Of its reactions those that are wanted unchanged. */
  readonly job: Job
  /** Computes what is new or changed from what it is shown of the log; null: nothing is. Both are shown the same entries. */
  readonly rebuilding: Job | null
  /** Plans that go on with their state, by name. */
  readonly kept: readonly string[]
  /** Plans that are computed from the log, by name: of `rebuilding`, those whose rows are to be told. */
  readonly rebuilt: readonly string[]
  /** Once both have taken in the same: the state with which a job of what is wanted goes on. Outputs must have been taken. */
  cut(): StateParts
}
/** Throws a `PlanError` where the Plans that ran can be run no longer. */
export function openUpgrade(settings: UpgradeSettings): Upgrade {
  return upgradeJob(settings)
}

/** Judges records by their contract, as a job's decoder does, for doorways that can still tell the sender. */
export interface RecordCheck {
  /** Each record of the batch comes to one of the two. */
  check(
    batch: SourceBatch,
    /** `text`: what the record has in the field asked for, as text, its default included; null when it has none. */
    stands: (record: number, text: string | null) => void,
    refused: (refusal: RecordRefusal) => void,
  ): void
}
/** Why a dead letter would be made of the record: see `DeadLetter`. */
export interface RecordRefusal {
  readonly record: number
  readonly reason: string
  readonly field: string
  readonly message: string
}

/** `field` holds text or whole numbers: a key. */
export function openRecordCheck(contract: Contract, field: string): RecordCheck {
  const kind = contract.fields[field]?.type.kind
  assert(
    kind === 'string' || kind === 'uuid' || kind === 'int64',
    `${contract.topic}.${field} is neither text nor a whole number`,
  )
  const as = kind === 'int64' ? 'number' : 'text'
  // What comes through such doorways is JSON.
  const asJson = { ...contract, format: 'json' } as const
  const decoder = rowDecoder({
    contract: asJson,
    projections: [{ name: field, as }],
    dictionaries: {},
    futureLimit: true,
  })
  return {
    check(batch, stands, refused) {
      const { rows, records, columns } = decoder.decode(batch, refused)
      const column = columns[0]
      assert(column !== undefined && column.kind !== 'id' && column.kind !== 'list', 'asked for as text or number')
      for (let row = 0; row < rows; row++) {
        const value = column.values[row]
        const absent = value === undefined || value === null || Number.isNaN(value)
        stands(records[row]!, absent ? null : String(value))
      }
    },
  }
}

/**
 * All rows of a batch as `encodeRow` gives them, each with a newline: row i ends at `ends[i]`. Valid until the next call.
 * `last`: a member that each of them ends in, with a comma before it.
 */
export function encodeRows(batch: ResultBatch, last = ''): EncodedRows {
  return rowsJson(batch, last)
}
export interface EncodedRows {
  readonly bytes: Uint8Array
  /** `batch.count` of them. */
  readonly ends: Int32Array
}
/**
 * All rows of a batch as result records: of each its key (the column that the plan's output names, as it is; else as
 * `encodeKey` gives it), its value (as `encodeRow`, then `last`, then its timing) and its evidence as JSON, one behind the
 * other. Valid until the next call.
 */
export function encodeRecords(batch: ResultBatch, last = ''): EncodedRecords {
  return recordsJson(batch, last)
}
export interface EncodedRecords extends EncodedRows {
  /** Three for each row: where its key, its value and its evidence end. */
  readonly ends: Int32Array
  /** False: the record has no key, not even an empty one. */
  readonly hasKey: (row: number) => boolean
}
/** The row as topics and the command line carry it: money as exact decimals, times as the plan's output says. */
export function encodeRow(batch: ResultBatch, row: number): string {
  return rowJson(batch, row)
}
/** The upsert key as a JSON array in the plan's key order; null for plans that append. */
export function encodeKey(batch: ResultBatch, row: number): string | null {
  return rowKey(batch, row)
}
/** A row by column name: numbers as held (minor units, milliseconds; bigint beyond 2^53), text, booleans or null. */
export function resultRow(batch: ResultBatch, row: number): { readonly [column: string]: ResultValue } {
  return rowObject(batch, row)
}
export type ResultValue = number | bigint | string | boolean | null
