// A table of the serving store: a result topic, each row under its record's key. Made from a Plan or from a contract of
// result records, so that topic and table cannot differ. Data only.
import type { Contract, FieldType } from '../../query/contract.ts'
import type { Output, Plan } from '../../query/plan.ts'
import { assert, unreachable } from '../../std/assert.ts'

/**
 * How a column rests. `minor`: an amount as a whole number at `scale`, exact in both databases, its name ends in `_minor`.
 * `timestamp`: timestamptz in PostgreSQL, ISO-8601 UTC text with milliseconds in SQLite. `json`: jsonb, or text.
 */
export type ServingType =
  | { readonly kind: 'text' | 'integer' | 'real' | 'boolean' | 'json' }
  | { readonly kind: 'minor'; readonly scale: number; readonly currency: string | null }
  | { readonly kind: 'timestamp'; readonly from: 'iso' | 'epoch-seconds' | 'epoch-milliseconds' }

export interface ServingColumn {
  readonly name: string
  /** Of the field in the record. */
  readonly field: string
  readonly type: ServingType
  /** False only where every record has it: a row without it is refused. */
  readonly nullable: boolean
}
export interface ServingTable {
  readonly name: string
  /** The topic whose records it holds: of each key the newest, or all if `appends`. */
  readonly topic: string
  readonly appends: boolean
  /** The column by which people look for the newest rows; null: none. */
  readonly time: string | null
  readonly columns: readonly ServingColumn[]
}

/** Columns that every table has besides its own: the record's key (or place, where rows append), where it lay, what it rests on. */
export const systemColumns = ['_key', '_partition', '_offset', '_evidence'] as const

export function tableOfPlan(plan: Plan): ServingTable {
  const result = plan.nodes.at(-1)
  assert(result !== undefined, `plan ${plan.name} has no nodes`)
  const topic = plan.output.topic ?? plan.name
  const columns = result.columns.map(({ name, type, nullable }) =>
    column(name, type, nullable, timesOf(plan.output.times)),
  )
  if (plan.output.finalColumn !== null) columns.push(plain(plan.output.finalColumn, 'boolean'))
  columns.push(plain('timing', 'text'))
  return table(topic, result.changelog.mode !== 'upsert', columns)
}

export function tableOfContract(contract: Contract): ServingTable {
  const columns = Object.entries(contract.fields).map(([name, { type, nullable }]) =>
    column(name, type, nullable, 'iso'),
  )
  return table(contract.topic, false, columns)
}

/** Names of tables and columns: letters, digits and underscores. */
export function sqlName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}

function table(topic: string, appends: boolean, columns: readonly ServingColumn[]): ServingTable {
  const times = columns.filter(({ type }) => type.kind === 'timestamp').map(({ name }) => name)
  const time = ['window_end', 'updated_at', 'detected_at', 'timestamp'].find((name) => times.includes(name))
  return { name: sqlName(topic), topic, appends, time: time ?? times[0] ?? null, columns }
}

function timesOf(times: Output['times']): 'iso' | 'epoch-seconds' | 'epoch-milliseconds' {
  return times === 'iso-seconds' || times === 'iso-milliseconds' ? 'iso' : times
}

function plain(name: string, kind: 'boolean' | 'text'): ServingColumn {
  return { name: sqlName(name), field: name, type: { kind }, nullable: true }
}

function column(
  field: string,
  type: FieldType,
  nullable: boolean,
  times: 'iso' | 'epoch-seconds' | 'epoch-milliseconds',
): ServingColumn {
  const servingType = servingTypeOf(type, times)
  const name = sqlName(servingType.kind === 'minor' ? `${field}_minor` : field)
  return { name, field, type: servingType, nullable }
}

function servingTypeOf(type: FieldType, times: 'iso' | 'epoch-seconds' | 'epoch-milliseconds'): ServingType {
  switch (type.kind) {
    case 'bool':
      return { kind: 'boolean' }
    case 'int64':
      return { kind: 'integer' }
    case 'float64':
      return { kind: 'real' }
    case 'decimal':
      return { kind: 'minor', scale: type.scale, currency: null }
    case 'money':
      return { kind: 'minor', scale: type.scale, currency: type.currency }
    case 'string':
    case 'uuid':
    case 'bytes':
    case 'date':
      return { kind: 'text' }
    case 'timestamp':
      return { kind: 'timestamp', from: times }
    case 'struct':
    case 'array':
      return { kind: 'json' }
    default:
      return unreachable(type)
  }
}
