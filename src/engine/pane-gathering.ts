// Panes gathered on one thread and taken in by another: what the cells took, by group keys and states. Only rows that are
// not behind their partition's watermark are gathered: no pane of theirs can be closed on the job's thread before it has
// come there, so it does not matter when it comes.
//
//   f64 newest event time | u32 panes, each: f64 number | u32 cells | ids of each group column, i32 by cell
//   | least and greatest offsets, f64 by partition | each state: what the cells took
import { assert } from '../std/assert.ts'
import type { ForeignIds } from './foreign-ids.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { WindowInput } from './window-input.ts'
import type { Gathering } from './window-operator.ts'
import { CELLS } from './window-state.ts'

/** Ids of another thread, by the name of their dictionary. */
export type IdsOf = (dictionary: string) => ForeignIds<string> | ForeignIds<number> | null

class PaneGathering implements Gathering {
  readonly #input: WindowInput
  readonly #groupColumns: readonly string[]
  /** States keep by cell what else they keep by pane. */
  readonly #ownSlots: boolean
  /** Told when something has come. */
  readonly #taken: () => void
  #cells = new Int32Array(0)

  constructor(input: WindowInput, groupColumns: readonly string[], ownSlots: boolean, taken: () => void) {
    this.#input = input
    this.#groupColumns = groupColumns
    this.#ownSlots = ownSlots
    this.#taken = taken
  }

  /** Gives away the panes that end up to here; they are empty afterwards. */
  give(out: StateWriter, untilMs: number): void {
    const { table, clock, states, groups, partitions } = this.#input
    let count = 0
    while (count < table.panes.length && clock.startOf(table.panes[count]!.number + 1) <= untilMs) count++
    out.f64(this.#input.eventTimeMsMax)
    out.u32(count)
    if (count === 0) return
    for (let i = 0; i < count; i++) {
      const pane = table.panes[i]!
      const { set, values } = pane.cells
      out.f64(pane.number)
      out.u32(set.count)
      for (let column = 0; column < this.#groupColumns.length; column++) {
        const ids = new Int32Array(set.count)
        for (let k = 0; k < set.count; k++) ids[k] = groups.keys.keys[set.keys[k]! * groups.keys.width + column]!
        out.ints(ids, set.count)
      }
      const each = partitions * 2
      out.floats(table.offsets.slice(pane.slot * each, (pane.slot + 1) * each), each)
      for (const state of states) state.give?.(out, values, set.count, pane.slot)
    }
    const last = table.panes[count - 1]!.number
    for (const pane of this.#input.removeThrough(last)) {
      for (const state of states) {
        for (let k = 0; k < pane.cells.set.count; k++) {
          state.clear(CELLS, pane.cells.values[k]!)
          if (this.#ownSlots) state.freeze(pane.cells.values[k]!)
        }
        if (!this.#ownSlots) state.freeze(pane.slot)
      }
    }
    for (const state of states) state.tidy()
  }
  #room(cells: number): void {
    if (this.#cells.length < cells) this.#cells = new Int32Array(cells * 2)
  }

  takeIn(from: StateReader, idsOf: IdsOf): void {
    const input = this.#input
    const { table, groups, states, partitions } = input
    const eventTimeMsMax = from.f64()
    if (eventTimeMsMax > input.eventTimeMsMax) input.eventTimeMsMax = eventTimeMsMax
    const foreign = this.#groupColumns.map((name) => idsOf(name))
    for (const ids of foreign) ids?.begin()
    const panes = from.u32()
    const tuple = new Int32Array(groups.keys.width)
    for (let i = 0; i < panes; i++) {
      const number = from.f64()
      assert(number > input.closed, `pane ${number} came after ${input.closed} had closed`)
      const count = from.u32()
      this.#room(count)
      const columns = this.#groupColumns.map(() => from.lentInts())
      for (let k = 0; k < count; k++) {
        for (let column = 0; column < columns.length; column++) {
          const id = columns[column]![k]!
          tuple[column] = foreign[column]?.of(id) ?? id
        }
        this.#cells[k] = input.cellFor(number, groups.keys.add(tuple, 0))
      }
      const offsets = from.lentFloats()
      const slot = table.slotOf(number)
      for (let k = 0; k < partitions * 2; k += 2) {
        const at = slot * partitions * 2 + k
        if (offsets[k]! < table.offsets[at]!) table.offsets[at] = offsets[k]!
        if (offsets[k + 1]! > table.offsets[at + 1]!) table.offsets[at + 1] = offsets[k + 1]!
      }
      for (const state of states) state.takeIn?.(from, this.#cells, count, idsOf)
    }
    if (panes > 0) this.#taken()
  }
}

/** Null where a state cannot do it, or not exactly. */
export function paneGathering(
  input: WindowInput,
  groupColumns: readonly string[],
  ownSlots: boolean,
  taken: () => void,
): PaneGathering | null {
  const possible = input.states.every((state) => state.give !== undefined && state.takeIn !== undefined)
  return possible ? new PaneGathering(input, groupColumns, ownSlots, taken) : null
}
