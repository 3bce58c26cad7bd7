// Windows in Flink SQL: a window table-valued function where there is one, else a group by civil month, whose rows are
// replaced as they grow. The result has window_start and window_end (TIMESTAMP(3), UTC), groups, and one column per state.
import type { Chain, ChainWindow } from '../query/chain.ts'
import type { Aggregation, Expression, Window } from '../query/plan.ts'
import { PlanError, typeOf } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { expressionSql, isArithmetic } from './expression-sql.ts'
import { heldAs, interval, isExact, list, name, scaleOf } from './sql-text.ts'

export interface WindowParts {
  readonly chain: Chain
  readonly window: ChainWindow
  /** The view with the window's input. */
  readonly from: string
  readonly prefix: string
}
export interface WindowRows {
  /** One row per window and group. */
  readonly select: string
  /** The held value of each aggregate over those rows. */
  readonly values: readonly string[]
}

const dayMs = 86_400_000

export function windowSql(parts: WindowParts): WindowRows {
  const { chain, window, from, prefix } = parts
  const { states, values } = lowered(parts)
  const groups = window.groups.map(name)
  const at = name(`${prefix}at`)
  const over = windowOver(chain, window.window, from, at)
  if (over !== null) {
    const keys = ['window_start', 'window_end', ...groups]
    return {
      values,
      select: `SELECT\n  ${list([...keys, ...states])}\nFROM TABLE(\n  ${over})\nGROUP BY ${keys.join(', ')}`,
    }
  }
  const month = `DATE_FORMAT(CAST(${at} AS TIMESTAMP(3)), 'yyyy-MM-01 00:00:00')`
  const start = `CAST(${month} AS TIMESTAMP(3))`
  const bounds = [`${start} AS window_start`, `${start} + INTERVAL '1' MONTH AS window_end`]
  return {
    values,
    select: `SELECT\n  ${list([...bounds, ...groups, ...states])}\nFROM ${name(from)}\nGROUP BY ${[month, ...groups].join(', ')}`,
  }
}

/** The call of the window function; null for months, whose length varies. */
function windowOver(chain: Chain, window: Window, from: string, at: string): string | null {
  const of = `TABLE ${name(from)}, DESCRIPTOR(${at})`
  const refuse = (what: string, cure: string): never => {
    throw new PlanError(chain.plan.name, 'window', `${what} have no Flink SQL yet`, cure)
  }
  switch (window.kind) {
    case 'tumbling':
      return `TUMBLE(${of}, ${interval(window.sizeMs)})`
    case 'hopping':
      return `HOP(${of}, ${interval(window.slideMs)}, ${interval(window.sizeMs)})`
    case 'calendar':
      if (window.zone !== 'UTC' && window.zone !== 'Etc/UTC')
        return refuse('calendar windows outside UTC', 'Use UTC, or run the plan in the engine')
      if (window.unit === 'month') return null
      if (window.unit === 'day') return `TUMBLE(${of}, ${interval(dayMs)})`
      // 1970-01-01 was a Thursday: weeks from Monday begin four days later.
      return `TUMBLE(${of}, ${interval(7 * dayMs)}, ${interval(4 * dayMs)})`
    case 'session':
    case 'cumulative':
      return refuse(`${window.kind} windows`, 'Use a tumbling, hopping or calendar window')
    default:
      return unreachable(window)
  }
}

/** Aggregates as states (equal ones once) and as expressions over them. */
function lowered({ chain, window, prefix }: WindowParts): { readonly states: string[]; readonly values: string[] } {
  const states: string[] = []
  const known = new Map<string, string>()
  const notYet = (what: string): never => {
    throw new PlanError(
      chain.plan.name,
      window.id,
      `${what} has no Flink SQL yet`,
      'Leave it out, or run the plan where it is known',
    )
  }
  const state = (
    kind: 'COUNT' | 'SUM' | 'MIN' | 'MAX' | 'DISTINCT',
    of: Expression | null,
    where: Expression | null,
  ) => {
    const key = JSON.stringify([kind, of, where])
    let column = known.get(key)
    if (column === undefined) {
      column = name(`${prefix}${kind.toLowerCase()}_${known.size + 1}`)
      known.set(key, column)
      const filter = where === null ? '' : ` FILTER (WHERE ${expressionSql(where)})`
      states.push(`${callSql(kind, of)}${filter} AS ${column}`)
    }
    return column
  }
  const exactState = (aggregate: Aggregation): { readonly column: string; readonly scale: number } => {
    if (aggregate.function === 'count') return { column: state('COUNT', aggregate.of, aggregate.where), scale: 0 }
    if (aggregate.function !== 'sum') return notYet(`'${aggregate.function}' in a ratio`)
    const type = typeOf(aggregate.of)
    if (!isExact(type)) return notYet(`a sum of ${type.kind}`)
    return { column: state('SUM', aggregate.of, aggregate.where), scale: scaleOf(type) }
  }
  const values = window.aggregates.map(({ aggregate }) => {
    switch (aggregate.function) {
      case 'count':
      case 'sum':
        return exactState(aggregate).column
      case 'min':
      case 'max':
        if (heldAs(typeOf(aggregate.of)) === 'STRING') return notYet(`'${aggregate.function}' of text`)
        return state(aggregate.function === 'min' ? 'MIN' : 'MAX', aggregate.of, aggregate.where)
      case 'count-distinct':
        return state('DISTINCT', aggregate.of, aggregate.where)
      case 'ratio': {
        const [over, under] = [exactState(aggregate.numerator), exactState(aggregate.denominator)]
        return ratioSql(over.column, under.column, aggregate.scale - over.scale + under.scale)
      }
      case 'first':
      case 'last':
      case 'variance':
      case 'quantile':
      case 'argmax':
        return notYet(`aggregate '${aggregate.function}'`)
      default:
        return unreachable(aggregate)
    }
  })
  return { states, values }
}

function callSql(kind: 'COUNT' | 'SUM' | 'MIN' | 'MAX' | 'DISTINCT', of: Expression | null): string {
  if (of === null) return 'COUNT(*)'
  const value = expressionSql(of)
  switch (kind) {
    case 'DISTINCT':
      return `COUNT(DISTINCT ${value})`
    case 'SUM':
      // Summed as DECIMAL(38, 0): a sum of BIGINT would wrap.
      return `SUM(CAST(${value} AS DECIMAL(20, 0)))`
    case 'COUNT':
      return `COUNT(${value})`
    default:
      return isArithmetic(of) && typeOf(of).kind !== 'float64'
        ? `${kind}(CAST(${value} AS BIGINT))`
        : `${kind}(${value})`
  }
}

/**
 * numerator * 10^shift / denominator in whole numbers, half away from zero; null where the denominator is 0. BIGINT
 * divides towards zero, which is what this needs; DECIMAL would round at six digits. Exact while twice the numerator fits
 * 18 digits (a window of 9 * 10^15 in money of two decimals); null beyond, never wrong.
 */
function ratioSql(numerator: string, denominator: string, shift: number): string {
  const times = (value: string, power: number): string =>
    power > 0 ? `ABS(CAST(${value} AS BIGINT)) * ${10n ** BigInt(power)}` : `ABS(CAST(${value} AS BIGINT))`
  const [over, under] = [times(numerator, shift), times(denominator, -shift)]
  const limit = (power: number): string => `${10n ** BigInt(17 - Math.max(0, power))}`
  const sign = `CASE WHEN (${numerator} < 0) <> (${denominator} < 0) THEN -1 ELSE 1 END`
  return (
    `CASE WHEN ${denominator} <> 0 AND ABS(${numerator}) < ${limit(shift)} AND ABS(${denominator}) < ${limit(-shift)}\n` +
    `    THEN ${sign} * ((2 * ${over} + ${under}) / (2 * ${under})) END`
  )
}
