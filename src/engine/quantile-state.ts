// Quantiles from a sketch per cell (`sketch.ts`). All sketches of a place lie in one index of (cell, bucket) pairs with a
// count each, chained per cell: panes enter and leave the running window bucket by bucket, whatever size / slide is.
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats, grownInts, TupleIndex } from './int-set.ts'
import { bucketOf, middleOf, rankOf } from './sketch.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import {
  CELLS,
  Filtered,
  type LateRow,
  type Place,
  PREVIEW,
  RESULTS,
  RUNNING,
  type WindowState,
} from './window-state.ts'

/** Sketches by index. Counts may be negative where a sketch is a difference. */
class Sketches {
  readonly #pairs = new TupleIndex(2)
  readonly #pair = new Int32Array(2)
  /** By number of the pair. */
  #counts: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Chains of the pairs of an index: the next and the one before, plus one; 0 ends them. */
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  #before: Int32Array<ArrayBuffer> = new Int32Array(0)
  #heads: Int32Array<ArrayBuffer> = new Int32Array(0)

  grow(length: number): void {
    this.#heads = grownInts(this.#heads, length)
  }
  add(index: number, bucket: number, count: number): void {
    this.#pair[0] = index
    this.#pair[1] = bucket
    const before = this.#pairs.count
    const pair = this.#pairs.add(this.#pair, 0)
    if (this.#pairs.count !== before) this.#link(index, pair)
    const counted = this.#counts[pair]! + count
    this.#counts[pair] = counted
    if (counted === 0) this.#remove(index, pair)
  }
  #link(index: number, pair: number): void {
    this.#counts = grownFloats(this.#counts, pair + 1)
    this.#next = grownInts(this.#next, pair + 1)
    this.#before = grownInts(this.#before, pair + 1)
    const head = this.#heads[index]!
    this.#counts[pair] = 0
    this.#next[pair] = head
    this.#before[pair] = 0
    if (head !== 0) this.#before[head - 1] = pair + 1
    this.#heads[index] = pair + 1
  }
  #remove(index: number, pair: number): void {
    const [next, before] = [this.#next[pair]!, this.#before[pair]!]
    if (next !== 0) this.#before[next - 1] = before
    if (before !== 0) this.#next[before - 1] = next
    else this.#heads[index] = next
    this.#pairs.remove(pair)
  }
  addFrom(index: number, from: Sketches, at: number, sign: 1 | -1): void {
    for (let link = from.#heads[at]!; link !== 0; ) {
      const pair = link - 1
      link = from.#next[pair]!
      this.add(index, from.#pairs.keys[pair * 2 + 1]!, sign * from.#counts[pair]!)
    }
  }
  /** How many buckets each cell has, then all buckets and their counts, cell by cell. */
  give(out: StateWriter, cells: Int32Array, count: number): void {
    const [sizes, buckets, counts]: [Int32Array, number[], number[]] = [new Int32Array(count), [], []]
    for (let i = 0; i < count; i++)
      for (let link = this.#heads[cells[i]!]!; link !== 0; link = this.#next[link - 1]!) {
        sizes[i]!++
        buckets.push(this.#pairs.keys[(link - 1) * 2 + 1]!)
        counts.push(this.#counts[link - 1]!)
      }
    out.ints(sizes, count)
    out.numbers(buckets)
    out.numbers(counts)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    const [sizes, buckets, counts] = [from.ints(), from.floats(), from.floats()]
    let at = 0
    for (let i = 0; i < count; i++)
      for (let left = sizes[i]!; left > 0; left--, at++) this.add(cells[i]!, buckets[at]!, counts[at]!)
  }
  clear(index: number): void {
    while (this.#heads[index]! !== 0) this.#remove(index, this.#heads[index]! - 1)
  }
  clearAll(): void {
    for (let index = 0; index < this.#heads.length; index++) this.clear(index)
  }
  /** Appends the buckets of an index and their counts. */
  list(index: number, into: BucketList): void {
    for (let link = this.#heads[index]!; link !== 0; link = this.#next[link - 1]!)
      into.add(this.#pairs.keys[(link - 1) * 2 + 1]!, this.#counts[link - 1]!)
  }
  write(out: StateWriter): void {
    out.tuples(this.#pairs)
    out.floats(this.#counts, this.#pairs.high)
    out.u32(this.#heads.length)
  }
  restore(from: StateReader): void {
    from.tuples(this.#pairs)
    const counts = from.floats()
    this.#heads = new Int32Array(from.u32())
    const used = this.#pairs.inUse()
    for (let pair = 0; pair < used.length; pair++) {
      if (used[pair] === 0) continue
      this.#link(this.#pairs.keys[pair * 2]!, pair)
      this.#counts[pair] = counts[pair]!
    }
    // Counts of free pairs are part of the bytes: a restored job writes the same snapshot.
    this.#counts = grownFloats(counts, Math.max(counts.length, this.#counts.length))
  }
  bytes(): number {
    return (
      this.#pairs.bytes +
      this.#counts.byteLength +
      this.#next.byteLength +
      this.#before.byteLength +
      this.#heads.byteLength
    )
  }
}

/** Buckets of one or two sketches, to be walked in order. Used again and again: no object per value that is read. */
class BucketList {
  length = 0
  count = 0
  #counts: Float64Array<ArrayBuffer> = new Float64Array(64)
  /** Bucket and position of each entry in one number: a bucket has 20 bits with its sign, a position 32. */
  #keys: Float64Array<ArrayBuffer> = new Float64Array(64)

  clear(): void {
    this.length = 0
    this.count = 0
  }
  add(bucket: number, count: number): void {
    this.#counts = grownFloats(this.#counts, this.length + 1)
    this.#keys = grownFloats(this.#keys, this.length + 1)
    this.#counts[this.length] = count
    this.#keys[this.length] = bucket * POSITIONS + this.length
    this.length++
    this.count += count
  }
  /** The bucket of the value of this rank. */
  bucketAt(rank: number): number {
    const keys = this.#keys.subarray(0, this.length).sort()
    let seen = 0
    for (let i = 0; i < this.length; i++) {
      const bucket = Math.floor(keys[i]! / POSITIONS)
      seen += this.#counts[keys[i]! - bucket * POSITIONS]!
      // The second sketch may take away from the first.
      const isLast = i + 1 === this.length || Math.floor(keys[i + 1]! / POSITIONS) !== bucket
      if (isLast && seen >= rank) return bucket
    }
    return 0
  }
}
const POSITIONS = 2 ** 32

export class QuantileState implements WindowState {
  readonly #of: NumberEvaluator
  /** Held values are whole numbers of this many decimals; null: they are floats. */
  readonly #scale: number | null
  readonly #filtered: Filtered
  /** The preview holds only what makes it differ from the running window. */
  readonly #sketches = [new Sketches(), new Sketches(), new Sketches(), new Sketches()]
  readonly #list = new BucketList()
  #values: Float64Array = new Float64Array(0)

  constructor(of: NumberEvaluator, scale: number | null, where: NumberEvaluator | null) {
    this.#of = of
    this.#scale = scale
    this.#filtered = new Filtered(where)
  }
  grow(cells: number, groups: number, results: number): void {
    this.#sketches[CELLS]!.grow(cells)
    this.#sketches[RUNNING]!.grow(groups)
    this.#sketches[PREVIEW]!.grow(groups)
    this.#sketches[RESULTS]!.grow(results)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#values = this.#of(batch)
  }
  update(allRows: Int32Array, allCells: Int32Array, all: number): void {
    this.#filtered.take(allRows, allCells, all)
    const { rows, cells, count } = this.#filtered
    const sketches = this.#sketches[CELLS]!
    for (let i = 0; i < count; i++) {
      const value = this.#values[rows[i]!]!
      if (!Number.isNaN(value)) sketches.add(cells[i]!, bucketOf(value), 1)
    }
  }
  /** NaN where there is no value. */
  quantile(fraction: number, place: Place, index: number): number {
    const list = this.#list
    list.clear()
    this.#sketches[place]!.list(index, list)
    if (place === PREVIEW) this.#sketches[RUNNING]!.list(index, list)
    if (list.count === 0) return Number.NaN
    const middle = middleOf(list.bucketAt(rankOf(fraction, list.count)), this.#scale !== null)
    return this.#scale === null ? middle : middle / 10 ** this.#scale
  }
  read(place: Place, index: number): number {
    return this.quantile(0.5, place, index)
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    this.#sketches[place]!.clear(index)
  }
  merge(from: number, into: number): void {
    this.#sketches[CELLS]!.addFrom(into, this.#sketches[CELLS]!, from, 1)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    this.#sketches[CELLS]!.give(out, cells, count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    this.#sketches[CELLS]!.takeIn(from, cells, count)
  }
  enter(cell: number, group: number): void {
    this.#sketches[RUNNING]!.addFrom(group, this.#sketches[CELLS]!, cell, 1)
  }
  leave(cell: number, group: number): void {
    this.#sketches[RUNNING]!.addFrom(group, this.#sketches[CELLS]!, cell, -1)
  }
  late(late: LateRow): void {
    const value = this.#values[late.row]!
    if (Number.isNaN(value) || !this.#filtered.holds(late.row)) return
    const bucket = bucketOf(value)
    this.#sketches[CELLS]!.add(late.cell, bucket, 1)
    if (late.running) this.#sketches[RUNNING]!.add(late.group, bucket, 1)
    for (let i = 0; i < late.count; i++) this.#sketches[RESULTS]!.add(late.results[i]!, bucket, 1)
  }
  keep(group: number, result: number): void {
    this.#sketches[RESULTS]!.clear(result)
    this.#sketches[RESULTS]!.addFrom(result, this.#sketches[RUNNING]!, group, 1)
  }
  beginPreview(): void {
    this.#sketches[PREVIEW]!.clearAll()
  }
  previewLeave(cell: number, group: number): void {
    this.#sketches[PREVIEW]!.addFrom(group, this.#sketches[CELLS]!, cell, -1)
  }
  previewEnter(cell: number, group: number): void {
    this.#sketches[PREVIEW]!.addFrom(group, this.#sketches[CELLS]!, cell, 1)
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter): void {
    for (const place of [CELLS, RUNNING, RESULTS]) this.#sketches[place]!.write(out)
  }
  restore(from: StateReader): void {
    for (const place of [CELLS, RUNNING, RESULTS]) this.#sketches[place]!.restore(from)
  }
  mark(): void {}
  bytes(): number {
    return this.#sketches.reduce((sum, sketches) => sum + sketches.bytes(), 0)
  }
}
