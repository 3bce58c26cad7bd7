// Rows into cells: finds the pane and group of each row, tells too late from late from on time by the watermark of the
// row's own partition, and notes the offsets behind each pane. The hot loop of every window.
import type { Batch } from './columns.ts'
import { grownBytes } from './int-set.ts'
import type { PaneClock } from './pane-clock.ts'
import { Groups, type Pane, PaneTable } from './panes.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { CELLS, type WindowState } from './window-state.ts'

export interface WindowInputSettings {
  readonly clock: PaneClock
  readonly latenessMs: number
  readonly partitions: number
  readonly groupWidth: number
  /** Ids of each group column. */
  readonly groupIds: readonly ((batch: Batch) => Int32Array)[]
}

/** Told of each row that comes too late, with the watermark it met. */
export type TooLate = (batch: Batch, row: number, watermarkMs: number) => void

const CACHE = 16

export class WindowInput {
  readonly table: PaneTable
  readonly groups: Groups
  readonly clock: PaneClock
  readonly partitions: number
  /** Newest event time taken in. */
  eventTimeMsMax = Number.NEGATIVE_INFINITY
  /** Panes up to this one are closed. */
  closed = Number.NEGATIVE_INFINITY
  /** Cells that changed since their last row. */
  changed: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** Result cells in use, for `grow`. */
  resultsHigh = 0
  states: readonly WindowState[] = []
  readonly #settings: WindowInputSettings
  readonly #cache: (Pane | undefined)[] = Array.from({ length: CACHE })
  #rows = new Int32Array(0)
  #cells = new Int32Array(0)
  #groupsOfRows = new Int32Array(0)
  #lateGroups = new Int32Array(0)

  constructor(settings: WindowInputSettings) {
    this.#settings = settings
    this.clock = settings.clock
    this.partitions = settings.partitions
    this.table = new PaneTable(settings.partitions)
    this.groups = new Groups(settings.groupWidth)
  }

  /** `correct` takes rows of closed panes inside the lateness; without it they go to their cells like all others. */
  take(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate, correct: CorrectRow | null): void {
    if (this.#rows.length < count) {
      this.#rows = new Int32Array(count)
      this.#cells = new Int32Array(count)
      this.#groupsOfRows = new Int32Array(count)
      this.#lateGroups = new Int32Array(count)
    }
    const { clock, table, closed } = this
    const { latenessMs } = this.#settings
    for (const state of this.states) state.prepare(batch)
    const groups = this.#groupsOfRows
    this.groups.assign(
      this.#settings.groupIds.map((ids) => ids(batch)),
      rows,
      count,
      groups,
    )
    const each = this.partitions * 2
    const part = batch.partition * 2
    let taken = 0
    let dropped = 0
    let floorMs = Number.NEGATIVE_INFINITY
    let floorMovesAtMs = Number.MIN_SAFE_INTEGER
    let eventTimeMsMax = this.eventTimeMsMax
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const timeMs = batch.times[row]!
      const watermarkMs = batch.watermarks[row]!
      if (watermarkMs >= floorMovesAtMs) {
        const pane = clock.paneOf(watermarkMs - latenessMs)
        floorMs = clock.startOf(pane)
        floorMovesAtMs = clock.startOf(pane + 1) + latenessMs
      }
      if (timeMs < floorMs) {
        this.#lateGroups[dropped++] = groups[i]!
        tooLate(batch, row, watermarkMs)
        continue
      }
      if (timeMs > eventTimeMsMax) eventTimeMsMax = timeMs
      const number = clock.paneOf(timeMs)
      let pane = this.#cache[number & (CACHE - 1)]
      if (pane === undefined || pane.number !== number) {
        pane = table.find(number) ?? table.add(number)
        this.#cache[number & (CACHE - 1)] = pane
      }
      const group = groups[i]!
      let cell = pane.cells.get(group)
      if (cell < 0) cell = this.#newCell(pane, group)
      const at = pane.slot * each + part
      const offset = batch.offsets[row]!
      if (offset < table.offsets[at]!) table.offsets[at] = offset
      if (offset > table.offsets[at + 1]!) table.offsets[at + 1] = offset
      if (correct !== null && number <= closed) {
        correct(row, pane, cell, group, offset)
        continue
      }
      this.changed[cell] = 1
      pane.changed = true
      this.#rows[taken] = row
      this.#cells[taken++] = cell
    }
    this.eventTimeMsMax = eventTimeMsMax
    for (const state of this.states) state.update(this.#rows, this.#cells, taken)
    if (dropped > 0) this.groups.dropUnused(this.#lateGroups, dropped)
  }

  #newCell(pane: Pane, group: number): number {
    const cell = this.table.addCell(pane, group)
    this.changed = grownBytes(this.changed, this.table.cells.high)
    this.changed[cell] = 0
    this.groups.use(group)
    this.grow()
    for (const state of this.states) state.clear(CELLS, cell)
    return cell
  }
  /** A cell of no pane, empty: for what an operator folds cells into. */
  spareCell(): number {
    const cell = this.table.cells.take()
    this.changed = grownBytes(this.changed, this.table.cells.high)
    this.changed[cell] = 0
    this.grow()
    for (const state of this.states) state.clear(CELLS, cell)
    return cell
  }
  /** Room in the states for every cell, group and result there is. */
  grow(): void {
    const [cells, groups] = [this.table.cells.high, this.groups.keys.high]
    for (const state of this.states) state.grow(cells, groups, this.resultsHigh)
  }
  /** Forgets panes up to `number`. */
  removeThrough(number: number): readonly Pane[] {
    const removed = this.table.removeThrough(number)
    if (removed.length === 0) return removed
    this.#cache.fill(undefined)
    for (const pane of removed)
      for (let i = 0; i < pane.cells.set.count; i++) this.groups.release(pane.cells.set.keys[i]!)
    return removed
  }
  write(out: StateWriter): void {
    // Records that were all too late may have left a free group number that no state has room for yet.
    this.grow()
    this.table.write(out)
    this.groups.write(out)
    out.f64(this.eventTimeMsMax)
    out.f64(this.closed)
    out.raw(this.changed.subarray(0, this.table.cells.high))
    const [cells, groups] = [this.table.cells.high, this.groups.keys.high]
    for (const state of this.states) state.write(out, cells, groups, this.resultsHigh)
  }
  /** `resultsHigh` must be restored before. */
  restore(from: StateReader): void {
    this.table.restore(from)
    this.groups.restore(from)
    this.eventTimeMsMax = from.f64()
    this.closed = from.f64()
    this.changed = new Uint8Array(from.raw())
    this.#cache.fill(undefined)
    for (const state of this.states) state.restore(from)
    this.grow()
  }
  bytes(): number {
    let bytes = this.table.bytes() + this.groups.bytes() + this.changed.byteLength
    for (const state of this.states) bytes += state.bytes()
    return bytes
  }
}

/** A row of a closed pane inside the lateness. */
export type CorrectRow = (row: number, pane: Pane, cell: number, group: number, offset: number) => void
