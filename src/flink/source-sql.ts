// The topic as a Flink table, and a view of its valid records with held values. Flink reads each field leniently and gives
// null for what it cannot read, so broken records are left out here without a dead letter: those are written by the
// process that runs beside Flink. Seen differently from the engine: a number in quotes is a number, a number where text
// is wanted is text, a broken field that may be missing is missing, amounts with more than four decimals beyond their
// scale are rounded before they are judged; and a record broken in another field than its time still moves the watermark.
import type { Contract, Field, FieldType, Rule } from '../query/contract.ts'
import type { Column, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { decimalText, minorFromNumber, minorFromText } from '../std/decimal.ts'
import { parseInstant } from '../std/instant.ts'
import { valueSql } from './expression-sql.ts'
import { instantSql } from './instant-sql.ts'
import { addView, type FlinkQuery, type FlinkRows, refuse } from './query-views.ts'
import { as, exactMax, heldAs, interval, list, msSql, name, scaleOf, text, withOptions } from './sql-text.ts'

/** The earliest instant Flink has (year 0), for records without a usable time: it holds no watermark up and is left out. */
const noTimeMs = -62_167_219_200_000

type SourceNode = PlanNode & { readonly kind: 'source' }

interface Source {
  readonly query: FlinkQuery
  readonly node: SourceNode
  readonly contract: Contract
  /** Quoted columns of ours. */
  readonly arrival: string
  readonly partition: string
  readonly offset: string
}

/** Adds the table of the topic and the view of its valid records. */
export function sourceSql(query: FlinkQuery, node: SourceNode): FlinkRows {
  const { plan, prefix, at, order, seen } = query
  const contract = plan.contracts[node.topic]
  if (contract === undefined)
    return refuse(query, node, `no contract for topic '${node.topic}'`, 'Build plans with `from`')
  for (const { name: column, type } of node.columns)
    if (type.kind === 'struct' || (type.kind === 'array' && !isPlain(type.of)))
      throw new PlanError(
        plan.name,
        `column '${column}'`,
        `a ${type.kind}${type.kind === 'array' ? ' of such' : ''} has no Flink SQL`,
        'Leave it out with `select`',
      )
  const [arrival, partition, offset] = ['arrival', 'partition', 'offset'].map((one) => name(`${prefix}${one}`)) as [
    string,
    string,
    string,
  ]
  const source: Source = { query, node, contract, arrival, partition, offset }
  const sources = plan.nodes.filter((one) => one.kind === 'source')
  const same = sources.filter((one) => one.topic === node.topic)
  const times = same.findIndex((one) => one.id === node.id)
  const view = `${plan.name}-source${sources.length === 1 ? '' : `-${node.topic}`}${times > 0 ? `-${times + 1}` : ''}`
  const carried = [at, ...(order === null ? [] : [order.rising, order.falling]), ...(seen === null ? [] : [seen])]
  // A topic that is read by several nodes is one table, with every list that any of them reads.
  if (times === 0)
    query.ddl.push(tableSql(source, new Set(same.flatMap(({ columns }) => columns.map((one) => one.name)))))
  query.ddl.push(viewSql(source, view))
  return { view, node, carried, bounds: new Set() }
}

/** The fields Flink must read: all that can be judged. */
function readFields({ node, contract }: Source): [string, Field][] {
  const used = node.columns.map((column) => column.name)
  const judged = (field: Field): boolean => field.type.kind !== 'struct' && field.type.kind !== 'array'
  return Object.entries(contract.fields).filter(([column, field]) => used.includes(column) || judged(field))
}

function tableSql(source: Source, used: ReadonlySet<string>): string {
  const { query, node, contract, arrival, partition, offset } = source
  const { plan, at } = query
  const lists = Object.entries(contract.fields).filter(
    ([column, { type }]) => type.kind === 'array' && used.has(column),
  )
  const read = readFields(source).filter(([, { type }]) => type.kind !== 'array')
  // Flink reads an object into text as its JSON.
  const paths = [...used].filter((column) => contract.fields[column] === undefined && column.includes('.'))
  const roots = new Set(paths.map((column) => column.split('.')[0] ?? ''))
  const objects = [...roots].map((root): [string, Field] => [
    root,
    { type: { kind: 'string' }, nullable: true, doc: '' },
  ])
  const columns = [...read, ...lists, ...objects].flatMap(([column, { type, aliases = [] }]) =>
    [column, ...aliases].map((one) => `${name(one)} ${readAs(type)}`),
  )
  const ms = instantSql(sent(node.eventTime, contract.fields[node.eventTime]))
  const usable = `TO_TIMESTAMP_LTZ(${ms}, 3)`
  const pseudo = (column: string): boolean => used.has(column) && contract.fields[column] === undefined
  const place =
    query.order === null && !pseudo('_partition') && !pseudo('_offset')
      ? []
      : [`${partition} INT METADATA FROM 'partition' VIRTUAL`, `${offset} BIGINT METADATA FROM 'offset' VIRTUAL`]
  return (
    `CREATE TEMPORARY TABLE ${name(node.topic)} (\n  ${list([
      ...columns,
      `${arrival} TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL`,
      ...place,
      // A time beyond the future limit counts as none.
      `${at} AS CASE WHEN ${usable} <= ${arrival} + ${interval(node.futureLimitMs)}\n    THEN ${usable} ELSE TO_TIMESTAMP_LTZ(${noTimeMs}, 3) END`,
      // Windows fire once, so they wait for what the engine would correct later.
      `WATERMARK FOR ${at} AS ${at} - ${interval(node.outOfOrderMs + plan.latenessMs)}`,
    ])}\n) ` +
    withOptions({
      connector: 'kafka',
      topic: node.topic,
      'properties.bootstrap.servers': query.brokers,
      'properties.group.id': `millrace-flink-${plan.name}`,
      'properties.isolation.level': 'read_committed',
      'scan.startup.mode': 'earliest-offset',
      'scan.watermark.idle-timeout': `${node.idleTimeoutMs} ms`,
      format: 'json',
      'json.ignore-parse-errors': 'true',
      'json.timestamp-format.standard': 'ISO-8601',
    })
  )
}

/** Wide enough to see what does not fit: a fraction of a whole number, decimals beyond the scale. */
function readAs(type: FieldType): string {
  switch (type.kind) {
    case 'int64':
      return 'DECIMAL(20, 4)'
    case 'money':
    case 'decimal':
      return `DECIMAL(${20 + type.scale}, ${type.scale + 4})`
    case 'float64':
      return 'DOUBLE'
    case 'bool':
      return 'BOOLEAN'
    case 'array': {
      const { of } = type
      if (of.kind !== 'struct') return `ARRAY<${readAs(of)}>`
      return `ARRAY<ROW<${Object.entries(of.fields)
        .map(([field, one]) => `${name(field)} ${readAs(one.type)}`)
        .join(', ')}>>`
    }
    default:
      return 'STRING'
  }
}
/** May it stand in a list? */
const isPlain = (type: FieldType): boolean =>
  type.kind === 'struct'
    ? Object.values(type.fields).every((one) => one.type.kind !== 'struct' && one.type.kind !== 'array')
    : type.kind !== 'array'

/** One row per element that Flink could read; its fields stand in place of the list. */
export function unnestSql(
  query: FlinkQuery,
  node: PlanNode & { readonly kind: 'unnest' },
  input: FlinkRows,
): FlinkRows {
  const found = input.node.columns.find((column) => column.name === node.array)
  if (found?.type.kind !== 'array') return refuse(query, node, `'${node.array}' is no list`, 'Name a list column')
  const { of } = found.type
  const fields: [string, Field][] =
    of.kind === 'struct' ? Object.entries(of.fields) : [[node.array, { type: of, nullable: false, doc: '' }]]
  const own = new Map(fields.map(([field, one]) => [field, elementSql(field, one)]))
  const columns = node.columns.map(({ name: column }) => as(own.get(column) ?? `r.${name(column)}`, column))
  const carried = input.carried.filter((one) => one !== query.order?.rising && one !== query.order?.falling)
  const conditions = fields.flatMap(([field, one]) => conditionsOf(field, { ...one, aliases: [] }, `e.${name(field)}`))
  const select =
    `SELECT\n  ${list([...columns, ...carried.map((one) => `r.${one}`)])}\nFROM ${name(input.view)} AS r\n` +
    `CROSS JOIN UNNEST(r.${name(node.array)}) AS e (${fields.map(([field]) => name(field)).join(', ')})` +
    (conditions.length === 0 ? '' : `\nWHERE ${conditions.join('\n  AND ')}`)
  return addView(query, node, select, { carried, bounds: input.bounds })
}
function elementSql(field: string, one: Field): string {
  const held = typedSql(`e.${name(field)}`, one.type)
  const stand = defaultSql(one)
  return stand === null ? held : `COALESCE(${held}, ${stand})`
}

function sent(column: string, field: Field | undefined): string {
  const names = [column, ...(field?.aliases ?? [])].map(name)
  return names.length === 1 ? (names[0] ?? '') : `COALESCE(${names.join(', ')})`
}

function viewSql(source: Source, view: string): string {
  const { query, node, contract } = source
  const columns = node.columns.map((column) => as(columnSql(source, column), column.name))
  const conditions = [`${query.at} > TO_TIMESTAMP_LTZ(${noTimeMs}, 3)`]
  for (const [column, field] of readFields(source))
    if (column !== contract.eventTime) conditions.push(...conditionsOf(column, field))
  const seen = query.seen === null ? [] : [`PROCTIME() AS ${query.seen}`]
  return (
    `CREATE TEMPORARY VIEW ${name(view)} AS\nSELECT\n  ${list([...columns, query.at, ...orderSql(source), ...seen])}\n` +
    `FROM ${name(node.topic)}\nWHERE ${conditions.join('\n  AND ')}`
  )
}

/** A column of the view: a field, where a record lay and when it came, or a field inside an object by its path. */
function columnSql({ contract, arrival, partition, offset }: Source, { name: column, type }: Column): string {
  const field = contract.fields[column]
  if (field !== undefined) return heldSql(column, field)
  if (column === '_arrival') return msSql(arrival)
  if (column === '_partition') return `CAST(${partition} AS BIGINT)`
  if (column === '_offset') return offset
  const [root = '', ...inside] = column.split('.')
  const value = `JSON_VALUE(${name(root)}, ${text(`$${inside.map((step) => `.${step}`).join('')}`)})`
  const read = readAs(type)
  return typedSql(read === 'STRING' ? value : `CAST(${value} AS ${read})`, type)
}

/** Event time, partition and offset as 50 digits that sort like them, and as their complement. */
function orderSql({ query, node, contract, partition, offset }: Source): string[] {
  if (query.order === null) return []
  const ms = `(${heldSql(node.eventTime, contract.fields[node.eventTime])})`
  const digits = (value: string, length: number): string => `LPAD(CAST(${value} AS STRING), ${length}, '0')`
  const rising = [digits(`${ms} + ${-noTimeMs}`, 20), digits(partition, 10), digits(offset, 20)]
  const falling = [
    digits(`999999999999999999 - (${ms} + ${-noTimeMs})`, 20),
    digits(`2147483647 - ${partition}`, 10),
    digits(`9223372036854775807 - ${offset}`, 20),
  ]
  return [
    `CONCAT(${rising.join(', ')}) AS ${query.order.rising}`,
    `CONCAT(${falling.join(', ')}) AS ${query.order.falling}`,
  ]
}

/** A field as held; what does not fit is left out by the conditions. */
function heldSql(column: string, field: Field | undefined, read = sent(column, field)): string {
  if (field === undefined) return name(column)
  const stand = defaultSql(field)
  const held = typedSql(read, field.type)
  return stand === null ? held : `COALESCE(${held}, ${stand})`
}
function typedSql(read: string, type: FieldType): string {
  switch (type.kind) {
    case 'int64':
      return `CAST(${read} AS BIGINT)`
    case 'money':
    case 'decimal':
      return `CAST(${read} * ${10 ** type.scale} AS BIGINT)`
    case 'timestamp':
      return instantSql(read)
    case 'date':
      return `TRY_CAST(${read} AS DATE)`
    default:
      return read
  }
}
function defaultSql({ default: given, type }: Field): string | null {
  if (given === undefined) return null
  if (type.kind === 'timestamp') return valueSql(parseInstant(String(given)), type)
  if (type.kind === 'int64' || type.kind === 'money' || type.kind === 'decimal') {
    const minor = typeof given === 'number' ? minorFromNumber(given, scaleOf(type)) : 'not-a-number'
    return typeof minor === 'number' ? valueSql(minor, type) : null
  }
  return valueSql(given, type)
}

function conditionsOf(column: string, field: Field, read = sent(column, field)): string[] {
  const { type } = field
  const conditions: string[] = []
  const optional = field.nullable || field.default !== undefined
  const fits = (condition: string): void => {
    conditions.push(optional ? `(${read} IS NULL OR ${condition})` : condition)
  }
  if (!optional) conditions.push(`${read} IS NOT NULL`)
  switch (type.kind) {
    case 'int64':
      fits(`${read} = FLOOR(${read}) AND ABS(${read}) <= ${exactMax}`)
      break
    case 'money':
    case 'decimal':
      fits(`${read} = ROUND(${read}, ${type.scale}) AND ABS(${read}) <= ${decimalText(BigInt(exactMax), type.scale)}`)
      break
    case 'timestamp':
      fits(`${instantSql(read)} IS NOT NULL`)
      break
    case 'date':
      fits(`REGEXP(${read}, '^\\d{4}-\\d\\d-\\d\\d$') AND TRY_CAST(${read} AS DATE) IS NOT NULL`)
      break
    case 'uuid':
      fits(`REGEXP(${read}, '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')`)
      break
    default:
  }
  for (const rule of field.rules ?? []) {
    const holds = ruleSql(heldSql(column, field, read), rule, type)
    if (holds !== null) conditions.push(field.nullable ? `(${read} IS NULL OR ${holds})` : holds)
  }
  return conditions
}
/** Null where the rule says nothing about values of the type. */
function ruleSql(held: string, rule: Rule, type: FieldType): string | null {
  switch (rule.rule) {
    case 'above':
    case 'at-least': {
      if (heldAs(type) !== 'BIGINT' && heldAs(type) !== 'DOUBLE') return null
      const scale = scaleOf(type)
      const exact = type.kind === 'float64' ? rule.bound : minorFromText(String(rule.bound), scale)
      const bound = typeof exact === 'number' ? exact : rule.bound * 10 ** scale
      return `${held} ${rule.rule === 'above' ? '>' : '>='} ${bound}`
    }
    case 'one-of':
      if (heldAs(type) !== 'STRING') return null
      return rule.values.length === 0 ? 'FALSE' : `${held} IN (${rule.values.map(text).join(', ')})`
    default:
      return unreachable(rule)
  }
}
