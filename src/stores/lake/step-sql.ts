// Steps over rows one by one in DuckDB SQL: computed columns, conditions, columns of a table.
import type { Expression, PlanNode, TableData } from '../../query/plan.ts'
import { typeOf } from '../../query/plan.ts'
import { assert } from '../../std/assert.ts'
import { expressionSql, isOverflow } from './expression-sql.ts'
import type { NodeRows, QueryParts } from './query-parts.ts'
import { heldAs, list, name, text } from './sql-text.ts'

type Of<K extends PlanNode['kind']> = PlanNode & { readonly kind: K }

export function filterSql({ parts }: QueryParts, node: Of<'filter'>, input: NodeRows): NodeRows {
  const part = parts.add('kept_rows', `SELECT *\nFROM ${input.part}\nWHERE ${expressionSql(node.condition)}`)
  return { part, node, carried: input.carried }
}

/** A small literal, and what chooses among such, is an INTEGER to DuckDB. */
function heldSql(value: Expression): string {
  const sql = expressionSql(value)
  const held = heldAs(typeOf(value))
  return held !== 'BIGINT' || value.op === 'column' ? sql : `CAST(${sql} AS BIGINT)`
}

export function projectSql({ parts }: QueryParts, node: Of<'project'>, input: NodeRows): NodeRows {
  const values = new Map(node.derive.map((derived) => [derived.name, derived.value]))
  const columns = node.columns.map(({ name: column }) => {
    const value = values.get(column)
    const sql = value === undefined ? name(column) : heldSql(value)
    return sql === name(column) ? sql : `${sql} AS ${name(column)}`
  })
  const { carried } = input
  const made = parts.add('derived', `SELECT\n  ${list([...columns, ...carried])}\nFROM ${input.part}`)
  // The engine refuses the record, whatever is made of the column later.
  const overflows = node.derive.flatMap((derived) => isOverflow(name(derived.name), derived.value) ?? [])
  if (overflows.length === 0) return { part: made, node, carried }
  const exact = overflows.map((one) => `(${one}) IS NOT TRUE`).join('\n  AND ')
  return { part: parts.add('exact', `SELECT *\nFROM ${made}\nWHERE ${exact}`), node, carried }
}

/** A table of its own, or the newest row per key of the second input, as of its end: files do not tell what came between. */
export function lookupSql(query: QueryParts, node: Of<'lookup'>, input: NodeRows, topic: NodeRows | null): NodeRows {
  const { table, unknown } = node
  const key = 'rows' in table ? `${query.prefix}key` : name(table.key)
  const rows = 'rows' in table ? tableSql(table, key) : `${newestSql(query, table.key, topic)} AS t`
  const own = table.columns.map((column) => column.name)
  const columns = node.columns.map(({ name: column }) => `${own.includes(column) ? 't' : 'r'}.${name(column)}`)
  const carried = input.carried.map((column) => `r.${column}`)
  const join = unknown === 'null' ? 'LEFT JOIN' : 'JOIN'
  const part = query.parts.add(
    'looked_up',
    `SELECT\n  ${list([...columns, ...carried])}\nFROM ${input.part} AS r\n${join} ${rows}\n  ON r.${name(node.by)} = t.${key}`,
  )
  return { part, node, carried: input.carried }
}
function newestSql({ parts, place }: QueryParts, key: string, topic: NodeRows | null): string {
  assert(topic !== null && place !== null && topic.carried.includes(place), 'a topic that is looked up in has places')
  const newest = `row_number() OVER (PARTITION BY ${name(key)} ORDER BY ${place} DESC) = 1`
  return parts.add('newest', `SELECT *\nFROM ${topic.part}\nWHERE ${name(key)} IS NOT NULL\nQUALIFY ${newest}`)
}

/** One row per element; its fields stand in place of the list. Lists were read as structs of held values (`source-sql.ts`). */
export function unnestSql({ parts, prefix, place }: QueryParts, node: Of<'unnest'>, input: NodeRows): NodeRows {
  const element = `${prefix}element`
  const rest = input.node.columns.filter((column) => column.name !== node.array).map((column) => name(column.name))
  const spread = parts.add(
    'spread',
    `SELECT\n  ${list([...rest, ...input.carried, `unnest(${name(node.array)}) AS ${element}`])}\nFROM ${input.part}`,
  )
  const columns = node.columns.map(({ name: column }) =>
    rest.includes(name(column)) ? name(column) : `${element}.${name(column)} AS ${name(column)}`,
  )
  // Elements of one record share its place: nothing tells them apart by it any more.
  const carried = input.carried.filter((column) => column !== place)
  const part = parts.add('elements', `SELECT\n  ${list([...columns, ...carried])}\nFROM ${spread}`)
  return { part, node, carried }
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
