// Conditions on text columns, answered once per dictionary id and remembered until ids are given back.
import type { Comparison } from '../query/plan.ts'
import type { Batch, IdColumn } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownBytes, grownFloats } from './int-set.ts'

const UNKNOWN = 0
const FALSE = 1
const TRUE = 2

export function textPredicate(ids: (batch: Batch) => IdColumn, holds: (text: string) => boolean): NumberEvaluator {
  let out = new Float64Array(0)
  let known = new Uint8Array(0)
  let generation = -1
  return (batch) => {
    const { values, dictionary } = ids(batch)
    if (dictionary.generation !== generation) {
      known = new Uint8Array(dictionary.high)
      generation = dictionary.generation
    }
    known = grownBytes(known, dictionary.high)
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) {
      const id = values[i]!
      if (id < 0) {
        out[i] = Number.NaN
        continue
      }
      if (known[id] === UNKNOWN) known[id] = holds(dictionary.valueOf(id)) ? TRUE : FALSE
      out[i] = known[id] === TRUE ? 1 : 0
    }
    return out
  }
}

export function textsCompared(
  by: Comparison,
  left: (batch: Batch) => IdColumn,
  right: ((batch: Batch) => IdColumn) | string | number | boolean | null,
): NumberEvaluator {
  const holds = (order: number): boolean =>
    by === '='
      ? order === 0
      : by === '!='
        ? order !== 0
        : by === '<'
          ? order < 0
          : by === '<='
            ? order <= 0
            : by === '>'
              ? order > 0
              : order >= 0
  if (typeof right !== 'function') {
    if (right === null) return (batch) => new Float64Array(batch.rows).fill(Number.NaN)
    return textPredicate(left, (text) => holds(compareText(text, String(right))))
  }
  let out = new Float64Array(0)
  return (batch) => {
    const [a, b] = [left(batch), right(batch)]
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) {
      const [x, y] = [a.values[i]!, b.values[i]!]
      out[i] =
        x < 0 || y < 0 ? Number.NaN : holds(compareText(a.dictionary.valueOf(x), b.dictionary.valueOf(y))) ? 1 : 0
    }
    return out
  }
}

/** Order of the texts' UTF-8 bytes, which is that of their code points: surrogates sort above all other units. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xHigh = x >= 0xd800 && x <= 0xdfff
    const yHigh = y >= 0xd800 && y <= 0xdfff
    if (xHigh !== yHigh) return xHigh ? 1 : -1
    return x - y
  }
  return a.length - b.length
}
