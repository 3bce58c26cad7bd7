// Hopping windows: panes of one slide; per group a running window that takes in the pane that closes and lets go of the
// one that leaves. Windows given out stay as result cells while late records may still correct them. The cost of a
// record does not depend on size / slide.
import type { Batch } from './columns.ts'
import { MonotonicDeques } from './extreme-state.ts'
import { grownBytes, grownInts, IntMap, SpareMaps } from './int-set.ts'
import { paneGathering } from './pane-gathering.ts'
import { Numbers, type Pane } from './panes.ts'
import { EARLY, LATE, ON_TIME } from './results.ts'
import { widen } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate, WindowInput } from './window-input.ts'
import type { Gathering, WindowOperator } from './window-operator.ts'
import type { WindowRows } from './window-rows.ts'
import { type LateRow, PREVIEW, RESULTS, RUNNING } from './window-state.ts'

/** A window that was given out, by the number of its last pane. */
interface GivenOut {
  /** Group to result cell. */
  readonly cells: IntMap
  readonly offsets: Float64Array<ArrayBuffer>
  changed: boolean
}

export interface SlidingSettings {
  /** Panes in a window. */
  readonly width: number
  readonly latenessMs: number
  readonly groupColumns: readonly string[]
}

export class SlidingWindows implements WindowOperator {
  readonly gathering: Gathering | null
  readonly #input: WindowInput
  readonly #rows: WindowRows
  readonly #settings: SlidingSettings
  frozen = Number.NEGATIVE_INFINITY
  /** Groups with a record in the running window. */
  readonly #active = new Set<number>()
  #sorted: number[] | null = null
  readonly #given = new Map<number, GivenOut>()
  /** No window before this one is in `#given`. */
  #givenFrom = Number.POSITIVE_INFINITY
  readonly #spare = new SpareMaps()
  readonly #offsets: Float64Array<ArrayBuffer>
  readonly #results = new Numbers()
  #resultChanged: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #correctionsDue = false
  #previewDue = false
  /** Least and greatest offsets of the running window: nodes are slot * partitions + partition, lanes are partitions. */
  readonly #least: MonotonicDeques
  readonly #greatest: MonotonicDeques
  readonly #late: LateRow = {
    row: 0,
    cell: 0,
    group: 0,
    pane: 0,
    running: false,
    results: new Int32Array(16),
    count: 0,
  }

  constructor(input: WindowInput, rows: WindowRows, settings: SlidingSettings) {
    this.#input = input
    this.#rows = rows
    this.#settings = settings
    this.#offsets = new Float64Array(input.partitions * 2)
    const paneOf = (node: number): number => input.table.slotPane[Math.floor(node / input.partitions)]!
    this.#least = new MonotonicDeques(-1, paneOf)
    this.#greatest = new MonotonicDeques(1, paneOf)
    this.gathering = paneGathering(input, settings.groupColumns, false, () => {
      this.#previewDue = true
    })
  }

  push(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate): void {
    this.#previewDue ||= count > 0
    this.#input.take(batch, rows, count, tooLate, (row, pane, cell, group) =>
      this.#takeLate(batch, row, pane, cell, group),
    )
  }

  #takeLate(batch: Batch, row: number, pane: Pane, cell: number, group: number): void {
    const derived = batch.derived ?? null
    const { closed } = this.#input
    const { width } = this.#settings
    const late = this.#late
    late.row = row
    late.cell = cell
    late.group = group
    late.pane = pane.number
    late.running = pane.number > closed - width
    const newest = Math.min(closed, pane.number + width - 1)
    late.count = newest - pane.number + 1
    late.results = grownInts(late.results, late.count)
    for (let window = pane.number; window <= newest; window++) {
      const given = this.#given.get(window) ?? this.#give(window)
      let result = given.cells.get(group)
      if (result < 0) result = this.#newResult(given, group)
      late.results[window - pane.number] = result
      this.#resultChanged[result] = 1
      given.changed = true
      if (derived === null) {
        const [at, offset] = [batch.partition * 2, batch.offsets[row]!]
        if (offset < given.offsets[at]!) given.offsets[at] = offset
        if (offset > given.offsets[at + 1]!) given.offsets[at + 1] = offset
      } else widen(given.offsets, 0, derived.offsets, derived.evidence[row]!, given.offsets.length)
    }
    for (const state of this.#input.states) state.late(late)
    if (late.running) {
      this.#activate(group)
      if (derived === null) this.#enterOffsets(pane, batch.partition, true)
      else for (let lane = 0; lane < this.#input.partitions; lane++) this.#enterOffsets(pane, lane, true)
    }
    this.#correctionsDue = true
  }
  #give(window: number): GivenOut {
    const offsets = new Float64Array(this.#input.partitions * 2)
    for (let i = 0; i < offsets.length; i += 2) {
      offsets[i] = Number.POSITIVE_INFINITY
      offsets[i + 1] = -1
    }
    const given: GivenOut = { cells: this.#spare.take(), offsets, changed: false }
    this.#given.set(window, given)
    if (window < this.#givenFrom) this.#givenFrom = window
    return given
  }
  #newResult(given: GivenOut, group: number): number {
    const result = this.#results.take()
    given.cells.insert(group, result)
    this.#resultChanged = grownBytes(this.#resultChanged, this.#results.high)
    this.#resultChanged[result] = 0
    this.#input.resultsHigh = this.#results.high
    this.#input.groups.use(group)
    this.#input.grow()
    for (const state of this.#input.states) state.clear(RESULTS, result)
    return result
  }
  #activate(group: number): void {
    if (this.#active.has(group)) return
    this.#active.add(group)
    this.#sorted = null
  }

  advance(watermarkMs: number): void {
    const { clock } = this.#input
    const closing = Math.max(this.#input.closed, clock.paneOf(watermarkMs) - 1)
    const freezing = Math.max(this.frozen, clock.paneOf(watermarkMs - this.#settings.latenessMs) - 1)
    if (closing === this.#input.closed && freezing === this.frozen) return
    this.#correct()
    this.#close(closing, freezing)
    this.#freeze(freezing)
    for (const state of this.#input.states) state.tidy()
  }

  #close(closing: number, freezing: number): void {
    const { table } = this.#input
    const { width } = this.#settings
    this.#growEvidence()
    let window = this.#input.closed + 1
    while (window <= closing) {
      if (this.#active.size === 0) {
        const next = table.panes[table.indexAfter(window - 1)]
        if (next === undefined || next.number > closing) break
        window = next.number
      }
      const leaving = table.find(window - width)
      if (leaving !== undefined) this.#leave(leaving)
      const entering = table.find(window)
      if (entering !== undefined) this.#enter(entering)
      this.#input.closed = window
      if (this.#active.size > 0) this.#emitRunning(window, window > freezing)
      window++
    }
    this.#input.closed = closing
  }
  #leave(pane: Pane): void {
    const { states } = this.#input
    const { set, values } = pane.cells
    for (let i = 0; i < set.count; i++) {
      const group = set.keys[i]!
      for (const state of states) state.leave(values[i]!, group)
      // The first state counts records.
      if (states[0]!.read(RUNNING, group) === 0 && this.#active.delete(group)) this.#sorted = null
    }
    for (let partition = 0; partition < this.#input.partitions; partition++) {
      const node = pane.slot * this.#input.partitions + partition
      this.#least.leave(partition, node)
      this.#greatest.leave(partition, node)
    }
  }
  #enter(pane: Pane): void {
    const { set, values } = pane.cells
    for (let i = 0; i < set.count; i++) {
      const group = set.keys[i]!
      for (const state of this.#input.states) state.enter(values[i]!, group)
      this.#activate(group)
    }
    for (const state of this.#input.states) state.enterPane(pane.slot)
    for (let partition = 0; partition < this.#input.partitions; partition++) this.#enterOffsets(pane, partition, false)
  }
  #growEvidence(): void {
    const { partitions, table } = this.#input
    this.#least.grow(table.slots.high * partitions, partitions)
    this.#greatest.grow(table.slots.high * partitions, partitions)
  }
  #enterOffsets(pane: Pane, partition: number, late: boolean): void {
    const { partitions, table } = this.#input
    const node = pane.slot * partitions + partition
    const greatest = table.offsets[node * 2 + 1]!
    if (greatest < 0) return
    if (late) this.#growEvidence()
    this.#least.values[node] = table.offsets[node * 2]!
    this.#greatest.values[node] = greatest
    for (const deques of [this.#least, this.#greatest]) {
      if (late) deques.improved(partition, node)
      else deques.push(partition, node)
    }
  }

  /** The rows of the window that ends with this pane; kept when late records may still come. */
  #emitRunning(window: number, keep: boolean): void {
    const { clock, partitions } = this.#input
    const offsets = this.#offsets
    for (let partition = 0; partition < partitions; partition++) {
      const greatest = this.#greatest.top(partition)
      offsets[partition * 2] = Number.isNaN(greatest) ? Number.POSITIVE_INFINITY : this.#least.top(partition)
      offsets[partition * 2 + 1] = Number.isNaN(greatest) ? -1 : greatest
    }
    this.#sorted ??= this.#rows.sort([...this.#active])
    const evidence = this.#rows.evidence(offsets, 0)
    const [startMs, endMs] = [clock.startOf(window - this.#settings.width + 1), clock.startOf(window + 1)]
    const given = keep ? this.#give(window) : null
    given?.offsets.set(offsets)
    const { whole } = this.#rows
    if (whole) this.#rows.emitGroups(startMs, endMs, ON_TIME, evidence, RUNNING, this.#sorted, (group) => group)
    for (const group of this.#sorted) {
      if (!whole) this.#rows.emit(startMs, endMs, ON_TIME, evidence, RUNNING, group, group)
      if (given === null) continue
      const result = this.#newResult(given, group)
      for (const state of this.#input.states) state.keep(group, result)
    }
  }

  #freeze(freezing: number): void {
    const { table, states } = this.#input
    for (let i = table.indexAfter(this.frozen); i < table.panes.length; i++) {
      const pane = table.panes[i]!
      if (pane.number > freezing) break
      for (const state of states) state.freeze(pane.slot)
    }
    this.frozen = freezing
    this.#rows.forget(this.#input.clock, freezing)
    this.#forgetGiven(freezing)
    for (const pane of this.#input.removeThrough(Math.min(freezing, this.#input.closed - this.#settings.width)))
      for (let partition = 0; partition < this.#input.partitions; partition++) {
        const node = pane.slot * this.#input.partitions + partition
        this.#least.clear(node)
        this.#greatest.clear(node)
      }
  }

  #forgetGiven(freezing: number): void {
    const from = this.#givenFrom
    if (freezing < from) return
    // Mostly one after another; where they lie far apart, or an end is infinite, it is asked which there are.
    if (!(freezing - from <= this.#given.size * 2))
      for (const window of [...this.#given.keys()]) {
        if (window <= freezing) this.#forget(window)
      }
    else for (let window = from; window <= freezing; window++) this.#forget(window)
    this.#givenFrom = this.#given.size === 0 ? Number.POSITIVE_INFINITY : freezing + 1
  }
  #forget(window: number): void {
    const given = this.#given.get(window)
    if (given === undefined) return
    const { set, values } = given.cells
    for (let i = 0; i < set.count; i++) {
      this.#results.give(values[i]!)
      this.#input.groups.release(set.keys[i]!)
    }
    this.#given.delete(window)
    this.#spare.give(given.cells)
  }

  tick(running: boolean): void {
    this.#correct()
    if (!running || !this.#previewDue) return
    this.#previewDue = false
    this.#preview()
  }
  #correct(): void {
    if (!this.#correctionsDue) return
    this.#correctionsDue = false
    const { clock } = this.#input
    const windows = [...this.#given.keys()].filter((window) => this.#given.get(window)?.changed).sort((a, b) => a - b)
    for (const window of windows) {
      const given = this.#given.get(window)!
      given.changed = false
      const { set, values } = given.cells
      const groups: number[] = []
      for (let i = 0; i < set.count; i++)
        if (this.#rows.whole || this.#resultChanged[values[i]!] === 1) groups.push(set.keys[i]!)
      const evidence = this.#rows.evidence(given.offsets, 0)
      const [startMs, endMs] = [clock.startOf(window - this.#settings.width + 1), clock.startOf(window + 1)]
      this.#rows.emitGroups(startMs, endMs, LATE, evidence, RESULTS, groups, (group) => given.cells.get(group))
      for (let i = 0; i < set.count; i++) this.#resultChanged[values[i]!] = 0
    }
  }

  /** Running rows of the newest window only: the one that ends with the pane of the newest record. */
  #preview(): void {
    const { clock, table, states, partitions, groups, closed } = this.#input
    const { width } = this.#settings
    const window = clock.paneOf(this.#input.eventTimeMsMax)
    if (!(window > closed)) return
    const left = window - width
    const found = new Set<number>(this.#active)
    this.#input.grow()
    for (const state of states) state.beginPreview(groups.keys.high, left)
    const offsets = new Float64Array(partitions * 2)
    for (let i = 0; i < offsets.length; i += 2) {
      offsets[i] = Number.POSITIVE_INFINITY
      offsets[i + 1] = -1
    }
    for (let i = table.indexAfter(closed - width); i < table.panes.length; i++) {
      const pane = table.panes[i]!
      if (pane.number > window) break
      const { set, values } = pane.cells
      if (pane.number <= left) {
        if (pane.number > closed) continue
        for (let k = 0; k < set.count; k++) for (const state of states) state.previewLeave(values[k]!, set.keys[k]!)
        continue
      }
      for (let k = 0; k < offsets.length; k += 2) {
        const at = pane.slot * offsets.length + k
        offsets[k] = Math.min(offsets[k]!, table.offsets[at]!)
        offsets[k + 1] = Math.max(offsets[k + 1]!, table.offsets[at + 1]!)
      }
      if (pane.number <= closed) continue
      for (let k = 0; k < set.count; k++) {
        found.add(set.keys[k]!)
        for (const state of states) state.previewEnter(values[k]!, set.keys[k]!)
      }
      for (const state of states) state.previewEnterPane(pane.slot)
    }
    const evidence = this.#rows.evidence(offsets, 0)
    const [startMs, endMs] = [clock.startOf(left + 1), clock.startOf(window + 1)]
    const held = [...found].filter((group) => states[0]!.read(PREVIEW, group) > 0)
    this.#rows.emitGroups(startMs, endMs, EARLY, evidence, PREVIEW, held, (group) => group)
  }

  write(out: StateWriter): void {
    out.f64(this.frozen)
    out.u32(this.#correctionsDue ? 1 : 0)
    out.u32(this.#previewDue ? 1 : 0)
    this.#results.write(out)
    out.raw(this.#resultChanged.subarray(0, this.#results.high))
    out.numbers([...this.#active])
    out.u32(this.#given.size)
    for (const [window, given] of this.#given) {
      out.f64(window)
      out.u32(given.changed ? 1 : 0)
      out.floats(given.offsets, given.offsets.length)
      out.set(given.cells.set)
      out.ints(given.cells.values, given.cells.set.count)
    }
    this.#input.write(out)
    this.#growEvidence()
    const nodes = this.#input.table.slots.high * this.#input.partitions
    this.#least.write(out, nodes, this.#input.partitions)
    this.#greatest.write(out, nodes, this.#input.partitions)
    this.#rows.write(out)
  }
  restore(from: StateReader): void {
    this.frozen = from.f64()
    this.#correctionsDue = from.u32() === 1
    this.#previewDue = from.u32() === 1
    this.#results.restore(from)
    this.#resultChanged = new Uint8Array(from.raw())
    this.#active.clear()
    for (const group of from.numbers()) this.#active.add(group)
    this.#sorted = null
    this.#given.clear()
    this.#givenFrom = Number.NEGATIVE_INFINITY
    const windows = from.u32()
    for (let i = 0; i < windows; i++) {
      const window = from.f64()
      const changed = from.u32() === 1
      const given: GivenOut = { cells: new IntMap(), offsets: from.floats(), changed }
      const groups = from.set()
      const cells = from.ints()
      for (let k = 0; k < groups.count; k++) given.cells.insert(groups.keys[k]!, cells[k]!)
      this.#given.set(window, given)
    }
    this.#input.resultsHigh = this.#results.high
    this.#input.restore(from)
    this.#least.restore(from, this.#input.partitions)
    this.#greatest.restore(from, this.#input.partitions)
    this.#rows.restore(from)
  }
  mark(column: string, live: Uint8Array): void {
    for (const state of this.#input.states) state.mark(column, live)
    this.#settings.groupColumns.forEach((name, i) => {
      if (name === column) this.#input.groups.mark(i, live)
    })
  }
  bytes(): number {
    let bytes = this.#input.bytes() + this.#rows.bytes() + this.#least.bytes() + this.#greatest.bytes()
    for (const given of this.#given.values()) bytes += 200 + given.cells.bytes + given.offsets.byteLength
    return bytes
  }
}
