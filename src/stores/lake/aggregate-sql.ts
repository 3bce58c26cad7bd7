// Aggregates in DuckDB SQL: each becomes states (equal ones once), which any window can compute per cell and merge, and an
// expression over them. What is picked by time is the least or greatest of a struct that begins with what decides.
import type { Aggregation, Column, Expression, NamedAggregate } from '../../query/plan.ts'
import { isNullable, PlanError, typeOf } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { expressionSql, mayOverflow, overflowed } from './expression-sql.ts'
import type { QueryParts } from './query-parts.ts'
import { isExact, scaleOf } from './sql-text.ts'
import type { State } from './state-sql.ts'

export interface Lowered {
  /** The first counts records. */
  readonly states: readonly State[]
  /** By aggregate: the held value, over the states' columns. */
  readonly values: readonly string[]
}

export function loweredAggregates(
  query: QueryParts,
  at: string,
  columns: readonly Column[],
  aggregates: readonly NamedAggregate[],
): Lowered {
  const states: State[] = []
  const known = new Map<string, string>()
  const refuse = (what: string): never => {
    throw new PlanError(
      query.plan.name,
      at,
      `${what} has no DuckDB SQL`,
      'Leave it out, or run the plan where it is known',
    )
  }
  const state = (kind: State['kind'], of: string | null, where: string | null): string => {
    const key = JSON.stringify([kind, of, where])
    let column = known.get(key)
    if (column === undefined) {
      column = `${query.prefix}${kind}_${states.length + 1}`
      known.set(key, column)
      states.push({ column, kind, of, where })
    }
    return column
  }
  const whereSql = (where: Expression | null): string | null => (where === null ? null : expressionSql(where))
  const countOf = (of: Expression | null, where: Expression | null): string =>
    state('count', of !== null && isNullable(of, columns) ? expressionSql(of) : null, whereSql(where))
  // Sliding windows ask the first state which groups hold records.
  countOf(null, null)
  const exactState = (aggregate: Aggregation): { readonly column: string; readonly scale: number } => {
    switch (aggregate.function) {
      case 'count':
        return { column: countOf(aggregate.of, aggregate.where), scale: 0 }
      case 'count-distinct':
        return { column: state('distinct', expressionSql(aggregate.of), whereSql(aggregate.where)), scale: 0 }
      case 'sum':
      case 'min':
      case 'max': {
        const type = typeOf(aggregate.of)
        if (!isExact(type)) return refuse(`a ratio of ${type.kind}`)
        const column = state(aggregate.function, argumentSql(aggregate.of), whereSql(aggregate.where))
        return { column, scale: scaleOf(type) }
      }
      default:
        return refuse(`'${aggregate.function}' in a ratio`)
    }
  }
  /** Rows of which `values` are known and that the condition lets through. */
  const knownRows = (values: readonly Expression[], where: Expression | null): string => {
    const conditions = values.map((value) => `${expressionSql(value)} IS NOT NULL`)
    return [...conditions, ...(where === null ? [] : [expressionSql(where)])].join(' AND ')
  }
  const moment = (sign: '' | '-'): string => `m: ${sign}${query.at}, n: ${sign}${query.place ?? query.at}`
  const lower = (aggregate: Aggregation): string => {
    switch (aggregate.function) {
      case 'count':
        return countOf(aggregate.of, aggregate.where)
      case 'sum':
      case 'min':
      case 'max':
        return state(aggregate.function, argumentSql(aggregate.of), whereSql(aggregate.where))
      case 'count-distinct':
        return state('distinct', expressionSql(aggregate.of), whereSql(aggregate.where))
      case 'ratio': {
        const [over, under] = [exactState(aggregate.numerator), exactState(aggregate.denominator)]
        return ratioSql(over.column, under.column, aggregate.scale - over.scale + under.scale)
      }
      case 'first':
      case 'last': {
        const kind = aggregate.function === 'first' ? 'min' : 'max'
        const picked = `{${moment('')}, v: ${argumentSql(aggregate.of)}}`
        return `(${state(kind, picked, knownRows([aggregate.of], aggregate.where))}).v`
      }
      case 'argmax': {
        const { of, by, where } = aggregate
        const picked = `{b: ${argumentSql(by)}, ${moment('-')}, v: ${argumentSql(of)}}`
        return `(${state('max', picked, knownRows([of, by], where))}).v`
      }
      case 'variance': {
        const values = state('list', argumentSql(aggregate.of), knownRows([aggregate.of], aggregate.where))
        return varianceSql(values, scaleOf(typeOf(aggregate.of)))
      }
      case 'quantile': {
        const values = state('list', argumentSql(aggregate.of), knownRows([aggregate.of], aggregate.where))
        const scale = scaleOf(typeOf(aggregate.of))
        const found = `CAST(list_aggregate(${values}, 'quantile_disc', ${aggregate.fraction}) AS DOUBLE)`
        return scale === 0 ? found : `${found} / ${10 ** scale}`
      }
      default:
        return unreachable(aggregate)
    }
  }
  const values = aggregates.map(({ aggregate }) => lower(aggregate))
  return { states, values }
}

/** A computation that leaves what is exact stops the query: the engine stops there too. */
function argumentSql(of: Expression): string {
  const sql = expressionSql(of)
  if (!mayOverflow(of) || typeOf(of).kind === 'float64') return sql
  return `CASE WHEN ${sql} = ${overflowed} THEN error('an aggregated value is beyond what is exact (2^53)') ELSE ${sql} END`
}

/** numerator * 10^shift / denominator in whole numbers, half away from zero; null where the denominator is 0. */
function ratioSql(numerator: string, denominator: string, shift: number): string {
  const times = (value: string, power: number): string =>
    power > 0 ? `CAST(${value} AS HUGEINT) * ${10n ** BigInt(power)}` : `CAST(${value} AS HUGEINT)`
  const over = `abs(${times(numerator, shift)})`
  const under = `abs(${times(denominator, -shift)})`
  const sign = `CASE WHEN (${numerator} < 0) <> (${denominator} < 0) THEN -1 ELSE 1 END`
  return `CASE WHEN ${denominator} <> 0 THEN ${sign} * ((2 * ${over} + ${under}) // (2 * ${under})) END`
}

/** Of the population, in the type's unit. */
function varianceSql(values: string, scale: number): string {
  return `list_aggregate(list_transform(${values}, lambda v: CAST(v AS DOUBLE)${scale === 0 ? '' : ` / ${10 ** scale}`}), 'var_pop')`
}
