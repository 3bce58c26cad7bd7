// One side of a join: its rows in typed arrays, those of a key in a chain by time (then by lane and offset), and each on a
// heap by the time at which something must be done with it.
import type { Batch } from './columns.ts'
import { grownFloats, grownInts } from './int-set.ts'
import type { InputShape } from './operator.ts'
import { RowTable } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { TimeHeap } from './time-heap.ts'

export class JoinSide {
  readonly table: RowTable
  readonly heap = new TimeHeap()
  /** Newest row + 1 of each key. */
  #newest: Int32Array<ArrayBuffer> = new Int32Array(0)
  #older: Int32Array<ArrayBuffer> = new Int32Array(0)
  #newer: Int32Array<ArrayBuffer> = new Int32Array(0)
  key: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Tells rows of one time apart: see `BatchBuilder`. */
  #rank: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** 1: it has found a partner. */
  matched: Int32Array<ArrayBuffer> = new Int32Array(0)

  constructor(shape: InputShape, lanes: number) {
    const { columns, placeOf, fromRecords } = shape
    this.table = new RowTable({ columns, placeOf, lanes, fromRecords })
  }
  add(batch: Batch, row: number, key: number): number {
    const made = this.table.add(batch, row)
    this.#grow(made + 1, key + 1)
    const rank = batch.derived ? batch.offsets[row]! : batch.partition * 2 ** 40 + batch.offsets[row]!
    this.#rank[made] = rank
    this.key[made] = key
    this.matched[made] = 0
    let older = this.#newest[key]!
    let newer = 0
    while (older > 0 && this.#isAfter(older - 1, batch.times[row]!, rank)) {
      newer = older
      older = this.#older[older - 1]!
    }
    this.#older[made] = older
    this.#newer[made] = newer
    if (older > 0) this.#newer[older - 1] = made + 1
    if (newer > 0) this.#older[newer - 1] = made + 1
    else this.#newest[key] = made + 1
    return made
  }
  #isAfter(row: number, timeMs: number, rank: number): boolean {
    const time = this.table.times[row]!
    return time > timeMs || (time === timeMs && this.#rank[row]! > rank)
  }
  #grow(rows: number, keys: number): void {
    this.#newest = grownInts(this.#newest, keys)
    this.#older = grownInts(this.#older, rows)
    this.#newer = grownInts(this.#newer, rows)
    this.key = grownInts(this.key, rows)
    this.matched = grownInts(this.matched, rows)
    this.#rank = grownFloats(this.#rank, rows)
  }
  /** The newest row of a key, or -1. */
  newest(key: number): number {
    return key < this.#newest.length ? this.#newest[key]! - 1 : -1
  }
  /** The row of the same key before this one, or -1. */
  older(row: number): number {
    return this.#older[row]! - 1
  }
  remove(row: number): void {
    const [older, newer] = [this.#older[row]!, this.#newer[row]!]
    if (older > 0) this.#newer[older - 1] = newer
    if (newer > 0) this.#older[newer - 1] = older
    else this.#newest[this.key[row]!] = older
    this.table.remove(row)
  }
  write(out: StateWriter, keys: number): void {
    const { high } = this.table
    this.#grow(high, keys)
    this.table.write(out)
    this.heap.write(out)
    out.ints(this.#newest, keys)
    for (const links of [this.#older, this.#newer, this.key, this.matched]) out.ints(links, high)
    out.floats(this.#rank, high)
  }
  restore(from: StateReader): void {
    this.table.restore(from)
    this.heap.restore(from)
    this.#newest = from.ints()
    this.#older = from.ints()
    this.#newer = from.ints()
    this.key = from.ints()
    this.matched = from.ints()
    this.#rank = from.floats()
  }
  bytes(): number {
    const links = this.#newest.byteLength + this.#older.byteLength + this.#newer.byteLength
    return this.table.bytes() + this.heap.bytes() + links + this.key.byteLength * 2 + this.#rank.byteLength
  }
}
