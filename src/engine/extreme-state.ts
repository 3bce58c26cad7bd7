// Minimum and maximum. Sliding windows keep, per group, a monotonic deque threaded through the cells: amortised O(1)
// whatever the ratio of size and slide. A late value is put in its place, or dropped where a later one dominates it.
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import {
  CELLS,
  type CellPlaces,
  Filtered,
  gathered,
  type LateRow,
  type Place,
  PREVIEW,
  RESULTS,
  RUNNING,
  type WindowState,
} from './window-state.ts'

/** Deques of nodes (small integers) by lane, oldest pane first, values strictly falling in the given direction. */
export class MonotonicDeques {
  #head: Int32Array<ArrayBuffer> = new Int32Array(0)
  #tail: Int32Array<ArrayBuffer> = new Int32Array(0)
  #newer: Int32Array<ArrayBuffer> = new Int32Array(0)
  #older: Int32Array<ArrayBuffer> = new Int32Array(0)
  #inside: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  readonly #paneOf: (node: number) => number
  readonly #order: (a: number, b: number) => number
  /** 1 for maxima, -1 for minima. */
  readonly #sign: number
  values: Float64Array<ArrayBuffer> = new Float64Array(0)

  /** `order` tells by other than the values which of two nodes goes before: positive for the first. */
  constructor(sign: 1 | -1, paneOf: (node: number) => number, order?: (a: number, b: number) => number) {
    this.#sign = sign
    this.#paneOf = paneOf
    this.#order = order ?? ((a, b) => (this.values[a]! - this.values[b]!) * sign)
  }
  grow(nodes: number, lanes: number): void {
    const before = this.values.length
    this.values = grownFloats(this.values, nodes)
    this.values.fill(Number.NaN, before)
    this.#newer = grownInts(this.#newer, nodes)
    this.#older = grownInts(this.#older, nodes)
    this.#inside = grownBytes(this.#inside, nodes)
    const lanesBefore = this.#head.length
    this.#head = grownInts(this.#head, lanes)
    this.#tail = grownInts(this.#tail, lanes)
    this.#head.fill(-1, lanesBefore)
    this.#tail.fill(-1, lanesBefore)
  }
  /** The extreme of the lane, NaN if it is empty. */
  top(lane: number): number {
    const head = this.#head[lane]!
    return head < 0 ? Number.NaN : this.values[head]!
  }
  /** The extreme over panes after `pane`. */
  topAfter(lane: number, pane: number): number {
    const node = this.topNodeAfter(lane, pane)
    return node < 0 ? Number.NaN : this.values[node]!
  }
  /** The node that goes before all others of the lane, or -1. */
  topNode(lane: number): number {
    return this.#head[lane]!
  }
  topNodeAfter(lane: number, pane: number): number {
    let node = this.#head[lane]!
    while (node >= 0 && this.#paneOf(node) <= pane) node = this.#newer[node]!
    return node
  }
  /** The better of a value and what a node holds; NaN loses. */
  better(a: number, b: number): number {
    if (Number.isNaN(a)) return b
    return (b - a) * this.#sign > 0 ? b : a
  }
  /** Adds the node of the newest pane. */
  push(lane: number, node: number): void {
    if (!Number.isNaN(this.values[node]!)) this.#link(lane, node, this.#tail[lane]!, -1)
  }
  leave(lane: number, node: number): void {
    if (this.#inside[node] === 1) this.#unlink(lane, node)
  }
  /** The node, whose pane may lie anywhere, has taken a better value. */
  improved(lane: number, node: number): void {
    const pane = this.#paneOf(node)
    if (this.#inside[node] === 1) {
      this.#drop(lane, this.#older[node]!, node)
      return
    }
    let before = this.#tail[lane]!
    let after = -1
    while (before >= 0 && this.#paneOf(before) > pane) {
      after = before
      before = this.#older[before]!
    }
    if (after >= 0 && this.#order(after, node) >= 0) return
    this.#link(lane, node, before, after)
  }
  /** Forgets a node that is given back. */
  clear(node: number): void {
    this.values[node] = Number.NaN
  }
  #link(lane: number, node: number, before: number, after: number): void {
    this.#inside[node] = 1
    this.#older[node] = before
    this.#newer[node] = after
    if (before < 0) this.#head[lane] = node
    else this.#newer[before] = node
    if (after < 0) this.#tail[lane] = node
    else this.#older[after] = node
    this.#drop(lane, before, node)
  }
  /** Unlinks `from` and older ones while the other node dominates them. */
  #drop(lane: number, from: number, by: number): void {
    let node = from
    while (node >= 0 && this.#order(by, node) >= 0) {
      const older = this.#older[node]!
      this.#unlink(lane, node)
      node = older
    }
  }
  #unlink(lane: number, node: number): void {
    const [older, newer] = [this.#older[node]!, this.#newer[node]!]
    if (older < 0) this.#head[lane] = newer
    else this.#newer[older] = newer
    if (newer < 0) this.#tail[lane] = older
    else this.#older[newer] = older
    this.#inside[node] = 0
  }
  write(out: StateWriter, nodes: number, lanes: number): void {
    out.floats(this.values, nodes)
    for (let lane = 0; lane < lanes; lane++) {
      const chain: number[] = []
      for (let node = this.#head[lane]!; node >= 0; node = this.#newer[node]!) chain.push(node)
      out.numbers(chain)
    }
  }
  restore(from: StateReader, lanes: number): void {
    this.values = from.floats()
    const nodes = this.values.length
    this.#newer = new Int32Array(nodes)
    this.#older = new Int32Array(nodes)
    this.#inside = new Uint8Array(nodes)
    this.#head = new Int32Array(Math.max(16, lanes)).fill(-1)
    this.#tail = new Int32Array(Math.max(16, lanes)).fill(-1)
    for (let lane = 0; lane < lanes; lane++)
      for (const node of from.numbers()) this.#link(lane, node, this.#tail[lane]!, -1)
  }
  bytes(): number {
    return this.values.byteLength * 3 + this.#head.byteLength * 2
  }
}

export class ExtremeState implements WindowState {
  readonly #of: NumberEvaluator
  readonly #filtered: Filtered
  readonly #deques: MonotonicDeques
  readonly #sign: 1 | -1
  readonly #sliding: boolean
  #values: Float64Array = new Float64Array(0)
  #results: Float64Array<ArrayBuffer> = new Float64Array(0)
  #preview: Float64Array<ArrayBuffer> = new Float64Array(0)
  #lanes = 0

  constructor(
    which: 'min' | 'max',
    of: NumberEvaluator,
    where: NumberEvaluator | null,
    places: CellPlaces,
    sliding: boolean,
  ) {
    this.#of = of
    this.#filtered = new Filtered(where)
    this.#sign = which === 'max' ? 1 : -1
    this.#sliding = sliding
    this.#deques = new MonotonicDeques(this.#sign, (cell) => places.slotPane[places.cellSlot[cell]!]!)
  }
  grow(cells: number, groups: number, results: number): void {
    this.#lanes = this.#sliding ? groups : 0
    this.#deques.grow(cells, this.#lanes)
    this.#preview = grownFloats(this.#preview, groups)
    const before = this.#results.length
    this.#results = grownFloats(this.#results, results)
    this.#results.fill(Number.NaN, before)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#values = this.#of(batch)
  }
  update(rows: Int32Array, cells: Int32Array, count: number): void {
    const filtered = this.#filtered
    filtered.take(rows, cells, count)
    if (this.#sign === 1) maxRows(this.#values, filtered.rows, filtered.cells, filtered.count, this.#deques.values)
    else minRows(this.#values, filtered.rows, filtered.cells, filtered.count, this.#deques.values)
  }
  updateRun(rows: Int32Array, from: number, to: number, cell: number): void {
    const filtered = this.#filtered
    filtered.takeRun(rows, from, to)
    const { values } = this.#deques
    const found =
      this.#sign === 1
        ? maxOf(this.#values, filtered.rows, filtered.from, filtered.to)
        : minOf(this.#values, filtered.rows, filtered.from, filtered.to)
    if (!Number.isNaN(found)) values[cell] = this.#deques.better(values[cell]!, found)
  }
  read(place: Place, index: number): number {
    switch (place) {
      case CELLS:
        return this.#deques.values[index]!
      case RUNNING:
        return this.#deques.top(index)
      case RESULTS:
        return this.#results[index]!
      case PREVIEW:
        return this.#preview[index]!
    }
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    if (place === CELLS) this.#deques.clear(index)
    else if (place === RESULTS) this.#results[index] = Number.NaN
  }
  merge(from: number, into: number): void {
    const { values } = this.#deques
    if (!Number.isNaN(values[from]!)) values[into] = this.#deques.better(values[into]!, values[from]!)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    out.floats(gathered(this.#deques.values, cells, count), count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number): void {
    const [taken, { values }] = [from.lentFloats(), this.#deques]
    for (let i = 0; i < count; i++)
      if (!Number.isNaN(taken[i]!)) values[cells[i]!] = this.#deques.better(values[cells[i]!]!, taken[i]!)
  }
  enter(cell: number, group: number): void {
    this.#deques.push(group, cell)
  }
  leave(cell: number, group: number): void {
    this.#deques.leave(group, cell)
  }
  late(late: LateRow): void {
    const value = this.#values[late.row]!
    if (Number.isNaN(value) || !this.#filtered.holds(late.row)) return
    const cells = this.#deques.values
    const better = this.#deques.better(cells[late.cell]!, value)
    if (better !== cells[late.cell]) {
      cells[late.cell] = better
      if (late.running) this.#deques.improved(late.group, late.cell)
    }
    for (let i = 0; i < late.count; i++) {
      const result = late.results[i]!
      this.#results[result] = this.#deques.better(this.#results[result]!, value)
    }
  }
  keep(group: number, result: number): void {
    this.#results[result] = this.#deques.top(group)
  }
  beginPreview(groups: number, leftPane: number): void {
    for (let group = 0; group < groups; group++) this.#preview[group] = this.#deques.topAfter(group, leftPane)
  }
  previewLeave(): void {}
  previewEnter(cell: number, group: number): void {
    const value = this.#deques.values[cell]!
    if (!Number.isNaN(value)) this.#preview[group] = this.#deques.better(this.#preview[group]!, value)
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    const lanes = this.#sliding ? groups : 0
    out.u32(lanes)
    this.#deques.write(out, cells, lanes)
    out.floats(this.#results, results)
  }
  restore(from: StateReader): void {
    this.#lanes = from.u32()
    this.#deques.restore(from, this.#lanes)
    this.#results = from.floats()
    this.#preview = grownFloats(this.#preview, Math.max(this.#lanes, 16))
  }
  mark(): void {}
  bytes(): number {
    return this.#deques.bytes() + this.#results.byteLength + this.#preview.byteLength
  }
}

function maxRows(values: Float64Array, rows: Int32Array, cells: Int32Array, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[rows[i]!]!
    const cell = cells[i]!
    // NaN on either side: a null value changes nothing, an empty cell takes any value.
    if (value > into[cell]! || (Number.isNaN(into[cell]!) && !Number.isNaN(value))) into[cell] = value
  }
}
function minRows(values: Float64Array, rows: Int32Array, cells: Int32Array, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[rows[i]!]!
    const cell = cells[i]!
    if (value < into[cell]! || (Number.isNaN(into[cell]!) && !Number.isNaN(value))) into[cell] = value
  }
}
/** NaN where all are null. */
function maxOf(values: Float64Array, rows: Int32Array, from: number, to: number): number {
  let best = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) {
    const value = values[rows[i]!]!
    if (value > best) best = value
  }
  return best === Number.NEGATIVE_INFINITY ? Number.NaN : best
}
function minOf(values: Float64Array, rows: Int32Array, from: number, to: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = from; i < to; i++) {
    const value = values[rows[i]!]!
    if (value < best) best = value
  }
  return best === Number.POSITIVE_INFINITY ? Number.NaN : best
}
