// Nodes with two inputs in DuckDB SQL: unions, and joins by interval, by window and as of.
import type { PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import type { NodeRows, QueryParts } from './query-parts.ts'
import { list, name } from './sql-text.ts'

export type JoinNode = PlanNode & { readonly kind: 'join' }

export function unionSql(
  { parts, clock }: QueryParts,
  node: PlanNode & { readonly kind: 'union' },
  inputs: readonly NodeRows[],
): NodeRows {
  const columns = node.columns.map((column) => name(column.name))
  const carried = (inputs[0]?.carried ?? []).filter(
    // The clock of one topic says nothing about the other.
    (one) => one !== clock && inputs.every((input) => input.carried.includes(one)),
  )
  const selects = inputs.map(({ part }) => `SELECT ${[...columns, ...carried].join(', ')} FROM ${part}`)
  return { part: parts.add('united', selects.join('\nUNION ALL\n')), node, carried }
}

export function joinSql(query: QueryParts, node: JoinNode, inputs: readonly NodeRows[]): NodeRows {
  const { parts, at, place } = query
  const [left, right] = inputs
  if (left === undefined || right === undefined)
    throw new PlanError(query.plan.name, node.id, `a join of ${inputs.length} inputs`, 'Give it two')
  const carried = [at, ...(place === null || !left.carried.includes(place) ? [] : [place])]
  const equal = node.on.map((pair) => `l.${name(pair.left)} = r.${name(pair.right)}`)
  const how = node.side === 'left' ? 'LEFT JOIN' : 'JOIN'
  const leftNames = new Set(left.node.columns.map((column) => column.name))
  const of = (column: string): string => (leftNames.has(column) ? `l.${name(column)}` : `r.${name(column)}`)
  const columns = node.columns.map((column) => of(column.name))
  const ours = (time: string): string[] => [`${time} AS ${at}`, ...carried.slice(1).map((one) => `l.${one}`)]
  const made = (select: string): NodeRows => ({ part: parts.add('joined', select), node, carried })
  switch (node.how) {
    case 'interval': {
      const near = `r.${at} BETWEEN l.${at} - ${node.beforeMs} AND l.${at} + ${node.afterMs}`
      const selected = [...columns, ...ours(`l.${at}`)]
      return made(
        `SELECT\n  ${list(selected)}\nFROM ${left.part} AS l\n${how} ${right.part} AS r\n  ON ${[...equal, near].join(' AND ')}`,
      )
    }
    case 'window': {
      const same = ['window_start', 'window_end'].map((bound) => `l.${name(bound)} = r.${name(bound)}`)
      const selected = [...columns, ...ours(`l.${at}`)]
      const on = [...new Set([...same, ...equal])].join(' AND ')
      return made(`SELECT\n  ${list(selected)}\nFROM ${left.part} AS l\n${how} ${right.part} AS r\n  ON ${on}`)
    }
    case 'latest': {
      const keys = [...node.on.map((pair) => name(pair.right)), at]
      // Of several at one time the last read counts.
      const order = place !== null && right.carried.includes(place) ? ` ORDER BY ${place} DESC` : ''
      const newest = parts.add(
        'newest',
        `SELECT *\nFROM ${right.part}\nQUALIFY row_number() OVER (PARTITION BY ${keys.join(', ')}${order}) = 1`,
      )
      const on = [...equal, `l.${at} >= r.${at}`].join(' AND ')
      const recent = node.beforeMs === 0 ? null : `l.${at} - r.${at} <= ${node.beforeMs}`
      // Where the newest is too old there is none.
      const shown = columns.map((column) =>
        recent === null || node.side === 'inner' || column.startsWith('l.')
          ? column
          : `CASE WHEN ${recent} THEN ${column} END AS ${column.slice(2)}`,
      )
      const kept = recent === null || node.side === 'left' ? '' : `\nWHERE ${recent}`
      return made(
        `SELECT\n  ${list([...shown, ...ours(`l.${at}`)])}\nFROM ${left.part} AS l\nASOF ${how} ${newest} AS r\n  ON ${on}${kept}`,
      )
    }
    default:
      return unreachable(node.how)
  }
}
