// A Plan as one DuckDB SELECT: source, steps, window, and the columns as people read them.
import { type ChainStep, chainOf } from '../../query/chain.ts'
import type { Plan, TableData } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import type { LakeFiles } from '../stores.ts'
import { expressionSql, isOverflow } from './expression-sql.ts'
import { sourceSql } from './source-sql.ts'
import { freePrefix, heldAs, list, name, Parts, shown, text } from './sql-text.ts'
import { windowSql } from './window-sql.ts'

export function planSql(plan: Plan, source: LakeFiles): string {
  const chain = chainOf(plan, 'DuckDB SQL')
  const prefix = freePrefix([
    ...Object.keys(plan.contracts[chain.source.topic]?.fields ?? {}),
    ...plan.nodes.flatMap((node) => node.columns.map((column) => column.name)),
  ])
  const at = `${prefix}at`
  const parts = new Parts()
  let rows = sourceSql(parts, chain, source, at)
  chain.steps.forEach((step, i) => {
    rows = stepSql(parts, plan, step, { from: rows, to: `step_${i + 1}`, at, key: `${prefix}key` })
  })
  const { finalColumn } = plan.output
  const final = finalColumn === null ? [] : [`true AS ${name(finalColumn)}`]
  if (chain.window !== null) return windowSql({ parts, chain, window: chain.window, rows, prefix, final })
  const columns = chain.results.map(({ name: column, type }) => {
    const value = shown(name(column), type)
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  return parts.with(`SELECT\n  ${list([...columns, ...final])}\nFROM ${rows}`)
}

interface Step {
  readonly from: string
  readonly to: string
  /** Our columns: event time in ms, key of a looked-up table. */
  readonly at: string
  readonly key: string
}

function stepSql(parts: Parts, plan: Plan, step: ChainStep, { from, to, at, key }: Step): string {
  switch (step.kind) {
    case 'filter':
      return parts.add(to, `SELECT *\nFROM ${from}\nWHERE ${expressionSql(step.condition)}`)
    case 'project': {
      const values = new Map(step.derive.map((derived) => [derived.name, derived.value]))
      const columns = step.columns.map(({ name: column }) => {
        const value = values.get(column)
        const sql = value === undefined ? name(column) : expressionSql(value)
        return sql === name(column) ? sql : `${sql} AS ${name(column)}`
      })
      const made = parts.add(to, `SELECT\n  ${list([...columns, at])}\nFROM ${from}`)
      // The engine refuses the record, whatever is made of the column later.
      const overflows = step.derive.flatMap((derived) => isOverflow(name(derived.name), derived.value) ?? [])
      if (overflows.length === 0) return made
      return parts.add(
        `${to}_exact`,
        `SELECT *\nFROM ${made}\nWHERE ${overflows.map((one) => `(${one}) IS NOT TRUE`).join('\n  AND ')}`,
      )
    }
    case 'lookup': {
      const { table, unknown } = step
      if (!('rows' in table))
        throw new PlanError(
          plan.name,
          step.id,
          'lookups in compacted topics have no DuckDB SQL yet',
          'Use a static table',
        )
      const own = table.columns.map((column) => column.name)
      const columns = step.columns.map(({ name: column }) => `${own.includes(column) ? 't' : 'r'}.${name(column)}`)
      const join = unknown === 'null' ? 'LEFT JOIN' : 'JOIN'
      return parts.add(
        to,
        `SELECT\n  ${list([...columns, `r.${at}`])}\nFROM ${from} AS r\n${join} ${tableSql(table, key)}\n  ON r.${name(step.by)} = t.${key}`,
      )
    }
    default:
      return unreachable(step)
  }
}

function tableSql(table: TableData, key: string): string {
  const names = [key, ...table.columns.map((column) => name(column.name))].join(', ')
  const types = table.columns.map(({ type }) => heldAs(type))
  // A key given twice counts once, the last: as in the engine.
  const rows = [...new Map(table.rows.map((row) => [row.key, row.values]))].map(([of, values]) => {
    const cells = values.map((value, i) => {
      const cell = typeof value === 'string' ? text(value) : value === null ? 'NULL' : String(value)
      return types[i] === 'VARCHAR' && value !== null ? cell : `CAST(${cell} AS ${types[i]})`
    })
    return `(${[text(of), ...cells].join(', ')})`
  })
  if (rows.length > 0) return `(VALUES\n  ${list(rows)}) AS t(${names})`
  const empty = ['VARCHAR', ...types].map((type) => `CAST(NULL AS ${type})`)
  return `(SELECT ${empty.join(', ')} WHERE false) AS t(${names})`
}
