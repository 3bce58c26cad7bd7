// Result rows, column by column, as they become due: growable columns, timing, final marks and the offsets behind.
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import type { Dictionary } from './dictionary.ts'
import type { Evidence, ResultBatch, ResultColumn } from './engine.ts'
import { grownFloats } from './int-set.ts'
import type { RowSink } from './operator.ts'

export const EARLY = 0
export const ON_TIME = 1
export const LATE = 2
export type TimingIndex = typeof EARLY | typeof ON_TIME | typeof LATE

type Growing =
  | { kind: 'number'; values: Float64Array<ArrayBuffer>; high: Float64Array<ArrayBuffer> | null }
  | { kind: 'text'; values: (string | null)[] }

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
        ? { kind: 'text', values: [] }
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
  }
  /** The rows so far, as one batch; the builder starts anew. */
  take(): ResultBatch {
    const count = this.#count
    const described = resultColumns(this.#plan)
    const columns = this.#columns.map((column, i): ResultColumn => {
      const { name, type } = described[i]!
      if (column.kind === 'text') return { kind: 'text', name, type, values: column.values }
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
