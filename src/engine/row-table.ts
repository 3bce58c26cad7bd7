// Rows that an operator keeps, column by column in typed arrays; a row is a small number, reused once it is free.
import type { Column } from '../query/plan.ts'
import type { Batch, BatchColumn } from './columns.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import type { Place, RowSink } from './operator.ts'
import { Numbers } from './panes.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export interface RowTableSettings {
  readonly columns: readonly Column[]
  readonly placeOf: (name: string) => Place
  readonly lanes: number
  /** Rows of a decoder: the record behind each is kept as lane and offset, not as a span of every lane. */
  readonly fromRecords: boolean
}

export class RowTable {
  readonly numbers = new Numbers()
  times: Float64Array<ArrayBuffer> = new Float64Array(0)
  timings: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** 1 for rows in use. */
  used: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** In the order of the settings; text by id. */
  readonly columns: BatchColumn[]
  /** Per row: lane and offset, or least and greatest offset of every lane. */
  #evidence: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly #each: number
  readonly #settings: RowTableSettings
  readonly #slots: readonly number[]
  /** Names of the dictionaries of text columns, by column. */
  readonly #dictionaries: readonly (string | null)[]

  constructor(settings: RowTableSettings) {
    this.#settings = settings
    this.#each = settings.fromRecords ? 2 : settings.lanes * 2
    const places = settings.columns.map(({ name }) => settings.placeOf(name))
    this.#slots = places.map(({ slot }) => slot)
    this.#dictionaries = places.map(({ dictionary }) => dictionary?.name ?? null)
    this.columns = places.map(
      ({ dictionary }): BatchColumn =>
        dictionary === null
          ? { kind: 'number', values: new Float64Array(0), high: null }
          : { kind: 'id', values: new Int32Array(0), dictionary: dictionary.of },
    )
  }
  get count(): number {
    return this.numbers.high - this.numbers.free.length
  }
  get high(): number {
    return this.numbers.high
  }

  add(batch: Batch, row: number): number {
    const into = this.numbers.take()
    if (into >= this.times.length) this.#grow(into + 1)
    this.used[into] = 1
    this.set(into, batch, row)
    return into
  }
  /** Puts a row of a batch in place of one that is there. */
  set(into: number, batch: Batch, row: number): void {
    this.times[into] = batch.times[row]!
    this.timings[into] = batch.derived?.timings[row] ?? 1
    for (let i = 0; i < this.columns.length; i++) {
      const [to, from] = [this.columns[i]!, batch.columns[this.#slots[i]!]!]
      if (to.kind === 'id' && from.kind === 'id') to.values[into] = from.values[row]!
      else if (to.kind === 'number' && from.kind === 'number') {
        to.values[into] = from.values[row]!
        const high = from.high?.[row] ?? 0
        if (high !== 0 || to.high) {
          to.high = grownFloats(to.high ?? new Float64Array(0), to.values.length)
          to.high[into] = high
        }
      } else throw new TypeError(`a ${from.kind} column where the operator keeps ${to.kind}`)
    }
    const at = into * this.#each
    const derived = batch.derived ?? null
    if (this.#settings.fromRecords) {
      this.#evidence[at] = batch.partition
      this.#evidence[at + 1] = batch.offsets[row]!
    } else if (derived !== null) {
      const from = derived.evidence[row]!
      for (let i = 0; i < this.#each; i++) this.#evidence[at + i] = derived.offsets[from + i]!
    } else {
      this.#evidence.fill(-1, at, at + this.#each)
      for (let i = 0; i < this.#each; i += 2) this.#evidence[at + i] = Number.POSITIVE_INFINITY
      this.#evidence[at + batch.partition * 2] = batch.offsets[row]!
      this.#evidence[at + batch.partition * 2 + 1] = batch.offsets[row]!
    }
  }
  /** A free row holds nothing: expressions run over all rows, and a dictionary may give its ids away. */
  remove(row: number): void {
    this.used[row] = 0
    for (const column of this.columns) {
      if (column.kind === 'id') column.values[row] = -1
      else if (column.kind === 'number') {
        column.values[row] = Number.NaN
        if (column.high) column.high[row] = 0
      }
    }
    this.numbers.give(row)
  }
  #grow(rows: number): void {
    this.times = grownFloats(this.times, rows)
    const length = this.times.length
    this.timings = grownBytes(this.timings, length)
    this.used = grownBytes(this.used, length)
    this.#evidence = grownFloats(this.#evidence, length * this.#each)
    for (const column of this.columns) {
      if (column.kind === 'number') column.values = grownFloats(column.values, length)
      else if (column.kind === 'id') column.values = grownInts(column.values, length)
    }
  }
  /** Widens a span of every lane (least, greatest) by what lies behind the row. */
  widen(span: Float64Array, row: number): void {
    const at = row * this.#each
    if (this.#settings.fromRecords) {
      const [lane, offset] = [this.#evidence[at]!, this.#evidence[at + 1]!]
      if (offset < span[lane * 2]!) span[lane * 2] = offset
      if (offset > span[lane * 2 + 1]!) span[lane * 2 + 1] = offset
      return
    }
    widen(span, 0, this.#evidence, at, this.#each)
  }
  /** By the records behind them: lane, then offset; by number where there is no one record. */
  compareOrigins(a: number, b: number): number {
    if (!this.#settings.fromRecords) return a - b
    const [x, y] = [a * 2, b * 2]
    return this.#evidence[x]! - this.#evidence[y]! || this.#evidence[x + 1]! - this.#evidence[y + 1]!
  }
  /** Puts column `from` of a row out as column `to`. */
  give(out: RowSink, to: number, from: number, row: number): void {
    const column = this.columns[from]!
    if (column.kind === 'number') out.setNumber(to, column.values[row]!, column.high?.[row] ?? 0)
    else if (column.kind === 'id') out.setId(to, column.values[row]!, column.dictionary)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#dictionaries.forEach((name, i) => {
      const column = this.columns[i]!
      if (name !== dictionary || column.kind !== 'id') return
      for (let row = 0; row < this.numbers.high; row++)
        if (this.used[row] === 1 && column.values[row]! >= 0) live[column.values[row]!] = 1
    })
  }
  write(out: StateWriter): void {
    const { high } = this.numbers
    this.numbers.write(out)
    out.floats(this.times, high)
    out.raw(this.timings.subarray(0, high))
    out.raw(this.used.subarray(0, high))
    out.floats(this.#evidence, high * this.#each)
    for (const column of this.columns) {
      if (column.kind === 'number') {
        out.floats(column.values, high)
        out.floats(grownFloats(column.high ?? new Float64Array(0), column.high ? high : 0), column.high ? high : 0)
      } else if (column.kind === 'id') out.ints(column.values, high)
    }
  }
  restore(from: StateReader): void {
    this.numbers.restore(from)
    this.times = from.floats()
    this.timings = new Uint8Array(from.raw())
    this.used = new Uint8Array(from.raw())
    this.#evidence = from.floats()
    for (const column of this.columns) {
      if (column.kind === 'number') {
        column.values = from.floats()
        const high = from.floats()
        column.high = high.length > 0 ? high : null
      } else if (column.kind === 'id') column.values = from.ints()
    }
  }
  bytes(): number {
    let bytes = this.times.byteLength + this.timings.byteLength + this.used.byteLength + this.#evidence.byteLength
    for (const column of this.columns) if (column.kind !== 'text') bytes += bytesOf(column)
    return bytes + this.numbers.free.length * 8
  }
}

function bytesOf(column: BatchColumn): number {
  if (column.kind === 'number') return column.values.byteLength + (column.high?.byteLength ?? 0)
  return column.kind === 'id' ? column.values.byteLength : 0
}

/** Widens one span of every lane (least and greatest offset, so many numbers) by another. */
export function widen(span: Float64Array, at: number, by: Float64Array, from: number, numbers: number): void {
  for (let i = 0; i < numbers; i += 2) {
    if (by[from + i]! < span[at + i]!) span[at + i] = by[from + i]!
    if (by[from + i + 1]! > span[at + i + 1]!) span[at + i + 1] = by[from + i + 1]!
  }
}
/** A span of no record, for `widen`. */
export function emptySpan(lanes: number): Float64Array<ArrayBuffer> {
  const span = new Float64Array(lanes * 2).fill(-1)
  for (let i = 0; i < span.length; i += 2) span[i] = Number.POSITIVE_INFINITY
  return span
}
