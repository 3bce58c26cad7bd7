// What a statement of the SQL console may be, decided on DuckDB's own parse of it: one SELECT (WITH, VALUES) or its EXPLAIN,
// over tables of the schemas we made, with no function that reaches out. DuckDB is locked besides; this says no earlier and
// in our words.

/** Schemas of the console's tables. */
export const schemas = ['lake', 'topic', 'live'] as const
export type ConsoleSchema = (typeof schemas)[number]
export interface ConsoleTable {
  readonly schema: ConsoleSchema
  readonly name: string
}
export interface Verdict {
  readonly tables: readonly ConsoleTable[]
  /** Null: it may run. */
  readonly refusal: string | null
}

export const statementBytesMax = 100_000
const tableFunctions = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree', 'repeat_row'])
/** By name or beginning: files, settings, the environment, SQL in text, logs, secrets. */
const closedFunctions =
  /^(read_|glob$|getenv$|current_setting$|getvariable$|set_config|query$|query_table$|json_execute|parquet_|sniff_|write_|duckdb_|pragma_|pg_|sql_auto|from_substrait|load_|copy_|checkpoint|force_checkpoint|nextval$|currval$|which_secret|arrow_scan|seq_scan|index_scan|pandas_scan|python_|icu_|test_|enable_|disable_|add_parquet_key)/i

const explain = /^\s*explain(\s+analyze)?\s+/i
/** The statement without EXPLAIN before it. */
export const explained = (sql: string): string => sql.replace(explain, '')

/** `serialized`: what `json_serialize_sql` made of the statement (without its EXPLAIN). */
export function judge(serialized: string): Verdict {
  const no = (refusal: string): Verdict => ({ tables: [], refusal })
  let tree: unknown
  try {
    tree = JSON.parse(serialized)
  } catch {
    return no('the statement cannot be taken apart')
  }
  if (member(tree, 'error') === true) {
    const message = member(tree, 'error_message')
    const isOther = member(tree, 'error_type') === 'not implemented'
    return no(
      isOther ? 'only SELECT, WITH, VALUES and EXPLAIN of those are run here' : String(message ?? 'syntax error'),
    )
  }
  const statements = member(tree, 'statements')
  if (!Array.isArray(statements) || statements.length !== 1) return no('one statement at a time is run here')
  const ctes = new Set<string>()
  const tables = new Map<string, ConsoleTable>()
  const unqualified = new Set<string>()
  let refusal: string | null = null
  walk(statements[0], (node) => {
    const cteMap = member(member(node, 'cte_map'), 'map')
    if (Array.isArray(cteMap)) for (const entry of cteMap) ctes.add(String(member(entry, 'key')).toLowerCase())
    const cteName = member(node, 'cte_name') ?? member(node, 'ctename')
    if (typeof cteName === 'string') ctes.add(cteName.toLowerCase())
    const type = member(node, 'type')
    if (type === 'BASE_TABLE') {
      const schema = String(member(node, 'schema_name') ?? '').toLowerCase()
      const name = String(member(node, 'table_name') ?? '')
      const catalog = String(member(node, 'catalog_name') ?? '')
      const known = schemas.find((one) => one === schema)
      if (catalog !== '') refusal ??= `there is no database '${catalog}' here`
      else if (schema === '') unqualified.add(name)
      else if (known === undefined) refusal ??= `tables are in the schemas ${schemas.join(', ')}, not in '${schema}'`
      else tables.set(`${known}.${name.toLowerCase()}`, { schema: known, name: name.toLowerCase() })
    }
    if (type === 'SHOW_REF') refusal ??= 'DESCRIBE, SHOW and SUMMARIZE are not run here'
    const called = member(node, 'function_name')
    if (typeof called === 'string') {
      if (closedFunctions.test(called)) refusal ??= `the function ${called} is closed here`
    }
    if (type === 'TABLE_FUNCTION') {
      const name = member(member(node, 'function'), 'function_name')
      if (typeof name !== 'string' || !tableFunctions.has(name.toLowerCase()))
        refusal ??= `the table function ${String(name)} is closed here`
    }
  })
  for (const name of unqualified)
    if (!ctes.has(name.toLowerCase()))
      refusal ??= `there is no table '${name}': name it with its schema, as lake.silver_sales, topic.sales or live.kpis`
  return { tables: [...tables.values()], refusal }
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined
}
/** Without recursion: a statement may be nested as deep as its parser takes it. */
function walk(root: unknown, see: (node: object) => void): void {
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (typeof node !== 'object' || node === null) continue
    if (!Array.isArray(node)) see(node)
    for (const child of Object.values(node)) if (typeof child === 'object') waiting.push(child)
  }
}
