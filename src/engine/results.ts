// Result rows, column by column, as they become due: growable columns, timing, final marks and the offsets behind.
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { type BatchColumn, IN_VALUES } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { Evidence, ResultBatch, ResultColumn } from './engine.ts'
import { GatheredTexts } from './gathered-texts.ts'
import { grownFloats } from './int-set.ts'
import type { RowSink } from './operator.ts'

export const EARLY = 0
export const ON_TIME = 1
export const LATE = 2
export type TimingIndex = typeof EARLY | typeof ON_TIME | typeof LATE

type Growing =
  | { kind: 'number'; values: Float64Array<ArrayBuffer>; high: Float64Array<ArrayBuffer> | null }
  | { kind: 'text'; values: (string | null)[]; gathered: GatheredTexts | null }

/** A partition of a topic as evidence numbers it. */
export interface Lane {
  readonly topic: string
  readonly partition: number
}

export class ResultBuilder implements RowSink {
  readonly #plan: Plan
  readonly #lanes: readonly Lane[]
  readonly #partitions: number
  readonly #columns: Growing[]
  #count = 0
  #timing: number[] = []
  /** Index of each row's evidence. */
  #evidence: number[] = []
  #offsets: Float64Array<ArrayBuffer> = new Float64Array(0)
  #evidences = 0
  /** Rows that take back what stood under their key. */
  #retractions: number[] = []

  constructor(plan: Plan, lanes: readonly Lane[]) {
    this.#plan = plan
    this.#lanes = lanes
    this.#partitions = lanes.length
    this.#columns = resultColumns(plan).map(({ type }) =>
      isTextKind(type.kind)
        ? { kind: 'text', values: [], gathered: null }
        : { kind: 'number', values: new Float64Array(0), high: null },
    )
  }
  get count(): number {
    return this.#count
  }
  /** Least and greatest offset per partition (Infinity and -1 for none), for the rows that follow. */
  addEvidence(offsets: Float64Array, from: number): number {
    const each = this.#partitions * 2
    this.#offsets = grownFloats(this.#offsets, (this.#evidences + 1) * each)
    for (let i = 0; i < each; i++) this.#offsets[this.#evidences * each + i] = offsets[from + i]!
    return this.#evidences++
  }
  /** One partition and offset only. */
  addRecord(partition: number, offset: number): number {
    const each = this.#partitions * 2
    this.#offsets = grownFloats(this.#offsets, (this.#evidences + 1) * each)
    for (let i = 0; i < each; i += 2) {
      this.#offsets[this.#evidences * each + i] = i === partition * 2 ? offset : Number.POSITIVE_INFINITY
      this.#offsets[this.#evidences * each + i + 1] = i === partition * 2 ? offset : -1
    }
    return this.#evidences++
  }
  addRow(timing: TimingIndex, evidence: number): void {
    this.#timing[this.#count] = timing
    this.#evidence[this.#count] = evidence
    this.#count++
  }
  addRetraction(timing: TimingIndex, evidence: number): void {
    this.#retractions.push(this.#count)
    this.addRow(timing, evidence)
    for (let column = 0; column < this.#columns.length; column++) {
      if (this.#columns[column]!.kind === 'text') this.setText(column, null)
      else this.setNumber(column, Number.NaN, 0)
    }
  }
  setNumber(column: number, value: number, high: number): void {
    const into = this.#columns[column]!
    assert(into.kind === 'number', 'a number for a text column')
    into.values = grownFloats(into.values, this.#count)
    into.values[this.#count - 1] = value
    if (high !== 0 && into.high === null) into.high = new Float64Array(into.values.length)
    if (into.high !== null) {
      into.high = grownFloats(into.high, into.values.length)
      into.high[this.#count - 1] = high
    }
  }
  setId(column: number, id: number, dictionary: Dictionary<string>): void {
    this.setText(column, id < 0 ? null : dictionary.valueOf(id))
  }
  setText(column: number, value: string | null): void {
    const into = this.#columns[column]!
    assert(into.kind === 'text', 'text for a number column')
    into.values[this.#count - 1] = value
    into.gathered?.inValues(this.#count - 1)
  }
  /** Opens a row on time for each of a decoder's rows; then every column must be set once by `setColumn`. */
  addRecords(lane: number, offsets: Float64Array, rows: Int32Array, count: number): void {
    const each = this.#partitions * 2
    const base = this.#evidences * each
    this.#offsets = grownFloats(this.#offsets, base + count * each)
    for (let i = 0; i < count; i++) {
      const at = base + i * each
      for (let k = 0; k < each; k += 2) {
        this.#offsets[at + k] = Number.POSITIVE_INFINITY
        this.#offsets[at + k + 1] = -1
      }
      this.#offsets[at + lane * 2] = offsets[rows[i]!]!
      this.#offsets[at + lane * 2 + 1] = offsets[rows[i]!]!
      this.#timing.push(ON_TIME)
      this.#evidence.push(this.#evidences + i)
    }
    this.#evidences += count
    this.#count += count
  }
  /** The values of the rows that `addRecords` opened. */
  setColumn(index: number, column: BatchColumn, rows: Int32Array, count: number): void {
    const into = this.#columns[index]!
    const first = this.#count - count
    if (into.kind === 'number') {
      assert(column.kind === 'number', 'a number column')
      into.values = grownFloats(into.values, this.#count)
      const { values } = into
      for (let i = 0; i < count; i++) values[first + i] = column.values[rows[i]!]!
      const high = column.high ?? null
      if (high === null && into.high === null) return
      into.high = grownFloats(into.high ?? new Float64Array(0), this.#count)
      for (let i = 0; i < count; i++) into.high[first + i] = high?.[rows[i]!] ?? 0
    } else if (column.kind === 'id') {
      for (let i = 0; i < count; i++) {
        const id = column.values[rows[i]!]!
        into.values[first + i] = id < 0 ? null : column.dictionary.valueOf(id)
      }
    } else if (column.kind === 'text') {
      const slices = column.slices ?? null
      if (slices !== null) {
        into.gathered ??= new GatheredTexts(first)
        into.gathered.add(slices, rows, count, first)
      }
      for (let i = 0; i < count; i++) {
        const start = slices === null ? IN_VALUES : slices.starts[rows[i]!]!
        if (start !== IN_VALUES) continue
        into.values[first + i] = column.values[rows[i]!] ?? null
        if (slices === null) into.gathered?.inValues(first + i)
      }
    }
  }
  /** The rows so far, as one batch; the builder starts anew. */
  take(): ResultBatch {
    const count = this.#count
    const described = resultColumns(this.#plan)
    const columns = this.#columns.map((column, i): ResultColumn => {
      const { name, type } = described[i]!
      if (column.kind === 'text') {
        if (column.gathered === null) return { kind: 'text', name, type, values: column.values }
        return column.gathered.asColumn(name, type, column.values, count)
      }
      return {
        kind: 'number',
        name,
        type,
        values: column.values.slice(0, count),
        high: column.high?.slice(0, count) ?? null,
      }
    })
    for (const column of this.#columns) {
      column.values = column.kind === 'text' ? [] : new Float64Array(0)
      if (column.kind === 'number') column.high = null
      else column.gathered = null
    }
    const [rows, offsets, lanes] = [this.#evidence, this.#offsets, this.#lanes]
    const timing = Uint8Array.from(this.#timing)
    const weight = new Int8Array(count).fill(1)
    for (const row of this.#retractions) weight[row] = -1
    this.#retractions = []
    this.#count = 0
    this.#timing = []
    this.#evidence = []
    this.#offsets = new Float64Array(0)
    this.#evidences = 0
    return {
      plan: this.#plan,
      count,
      columns,
      timing,
      weight,
      final: timing.map((value) => (value === EARLY ? 0 : 1)),
      evidence: (row) => evidenceOf(offsets, rows[row]! * lanes.length * 2, lanes),
    }
  }
}

function evidenceOf(offsets: Float64Array, from: number, lanes: readonly Lane[]): Evidence[] {
  const found: Evidence[] = []
  lanes.forEach(({ topic, partition }, lane) => {
    const offsetMax = offsets[from + lane * 2 + 1]!
    if (offsetMax >= 0) found.push({ topic, partition, offsetMin: offsets[from + lane * 2]!, offsetMax })
  })
  return found
}

export function resultColumns(plan: Plan): Plan['nodes'][number]['columns'] {
  return plan.nodes[plan.nodes.length - 1]?.columns ?? []
}
export function isTextKind(kind: string): boolean {
  return kind === 'string' || kind === 'uuid' || kind === 'bytes'
}
