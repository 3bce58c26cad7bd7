// Session windows: per group, records closer than the gap to their neighbours; [first, last + gap). A record exactly one
// gap after the last begins a new session, as windows are open at their end.
//
// A session is a cell of the states. Those of a group hang in a chain from the newest to the oldest, so a record in
// order meets its session at once; a late one may join two, which merges their cells. Sessions wake from a heap by time:
// to close, and to be forgotten. A heap entry may come early (the session has grown since) but never late.
//
// Late is what would be beyond the lateness as a session of its own: that depends on the record and its partition alone.
// Such a record in time may still touch a session that closed up to one gap ago, so sessions are kept that much longer
// than the lateness. What was given out under bounds that no longer stand is retracted when its successor comes out.
import type { Batch } from './columns.ts'
import { grownBytes, grownInts } from './int-set.ts'
import { type Groups, Numbers, type OwnSlots } from './panes.ts'
import { EARLY, LATE, ON_TIME, type TimingIndex } from './results.ts'
import { widen } from './row-table.ts'
import { SessionBounds } from './session-bounds.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { TimeHeap } from './time-heap.ts'
import type { TooLate } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
import type { WindowRows } from './window-rows.ts'
import { CELLS, type WindowState } from './window-state.ts'

export interface SessionSettings {
  readonly gapMs: number
  readonly latenessMs: number
  readonly partitions: number
  /** Ids of each group column. */
  readonly groupIds: readonly ((batch: Batch) => Int32Array)[]
  readonly groupColumns: readonly string[]
  /** The plan gives out running rows. */
  readonly runs: boolean
}

/** What became of a cell. */
const FREE = 0
const OPEN = 1
const CLOSED = 2
/** Merged into another; the heap still names it. */
const MERGED = 3
/** In the list of running rows, in the list of corrections. */
const LISTED_RUNNING = 1
const LISTED_CORRECTION = 2

export class SessionWindows implements WindowOperator {
  readonly #groups: Groups
  readonly #slots: OwnSlots
  readonly #states: readonly WindowState[]
  readonly #rows: WindowRows
  readonly #settings: SessionSettings
  readonly #cells = new Numbers()
  readonly #bounds: SessionBounds
  readonly #heap = new TimeHeap()
  #phase: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #listed: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** Entries of the heap that name the cell. */
  #entries: Int32Array<ArrayBuffer> = new Int32Array(0)
  #running: number[] = []
  #corrections: number[] = []
  #watermarkMs = Number.NEGATIVE_INFINITY
  #groupsOfRows = new Int32Array(0)
  #takenRows = new Int32Array(0)
  #takenCells = new Int32Array(0)
  #lateGroups = new Int32Array(0)

  constructor(
    groups: Groups,
    slots: OwnSlots,
    states: readonly WindowState[],
    rows: WindowRows,
    settings: SessionSettings,
  ) {
    this.#groups = groups
    this.#slots = slots
    this.#states = states
    this.#rows = rows
    this.#settings = settings
    this.#bounds = new SessionBounds(settings.partitions)
  }

  push(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate): void {
    const { gapMs, latenessMs } = this.#settings
    if (this.#takenRows.length < count) {
      this.#takenRows = new Int32Array(count)
      this.#takenCells = new Int32Array(count)
      this.#lateGroups = new Int32Array(count)
    }
    if (this.#groupsOfRows.length < batch.rows) this.#groupsOfRows = new Int32Array(batch.rows)
    for (const state of this.#states) state.prepare(batch)
    const groups = this.#groupsOfRows
    this.#groups.assign(
      this.#settings.groupIds.map((ids) => ids(batch)),
      rows,
      count,
      groups,
    )
    const bounds = this.#bounds
    bounds.growGroups(this.#groups.keys.high)
    const each = this.#settings.partitions * 2
    const derived = batch.derived ?? null
    let taken = 0
    let dropped = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const timeMs = batch.times[row]!
      const watermarkMs = batch.watermarks[row]!
      const group = groups[row]!
      if (timeMs + gapMs + latenessMs <= watermarkMs) {
        this.#lateGroups[dropped++] = group
        tooLate(batch, row, watermarkMs)
        continue
      }
      let cell = bounds.newest[group]!
      if (cell < 0 || timeMs < bounds.first[cell]! || timeMs >= bounds.last[cell]! + gapMs) {
        cell = bounds.find(group, timeMs, gapMs)
        if (cell < 0) cell = this.#open(group, timeMs)
        else if (timeMs < bounds.first[cell]!) {
          bounds.first[cell] = timeMs
          const older = bounds.older[cell]!
          if (older >= 0 && timeMs < bounds.last[older]! + gapMs) {
            // The states must have what the cells took so far before these become one.
            for (const state of this.#states) state.update(this.#takenRows, this.#takenCells, taken)
            taken = 0
            cell = this.#merge(older, cell)
          }
        }
      }
      if (timeMs > bounds.last[cell]!) bounds.last[cell] = timeMs
      if (derived === null) bounds.addOffset(cell, batch.partition, batch.offsets[row]!)
      else widen(bounds.offsets, cell * each, derived.offsets, derived.evidence[row]!, each)
      this.#touched(cell)
      this.#takenRows[taken] = row
      this.#takenCells[taken++] = cell
    }
    for (const state of this.#states) state.update(this.#takenRows, this.#takenCells, taken)
    if (dropped > 0) this.#groups.dropUnused(this.#lateGroups, dropped)
  }

  groupOf(cell: number): number {
    return this.#bounds.group[cell]!
  }
  #open(group: number, timeMs: number): number {
    const cell = this.#cells.take()
    const { high } = this.#cells
    this.#bounds.growCells(high)
    this.#phase = grownBytes(this.#phase, high)
    this.#listed = grownBytes(this.#listed, high)
    this.#entries = grownInts(this.#entries, high)
    this.#slots.grow(high)
    for (const state of this.#states) {
      state.grow(high, 0, 0)
      state.clear(CELLS, cell)
    }
    this.#groups.use(group)
    this.#bounds.open(cell, group, timeMs, this.#settings.gapMs)
    this.#phase[cell] = OPEN
    this.#wakeAt(cell, timeMs + this.#settings.gapMs)
    return cell
  }
  /** Both become one, in the cell that holds more records; that cell. */
  #merge(older: number, newer: number): number {
    const counts = this.#states[0]!
    const into = counts.read(CELLS, newer) > counts.read(CELLS, older) ? newer : older
    const from = into === newer ? older : newer
    for (const state of this.#states) {
      state.merge(from, into)
      state.freeze(from)
    }
    const phase = this.#phase[older] === OPEN || this.#phase[newer] === OPEN ? OPEN : CLOSED
    // A closed session that joins an open one closes again with it.
    if (phase === OPEN && this.#phase[into] === CLOSED)
      this.#wakeAt(into, this.#bounds.endMs(newer, this.#settings.gapMs))
    this.#bounds.merge(older, newer, into)
    this.#groups.release(this.#bounds.group[into]!)
    this.#phase[into] = phase
    this.#phase[from] = MERGED
    return into
  }
  /** A record came into the session: is a running row due, a correction, or has it opened again? */
  #touched(cell: number): void {
    const endMs = this.#bounds.endMs(cell, this.#settings.gapMs)
    if (this.#phase[cell] === CLOSED && endMs > this.#watermarkMs) {
      this.#phase[cell] = OPEN
      this.#wakeAt(cell, endMs)
    } else if (endMs <= this.#watermarkMs) this.#phase[cell] = CLOSED
    const listed = this.#listed[cell]!
    if (this.#phase[cell] === CLOSED) {
      if ((listed & LISTED_CORRECTION) !== 0) return
      this.#listed[cell] = listed | LISTED_CORRECTION
      this.#corrections.push(cell)
    } else if (this.#settings.runs && (listed & LISTED_RUNNING) === 0) {
      this.#listed[cell] = listed | LISTED_RUNNING
      this.#running.push(cell)
    }
  }
  #wakeAt(cell: number, timeMs: number): void {
    this.#entries[cell]!++
    this.#heap.push(timeMs, cell)
  }

  advance(watermarkMs: number): void {
    if (!(watermarkMs > this.#watermarkMs)) return
    this.#watermarkMs = watermarkMs
    const { gapMs, latenessMs } = this.#settings
    const bounds = this.#bounds
    const closing: number[] = []
    const forgotten: number[] = []
    while (this.#heap.count > 0 && this.#heap.least <= watermarkMs) {
      const cell = this.#heap.pop()
      this.#entries[cell]!--
      if (this.#phase[cell] === MERGED) {
        if (this.#entries[cell] === 0) this.#giveBack(cell)
        continue
      }
      const endMs = bounds.endMs(cell, gapMs)
      if (this.#phase[cell] === OPEN && endMs <= watermarkMs) {
        this.#phase[cell] = CLOSED
        closing.push(cell)
      }
      const forgetMs = endMs + gapMs + latenessMs
      if (this.#entries[cell] !== 0) continue
      if (this.#phase[cell] === CLOSED && forgetMs <= watermarkMs) forgotten.push(cell)
      else this.#wakeAt(cell, this.#phase[cell] === OPEN ? endMs : forgetMs)
    }
    if (closing.length === 0 && forgotten.length === 0) return
    this.#correct(closing)
    this.#emitAll(closing, ON_TIME)
    for (const cell of forgotten) {
      this.#groups.release(bounds.group[cell]!)
      bounds.unlink(cell)
      for (const state of this.#states) state.freeze(cell)
      this.#giveBack(cell)
    }
  }
  #giveBack(cell: number): void {
    this.#phase[cell] = FREE
    this.#cells.give(cell)
  }
  tick(running: boolean): void {
    this.#correct([])
    if (!running) return
    const due = this.#drain(this.#running, LISTED_RUNNING, OPEN)
    this.#running = []
    this.#emitAll(due, EARLY)
  }
  /** Sessions that closed before and took records since; those closing now come out anyway. */
  #correct(closing: readonly number[]): void {
    if (this.#corrections.length === 0) return
    const due = this.#drain(this.#corrections, LISTED_CORRECTION, CLOSED)
    this.#corrections = []
    const now = new Set(closing)
    this.#emitAll(
      due.filter((cell) => !now.has(cell)),
      LATE,
    )
  }
  #drain(list: readonly number[], mark: number, phase: number): number[] {
    for (const cell of list) this.#listed[cell] = this.#listed[cell]! & ~mark
    return list.filter((cell) => this.#phase[cell] === phase)
  }
  /** In the order of end, start and group. */
  #emitAll(cells: number[], timing: TimingIndex): void {
    const [rows, bounds] = [this.#rows, this.#bounds]
    cells.sort(
      (a, b) =>
        bounds.last[a]! - bounds.last[b]! ||
        bounds.first[a]! - bounds.first[b]! ||
        rows.compareGroups(bounds.group[a]!, bounds.group[b]!),
    )
    for (const cell of cells) {
      const [startMs, endMs] = [bounds.first[cell]!, bounds.endMs(cell, this.#settings.gapMs)]
      const group = bounds.group[cell]!
      const evidence = rows.evidence(bounds.offsets, cell * this.#settings.partitions * 2)
      for (const [start, end] of bounds.replaced(cell, startMs, endMs))
        rows.retract(start, end, timing, evidence, group)
      rows.emit(startMs, endMs, timing, evidence, CELLS, cell, group)
    }
  }

  write(out: StateWriter): void {
    const { high } = this.#cells
    this.#cells.write(out)
    this.#groups.write(out)
    this.#bounds.write(out, high, this.#groups.keys.high)
    this.#heap.write(out)
    out.raw(this.#phase.subarray(0, high))
    out.raw(this.#listed.subarray(0, high))
    out.ints(this.#entries, high)
    out.numbers(this.#running)
    out.numbers(this.#corrections)
    out.f64(this.#watermarkMs)
    for (const state of this.#states) state.write(out, high, 0, 0)
  }
  restore(from: StateReader): void {
    this.#cells.restore(from)
    this.#groups.restore(from)
    this.#bounds.restore(from)
    this.#heap.restore(from)
    this.#phase = new Uint8Array(from.raw())
    this.#listed = new Uint8Array(from.raw())
    this.#entries = from.ints()
    this.#running = from.numbers()
    this.#corrections = from.numbers()
    this.#watermarkMs = from.f64()
    this.#slots.grow(this.#cells.high)
    for (const state of this.#states) {
      state.restore(from)
      state.grow(this.#cells.high, 0, 0)
    }
  }
  mark(column: string, live: Uint8Array): void {
    for (const state of this.#states) state.mark(column, live)
    this.#settings.groupColumns.forEach((name, i) => {
      if (name === column) this.#groups.mark(i, live)
    })
  }
  bytes(): number {
    let bytes = this.#groups.bytes() + this.#bounds.bytes() + this.#heap.bytes()
    bytes += this.#phase.byteLength + this.#listed.byteLength + this.#entries.byteLength
    bytes += (this.#running.length + this.#corrections.length) * 8
    for (const state of this.#states) bytes += state.bytes()
    return bytes
  }
}
