// Aggregates without windows in DuckDB SQL: per group over everything, at each record over the time before it, and decayed.
import type { PlanNode } from '../../query/plan.ts'
import { typeOf } from '../../query/plan.ts'
import { loweredAggregates } from './aggregate-sql.ts'
import { expressionSql } from './expression-sql.ts'
import { type NodeRows, placed, type QueryParts } from './query-parts.ts'
import { list, name, scaleOf } from './sql-text.ts'
import { callSql, cellSql } from './state-sql.ts'

type Of<K extends PlanNode['kind']> = PlanNode & { readonly kind: K }

/** The final table: one row per group that holds a record. */
export function runningSql(query: QueryParts, node: Of<'running-aggregate'>, from: NodeRows): NodeRows {
  const { parts, at } = query
  const input = placed(query, from, node.aggregates)
  const { states, values } = loweredAggregates(query, node.id, input.node.columns, node.aggregates)
  const groups = node.groups.map(name)
  const totals = parts.add(
    'totals',
    `SELECT\n  ${list([...groups, ...states.map(cellSql), `max(${at}) AS ${at}`])}\nFROM ${input.part}\n` +
      (groups.length === 0 ? 'HAVING count(*) > 0' : `GROUP BY ${groups.join(', ')}`),
  )
  const columns = node.columns.map(({ name: column }, i) => {
    const value = i < groups.length ? name(column) : values[i - groups.length]!
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  const part = parts.add('running', `SELECT\n  ${list([...columns, at])}\nFROM ${totals}`)
  return { part, node, carried: [at] }
}

/** At each record, over (t - range, t]: records of one time see each other. */
export function overSql(query: QueryParts, node: Of<'over'>, from: NodeRows): NodeRows {
  const { parts, at } = query
  const input = placed(query, from, node.aggregates)
  const { states, values } = loweredAggregates(query, node.id, input.node.columns, node.aggregates)
  const by = node.keys.length === 0 ? '' : `PARTITION BY ${node.keys.map(name).join(', ')} `
  // A name of its own: DuckDB takes the windows of all that a statement is made of for one list.
  const recent = `recent_${node.id}`
  const frames = states.map((state) => `${callSql(state)} OVER ${recent} AS ${state.column}`)
  const framed = parts.add(
    'framed',
    `SELECT\n  ${list(['*', ...frames])}\nFROM ${input.part}\n` +
      `WINDOW ${recent} AS (${by}ORDER BY ${at} RANGE BETWEEN ${node.rangeMs - 1} PRECEDING AND CURRENT ROW)`,
  )
  const own = new Map(node.aggregates.map((aggregate, i) => [aggregate.name, values[i]!]))
  const columns = node.columns.map(({ name: column }) => {
    const value = own.get(column)
    return value === undefined ? name(column) : `${value} AS ${name(column)}`
  })
  const part = parts.add('ranged', `SELECT\n  ${list([...columns, ...input.carried])}\nFROM ${framed}`)
  return { part, node, carried: input.carried }
}

/** Blocks of so many half-lives: 2^512 is far from what a double holds, and what is two blocks away is not felt. */
const blockHalfLives = 512

/**
 * The sum of v * 2^-((t - s) / half-life) over the records at s up to t. Each record stands in its own block of time and,
 * to be felt there, in the next: a running sum of v as of the block's begin, scaled down at each record of the block.
 */
export function decayedSql(query: QueryParts, node: Of<'decayed-sum'>, input: NodeRows): NodeRows {
  const { parts, prefix, at } = query
  const [value, block, home, sum] = [`${prefix}value`, `${prefix}block`, `${prefix}home`, `${prefix}sum`]
  const blockMs = blockHalfLives * node.halfLifeMs
  const scale = scaleOf(typeOf(node.value))
  const of = `CAST(${expressionSql(node.value)} AS DOUBLE)${scale === 0 ? '' : ` / ${10 ** scale}`}`
  const own = `CAST(floor(${at} / ${blockMs}) AS BIGINT)`
  const standing = (next: 0 | 1): string =>
    `SELECT *, ${of} AS ${value}, ${own} + ${next} AS ${block}, ${next === 0} AS ${home} FROM ${input.part}`
  const standings = parts.add('standing', `${standing(0)}\nUNION ALL\n${standing(1)}`)
  const since = `(${at} - ${block} * ${blockMs}) / ${node.halfLifeMs}`
  const by = [...node.keys.map(name), block].join(', ')
  const summed = `coalesce(sum(${value} * pow(2, ${since})) OVER (PARTITION BY ${by} ORDER BY ${at}), 0) AS ${sum}`
  const running = parts.add('felt', `SELECT\n  ${list(['*', summed])}\nFROM ${standings}`)
  const before = new Set(input.node.columns.map((column) => column.name))
  const columns = node.columns.map(({ name: column }) =>
    before.has(column) ? name(column) : `${sum} * pow(2, -(${since})) AS ${name(column)}`,
  )
  const part = parts.add('decayed', `SELECT\n  ${list([...columns, ...input.carried])}\nFROM ${running}\nWHERE ${home}`)
  return { part, node, carried: input.carried }
}
