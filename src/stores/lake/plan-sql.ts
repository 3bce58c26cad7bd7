// A Plan as one DuckDB SELECT: a part (or a few) for each of its nodes, and the result's columns as people read them.
import type { OperatorId, Plan, PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import type { LakeFiles, LakeTopics } from '../stores.ts'
import { joinSql, unionSql } from './join-sql.ts'
import { deduplicateSql, topSql } from './order-sql.ts'
import { inputsOf, type NodeRows, only, type QueryParts, queryParts } from './query-parts.ts'
import { decayedSql, overSql, runningSql } from './running-sql.ts'
import { sourceSql } from './source-sql.ts'
import { list, name, shown } from './sql-text.ts'
import { filterSql, lookupSql, projectSql, unnestSql } from './step-sql.ts'
import { windowSql } from './window-sql.ts'

export function planSql(plan: Plan, files: LakeFiles | LakeTopics): string {
  const query = queryParts(plan)
  if (plan.version !== 1)
    throw new PlanError(
      plan.name,
      'version',
      `version ${String(plan.version)} is not known here`,
      'Use this release of Millrace to build it',
    )
  const made = new Map<OperatorId, NodeRows>()
  for (const node of plan.nodes) made.set(node.id, nodeSql(query, node, inputsOf(query, node, made), files))
  const last = plan.nodes.at(-1)
  const result = last === undefined ? undefined : made.get(last.id)
  if (result === undefined) throw new PlanError(plan.name, 'nodes', 'there are none', 'Build plans with `from`')
  return resultSql(query, result)
}

function resultSql(query: QueryParts, { part, node }: NodeRows): string {
  const columns = node.columns.map(({ name: column, type }) => {
    const value = shown(name(column), type)
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  const { finalColumn } = query.plan.output
  const final = finalColumn === null ? [] : [`true AS ${name(finalColumn)}`]
  const order = orderOf(query, node).map((one) => `r.${one}`)
  const ordered = order.length === 0 ? '' : `\nORDER BY ${order.join(', ')}`
  return query.parts.with(`SELECT\n  ${list([...columns, ...final])}\nFROM ${part} AS r${ordered}`)
}
/** Of the result: windows by their end, then groups, nulls first; the top of one in the order of its ranks. */
function orderOf({ prefix }: QueryParts, node: PlanNode): string[] {
  const { changelog } = node
  if (changelog.mode !== 'upsert') return []
  const groups = changelog.key.filter((key) => key !== 'window_start' && key !== 'window_end')
  const end = changelog.key.includes('window_end') ? [name('window_end')] : []
  if (node.kind === 'top') return [...end, ...node.within.slice(2).map(nullsFirst), `${prefix}rank`]
  return [...end, ...groups.map(nullsFirst), ...(end.length === 0 ? [] : [name('window_start')])]
}
const nullsFirst = (column: string): string => `${name(column)} NULLS FIRST`

function nodeSql(
  query: QueryParts,
  node: PlanNode,
  inputs: readonly NodeRows[],
  files: LakeFiles | LakeTopics,
): NodeRows {
  switch (node.kind) {
    case 'source':
      return sourceSql(query, node, files)
    case 'project':
      return projectSql(query, node, only(query, node, inputs))
    case 'filter':
      return filterSql(query, node, only(query, node, inputs))
    case 'lookup':
      return lookupSql(query, node, inputs[0] ?? only(query, node, inputs), inputs[1] ?? null)
    case 'deduplicate':
      return deduplicateSql(query, node, only(query, node, inputs))
    case 'window-aggregate':
      return windowSql(query, node, only(query, node, inputs))
    case 'top':
      return topSql(query, node, only(query, node, inputs))
    case 'running-aggregate':
      return runningSql(query, node, only(query, node, inputs))
    case 'over':
      return overSql(query, node, only(query, node, inputs))
    case 'decayed-sum':
      return decayedSql(query, node, only(query, node, inputs))
    case 'union':
      return unionSql(query, node, inputs)
    case 'join':
      return joinSql(query, node, inputs)
    case 'unnest':
      return unnestSql(query, node, only(query, node, inputs))
    case 'pattern':
      throw new PlanError(
        query.plan.name,
        node.id,
        `operator '${node.kind}' has no DuckDB SQL yet`,
        'Leave it out, or run the plan where it is known',
      )
    default:
      return unreachable(node)
  }
}
