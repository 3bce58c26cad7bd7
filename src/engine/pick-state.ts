// First and last by event time, argmax, and the least and greatest text: of the records of a cell one is picked, and its
// value kept. Records rank by a key (none for first and last), then by event time, partition and offset: no two are equal,
// so what is picked does not depend on the order in which partitions come. Argmax takes the earliest of those with the
// greatest key.
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { MonotonicDeques } from './extreme-state.ts'
import type { ForeignIds } from './foreign-ids.ts'
import { grownFloats } from './int-set.ts'
import type { IdsOf } from './pane-gathering.ts'
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

/** Picked records by index. */
class Picks {
  /** Number, or id of a text; NaN where nothing is picked. */
  values: Float64Array<ArrayBuffer> = new Float64Array(0)
  #keys: Float64Array<ArrayBuffer> = new Float64Array(0)
  #times: Float64Array<ArrayBuffer> = new Float64Array(0)
  #partitions: Float64Array<ArrayBuffer> = new Float64Array(0)
  #offsets: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** 1: among equal keys the latest wins, -1: the earliest. */
  readonly #sign: 1 | -1
  /** How keys compare that are ids of texts; null: as numbers. */
  readonly #compareKeys: CompareKeys | null
  constructor(sign: 1 | -1, compareKeys: CompareKeys | null) {
    this.#sign = sign
    this.#compareKeys = compareKeys
  }
  grow(length: number): void {
    const before = this.values.length
    this.values = grownFloats(this.values, length)
    this.values.fill(Number.NaN, before)
    this.#keys = grownFloats(this.#keys, length)
    this.#times = grownFloats(this.#times, length)
    this.#partitions = grownFloats(this.#partitions, length)
    this.#offsets = grownFloats(this.#offsets, length)
  }
  clear(index: number): void {
    this.values[index] = Number.NaN
  }
  /** True if the record is picked now. */
  offer(index: number, value: number, key: number, timeMs: number, partition: number, offset: number): boolean {
    if (!Number.isNaN(this.values[index]!)) {
      const order =
        this.#orderOfKeys(key, this.#keys[index]!) ||
        (timeMs - this.#times[index]! || partition - this.#partitions[index]! || offset - this.#offsets[index]!) *
          this.#sign
      if (!(order > 0)) return false
    }
    this.values[index] = value
    this.#keys[index] = key
    this.#times[index] = timeMs
    this.#partitions[index] = partition
    this.#offsets[index] = offset
    return true
  }
  offerFrom(index: number, from: Picks, at: number): void {
    if (!Number.isNaN(from.values[at]!))
      this.offer(index, from.values[at]!, from.#keys[at]!, from.#times[at]!, from.#partitions[at]!, from.#offsets[at]!)
  }
  /** Positive if what is picked at `a` goes before what is picked at `b`. */
  order(a: number, b: number): number {
    return (
      this.#orderOfKeys(this.#keys[a]!, this.#keys[b]!) ||
      (this.#times[a]! - this.#times[b]! ||
        this.#partitions[a]! - this.#partitions[b]! ||
        this.#offsets[a]! - this.#offsets[b]!) * this.#sign
    )
  }
  #orderOfKeys(a: number, b: number): number {
    return this.#compareKeys === null ? a - b : a === b ? 0 : this.#compareKeys(a, b)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    for (const array of [this.values, this.#keys, this.#times, this.#partitions, this.#offsets])
      out.floats(gathered(array, cells, count), count)
  }
  /** Where values or keys are ids of texts, they are those of another thread. */
  takeIn(
    from: StateReader,
    cells: Int32Array,
    count: number,
    ids: ForeignIds<string> | ForeignIds<number> | null,
    keyIds: ForeignIds<string> | ForeignIds<number> | null,
  ): void {
    ids?.begin()
    keyIds?.begin()
    const [values, keys, times] = [from.floats(), from.floats(), from.floats()]
    const [partitions, offsets] = [from.floats(), from.floats()]
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(values[i]!)) continue
      const value = ids === null ? values[i]! : ids.of(values[i]!)
      const key = keyIds === null ? keys[i]! : keyIds.of(keys[i]!)
      this.offer(cells[i]!, value, key, times[i]!, partitions[i]!, offsets[i]!)
    }
  }
  mark(live: Uint8Array): void {
    for (const id of this.values) if (!Number.isNaN(id)) live[id] = 1
  }
  markKeys(live: Uint8Array): void {
    for (let i = 0; i < this.values.length; i++) if (!Number.isNaN(this.values[i]!)) live[this.#keys[i]!] = 1
  }
  write(out: StateWriter, count: number): void {
    for (const array of [this.values, this.#keys, this.#times, this.#partitions, this.#offsets])
      out.floats(array, count)
  }
  restore(from: StateReader): void {
    this.values = from.floats()
    this.#keys = from.floats()
    this.#times = from.floats()
    this.#partitions = from.floats()
    this.#offsets = from.floats()
  }
  bytes(): number {
    return this.values.byteLength * 5
  }
}

/** Positive if the first id goes before the second; never asked about equal ones. */
export type CompareKeys = (a: number, b: number) => number

export interface PickSettings {
  readonly of: NumberEvaluator
  /** What the greatest is picked by; null: event time alone. */
  readonly by: NumberEvaluator | null
  /** Where `by` gives ids of texts: how these compare, and the dictionary as the sweep knows it. */
  readonly texts: { readonly compare: CompareKeys; readonly column: string } | null
  readonly where: NumberEvaluator | null
  /** Among equals, the one that came latest or earliest in event time. */
  readonly pick: 'latest' | 'earliest'
  /** The dictionary of a text value, as the sweep knows it. */
  readonly column: string | null
}

export class PickState implements WindowState {
  readonly #settings: PickSettings
  readonly #filtered: Filtered
  readonly #sliding: boolean
  readonly #cells: Picks
  readonly #results: Picks
  readonly #preview: Picks
  /** Running windows: cells that may still be picked; the values of the deques only tell that a cell has one. */
  readonly #deques: MonotonicDeques
  #lanes = 0
  #values: Float64Array = new Float64Array(0)
  #keys: Float64Array | null = null
  #times: Float64Array = new Float64Array(0)
  #offsets: Float64Array = new Float64Array(0)
  #partition = 0

  constructor(settings: PickSettings, places: CellPlaces, sliding: boolean) {
    this.#settings = settings
    this.#filtered = new Filtered(settings.where)
    this.#sliding = sliding
    const sign = settings.pick === 'latest' ? 1 : -1
    const compare = settings.texts?.compare ?? null
    const cells = new Picks(sign, compare)
    this.#cells = cells
    this.#results = new Picks(sign, compare)
    this.#preview = new Picks(sign, compare)
    this.#deques = new MonotonicDeques(
      1,
      (cell) => places.slotPane[places.cellSlot[cell]!]!,
      (a, b) => cells.order(a, b),
    )
  }
  grow(cells: number, groups: number, results: number): void {
    this.#lanes = this.#sliding ? groups : 0
    this.#cells.grow(cells)
    this.#results.grow(results)
    this.#preview.grow(this.#lanes)
    if (this.#sliding) this.#deques.grow(cells, groups)
  }
  prepare(batch: Batch): void {
    this.#filtered.prepare(batch)
    this.#values = this.#settings.of(batch)
    this.#keys = this.#settings.by?.(batch) ?? null
    this.#times = batch.times
    this.#offsets = batch.offsets
    this.#partition = batch.partition
  }
  update(rows: Int32Array, cells: Int32Array, count: number): void {
    const filtered = this.#filtered
    filtered.take(rows, cells, count)
    for (let i = 0; i < filtered.count; i++) this.#offer(this.#cells, filtered.cells[i]!, filtered.rows[i]!)
    // Once per batch and cell would do; a mark costs less than finding out.
    if (this.#sliding) for (let i = 0; i < filtered.count; i++) this.#present(filtered.cells[i]!)
  }
  #offer(picks: Picks, index: number, row: number): boolean {
    const value = this.#values[row]!
    const key = this.#keys === null ? 0 : this.#keys[row]!
    if (Number.isNaN(value) || Number.isNaN(key)) return false
    return picks.offer(index, value, key, this.#times[row]!, this.#partition, this.#offsets[row]!)
  }
  #present(cell: number): void {
    if (!Number.isNaN(this.#cells.values[cell]!)) this.#deques.values[cell] = 0
  }
  read(place: Place, index: number): number {
    switch (place) {
      case CELLS:
        return this.#cells.values[index]!
      case RUNNING: {
        const cell = this.#deques.topNode(index)
        return cell < 0 ? Number.NaN : this.#cells.values[cell]!
      }
      case RESULTS:
        return this.#results.values[index]!
      case PREVIEW:
        return this.#preview.values[index]!
    }
  }
  readHigh(): number {
    return 0
  }
  clear(place: Place, index: number): void {
    if (place === CELLS) {
      this.#cells.clear(index)
      if (this.#sliding) this.#deques.clear(index)
    } else if (place === RESULTS) this.#results.clear(index)
  }
  merge(from: number, into: number): void {
    this.#cells.offerFrom(into, this.#cells, from)
  }
  give(out: StateWriter, cells: Int32Array, count: number): void {
    this.#cells.give(out, cells, count)
  }
  takeIn(from: StateReader, cells: Int32Array, count: number, idsOf: IdsOf): void {
    const { column, texts } = this.#settings
    this.#cells.takeIn(
      from,
      cells,
      count,
      column === null ? null : idsOf(column),
      texts === null ? null : idsOf(texts.column),
    )
    if (this.#sliding) for (let i = 0; i < count; i++) this.#present(cells[i]!)
  }
  enter(cell: number, group: number): void {
    this.#deques.push(group, cell)
  }
  leave(cell: number, group: number): void {
    this.#deques.leave(group, cell)
  }
  late(late: LateRow): void {
    if (!this.#filtered.holds(late.row)) return
    if (this.#offer(this.#cells, late.cell, late.row)) {
      this.#present(late.cell)
      if (late.running) this.#deques.improved(late.group, late.cell)
    }
    for (let i = 0; i < late.count; i++) this.#offer(this.#results, late.results[i]!, late.row)
  }
  keep(group: number, result: number): void {
    const cell = this.#deques.topNode(group)
    this.#results.clear(result)
    if (cell >= 0) this.#results.offerFrom(result, this.#cells, cell)
  }
  beginPreview(groups: number, leftPane: number): void {
    for (let group = 0; group < groups; group++) {
      const cell = this.#deques.topNodeAfter(group, leftPane)
      this.#preview.clear(group)
      if (cell >= 0) this.#preview.offerFrom(group, this.#cells, cell)
    }
  }
  previewLeave(): void {}
  previewEnter(cell: number, group: number): void {
    this.#preview.offerFrom(group, this.#cells, cell)
  }
  enterPane(): void {}
  previewEnterPane(): void {}
  freeze(): void {}
  tidy(): void {}
  write(out: StateWriter, cells: number, groups: number, results: number): void {
    const lanes = this.#sliding ? groups : 0
    this.#cells.write(out, cells)
    this.#results.write(out, results)
    out.u32(lanes)
    if (this.#sliding) this.#deques.write(out, cells, lanes)
  }
  restore(from: StateReader): void {
    this.#cells.restore(from)
    this.#results.restore(from)
    this.#lanes = from.u32()
    if (this.#sliding) this.#deques.restore(from, this.#lanes)
  }
  mark(column: string, live: Uint8Array): void {
    if (column === this.#settings.column) {
      this.#cells.mark(live)
      this.#results.mark(live)
    }
    if (column === this.#settings.texts?.column) {
      this.#cells.markKeys(live)
      this.#results.markKeys(live)
    }
  }
  bytes(): number {
    return this.#cells.bytes() + this.#results.bytes() + this.#preview.bytes() + this.#deques.bytes()
  }
}

/** Ids of texts as numbers, null as NaN. */
export function idNumbers(ids: (batch: Batch) => Int32Array): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    const values = ids(batch)
    out = grownFloats(out, batch.rows)
    for (let row = 0; row < batch.rows; row++) out[row] = values[row]! < 0 ? Number.NaN : values[row]!
    return out
  }
}
