// Cumulative windows: [k size, k size + j step) for j = 1, 2, … up to the size: a day so far, every minute. Panes of one
// step; per group a running cell that takes in each pane as it closes and is dropped at the end of its period. Panes of
// a period are kept until its last window can no longer change, so that late records are folded in anew, by group and
// once per correction, however many they were.
import type { Batch } from './columns.ts'
import { paneGathering } from './pane-gathering.ts'
import type { Pane } from './panes.ts'
import { EARLY, LATE, ON_TIME } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate, WindowInput } from './window-input.ts'
import type { Gathering, WindowOperator } from './window-operator.ts'
import type { WindowRows } from './window-rows.ts'
import { CELLS } from './window-state.ts'

export interface CumulativeSettings {
  /** Panes in a period. */
  readonly width: number
  readonly latenessMs: number
  readonly groupColumns: readonly string[]
}

/** What panes of one period come to, up to one of them: a cell per group, and the offsets behind all. */
interface Fold {
  readonly cells: Map<number, number>
  readonly offsets: Float64Array<ArrayBuffer>
}

export class CumulativeWindows implements WindowOperator {
  readonly gathering: Gathering | null
  readonly #input: WindowInput
  readonly #rows: WindowRows
  readonly #settings: CumulativeSettings
  #frozen = Number.NEGATIVE_INFINITY
  /** Closed panes of the period that is under way. */
  #running: Fold
  #period = Number.NaN
  #previewDue = false

  constructor(input: WindowInput, rows: WindowRows, settings: CumulativeSettings) {
    this.#input = input
    this.#rows = rows
    this.#settings = settings
    this.#running = this.#newFold()
    this.gathering = paneGathering(input, settings.groupColumns, true, () => {
      this.#previewDue = true
    })
  }
  push(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate): void {
    this.#previewDue ||= count > 0
    this.#input.take(batch, rows, count, tooLate, null)
  }
  advance(watermarkMs: number): void {
    const { clock } = this.#input
    const closing = Math.max(this.#input.closed, clock.paneOf(watermarkMs) - 1)
    const freezing = Math.max(this.#frozen, clock.paneOf(watermarkMs - this.#settings.latenessMs) - 1)
    if (closing === this.#input.closed && freezing === this.#frozen) return
    this.#correct()
    this.#close(closing)
    this.#freeze(freezing)
  }
  #close(closing: number): void {
    const { table } = this.#input
    let window = this.#input.closed + 1
    while (window <= closing) {
      if (this.#periodOf(window) !== this.#period) this.#begin(this.#periodOf(window))
      if (this.#running.cells.size === 0) {
        const next = table.panes[table.indexAfter(window - 1)]
        if (next === undefined || next.number > closing) break
        window = next.number
        this.#period = this.#periodOf(window)
      }
      const pane = table.find(window)
      if (pane !== undefined) {
        this.#fold(pane, this.#running, null)
        this.#settle(pane)
      }
      const { cells } = this.#running
      this.#emit(window, ON_TIME, this.#running, [...cells.keys()])
      window++
    }
    this.#input.closed = closing
  }
  #periodOf(pane: number): number {
    return Math.floor(pane / this.#settings.width)
  }
  #begin(period: number): void {
    this.#drop(this.#running)
    this.#running = this.#newFold()
    this.#period = period
  }
  #freeze(freezing: number): void {
    this.#frozen = freezing
    this.#rows.forget(this.#input.clock, freezing)
    const through = Math.floor((freezing + 1) / this.#settings.width) * this.#settings.width - 1
    for (const pane of this.#input.removeThrough(through))
      for (let i = 0; i < pane.cells.set.count; i++)
        for (const state of this.#input.states) state.freeze(pane.cells.values[i]!)
  }
  tick(running: boolean): void {
    this.#correct()
    if (!running || !this.#previewDue) return
    this.#previewDue = false
    this.#preview()
  }

  /** Rows of closed windows whose panes took late records since. */
  #correct(): void {
    const { table, closed } = this.#input
    const changed = table.panes.filter((pane) => pane.changed && pane.number <= closed)
    for (const [period, panes] of Map.groupBy(changed, (pane) => this.#periodOf(pane.number)))
      this.#correctPeriod(period, panes)
  }
  #correctPeriod(period: number, panes: readonly Pane[]): void {
    const { table, closed, changed } = this.#input
    const { width } = this.#settings
    /** First pane that changed, by group. */
    const since = new Map<number, number>()
    for (const pane of panes) {
      const { set, values } = pane.cells
      for (let i = 0; i < set.count; i++)
        if (changed[values[i]!] === 1 && !since.has(set.keys[i]!)) since.set(set.keys[i]!, pane.number)
      this.#settle(pane)
    }
    const only = this.#rows.whole ? null : since
    const fold = this.#newFold()
    const from = panes[0]!.number
    const last = Math.min(closed, period * width + width - 1)
    for (let window = period * width; window <= last; window++) {
      const pane = table.find(window)
      if (pane !== undefined) this.#fold(pane, fold, only)
      if (window < from) continue
      const due = [...fold.cells.keys()].filter((group) => only === null || since.get(group)! <= window)
      this.#emit(window, LATE, fold, due)
    }
    if (this.#periodOf(closed + 1) === period) {
      if (this.#period !== period) this.#begin(period)
      this.#adopt(fold)
    } else this.#drop(fold)
  }
  /** What was folded anew replaces what ran, group by group. */
  #adopt(fold: Fold): void {
    const { cells, offsets } = this.#running
    for (const [group, cell] of fold.cells) {
      const before = cells.get(group)
      cells.set(group, cell)
      if (before !== undefined) this.#give(group, before)
    }
    offsets.set(fold.offsets)
  }
  /** Running rows of the newest window only: the one that ends with the pane of the newest record. */
  #preview(): void {
    const { clock, table, closed, eventTimeMsMax } = this.#input
    const window = clock.paneOf(eventTimeMsMax)
    if (!(window > closed)) return
    const period = this.#periodOf(window)
    const fold = this.#newFold()
    if (this.#period === period) {
      for (const [group, cell] of this.#running.cells) this.#add(fold, group, cell)
      fold.offsets.set(this.#running.offsets)
    }
    for (let i = table.indexAfter(Math.max(closed, period * this.#settings.width - 1)); i < table.panes.length; i++)
      if (table.panes[i]!.number <= window) this.#fold(table.panes[i]!, fold, null)
    this.#emit(window, EARLY, fold, [...fold.cells.keys()])
    this.#drop(fold)
  }
  #emit(window: number, timing: typeof EARLY | typeof ON_TIME | typeof LATE, fold: Fold, groups: number[]): void {
    if (groups.length === 0) return
    const { clock } = this.#input
    const [startMs, endMs] = [clock.startOf(this.#periodOf(window) * this.#settings.width), clock.startOf(window + 1)]
    const evidence = this.#rows.evidence(fold.offsets, 0)
    this.#rows.emitGroups(startMs, endMs, timing, evidence, CELLS, groups, (group) => fold.cells.get(group)!)
  }

  #newFold(): Fold {
    const offsets = new Float64Array(this.#input.partitions * 2)
    for (let i = 0; i < offsets.length; i += 2) {
      offsets[i] = Number.POSITIVE_INFINITY
      offsets[i + 1] = -1
    }
    return { cells: new Map(), offsets }
  }
  /** Adds a pane's cells, of all groups or some, and its offsets. */
  #fold(pane: Pane, fold: Fold, only: ReadonlyMap<number, number> | null): void {
    const { set, values } = pane.cells
    for (let i = 0; i < set.count; i++)
      if (only === null || only.has(set.keys[i]!)) this.#add(fold, set.keys[i]!, values[i]!)
    const { offsets } = this.#input.table
    for (let i = 0; i < fold.offsets.length; i += 2) {
      const at = pane.slot * fold.offsets.length + i
      if (offsets[at]! < fold.offsets[i]!) fold.offsets[i] = offsets[at]!
      if (offsets[at + 1]! > fold.offsets[i + 1]!) fold.offsets[i + 1] = offsets[at + 1]!
    }
  }
  #add(fold: Fold, group: number, from: number): void {
    let cell = fold.cells.get(group)
    if (cell === undefined) {
      cell = this.#input.spareCell(group)
      this.#input.groups.use(group)
      fold.cells.set(group, cell)
    }
    for (const state of this.#input.states) state.merge(from, cell)
  }
  #drop(fold: Fold): void {
    for (const [group, cell] of fold.cells) this.#give(group, cell)
  }
  #give(group: number, cell: number): void {
    for (const state of this.#input.states) state.freeze(cell)
    this.#input.table.cells.give(cell)
    this.#input.groups.release(group)
  }
  /** Its rows are out. */
  #settle(pane: Pane): void {
    const { set, values } = pane.cells
    for (let i = 0; i < set.count; i++) this.#input.changed[values[i]!] = 0
    pane.changed = false
  }

  write(out: StateWriter): void {
    out.f64(this.#frozen)
    out.f64(this.#period)
    out.u32(this.#previewDue ? 1 : 0)
    out.numbers([...this.#running.cells.keys()])
    out.numbers([...this.#running.cells.values()])
    out.floats(this.#running.offsets, this.#running.offsets.length)
    this.#input.write(out)
    this.#rows.write(out)
  }
  restore(from: StateReader): void {
    this.#frozen = from.f64()
    this.#period = from.f64()
    this.#previewDue = from.u32() === 1
    const groups = from.numbers()
    const cells = from.numbers()
    this.#running = { cells: new Map(groups.map((group, i) => [group, cells[i]!])), offsets: from.floats() }
    this.#input.restore(from)
    this.#rows.restore(from)
  }
  mark(column: string, live: Uint8Array): void {
    for (const state of this.#input.states) state.mark(column, live)
    this.#settings.groupColumns.forEach((name, i) => {
      if (name === column) this.#input.groups.mark(i, live)
    })
  }
  bytes(): number {
    return this.#input.bytes() + this.#rows.bytes() + this.#running.cells.size * 40
  }
}
