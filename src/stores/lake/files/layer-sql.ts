// SQL that makes the rows of the layers from a spool: bronze as received, silver and gold in the columns of a contract.
//
// bronze: _partition, _offset, _arrival (UTC), _key, _value as text, _key_bytes and _value_bytes where they are no text,
//         _headers (JSON).
// typed:  one column per field under its own name: text, BOOLEAN, BIGINT, DECIMAL, DOUBLE, DATE, TIMESTAMP (UTC), lists
//         of those, objects as JSON text; then _partition, _offset, _arrival.
import type { Contract, FieldType } from '../../../query/contract.ts'
import type { Column, Plan } from '../../../query/plan.ts'
import { queryParts } from '../query-parts.ts'
import { sourceSql } from '../source-sql.ts'
import { list, name, shown, text } from '../sql-text.ts'
import type { Spool } from './spool.ts'

const bronzeColumns = [
  '_partition',
  '_offset',
  '_arrival',
  '_key',
  '_value',
  '_key_bytes',
  '_value_bytes',
  '_headers',
] as const

/** A line may be as long as the longest record and what stands before it. */
const lineBytesMin = 4 << 20

/** The spool as bronze rows. */
export function spoolSql({ path, oddPath, records, oddRecords, sizeBytes }: Spool): string {
  const csv = (file: string, columns: Record<string, string>): string => {
    const lines = Math.max(lineBytesMin, Math.min(sizeBytes * 2 + 1024, 256 << 20))
    return (
      `read_csv(${text(file)}, delim = '\t', quote = '', escape = '', header = false, auto_detect = false, strict_mode = true, ` +
      `nullstr = '\\N', max_line_size = ${records > 0 && sizeBytes / Math.max(1, records) > 100_000 ? lines : lineBytesMin}, ` +
      `columns = {${Object.entries(columns)
        .map(([column, type]) => `${name(column)}: '${type}'`)
        .join(', ')}})`
    )
  }
  const places = { _partition: 'INTEGER', _offset: 'BIGINT', _arrival: 'BIGINT' }
  const arrival = 'make_timestamp(_arrival * 1000) AS _arrival'
  const plain =
    `SELECT _partition, _offset, ${arrival}, _key, _value, NULL::BLOB AS _key_bytes, NULL::BLOB AS _value_bytes, ` +
    `NULL::VARCHAR AS _headers\nFROM ${csv(path, { ...places, _key: 'VARCHAR', _value: 'VARCHAR' })}`
  if (oddRecords === 0) return plain
  const asText = (field: string): string =>
    `CASE WHEN ${field}_text THEN decode(from_hex(${field}_hex)) END AS ${field}`
  const asBytes = (field: string): string =>
    `CASE WHEN NOT ${field}_text THEN from_hex(${field}_hex) END AS ${field}_bytes`
  const odd = csv(oddPath, {
    ...places,
    _key_hex: 'VARCHAR',
    _key_text: 'BOOLEAN',
    _value_hex: 'VARCHAR',
    _value_text: 'BOOLEAN',
    _headers_hex: 'VARCHAR',
  })
  return (
    `${plain}\nUNION ALL\nSELECT _partition, _offset, ${arrival}, ${asText('_key')}, ${asText('_value')}, ` +
    `${asBytes('_key')}, ${asBytes('_value')}, decode(from_hex(_headers_hex)) AS _headers\nFROM ${odd}`
  )
}

/** Valid records of `from` (bronze columns) in the columns of the contract, `_dt` behind them: the event date as text. */
export function typedSql(contract: Contract, from: string): string {
  const columns: Column[] = Object.entries(contract.fields).flatMap(([column, { type, nullable }]) =>
    hasNoSql(type) ? [] : [{ name: column, type, nullable }],
  )
  const whole = (column: string): Column => ({ name: column, type: { kind: 'int64' }, nullable: false })
  const node = {
    kind: 'source',
    topic: contract.topic,
    contractVersion: contract.version,
    eventTime: contract.eventTime,
    outOfOrderMs: contract.outOfOrderMs,
    idleTimeoutMs: contract.idleTimeoutMs,
    futureLimitMs: contract.futureLimitMs,
    id: 'typed',
    inputs: [],
    columns: [...columns, whole('_partition'), whole('_offset'), { ...whole('_arrival'), type: { kind: 'timestamp' } }],
    changelog: { mode: 'append' },
    time: contract.eventTime,
    order: 'none',
    merges: true,
    evidence: 'record',
  } as const
  const plan: Plan = {
    version: 1,
    name: `${contract.topic} in the lake`,
    contracts: { [contract.topic]: contract },
    nodes: [node],
    emit: { mode: 'on-close' },
    latenessMs: 0,
    output: { topic: null, times: 'iso-seconds', finalColumn: null },
  }
  const query = queryParts(plan)
  const { part } = sourceSql(query, node, { format: 'raw', from })
  const values = columns.map(
    ({ name: column, type }) => `${stored(`r.${name(column)}`, type, column)} AS ${name(column)}`,
  )
  const objects = Object.entries(contract.fields).filter(([, { type }]) => hasNoSql(type))
  for (const [column] of objects)
    values.push(`CAST(json_extract(b._value, ${text(`$."${column}"`)}) AS VARCHAR) AS ${name(column)}`)
  // Objects stay text, taken from the record once more; nothing else asks for it.
  const joined = objects.length === 0 ? '' : `\nJOIN ${from} AS b USING (_partition, _offset)`
  return query.parts.with(
    `SELECT\n  ${list([
      ...values,
      'CAST(r._partition AS INTEGER) AS _partition',
      'r._offset AS _offset',
      'make_timestamp(r._arrival * 1000) AS _arrival',
      `strftime(make_timestamp(r.${query.at} * 1000), '%Y-%m-%d') AS _dt`,
    ])}\nFROM ${part} AS r${joined}`,
  )
}

/** Objects, and lists of what is no plain value: they stay JSON text. */
function hasNoSql(type: FieldType): boolean {
  if (type.kind === 'struct') return true
  if (type.kind !== 'array') return false
  const inside = type.of.kind === 'struct' ? Object.values(type.of.fields).map((field) => field.type) : [type.of]
  return inside.some(({ kind }) => kind === 'struct' || kind === 'array')
}

/** The held value as files keep it: what the engine holds exactly fits 18 digits. */
function stored(held: string, type: FieldType, column: string): string {
  if (type.kind === 'money' || type.kind === 'decimal')
    return `CAST(${shown(held, type)} AS DECIMAL(18, ${type.scale}))`
  if (type.kind !== 'array') return shown(held, type)
  const { of } = type
  // A list of plain values is held as a list of structs with one field under the list's name.
  if (of.kind !== 'struct') return `list_transform(${held}, lambda e: ${stored(`e.${name(column)}`, of, column)})`
  const fields = Object.entries(of.fields).map(
    ([field, one]) => `${name(field)}: ${stored(`e.${name(field)}`, one.type, field)}`,
  )
  return `list_transform(${held}, lambda e: {${fields.join(', ')}})`
}

export const bronzeColumnsSql = bronzeColumns.join(', ')

/** One file of rows, in the order of their offsets. */
export function copySql(select: string, path: string): string {
  return `COPY (${select}) TO ${text(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880)`
}
/** The files as rows; columns that an older file has not are null. */
export function parquetSql(paths: readonly string[]): string {
  return `read_parquet([${paths.map(text).join(', ')}], union_by_name = true, hive_partitioning = false)`
}
