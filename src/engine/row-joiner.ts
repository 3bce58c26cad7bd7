// Puts out rows of two sides as one: columns of the left, then those of the right that have names of their own; nulls
// where there is no right row. Behind it lie the records of both.
import type { PlanNode } from '../query/plan.ts'
import type { InputShape, Place, RowSink } from './operator.ts'
import { isTextKind, type TimingIndex } from './results.ts'
import { emptySpan, type RowTable } from './row-table.ts'

/** Where a column of the result comes from. */
interface From {
  readonly side: 0 | 1
  readonly column: number
  readonly place: Place['dictionary']
}

export class RowJoiner {
  readonly #out: RowSink
  readonly #from: readonly From[]
  readonly #inKey: readonly boolean[]
  readonly #lanes: number

  constructor(node: PlanNode, inputs: readonly InputShape[], out: RowSink, lanes: number) {
    this.#out = out
    this.#lanes = lanes
    const key = node.changelog.mode === 'upsert' ? node.changelog.key : []
    this.#inKey = node.columns.map(({ name }) => key.includes(name))
    this.#from = node.columns.map(({ name, type }): From => {
      const left = inputs[0]!.columns.findIndex((column) => column.name === name)
      const side = left >= 0 ? 0 : 1
      const column = left >= 0 ? left : inputs[1]!.columns.findIndex((one) => one.name === name)
      return { side, column, place: isTextKind(type.kind) ? inputs[side]!.placeOf(name).dictionary : null }
    })
  }
  get texts(): Place['dictionary'][] {
    return this.#from.map(({ place }) => place)
  }
  /** `rightRow` -1: none. */
  give(timing: TimingIndex, timeMs: number, left: RowTable, leftRow: number, right: RowTable, rightRow: number): void {
    this.#out.addRow(timing, this.#evidence(left, leftRow, right, rightRow), timeMs)
    for (let i = 0; i < this.#from.length; i++) this.#set(i, left, leftRow, right, rightRow)
  }
  takeBack(
    timing: TimingIndex,
    timeMs: number,
    left: RowTable,
    leftRow: number,
    right: RowTable,
    rightRow: number,
  ): void {
    this.#out.addRetraction(timing, this.#evidence(left, leftRow, right, rightRow), timeMs)
    for (let i = 0; i < this.#from.length; i++) if (this.#inKey[i]) this.#set(i, left, leftRow, right, rightRow)
  }
  #evidence(left: RowTable, leftRow: number, right: RowTable, rightRow: number): number {
    const span = emptySpan(this.#lanes)
    left.widen(span, leftRow)
    if (rightRow >= 0) right.widen(span, rightRow)
    return this.#out.addEvidence(span, 0)
  }
  #set(index: number, left: RowTable, leftRow: number, right: RowTable, rightRow: number): void {
    const { side, column, place } = this.#from[index]!
    if (side === 0) left.give(this.#out, index, column, leftRow)
    else if (rightRow >= 0) right.give(this.#out, index, column, rightRow)
    else if (place !== null) this.#out.setId(index, -1, place.of)
    else this.#out.setNumber(index, Number.NaN, 0)
  }
}
