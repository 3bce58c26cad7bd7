// Texts that are computed: chosen by conditions, stood in for where null. Their ids are of a dictionary of their own, into
// which the ids of columns are translated, each once until either dictionary gives ids back.
import type { Expression } from '../query/plan.ts'
import { assert, BrokenInvariant } from '../std/assert.ts'
import type { Batch, IdColumn } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownInts } from './int-set.ts'

export type TextEvaluator = (batch: Batch) => IdColumn
/** Lowers the conditions that choose. */
export type LowerCondition = (condition: Expression) => NumberEvaluator

/** Texts that are compared and gone: forgotten all at once when there are so many. */
const TRANSIENT_MAX = 65_536

/** `into`: where the ids come from; the caller keeps and sweeps it. */
export function lowerText(
  expression: Expression,
  slotOf: (name: string) => number,
  into: Dictionary<string>,
  lowerCondition: LowerCondition,
): TextEvaluator {
  const ids = lowerIds(expression, slotOf, into, lowerCondition)
  return (batch) => ({ kind: 'id', values: ids(batch), dictionary: into })
}
/** A text that nothing keeps. */
export function lowerTransientText(
  expression: Expression,
  slotOf: (name: string) => number,
  lowerCondition: LowerCondition,
): TextEvaluator {
  if (expression.op === 'column') {
    const slot = slotOf(expression.name)
    return (batch) => idColumn(batch, slot)
  }
  const own = new Dictionary<string>()
  const text = lowerText(expression, slotOf, own, lowerCondition)
  return (batch) => {
    if (own.count > TRANSIENT_MAX) own.sweep(new Uint8Array(own.high))
    return text(batch)
  }
}

function idColumn(batch: Batch, slot: number): IdColumn {
  const column = batch.columns[slot]!
  assert(column.kind === 'id', `a ${column.kind} column where ids are needed`)
  return column
}

type Ids = (batch: Batch) => Int32Array<ArrayBuffer>

function lowerIds(
  expression: Expression,
  slotOf: (name: string) => number,
  into: Dictionary<string>,
  lowerCondition: LowerCondition,
): Ids {
  const lower = (of: Expression): Ids => lowerIds(of, slotOf, into, lowerCondition)
  switch (expression.op) {
    case 'column':
      return translated(slotOf(expression.name), into)
    case 'literal':
      return filledWith(expression.value === null ? null : String(expression.value), into)
    case 'when': {
      const branches = expression.branches.map(({ condition, value }) => ({
        condition: lowerCondition(condition),
        value: lower(value),
      }))
      return chosen(branches.toReversed(), lower(expression.otherwise))
    }
    case 'coalesce':
      return firstKnown(expression.of.map(lower))
    default:
      throw new BrokenInvariant(`'${expression.op}' gives no text`)
  }
}

/** The texts of a column, by ids of another dictionary. */
function translated(slot: number, into: Dictionary<string>): Ids {
  let out = new Int32Array(0)
  /** By id of the column: id there, plus one; 0: not met yet. */
  let known = new Int32Array(0)
  let [from, to] = [-1, -1]
  return (batch) => {
    const { values, dictionary } = idColumn(batch, slot)
    if (dictionary.generation !== from || into.generation !== to) known = new Int32Array(dictionary.high)
    from = dictionary.generation
    to = into.generation
    known = grownInts(known, dictionary.high)
    out = grownInts(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) {
      const id = values[i]!
      if (id < 0) out[i] = -1
      else {
        if (known[id] === 0) known[id] = into.idOf(dictionary.valueOf(id)) + 1
        out[i] = known[id]! - 1
      }
    }
    return out
  }
}
function filledWith(text: string | null, into: Dictionary<string>): Ids {
  let out = new Int32Array(0)
  return (batch) => {
    out = grownInts(out, batch.rows)
    out.fill(text === null ? -1 : into.idOf(text), 0, batch.rows)
    return out
  }
}
/** `branches`: the last one first. */
function chosen(
  branches: readonly { readonly condition: NumberEvaluator; readonly value: Ids }[],
  otherwise: Ids,
): Ids {
  let out = new Int32Array(0)
  return (batch) => {
    out = grownInts(out, batch.rows)
    out.set(otherwise(batch).subarray(0, batch.rows))
    for (const { condition, value } of branches) {
      const [conditions, values] = [condition(batch), value(batch)]
      for (let i = 0; i < batch.rows; i++) if (conditions[i] === 1) out[i] = values[i]!
    }
    return out
  }
}
function firstKnown(values: readonly Ids[]): Ids {
  let out = new Int32Array(0)
  return (batch) => {
    out = grownInts(out, batch.rows)
    out.fill(-1, 0, batch.rows)
    for (const value of values) {
      const ids = value(batch)
      for (let i = 0; i < batch.rows; i++) if (out[i]! < 0) out[i] = ids[i]!
    }
    return out
  }
}
