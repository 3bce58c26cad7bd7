// Records of files as rows with held values, what breaks the contract left out. Every field of the contract is checked,
// also those the Plan does not read, as the engine does.
//
// Checked as in the engine: JSON types (a number in quotes is no number), required and nullable fields, defaults,
// aliases, whole numbers and their range, decimals that fit the scale, times with any offset and fraction, dates, UUIDs,
// rules. Seen differently, each a matter of lines no sound producer writes:
//   - names given twice (the engine refuses the record; here the first counts), nesting deeper than 64, lines longer
//     than the engine takes (256 KiB; here 16 MiB), commas before a closing bracket, NaN where no number is wanted;
//   - what is inside objects, and inside lists that the Plan does not read: only that they are an object and a list;
//   - amounts with a fraction and more than 2^51 minor units: a 16th digit may round to a neighbour.

import type { Contract, Field, FieldType, Rule } from '../../query/contract.ts'
import type { Column, PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { minorFromNumber, minorFromText } from '../../std/decimal.ts'
import { parseDate, parseInstant } from '../../std/instant.ts'
import type { LakeFiles, LakeTopics } from '../stores.ts'
import { instantSql } from './instant-sql.ts'
import type { NodeRows, QueryParts } from './query-parts.ts'
import { exactMax, heldAs, list, name, scaleOf, text } from './sql-text.ts'

export type SourceNode = PlanNode & { readonly kind: 'source' }

/** Adds the parts that end in rows of the source's columns. */
export function sourceSql(query: QueryParts, node: SourceNode, given: LakeFiles | LakeTopics): NodeRows {
  const { plan, parts, at } = query
  const contract = plan.contracts[node.topic]
  if (contract === undefined)
    throw new PlanError(plan.name, node.id, `no contract for topic '${node.topic}'`, 'Build plans with `from`')
  refuseClashes(plan.name, contract)
  for (const { name: column, type } of node.columns)
    if (type.kind === 'struct' || (type.kind === 'array' && elementsOf(type) === null))
      throw new PlanError(
        plan.name,
        `column '${column}'`,
        `a ${type.kind}${type.kind === 'array' ? ' of such' : ''} has no DuckDB SQL`,
        'Leave it out with `select`',
      )
  const source = 'format' in given ? given : given.get(node.topic)
  if (source === undefined || ('files' in source && source.files.length === 0))
    throw new PlanError(plan.name, 'files', `there are none of topic '${node.topic}'`, 'Name at least one file or glob')
  const isRaw = source.format === 'ndjson' || source.format === 'raw'
  const fields = node.columns
    .map(({ name: column }) => column)
    .filter((column) => contract.fields[column] !== undefined)
  const others = node.columns.filter((column) => contract.fields[column.name] === undefined)
  if (source.format === 'ndjson') refusePlaces(plan.name, others)
  const read = { query, contract, used: fields, others, source }
  const typed = isRaw ? ndjson(read) : parquet(read)
  const checked = Object.entries(contract.fields).filter(([column]) => isRaw || fields.includes(column))
  const conditions = checked.flatMap(([column, field]) => conditionsOf(column, field, isRaw))
  const inside = others.filter((column) => !places.includes(column.name))
  if (isRaw)
    for (const { name: column } of inside) conditions.push(`(${name(column)} IS NOT NULL OR ${raw(column)} IS NULL)`)
  const columns = node.columns.map(({ name: column }) => {
    const field = contract.fields[column]
    const value = field === undefined ? name(column) : withDefault(column, field)
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  const time = withDefault(contract.eventTime, contract.fields[contract.eventTime]!)
  if (source.format === 'raw') conditions.push(`${time} <= _arrival + ${contract.futureLimitMs}`)
  const carried = [at, ...(query.place === null ? [] : [query.place])]
  const part = parts.add(
    'source',
    `SELECT\n  ${list([...columns, `${time} AS ${at}`, ...carried.slice(1)])}\n` +
      `FROM ${typed}${conditions.length === 0 ? '' : `\nWHERE ${conditions.join('\n  AND ')}`}`,
  )
  if (query.clock === null) return { part, node, carried }
  const clock = `max(${at}) OVER (ORDER BY ${query.place} ROWS UNBOUNDED PRECEDING) AS ${query.clock}`
  const timed = parts.add('clocked', `SELECT *, ${clock}\nFROM ${part}`)
  return { part: timed, node, carried: [...carried, query.clock] }
}

interface Reading {
  readonly query: QueryParts
  readonly contract: Contract
  /** Fields of the contract that the Plan reads. */
  readonly used: readonly string[]
  /** Columns that are no fields: a record's place and arrival, and fields inside objects by their path. */
  readonly others: readonly Column[]
  readonly source: LakeFiles
}
const fromSql = (source: LakeFiles): string =>
  'from' in source ? source.from : `read_parquet([${source.files.map(text).join(', ')}], union_by_name = true)`

const places: readonly string[] = ['_partition', '_offset', '_arrival']
function refusePlaces(plan: string, others: readonly Column[]): void {
  for (const { name: column } of others)
    if (places.includes(column))
      throw new PlanError(
        plan,
        `column '${column}'`,
        'lines of a file do not say where a record lay and when it came',
        'Read the topic from Parquet with a column of that name, or run the plan in the engine',
      )
}
/** `a.b` in the object of field `a`, as JSON text; null if it is missing or null. */
function insideSql(path: string): string {
  const [root = '', ...inside] = path.split('.')
  const steps = inside.map((step) => `."${step}"`).join('')
  return `nullif(CAST(json_extract(CAST(${name(root)} AS JSON), ${text(`$${steps}`)}) AS VARCHAR), 'null')`
}

/** DuckDB does not tell names apart by case. */
function refuseClashes(plan: string, contract: Contract): void {
  const seen = new Map<string, string>()
  for (const [column, field] of Object.entries(contract.fields))
    for (const one of [column, ...(field.aliases ?? [])]) {
      const before = seen.get(one.toLowerCase())
      if (before !== undefined)
        throw new PlanError(
          plan,
          `field '${one}'`,
          `DuckDB takes it for '${before}': it does not tell names apart by case`,
          'Rename one, or run the plan in the engine',
        )
      seen.set(one.toLowerCase(), one)
    }
}

/** The text of a field as it is in the record, for fields that may be missing: tells missing from wrong. */
const raw = (column: string): string => name(`${column} as sent`)
const mayBeMissing = (field: Field): boolean => field.nullable || field.default !== undefined

/**
 * The place of a record: how many were read before it, file by file in the order they are named; those of a topic come
 * behind those of the topics before it in the Plan.
 */
function placeSql({ plan, place }: QueryParts, { topic }: Contract): string[] {
  if (place === null) return []
  const before = Object.keys(plan.contracts).indexOf(topic) * 2 ** 40
  return [`row_number() OVER ()${before === 0 ? '' : ` + ${before}`} AS ${place}`]
}

/** The fields of a list's elements, '' for a list of plain values; null where they hold structs or lists again. */
function elementsOf(type: FieldType & { kind: 'array' }): [string, Field][] | null {
  const fields: [string, Field][] =
    type.of.kind === 'struct' ? Object.entries(type.of.fields) : [['', { type: type.of, nullable: false, doc: '' }]]
  return fields.every(([, field]) => field.type.kind !== 'struct' && field.type.kind !== 'array') ? fields : null
}

/**
 * A list of JSON as a list of structs of held values, and beside them whether the element is sound: in three passes, so
 * that each value is computed once.
 */
function listSql(column: string, type: FieldType & { kind: 'array' }): string {
  const fields = elementsOf(type) ?? []
  const struct = (of: (field: string, one: Field) => string): string =>
    `{${fields.map(([field, one]) => `${name(field === '' ? column : field)}: ${of(field, one)}`).join(', ')}}`
  const sentOf = (field: string, { aliases = [] }: Field): string => {
    if (field === '') return "nullif(CAST(e AS VARCHAR), 'null')"
    const each = [field, ...aliases].map(
      (one) => `nullif(CAST(json_extract(e, ${text(`$."${one}"`)}) AS VARCHAR), 'null')`,
    )
    return each.length === 1 ? each[0]! : `coalesce(${each.join(', ')})`
  }
  const part = (struct: string, field: string): string => `${struct}.${name(field === '' ? column : field)}`
  const sent = `list_transform(CAST(CAST(${name(column)} AS JSON) AS JSON[]), lambda e: ${struct(sentOf)})`
  const read = `list_transform(${sent}, lambda s: {s: s, r: ${struct((field, one) => readSql(part('s', field), one.type))}})`
  const typed = `list_transform(${read}, lambda x: {s: x.s, t: ${struct((field, one) => typedSql(part('x.r', field), one.type))}})`
  const sound = fields.flatMap(([field, one]) => {
    const stand = defaultSql(one)
    const [value, asSent] = [part('y.t', field), part('y.s', field)]
    const held = stand === null ? value : `coalesce(${value}, ${stand})`
    return [
      ...(mayBeMissing(one) ? [`(${value} IS NOT NULL OR ${asSent} IS NULL)`] : [`${value} IS NOT NULL`]),
      ...(one.rules ?? []).flatMap((rule) => {
        const holds = ruleSql(held, rule, one.type)
        return holds === null ? [] : [one.nullable ? `(${held} IS NULL OR ${holds})` : holds]
      }),
    ]
  })
  const values = struct((field, one) => {
    const stand = defaultSql(one)
    return stand === null ? part('y.t', field) : `coalesce(${part('y.t', field)}, ${stand})`
  })
  const ok = sound.length === 0 ? 'true' : sound.join(' AND ')
  const made = `list_transform(${typed}, lambda y: {v: ${values}, ok: ${ok}})`
  // A list with an element that is not sound is no list, and so no sound record.
  return `CASE WHEN starts_with(${name(column)}, '[') THEN list_transform([${made}], lambda l: CASE WHEN len(list_filter(l, lambda z: z.ok IS NOT TRUE)) = 0 THEN list_transform(l, lambda z: z.v) END)[1] END`
}

function ndjson({ query, contract, used, others, source }: Reading): string {
  const { parts } = query
  const place = query.place === null ? [] : [query.place]
  const fields = Object.entries(contract.fields)
  const names = fields.flatMap(([column, field]) => [column, ...(field.aliases ?? [])])
  const record = fields.map(([column, { aliases = [] }]) => {
    const sent = [column, ...aliases].map(name)
    return `CAST(${sent.length === 1 ? sent[0] : `coalesce(${sent.join(', ')})`} AS VARCHAR) AS ${name(column)}`
  })
  // Of records as received their places go along: the time of each is held against its arrival.
  const come = 'from' in source ? places : []
  const records = parts.add(
    'record',
    `SELECT\n  ${list([...record, ...come, ...placeSql(query, contract)])}\nFROM ${'from' in source ? takenApartSql(source.from, names) : linesSql(source.files, names)}`,
  )
  const kept = fields.filter(([, field]) => mayBeMissing(field)).map(([column]) => column)
  const read = fields.map(([column, field]) => {
    // Of text that nobody reads it is enough to know that it is text.
    const isEnough = field.type.kind === 'string' && !used.includes(column) && field.rules === undefined
    if (field.type.kind === 'array' && used.includes(column)) return `${listSql(column, field.type)} AS ${name(column)}`
    const value = isEnough
      ? `CASE WHEN starts_with(${name(column)}, '"') THEN '' END`
      : readSql(name(column), field.type)
    return `${value} AS ${name(column)}`
  })
  const inside = others.filter((column) => !places.includes(column.name))
  for (const { name: column, type } of inside) read.push(`${readSql(insideSql(column), type)} AS ${name(column)}`)
  const sent = kept.map((column) => `${name(column)} AS ${raw(column)}`)
  for (const { name: column } of inside) sent.push(`${insideSql(column)} AS ${raw(column)}`)
  const reads = parts.add('read', `SELECT\n  ${list([...read, ...sent, ...come, ...place])}\nFROM ${records}`)
  const all: (readonly [string, { readonly type: FieldType }])[] = [
    ...fields,
    ...inside.map((column) => [column.name, column] as const),
  ]
  const typed = all.map(([column, { type }]) => {
    const value = typedSql(name(column), type)
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  kept.push(...inside.map((column) => column.name))
  return parts.add('typed', `SELECT\n  ${list([...typed, ...kept.map(raw), ...come, ...place])}\nFROM ${reads}`)
}

function linesSql(files: readonly string[], names: readonly string[]): string {
  return (
    `read_json([${files.map(text).join(', ')}], format = 'newline_delimited', ignore_errors = true, columns = {\n  ` +
    `${list(names.map((one) => `${name(one)}: 'JSON'`))}})`
  )
}
/** What is no JSON gives nulls, as a line that is none does. */
function takenApartSql(from: string, names: readonly string[]): string {
  const shape = text(JSON.stringify(Object.fromEntries(names.map((one) => [one, 'JSON']))))
  const taken = `SELECT TRY(json_transform(_value, ${shape})) AS _, _partition, _offset, epoch_ms(_arrival) AS _arrival\n  FROM ${from}`
  return `(\n  SELECT unnest(_), _partition, _offset, _arrival\n  FROM (${taken}))`
}

/** JSON text as the text, number or truth inside; null if it is none. */
function readSql(sent: string, type: FieldType): string {
  switch (type.kind) {
    case 'bool':
      return `CASE ${sent} WHEN 'true' THEN true WHEN 'false' THEN false END`
    case 'int64':
    case 'float64':
    case 'decimal':
    case 'money':
      // A number begins with a sign or a digit; quotes, brackets and words do not lie between these.
      return `CASE WHEN left(${sent}, 1) BETWEEN '-' AND '9' THEN TRY_CAST(${sent} AS DOUBLE) END`
    case 'string':
    case 'bytes':
    case 'uuid':
    case 'timestamp':
    case 'date':
      // Without an escape the text is what stands between the quotes: most texts need no second look by the JSON parser.
      return (
        `CASE WHEN starts_with(${sent}, '"') THEN CASE WHEN contains(${sent}, '\\') ` +
        `THEN CAST(${sent} AS JSON) ->> '$' ELSE substring(${sent}, 2, length(${sent}) - 2) END END`
      )
    case 'struct':
      return `CASE WHEN starts_with(${sent}, '{') THEN true END`
    case 'array':
      return `CASE WHEN starts_with(${sent}, '[') THEN true END`
    default:
      return unreachable(type)
  }
}

/** The value as held, null if it does not fit the type. */
function typedSql(read: string, type: FieldType): string {
  switch (type.kind) {
    case 'int64':
      return `CASE WHEN ${read} = trunc(${read}) AND abs(${read}) <= ${exactMax} THEN CAST(${read} AS BIGINT) END`
    case 'float64':
      return `CASE WHEN isfinite(${read}) THEN ${read} + 0.0 END`
    case 'decimal':
    case 'money': {
      if (type.scale === 0) return typedSql(read, { kind: 'int64' })
      // Exact if the rounded amount reads as the same double.
      const unit = 10 ** type.scale
      const minor = `round(${read} * ${unit})`
      return `CASE WHEN abs(${minor}) <= ${exactMax} AND ${minor} / ${unit} = ${read} THEN CAST(${minor} AS BIGINT) END`
    }
    case 'uuid':
      return `CASE WHEN regexp_full_match(${read}, '(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') THEN ${read} END`
    case 'timestamp':
      return instantSql(read)
    case 'date':
      return `CASE WHEN regexp_full_match(${read}, '\\d{4}-\\d\\d-\\d\\d') THEN TRY_CAST(${read} AS DATE) - DATE '1970-01-01' END`
    default:
      return read
  }
}

function parquet({ query, contract, used, others, source }: Reading): string {
  const wanted = new Set([...used, contract.eventTime])
  const columns = Object.entries(contract.fields)
    .filter(([column]) => wanted.has(column))
    .map(([column, { type }]) => `${storedSql(name(column), type)} AS ${name(column)}`)
  for (const { name: column, type } of others) {
    const stored = places.includes(column) ? name(column) : column.split('.').map(name).join('.')
    columns.push(`${storedSql(stored, type)} AS ${name(column)}`)
  }
  return query.parts.add(
    'typed',
    `SELECT\n  ${list([...columns, ...placeSql(query, contract)])}\nFROM ${fromSql(source)}`,
  )
}
function storedSql(stored: string, type: FieldType): string {
  switch (type.kind) {
    case 'money':
    case 'decimal': {
      const { scale } = type
      return `CAST(CAST(${stored} AS DECIMAL(18, ${scale})) * CAST(${10 ** scale} AS DECIMAL(${scale + 1}, 0)) AS BIGINT)`
    }
    case 'timestamp':
      return `epoch_ms(${stored})`
    case 'date':
      return `CAST(${stored} AS DATE) - DATE '1970-01-01'`
    case 'array': {
      const { of } = type
      if (of.kind !== 'struct') return `list_transform(${stored}, lambda e: {${stored}: ${storedSql('e', of)}})`
      const fields = Object.entries(of.fields)
      const held = fields.map(([field, one]) => `${name(field)}: ${storedSql(`e.${name(field)}`, one.type)}`)
      return `list_transform(${stored}, lambda e: {${held.join(', ')}})`
    }
    default:
      return `CAST(${stored} AS ${heldAs(type)})`
  }
}

function withDefault(column: string, field: Field): string {
  const value = defaultSql(field)
  return value === null ? name(column) : `coalesce(${name(column)}, ${value})`
}
function defaultSql({ default: given, type }: Field): string | null {
  if (given === undefined) return null
  switch (type.kind) {
    case 'int64':
    case 'money':
    case 'decimal': {
      const minor = typeof given === 'number' ? minorFromNumber(given, scaleOf(type)) : 'not-a-number'
      return typeof minor === 'number' ? String(minor) : null
    }
    case 'float64':
      return typeof given === 'number' ? `CAST(${given} AS DOUBLE)` : null
    case 'bool':
      return typeof given === 'boolean' ? String(given) : null
    case 'timestamp':
    case 'date': {
      const time = type.kind === 'date' ? parseDate(String(given)) : parseInstant(String(given))
      return Number.isNaN(time) ? null : String(time)
    }
    case 'struct':
    case 'array':
      return null
    default:
      return text(String(given))
  }
}

function conditionsOf(column: string, field: Field, tellsMissing: boolean): string[] {
  const value = withDefault(column, field)
  const conditions: string[] = []
  if (!field.nullable && value === name(column)) conditions.push(`${value} IS NOT NULL`)
  if (tellsMissing && mayBeMissing(field)) conditions.push(`(${name(column)} IS NOT NULL OR ${raw(column)} IS NULL)`)
  for (const rule of field.rules ?? []) {
    const holds = ruleSql(value, rule, field.type)
    if (holds !== null) conditions.push(field.nullable ? `(${value} IS NULL OR ${holds})` : holds)
  }
  return conditions
}
/** Null where the rule says nothing about values of the type. */
function ruleSql(value: string, rule: Rule, type: FieldType): string | null {
  switch (rule.rule) {
    case 'above':
    case 'at-least': {
      const held = heldAs(type)
      if (held !== 'BIGINT' && held !== 'DOUBLE') return null
      const scale = scaleOf(type)
      const exact = type.kind === 'float64' ? rule.bound : minorFromText(String(rule.bound), scale)
      // A bound finer than the scale still cuts between two of its values.
      const bound = typeof exact === 'number' ? exact : rule.bound * 10 ** scale
      return `${value} ${rule.rule === 'above' ? '>' : '>='} ${bound}`
    }
    case 'one-of':
      if (heldAs(type) !== 'VARCHAR') return null
      return rule.values.length === 0 ? 'false' : `${value} IN (${rule.values.map(text).join(', ')})`
    default:
      return unreachable(rule)
  }
}
