// Variance of the population: count, sum and sum of squares per cell, all exact (`exact-sums.ts`), so panes are subtracted without
// loss and the order of records cannot change a bit. Stated tolerance: the nearest float64 to the true variance of the
// held values.
import type { Batch } from './columns.ts'
import { LimbSums, varianceOf } from './exact-sums.ts'
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

/** Counts, sums and sums of squares by index. */
class Moments {
  counts: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly sums = new LimbSums()
  readonly squares = new LimbSums()
  grow(length: number): void {
    this.counts = grownFloats(this.counts, length)
    this.sums.grow(length)
    this.squares.grow(length)
  }
  add(index: number, value: number): void {
    this.counts[index]!++
    this.sums.addValue(index, value)
    this.squares.addSquare(index, value)
  }
  addFrom(index: number, from: Moments, at: number, sign: 1 | -1): void {
    this.counts[index]! += sign * from.counts[at]!
    this.sums.addFrom(index, from.sums, at, sign)
    this.squares.addFrom(index, from.squares, at, sign)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    out.floats(gathered(this.counts, cells, count), count)
    this.sums.give(out, cells, count)
    this.squares.give(out, cells, count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    const counts = from.floats()
    for (let i = 0; i < count; i++) this.counts[cells[i]!]! += counts[i]!
    this.sums.takeIn(from, cells, count)
    this.squares.takeIn(from, cells, count)
  }
  clear(index: number): void {
    this.counts[index] = 0
    this.sums.clear(index)
    this.squares.clear(index)
  }
  copy(from: Moments, count: number): void {
    this.counts.set(from.counts.subarray(0, count))
    this.sums.copy(from.sums, count)
    this.squares.copy(from.squares, count)
  }
  write(out: StateWriter, count: number): void {
    out.floats(this.counts, count)
    this.sums.write(out, count)
    this.squares.write(out, count)
  }
  restore(from: StateReader): void {
    this.counts = from.floats()
    this.sums.restore(from)
    this.squares.restore(from)
  }
  bytes(): number {
    return this.counts.byteLength + this.sums.bytes() + this.squares.bytes()
  }
}

export class VarianceState implements WindowState {
  readonly #of: NumberEvaluator
  readonly #filtered: Filtered
  /** Decimals of the held values. */
  readonly #scale: number
  readonly #moments = [new Moments(), new Moments(), new Moments(), new Moments()]
  #values: Float64Array = new Float64Array(0)

  constructor(of: NumberEvaluator, scale: number, where: NumberEvaluator | null) {
    this.#of = of
    this.#scale = scale
    this.#filtered = new Filtered(where)
  }
  grow(cells: number, groups: number, results: number): void {
    this.#moments[CELLS]!.grow(cells)
    this.#moments[RUNNING]!.grow(groups)
    this.#moments[PREVIEW]!.grow(groups)
    this.#moments[RESULTS]!.grow(results)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#values = this.#of(batch)
  }
  update(allRows: Int32Array, allCells: Int32Array, all: number): void {
    this.#filtered.take(allRows, allCells, all)
    const { rows, cells, count } = this.#filtered
    const moments = this.#moments[CELLS]!
    for (let i = 0; i < count; i++) {
      const value = this.#values[rows[i]!]!
      if (!Number.isNaN(value)) moments.add(cells[i]!, value)
    }
  }
  /** NaN where there is no value. */
  read(place: Place, index: number): number {
    const { counts, sums, squares } = this.#moments[place]!
    return varianceOf(sums, squares, index, counts[index]!, this.#scale)
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    this.#moments[place]!.clear(index)
  }
  merge(from: number, into: number): void {
    this.#moments[CELLS]!.addFrom(into, this.#moments[CELLS]!, from, 1)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    this.#moments[CELLS]!.give(out, cells, count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    this.#moments[CELLS]!.takeIn(from, cells, count)
  }
  enter(cell: number, group: number): void {
    this.#moments[RUNNING]!.addFrom(group, this.#moments[CELLS]!, cell, 1)
  }
  leave(cell: number, group: number): void {
    this.#moments[RUNNING]!.addFrom(group, this.#moments[CELLS]!, cell, -1)
  }
  late(late: LateRow): void {
    const value = this.#values[late.row]!
    if (Number.isNaN(value) || !this.#filtered.holds(late.row)) return
    this.#moments[CELLS]!.add(late.cell, value)
    if (late.running) this.#moments[RUNNING]!.add(late.group, value)
    for (let i = 0; i < late.count; i++) this.#moments[RESULTS]!.add(late.results[i]!, value)
  }
  keep(group: number, result: number): void {
    this.#moments[RESULTS]!.clear(result)
    this.#moments[RESULTS]!.addFrom(result, this.#moments[RUNNING]!, group, 1)
  }
  beginPreview(groups: number): void {
    this.#moments[PREVIEW]!.copy(this.#moments[RUNNING]!, groups)
  }
  previewLeave(cell: number, group: number): void {
    this.#moments[PREVIEW]!.addFrom(group, this.#moments[CELLS]!, cell, -1)
  }
  previewEnter(cell: number, group: number): void {
    this.#moments[PREVIEW]!.addFrom(group, this.#moments[CELLS]!, cell, 1)
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    this.#moments[CELLS]!.write(out, cells)
    this.#moments[RUNNING]!.write(out, groups)
    this.#moments[RESULTS]!.write(out, results)
  }
  restore(from: StateReader): void {
    for (const place of [CELLS, RUNNING, RESULTS]) this.#moments[place]!.restore(from)
    this.#moments[PREVIEW]!.grow(this.#moments[RUNNING]!.counts.length)
  }
  mark(): void {}
  bytes(): number {
    return this.#moments.reduce((sum, moments) => sum + moments.bytes(), 0)
  }
}
