// Expressions lowered to loops over a whole batch, one closure per operator. Three-valued logic: null is NaN (numbers,
// truth) or -1 (text ids). A number beyond 2^53 becomes Infinity, which the caller turns into a dead letter.
import type { FieldType } from '../query/contract.ts'
import type { Expression } from '../query/plan.ts'
import { typeOf } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Batch, BatchColumn, IdColumn, NumberColumn } from './columns.ts'
import {
  chosen,
  divided,
  extremeOf,
  firstKnown,
  floatFunction,
  quotient,
  remainder,
  timePart,
} from './computed-numbers.ts'
import type { Dictionary } from './dictionary.ts'
import { grownFloats } from './int-set.ts'
import { lowerText, lowerTransientText, type TextEvaluator } from './text-choices.ts'
import { textPredicate, textsCompared } from './text-predicates.ts'

/** Computes a column for all rows of the batch. */
export type Evaluator = (batch: Batch) => BatchColumn
export type NumberEvaluator = (batch: Batch) => Float64Array<ArrayBuffer>

/** `slotOf` tells where a column of that name lies in the batch; `texts` is the dictionary of a text that is computed. */
export function lowerExpression(
  expression: Expression,
  slotOf: (name: string) => number,
  texts: Dictionary<string> | null,
): Evaluator {
  if (expression.op === 'column') {
    const slot = slotOf(expression.name)
    return (batch) => batch.columns[slot]!
  }
  if (texts !== null) return lowerText(expression, slotOf, texts, (condition) => lowerNumbers(condition, slotOf))
  const numbers = lowerNumbers(expression, slotOf)
  const column: NumberColumn = { kind: 'number', values: new Float64Array(0) }
  return (batch) => {
    column.values = numbers(batch)
    return column
  }
}

export function lowerNumbers(expression: Expression, slotOf: (name: string) => number): NumberEvaluator {
  switch (expression.op) {
    case 'column': {
      const slot = slotOf(expression.name)
      return (batch) => numbersOf(batch.columns[slot]!)
    }
    case 'literal': {
      const { value } = expression
      assert(typeof value !== 'string', `text literal ${value} where a number is needed`)
      return filler(value === null ? Number.NaN : Number(value))
    }
    case 'plus':
    case 'minus':
    case 'times': {
      const [left, right] = [lowerNumbers(expression.left, slotOf), lowerNumbers(expression.right, slotOf)]
      const exact = expression.type.kind !== 'float64'
      return arithmetic(expression.op, left, right, exact ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE)
    }
    case 'compare': {
      const { by, left, right } = expression
      if (isText(left) || isText(right)) return textCompare(expression, slotOf)
      return comparison(by, lowerNumbers(left, slotOf), lowerNumbers(right, slotOf))
    }
    case 'and':
      return both(lowerNumbers(expression.left, slotOf), lowerNumbers(expression.right, slotOf), 0)
    case 'or':
      return both(lowerNumbers(expression.left, slotOf), lowerNumbers(expression.right, slotOf), 1)
    case 'not':
      return mapped(lowerNumbers(expression.of, slotOf), (value) => 1 - value)
    case 'is-null': {
      const { of } = expression
      if (isText(of)) return nullIds(idColumn(of, slotOf))
      return mapped(lowerNumbers(of, slotOf), (value) => (Number.isNaN(value) ? 1 : 0))
    }
    case 'when': {
      const branches = expression.branches.map(({ condition, value }) => ({
        condition: lowerNumbers(condition, slotOf),
        value: lowerNumbers(value, slotOf),
      }))
      return chosen(branches, lowerNumbers(expression.otherwise, slotOf))
    }
    case 'coalesce':
      return firstKnown(expression.of.map((value) => lowerNumbers(value, slotOf)))
    case 'least':
    case 'greatest':
      return extremeOf(
        expression.op,
        expression.of.map((value) => lowerNumbers(value, slotOf)),
      )
    case 'absolute':
      return mapped(lowerNumbers(expression.of, slotOf), Math.abs)
    case 'modulo':
      return remainder(lowerNumbers(expression.left, slotOf), lowerNumbers(expression.right, slotOf))
    case 'ratio': {
      const { left, right, type } = expression
      const shift = scaleOf(type) - scaleOf(typeOf(left)) + scaleOf(typeOf(right))
      return quotient(lowerNumbers(left, slotOf), lowerNumbers(right, slotOf), shift)
    }
    case 'divide':
      return divided(lowerNumbers(expression.left, slotOf), lowerNumbers(expression.right, slotOf))
    case 'to-float': {
      // A division by an exact power of ten is rounded once: the float nearest to the number.
      const unit = 10 ** scaleOf(typeOf(expression.of))
      return mapped(lowerNumbers(expression.of, slotOf), (value) => value / unit)
    }
    case 'ln':
    case 'sqrt':
    case 'exp':
      return mapped(lowerNumbers(expression.of, slotOf), floatFunction(expression.op))
    case 'time-part': {
      const { of, part, zone } = expression
      return timePart(lowerNumbers(of, slotOf), part, zone, typeOf(of).kind === 'date' ? 86_400_000 : 1)
    }
    case 'starts-with': {
      const { prefix } = expression
      return textPredicate(idColumn(expression.of, slotOf), (text) => text.startsWith(prefix))
    }
    case 'one-of': {
      const values = new Set<string | number>(expression.values)
      if (isText(expression.of)) return textPredicate(idColumn(expression.of, slotOf), (text) => values.has(text))
      return mapped(lowerNumbers(expression.of, slotOf), (value) =>
        Number.isNaN(value) ? value : values.has(value) ? 1 : 0,
      )
    }
    default:
      return unreachable(expression)
  }
}

function scaleOf(type: FieldType): number {
  return type.kind === 'money' || type.kind === 'decimal' ? type.scale : 0
}
export function isText(expression: Expression): boolean {
  const { kind } = typeOf(expression)
  return kind === 'string' || kind === 'uuid' || kind === 'bytes'
}
export function numbersOf(column: BatchColumn): Float64Array<ArrayBuffer> {
  assert(column.kind === 'number', `a ${column.kind} column where numbers are needed`)
  return column.high ? folded(column.values, column.high) : column.values
}
/** Sums beyond 2^53 as the mark of an overflow: what is computed of them is not exact. They compare as they should. */
function folded(values: Float64Array, high: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(values, (value, i) => {
    const whole = value + (high[i] ?? 0) * 2 ** 52
    if (Math.abs(whole) <= Number.MAX_SAFE_INTEGER || Number.isNaN(whole)) return whole
    return whole > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  })
}
/** A text to look at and forget. */
function idColumn(expression: Expression, slotOf: (name: string) => number): TextEvaluator {
  return lowerTransientText(expression, slotOf, (condition) => lowerNumbers(condition, slotOf))
}

function textCompare(compare: Expression & { op: 'compare' }, slotOf: (name: string) => number): NumberEvaluator {
  const { by, left, right } = compare
  if (right.op === 'literal') return textsCompared(by, idColumn(left, slotOf), right.value)
  return textsCompared(by, idColumn(left, slotOf), idColumn(right, slotOf))
}

function nullIds(ids: (batch: Batch) => IdColumn): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    out = grownFloats(out, batch.rows)
    const { values } = ids(batch)
    for (let i = 0; i < batch.rows; i++) out[i] = values[i]! < 0 ? 1 : 0
    return out
  }
}

function filler(value: number): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    if (out.length < batch.rows) out = grownFloats(out, batch.rows).fill(value)
    return out
  }
}

function mapped(of: NumberEvaluator, map: (value: number) => number): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    const values = of(batch)
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) out[i] = map(values[i]!)
    return out
  }
}

/** One loop per operation, so that each stays monomorphic. */
function arithmetic(
  op: 'plus' | 'minus' | 'times',
  left: NumberEvaluator,
  right: NumberEvaluator,
  max: number,
): NumberEvaluator {
  let out = new Float64Array(0)
  const loops = { plus: addLoop, minus: subtractLoop, times: multiplyLoop }
  const loop = loops[op]
  return (batch) => {
    const [a, b] = [left(batch), right(batch)]
    out = grownFloats(out, batch.rows)
    loop(a, b, out, batch.rows, max)
    return out
  }
}
function addLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number, max: number): void {
  for (let i = 0; i < rows; i++) {
    const value = a[i]! + b[i]!
    out[i] = value <= max && value >= -max ? value : overflowed(a[i]!, b[i]!)
  }
}
function subtractLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number, max: number): void {
  for (let i = 0; i < rows; i++) {
    const value = a[i]! - b[i]!
    out[i] = value <= max && value >= -max ? value : overflowed(a[i]!, b[i]!)
  }
}
function multiplyLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number, max: number): void {
  for (let i = 0; i < rows; i++) {
    // Adding 0 turns -0 into 0.
    const value = a[i]! * b[i]! + 0
    out[i] = value <= max && value >= -max ? value : overflowed(a[i]!, b[i]!)
  }
}
/** Null if an operand is; else the mark of an overflow. */
function overflowed(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Number.POSITIVE_INFINITY
}

function comparison(
  by: '=' | '!=' | '<' | '<=' | '>' | '>=',
  left: NumberEvaluator,
  right: NumberEvaluator,
): NumberEvaluator {
  let out = new Float64Array(0)
  const loops = { '=': equalLoop, '!=': differLoop, '<': belowLoop, '<=': atMostLoop, '>': belowLoop, '>=': atMostLoop }
  const loop = loops[by]
  const swapped = by === '>' || by === '>='
  return (batch) => {
    const [a, b] = swapped ? [right(batch), left(batch)] : [left(batch), right(batch)]
    out = grownFloats(out, batch.rows)
    loop(a, b, out, batch.rows)
    return out
  }
}
function equalLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) out[i] = a[i]! === b[i]! ? 1 : unlessNull(a[i]! - b[i]!)
}
function differLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) out[i] = a[i]! === b[i]! ? 0 : 1 + unlessNull(a[i]! - b[i]!)
}
function belowLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) out[i] = a[i]! < b[i]! ? 1 : unlessNull(a[i]! - b[i]!)
}
function atMostLoop(a: Float64Array, b: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) out[i] = a[i]! <= b[i]! ? 1 : unlessNull(a[i]! - b[i]!)
}
/** 0, or NaN if the difference of the operands is NaN. */
function unlessNull(difference: number): number {
  return Number.isNaN(difference) ? difference : 0
}

/** And (`decides` 0) or or (`decides` 1): the deciding value wins over null. */
function both(left: NumberEvaluator, right: NumberEvaluator, decides: 0 | 1): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    const [a, b] = [left(batch), right(batch)]
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) {
      const [x, y] = [a[i]!, b[i]!]
      if (x === decides || y === decides) out[i] = decides
      else out[i] = x + y - x * y
    }
    return out
  }
}
