// `over`: at each row, aggregates of its key over (t - range, t], rows of the same time included. A row comes out once,
// as soon as no record can come any more that would change it: when the watermark, less the lateness, is past its time.
// So it never needs a correction, and neither arrival nor batches change it. The aggregates are those of sliding windows
// with a pane per moment: each record enters and leaves once, whatever the range.
import type { PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { lowerAggregates } from './aggregate-states.ts'
import { type AggregateSource, AggregateValues } from './aggregate-values.ts'
import type { Batch } from './columns.ts'
import { IntQueue } from './int-queue.ts'
import { Moments } from './moments.ts'
import type { Operator, OperatorContext, RowSink } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import { OwnSlots } from './panes.ts'
import { RecentEvidence } from './recent-evidence.ts'
import { ON_TIME } from './results.ts'
import type { SlidingPlaces } from './sliding-distinct.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { GroupColumn } from './window-rows.ts'
import { groupColumn, keyOfPlace, windowTexts } from './window-shape.ts'
import { CELLS, RUNNING, type WindowState } from './window-state.ts'

export type OverNode = PlanNode & { readonly kind: 'over' }

export function lowerOver(context: OperatorContext<OverNode>): LoweredOperator {
  const { plan, node, lanes, out, numbers } = context
  const input = context.inputs[0]!
  const keyColumns: GroupColumn[] = []
  const moments = heldMoments(context, node.keys, keyColumns)
  const slots = new OwnSlots()
  let reachedMs = Number.NEGATIVE_INFINITY
  // A cell is a pane of its own.
  const places: SlidingPlaces = {
    get cellGroup() {
      return moments.groupOf
    },
    get cellSlot() {
      slots.grow(moments.high)
      return slots.cellSlot
    },
    get slotPane() {
      return moments.times
    },
    width: node.rangeMs,
    slotOf: () => -1,
    cellOf: (slot) => slot,
    closed: () => reachedMs,
    frozen: () => reachedMs,
  }
  const { states, sources } = lowerAggregates(
    {
      plan,
      at: node.id,
      grouped: node.keys.length > 0,
      overMoments: true,
      aggregates: node.aggregates,
      keyOf: keyOfPlace(node.keys, keyColumns, moments.groups, (cell) => moments.groupOf[cell]!),
      columns: input.columns,
      placeOf: input.placeOf,
      numbers,
    },
    places,
    places,
  )
  const columns = node.columns.map(({ name }): Given => {
    const index = node.aggregates.findIndex((one) => one.name === name)
    if (index >= 0) return { aggregate: sources[index]!, column: -1 }
    return { aggregate: null, column: input.columns.findIndex((column) => column.name === name) }
  })
  const operator = new OverOperator(moments, states, columns, out, {
    rangeMs: node.rangeMs,
    reachMs: input.reachMs,
    lanes,
    reached: (timeMs) => {
      reachedMs = timeMs
    },
  })
  return { operator, texts: windowTexts({ node, placeOf: input.placeOf }), updates: false, reachMs: 0 }
}

/** What an operator over a stream's moments needs of its input; refuses rows that may be replaced. */
export function heldMoments(
  context: OperatorContext<PlanNode & { readonly kind: 'over' | 'decayed-sum' }>,
  keys: readonly string[],
  keyColumns: GroupColumn[],
): Moments {
  const { plan, node, lanes, tooLate } = context
  const input = context.inputs[0]!
  if (input.updates)
    throw new PlanError(
      plan.name,
      node.id,
      `'${node.kind}' takes rows that stay, and those before it may be replaced`,
      'Put it before the window, or give that no lateness and no running rows',
    )
  const keyNames: string[] = []
  const parts = { ...context, columns: input.columns, placeOf: input.placeOf }
  return new Moments({
    rows: { columns: input.columns, placeOf: input.placeOf, lanes, fromRecords: input.fromRecords },
    keyIds: keys.map((name) => groupColumn(parts, name, keyNames, keyColumns)),
    keyNames,
    latenessMs: input.reachMs,
    tooLate,
  })
}

/** A column of the result: an aggregate, or a column of the row. */
interface Given {
  readonly aggregate: AggregateSource | null
  readonly column: number
}
interface OverSettings {
  readonly rangeMs: number
  /** How far behind the watermark rows may come. */
  readonly reachMs: number
  readonly lanes: number
  /** Told of the moment that all before have been. */
  readonly reached: (timeMs: number) => void
}

class OverOperator implements Operator {
  readonly #moments: Moments
  readonly #states: readonly WindowState[]
  readonly #values: AggregateValues
  readonly #columns: readonly Given[]
  readonly #out: RowSink
  readonly #settings: OverSettings
  /** Cells in the running ranges, oldest first. */
  readonly #entered = new IntQueue()
  readonly #evidence: RecentEvidence
  #reachedMs = Number.NEGATIVE_INFINITY

  constructor(
    moments: Moments,
    states: readonly WindowState[],
    columns: readonly Given[],
    out: RowSink,
    settings: OverSettings,
  ) {
    this.#moments = moments
    this.#states = states
    this.#values = new AggregateValues(states)
    this.#columns = columns
    this.#out = out
    this.#settings = settings
    this.#evidence = new RecentEvidence(settings.lanes, settings.rangeMs)
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number): void {
    for (const state of this.#states) state.prepare(batch)
    const taken = this.#moments.take(batch, rows, count, (cell) => {
      this.#grow()
      for (const state of this.#states) state.clear(CELLS, cell)
    })
    const { takenRows, takenCells } = this.#moments
    for (const state of this.#states) state.update(takenRows, takenCells, taken)
  }
  #grow(): void {
    for (const state of this.#states) state.grow(this.#moments.high, this.#moments.groups.keys.high, 0)
  }
  advance(watermarkMs: number): number {
    const limitMs = watermarkMs - this.#settings.reachMs
    if (limitMs > this.#reachedMs) {
      this.#moments.pass(limitMs, (timeMs, cells, rows) => this.#visit(timeMs, cells, rows))
      this.#reach(limitMs)
      // Rows that are still to come look back to here at most.
      this.#expire(limitMs - this.#settings.rangeMs)
      for (const state of this.#states) state.tidy()
    }
    return limitMs
  }
  #reach(timeMs: number): void {
    this.#reachedMs = timeMs
    this.#settings.reached(timeMs)
  }
  #visit(timeMs: number, cells: readonly number[], rows: readonly number[]): void {
    this.#reach(timeMs)
    this.#expire(timeMs - this.#settings.rangeMs)
    const { groupOf } = this.#moments
    for (const cell of cells) {
      for (const state of this.#states) {
        state.enter(cell, groupOf[cell]!)
        state.enterPane(cell)
        state.freeze(cell)
      }
      this.#entered.push(cell)
    }
    for (const row of rows) this.#evidence.take(timeMs, this.#moments.rows, row)
    const evidence = this.#out.addEvidence(this.#evidence.span(), 0)
    const { cellOf } = this.#moments
    for (const row of rows) this.#give(timeMs, evidence, row, groupOf[cellOf[row]!]!)
  }
  #give(timeMs: number, evidence: number, row: number, group: number): void {
    this.#out.addRow(ON_TIME, evidence, timeMs)
    for (let column = 0; column < this.#columns.length; column++) {
      const { aggregate, column: from } = this.#columns[column]!
      if (aggregate === null) this.#moments.rows.give(this.#out, column, from, row)
      else this.#values.give(this.#out, column, aggregate, RUNNING, group)
    }
  }
  /** Lets go of the cells up to a time. */
  #expire(timeMs: number): void {
    const { times, groupOf } = this.#moments
    while (this.#entered.count > 0 && times[this.#entered.first]! <= timeMs) {
      const cell = this.#entered.shift()
      for (const state of this.#states) state.leave(cell, groupOf[cell]!)
      this.#moments.giveBack(cell)
    }
  }
  tick(): void {}

  write(out: StateWriter): void {
    // Records that were all too late may have left a free group number that no state has room for yet.
    this.#grow()
    out.f64(this.#reachedMs)
    this.#moments.write(out)
    this.#entered.write(out)
    this.#evidence.write(out)
    for (const state of this.#states) state.write(out, this.#moments.high, this.#moments.groups.keys.high, 0)
  }
  restore(from: StateReader): void {
    this.#reach(from.f64())
    this.#moments.restore(from)
    this.#entered.restore(from)
    this.#evidence.restore(from)
    for (const state of this.#states) state.restore(from)
    this.#grow()
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#moments.mark(dictionary, live)
    for (const state of this.#states) state.mark(dictionary, live)
  }
  bytes(): number {
    let bytes = this.#moments.bytes() + this.#entered.bytes + this.#evidence.bytes()
    for (const state of this.#states) bytes += state.bytes()
    return bytes
  }
}
