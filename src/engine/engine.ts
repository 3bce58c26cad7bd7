// The engine's door: Plans in, record bytes in, rows out. It decodes, windows and aggregates; it has never heard of a
// shop or of Kafka. Synchronous and bounded: `push` does the work of one batch and returns.
import type { EventTimeMs } from '../std/units.ts'

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
}
