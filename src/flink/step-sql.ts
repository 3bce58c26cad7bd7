// Steps over rows one by one in Flink SQL: computed columns, conditions, columns of a table, first copies, tops.
import type { PlanNode, TableData } from '../query/plan.ts'
import { typeOf } from '../query/plan.ts'
import { expressionSql, isWide, valueSql } from './expression-sql.ts'
import { addView, columnsOf, type FlinkQuery, type FlinkRows, refuse, within } from './query-views.ts'
import { as, exactMax, list, name, text } from './sql-text.ts'

type Of<K extends PlanNode['kind']> = PlanNode & { readonly kind: K }

/** A static table becomes a CASE, because a join would lose the event time: it has to stay small. */
export const lookupRowsMax = 1000

export function filterSql(query: FlinkQuery, node: Of<'filter'>, input: FlinkRows): FlinkRows {
  refuseBounds(query, node, input, node.condition)
  const select = `SELECT *\nFROM ${name(input.view)}\nWHERE ${expressionSql(node.condition)}`
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
}

export function projectSql(query: FlinkQuery, node: Of<'project'>, input: FlinkRows): FlinkRows {
  const values = new Map(node.derive.map((derived) => [derived.name, derived.value]))
  const bounds = new Set<string>()
  const computed = node.derive.filter(({ value }) => isWide(value))
  const exact = computed.filter(({ value }) => typeOf(value).kind !== 'float64').map((one) => one.name)
  const columns = node.columns.map(({ name: column }) => {
    const value = values.get(column)
    const from = value === undefined ? column : value.op === 'column' ? value.name : null
    if (from !== null && input.bounds.has(from)) bounds.add(column)
    else if (value !== undefined) refuseBounds(query, node, input, value)
    return value === undefined ? name(column) : as(expressionSql(value), column)
  })
  const { carried } = input
  const made = `SELECT\n  ${list([...columns, ...carried])}\nFROM ${name(input.view)}`
  const kept = exact.filter((column) => node.columns.some((one) => one.name === column))
  if (kept.length === 0) return addView(query, node, made, { carried, bounds })
  // The engine refuses a record that leaves what is exact; here it is left out, and the rest fits BIGINT again.
  const narrowed = node.columns.map(({ name: column }) =>
    kept.includes(column) ? `CAST(${name(column)} AS BIGINT) AS ${name(column)}` : name(column),
  )
  const fits = kept.map((column) => `(${name(column)} IS NULL OR ABS(${name(column)}) <= ${exactMax})`)
  const select = `SELECT\n  ${list([...narrowed, ...carried])}\nFROM ${within(made)}\nWHERE ${fits.join('\n  AND ')}`
  return addView(query, node, select, { carried, bounds })
}

/** Bounds are no milliseconds in Flink, so that its windows keep knowing them. */
function refuseBounds(query: FlinkQuery, node: PlanNode, input: FlinkRows, tree: unknown): void {
  if (typeof tree !== 'object' || tree === null) return
  if ('op' in tree && tree.op === 'column' && 'name' in tree && input.bounds.has(String(tree.name)))
    refuse(query, node, 'a computation with the bounds of a window has no Flink SQL', 'Run the plan in the engine')
  for (const inner of Object.values(tree)) refuseBounds(query, node, input, inner)
}

export function lookupSql(query: FlinkQuery, node: Of<'lookup'>, input: FlinkRows): FlinkRows {
  const { table, by, unknown } = node
  if (!('rows' in table)) return refuse(query, node, 'a lookup in a topic has two inputs', 'Build plans with `from`')
  if (table.rows.length > lookupRowsMax)
    return refuse(
      query,
      node,
      `table '${table.name}' has ${table.rows.length} rows, Flink SQL takes at most ${lookupRowsMax}`,
      'Run the plan in the engine',
    )
  const own = new Map(table.columns.map((column, i) => [column.name, tableColumnSql(table, i, by)]))
  const columns = node.columns.map(({ name: column }) => as(own.get(column) ?? name(column), column))
  const keys = table.rows.map(({ key }) => text(key))
  const known = keys.length === 0 ? 'FALSE' : `${name(by)} IN (${keys.join(', ')})`
  const where = unknown === 'null' ? '' : `\nWHERE ${known}`
  const select = `SELECT\n  ${list([...columns, ...input.carried])}\nFROM ${name(input.view)}${where}`
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
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

/**
 * The first copy that Flink sees is kept. It forgets an identity by the machine's clock (`table.exec.state.ttl`), not by
 * event time, and an identity with a null is nobody's duplicate.
 */
export function deduplicateSql(query: FlinkQuery, node: Of<'deduplicate'>, input: FlinkRows): FlinkRows {
  const { seen, prefix } = query
  if (seen === null || !input.carried.includes(seen))
    return refuse(query, node, 'these rows have no machine time in Flink', 'Deduplicate before windows and joins')
  const identity = node.identity.map(name)
  const columns = [...columnsOf(node), ...input.carried]
  const known = identity.map((column) => `${column} IS NOT NULL`).join(' AND ')
  const rank = name(`${prefix}rank`)
  const ranked = `SELECT\n  ${list(['*', `ROW_NUMBER() OVER (PARTITION BY ${identity.join(', ')} ORDER BY ${seen} ASC) AS ${rank}`])}\nFROM ${name(input.view)}\nWHERE ${known}`
  const firsts = `SELECT\n  ${list(columns)}\nFROM ${within(ranked)}\nWHERE ${rank} = 1`
  const others = `SELECT\n  ${list(columns)}\nFROM ${name(input.view)}\nWHERE NOT (${known})`
  const nullable = node.columns.some((column) => column.nullable && node.identity.includes(column.name))
  const select = nullable ? `${firsts}\nUNION ALL\n${others}` : firsts
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
}

/** Nulls last whichever way is sorted; ties go by the rest of the key, nulls first. */
export function topSql(query: FlinkQuery, node: Of<'top'>, input: FlinkRows): FlinkRows {
  const { changelog } = input.node
  const keys = changelog.mode === 'upsert' ? changelog.key : []
  const order = [
    ...node.by.map(({ column, descending }) => `${name(column)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`),
    ...keys.filter((key) => !node.within.includes(key)).map((key) => `${name(key)} ASC NULLS FIRST`),
  ]
  const rank = name(`${query.prefix}rank`)
  const parts = node.within.map((column) => (input.bounds.has(column) ? column : name(column)))
  const by = parts.length === 0 ? '' : `PARTITION BY ${parts.join(', ')} `
  const ranked = `SELECT\n  ${list(['*', `ROW_NUMBER() OVER (${by}ORDER BY ${order.join(', ')}) AS ${rank}`])}\nFROM ${name(input.view)}`
  const select = `SELECT\n  ${list([...columnsOf(node), ...input.carried])}\nFROM ${within(ranked)}\nWHERE ${rank} <= ${node.rows}`
  return addView(query, node, select, { carried: input.carried, bounds: input.bounds })
}
