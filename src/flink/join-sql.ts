// Nodes with two inputs in Flink SQL: unions; interval, window and temporal joins.
import type { PlanNode } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { addView, columnsOf, type FlinkQuery, type FlinkRows, refuse, timed, within } from './query-views.ts'
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
  const equal = node.on.map((pair) => `l.${name(pair.left)} = r.${name(pair.right)}`)
  const how = node.side === 'left' ? 'LEFT JOIN' : 'JOIN'
  /** A row has its left row's time. */
  const joined = (from: string, ofRight = of): FlinkRows => {
    const columns = node.columns.map(({ name: column }) => (leftNames.has(column) ? of(column) : ofRight(column)))
    const carried = left.carried.filter((one) => one === at)
    const ours = carried.map((one) => `l.${one} AS ${one}`)
    return addView(query, node, `SELECT\n  ${list([...columns, ...ours])}\n${from}`, { carried, bounds })
  }
  switch (node.how) {
    case 'interval': {
      timed(query, node, left)
      timed(query, node, right)
      const near = `r.${at} BETWEEN l.${at} - ${interval(node.beforeMs)} AND l.${at} + ${interval(node.afterMs)}`
      return joined(
        `FROM ${name(left.view)} AS l\n${how} ${name(right.view)} AS r\n  ON ${[...equal, near].join(' AND ')}`,
      )
    }
    case 'window': {
      const same = ['window_start', 'window_end'].map((bound) => `l.${bound} = r.${bound}`)
      const others = node.on.filter(({ left: one }) => one !== 'window_start' && one !== 'window_end')
      const on = [...same, ...others.map((pair) => `l.${name(pair.left)} = r.${name(pair.right)}`)].join(' AND ')
      return joined(`FROM ${name(left.view)} AS l\n${how} ${name(right.view)} AS r\n  ON ${on}`)
    }
    case 'latest': {
      timed(query, node, left)
      timed(query, node, right)
      const keys = node.on.map((pair) => pair.right)
      const versions = versionsOf(query, left, right, keys)
      const recent = node.beforeMs === 0 ? null : `r.${at} >= l.${at} - ${interval(node.beforeMs)}`
      const from = `FROM ${name(left.view)} AS l\n${how} ${name(versions)} FOR SYSTEM_TIME AS OF l.${at} AS r\n  ON ${equal.join(' AND ')}`
      if (recent === null) return joined(from)
      if (node.side === 'inner') return joined(`${from}\nWHERE ${recent}`)
      // Where the newest is too old there is none.
      return joined(from, (column) => `CASE WHEN ${recent} THEN r.${name(column)} END AS ${name(column)}`)
    }
    default:
      return unreachable(node.how)
  }
}

/** A view of the newest row per key is a versioned table, which a row is joined with as of its own time. */
function versionsOf(query: FlinkQuery, left: FlinkRows, right: FlinkRows, keys: readonly string[]): string {
  const { at, prefix, ddl } = query
  const versions = `${left.view}-versions-of-${right.view}`
  const rank = name(`${prefix}rank`)
  const ranked = `SELECT\n  ${list(['*', `ROW_NUMBER() OVER (PARTITION BY ${keys.map(name).join(', ')} ORDER BY ${at} DESC) AS ${rank}`])}\nFROM ${name(right.view)}`
  ddl.push(
    `CREATE TEMPORARY VIEW ${name(versions)} AS\nSELECT\n  ${list([...columnsOf(right.node), at])}\nFROM ${within(ranked)}\nWHERE ${rank} = 1`,
  )
  return versions
}

/** A topic as a table: as of the row's event time here, where the engine goes by the order of the log. */
export function newestSql(
  query: FlinkQuery,
  node: PlanNode & { readonly kind: 'lookup' },
  left: FlinkRows,
  right: FlinkRows,
): FlinkRows {
  const { table, by, unknown } = node
  if (!('compacted' in table)) return refuse(query, node, 'a static table has one input', 'Build plans with `from`')
  timed(query, node, left)
  timed(query, node, right)
  const versions = versionsOf(query, left, right, [table.key])
  const own = new Set(table.columns.map((column) => column.name))
  const columns = node.columns.map(({ name: one }) => `${own.has(one) ? 'r' : 'l'}.${name(one)} AS ${name(one)}`)
  const carried = left.carried.map((one) => `l.${one} AS ${one}`)
  const how = unknown === 'null' ? 'LEFT JOIN' : 'JOIN'
  const select = `SELECT\n  ${list([...columns, ...carried])}\nFROM ${name(left.view)} AS l\n${how} ${name(versions)} FOR SYSTEM_TIME AS OF l.${query.at} AS r\n  ON l.${name(by)} = r.${name(table.key)}`
  return addView(query, node, select, { carried: left.carried, bounds: left.bounds })
}
