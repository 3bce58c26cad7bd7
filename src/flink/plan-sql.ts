// A Plan as Flink SQL: source, one view per step, the window, the sink and the INSERT.
import { type Chain, type ChainStep, chainOf } from '../query/chain.ts'
import type { Plan, TableData } from '../query/plan.ts'
import { PlanError, typeOf } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { expressionSql, isArithmetic, valueSql } from './expression-sql.ts'
import type { FlinkSql } from './flink.ts'
import { sinkSql } from './sink-sql.ts'
import { sourceDdl } from './source-sql.ts'
import { as, exactMax, list, name, text } from './sql-text.ts'
import { windowSql } from './window-sql.ts'

/** A static table becomes a CASE, because a join would lose the event time: it has to stay small. */
export const lookupRowsMax = 1000

export function planSql(plan: Plan, brokers: string): FlinkSql {
  const chain = chainOf(plan, 'Flink SQL')
  const prefix = freePrefix(chain)
  const at = `${prefix}at`
  const view = (part: string): string => `${plan.name}-${part}`
  const source = { table: chain.source.topic, view: view('source'), at, arrival: `${prefix}arrival`, brokers }
  const ddl = sourceDdl(chain, source)
  let from = source.view
  chain.steps.forEach((step, i) => {
    const to = view(`step-${i + 1}`)
    ddl.push(`CREATE TEMPORARY VIEW ${name(to)} AS\n${stepSql(plan, step, from, at)}`)
    from = to
  })
  const rows = chain.window === null ? null : windowSql({ chain, window: chain.window, from, prefix })
  const sink = sinkSql(chain, { from, rows, prefix, brokers })
  return { options: options(chain), ddl: [...ddl, sink.table], insert: sink.insert }
}

function freePrefix({ plan, contract }: Chain): string {
  const taken = [
    ...Object.entries(contract.fields).flatMap(([field, { aliases = [] }]) => [field, ...aliases]),
    ...plan.nodes.flatMap((node) => node.columns.map((column) => column.name)),
  ]
  let prefix = '_'
  while (taken.some((column) => column.startsWith(prefix))) prefix += '_'
  return prefix
}

function options({ plan, source }: Chain): Record<string, string> {
  return {
    'pipeline.name': `millrace ${plan.name}`,
    'execution.runtime-mode': 'streaming',
    // Times are read and windows are cut in UTC.
    'table.local-time-zone': 'UTC',
    // What exactly-once sinks make visible, they do at checkpoints.
    'execution.checkpointing.interval': '1 s',
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'table.exec.source.idle-timeout': `${source.idleTimeoutMs} ms`,
  }
}

function stepSql(plan: Plan, step: ChainStep, from: string, at: string): string {
  switch (step.kind) {
    case 'filter':
      return `SELECT *\nFROM ${name(from)}\nWHERE ${expressionSql(step.condition)}`
    case 'project': {
      const values = new Map(step.derive.map((derived) => [derived.name, derived.value]))
      const computed = step.derive.filter(({ value }) => isArithmetic(value))
      const exact = computed.filter(({ value }) => typeOf(value).kind !== 'float64').map((one) => one.name)
      const columns = step.columns.map(({ name: column }) => {
        const value = values.get(column)
        return value === undefined ? name(column) : as(expressionSql(value), column)
      })
      const made = `SELECT\n  ${list([...columns, name(at)])}\nFROM ${name(from)}`
      const kept = exact.filter((column) => step.columns.some((one) => one.name === column))
      if (kept.length === 0) return made
      // The engine refuses a record that leaves what is exact; here it is left out, and the rest fits BIGINT again.
      const narrowed = step.columns.map(({ name: column }) =>
        kept.includes(column) ? `CAST(${name(column)} AS BIGINT) AS ${name(column)}` : name(column),
      )
      const fits = kept.map((column) => `(${name(column)} IS NULL OR ABS(${name(column)}) <= ${exactMax})`)
      return (
        `SELECT\n  ${list([...narrowed, name(at)])}\nFROM (\n  ${made.replaceAll('\n', '\n  ')})\n` +
        `WHERE ${fits.join('\n  AND ')}`
      )
    }
    case 'lookup': {
      const { table, by, unknown } = step
      if (!('rows' in table))
        throw new PlanError(
          plan.name,
          step.id,
          'lookups in compacted topics have no Flink SQL yet',
          'Use a static table',
        )
      if (table.rows.length > lookupRowsMax)
        throw new PlanError(
          plan.name,
          step.id,
          `table '${table.name}' has ${table.rows.length} rows, Flink SQL takes at most ${lookupRowsMax}`,
          'Run the plan in the engine',
        )
      const own = new Map(table.columns.map((column, i) => [column.name, tableColumnSql(table, i, by)]))
      const columns = step.columns.map(({ name: column }) => as(own.get(column) ?? name(column), column))
      const keys = table.rows.map(({ key }) => text(key))
      const known = keys.length === 0 ? 'FALSE' : `${name(by)} IN (${keys.join(', ')})`
      return `SELECT\n  ${list([...columns, name(at)])}\nFROM ${name(from)}${unknown === 'null' ? '' : `\nWHERE ${known}`}`
    }
    default:
      return unreachable(step)
  }
}

function tableColumnSql(table: TableData, index: number, by: string): string {
  const type = table.columns[index]?.type ?? { kind: 'string' }
  const cases = table.rows.map(({ key, values }) => {
    const value = values[index] ?? null
    return `WHEN ${text(key)} THEN ${value === null ? 'NULL' : valueSql(value, type)}`
  })
  const nothing = expressionSql({ op: 'literal', value: null, type })
  return cases.length === 0 ? nothing : `CASE ${name(by)}\n    ${cases.join('\n    ')} END`
}
