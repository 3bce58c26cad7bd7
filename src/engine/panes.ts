// Panes and their cells: which pane and group a cell belongs to, which are in use, and the offsets behind each pane.
// Numbers of panes are far apart and unbounded; slots and cells are small, dense and reused, so states are plain arrays.
import { grownFloats, grownInts, IntMap, SpareMaps, TupleIndex } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { CellPlaces } from './window-state.ts'

export interface Pane {
  readonly number: number
  readonly slot: number
  /** Group to cell. */
  readonly cells: IntMap
  /** Some cell changed since its last row. */
  changed: boolean
}

/** Small numbers given out and taken back. */
export class Numbers {
  high = 0
  free: number[] = []
  take(): number {
    return this.free.pop() ?? this.high++
  }
  give(number: number): void {
    this.free.push(number)
  }
  write(out: StateWriter): void {
    out.u32(this.high)
    out.numbers(this.free)
  }
  restore(from: StateReader): void {
    this.high = from.u32()
    this.free = from.numbers()
  }
}

/** Places of cells that are each a slot of their own: what states keep by slot, they then keep by cell. */
export class OwnSlots implements CellPlaces {
  readonly cellGroup: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly slotPane: Float64Array<ArrayBuffer> = new Float64Array(0)
  cellSlot: Int32Array<ArrayBuffer> = new Int32Array(0)
  grow(cells: number): void {
    const before = this.cellSlot.length
    this.cellSlot = grownInts(this.cellSlot, cells)
    for (let cell = before; cell < this.cellSlot.length; cell++) this.cellSlot[cell] = cell
  }
}

export class PaneTable implements CellPlaces {
  cellGroup: Int32Array<ArrayBuffer> = new Int32Array(0)
  cellSlot: Int32Array<ArrayBuffer> = new Int32Array(0)
  slotPane: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Per slot and partition: least and greatest offset; Infinity and -1 where there is none. */
  offsets: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly cells = new Numbers()
  readonly slots = new Numbers()
  /** In the order of their numbers. */
  panes: Pane[] = []
  readonly #byNumber = new Map<number, Pane>()
  readonly #bySlot: Pane[] = []
  readonly #spare = new SpareMaps()
  /** Taken out last: whoever took them out may still look at them. */
  #removed: readonly Pane[] = []
  readonly #partitions: number

  constructor(partitions: number) {
    this.#partitions = partitions
  }
  find(number: number): Pane | undefined {
    return this.#byNumber.get(number)
  }
  slotOf(number: number): number {
    return this.#byNumber.get(number)?.slot ?? -1
  }
  /** The pane in a slot that is in use. */
  paneIn(slot: number): Pane {
    return this.#bySlot[slot]!
  }
  add(number: number): Pane {
    for (const { cells } of this.#removed) this.#spare.give(cells)
    this.#removed = []
    const pane: Pane = { number, slot: this.slots.take(), cells: this.#spare.take(), changed: false }
    this.#place(pane)
    const each = this.#partitions * 2
    this.offsets = grownFloats(this.offsets, this.slots.high * each)
    for (let i = 0; i < each; i += 2) {
      this.offsets[pane.slot * each + i] = Number.POSITIVE_INFINITY
      this.offsets[pane.slot * each + i + 1] = -1
    }
    return pane
  }
  #place(pane: Pane): void {
    this.slotPane = grownFloats(this.slotPane, this.slots.high)
    this.slotPane[pane.slot] = pane.number
    this.#byNumber.set(pane.number, pane)
    this.#bySlot[pane.slot] = pane
    let at = this.panes.length
    while (at > 0 && this.panes[at - 1]!.number > pane.number) at--
    this.panes.splice(at, 0, pane)
  }
  addCell(pane: Pane, group: number): number {
    const cell = this.cells.take()
    this.cellGroup = grownInts(this.cellGroup, this.cells.high)
    this.cellSlot = grownInts(this.cellSlot, this.cells.high)
    this.cellGroup[cell] = group
    this.cellSlot[cell] = pane.slot
    pane.cells.insert(group, cell)
    return cell
  }
  /** Index of the first pane after `number`. */
  indexAfter(number: number): number {
    let [low, high] = [0, this.panes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.panes[middle]!.number <= number) low = middle + 1
      else high = middle
    }
    return low
  }
  /**
   * Takes out the panes up to `number`, oldest first; the caller clears what its cells held. They may be looked at until the
   * next pane is added.
   */
  removeThrough(number: number): Pane[] {
    const removed = this.panes.splice(0, this.indexAfter(number))
    for (const pane of removed) {
      this.#byNumber.delete(pane.number)
      this.slots.give(pane.slot)
      for (let i = 0; i < pane.cells.set.count; i++) this.cells.give(pane.cells.values[i]!)
    }
    for (const { cells } of this.#removed) this.#spare.give(cells)
    this.#removed = removed
    return removed
  }
  write(out: StateWriter): void {
    this.cells.write(out)
    this.slots.write(out)
    out.floats(this.offsets, this.slots.high * this.#partitions * 2)
    out.u32(this.panes.length)
    for (const pane of this.panes) {
      out.f64(pane.number)
      out.u32(pane.slot)
      out.u32(pane.changed ? 1 : 0)
      out.set(pane.cells.set)
      out.ints(pane.cells.values, pane.cells.set.count)
    }
  }
  restore(from: StateReader): void {
    this.cells.restore(from)
    this.slots.restore(from)
    this.cellGroup = new Int32Array(this.cells.high)
    this.cellSlot = new Int32Array(this.cells.high)
    this.offsets = from.floats()
    this.panes = []
    this.#byNumber.clear()
    const count = from.u32()
    for (let i = 0; i < count; i++) {
      const pane: Pane = { number: from.f64(), slot: from.u32(), cells: new IntMap(), changed: from.u32() === 1 }
      const groups = from.set()
      const cells = from.ints()
      for (let k = 0; k < groups.count; k++) {
        pane.cells.insert(groups.keys[k]!, cells[k]!)
        this.cellGroup[cells[k]!] = groups.keys[k]!
        this.cellSlot[cells[k]!] = pane.slot
      }
      this.#place(pane)
    }
  }
  bytes(): number {
    let bytes =
      this.cellGroup.byteLength + this.cellSlot.byteLength + this.slotPane.byteLength + this.offsets.byteLength
    for (const pane of this.panes) bytes += 160 + pane.cells.bytes
    return bytes
  }
}

const PAIRS_BITS = 10
const pairAt = (a: number, b: number): number =>
  (Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) >>> (32 - PAIRS_BITS)) * 3

/** Group keys to group numbers, counted: a group without cells gives its number back. */
export class Groups {
  readonly keys: TupleIndex
  #uses: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Group of a single key by id + 1, plus one: saves the hash where a row has one group column. */
  #direct: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Of keys of two columns: both ids and their group, by hash; a group of -1 is none. */
  readonly #pairs: Int32Array
  readonly #scratch: Int32Array

  constructor(width: number) {
    this.keys = new TupleIndex(Math.max(1, width))
    this.#scratch = new Int32Array(Math.max(1, width))
    this.#pairs = new Int32Array(width === 2 ? 3 << PAIRS_BITS : 0).fill(-1)
  }
  /** Without group columns all rows are of group 0. */
  assignNone(): void {
    if (this.keys.count === 0) this.keys.add(this.#scratch, 0)
  }
  /** Fills `groups` by row for the listed rows; `columns` holds the ids of each group column. */
  assign(columns: readonly Int32Array[], rows: Int32Array, count: number, groups: Int32Array): void {
    if (columns.length === 0) {
      this.assignNone()
      groups.fill(0)
    } else if (columns.length === 1) this.#assignOne(columns[0]!, rows, count, groups)
    else if (columns.length === 2) this.#assignTwo(columns[0]!, columns[1]!, rows, count, groups)
    else
      for (let i = 0; i < count; i++) {
        const row = rows[i]!
        for (let k = 0; k < columns.length; k++) this.#scratch[k] = columns[k]![row]!
        groups[row] = this.keys.add(this.#scratch, 0)
      }
  }
  /** Pairs met last are found by a glance at their ids. */
  #assignTwo(a: Int32Array, b: Int32Array, rows: Int32Array, count: number, groups: Int32Array): void {
    const [pairs, scratch] = [this.#pairs, this.#scratch]
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const [x, y] = [a[row]!, b[row]!]
      const at = pairAt(x, y)
      if (pairs[at] !== x || pairs[at + 1] !== y || pairs[at + 2]! < 0) {
        scratch[0] = x
        scratch[1] = y
        pairs[at] = x
        pairs[at + 1] = y
        pairs[at + 2] = this.keys.add(scratch, 0)
      }
      groups[row] = pairs[at + 2]!
    }
  }
  #assignOne(ids: Int32Array, rows: Int32Array, count: number, groups: Int32Array): void {
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const id = ids[row]!
      let group = id + 1 < this.#direct.length ? this.#direct[id + 1]! - 1 : -1
      if (group < 0) {
        this.#scratch[0] = id
        group = this.keys.add(this.#scratch, 0)
        this.#direct = grownInts(this.#direct, id + 2)
        this.#direct[id + 1] = group + 1
      }
      groups[row] = group
    }
  }
  use(group: number): void {
    this.#uses = grownInts(this.#uses, group + 1)
    this.#uses[group]!++
  }
  release(group: number): void {
    this.#uses[group]!--
    if (this.#uses[group] === 0) this.#remove(group)
  }
  /** Groups that rows named but no cell took (their records came too late). */
  dropUnused(groups: Int32Array, count: number): void {
    this.#uses = grownInts(this.#uses, this.keys.high)
    for (let i = 0; i < count; i++) {
      const group = groups[i]!
      if (this.#uses[group] !== 0) continue
      this.#uses[group] = -1
      this.#remove(group)
    }
    for (let i = 0; i < count; i++) if (this.#uses[groups[i]!] === -1) this.#uses[groups[i]!] = 0
  }
  #remove(group: number): void {
    if (this.keys.width === 1) {
      const id = this.keys.keys[group]!
      if (id + 1 < this.#direct.length) this.#direct[id + 1] = 0
    } else if (this.keys.width === 2) {
      const at = pairAt(this.keys.keys[group * 2]!, this.keys.keys[group * 2 + 1]!)
      if (this.#pairs[at + 2] === group) this.#pairs[at + 2] = -1
    }
    this.keys.remove(group)
  }
  /** Marks the ids that group keys of this column hold. */
  mark(column: number, live: Uint8Array): void {
    const used = this.keys.inUse()
    for (let group = 0; group < used.length; group++) {
      const id = this.keys.keys[group * this.keys.width + column]!
      if (used[group] === 1 && id >= 0) live[id] = 1
    }
  }
  write(out: StateWriter): void {
    out.tuples(this.keys)
    out.ints(this.#uses, Math.min(this.#uses.length, this.keys.high))
  }
  restore(from: StateReader): void {
    from.tuples(this.keys)
    this.#uses = from.ints()
    this.#direct = new Int32Array(0)
    this.#pairs.fill(-1)
  }
  bytes(): number {
    return this.keys.bytes + this.#uses.byteLength + this.#direct.byteLength + this.#pairs.byteLength
  }
}
