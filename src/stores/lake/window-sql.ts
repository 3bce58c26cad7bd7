// Windows in DuckDB SQL. Records first become cells: one row per pane and group. A tumbling, calendar or session window is
// its cell; hopping and cumulative ones are frames over cells (`sliding-sql.ts`). Then states become held columns.
import type { PlanNode, Window } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { loweredAggregates } from './aggregate-sql.ts'
import { calendarSql } from './calendar-sql.ts'
import { type NodeRows, placed, type QueryParts } from './query-parts.ts'
import { cumulativeSql, slidingSql } from './sliding-sql.ts'
import { list, name, paneSql } from './sql-text.ts'
import { cellSql, type State } from './state-sql.ts'

export type WindowNode = PlanNode & { readonly kind: 'window-aggregate' }

/** One row per window and group; its time is the last millisecond of the window. */
export function windowSql(query: QueryParts, node: WindowNode, from: NodeRows): NodeRows {
  const { parts, prefix, at } = query
  const input = placed(query, from, node.aggregates)
  const { states, values } = loweredAggregates(query, node.id, input.node.columns, node.aggregates)
  const [start, end] = [`${prefix}start`, `${prefix}end`]
  const groups = node.groups.map(name)
  const windows = windowsOf(query, node.window, input.part, groups, states, start, end)
  const held = [start, end, ...groups, ...values]
  const columns = node.columns.map(({ name: column }, i) =>
    held[i] === name(column) ? name(column) : `${held[i]} AS ${name(column)}`,
  )
  const part = parts.add('windows', `SELECT\n  ${list([...columns, `${end} - 1 AS ${at}`])}\nFROM ${windows}`)
  return { part, node, carried: [at] }
}

/** Adds the parts that end in one row per window and group: bounds in ms, groups, states. */
function windowsOf(
  { parts, prefix, at }: QueryParts,
  window: Window,
  rows: string,
  groups: readonly string[],
  states: readonly State[],
  start: string,
  end: string,
): string {
  const pane = `${prefix}pane`
  switch (window.kind) {
    case 'tumbling': {
      const paned = `SELECT\n  ${list([`${paneSql(at, window.sizeMs)} AS ${pane}`, ...groups, ...states.map(cellSql)])}`
      const cells = parts.add('cells', `${paned}\nFROM ${rows}\nGROUP BY ${[pane, ...groups].join(', ')}`)
      const bounds = [`${pane} * ${window.sizeMs} AS ${start}`, `(${pane} + 1) * ${window.sizeMs} AS ${end}`]
      return parts.add('bounded', `SELECT\n  ${list(['*', ...bounds])}\nFROM ${cells}`)
    }
    case 'hopping':
      return slidingSql({
        parts,
        rows,
        prefix,
        groups,
        states,
        paneOf: paneSql(at, window.slideMs),
        panes: window.sizeMs / window.slideMs,
        slideMs: window.slideMs,
        start,
        end,
      })
    case 'cumulative':
      return cumulativeSql({
        parts,
        rows,
        prefix,
        groups,
        states,
        paneOf: paneSql(at, window.stepMs),
        panes: window.sizeMs / window.stepMs,
        slideMs: window.stepMs,
        start,
        end,
      })
    case 'calendar': {
      const placed = calendarSql({ parts, rows, prefix, unit: window.unit, zone: window.zone, at, start, end })
      const cells = [start, end, ...groups]
      return parts.add(
        'cells',
        `SELECT\n  ${list([...cells, ...states.map(cellSql)])}\nFROM ${placed}\nGROUP BY ${cells.join(', ')}`,
      )
    }
    case 'session': {
      const by = groups.length === 0 ? '' : `PARTITION BY ${groups.join(', ')} `
      const [begins, visit] = [`${prefix}begins`, `${prefix}visit`]
      // A record a gap or more after the one before it begins a session; how many have begun numbers them.
      const marked = parts.add(
        'marked',
        `SELECT\n  *, coalesce(${at} - lag(${at}) OVER (${by}ORDER BY ${at}) >= ${window.gapMs}, true) AS ${begins}\nFROM ${rows}`,
      )
      const numbered = parts.add(
        'numbered',
        `SELECT\n  *, count(*) FILTER (WHERE ${begins}) OVER (${by}ORDER BY ${at}) AS ${visit}\nFROM ${marked}`,
      )
      const bounds = [`min(${at}) AS ${start}`, `max(${at}) + ${window.gapMs} AS ${end}`]
      return parts.add(
        'cells',
        `SELECT\n  ${list([...bounds, ...groups, ...states.map(cellSql)])}\nFROM ${numbered}\nGROUP BY ${[visit, ...groups].join(', ')}`,
      )
    }
    default:
      return unreachable(window)
  }
}
