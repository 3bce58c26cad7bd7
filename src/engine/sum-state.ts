// Exact sums of integers in two lanes: low + high * 2^52, |low| <= 2^52. One compare per addition until 2^52 is passed.
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import {
  CELLS,
  Filtered,
  gathered,
  type LateRow,
  type Place,
  PREVIEW,
  RESULTS,
  RUNNING,
  type WindowState,
} from './window-state.ts'

/** One unit of the high lane. */
export const LANE = 2 ** 52

/** A sum beyond 2^104 minor units: its records cannot be right. Cure: look at those of its key, and filter them out. */
export class SumOverflowError extends Error {
  override name = 'SumOverflowError'
}

/** Two-lane sums by index. */
export class Sums {
  /** What a sum belongs to, for the error. */
  readonly #nameOf: (index: number) => string
  constructor(nameOf: (index: number) => string) {
    this.#nameOf = nameOf
  }
  low: Float64Array<ArrayBuffer> = new Float64Array(0)
  high: Float64Array<ArrayBuffer> = new Float64Array(0)
  grow(length: number): void {
    this.low = grownFloats(this.low, length)
    this.high = grownFloats(this.high, length)
  }
  add(index: number, value: number): void {
    // |low| <= 2^52 and |value| < 2^53: the double sum is exact unless it is beyond LANE, where it is not used.
    const sum = this.low[index]! + value
    if (sum <= LANE && sum >= -LANE) this.low[index] = sum
    else this.#carry(index, value)
  }
  addLanes(index: number, low: number, high: number): void {
    this.add(index, low)
    if (high !== 0) this.#addHigh(index, high)
  }
  subtractLanes(index: number, low: number, high: number): void {
    this.add(index, -low)
    if (high !== 0) this.#addHigh(index, -high)
  }
  #carry(index: number, value: number): void {
    const total = BigInt(this.low[index]!) + BigInt(value)
    const lane = BigInt(LANE)
    this.low[index] = Number(total % lane)
    this.#addHigh(index, Number(total / lane))
  }
  #addHigh(index: number, high: number): void {
    const sum = this.high[index]! + high
    if (!Number.isSafeInteger(sum))
      throw new SumOverflowError(
        `the sum of ${this.#nameOf(index)} passed 2^104: its values cannot be right. Find its records, and filter them out`,
      )
    this.high[index] = sum
  }
}

export class SumState implements WindowState {
  readonly #of: NumberEvaluator
  readonly #filtered: Filtered
  #values: Float64Array = new Float64Array(0)
  readonly #sums: readonly Sums[]

  /** `keyOf` names the group behind an index of a place. */
  constructor(of: NumberEvaluator, where: NumberEvaluator | null, keyOf: (place: Place, index: number) => string) {
    this.#sums = ([CELLS, RUNNING, RESULTS, PREVIEW] as const).map((place) => new Sums((index) => keyOf(place, index)))
    this.#of = of
    this.#filtered = new Filtered(where)
  }
  grow(cells: number, groups: number, results: number): void {
    this.#sums[CELLS]!.grow(cells)
    this.#sums[RUNNING]!.grow(groups)
    this.#sums[PREVIEW]!.grow(groups)
    this.#sums[RESULTS]!.grow(results)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#values = this.#of(batch)
  }
  update(rows: Int32Array, cells: Int32Array, count: number): void {
    const filtered = this.#filtered
    filtered.take(rows, cells, count)
    sumRows(this.#values, filtered.rows, filtered.cells, filtered.count, this.#sums[CELLS]!)
  }
  updateRun(rows: Int32Array, from: number, to: number, cell: number): void {
    const filtered = this.#filtered
    filtered.takeRun(rows, from, to)
    const sum = sumOf(this.#values, filtered.rows, filtered.from, filtered.to)
    // Not exact, or with nulls: row by row.
    if (sum <= LANE && sum >= -LANE) this.#sums[CELLS]!.add(cell, sum)
    else
      for (let i = filtered.from; i < filtered.to; i++) {
        const value = this.#values[filtered.rows[i]!]!
        if (!Number.isNaN(value)) this.#sums[CELLS]!.add(cell, value)
      }
  }
  read(place: Place, index: number): number {
    return this.#sums[place]!.low[index]!
  }
  readHigh(place: Place, index: number): number {
    return this.#sums[place]!.high[index]!
  }
  clear(place: Place, index: number): void {
    const sums = this.#sums[place]!
    sums.low[index] = 0
    sums.high[index] = 0
  }
  merge(from: number, into: number): void {
    const cells = this.#sums[CELLS]!
    cells.addLanes(into, cells.low[from]!, cells.high[from]!)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    const sums = this.#sums[CELLS]!
    out.floats(gathered(sums.low, cells, count), count)
    out.floats(gathered(sums.high, cells, count), count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    const [low, high, sums] = [from.lentFloats(), from.lentFloats(), this.#sums[CELLS]!]
    for (let i = 0; i < count; i++) sums.addLanes(cells[i]!, low[i]!, high[i]!)
  }
  enter(cell: number, group: number): void {
    this.#add(RUNNING, group, cell)
  }
  leave(cell: number, group: number): void {
    const cells = this.#sums[CELLS]!
    this.#sums[RUNNING]!.subtractLanes(group, cells.low[cell]!, cells.high[cell]!)
  }
  late(late: LateRow): void {
    const value = this.#values[late.row]!
    if (Number.isNaN(value) || !this.#filtered.holds(late.row)) return
    this.#sums[CELLS]!.add(late.cell, value)
    if (late.running) this.#sums[RUNNING]!.add(late.group, value)
    const results = this.#sums[RESULTS]!
    for (let i = 0; i < late.count; i++) results.add(late.results[i]!, value)
  }
  keep(group: number, result: number): void {
    const [from, to] = [this.#sums[RUNNING]!, this.#sums[RESULTS]!]
    to.low[result] = from.low[group]!
    to.high[result] = from.high[group]!
  }
  beginPreview(groups: number): void {
    const [from, to] = [this.#sums[RUNNING]!, this.#sums[PREVIEW]!]
    to.low.set(from.low.subarray(0, groups))
    to.high.set(from.high.subarray(0, groups))
  }
  previewLeave(cell: number, group: number): void {
    const cells = this.#sums[CELLS]!
    this.#sums[PREVIEW]!.subtractLanes(group, cells.low[cell]!, cells.high[cell]!)
  }
  previewEnter(cell: number, group: number): void {
    this.#add(PREVIEW, group, cell)
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  #add(place: Place, index: number, cell: number): void {
    const cells = this.#sums[CELLS]!
    this.#sums[place]!.addLanes(index, cells.low[cell]!, cells.high[cell]!)
  }
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    for (const [place, count] of [
      [CELLS, cells],
      [RUNNING, groups],
      [RESULTS, results],
    ] as const) {
      out.floats(this.#sums[place]!.low, count)
      out.floats(this.#sums[place]!.high, count)
    }
  }
  restore(from: StateReader): void {
    for (const place of [CELLS, RUNNING, RESULTS]) {
      this.#sums[place]!.low = from.floats()
      this.#sums[place]!.high = from.floats()
    }
    this.#sums[PREVIEW]!.grow(this.#sums[RUNNING]!.low.length)
  }
  mark(): void {}
  bytes(): number {
    return this.#sums.reduce((sum, { low, high }) => sum + low.byteLength + high.byteLength, 0)
  }
}

function sumRows(values: Float64Array, rows: Int32Array, cells: Int32Array, count: number, into: Sums): void {
  const low = into.low
  for (let i = 0; i < count; i++) {
    const value = values[rows[i]!]!
    const cell = cells[i]!
    const sum = low[cell]! + value
    if (sum <= LANE && sum >= -LANE) low[cell] = sum
    else if (!Number.isNaN(value)) into.add(cell, value)
  }
}
/** NaN if one of them is null, or if the sum may have been beyond 2^52 on the way. */
function sumOf(values: Float64Array, rows: Int32Array, from: number, to: number): number {
  let sum = 0
  let size = 0
  for (let i = from; i < to; i++) {
    const value = values[rows[i]!]!
    sum += value
    size += Math.abs(value)
  }
  return size <= LANE ? sum : Number.NaN
}
