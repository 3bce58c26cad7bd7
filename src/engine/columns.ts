// Columns of one batch as the operators see them. Buffers belong to their maker and are overwritten by the next batch.
import type { Dictionary } from './dictionary.ts'

/** Numbers, money in minor units, times in ms, dates in days, booleans as 0 and 1. NaN is null. */
export interface NumberColumn {
  readonly kind: 'number'
  values: Float64Array<ArrayBuffer>
  /** Of sums that left 2^53 behind: the value is values[i] + high[i] * 2^52. Absent: no row needs it. */
  high?: Float64Array<ArrayBuffer> | null
}
/** Text by dictionary: where it is grouped, counted distinct, compared or looked up. -1 is null. */
export interface IdColumn {
  readonly kind: 'id'
  values: Int32Array<ArrayBuffer>
  readonly dictionary: Dictionary<string>
}
/** Text that only passes through. */
export interface TextColumn {
  readonly kind: 'text'
  /** By row, but for those that `slices` has: read by `textAt`. */
  readonly values: (string | null)[]
  /** Texts as they stand in memory until the next batch: no string is made of one that only passes through. */
  slices?: TextSlices | null
}
export interface TextSlices {
  readonly memory: Uint8Array
  /** Where each row's text begins: UTF-8 that JSON takes as it is; -1 is null, `IN_VALUES`: a string among the values. */
  readonly starts: Int32Array
  readonly lengths: Int32Array
  /** The bytes of the batch's records; a text that stands in for a missing one lies outside. */
  readonly low: number
  readonly high: number
}
export const IN_VALUES = -2

/** Texts of result rows. */
export interface RowTexts {
  readonly memory: Uint8Array
  /** Where each row's text begins: UTF-8 that JSON takes as it is; -1 is null, and `FIRST_CODE` - i is string i. */
  readonly starts: Int32Array
  /** Of those in the memory; not there for the others. */
  readonly lengths: Int32Array
  readonly strings: readonly string[]
}
export const FIRST_CODE = -3
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
export function textAt({ values, slices = null }: TextColumn, row: number): string | null {
  if (slices === null) return values[row] ?? null
  const start = slices.starts[row]!
  if (start >= 0) return utf8.decode(slices.memory.subarray(start, start + slices.lengths[row]!))
  return start === IN_VALUES ? (values[row] ?? null) : null
}
/** Lists, flat: element i belongs to row `parents[i]`, and the elements of row r are [first[r], first[r + 1]). */
export interface ListColumn {
  readonly kind: 'list'
  /** Elements of all rows. */
  count: number
  parents: Int32Array<ArrayBuffer>
  /** One longer than the rows. */
  first: Int32Array<ArrayBuffer>
  /** 1 where the row has no list; a list may also be empty. */
  isNull: Uint8Array<ArrayBuffer>
  /** What is wanted of each element: `count` values each. */
  readonly elements: readonly ValueColumn[]
}
export type ValueColumn = NumberColumn | IdColumn | TextColumn
export type BatchColumn = ValueColumn | ListColumn
export type ColumnKind = BatchColumn['kind']

/** Rows the decoder accepted, all of one partition, in the order of their offsets; or rows that an operator gave out. */
export interface Batch {
  readonly topic: string
  partition: number
  rows: number
  /** By the slots the lowering gave out; a plan's own columns follow the source's. */
  readonly columns: BatchColumn[]
  /** Event time of each row, ms. */
  times: Float64Array<ArrayBuffer>
  /** The partition's watermark once the row had been seen. */
  watermarks: Float64Array<ArrayBuffer>
  /** Position of each row in the source batch. */
  records: Int32Array<ArrayBuffer>
  offsets: Float64Array<ArrayBuffer>
  /** Of an operator's rows; absent or null: a decoder's, each with one record behind it and no change of another. */
  derived?: Derived | null
}

/** What an operator's rows have beside columns and times. */
export interface Derived {
  /** 1; or -1 for a row that takes back what stood under its key, of which only the key's columns hold something. */
  weights: Int8Array<ArrayBuffer>
  /** `EARLY`, `ON_TIME` or `LATE`. */
  timings: Uint8Array<ArrayBuffer>
  /** Where a row's evidence begins in `offsets`: least and greatest offset (Infinity, -1: none) of each lane. */
  evidence: Int32Array<ArrayBuffer>
  offsets: Float64Array<ArrayBuffer>
}
