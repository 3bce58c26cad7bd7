// Exact distinct counts in windows of one pane each: a set of (cell, id) per pane. `sliding-distinct.ts` has the ones that
// slide.
import type { Batch } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats, grownInts, IntMap, TupleIndex } from './int-set.ts'
import type { IdsOf } from './pane-gathering.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { CELLS, type CellPlaces, Filtered, type Place, type WindowState } from './window-state.ts'

/** Ids of the values of a column, -1 for null. */
export type IdEvaluator = (batch: Batch) => Int32Array
/** The ids, and the dictionary behind them under the name the sweep knows it by. */
export interface Counted {
  readonly column: string
  readonly ids: IdEvaluator
}

/** Numbers as ids, by a dictionary of the state's own. */
export function numberIds(values: NumberEvaluator, dictionary: Dictionary<number>): IdEvaluator {
  let ids = new Int32Array(0)
  return (batch) => {
    const numbers = values(batch)
    ids = grownInts(ids, batch.rows)
    for (let row = 0; row < batch.rows; row++) {
      const value = numbers[row]!
      ids[row] = Number.isNaN(value) ? -1 : dictionary.idOf(value)
    }
    return ids
  }
}

/** For windows of one pane. */
export class PaneDistinct implements WindowState {
  readonly #counted: Counted
  readonly #filtered: Filtered
  readonly #places: CellPlaces
  #ids: Int32Array = new Int32Array(0)
  #counts: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** By pane slot: members are (cell, id). */
  readonly #sets: (TupleIndex | undefined)[] = []
  readonly #pair = new Int32Array(2)

  constructor(counted: Counted, where: NumberEvaluator | null, places: CellPlaces) {
    this.#counted = counted
    this.#filtered = new Filtered(where)
    this.#places = places
  }
  grow(cells: number): void {
    this.#counts = grownFloats(this.#counts, cells)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#ids = this.#counted.ids(batch)
  }
  update(allRows: Int32Array, allCells: Int32Array, all: number): void {
    this.#filtered.take(allRows, allCells, all)
    const { rows, cells, count } = this.#filtered
    const pair = this.#pair
    for (let i = 0; i < count; i++) {
      const id = this.#ids[rows[i]!]!
      if (id < 0) continue
      const cell = cells[i]!
      const set = this.#setOf(this.#places.cellSlot[cell]!)
      pair[0] = cell
      pair[1] = id
      const before = set.count
      set.add(pair, 0)
      if (set.count !== before) this.#counts[cell]!++
    }
  }
  #setOf(slot: number): TupleIndex {
    let set = this.#sets[slot]
    if (set === undefined) {
      set = new TupleIndex(2)
      this.#sets[slot] = set
    }
    return set
  }
  read(_place: Place, index: number): number {
    return this.#counts[index]!
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    if (place === CELLS) this.#counts[index] = 0
  }
  /** Where each cell is a slot of its own. */
  merge(from: number, into: number): void {
    const set = this.#sets[from]
    if (set === undefined) return
    const [target, pair] = [this.#setOf(into), this.#pair]
    const before = target.count
    for (let i = 0; i < set.high; i++) {
      pair[0] = into
      pair[1] = set.keys[i * 2 + 1]!
      target.add(pair, 0)
    }
    this.#counts[into]! += target.count - before
  }
  /** (place of the cell in the list, id) for each member of the pane's set. */
  give(out: StateWriter, cells: Int32Array, count: number): void {
    const slots = new Set<number>()
    for (let i = 0; i < count; i++) slots.add(this.#places.cellSlot[cells[i]!]!)
    const sets = [...slots].map((slot) => this.#sets[slot]).filter((set) => set !== undefined)
    const members = new Int32Array(sets.reduce((sum, { high }) => sum + high * 2, 0))
    let at = 0
    for (const { keys, high } of sets) {
      members.set(keys.subarray(0, high * 2), at)
      at += high * 2
    }
    givePairs(
      out,
      cells,
      count,
      at / 2,
      (i) => members[i * 2]!,
      (i) => members[i * 2 + 1]!,
    )
  }
  takeIn(from: StateReader, cells: Int32Array, _count: number, idsOf: IdsOf): void {
    takePairs(from, cells, idsOf(this.#counted.column), (cell, id) => {
      const set = this.#setOf(this.#places.cellSlot[cell]!)
      const before = set.count
      this.#pair[0] = cell
      this.#pair[1] = id
      set.add(this.#pair, 0)
      if (set.count !== before) this.#counts[cell]!++
    })
  }
  freeze(slot: number): void {
    this.#sets[slot] = undefined
  }
  tidy(): void {}
  enter(): void {}
  enterPane(): void {}
  leave(): void {}
  late(): void {}
  keep(): void {}
  beginPreview(): void {}
  previewLeave(): void {}
  previewEnter(): void {}
  previewEnterPane(): void {}
  write(out: StateWriter, cells: number): void {
    out.floats(this.#counts, cells)
    const slots = [...this.#sets.keys()].filter((slot) => this.#sets[slot] !== undefined)
    out.u32(slots.length)
    for (const slot of slots) {
      out.u32(slot)
      out.tuples(this.#setOf(slot))
    }
  }
  restore(from: StateReader): void {
    this.#counts = from.floats()
    this.#sets.length = 0
    const slots = from.u32()
    for (let i = 0; i < slots; i++) from.tuples(this.#setOf(from.u32()))
  }
  mark(column: string, live: Uint8Array): void {
    if (column !== this.#counted.column) return
    for (const set of this.#sets)
      if (set !== undefined) for (let i = 0; i < set.high; i++) live[set.keys[i * 2 + 1]!] = 1
  }
  bytes(): number {
    let bytes = this.#counts.byteLength
    for (const set of this.#sets) bytes += set?.bytes ?? 0
    return bytes
  }
}

/** Members of a pane's set as (place of the cell in the list, id). */
export function givePairs(
  out: StateWriter,
  cells: Int32Array,
  count: number,
  members: number,
  cellOf: (member: number) => number,
  idOf: (member: number) => number,
): void {
  const places = new Int32Array(members)
  const ids = new Int32Array(members)
  const placeOf = new IntMap()
  for (let i = 0; i < count; i++) placeOf.insert(cells[i]!, i)
  for (let i = 0; i < members; i++) {
    places[i] = count === 1 ? 0 : placeOf.get(cellOf(i))
    ids[i] = idOf(i)
  }
  out.ints(places, members)
  out.ints(ids, members)
}
export function takePairs(
  from: StateReader,
  cells: Int32Array,
  foreign: ReturnType<IdsOf>,
  take: (cell: number, id: number) => void,
): void {
  const [places, ids] = [from.lentInts(), from.lentInts()]
  foreign?.begin()
  for (let i = 0; i < ids.length; i++) take(cells[places[i]!]!, foreign === null ? ids[i]! : foreign.of(ids[i]!))
}
