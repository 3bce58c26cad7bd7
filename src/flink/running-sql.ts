// Aggregates without windows in Flink SQL: per group over everything, at each record over the time before it, and decayed.
import type { PlanNode } from '../query/plan.ts'
import { typeOf } from '../query/plan.ts'
import { loweredAggregates } from './aggregate-sql.ts'
import { expressionSql } from './expression-sql.ts'
import { addView, type FlinkQuery, type FlinkRows, timed, within } from './query-views.ts'
import { as, interval, list, msSql, name, scaleOf } from './sql-text.ts'

type Of<K extends PlanNode['kind']> = PlanNode & { readonly kind: K }

/** Rows are replaced as they grow; their time is no attribute any more. */
export function runningSql(query: FlinkQuery, node: Of<'running-aggregate'>, input: FlinkRows): FlinkRows {
  const { states, values } = loweredAggregates(query, node, input, node.aggregates)
  const groups = node.groups.map(name)
  const rows = `SELECT\n  ${list([...groups, ...states])}\nFROM ${name(input.view)}${groups.length === 0 ? '' : `\nGROUP BY ${groups.join(', ')}`}`
  const columns = node.columns.map(({ name: column }, i) =>
    as(i < groups.length ? name(column) : values[i - groups.length]!, column),
  )
  const bounds = new Set(node.groups.filter((group) => input.bounds.has(group)))
  return addView(query, node, `SELECT\n  ${list(columns)}\nFROM ${within(rows)}`, { bounds })
}

/** At each record, over (t - range, t]. */
export function overSql(query: FlinkQuery, node: Of<'over'>, from: FlinkRows): FlinkRows {
  const input = timed(query, node, from)
  const recent = name(`${query.prefix}recent`)
  const { states, values } = loweredAggregates(query, node, input, node.aggregates, recent)
  const frame = `RANGE BETWEEN ${interval(node.rangeMs - 1)} PRECEDING AND CURRENT ROW`
  const rows = `SELECT\n  ${list(['*', ...states])}\nFROM ${name(input.view)}\nWINDOW ${recent} AS (${partition(node.keys)}ORDER BY ${query.at} ${frame})`
  const own = new Map(node.aggregates.map((aggregate, i) => [aggregate.name, values[i]!]))
  const columns = node.columns.map(({ name: column }) => as(own.get(column) ?? name(column), column))
  const select = `SELECT\n  ${list([...columns, ...input.carried])}\nFROM ${within(rows)}`
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
}
const partition = (keys: readonly string[]): string =>
  keys.length === 0 ? '' : `PARTITION BY ${keys.map(name).join(', ')} `

/** Blocks of so many half-lives: 2^512 is far from what a double holds, and what is two blocks away is not felt. */
const blockHalfLives = 512

/**
 * The sum of v * 2^-((t - s) / half-life) over the records at s up to t. Each record stands in its own block of time and,
 * to be felt there, in the next: a running sum of v as of the block's begin, scaled down at each record of the block.
 */
export function decayedSql(query: FlinkQuery, node: Of<'decayed-sum'>, from: FlinkRows): FlinkRows {
  const input = timed(query, node, from)
  const { prefix, at } = query
  const [value, block, home, sum] = ['value', 'block', 'home', 'sum'].map((one) => name(`${prefix}${one}`))
  const blockMs = blockHalfLives * node.halfLifeMs
  const scale = scaleOf(typeOf(node.value))
  const of = `CAST(${expressionSql(node.value)} AS DOUBLE)${scale === 0 ? '' : ` / ${10 ** scale}`}`
  const ms = msSql(at)
  const own = `CAST(FLOOR(CAST(${ms} AS DOUBLE) / ${blockMs}) AS BIGINT)`
  const standing = (next: 0 | 1): string =>
    `SELECT *, ${of} AS ${value}, ${own} + ${next} AS ${block}, ${next === 0 ? 'TRUE' : 'FALSE'} AS ${home} FROM ${name(input.view)}`
  const since = `CAST(${ms} - ${block} * ${blockMs} AS DOUBLE) / ${node.halfLifeMs}`
  const by = [...node.keys.map(name), block].join(', ')
  const summed = `SUM(${value} * POWER(2, ${since})) OVER (PARTITION BY ${by} ORDER BY ${at} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ${sum}`
  const rows = `SELECT\n  ${list(['*', summed])}\nFROM ${within(`${standing(0)}\nUNION ALL\n${standing(1)}`)}`
  const before = new Set(input.node.columns.map((column) => column.name))
  const columns = node.columns.map(({ name: column }) =>
    before.has(column) ? name(column) : `COALESCE(${sum}, 0) * POWER(2, -(${since})) AS ${name(column)}`,
  )
  const select = `SELECT\n  ${list([...columns, ...input.carried])}\nFROM ${within(rows)}\nWHERE ${home}`
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
}
