// Exact distinct counts in sliding windows: the last pane each value was seen in, and per cell how many values were last
// seen there, so that a pane that leaves takes exactly those with it: O(1) amortised per record, whatever size / slide.
// Late values break that structure (they arrive behind the last-seen pane), so panes inside the lateness keep their sets,
// and a late value corrects exactly the windows in which it is new: those ending in [max(pane, previous + width),
// min(pane + width, next)).
import { assert } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import { type Counted, givePairs, takePairs } from './distinct-state.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats, TupleIndex } from './int-set.ts'
import { MemberSet, MemberSets } from './member-set.ts'
import type { IdsOf } from './pane-gathering.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import {
  CELLS,
  type CellPlaces,
  Filtered,
  type LateRow,
  type Place,
  PREVIEW,
  RUNNING,
  type WindowState,
} from './window-state.ts'

/** What the sliding structure asks of its operator. */
export interface SlidingPlaces extends CellPlaces {
  /** Slot of a pane that is held, or -1. */
  slotOf(pane: number): number
  /** Cell of a group in the pane of a slot, or -1. */
  cellOf(slot: number, group: number): number
  /** Panes in a window. */
  readonly width: number
  /** The newest closed pane. */
  closed(): number
  /** The newest pane that takes no late records any more. */
  frozen(): number
}

/** For sliding windows. A value is the pair of group and id; without groups the id itself. */
export class SlidingDistinct implements WindowState {
  readonly #counted: Counted
  readonly #filtered: Filtered
  readonly #places: SlidingPlaces
  readonly #pairs: TupleIndex | null
  readonly #pair = new Int32Array(2)
  #ids: Int32Array = new Int32Array(0)
  /** Values of each pane that is open or takes late records, by slot. */
  readonly #sets = new MemberSets()
  /** Two of each value: its newest closed pane, and the cell there. Side by side, as each value met costs a cache line. */
  #last: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Newest pane of each value that is behind the lateness. */
  #lastFrozen: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** How many values were last seen in each cell. */
  #lastHere: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly #counts = [new Float64Array(0), new Float64Array(0), new Float64Array(0)]
  #previewAfter = 0
  readonly #previewed = new MemberSet()
  #pairsSweepAt = 65_536

  constructor(counted: Counted, where: NumberEvaluator | null, places: SlidingPlaces, grouped: boolean) {
    this.#counted = counted
    this.#filtered = new Filtered(where)
    this.#places = places
    this.#pairs = grouped ? new TupleIndex(2) : null
  }
  grow(cells: number, groups: number, results: number): void {
    this.#lastHere = grownFloats(this.#lastHere, cells)
    this.#counts[0] = grownFloats(this.#counts[0]!, groups)
    this.#counts[1] = grownFloats(this.#counts[1]!, groups)
    this.#counts[2] = grownFloats(this.#counts[2]!, results)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#ids = this.#counted.ids(batch)
  }
  #valueOf(group: number, id: number): number {
    if (this.#pairs === null) return id
    this.#pair[0] = group
    this.#pair[1] = id
    return this.#pairs.add(this.#pair, 0)
  }
  #groupOf(value: number): number {
    return this.#pairs === null ? 0 : this.#pairs.keys[value * 2]!
  }
  #roomFor(value: number): void {
    const before = this.#lastFrozen.length
    if (value < before) return
    this.#lastFrozen = grownFloats(this.#lastFrozen, value + 1).fill(Number.NEGATIVE_INFINITY, before)
    this.#last = grownFloats(this.#last, this.#lastFrozen.length * 2).fill(Number.NEGATIVE_INFINITY, before * 2)
  }
  update(allRows: Int32Array, allCells: Int32Array, all: number): void {
    this.#filtered.take(allRows, allCells, all)
    const { rows, cells, count } = this.#filtered
    const { cellSlot, cellGroup } = this.#places
    const ids = this.#ids
    if (this.#pairs === null) {
      for (let i = 0; i < count; i++) {
        const id = ids[rows[i]!]!
        if (id >= 0) this.#sets.at(cellSlot[cells[i]!]!).add(id)
      }
      return
    }
    for (let i = 0; i < count; i++) {
      const id = ids[rows[i]!]!
      if (id < 0) continue
      const cell = cells[i]!
      this.#sets.at(cellSlot[cell]!).add(this.#valueOf(cellGroup[cell]!, id))
    }
  }
  updateRun(rows: Int32Array, from: number, to: number, cell: number): void {
    const { cellSlot, cellGroup } = this.#places
    const set = this.#sets.at(cellSlot[cell]!)
    const filtered = this.#filtered
    filtered.takeRun(rows, from, to)
    if (this.#pairs === null) set.addRows(this.#ids, filtered.rows, filtered.from, filtered.to)
    else {
      const group = cellGroup[cell]!
      for (let i = filtered.from; i < filtered.to; i++) {
        const id = this.#ids[filtered.rows[i]!]!
        if (id >= 0) set.add(this.#valueOf(group, id))
      }
    }
  }
  enter(): void {}
  enterPane(slot: number): void {
    const set = this.#sets.find(slot)
    if (set === undefined || set.count === 0) return
    const { slotPane, width } = this.#places
    const pane = slotPane[slot]!
    this.#roomFor(set.span - 1)
    const oldest = pane - width
    const { members, count } = set
    if (this.#pairs === null) {
      const here = this.#places.cellOf(slot, 0)
      this.#counts[0]![0]! += enter(members, count, this.#last, this.#lastHere, pane, oldest, here)
      return
    }
    const [last, lastHere, counts] = [this.#last, this.#lastHere, this.#counts[0]!]
    let group = 0
    let here = -1
    for (let i = 0; i < count; i++) {
      const at = members[i]! * 2
      const its = this.#groupOf(members[i]!)
      if (its !== group || here < 0) {
        group = its
        here = this.#places.cellOf(slot, group)
      }
      if (last[at]! > oldest) lastHere[last[at + 1]!]!--
      else counts[group]!++
      last[at] = pane
      last[at + 1] = here
      lastHere[here]!++
    }
  }
  leave(cell: number, group: number): void {
    this.#counts[0]![group]! -= this.#lastHere[cell]!
    this.#lastHere[cell] = 0
  }
  late(late: LateRow): void {
    const id = this.#ids[late.row]!
    if (id < 0 || !this.#filtered.holds(late.row)) return
    const { pane, cell, group } = late
    const { width } = this.#places
    const value = this.#valueOf(group, id)
    this.#roomFor(value)
    if (!this.#sets.at(this.#places.cellSlot[cell]!).add(value)) return
    const closed = this.#places.closed()
    const last = this.#last[value * 2]!
    const next = last > pane ? this.#seenAfter(value, pane, Math.min(last, pane + width)) : Number.POSITIVE_INFINITY
    const previous = this.#seenBefore(value, pane)
    const from = Math.max(pane, previous + width)
    const to = Math.min(pane + width, next)
    for (let window = from; window < to && window - pane < late.count; window++)
      this.#counts[2]![late.results[window - pane]!]!++
    if (last >= pane) return
    if (late.running) {
      if (last > closed - width) this.#lastHere[this.#last[value * 2 + 1]!]!--
      else this.#counts[0]![group]!++
      this.#lastHere[cell]!++
    }
    this.#last[value * 2] = pane
    this.#last[value * 2 + 1] = cell
  }
  /** The first pane after `pane` that holds the value, up to `to`. */
  #seenAfter(value: number, pane: number, to: number): number {
    for (let next = pane + 1; next <= to; next++) if (this.#heldIn(next, value)) return next
    return Number.POSITIVE_INFINITY
  }
  #seenBefore(value: number, pane: number): number {
    const oldest = Math.max(this.#places.frozen() + 1, pane - this.#places.width + 1)
    for (let previous = pane - 1; previous >= oldest; previous--) if (this.#heldIn(previous, value)) return previous
    return this.#lastFrozen[value]!
  }
  #heldIn(pane: number, value: number): boolean {
    const slot = this.#places.slotOf(pane)
    const set = slot < 0 ? undefined : this.#sets.find(slot)
    return set?.has(value) === true
  }
  merge(): void {
    assert(false, 'cells of sliding windows are not merged')
  }
  give(out: StateWriter, cells: Int32Array, count: number, slot: number): void {
    const pairs = this.#pairs
    const { members, count: high } = this.#sets.find(slot) ?? { members: new Int32Array(0), count: 0 }
    if (pairs === null) out.ints(members, high)
    else
      givePairs(
        out,
        cells,
        count,
        high,
        (i) => this.#places.cellOf(slot, this.#groupOf(members[i]!)),
        (i) => pairs.keys[members[i]! * 2 + 1]!,
      )
  }
  takeIn(from: StateReader, cells: Int32Array, _count: number, idsOf: IdsOf): void {
    const { cellSlot, cellGroup } = this.#places
    const foreign = idsOf(this.#counted.column)
    if (this.#pairs === null) {
      // Without groups a pane is one cell.
      const [ids, set] = [from.lentInts(), this.#sets.at(cellSlot[cells[0]!]!)]
      foreign?.begin()
      for (let i = 0; i < ids.length; i++) set.add(foreign === null ? ids[i]! : foreign.of(ids[i]!))
      return
    }
    takePairs(from, cells, foreign, (cell, id) => {
      this.#sets.at(cellSlot[cell]!).add(this.#valueOf(cellGroup[cell]!, id))
    })
  }
  freeze(slot: number): void {
    const set = this.#sets.find(slot)
    if (set === undefined) return
    const pane = this.#places.slotPane[slot]!
    this.#roomFor(set.span - 1)
    const lastFrozen = this.#lastFrozen
    const { members, count } = set
    for (let i = 0; i < count; i++) lastFrozen[members[i]!] = pane
    this.#sets.drop(slot)
  }
  read(place: Place, index: number): number {
    return this.#counts[place === RUNNING ? 0 : place === PREVIEW ? 1 : 2]![index]!
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    if (place === CELLS) this.#lastHere[index] = 0
    else this.#counts[place === RUNNING ? 0 : place === PREVIEW ? 1 : 2]![index] = 0
  }
  keep(group: number, result: number): void {
    this.#counts[2]![result] = this.#counts[0]![group]!
  }
  beginPreview(groups: number, leftPane: number): void {
    this.#counts[1]!.set(this.#counts[0]!.subarray(0, groups))
    this.#previewAfter = leftPane
    this.#previewed.clear()
  }
  previewLeave(cell: number, group: number): void {
    this.#counts[1]![group]! -= this.#lastHere[cell]!
  }
  previewEnter(): void {}
  previewEnterPane(slot: number): void {
    const set = this.#sets.find(slot)
    if (set === undefined) return
    for (let i = 0; i < set.count; i++) {
      const value = set.members[i]!
      const seen = value * 2 < this.#last.length && this.#last[value * 2]! > this.#previewAfter
      if (!seen && this.#previewed.add(value)) this.#counts[1]![this.#groupOf(value)]!++
    }
  }
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    out.floats(this.#lastHere, cells)
    out.floats(this.#counts[0]!, groups)
    out.floats(this.#counts[2]!, results)
    out.floats(this.#last, this.#last.length)
    out.floats(this.#lastFrozen, this.#lastFrozen.length)
    if (this.#pairs !== null) out.tuples(this.#pairs)
    out.f64(this.#pairsSweepAt)
    const slots = this.#sets.slots()
    out.u32(slots.length)
    for (const slot of slots) {
      const { members, count } = this.#sets.at(slot)
      out.u32(slot)
      out.ints(members, count)
    }
  }
  restore(from: StateReader): void {
    this.#lastHere = from.floats()
    this.#counts[0] = from.floats()
    this.#counts[1] = new Float64Array(this.#counts[0].length)
    this.#counts[2] = from.floats()
    this.#last = from.floats()
    this.#lastFrozen = from.floats()
    if (this.#pairs !== null) from.tuples(this.#pairs)
    this.#pairsSweepAt = from.f64()
    this.#sets.clear()
    const slots = from.u32()
    for (let i = 0; i < slots; i++) {
      const set = this.#sets.at(from.u32())
      for (const value of from.ints()) set.add(value)
    }
  }
  /** Values that no window and no late record can meet again are forgotten first. */
  mark(column: string, live: Uint8Array): void {
    if (column !== this.#counted.column) return
    const held = this.#heldValues()
    for (let value = 0; value < held.length; value++) {
      if (held[value] === 0) continue
      live[this.#pairs === null ? value : this.#pairs.keys[value * 2 + 1]!] = 1
    }
    if (this.#pairs === null) return
    const used = this.#pairs.inUse()
    for (let value = 0; value < used.length; value++) if (used[value] === 1 && held[value] !== 1) this.#forget(value)
  }
  /** Gives pairs back when there are many: after panes closed. */
  tidy(): void {
    if (this.#pairs === null || this.#pairs.count < this.#pairsSweepAt) return
    const held = this.#heldValues()
    const used = this.#pairs.inUse()
    for (let value = 0; value < used.length; value++) if (used[value] === 1 && held[value] !== 1) this.#forget(value)
    this.#pairsSweepAt = Math.max(65_536, this.#pairs.count * 2)
  }
  #forget(value: number): void {
    this.#pairs?.remove(value)
    if (value >= this.#lastFrozen.length) return
    this.#last[value * 2] = Number.NEGATIVE_INFINITY
    this.#lastFrozen[value] = Number.NEGATIVE_INFINITY
  }
  #heldValues(): Uint8Array {
    const held = new Uint8Array(Math.max(this.#pairs?.high ?? 0, this.#lastFrozen.length, this.#highest() + 1))
    for (const set of this.#sets.each()) for (let i = 0; i < set.count; i++) held[set.members[i]!] = 1
    const oldest = Math.min(this.#places.closed(), this.#places.frozen()) - this.#places.width
    for (let value = 0; value < this.#lastFrozen.length; value++) if (this.#last[value * 2]! > oldest) held[value] = 1
    return held
  }
  #highest(): number {
    let highest = -1
    for (const set of this.#sets.each())
      for (let i = 0; i < set.count; i++) highest = Math.max(highest, set.members[i]!)
    return highest
  }
  bytes(): number {
    let bytes =
      this.#last.byteLength + this.#lastFrozen.byteLength + this.#lastHere.byteLength + (this.#pairs?.bytes ?? 0)
    for (const counts of this.#counts) bytes += counts.byteLength
    return bytes + this.#sets.bytes
  }
}

/** Members of a pane that closes join the window: how many were not in it. `last` and `here` as in the state. */
function enter(
  members: Int32Array,
  count: number,
  last: Float64Array,
  lastHere: Float64Array,
  pane: number,
  oldest: number,
  here: number,
): number {
  let fresh = 0
  for (let i = 0; i < count; i++) {
    const at = members[i]! * 2
    if (last[at]! > oldest) lastHere[last[at + 1]!]!--
    else fresh++
    last[at] = pane
    last[at + 1] = here
  }
  lastHere[here]! += count
  return fresh
}
