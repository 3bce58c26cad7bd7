// Windows over rows that may still change (a window's, a top's): the rows are kept by their key, and what a window says is
// computed anew of the rows it holds when it closes, and when they changed. So every aggregate is exact whatever is taken
// back. The cost is that of the rows in the windows that come out; such rows are results, few beside the records.
import { entryOf } from '../std/maps.ts'
import type { Batch, BatchColumn } from './columns.ts'
import { grownFloats, grownInts } from './int-set.ts'
import type { KeyedRows } from './keyed-rows.ts'
import type { PaneClock } from './pane-clock.ts'
import type { Groups } from './panes.ts'
import { EARLY, LATE, ON_TIME, type TimingIndex } from './results.ts'
import { emptySpan } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { compareText } from './text-predicates.ts'
import type { WindowOperator } from './window-operator.ts'
import type { WindowRows } from './window-rows.ts'
import { CELLS, type WindowState } from './window-state.ts'

export interface ChangingSettings {
  readonly clock: PaneClock
  /** Of the window that ends with a pane. */
  readonly firstPaneOf: (lastPane: number) => number
  /** The last window that holds a pane. */
  readonly lastWindowOf: (pane: number) => number
  /** Running rows of the newest window only. */
  readonly newestOnly: boolean
  readonly reachMs: number
  readonly lanes: number
  readonly groupIds: readonly ((batch: Batch) => Int32Array)[]
  readonly groupColumns: readonly string[]
  readonly keyColumns: readonly number[]
}

export class ChangingWindows implements WindowOperator {
  readonly #rows: KeyedRows
  readonly #groups: Groups
  readonly #states: readonly WindowState[]
  readonly #out: WindowRows
  readonly #settings: ChangingSettings
  #closed = Number.NEGATIVE_INFINITY
  #frozen = Number.NEGATIVE_INFINITY
  /** Group of each row kept. */
  #groupOf: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** First row + 1 of each pane; its rows hang by `#next`, back by `#previous`. */
  readonly #panes = new Map<number, number>()
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  #previous: Int32Array<ArrayBuffer> = new Int32Array(0)
  #paneOf: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Groups that changed since they last came out, by window. */
  readonly #dirty = new Map<number, Set<number>>()
  /** Groups whose row stands outside, by window. */
  readonly #standing = new Map<number, Set<number>>()
  readonly #kept: Batch
  #groupsOfRows = new Int32Array(0)
  #takenRows = new Int32Array(0)
  readonly #cell = new Int32Array(0)
  #cells: Int32Array<ArrayBuffer> = new Int32Array(0)

  constructor(
    rows: KeyedRows,
    groups: Groups,
    states: readonly WindowState[],
    out: WindowRows,
    settings: ChangingSettings,
  ) {
    this.#rows = rows
    this.#groups = groups
    this.#states = states
    this.#out = out
    this.#settings = settings
    this.#kept = {
      topic: '',
      partition: 0,
      rows: 0,
      columns: rows.table.columns,
      times: rows.table.times,
      watermarks: new Float64Array(0),
      records: this.#cell,
      offsets: new Float64Array(0),
      derived: null,
    }
  }

  push(batch: Batch, rows: Int32Array, count: number): void {
    if (this.#groupsOfRows.length < batch.rows) this.#groupsOfRows = new Int32Array(batch.rows)
    const groups = this.#groupsOfRows
    this.#groups.assign(
      this.#settings.groupIds.map((ids) => ids(batch)),
      rows,
      count,
      groups,
    )
    const weights = batch.derived?.weights
    for (let i = 0; i < count; i++) this.#groups.use(groups[rows[i]!]!)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const standing = this.#rows.find(batch, row)
      if (standing >= 0) this.#takeOut(standing)
      if (weights?.[row] === -1) {
        if (standing >= 0) this.#rows.remove(standing)
        continue
      }
      const kept = this.#rows.put(batch, row, standing)
      this.#takeIn(kept, this.#settings.clock.paneOf(batch.times[row]!), groups[row]!)
    }
    for (let i = 0; i < count; i++) this.#groups.release(groups[rows[i]!]!)
  }
  #takeIn(row: number, pane: number, group: number): void {
    this.#groupOf = grownInts(this.#groupOf, row + 1)
    this.#next = grownInts(this.#next, row + 1)
    this.#previous = grownInts(this.#previous, row + 1)
    this.#paneOf = grownFloats(this.#paneOf, row + 1)
    this.#groupOf[row] = group
    this.#paneOf[row] = pane
    this.#groups.use(group)
    const first = this.#panes.get(pane) ?? 0
    this.#next[row] = first
    this.#previous[row] = 0
    if (first > 0) this.#previous[first - 1] = row + 1
    this.#panes.set(pane, row + 1)
    this.#touch(pane, group)
  }
  #takeOut(row: number): void {
    const pane = this.#paneOf[row]!
    const [next, previous] = [this.#next[row]!, this.#previous[row]!]
    if (next > 0) this.#previous[next - 1] = previous
    if (previous > 0) this.#next[previous - 1] = next
    else if (next > 0) this.#panes.set(pane, next)
    else this.#panes.delete(pane)
    this.#touch(pane, this.#groupOf[row]!)
    this.#groups.release(this.#groupOf[row]!)
  }
  #touch(pane: number, group: number): void {
    const last = this.#settings.lastWindowOf(pane)
    for (let window = pane; window <= last; window++) {
      if (window <= this.#frozen) continue
      const groups = entryOf(this.#dirty, window, () => new Set<number>())
      if (groups.has(group)) continue
      groups.add(group)
      this.#groups.use(group)
    }
  }

  advance(watermarkMs: number): void {
    const { clock, reachMs } = this.#settings
    const closing = Math.max(this.#closed, clock.paneOf(watermarkMs) - 1)
    const freezing = Math.max(this.#frozen, clock.paneOf(watermarkMs - reachMs) - 1)
    if (closing === this.#closed && freezing === this.#frozen) return
    this.#correct()
    const due = new Set<number>()
    for (const pane of this.#panes.keys()) {
      const last = Math.min(closing, this.#settings.lastWindowOf(pane))
      for (let window = Math.max(pane, this.#closed + 1); window <= last; window++) due.add(window)
    }
    for (const window of this.#standing.keys()) if (window > this.#closed && window <= closing) due.add(window)
    for (const window of [...due].sort((a, b) => a - b)) this.#emit(window, null, ON_TIME)
    this.#closed = closing
    this.#freeze(freezing)
  }
  #freeze(freezing: number): void {
    this.#frozen = freezing
    for (const byWindow of [this.#dirty, this.#standing])
      for (const [window, groups] of byWindow) {
        if (window > freezing) continue
        for (const group of groups) this.#groups.release(group)
        byWindow.delete(window)
      }
    for (const [pane, first] of this.#panes) {
      if (this.#settings.lastWindowOf(pane) > freezing) continue
      for (let at = first; at > 0; at = this.#next[at - 1]!) {
        this.#groups.release(this.#groupOf[at - 1]!)
        this.#rows.remove(at - 1)
      }
      this.#panes.delete(pane)
    }
  }
  tick(running: boolean): void {
    this.#correct()
    if (!running) return
    const open = [...this.#dirty.keys()].filter((window) => window > this.#closed).sort((a, b) => a - b)
    if (!this.#settings.newestOnly) for (const window of open) this.#emit(window, this.#dirty.get(window)!, EARLY)
    else {
      const newest = this.#newestWindow()
      const groups = this.#dirty.get(newest)
      if (newest > this.#closed && groups !== undefined) this.#emit(newest, groups, EARLY)
    }
  }
  /** That of the newest row. */
  #newestWindow(): number {
    let newest = Number.NEGATIVE_INFINITY
    for (const pane of this.#panes.keys()) if (pane > newest) newest = pane
    return newest
  }
  #correct(): void {
    const due = [...this.#dirty.keys()].filter((window) => window <= this.#closed).sort((a, b) => a - b)
    for (const window of due) this.#emit(window, this.#dirty.get(window)!, LATE)
  }

  /** Rows of these groups, or of all that the window holds; those that hold nothing any more are taken back. */
  #emit(window: number, only: ReadonlySet<number> | null, timing: TimingIndex): void {
    const { clock, firstPaneOf, lanes } = this.#settings
    const held = new Map<number, number[]>()
    for (let pane = firstPaneOf(window); pane <= window; pane++)
      for (let at = this.#panes.get(pane) ?? 0; at > 0; at = this.#next[at - 1]!) {
        const group = this.#groupOf[at - 1]!
        if (only !== null && !only.has(group)) continue
        const rows = held.get(group)
        if (rows === undefined) held.set(group, [at - 1])
        else rows.push(at - 1)
      }
    const standing = this.#standing.get(window) ?? new Set()
    const [startMs, endMs] = [clock.startOf(firstPaneOf(window)), clock.startOf(window + 1)]
    const gone = [...standing].filter((group) => !held.has(group) && (only === null || only.has(group)))
    const none = gone.length > 0 ? this.#out.evidence(emptySpan(lanes), 0) : 0
    for (const group of this.#out.sort(gone)) {
      this.#out.retract(startMs, endMs, timing, none, group)
      standing.delete(group)
      this.#groups.release(group)
    }
    if (held.size > 0) this.#prepare()
    for (const group of this.#out.sort([...held.keys()])) {
      const span = emptySpan(lanes)
      this.#compute(held.get(group)!, span)
      this.#out.emit(startMs, endMs, timing, this.#out.evidence(span, 0), CELLS, 0, group)
      if (!standing.has(group)) {
        standing.add(group)
        this.#groups.use(group)
      }
    }
    for (const state of this.#states) state.freeze(0)
    if (standing.size > 0) this.#standing.set(window, standing)
    else this.#standing.delete(window)
    for (const group of this.#dirty.get(window) ?? []) this.#groups.release(group)
    this.#dirty.delete(window)
  }
  #prepare(): void {
    const { table } = this.#rows
    this.#kept.rows = table.high
    this.#kept.times = table.times
    this.#kept.offsets = grownFloats(this.#kept.offsets, table.high)
    for (const state of this.#states) state.prepare(this.#kept)
  }
  /** Leaves the aggregates of the rows in cell 0. */
  #compute(rows: number[], span: Float64Array): void {
    const { table } = this.#rows
    // First and last among rows of one time go by the rows' key.
    rows.sort((a, b) => table.times[a]! - table.times[b]! || this.#compareKeys(a, b))
    this.#takenRows = rows.length > this.#takenRows.length ? new Int32Array(rows.length * 2) : this.#takenRows
    this.#cells = grownInts(this.#cells, rows.length)
    rows.forEach((row, i) => {
      this.#takenRows[i] = row
      this.#kept.offsets[row] = i
      table.widen(span, row)
    })
    for (const state of this.#states) {
      state.clear(CELLS, 0)
      state.freeze(0)
      state.update(this.#takenRows, this.#cells, rows.length)
    }
  }
  #compareKeys(a: number, b: number): number {
    for (const index of this.#settings.keyColumns) {
      const order = compareRows(this.#rows.table.columns[index]!, a, b)
      if (order !== 0) return order
    }
    return 0
  }

  write(out: StateWriter): void {
    const { high } = this.#rows.table
    out.f64(this.#closed)
    out.f64(this.#frozen)
    this.#rows.write(out)
    this.#groups.write(out)
    out.ints(grownInts(this.#groupOf, high), high)
    out.floats(grownFloats(this.#paneOf, high), high)
    out.ints(grownInts(this.#next, high), high)
    out.ints(grownInts(this.#previous, high), high)
    out.numbers([...this.#panes.keys()])
    out.numbers([...this.#panes.values()])
    for (const byWindow of [this.#dirty, this.#standing]) {
      out.u32(byWindow.size)
      for (const [window, groups] of byWindow) {
        out.f64(window)
        out.numbers([...groups])
      }
    }
  }
  restore(from: StateReader): void {
    this.#closed = from.f64()
    this.#frozen = from.f64()
    this.#rows.restore(from)
    this.#groups.restore(from)
    this.#groupOf = from.ints()
    this.#paneOf = from.floats()
    this.#next = from.ints()
    this.#previous = from.ints()
    const [panes, firsts] = [from.numbers(), from.numbers()]
    this.#panes.clear()
    panes.forEach((pane, i) => {
      this.#panes.set(pane, firsts[i]!)
    })
    for (const byWindow of [this.#dirty, this.#standing]) {
      byWindow.clear()
      const windows = from.u32()
      for (let i = 0; i < windows; i++) byWindow.set(from.f64(), new Set(from.numbers()))
    }
  }
  mark(column: string, live: Uint8Array): void {
    this.#rows.table.mark(column, live)
    this.#settings.groupColumns.forEach((name, i) => {
      if (name === column) this.#groups.mark(i, live)
    })
  }
  bytes(): number {
    let bytes = this.#rows.bytes() + this.#groups.bytes() + this.#panes.size * 48
    bytes += this.#groupOf.byteLength + this.#next.byteLength + this.#previous.byteLength + this.#paneOf.byteLength
    for (const byWindow of [this.#dirty, this.#standing])
      for (const groups of byWindow.values()) bytes += 96 + groups.size * 24
    return bytes
  }
}

/** Nulls first, text in the order of its UTF-8 bytes. */
export function compareRows(column: BatchColumn, a: number, b: number): number {
  if (column.kind === 'text' || column.kind === 'list') return 0
  const [x, y] = [column.values[a]!, column.values[b]!]
  if (x === y) return column.kind === 'number' ? (column.high?.[a] ?? 0) - (column.high?.[b] ?? 0) : 0
  if (column.kind === 'id') {
    if (x < 0 || y < 0) return x < 0 ? -1 : 1
    return compareText(column.dictionary.valueOf(x), column.dictionary.valueOf(y))
  }
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : -1) : 1
  return ((column.high?.[a] ?? 0) - (column.high?.[b] ?? 0)) * 2 ** 52 + (x - y)
}
