// Windows of one pane each: tumbling and calendar. Rows come straight from the cells; a closed pane stays for as long
// as late records may correct it.
import type { Batch } from './columns.ts'
import { paneGathering } from './pane-gathering.ts'
import type { Pane } from './panes.ts'
import { EARLY, LATE, ON_TIME, type TimingIndex } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate, WindowInput } from './window-input.ts'
import type { Gathering, WindowOperator } from './window-operator.ts'
import type { WindowRows } from './window-rows.ts'
import { CELLS } from './window-state.ts'

export class PaneWindows implements WindowOperator {
  readonly gathering: Gathering | null
  readonly #input: WindowInput
  readonly #rows: WindowRows
  readonly #latenessMs: number
  readonly #groupColumns: readonly string[]
  #frozen = Number.NEGATIVE_INFINITY
  #correctionsDue = false

  constructor(input: WindowInput, rows: WindowRows, latenessMs: number, groupColumns: readonly string[]) {
    this.#input = input
    this.#rows = rows
    this.#latenessMs = latenessMs
    this.#groupColumns = groupColumns
    this.gathering = paneGathering(input, groupColumns, false, () => {})
  }
  push(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate): void {
    this.#input.take(batch, rows, count, tooLate, null)
    const oldest = this.#input.table.panes[0]
    if (oldest !== undefined && oldest.number <= this.#input.closed) this.#correctionsDue = true
  }
  advance(watermarkMs: number): void {
    const { clock, table } = this.#input
    const closing = Math.max(this.#input.closed, clock.paneOf(watermarkMs) - 1)
    const freezing = Math.max(this.#frozen, clock.paneOf(watermarkMs - this.#latenessMs) - 1)
    if (closing === this.#input.closed && freezing === this.#frozen) return
    this.#correct()
    for (let i = table.indexAfter(this.#input.closed); i < table.panes.length; i++) {
      const pane = table.panes[i]!
      if (pane.number > closing) break
      this.#emit(pane, ON_TIME, true)
    }
    this.#input.closed = closing
    this.#frozen = freezing
    for (const pane of this.#input.removeThrough(freezing))
      for (const state of this.#input.states) state.freeze(pane.slot)
    this.#rows.forget(clock, freezing)
  }
  tick(running: boolean): void {
    this.#correct()
    if (!running) return
    const { table, closed } = this.#input
    for (let i = table.indexAfter(closed); i < table.panes.length; i++) {
      const pane = table.panes[i]!
      if (pane.changed) this.#emit(pane, EARLY, false)
    }
  }
  #correct(): void {
    if (!this.#correctionsDue) return
    this.#correctionsDue = false
    for (const pane of this.#input.table.panes) {
      if (pane.number > this.#input.closed) break
      if (pane.changed) this.#emit(pane, LATE, false)
    }
  }
  #emit(pane: Pane, timing: TimingIndex, all: boolean): void {
    const { clock, table, changed, partitions } = this.#input
    const { set, values } = pane.cells
    const groups: number[] = []
    for (let i = 0; i < set.count; i++)
      if (all || this.#rows.whole || changed[values[i]!] === 1) groups.push(set.keys[i]!)
    const evidence = this.#rows.evidence(table.offsets, pane.slot * partitions * 2)
    const [startMs, endMs] = [clock.startOf(pane.number), clock.startOf(pane.number + 1)]
    this.#rows.emitGroups(startMs, endMs, timing, evidence, CELLS, groups, (group) => pane.cells.get(group))
    for (let i = 0; i < set.count; i++) changed[values[i]!] = 0
    pane.changed = false
  }
  write(out: StateWriter): void {
    out.f64(this.#frozen)
    out.u32(this.#correctionsDue ? 1 : 0)
    this.#input.write(out)
    this.#rows.write(out)
  }
  restore(from: StateReader): void {
    this.#frozen = from.f64()
    this.#correctionsDue = from.u32() === 1
    this.#input.restore(from)
    this.#rows.restore(from)
  }
  mark(column: string, live: Uint8Array): void {
    for (const state of this.#input.states) state.mark(column, live)
    this.#groupColumns.forEach((name, i) => {
      if (name === column) this.#input.groups.mark(i, live)
    })
  }
  bytes(): number {
    return this.#input.bytes() + this.#rows.bytes()
  }
}
