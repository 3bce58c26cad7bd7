// Windows in Flink SQL: a window table-valued function where there is one, else a group by civil day, week or month, whose
// rows are replaced as they grow.
import type { PlanNode, Window } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { loweredAggregates } from './aggregate-sql.ts'
import { addView, type FlinkQuery, type FlinkRows, refuse, timed, within } from './query-views.ts'
import { as, interval, list, name, text } from './sql-text.ts'

export type WindowNode = PlanNode & { readonly kind: 'window-aggregate' }

const dayMs = 86_400_000

export function windowSql(query: FlinkQuery, node: WindowNode, from: FlinkRows): FlinkRows {
  const input = timed(query, node, from)
  const { states, values } = loweredAggregates(query, node, input, node.aggregates)
  const groups = node.groups.map(name)
  const { at } = query
  const call = windowOf(node, input.view, at)
  const bounds = ['window_start', 'window_end']
  const columns = node.columns.map(({ name: column }, i) =>
    i < 2 ? column : as(i < 2 + groups.length ? name(column) : values[i - 2 - groups.length]!, column),
  )
  const kept = new Set([...bounds, ...node.groups.filter((group) => input.bounds.has(group))])
  if (call !== null) {
    const keys = [...bounds, ...groups]
    const rows = `SELECT\n  ${list([...keys, `window_time AS ${at}`, ...states])}\nFROM TABLE(\n  ${call})\nGROUP BY ${[...keys, 'window_time'].join(', ')}`
    const select = `SELECT\n  ${list([...columns, at])}\nFROM ${within(rows)}`
    return addView(query, node, select, { carried: [at], bounds: kept })
  }
  if (node.window.kind !== 'calendar') return refuse(query, node, 'such a window has no Flink SQL', 'Use another')
  const { begin, start, end } = civilSql(node.window, at)
  const rows = `SELECT\n  ${list([`${start} AS window_start`, `${end} AS window_end`, ...groups, ...states])}\nFROM ${name(input.view)}\nGROUP BY ${[begin, ...groups].join(', ')}`
  return addView(query, node, `SELECT\n  ${list(columns)}\nFROM ${within(rows)}`, { bounds: kept })
}

/** The call of the window function; null for civil units whose length varies. */
function windowOf({ window, groups }: WindowNode, from: string, at: string): string | null {
  const of = `TABLE ${name(from)}, DESCRIPTOR(${at})`
  switch (window.kind) {
    case 'tumbling':
      return `TUMBLE(${of}, ${interval(window.sizeMs)})`
    case 'hopping':
      return `HOP(${of}, ${interval(window.slideMs)}, ${interval(window.sizeMs)})`
    case 'cumulative':
      return `CUMULATE(${of}, ${interval(window.stepMs)}, ${interval(window.sizeMs)})`
    case 'session': {
      const by = groups.length === 0 ? '' : ` PARTITION BY ${groups.map(name).join(', ')}`
      return `SESSION(TABLE ${name(from)}${by}, DESCRIPTOR(${at}), ${interval(window.gapMs)})`
    }
    case 'calendar':
      if (!isUtc(window)) return null
      if (window.unit === 'month') return null
      if (window.unit === 'day') return `TUMBLE(${of}, ${interval(dayMs)})`
      // 1970-01-01 was a Thursday: weeks from Monday begin four days later.
      return `TUMBLE(${of}, ${interval(7 * dayMs)}, ${interval(4 * dayMs)})`
    default:
      return unreachable(window)
  }
}
type Calendar = Window & { readonly kind: 'calendar' }
const isUtc = ({ zone }: Calendar): boolean => zone === 'UTC' || zone === 'Etc/UTC'

/**
 * The local midnight a civil unit begins with, as text to group by, and its bounds. A unit begins where the zone's rules
 * put its midnight; where the clock jumps over it, CONVERT_TZ takes the hour after.
 */
function civilSql({ unit, zone }: Calendar, at: string): { begin: string; start: string; end: string } {
  const utc = `DATE_FORMAT(CAST(${at} AS TIMESTAMP(3)), 'yyyy-MM-dd HH:mm:ss')`
  const local = zone === 'UTC' || zone === 'Etc/UTC' ? utc : `CONVERT_TZ(${utc}, 'UTC', ${text(zone)})`
  const day = `CAST(SUBSTRING(${local}, 1, 10) AS DATE)`
  const first = {
    day,
    // Days since a Monday.
    week: `TIMESTAMPADD(DAY, -MOD(TIMESTAMPDIFF(DAY, DATE '1900-01-01', ${day}), 7), ${day})`,
    month: `CAST(CONCAT(SUBSTRING(${local}, 1, 7), '-01') AS DATE)`,
  }[unit]
  const begin = `CONCAT(CAST(${first} AS STRING), ' 00:00:00')`
  const next = `CONCAT(CAST(TIMESTAMPADD(${unit.toUpperCase()}, 1, ${first}) AS STRING), ' 00:00:00')`
  const instant = (midnight: string): string =>
    zone === 'UTC' || zone === 'Etc/UTC'
      ? `CAST(${midnight} AS TIMESTAMP(3))`
      : `CAST(CONVERT_TZ(${midnight}, ${text(zone)}, 'UTC') AS TIMESTAMP(3))`
  return { begin: first, start: instant(begin), end: instant(next) }
}
