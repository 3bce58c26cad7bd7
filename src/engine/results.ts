// Result rows, column by column, as they become due: growable columns, timing, final marks and the offsets behind.
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { type BatchColumn, IN_VALUES } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { Evidence, EvidenceSpans, ResultBatch, ResultColumn, Timing } from './engine.ts'
import { GatheredTexts, rowText, TextStore } from './gathered-texts.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import type { RowSink } from './operator.ts'

export const EARLY = 0
export const ON_TIME = 1
export const LATE = 2
export const timings: readonly Timing[] = ['early', 'on-time', 'late']
export type TimingIndex = typeof EARLY | typeof ON_TIME | typeof LATE

type Growing =
  | { kind: 'number'; values: Float64Array<ArrayBuffer>; high: Float64Array<ArrayBuffer> | null }
  | { kind: 'text'; texts: GatheredTexts }

/** A partition of a topic as evidence numbers it. */
export interface Lane {
  readonly topic: string
  readonly partition: number
}

export class ResultBuilder implements RowSink {
  readonly #plan: Plan
  readonly #lanes: readonly Lane[]
  readonly #columns: Growing[]
  readonly #store = new TextStore()
  #count = 0
  #timing: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** By row, as in `EvidenceSpans`. */
  #evidence: Int32Array<ArrayBuffer> = new Int32Array(0)
  #records: Float64Array<ArrayBuffer> = new Float64Array(0)
  #offsets: Float64Array<ArrayBuffer> = new Float64Array(0)
  #evidences = 0
  /** Of single records: lane and offset. */
  #singles: number[] = []
  /** Rows that take back what stood under their key. */
  #retractions: number[] = []
  /** The batch taken last, and how its memory becomes ours again. */
  #last: { readonly batch: ResultBatch; readonly reuse: () => void } | null = null

  constructor(plan: Plan, lanes: readonly Lane[]) {
    this.#plan = plan
    this.#lanes = lanes
    this.#columns = resultColumns(plan).map(({ type }) =>
      isTextKind(type.kind)
        ? { kind: 'text', texts: new GatheredTexts(this.#store) }
        : { kind: 'number', values: new Float64Array(0), high: null },
    )
  }
  get count(): number {
    return this.#count
  }
  /** Least and greatest offset per partition (Infinity and -1 for none), for the rows that follow. */
  addEvidence(offsets: Float64Array, from: number): number {
    const each = this.#lanes.length * 2
    this.#offsets = grownFloats(this.#offsets, (this.#evidences + 1) * each)
    for (let i = 0; i < each; i++) this.#offsets[this.#evidences * each + i] = offsets[from + i]!
    return this.#evidences++
  }
  /** One partition and offset only. */
  addRecord(lane: number, offset: number): number {
    this.#singles.push(lane, offset)
    return -(this.#singles.length >> 1)
  }
  addRow(timing: TimingIndex, evidence: number): void {
    const row = this.#count++
    this.#reserve()
    this.#timing[row] = timing
    const single = (-1 - evidence) * 2
    this.#evidence[row] = evidence < 0 ? -1 - this.#singles[single]! : evidence
    if (evidence < 0) this.#records[row] = this.#singles[single + 1]!
  }
  #reserve(): void {
    this.#timing = grownBytes(this.#timing, this.#count)
    this.#evidence = grownInts(this.#evidence, this.#count)
    this.#records = grownFloats(this.#records, this.#count)
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
    const into = this.#columns[column]!
    assert(into.kind === 'text', 'text for a number column')
    into.texts.setId(this.#count - 1, id, dictionary)
  }
  setText(column: number, value: string | null): void {
    const into = this.#columns[column]!
    assert(into.kind === 'text', 'text for a number column')
    into.texts.set(this.#count - 1, value)
  }
  /** Opens a row on time for each of a decoder's rows; then every column must be set once by `setColumn`. */
  addRecords(lane: number, offsets: Float64Array, rows: Int32Array, count: number): void {
    const first = this.#count
    this.#count += count
    this.#reserve()
    this.#timing.fill(ON_TIME, first, this.#count)
    this.#evidence.fill(-1 - lane, first, this.#count)
    for (let i = 0; i < count; i++) this.#records[first + i] = offsets[rows[i]!]!
    this.#store.next()
  }
  /** The values of the rows that `addRecords` opened, of a batch of so many rows. */
  setColumn(index: number, column: BatchColumn, rows: Int32Array, count: number, batchRows: number): void {
    const into = this.#columns[index]!
    const first = this.#count - count
    if (into.kind === 'number') {
      assert(column.kind === 'number', 'a number column')
      into.values = grownFloats(into.values, this.#count)
      const { values } = into
      const from = column.values
      for (let i = 0; i < count; i++) values[first + i] = from[rows[i]!]!
      const high = column.high ?? null
      if (high === null && into.high === null) return
      into.high = grownFloats(into.high ?? new Float64Array(0), this.#count)
      for (let i = 0; i < count; i++) into.high[first + i] = high?.[rows[i]!] ?? 0
    } else if (column.kind === 'id') into.texts.addIds(column, rows, count, first)
    else if (column.kind === 'text') {
      const slices = column.slices ?? null
      if (slices !== null) into.texts.addSlices(slices, rows, count, first, count * 2 >= batchRows)
      for (let i = 0; i < count; i++)
        if (slices === null || slices.starts[rows[i]!] === IN_VALUES)
          into.texts.set(first + i, column.values[rows[i]!] ?? null)
    }
  }
  /** The rows so far, as one batch; the builder starts anew. */
  take(): ResultBatch {
    const count = this.#count
    const described = resultColumns(this.#plan)
    const reuse = this.#kept()
    const memory = this.#store.take()
    const columns = this.#columns.map((column, i): ResultColumn => {
      const { name, type } = described[i]!
      if (column.kind === 'text') {
        const texts = column.texts.take(count, memory)
        let made: (string | null)[] | null = null
        return {
          kind: 'text',
          name,
          type,
          texts,
          get values() {
            made ??= Array.from({ length: count }, (_, row) => rowText(texts, row))
            return made
          },
        }
      }
      const { values, high } = column
      column.values = new Float64Array(0)
      column.high = null
      return { kind: 'number', name, type, values: values.subarray(0, count), high: high?.subarray(0, count) ?? null }
    })
    const timing = this.#timing.subarray(0, count)
    const weight = new Int8Array(count).fill(1)
    for (const row of this.#retractions) weight[row] = -1
    const final = new Uint8Array(count)
    for (let row = 0; row < count; row++) final[row] = timing[row] === EARLY ? 0 : 1
    const spans = {
      lanes: this.#lanes,
      rows: this.#evidence.subarray(0, count),
      records: this.#records,
      offsets: this.#offsets.subarray(0, this.#evidences * this.#lanes.length * 2),
    }
    this.#retractions = []
    this.#count = 0
    this.#timing = new Uint8Array(0)
    this.#evidence = new Int32Array(0)
    this.#records = new Float64Array(0)
    this.#offsets = new Float64Array(0)
    this.#evidences = 0
    this.#singles = []
    const batch = {
      plan: this.#plan,
      count,
      columns,
      timing,
      weight,
      final,
      spans,
      evidence: (row: number) => evidenceOf(spans, row),
    }
    this.#last = { batch, reuse }
    return batch
  }
  /** The batch is not read any more. */
  release(batch: ResultBatch): void {
    if (this.#last?.batch !== batch) return
    if (this.#count === 0) this.#last.reuse()
    this.#last = null
  }
  /** What is written to now, to be written to again. */
  #kept(): () => void {
    const [timing, evidence, records, offsets] = [this.#timing, this.#evidence, this.#records, this.#offsets]
    const others = [this.#store.kept(), ...this.#columns.map((column) => keptOf(column))]
    return () => {
      this.#timing = timing
      this.#evidence = evidence
      this.#records = records
      this.#offsets = offsets
      for (const reuse of others) reuse()
    }
  }
}

function keptOf(column: Growing): () => void {
  if (column.kind === 'text') return column.texts.kept()
  const { values } = column
  return () => {
    column.values = values
  }
}

function evidenceOf({ lanes, rows, records, offsets }: EvidenceSpans, row: number): Evidence[] {
  const which = rows[row]!
  if (which < 0) {
    const { topic, partition } = lanes[-1 - which]!
    return [{ topic, partition, offsetMin: records[row]!, offsetMax: records[row]! }]
  }
  const from = which * lanes.length * 2
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
