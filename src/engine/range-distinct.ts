// Exact distinct counts over ranges of moments (`over`): how often each value occurs in its key's range. A moment's values
// lie in one index of (cell, id) pairs, chained by cell; entering and leaving cost one step per value, no set per moment.
import { assert } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import type { Counted } from './distinct-state.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats, grownInts, TupleIndex } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { CELLS, Filtered, type Place, RUNNING, type WindowState } from './window-state.ts'

export class RangeDistinct implements WindowState {
  readonly #counted: Counted
  readonly #filtered: Filtered
  #ids: Int32Array = new Int32Array(0)
  /** Members are (cell, id). */
  readonly #members = new TupleIndex(2)
  /** First member + 1 of each cell; the others hang by `#next`. */
  #first: Int32Array<ArrayBuffer> = new Int32Array(0)
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Members are (group, id): in how many cells of the range. */
  readonly #values = new TupleIndex(2)
  #occurs: Int32Array<ArrayBuffer> = new Int32Array(0)
  #counts: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly #pair = new Int32Array(2)

  constructor(counted: Counted, where: NumberEvaluator | null) {
    this.#counted = counted
    this.#filtered = new Filtered(where)
  }
  grow(cells: number, groups: number): void {
    this.#first = grownInts(this.#first, cells)
    this.#counts = grownFloats(this.#counts, groups)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#ids = this.#counted.ids(batch)
  }
  update(allRows: Int32Array, allCells: Int32Array, all: number): void {
    this.#filtered.take(allRows, allCells, all)
    const { rows, cells, count } = this.#filtered
    for (let i = 0; i < count; i++) {
      const id = this.#ids[rows[i]!]!
      if (id < 0) continue
      const before = this.#members.count
      const member = this.#number(this.#members, cells[i]!, id)
      if (this.#members.count === before) continue
      this.#next = grownInts(this.#next, member + 1)
      this.#next[member] = this.#first[cells[i]!]!
      this.#first[cells[i]!] = member + 1
    }
  }
  #number(index: TupleIndex, a: number, b: number): number {
    this.#pair[0] = a
    this.#pair[1] = b
    return index.add(this.#pair, 0)
  }
  read(place: Place, index: number): number {
    assert(place === RUNNING, 'a range has only a running value')
    return this.#counts[index]!
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    if (place === CELLS) this.#first[index] = 0
  }
  enter(cell: number, group: number): void {
    for (let at = this.#first[cell]!; at !== 0; at = this.#next[at - 1]!) {
      const before = this.#values.count
      const value = this.#number(this.#values, group, this.#members.keys[(at - 1) * 2 + 1]!)
      this.#occurs = grownInts(this.#occurs, value + 1)
      if (this.#values.count !== before) {
        this.#occurs[value] = 0
        this.#counts[group]!++
      }
      this.#occurs[value]!++
    }
  }
  leave(cell: number, group: number): void {
    for (let at = this.#first[cell]!; at !== 0; ) {
      const member = at - 1
      at = this.#next[member]!
      const value = this.#number(this.#values, group, this.#members.keys[member * 2 + 1]!)
      this.#occurs[value]!--
      if (this.#occurs[value] === 0) {
        this.#values.remove(value)
        this.#counts[group]!--
      }
      this.#members.remove(member)
    }
    this.#first[cell] = 0
  }
  merge(): void {
    assert(false, 'moments are not merged')
  }
  enterPane(): void {}
  late(): void {}
  keep(): void {}
  beginPreview(): void {}
  previewLeave(): void {}
  previewEnter(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter, cells: number, groups: number): void {
    out.tuples(this.#members)
    out.ints(this.#first, cells)
    out.ints(grownInts(this.#next, this.#members.high), this.#members.high)
    out.tuples(this.#values)
    out.ints(grownInts(this.#occurs, this.#values.high), this.#values.high)
    out.floats(this.#counts, groups)
  }
  restore(from: StateReader): void {
    from.tuples(this.#members)
    this.#first = from.ints()
    this.#next = from.ints()
    from.tuples(this.#values)
    this.#occurs = from.ints()
    this.#counts = from.floats()
  }
  mark(column: string, live: Uint8Array): void {
    if (column !== this.#counted.column) return
    const used = this.#members.inUse()
    // What a range holds, some cell of it holds.
    for (let member = 0; member < used.length; member++)
      if (used[member] === 1) live[this.#members.keys[member * 2 + 1]!] = 1
  }
  bytes(): number {
    return (
      this.#members.bytes +
      this.#values.bytes +
      this.#first.byteLength +
      this.#next.byteLength +
      this.#occurs.byteLength +
      this.#counts.byteLength
    )
  }
}
