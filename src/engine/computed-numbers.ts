// Loops behind the expressions that are more than arithmetic: choices, quotients, float functions, parts of times. Null
// is NaN; Infinity marks what left the exact numbers, and passes through what chooses it.
import type { TimePart } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { civilFromDays, daysFromCivil } from '../std/instant.ts'
import type { Batch } from './columns.ts'
import type { NumberEvaluator } from './expressions.ts'
import { grownFloats } from './int-set.ts'
import { zoneOffset } from './pane-clock.ts'
import { exactRatio, quickRatio } from './ratio.ts'

export interface Branch {
  readonly condition: NumberEvaluator
  readonly value: NumberEvaluator
}

/** The value of the first branch whose condition is true. */
export function chosen(branches: readonly Branch[], otherwise: NumberEvaluator): NumberEvaluator {
  const backwards = branches.toReversed()
  let out = new Float64Array(0)
  return (batch) => {
    out = grownFloats(out, batch.rows)
    out.set(otherwise(batch).subarray(0, batch.rows))
    for (const { condition, value } of backwards) chooseLoop(condition(batch), value(batch), out, batch.rows)
    return out
  }
}
function chooseLoop(condition: Float64Array, value: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) if (condition[i] === 1) out[i] = value[i]!
}

/** The first that is not null. */
export function firstKnown(values: readonly NumberEvaluator[]): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    out = grownFloats(out, batch.rows)
    out.fill(Number.NaN, 0, batch.rows)
    for (const value of values) knownLoop(value(batch), out, batch.rows)
    return out
  }
}
function knownLoop(value: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) if (Number.isNaN(out[i]!)) out[i] = value[i]!
}

/** Null if any is. */
export function extremeOf(which: 'least' | 'greatest', values: readonly NumberEvaluator[]): NumberEvaluator {
  const loop = which === 'least' ? leastLoop : greatestLoop
  let out = new Float64Array(0)
  return (batch) => {
    out = grownFloats(out, batch.rows)
    out.fill(which === 'least' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, 0, batch.rows)
    for (const value of values) loop(value(batch), out, batch.rows)
    return out
  }
}
// Written so that NaN on either side stays.
function leastLoop(value: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) if (!(value[i]! >= out[i]!)) out[i] = Number.isNaN(out[i]!) ? Number.NaN : value[i]!
}
function greatestLoop(value: Float64Array, out: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) if (!(value[i]! <= out[i]!)) out[i] = Number.isNaN(out[i]!) ? Number.NaN : value[i]!
}

/** Numerator * 10^shift / denominator. */
export function quotient(over: NumberEvaluator, under: NumberEvaluator, shift: number): NumberEvaluator {
  return combined(over, under, (a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b) || b === 0) return Number.NaN
    if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    const quick = quickRatio(a, b, shift)
    if (!Number.isNaN(quick)) return quick
    const exact = Number(exactRatio(BigInt(a), BigInt(b), shift))
    return Number.isSafeInteger(exact) ? exact : Number.POSITIVE_INFINITY
  })
}
/** With the sign of the dividend. */
export function remainder(left: NumberEvaluator, right: NumberEvaluator): NumberEvaluator {
  return combined(left, right, (a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b) || b === 0) return Number.NaN
    if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    // Adding 0 turns -0 into 0.
    return (a % b) + 0
  })
}
export function divided(left: NumberEvaluator, right: NumberEvaluator): NumberEvaluator {
  return combined(left, right, (a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b) || b === 0) return Number.NaN
    if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    return finiteOrMark(a / b)
  })
}
function combined(
  left: NumberEvaluator,
  right: NumberEvaluator,
  combine: (a: number, b: number) => number,
): NumberEvaluator {
  let out = new Float64Array(0)
  return (batch) => {
    const [a, b] = [left(batch), right(batch)]
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) out[i] = combine(a[i]!, b[i]!)
    return out
  }
}
function finiteOrMark(value: number): number {
  return Number.isNaN(value) ? value : Number.isFinite(value) ? value + 0 : Number.POSITIVE_INFINITY
}

/** A function of floats: null outside its domain. */
export function floatFunction(op: 'ln' | 'sqrt' | 'exp'): (value: number) => number {
  switch (op) {
    case 'ln':
      return (value) => (value > 0 ? finiteOrMark(Math.log(value)) : Number.NaN)
    case 'sqrt':
      return (value) => (value >= 0 ? Math.sqrt(value) : Number.NaN)
    case 'exp':
      return (value) => finiteOrMark(Math.exp(value))
    default:
      return unreachable(op)
  }
}

const DAY_MS = 86_400_000

/** `unitMs`: what times count, 1 for instants, a day for dates (which have no zone). */
export function timePart(
  of: NumberEvaluator,
  part: TimePart,
  zone: string,
  unitMs: 1 | typeof DAY_MS,
): NumberEvaluator {
  const offsetAt = unitMs === 1 ? zoneOffset(zone) : () => 0
  const partOf = partOfLocal(part)
  let out = new Float64Array(0)
  return (batch: Batch) => {
    const times = of(batch)
    out = grownFloats(out, batch.rows)
    for (let i = 0; i < batch.rows; i++) {
      const timeMs = times[i]! * unitMs
      out[i] = Number.isNaN(timeMs) ? Number.NaN : partOf(timeMs + offsetAt(timeMs))
    }
    return out
  }
}
function partOfLocal(part: TimePart): (localMs: number) => number {
  const dayOf = (localMs: number): number => Math.floor(localMs / DAY_MS)
  const inDay = (localMs: number): number => localMs - dayOf(localMs) * DAY_MS
  // 1970-01-01 was a Thursday.
  const weekday = (localMs: number): number => (((dayOf(localMs) + 3) % 7) + 7) % 7
  switch (part) {
    case 'year':
      return (localMs) => civilFromDays(dayOf(localMs)).year
    case 'month':
      return (localMs) => civilFromDays(dayOf(localMs)).month
    case 'day': {
      return (localMs) => {
        const { year, month } = civilFromDays(dayOf(localMs))
        return dayOf(localMs) - daysFromCivil(year, month, 1) + 1
      }
    }
    case 'day-of-year':
      return (localMs) => dayOf(localMs) - daysFromCivil(civilFromDays(dayOf(localMs)).year, 1, 1) + 1
    case 'day-of-week':
      return (localMs) => weekday(localMs) + 1
    case 'hour':
      return (localMs) => Math.floor(inDay(localMs) / 3_600_000)
    case 'minute':
      return (localMs) => Math.floor(inDay(localMs) / 60_000) % 60
    case 'second':
      return (localMs) => Math.floor(inDay(localMs) / 1000) % 60
    case 'hour-of-week':
      return (localMs) => weekday(localMs) * 24 + Math.floor(inDay(localMs) / 3_600_000)
    default:
      return unreachable(part)
  }
}
