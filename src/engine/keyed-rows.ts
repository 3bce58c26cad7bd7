// Rows by their upsert key: put in place of the one that stands, taken back, found, forgotten by time. What operators
// over changing inputs keep.
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn } from './columns.ts'
import { grownInts } from './int-set.ts'
import type { InputShape } from './operator.ts'
import { RowTable } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { TimeHeap } from './time-heap.ts'

const scratch = new Float64Array(1)
const scratchInts = new Int32Array(scratch.buffer)

export class KeyedRows {
  readonly table: RowTable
  readonly #keys: readonly { readonly slot: number; readonly column: number }[]
  /** Row + 1 of the first of each bucket; rows of a bucket hang by `#next`. */
  #heads: Int32Array<ArrayBuffer> = new Int32Array(64)
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly #byTime = new TimeHeap()
  #found = -1

  constructor(shape: InputShape, key: readonly string[], lanes: number) {
    this.table = new RowTable({
      columns: shape.columns,
      placeOf: shape.placeOf,
      lanes,
      fromRecords: shape.fromRecords,
    })
    this.#keys = key.map((name) => {
      const column = shape.columns.findIndex((one) => one.name === name)
      assert(column >= 0, `key column '${name}' is among the columns`)
      return { slot: shape.placeOf(name).slot, column }
    })
  }
  /** The row that stands under the key of a batch's row, or -1. */
  find(batch: Batch, row: number): number {
    for (let at = this.#heads[this.#bucketOf(batch, row)]!; at > 0; at = this.#next[at - 1]!)
      if (this.#same(batch, row, at - 1)) return at - 1
    return -1
  }
  /** Puts the row; `find` tells before whether one stands there. */
  put(batch: Batch, row: number, standing: number): number {
    if (standing >= 0) {
      const timeMs = batch.times[row]!
      const isMoved = timeMs !== this.table.times[standing]
      this.table.set(standing, batch, row)
      if (isMoved) this.#await(timeMs, standing)
      return standing
    }
    const made = this.table.add(batch, row)
    this.#await(batch.times[row]!, made)
    this.#next = grownInts(this.#next, made + 1)
    if (this.table.count > this.#heads.length) this.#rehash()
    else this.#link(made, this.#bucketOfRow(made))
    return made
  }
  /** Times of rows that have gone are left on the heap, so it is built anew once most are. */
  #await(timeMs: number, row: number): void {
    const { table } = this
    if (this.#byTime.count < 64 + table.count * 2) {
      this.#byTime.push(timeMs, row)
      return
    }
    this.#byTime.clear()
    for (let one = 0; one < table.high; one++) if (table.used[one] === 1) this.#byTime.push(table.times[one]!, one)
  }
  #link(row: number, bucket: number): void {
    this.#next[row] = this.#heads[bucket]!
    this.#heads[bucket] = row + 1
  }
  remove(row: number): void {
    const bucket = this.#bucketOfRow(row)
    let before = 0
    for (let at = this.#heads[bucket]!; at > 0 && at - 1 !== row; at = this.#next[at - 1]!) before = at
    if (before === 0) this.#heads[bucket] = this.#next[row]!
    else this.#next[before - 1] = this.#next[row]!
    this.table.remove(row)
  }
  /** The next row older than a time, or -1; the caller removes it before asking again. */
  older(thanMs: number): number {
    while (this.#byTime.count > 0 && this.#byTime.least < thanMs) {
      const timeMs = this.#byTime.least
      this.#found = this.#byTime.pop()
      // The row may have gone, its number be another row's by now, or its time have changed.
      if (this.table.used[this.#found] === 1 && this.table.times[this.#found] === timeMs) return this.#found
    }
    return -1
  }
  #bucketOf(batch: Batch, row: number): number {
    let hash = 0
    for (const { slot } of this.#keys) hash = mixed(hash, batch.columns[slot]!, row)
    return hash & (this.#heads.length - 1)
  }
  #bucketOfRow(row: number): number {
    let hash = 0
    for (const { column } of this.#keys) hash = mixed(hash, this.table.columns[column]!, row)
    return hash & (this.#heads.length - 1)
  }
  #same(batch: Batch, row: number, standing: number): boolean {
    for (const { slot, column } of this.#keys) {
      const [a, b] = [batch.columns[slot]!, this.table.columns[column]!]
      if (a.kind === 'text' || b.kind === 'text' || a.kind === 'list' || b.kind === 'list') return false
      const [x, y] = [a.values[row]!, b.values[standing]!]
      if (x !== y && !(Number.isNaN(x) && Number.isNaN(y))) return false
    }
    return true
  }
  #rehash(): void {
    this.#heads = new Int32Array(Math.max(64, this.#heads.length * 2))
    for (let row = 0; row < this.table.high; row++)
      if (this.table.used[row] === 1) this.#link(row, this.#bucketOfRow(row))
  }
  write(out: StateWriter): void {
    this.table.write(out)
    this.#byTime.write(out)
    out.u32(this.#heads.length)
  }
  restore(from: StateReader): void {
    this.table.restore(from)
    this.#byTime.restore(from)
    this.#next = new Int32Array(this.table.high)
    this.#heads = new Int32Array(from.u32() / 2)
    this.#rehash()
  }
  bytes(): number {
    return this.table.bytes() + this.#heads.byteLength + this.#next.byteLength + this.#byTime.bytes()
  }
}

function mixed(hash: number, column: BatchColumn, row: number): number {
  if (column.kind === 'text' || column.kind === 'list') return hash
  let mix: number
  if (column.kind === 'id') mix = column.values[row]!
  else {
    const value = column.values[row]!
    // One pattern for every NaN, and for 0 and -0.
    scratch[0] = Number.isNaN(value) ? Number.NaN : value + 0
    mix = scratchInts[0]! ^ Math.imul(scratchInts[1]!, 0x9e3779b1)
  }
  hash = Math.imul(hash ^ mix, 0x85ebca6b)
  return hash ^ (hash >>> 13) ^ (hash >>> 21)
}
