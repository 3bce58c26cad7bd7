// Rows into cells: finds the pane and group of each row, tells too late from late from on time by the watermark of the
// row's own partition, and notes the offsets behind each pane. The hot loop of every window.
import type { Batch } from './columns.ts'
import { grownBytes, grownInts } from './int-set.ts'
import type { PaneClock } from './pane-clock.ts'
import { Groups, type Pane, PaneTable } from './panes.ts'
import { widen } from './row-table.ts'
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

/** Panes found last, by their number's low bits. */
const CACHE = 64

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
  /** So much room the states have; -1 after they were restored. */
  #grownCells = -1
  #grownGroups = -1
  #grownResults = -1
  readonly #settings: WindowInputSettings
  readonly #cacheNumbers = new Float64Array(CACHE).fill(Number.NaN)
  readonly #cacheSlots = new Int32Array(CACHE)
  /** What is left of the rows once late ones are sorted out. */
  #onTime = new Int32Array(0)
  /** Slot of the pane of each row. */
  #slots = new Int32Array(0)
  /** Rows by pane, panes in the order of their first row; and the cell of each. */
  #rows = new Int32Array(0)
  #cells = new Int32Array(0)
  /** Group of each row of the batch. */
  #groupsOfRows = new Int32Array(0)
  /** Groups of the rows that were too late. */
  #lateGroups = new Int32Array(0)
  #dropped = 0
  /** Panes of the batch: slots in the order of their first row, rows of each (by slot), where they end. */
  #runSlots = new Int32Array(CACHE)
  #runCounts = new Int32Array(CACHE)
  #runEnds = new Int32Array(CACHE)
  #runs = 0
  /** Cell of each group in the pane at hand, plus one. */
  #direct = new Int32Array(0)

  constructor(settings: WindowInputSettings) {
    this.#settings = settings
    this.clock = settings.clock
    this.partitions = settings.partitions
    this.table = new PaneTable(settings.partitions)
    this.groups = new Groups(settings.groupWidth)
  }

  /** `correct` takes rows of closed panes inside the lateness; without it they go to their cells like all others. */
  take(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate, correct: CorrectRow | null): void {
    if (count === 0) return
    if (this.#rows.length < count) {
      this.#rows = new Int32Array(count)
      this.#cells = new Int32Array(count)
      this.#slots = new Int32Array(count)
      this.#onTime = new Int32Array(count)
      this.#lateGroups = new Int32Array(count)
    }
    if (this.#groupsOfRows.length < batch.rows) this.#groupsOfRows = new Int32Array(batch.rows)
    for (const state of this.states) state.prepare(batch)
    const { groupIds, groupWidth } = this.#settings
    if (groupWidth === 0) this.groups.assignNone()
    else
      this.groups.assign(
        groupIds.map((ids) => ids(batch)),
        rows,
        count,
        this.#groupsOfRows,
      )
    let [kept, keptCount] = [rows, count]
    this.#dropped = 0
    if (this.#someLate(batch, rows, count, correct !== null)) {
      kept = this.#onTime
      keptCount = this.#sortOutLate(batch, rows, count, tooLate, correct)
    }
    if (keptCount > 0) {
      this.#findPanes(batch, kept, keptCount)
      const byPane = this.#byPane(kept, keptCount)
      this.#noteRuns(batch, byPane)
      if (groupWidth === 0) this.#takeRuns(byPane, keptCount)
      else this.#takeCells(byPane, keptCount)
    }
    // Only now is it known which groups have no cell.
    if (this.#dropped > 0) this.groups.dropUnused(this.#lateGroups, this.#dropped)
  }

  /** May a row be of a closed pane, or too late? Told by the oldest row and the newest watermark. */
  #someLate(batch: Batch, rows: Int32Array, count: number, corrects: boolean): boolean {
    const { times } = batch
    let oldestMs = Number.POSITIVE_INFINITY
    let newestMs = Number.NEGATIVE_INFINITY
    for (let i = 0; i < count; i++) {
      const timeMs = times[rows[i]!]!
      if (timeMs < oldestMs) oldestMs = timeMs
      if (timeMs > newestMs) newestMs = timeMs
    }
    const { clock } = this
    const floor = clock.paneOf(batch.watermarks[rows[count - 1]!]! - this.#settings.latenessMs)
    const oldest = clock.paneOf(oldestMs)
    const late = oldest < floor || (corrects && oldest <= this.closed)
    // Rows that are too late do not count as seen.
    if (!late && newestMs > this.eventTimeMsMax) this.eventTimeMsMax = newestMs
    return late
  }

  /** Tells of rows that are too late, hands over those of closed panes, and lists the others in `#onTime`. */
  #sortOutLate(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate, correct: CorrectRow | null): number {
    const { clock, table, closed } = this
    const { latenessMs, groupWidth } = this.#settings
    const onTime = this.#onTime
    const each = this.partitions * 2
    const part = batch.partition * 2
    const derived = batch.derived ?? null
    const closedEndMs = Number.isFinite(closed) ? clock.startOf(closed + 1) : closed
    let kept = 0
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
        this.#lateGroups[dropped++] = groupWidth === 0 ? 0 : this.#groupsOfRows[row]!
        tooLate(batch, row, watermarkMs)
        continue
      }
      if (timeMs > eventTimeMsMax) eventTimeMsMax = timeMs
      if (correct === null || timeMs >= closedEndMs) {
        onTime[kept++] = row
        continue
      }
      const pane = this.#paneAt(clock.paneOf(timeMs))
      const group = groupWidth === 0 ? 0 : this.#groupsOfRows[row]!
      let cell = pane.cells.get(group)
      if (cell < 0) cell = this.#newCell(pane, group)
      const at = pane.slot * each + part
      if (derived === null) {
        const offset = batch.offsets[row]!
        if (offset < table.offsets[at]!) table.offsets[at] = offset
        if (offset > table.offsets[at + 1]!) table.offsets[at + 1] = offset
      } else widen(table.offsets, pane.slot * each, derived.offsets, derived.evidence[row]!, each)
      correct(row, pane, cell, group)
    }
    this.eventTimeMsMax = eventTimeMsMax
    this.#dropped = dropped
    return kept
  }

  /** Fills `#slots`, and counts the rows of each pane. */
  #findPanes(batch: Batch, rows: Int32Array, count: number): void {
    const { clock } = this
    const { lengthMs } = clock
    const [times, slots, numbers, cached] = [batch.times, this.#slots, this.#cacheNumbers, this.#cacheSlots]
    this.#runs = 0
    for (let i = 0; i < count; i++) {
      const timeMs = times[rows[i]!]!
      const number = lengthMs > 0 ? Math.floor(timeMs / lengthMs) : clock.paneOf(timeMs)
      const at = number & (CACHE - 1)
      const slot = numbers[at] === number ? cached[at]! : this.#paneAt(number).slot
      slots[i] = slot
      const before = slot < this.#runCounts.length ? this.#runCounts[slot]! : 0
      if (before === 0) this.#newRun(slot)
      this.#runCounts[slot] = before + 1
    }
  }
  #newRun(slot: number): void {
    this.#runCounts = grownInts(this.#runCounts, slot + 1)
    this.#runEnds = grownInts(this.#runEnds, slot + 1)
    this.#runSlots = grownInts(this.#runSlots, this.#runs + 1)
    this.#runSlots[this.#runs++] = slot
  }
  #paneAt(number: number): Pane {
    const pane = this.table.find(number) ?? this.table.add(number)
    this.#cacheNumbers[number & (CACHE - 1)] = number
    this.#cacheSlots[number & (CACHE - 1)] = pane.slot
    return pane
  }

  /** The rows pane by pane, in their order within each; `#runEnds` tells by slot where they end. */
  #byPane(rows: Int32Array, count: number): Int32Array {
    const [slots, counts, ends] = [this.#slots, this.#runCounts, this.#runEnds]
    let end = 0
    for (let run = 0; run < this.#runs; run++) {
      const slot = this.#runSlots[run]!
      ends[slot] = end
      end += counts[slot]!
      counts[slot] = 0
    }
    if (this.#runs === 1) {
      ends[this.#runSlots[0]!] = count
      return rows
    }
    const byPane = this.#rows
    for (let i = 0; i < count; i++) byPane[ends[slots[i]!]!++] = rows[i]!
    return byPane
  }

  /** Offsets behind each pane: rows of a batch come in the order of their offsets. */
  #noteRuns(batch: Batch, rows: Int32Array): void {
    const { offsets } = this.table
    const each = this.partitions * 2
    const part = batch.partition * 2
    const derived = batch.derived ?? null
    let from = 0
    for (let run = 0; run < this.#runs; run++) {
      const slot = this.#runSlots[run]!
      const to = this.#runEnds[slot]!
      this.table.paneIn(slot).changed = true
      if (derived !== null) {
        for (let i = from; i < to; i++) widen(offsets, slot * each, derived.offsets, derived.evidence[rows[i]!]!, each)
        from = to
        continue
      }
      const at = slot * each + part
      const [first, last] = [batch.offsets[rows[from]!]!, batch.offsets[rows[to - 1]!]!]
      if (first < offsets[at]!) offsets[at] = first
      if (last > offsets[at + 1]!) offsets[at + 1] = last
      from = to
    }
  }

  /** Without groups a pane is one cell. */
  #takeRuns(rows: Int32Array, count: number): void {
    const { states } = this
    let from = 0
    let byCell = false
    for (let run = 0; run < this.#runs; run++) {
      const slot = this.#runSlots[run]!
      const to = this.#runEnds[slot]!
      const pane = this.table.paneIn(slot)
      let cell = pane.cells.get(0)
      if (cell < 0) cell = this.#newCell(pane, 0)
      this.changed[cell] = 1
      for (let i = 0; i < states.length; i++) {
        const state = states[i]!
        if (state.updateRun === undefined) byCell = true
        else state.updateRun(rows, from, to, cell)
      }
      if (byCell) this.#cells.fill(cell, from, to)
      from = to
    }
    if (!byCell) return
    for (const state of states) if (state.updateRun === undefined) state.update(rows, this.#cells, count)
  }

  #takeCells(rows: Int32Array, count: number): void {
    let from = 0
    for (let run = 0; run < this.#runs; run++) {
      const slot = this.#runSlots[run]!
      const to = this.#runEnds[slot]!
      const pane = this.table.paneIn(slot)
      // Worth it where the pane has no more cells than the run has rows; a table of a million groups stays untouched.
      if (pane.cells.set.count <= to - from) this.#cellsDirectly(pane, rows, from, to)
      else this.#cellsByMap(pane, rows, from, to)
      from = to
    }
    for (const state of this.states) state.update(rows, this.#cells, count)
  }
  #cellsByMap(pane: Pane, rows: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const group = this.#groupsOfRows[rows[i]!]!
      let cell = pane.cells.get(group)
      if (cell < 0) cell = this.#newCell(pane, group)
      this.changed[cell] = 1
      this.#cells[i] = cell
    }
  }
  #cellsDirectly(pane: Pane, rows: Int32Array, from: number, to: number): void {
    this.#direct = grownInts(this.#direct, this.groups.keys.high)
    const [direct, groups, cells] = [this.#direct, this.#groupsOfRows, this.#cells]
    const { set, values } = pane.cells
    for (let k = 0; k < set.count; k++) direct[set.keys[k]!] = values[k]! + 1
    let { changed } = this
    for (let i = from; i < to; i++) {
      const group = groups[rows[i]!]!
      let cell = direct[group]! - 1
      if (cell < 0) {
        cell = this.#newCell(pane, group)
        direct[group] = cell + 1
        changed = this.changed
      }
      changed[cell] = 1
      cells[i] = cell
    }
    const now = pane.cells.set
    for (let k = 0; k < now.count; k++) direct[now.keys[k]!] = 0
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
  /** The cell of a group that took something on another thread; it counts as changed. */
  cellFor(number: number, group: number): number {
    const pane = this.table.find(number) ?? this.table.add(number)
    let cell = pane.cells.get(group)
    if (cell < 0) cell = this.#newCell(pane, group)
    this.changed[cell] = 1
    pane.changed = true
    return cell
  }
  /** A cell of no pane, empty: for what an operator folds cells into. */
  spareCell(group: number): number {
    const cell = this.table.cells.take()
    this.table.cellGroup = grownInts(this.table.cellGroup, cell + 1)
    this.table.cellGroup[cell] = group
    this.changed = grownBytes(this.changed, this.table.cells.high)
    this.changed[cell] = 0
    this.grow()
    for (const state of this.states) state.clear(CELLS, cell)
    return cell
  }
  /** Room in the states for every cell, group and result there is. */
  grow(): void {
    const cells = this.table.cells.high
    const groups = this.groups.keys.high
    if (cells === this.#grownCells && groups === this.#grownGroups && this.resultsHigh === this.#grownResults) return
    this.#grownCells = cells
    this.#grownGroups = groups
    this.#grownResults = this.resultsHigh
    for (const state of this.states) state.grow(cells, groups, this.resultsHigh)
  }
  /** Forgets panes up to `number`. */
  removeThrough(number: number): readonly Pane[] {
    const removed = this.table.removeThrough(number)
    if (removed.length === 0) return removed
    this.#cacheNumbers.fill(Number.NaN)
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
    this.#cacheNumbers.fill(Number.NaN)
    for (const state of this.states) state.restore(from)
    this.#grownCells = -1
    this.grow()
  }
  bytes(): number {
    let bytes = this.table.bytes() + this.groups.bytes() + this.changed.byteLength
    for (const state of this.states) bytes += state.bytes()
    return bytes
  }
}

/** A row of a closed pane inside the lateness. */
export type CorrectRow = (row: number, pane: Pane, cell: number, group: number) => void
