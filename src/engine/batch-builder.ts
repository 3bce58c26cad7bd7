// Rows that an operator gives out, as the batch that its followers take: typed arrays that grow and are used again.
import type { Column } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn, Derived } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { grownFloats, grownInts } from './int-set.ts'
import type { Place, RowSink } from './operator.ts'
import { isTextKind, type TimingIndex } from './results.ts'

/** More than a partition will ever hold. */
const LANE_OFFSETS = 2 ** 40

export class BatchBuilder implements RowSink {
  readonly #lanes: number
  #columns: BatchColumn[]
  #highs = false
  readonly #derived: Derived = {
    weights: new Int8Array(0),
    timings: new Uint8Array(0),
    evidence: new Int32Array(0),
    offsets: new Float64Array(0),
  }
  #evidences = 0
  #none: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly #batch: Batch
  /** Rows 0, 1, 2 …: all of them, as a selection. */
  all: Int32Array<ArrayBuffer> = new Int32Array(0)

  constructor(columns: readonly Column[], lanes: number) {
    this.#lanes = lanes
    this.#columns = columns.map(({ type }) =>
      isTextKind(type.kind)
        ? { kind: 'id', values: new Int32Array(0), dictionary: new Dictionary<string>() }
        : { kind: 'number', values: new Float64Array(0), high: null },
    )
    this.#batch = {
      topic: '',
      partition: -1,
      rows: 0,
      columns: this.#columns,
      times: new Float64Array(0),
      watermarks: new Float64Array(0),
      records: this.#none,
      offsets: new Float64Array(0),
      derived: this.#derived,
    }
  }
  /** The dictionaries of its text columns, known once the operator is made. */
  bind(places: readonly Place['dictionary'][]): void {
    this.#columns = this.#columns.map((column, i) => {
      const place = places[i]
      if (column.kind !== 'id' || place === null || place === undefined) return column
      return { kind: 'id', values: column.values, dictionary: place.of }
    })
    this.#columns.forEach((column, i) => {
      this.#batch.columns[i] = column
    })
  }
  get count(): number {
    return this.#batch.rows
  }

  addEvidence(offsets: Float64Array, from: number): number {
    const each = this.#lanes * 2
    const at = this.#evidences++ * each
    this.#derived.offsets = grownFloats(this.#derived.offsets, at + each)
    for (let i = 0; i < each; i++) this.#derived.offsets[at + i] = offsets[from + i]!
    return at
  }
  addRecord(lane: number, offset: number): number {
    const each = this.#lanes * 2
    const at = this.#evidences++ * each
    this.#derived.offsets = grownFloats(this.#derived.offsets, at + each)
    for (let i = 0; i < each; i += 2) {
      this.#derived.offsets[at + i] = i === lane * 2 ? offset : Number.POSITIVE_INFINITY
      this.#derived.offsets[at + i + 1] = i === lane * 2 ? offset : -1
    }
    return at
  }
  addRow(timing: TimingIndex, evidence: number, timeMs: number): void {
    this.#open(timing, evidence, timeMs, 1)
  }
  addRetraction(timing: TimingIndex, evidence: number, timeMs: number): void {
    const row = this.#open(timing, evidence, timeMs, -1)
    for (const column of this.#columns) {
      if (column.kind === 'number') column.values[row] = Number.NaN
      else if (column.kind === 'id') column.values[row] = -1
    }
  }
  #open(timing: TimingIndex, evidence: number, timeMs: number, weight: 1 | -1): number {
    const row = this.#batch.rows++
    if (row >= this.#batch.times.length) this.#grow(row + 1)
    this.#batch.times[row] = timeMs
    this.#derived.weights[row] = weight
    this.#derived.timings[row] = timing
    this.#derived.evidence[row] = evidence
    this.#batch.offsets[row] = this.#rankOf(evidence)
    return row
  }
  /** Tells rows of one time apart, whatever the order in which they come: by the first record behind each. */
  #rankOf(evidence: number): number {
    const { offsets } = this.#derived
    for (let lane = 0; lane < this.#lanes; lane++)
      if (offsets[evidence + lane * 2 + 1]! >= 0) return lane * LANE_OFFSETS + offsets[evidence + lane * 2]!
    return 0
  }
  #grow(rows: number): void {
    const batch = this.#batch
    batch.times = grownFloats(batch.times, rows)
    batch.offsets = grownFloats(batch.offsets, batch.times.length)
    const length = batch.times.length
    const weights = new Int8Array(length)
    weights.set(this.#derived.weights)
    this.#derived.weights = weights
    const timings = new Uint8Array(length)
    timings.set(this.#derived.timings)
    this.#derived.timings = timings
    this.#derived.evidence = grownInts(this.#derived.evidence, length)
    for (const column of this.#columns) {
      if (column.kind === 'number') column.values = grownFloats(column.values, length)
      else if (column.kind === 'id') column.values = grownInts(column.values, length)
    }
    const before = this.all.length
    this.all = grownInts(this.all, length)
    for (let i = before; i < this.all.length; i++) this.all[i] = i
  }
  setNumber(column: number, value: number, high: number): void {
    const into = this.#columns[column]!
    assert(into.kind === 'number', 'a number for a text column')
    const row = this.#batch.rows - 1
    into.values[row] = value
    if (high === 0 && (into.high === null || into.high === undefined)) return
    this.#highs = true
    into.high = grownFloats(into.high ?? new Float64Array(0), into.values.length)
    into.high[row] = high
  }
  setId(column: number, id: number, dictionary: Dictionary<string>): void {
    const into = this.#columns[column]!
    assert(into.kind === 'id' && into.dictionary === dictionary, 'text of another dictionary than the operator told')
    into.values[this.#batch.rows - 1] = id
  }

  /** The rows so far, all with this watermark; valid until the next row is added. The builder starts anew. */
  take(watermarkMs: number): Batch {
    const batch = this.#batch
    batch.watermarks = grownFloats(batch.watermarks, batch.times.length)
    batch.watermarks.fill(watermarkMs, 0, batch.rows)
    return batch
  }
  /** After the batch has been taken in. */
  clear(): void {
    this.#batch.rows = 0
    this.#evidences = 0
    if (!this.#highs) return
    this.#highs = false
    for (const column of this.#columns) if (column.kind === 'number') column.high = null
  }
}
