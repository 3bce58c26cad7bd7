// Nodes with two inputs in Flink SQL: unions; interval, window and temporal joins.
import type { PlanNode } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { addView, columnsOf, type FlinkQuery, type FlinkRows, timed, within } from './query-views.ts'
import { interval, list, name } from './sql-text.ts'

export function unionSql(
  query: FlinkQuery,
  node: PlanNode & { readonly kind: 'union' },
  inputs: readonly FlinkRows[],
): FlinkRows {
  const carried = (inputs[0]?.carried ?? []).filter((one) => inputs.every((input) => input.carried.includes(one)))
  const columns = [...columnsOf(node), ...carried]
  const select = inputs.map(({ view }) => `SELECT\n  ${list(columns)}\nFROM ${name(view)}`).join('\nUNION ALL\n')
  return addView(query, node, select, { carried, bounds: inputs[0]?.bounds ?? new Set() })
}

export function joinSql(
  query: FlinkQuery,
  node: PlanNode & { readonly kind: 'join' },
  left: FlinkRows,
  right: FlinkRows,
): FlinkRows {
  const { at } = query
  const leftNames = new Set(left.node.columns.map((column) => column.name))
  const bounds = new Set(
    node.columns
      .map(({ name: column }) => column)
      .filter((column) => (leftNames.has(column) ? left : right).bounds.has(column)),
  )
  const of = (column: string): string => `${leftNames.has(column) ? 'l' : 'r'}.${name(column)} AS ${name(column)}`
  const columns = node.columns.map((column) => of(column.name))
  const equal = node.on.map((pair) => `l.${name(pair.left)} = r.${name(pair.right)}`)
  const how = node.side === 'left' ? 'LEFT JOIN' : 'JOIN'
  /** Behind the columns: ours of the side whose time is the row's. */
  const joined = (side: 'l' | 'r' | null, from: string): FlinkRows => {
    const carried = side === null ? [] : (side === 'l' ? left : right).carried.filter((one) => one === at)
    const ours = carried.map((one) => `${side}.${one} AS ${one}`)
    return addView(query, node, `SELECT\n  ${list([...columns, ...ours])}\n${from}`, { carried, bounds })
  }
  switch (node.how) {
    case 'interval': {
      timed(query, node, left)
      timed(query, node, right)
      const near = `r.${at} BETWEEN l.${at} - ${interval(node.beforeMs)} AND l.${at} + ${interval(node.afterMs)}`
      return joined(
        'l',
        `FROM ${name(left.view)} AS l\n${how} ${name(right.view)} AS r\n  ON ${[...equal, near].join(' AND ')}`,
      )
    }
    case 'window': {
      const same = ['window_start', 'window_end'].map((bound) => `l.${bound} = r.${bound}`)
      const others = node.on.filter(({ left: one }) => one !== 'window_start' && one !== 'window_end')
      const on = [...same, ...others.map((pair) => `l.${name(pair.left)} = r.${name(pair.right)}`)].join(' AND ')
      return joined('l', `FROM ${name(left.view)} AS l\n${how} ${name(right.view)} AS r\n  ON ${on}`)
    }
    case 'latest': {
      timed(query, node, left)
      timed(query, node, right)
      // A view of the newest row per key is a versioned table, which a row is joined with as of its own time.
      const versions = `${left.view}-versions-of-${right.view}`
      const keys = node.on.map((pair) => name(pair.right))
      const rank = name(`${query.prefix}rank`)
      const ranked = `SELECT\n  ${list(['*', `ROW_NUMBER() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${at} DESC) AS ${rank}`])}\nFROM ${name(right.view)}`
      query.ddl.push(
        `CREATE TEMPORARY VIEW ${name(versions)} AS\nSELECT\n  ${list([...columnsOf(right.node), at])}\nFROM ${within(ranked)}\nWHERE ${rank} = 1`,
      )
      const recent =
        node.beforeMs === 0
          ? ''
          : `\nWHERE ${node.side === 'left' ? `r.${at} IS NULL OR ` : ''}r.${at} >= l.${at} - ${interval(node.beforeMs)}`
      const from = `FROM ${name(left.view)} AS l\n${how} ${name(versions)} FOR SYSTEM_TIME AS OF l.${at} AS r\n  ON ${equal.join(' AND ')}`
      return joined('l', `${from}${recent}`)
    }
    default:
      return unreachable(node.how)
  }
}
