// Hopping windows in DuckDB SQL, at a cost that does not grow with size / slide: no pane is joined to the windows it is in.
// Counts, sums and extremes are frames over the cells of a group. A distinct value is there from its pane on for one
// window's length, cut short where its next pane begins: these spans do not overlap, so +1 where one begins, -1 where it
// ends, and a running sum counts exactly what is distinct.

import { list, type Parts } from './sql-text.ts'
import { cellSql, gatheredSql, mergedSql, type State } from './state-sql.ts'

export interface SlidingParts {
  readonly parts: Parts
  readonly rows: string
  readonly prefix: string
  /** Quoted. */
  readonly groups: readonly string[]
  /** The first counts records. */
  readonly states: readonly State[]
  /** Pane number of a row. */
  readonly paneOf: string
  /** Panes of a window. */
  readonly panes: number
  readonly slideMs: number
  readonly start: string
  readonly end: string
}

export function slidingSql(sliding: SlidingParts): string {
  const { parts, prefix, groups, states, panes, slideMs, start, end } = sliding
  const pane = `${prefix}pane`
  const framed = states.filter((state) => state.kind !== 'distinct')
  const distinct = states.filter((state) => state.kind === 'distinct')
  const keys = [pane, ...groups]
  const by = (columns: readonly string[]): string => (columns.length === 0 ? '' : `PARTITION BY ${columns.join(', ')} `)

  const placed = rowsWithPanes(sliding, pane)
  const cells = parts.add(
    'cells',
    `SELECT\n  ${list([...keys, ...framed.map(cellSql)])}\nFROM ${placed}\nGROUP BY ${keys.join(', ')}`,
  )
  // Every window that holds a record, once: those from a cell up to the group's next cell, or to where the cell leaves.
  const until = (columns: readonly string[]): string =>
    `least(${pane} + ${panes}, coalesce(lead(${pane}) OVER (${by(columns)}ORDER BY ${pane}), ${pane} + ${panes})) AS ${prefix}until`
  const spans = parts.add('spans', `SELECT\n  ${list([...keys, until(groups)])}\nFROM ${cells}`)
  const unioned = [
    `FROM ${cells}`,
    `SELECT ${[`unnest(range(${pane} + 1, ${prefix}until)) AS ${pane}`, ...groups].join(', ')} FROM ${spans}`,
  ]
  distinct.forEach(({ column, of, where }, i) => {
    const value = `${prefix}value`
    const there = where === null ? `${of} IS NOT NULL` : `${of} IS NOT NULL AND ${where}`
    const seen = parts.add(
      `seen_${i + 1}`,
      `SELECT DISTINCT ${[...keys, `${of} AS ${value}`].join(', ')}\nFROM ${placed}\nWHERE ${there}`,
    )
    const stays = parts.add(
      `stays_${i + 1}`,
      `SELECT\n  ${list([...keys, until([...groups, value])])}\nFROM ${seen}`,
      true,
    )
    const changes = (at: string, count: string): string =>
      `SELECT ${[at, ...groups, `${count} AS ${column}`].join(', ')} FROM ${stays} GROUP BY ALL`
    unioned.push(changes(pane, 'count(*)'), changes(`${prefix}until AS ${pane}`, '-count(*)'))
  })
  const merged = states.map(gatheredSql)
  const timeline = parts.add(
    'timeline',
    `SELECT\n  ${list([...keys, ...merged])}\nFROM (\n  ${unioned.join('\n  UNION ALL BY NAME\n  ')})\nGROUP BY ${keys.join(', ')}`,
  )
  const frames = states.map((state) => mergedSql(state, state.kind === 'distinct' ? 'past' : 'recent'))
  const slid = parts.add(
    'slid',
    `SELECT\n  ${list([...keys, ...frames])}\nFROM ${timeline}\n` +
      `WINDOW recent AS (${by(groups)}ORDER BY ${pane} RANGE BETWEEN ${panes - 1} PRECEDING AND CURRENT ROW)` +
      (distinct.length === 0 ? '' : `,\n  past AS (${by(groups)}ORDER BY ${pane} ROWS UNBOUNDED PRECEDING)`),
  )
  const records = states[0]?.column ?? ''
  const bounds = [`(${pane} - ${panes - 1}) * ${slideMs} AS ${start}`, `(${pane} + 1) * ${slideMs} AS ${end}`]
  return parts.add(
    'bounded',
    `SELECT\n  ${list([...bounds, ...groups, ...states.map((state) => state.column)])}\nFROM ${slid}\nWHERE ${records} > 0`,
  )
}

/**
 * Cumulative windows: in each period, a group has a row per step from its first record's on, over all its cells so far. A
 * distinct value counts from the first pane of the period that has it.
 */
export function cumulativeSql(cumulative: SlidingParts): string {
  const { parts, prefix, groups, states, panes, slideMs, start, end } = cumulative
  const [pane, period] = [`${prefix}pane`, `${prefix}period`]
  const framed = states.filter((state) => state.kind !== 'distinct')
  const distinct = states.filter((state) => state.kind === 'distinct')
  const keys = [period, pane, ...groups]
  const periods = BigInt(Math.ceil(1e14 / slideMs / panes))
  const inPeriod = `(${pane} + ${periods * BigInt(panes)}) // ${panes} - ${periods} AS ${period}`
  const paned = rowsWithPanes(cumulative, pane)
  const placed = parts.add('in_period', `SELECT\n  *, ${inPeriod}\nFROM ${paned}`, distinct.length > 0)
  const cells = parts.add(
    'cells',
    `SELECT\n  ${list([...keys, ...framed.map(cellSql)])}\nFROM ${placed}\nGROUP BY ${keys.join(', ')}`,
    true,
  )
  const of = [period, ...groups].join(', ')
  const unioned = [
    `FROM ${cells}`,
    `SELECT ${of}, unnest(range(min(${pane}), (${period} + 1) * ${panes})) AS ${pane} FROM ${cells} GROUP BY ${of}`,
  ]
  for (const { column, of: value, where } of distinct) {
    const there = where === null ? `${value} IS NOT NULL` : `${value} IS NOT NULL AND ${where}`
    const firsts = `SELECT ${of}, min(${pane}) AS ${pane} FROM ${placed} WHERE ${there} GROUP BY ${of}, ${value}`
    unioned.push(`SELECT ${of}, ${pane}, count(*) AS ${column} FROM (${firsts}) GROUP BY ${of}, ${pane}`)
  }
  const timeline = parts.add(
    'timeline',
    `SELECT\n  ${list([...keys, ...states.map(gatheredSql)])}\nFROM (\n  ${unioned.join('\n  UNION ALL BY NAME\n  ')})\nGROUP BY ${keys.join(', ')}`,
  )
  const bounds = [`${period} * ${panes * slideMs} AS ${start}`, `(${pane} + 1) * ${slideMs} AS ${end}`]
  return parts.add(
    'bounded',
    `SELECT\n  ${list([...bounds, ...groups, ...states.map((state) => mergedSql(state, 'past'))])}\nFROM ${timeline}\n` +
      `WINDOW past AS (PARTITION BY ${of} ORDER BY ${pane} ROWS UNBOUNDED PRECEDING)`,
  )
}

/** The rows with their pane; kept where they are read more than once. */
function rowsWithPanes({ parts, rows, paneOf, states }: SlidingParts, pane: string): string {
  const several = states.some((state) => state.kind === 'distinct')
  return parts.add('placed', `SELECT\n  *, ${paneOf} AS ${pane}\nFROM ${rows}`, several)
}
