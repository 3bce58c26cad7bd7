// The result topic as a Flink table and the INSERT into it. Values and keys are what the engine writes: exact decimals as
// JSON numbers, times as the Plan's output says, the key as the JSON array of the upsert key. One text column is the key
// because a group may be null, which no part of a primary key may be.
import type { FieldType } from '../query/contract.ts'
import type { Output } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import type { FlinkQuery, FlinkRows } from './query-views.ts'
import { as, list, name, text, withOptions } from './sql-text.ts'

export function sinkSql(query: FlinkQuery, { view, node, bounds }: FlinkRows): { table: string; insert: string } {
  const { plan, prefix, brokers } = query
  const { output } = plan
  const topic = output.topic ?? plan.name
  const sink = `${plan.name}-sink`
  const key = `${prefix}key`
  const carried = node.columns.map((column) => {
    const held = name(column.name)
    const value = bounds.has(column.name) ? boundSql(held, output) : carriedSql(held, column.type, output)
    return { ...column, value }
  })
  const columns = carried.map((column) => `${name(column.name)} ${carriedAs(column.type, output)}`)
  const values = carried.map((column) => as(column.value, column.name))
  if (output.finalColumn !== null) {
    columns.push(`${name(output.finalColumn)} BOOLEAN`)
    values.push(`TRUE AS ${name(output.finalColumn)}`)
  }
  if (output.writtenAtColumn !== undefined) {
    columns.push(`${name(output.writtenAtColumn)} TIMESTAMP_LTZ(3)`)
    values.push(`CURRENT_TIMESTAMP AS ${name(output.writtenAtColumn)}`)
  }
  const common = {
    topic,
    'properties.bootstrap.servers': brokers,
    'sink.delivery-guarantee': 'exactly-once',
    'sink.transactional-id-prefix': `millrace-${plan.name}`,
    // Flink's default of an hour is more than a broker allows by default.
    'properties.transaction.timeout.ms': '900000',
  }
  const format = (prefix: string): Record<string, string> => ({
    [prefix]: 'json',
    [`${prefix === 'format' ? '' : 'value.'}json.timestamp-format.standard`]: 'ISO-8601',
    [`${prefix === 'format' ? '' : 'value.'}json.encode.decimal-as-plain-number`]: 'true',
  })
  if (node.changelog.mode !== 'upsert')
    return {
      table: `CREATE TEMPORARY TABLE ${name(sink)} (\n  ${list(columns)}\n) ${withOptions({ connector: 'kafka', ...common, ...keyOptions(output), ...format(output.key === undefined ? 'format' : 'value.format') })}`,
      insert: `INSERT INTO ${name(sink)}\nSELECT\n  ${list(values)}\nFROM ${name(view)}`,
    }
  const sent = new Map(carried.map((column) => [column.name, column.value]))
  const parts = node.changelog.key.map((column) => `COALESCE(${jsonSql(sent.get(column) ?? name(column))}, 'null')`)
  const keyed = `${parts.length === 0 ? "'[]'" : `CONCAT('[', ${parts.join(", ',', ")}, ']')`} AS ${name(key)}`
  return {
    table:
      `CREATE TEMPORARY TABLE ${name(sink)} (\n  ${list([`${name(key)} STRING NOT NULL`, ...columns, `PRIMARY KEY (${name(key)}) NOT ENFORCED`])}\n) ` +
      withOptions({
        connector: 'upsert-kafka',
        ...common,
        'key.format': 'raw',
        ...format('value.format'),
        'value.fields-include': 'EXCEPT_KEY',
      }),
    insert: `INSERT INTO ${name(sink)}\nSELECT\n  ${list([keyed, ...values])}\nFROM ${name(view)}`,
  }
}

/** The key of rows that append: the text itself, which stays in the value too. */
function keyOptions({ key }: Output): Record<string, string> {
  return key === undefined ? {} : { 'key.format': 'raw', 'key.fields': key, 'value.fields-include': 'ALL' }
}

/** A value of the row as JSON text, for the key. */
function jsonSql(value: string): string {
  return `JSON_STRING(${value})`
}

function carriedAs(type: FieldType, output: Output): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN'
    case 'int64':
      return 'DECIMAL(38, 0)'
    case 'float64':
      return 'DOUBLE'
    case 'money':
    case 'decimal':
      return `DECIMAL(38, ${type.scale})`
    case 'timestamp':
      return output.times === 'iso-seconds' || output.times === 'iso-milliseconds' ? 'STRING' : 'BIGINT'
    default:
      return 'STRING'
  }
}

/** A held value as carried. */
function carriedSql(held: string, type: FieldType, output: Output): string {
  switch (type.kind) {
    case 'int64':
      return `CAST(${held} AS DECIMAL(38, 0))`
    case 'money':
    case 'decimal': {
      if (type.scale === 0) return `CAST(${held} AS DECIMAL(38, 0))`
      const unit = `0.${'1'.padStart(type.scale, '0')}`
      return `CAST(CAST(${held} AS DECIMAL(31, 0)) * ${unit} AS DECIMAL(38, ${type.scale}))`
    }
    case 'timestamp':
      if (output.times === 'epoch-milliseconds') return held
      // Whole seconds are those at or before: division cuts towards zero.
      if (output.times === 'epoch-seconds') return `CAST(FLOOR(CAST(${held} AS DECIMAL(19, 0)) / 1000) AS BIGINT)`
      return boundSql(`CAST(TO_TIMESTAMP_LTZ(${held}, 3) AS TIMESTAMP(3))`, output)
    case 'date':
      return `CAST(${held} AS STRING)`
    default:
      return held
  }
}
/** A TIMESTAMP(3) in UTC as carried. */
function boundSql(at: string, { times }: Output): string {
  const seconds = `UNIX_TIMESTAMP(DATE_FORMAT(${at}, 'yyyy-MM-dd HH:mm:ss'))`
  switch (times) {
    case 'iso-seconds':
      return `DATE_FORMAT(${at}, ${text("yyyy-MM-dd'T'HH:mm:ss'Z'")})`
    case 'iso-milliseconds':
      return `DATE_FORMAT(${at}, ${text("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")})`
    case 'epoch-seconds':
      return seconds
    case 'epoch-milliseconds':
      return `${seconds} * 1000 + CAST(DATE_FORMAT(${at}, 'SSS') AS BIGINT)`
    default:
      return unreachable(times)
  }
}
