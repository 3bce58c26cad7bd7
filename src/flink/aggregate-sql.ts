// Aggregates in Flink SQL: each becomes states (equal ones once) and an expression over them. What is picked by time is the
// least or greatest of texts that begin with what decides, because Flink's FIRST_VALUE and LAST_VALUE go by arrival.
import type { Aggregation, Expression, NamedAggregate, PlanNode } from '../query/plan.ts'
import { typeOf } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { expressionSql, isWide } from './expression-sql.ts'
import { type FlinkQuery, type FlinkRows, refuse } from './query-views.ts'
import { ratioSql } from './ratio-sql.ts'
import { heldAs, isExact, msSql, name, scaleOf } from './sql-text.ts'

export interface Lowered {
  /** `CALL(…) AS column`. */
  readonly states: readonly string[]
  /** By aggregate: the held value, over the states' columns. */
  readonly values: readonly string[]
}

/** Digits of the text that `order` begins with. */
const orderLength = 50

/** `over`: the name of a window of the SELECT, for aggregates at each record. */
export function loweredAggregates(
  query: FlinkQuery,
  node: PlanNode,
  input: FlinkRows,
  aggregates: readonly NamedAggregate[],
  over: string | null = null,
): Lowered {
  const states: string[] = []
  const known = new Map<string, string>()
  const no = (what: string): never =>
    refuse(query, node, `${what} has no Flink SQL`, 'Leave it out, or run the plan where it is known')
  const sqlOf = (of: Expression): string => {
    if (of.op === 'column' && input.bounds.has(of.name)) return no('an aggregate of the bounds of a window')
    return isWide(of) && typeOf(of).kind !== 'float64' ? `CAST(${expressionSql(of)} AS BIGINT)` : expressionSql(of)
  }
  const state = (kind: string, call: (value: string) => string, value: string, where: string | null): string => {
    // Flink has no FILTER on ranges: null is skipped there as everywhere.
    const called =
      over === null
        ? `${call(value)}${where === null ? '' : ` FILTER (WHERE ${where})`}`
        : `${call(where === null ? value : `CASE WHEN ${where} THEN ${value === '*' ? '1' : value} END`)} OVER ${over}`
    let column = known.get(called)
    if (column === undefined) {
      column = name(`${query.prefix}${kind}_${known.size + 1}`)
      known.set(called, column)
      states.push(`${called} AS ${column}`)
    }
    return column
  }
  const plain = (kind: string) => (value: string) => `${kind.toUpperCase()}(${value})`
  const whereSql = (where: Expression | null): string | null => (where === null ? null : expressionSql(where))
  const exactState = (aggregate: Aggregation): { readonly column: string; readonly scale: number } => {
    switch (aggregate.function) {
      case 'count': {
        const { of } = aggregate
        const value = of === null ? '*' : expressionSql(of)
        return { column: state('count', plain('count'), value, whereSql(aggregate.where)), scale: 0 }
      }
      case 'count-distinct': {
        const call = (value: string): string => `COUNT(DISTINCT ${value})`
        return { column: state('distinct', call, sqlOf(aggregate.of), whereSql(aggregate.where)), scale: 0 }
      }
      case 'sum':
      case 'min':
      case 'max': {
        const { of, where, function: kind } = aggregate
        const type = typeOf(of)
        if (!isExact(type)) return no(`a ratio of ${type.kind}`)
        // Summed as DECIMAL(38, 0): a sum of BIGINT would wrap.
        const value = kind === 'sum' ? `CAST(${expressionSql(of)} AS DECIMAL(20, 0))` : sqlOf(of)
        return { column: state(kind, plain(kind), value, whereSql(where)), scale: scaleOf(type) }
      }
      default:
        return no(`'${aggregate.function}' in a ratio`)
    }
  }
  /** Rows of which `values` are known and that the condition lets through. */
  const knownRows = (values: readonly Expression[], where: Expression | null): string => {
    const conditions = values.map((value) => `${expressionSql(value)} IS NOT NULL`)
    return [...conditions, ...(where === null ? [] : [expressionSql(where)])].join(' AND ')
  }
  const { order } = query
  const ordered = (): NonNullable<FlinkQuery['order']> => {
    if (order !== null && input.carried.includes(order.rising)) return order
    if (!input.carried.includes(query.at)) return no('what is first or last of rows without event time')
    // Rows that were computed have no place in the log: of two of one time either may count.
    const ms = `${msSql(query.at)} + 62167219200000`
    const digits = (value: string): string => `CONCAT(LPAD(CAST(${value} AS STRING), 20, '0'), REPEAT('0', 30))`
    return { rising: digits(ms), falling: digits(`999999999999999999 - (${ms})`) }
  }
  const picked = (kind: 'min' | 'max', key: string, keyLength: number, of: Expression, where: string): string => {
    const held = heldAs(typeOf(of))
    const text = `CONCAT(${key}, ${held === 'STRING' ? sqlOf(of) : `CAST(${sqlOf(of)} AS STRING)`})`
    const found = `SUBSTRING(${state(kind, plain(kind), text, where)}, ${keyLength + 1})`
    return held === 'STRING' ? found : `CAST(${found} AS ${held})`
  }
  const lower = (aggregate: Aggregation): string => {
    switch (aggregate.function) {
      case 'count':
      case 'count-distinct':
        return exactState(aggregate).column
      case 'sum':
        return exactState(aggregate).column
      case 'min':
      case 'max':
        return state(aggregate.function, plain(aggregate.function), sqlOf(aggregate.of), whereSql(aggregate.where))
      case 'ratio': {
        const [top, bottom] = [exactState(aggregate.numerator), exactState(aggregate.denominator)]
        return ratioSql(top.column, bottom.column, aggregate.scale - top.scale + bottom.scale)
      }
      case 'first':
      case 'last': {
        const { of, where, function: which } = aggregate
        const kind = which === 'first' ? 'min' : 'max'
        return picked(kind, ordered().rising, orderLength, of, knownRows([of], where))
      }
      case 'argmax': {
        const { of, by, where } = aggregate
        const key = sortableSql(by) ?? no(`'argmax' by ${typeOf(by).kind}`)
        const falling = `CONCAT(${key.text}, ${ordered().falling})`
        return picked('max', falling, key.length + orderLength, of, knownRows([of, by], where))
      }
      case 'variance': {
        const value = floatSql(aggregate.of)
        return state('variance', (one) => `VAR_POP(${one})`, value, whereSql(aggregate.where))
      }
      case 'quantile': {
        const { of, fraction, where } = aggregate
        if (over !== null) return no('a quantile at each record')
        return state('quantile', (one) => `PERCENTILE(${one}, ${fraction})`, floatSql(of), whereSql(where))
      }
      default:
        return unreachable(aggregate)
    }
  }
  const values = aggregates.map(({ aggregate }) => lower(aggregate))
  if (states.length === 0)
    states.push(`COUNT(*)${over === null ? '' : ` OVER ${over}`} AS ${name(`${query.prefix}count_0`)}`)
  return { states, values }
}

/** In the type's unit, not in minor ones. */
function floatSql(of: Expression): string {
  const scale = scaleOf(typeOf(of))
  return `CAST(${expressionSql(of)} AS DOUBLE)${scale === 0 ? '' : ` / ${10 ** scale}`}`
}
/** Text of one length that sorts like the value; null where there is none. */
function sortableSql(by: Expression): { readonly text: string; readonly length: number } | null {
  switch (heldAs(typeOf(by))) {
    case 'BIGINT':
      // Magnitudes reach 2^53 - 1.
      return {
        text: `LPAD(CAST(CAST(${expressionSql(by)} AS BIGINT) + 9007199254740992 AS STRING), 17, '0')`,
        length: 17,
      }
    case 'DATE':
      return { text: `CAST(${expressionSql(by)} AS STRING)`, length: 10 }
    default:
      return null
  }
}
