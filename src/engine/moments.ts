// Rows of a stream held back, by key and event time, until nothing can come to their moment any more; then moments follow
// each other in the order of time. What operators build on that tell something at each record of its key's past: their
// results cannot depend on the order in which records came.
import { assert } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import { grownFloats, grownInts, TupleIndex } from './int-set.ts'
import { Groups } from './panes.ts'
import { RowTable, type RowTableSettings } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { TimeHeap } from './time-heap.ts'
import type { TooLate } from './window-input.ts'

export interface MomentSettings {
  readonly rows: RowTableSettings
  /** Ids of each key column, and the names of their dictionaries. */
  readonly keyIds: readonly ((batch: Batch) => Int32Array)[]
  readonly keyNames: readonly string[]
  /** How late a record may come. */
  readonly latenessMs: number
  readonly tooLate: TooLate
}

const HIGH = 2 ** 32

export class Moments {
  readonly groups: Groups
  readonly rows: RowTable
  /** By cell (a key at a time): its time and key. A cell stays until it is given back. */
  times: Float64Array<ArrayBuffer> = new Float64Array(0)
  groupOf: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** What the last `take` took in, side by side. */
  takenRows = new Int32Array(0)
  takenCells = new Int32Array(0)
  /** Moments before this have been. */
  #reachedMs = Number.NEGATIVE_INFINITY
  readonly #settings: MomentSettings
  readonly #cells = new TupleIndex(3)
  readonly #key = new Int32Array(3)
  readonly #heap = new TimeHeap()
  /** First row + 1 of each cell; its rows hang by `#next`. */
  #first: Int32Array<ArrayBuffer> = new Int32Array(0)
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** By row of the batch. */
  #groupsOfRows = new Int32Array(0)
  /** Cell of each row that is held. */
  cellOf: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly #dueCells: number[] = []
  readonly #dueRows: number[] = []
  readonly #byOrigin = (a: number, b: number): number => this.rows.compareOrigins(a, b)
  #lateGroups = new Int32Array(0)

  constructor(settings: MomentSettings) {
    this.#settings = settings
    this.groups = new Groups(settings.keyIds.length)
    this.rows = new RowTable(settings.rows)
  }
  /** Cells ever made: arrays by cell need this length. */
  get high(): number {
    return this.#cells.high
  }
  /** `made` is told of each new cell. The number of rows taken in. */
  take(batch: Batch, rows: Int32Array, count: number, made: (cell: number) => void): number {
    if (this.takenRows.length < count) {
      this.takenRows = new Int32Array(count)
      this.takenCells = new Int32Array(count)
      this.#lateGroups = new Int32Array(count)
    }
    if (this.#groupsOfRows.length < batch.rows) this.#groupsOfRows = new Int32Array(batch.rows)
    const { latenessMs, tooLate, keyIds } = this.#settings
    const groups = this.#groupsOfRows
    this.groups.assign(
      keyIds.map((ids) => ids(batch)),
      rows,
      count,
      groups,
    )
    const isDerived = batch.derived !== null && batch.derived !== undefined
    let taken = 0
    let dropped = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const timeMs = batch.times[row]!
      if (!isDerived && timeMs < batch.watermarks[row]! - latenessMs) {
        this.#lateGroups[dropped++] = groups[row]!
        tooLate(batch, row, batch.watermarks[row]!)
        continue
      }
      assert(timeMs >= this.#reachedMs, 'a row comes to a moment that has been')
      const cell = this.#cellOf(groups[row]!, timeMs, made)
      const kept = this.rows.add(batch, row)
      this.#next = grownInts(this.#next, kept + 1)
      this.cellOf = grownInts(this.cellOf, kept + 1)
      this.cellOf[kept] = cell
      this.#next[kept] = this.#first[cell]!
      this.#first[cell] = kept + 1
      this.takenRows[taken] = row
      this.takenCells[taken++] = cell
    }
    if (dropped > 0) this.groups.dropUnused(this.#lateGroups, dropped)
    return taken
  }
  #cellOf(group: number, timeMs: number, made: (cell: number) => void): number {
    const high = Math.floor(timeMs / HIGH)
    this.#key[0] = group
    this.#key[1] = high
    this.#key[2] = (timeMs - high * HIGH) | 0
    const before = this.#cells.count
    const cell = this.#cells.add(this.#key, 0)
    if (this.#cells.count === before) return cell
    this.times = grownFloats(this.times, cell + 1)
    this.groupOf = grownInts(this.groupOf, cell + 1)
    this.#first = grownInts(this.#first, cell + 1)
    this.times[cell] = timeMs
    this.groupOf[cell] = group
    this.#first[cell] = 0
    this.groups.use(group)
    this.#heap.push(timeMs, cell)
    made(cell)
    return cell
  }
  /** Moments before `limitMs`, in order, each once: its cells, and its rows in the order of their records; valid until the next. */
  pass(limitMs: number, visit: (timeMs: number, cells: readonly number[], rows: readonly number[]) => void): void {
    const [cells, rows] = [this.#dueCells, this.#dueRows]
    while (this.#heap.count > 0 && this.#heap.least < limitMs) {
      const timeMs = this.#heap.least
      cells.length = 0
      rows.length = 0
      while (this.#heap.count > 0 && this.#heap.least === timeMs) {
        const cell = this.#heap.pop()
        cells.push(cell)
        for (let at = this.#first[cell]!; at !== 0; at = this.#next[at - 1]!) rows.push(at - 1)
        this.#first[cell] = 0
      }
      if (rows.length > 1) rows.sort(this.#byOrigin)
      visit(timeMs, cells, rows)
      for (let i = 0; i < rows.length; i++) this.rows.remove(rows[i]!)
    }
    if (limitMs > this.#reachedMs) this.#reachedMs = limitMs
  }
  /** The cell's moment has been, and nobody needs it any more. */
  giveBack(cell: number): void {
    this.groups.release(this.groupOf[cell]!)
    this.#cells.remove(cell)
  }

  write(out: StateWriter): void {
    const [cells, rows] = [this.#cells.high, this.rows.high]
    out.f64(this.#reachedMs)
    this.groups.write(out)
    this.rows.write(out)
    out.tuples(this.#cells)
    this.#heap.write(out)
    out.floats(grownFloats(this.times, cells), cells)
    out.ints(grownInts(this.groupOf, cells), cells)
    out.ints(grownInts(this.#first, cells), cells)
    out.ints(grownInts(this.#next, rows), rows)
    out.ints(grownInts(this.cellOf, rows), rows)
  }
  restore(from: StateReader): void {
    this.#reachedMs = from.f64()
    this.groups.restore(from)
    this.rows.restore(from)
    from.tuples(this.#cells)
    this.#heap.restore(from)
    this.times = from.floats()
    this.groupOf = from.ints()
    this.#first = from.ints()
    this.#next = from.ints()
    this.cellOf = from.ints()
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.rows.mark(dictionary, live)
    this.#settings.keyNames.forEach((name, i) => {
      if (name === dictionary) this.groups.mark(i, live)
    })
  }
  bytes(): number {
    return (
      this.groups.bytes() +
      this.rows.bytes() +
      this.#cells.bytes +
      this.#heap.bytes() +
      this.times.byteLength +
      this.groupOf.byteLength +
      this.#first.byteLength +
      this.#next.byteLength +
      this.cellOf.byteLength
    )
  }
}
