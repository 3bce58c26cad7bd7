// What an aggregate keeps: a value per cell (pane and group); for sliding windows also one per group (the running
// window), per result cell (windows already given out that late records may still correct) and for previews.
// Here: counts and exact sums. `extreme-state.ts` and `distinct-state.ts` have the others.
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats } from './int-set.ts'
import type { IdsOf } from './pane-gathering.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export const CELLS = 0
export const RUNNING = 1
export const RESULTS = 2
export const PREVIEW = 3
export type Place = typeof CELLS | typeof RUNNING | typeof RESULTS | typeof PREVIEW

/** Where a cell lies; the operator keeps it up to date. */
export interface CellPlaces {
  /** Group of each cell. */
  cellGroup: Int32Array<ArrayBuffer>
  /** Slot of the pane of each cell: small numbers, reused. */
  cellSlot: Int32Array<ArrayBuffer>
  /** Number of the pane in each slot. */
  slotPane: Float64Array<ArrayBuffer>
}

/** A late record in a closed pane, and the windows already given out that hold it. */
export interface LateRow {
  row: number
  cell: number
  group: number
  pane: number
  /** The pane is still part of the running window. */
  running: boolean
  /** Result cells of windows pane, pane + 1, …: `count` of them. */
  results: Int32Array<ArrayBuffer>
  count: number
}

export interface WindowState {
  /** Makes room: every index below these may be used. */
  grow(cells: number, groups: number, results: number): void
  /** Evaluates the arguments for the batch. */
  prepare(batch: Batch): void
  /** Takes rows into cells; `rows` and `cells` run side by side. */
  update(rows: Int32Array, cells: Int32Array, count: number): void
  /** Takes `rows[from .. to)` into one cell. Where it is missing, `update` does. */
  updateRun?(rows: Int32Array, from: number, to: number, cell: number): void
  read(place: Place, index: number): number
  /** The part above 2^52 of a sum, in units of 2^52. */
  readHigh(place: Place, index: number): number
  clear(place: Place, index: number): void
  /** Adds what one cell took to another; the first stays as it is. Not in sliding windows. */
  merge(from: number, into: number): void

  /**
   * What cells of one pane took, for the states of another thread, which add it to theirs. Missing where that cannot be
   * done, or not exactly: then the rows themselves go there.
   */
  give?(out: StateWriter, cells: Int32Array, count: number, slot: number): void
  takeIn?(from: StateReader, cells: Int32Array, count: number, idsOf: IdsOf): void

  // Sliding windows only.
  /** The pane of the cell closed: its value joins the running window. Called in the order of panes. */
  enter(cell: number, group: number): void
  /** After `enter` for each cell of the pane: what is kept by pane, not by cell. */
  enterPane(slot: number): void
  leave(cell: number, group: number): void
  late(late: LateRow): void
  /** Copies the running value of a group to a result cell. */
  keep(group: number, result: number): void
  /** Previews start as the running window without panes up to `leftPane`, group by group. */
  beginPreview(groups: number, leftPane: number): void
  previewLeave(cell: number, group: number): void
  previewEnter(cell: number, group: number): void
  previewEnterPane(slot: number): void
  /** Panes up to this one take no more late records. */
  freeze(slot: number): void
  /** Gives back what grew beyond its use: after panes closed. */
  tidy(): void

  write(out: StateWriter, cells: number, groups: number, results: number): void
  restore(from: StateReader): void
  /** Marks the dictionary ids it still holds; `dictionary` is the column it counts. */
  mark(column: string, live: Uint8Array): void
  bytes(): number
}

/** Rows for which `where` is true, with their cells; the lists themselves when there is no condition. */
export class Filtered {
  rows: Int32Array = new Int32Array(0)
  cells: Int32Array = new Int32Array(0)
  count = 0
  /** Of a run: its rows are `rows[from .. to)`. */
  from = 0
  to = 0
  #condition: Float64Array | null = null
  readonly #where: NumberEvaluator | null
  #rowsKept = new Int32Array(0)
  #cellsKept = new Int32Array(0)
  constructor(where: NumberEvaluator | null) {
    this.#where = where
  }
  prepare(batch: Batch): void {
    this.#condition = this.#where === null ? null : this.#where(batch)
  }
  holds(row: number): boolean {
    return this.#condition === null || this.#condition[row] === 1
  }
  take(rows: Int32Array, cells: Int32Array, count: number): void {
    const condition = this.#condition
    if (condition === null) {
      this.rows = rows
      this.cells = cells
      this.count = count
      return
    }
    if (this.#rowsKept.length < count) this.#rowsKept = new Int32Array(count)
    if (this.#cellsKept.length < count) this.#cellsKept = new Int32Array(count)
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      if (condition[row] !== 1) continue
      this.#rowsKept[kept] = row
      this.#cellsKept[kept] = cells[i]!
      kept++
    }
    this.rows = this.#rowsKept
    this.cells = this.#cellsKept
    this.count = kept
  }
  takeRun(rows: Int32Array, from: number, to: number): void {
    const condition = this.#condition
    if (condition === null) {
      this.rows = rows
      this.from = from
      this.to = to
      return
    }
    if (this.#rowsKept.length < to - from) this.#rowsKept = new Int32Array(to - from)
    let kept = 0
    for (let i = from; i < to; i++) if (condition[rows[i]!] === 1) this.#rowsKept[kept++] = rows[i]!
    this.rows = this.#rowsKept
    this.from = 0
    this.to = kept
  }
}

/** Counts rows, or rows in which the argument is not null. */
export class CountState implements WindowState {
  readonly #isNull: ((batch: Batch) => (row: number) => boolean) | null
  readonly #filtered: Filtered
  #absent: ((row: number) => boolean) | null = null
  readonly #values = [new Float64Array(0), new Float64Array(0), new Float64Array(0), new Float64Array(0)]

  constructor(isNull: ((batch: Batch) => (row: number) => boolean) | null, where: NumberEvaluator | null) {
    this.#isNull = isNull
    this.#filtered = new Filtered(where)
  }
  grow(cells: number, groups: number, results: number): void {
    this.#values[CELLS] = grownFloats(this.#values[CELLS]!, cells)
    this.#values[RUNNING] = grownFloats(this.#values[RUNNING]!, groups)
    this.#values[PREVIEW] = grownFloats(this.#values[PREVIEW]!, groups)
    this.#values[RESULTS] = grownFloats(this.#values[RESULTS]!, results)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#absent = this.#isNull === null ? null : this.#isNull(batch)
  }
  update(rows: Int32Array, cells: Int32Array, count: number): void {
    const filtered = this.#filtered
    filtered.take(rows, cells, count)
    if (this.#absent === null) countRows(filtered.cells, filtered.count, this.#values[CELLS]!)
    else countPresent(filtered.rows, filtered.cells, filtered.count, this.#absent, this.#values[CELLS]!)
  }
  updateRun(rows: Int32Array, from: number, to: number, cell: number): void {
    const filtered = this.#filtered
    filtered.takeRun(rows, from, to)
    let count = filtered.to - filtered.from
    const absent = this.#absent
    if (absent !== null) for (let i = filtered.from; i < filtered.to; i++) if (absent(filtered.rows[i]!)) count--
    this.#values[CELLS]![cell]! += count
  }
  read(place: Place, index: number): number {
    return this.#values[place]![index]!
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    this.#values[place]![index] = 0
  }
  merge(from: number, into: number): void {
    this.#values[CELLS]![into]! += this.#values[CELLS]![from]!
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    out.floats(gathered(this.#values[CELLS]!, cells, count), count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    const [taken, values] = [from.lentFloats(), this.#values[CELLS]!]
    for (let i = 0; i < count; i++) values[cells[i]!]! += taken[i]!
  }
  enter(cell: number, group: number): void {
    this.#values[RUNNING]![group]! += this.#values[CELLS]![cell]!
  }
  leave(cell: number, group: number): void {
    this.#values[RUNNING]![group]! -= this.#values[CELLS]![cell]!
  }
  late(late: LateRow): void {
    if (!this.#filtered.holds(late.row) || this.#absent?.(late.row)) return
    this.#values[CELLS]![late.cell]!++
    if (late.running) this.#values[RUNNING]![late.group]!++
    const results = this.#values[RESULTS]!
    for (let i = 0; i < late.count; i++) results[late.results[i]!]!++
  }
  keep(group: number, result: number): void {
    this.#values[RESULTS]![result] = this.#values[RUNNING]![group]!
  }
  beginPreview(groups: number): void {
    this.#values[PREVIEW]!.set(this.#values[RUNNING]!.subarray(0, groups))
  }
  previewLeave(cell: number, group: number): void {
    this.#values[PREVIEW]![group]! -= this.#values[CELLS]![cell]!
  }
  previewEnter(cell: number, group: number): void {
    this.#values[PREVIEW]![group]! += this.#values[CELLS]![cell]!
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    out.floats(this.#values[CELLS]!, cells)
    out.floats(this.#values[RUNNING]!, groups)
    out.floats(this.#values[RESULTS]!, results)
  }
  restore(from: StateReader): void {
    this.#values[CELLS] = from.floats()
    this.#values[RUNNING] = from.floats()
    this.#values[PREVIEW] = new Float64Array(this.#values[RUNNING]!.length)
    this.#values[RESULTS] = from.floats()
  }
  mark(): void {}
  bytes(): number {
    return this.#values.reduce((sum, array) => sum + array.byteLength, 0)
  }
}
/** The values of some cells, side by side. */
export function gathered(values: Float64Array, cells: Int32Array, count: number): Float64Array {
  const found = new Float64Array(count)
  for (let i = 0; i < count; i++) found[i] = values[cells[i]!]!
  return found
}
function countRows(cells: Int32Array, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) into[cells[i]!]!++
}
function countPresent(
  rows: Int32Array,
  cells: Int32Array,
  count: number,
  absent: (row: number) => boolean,
  into: Float64Array,
): void {
  for (let i = 0; i < count; i++) if (!absent(rows[i]!)) into[cells[i]!]!++
}
