// The query language: typed steps from a contract to a Plan. Row types are inferred to the last column, so a misspelt
// field or a sum over a string does not compile. What comes out is data (`plan.ts`); nothing here runs anything.
import { checkMultiple, checkPositive, checkZone } from './checks.ts'
import type { Contract, FieldType } from './contract.ts'
import { printPlan } from './explain.ts'
import type { Column, Plan, Window } from './plan.ts'
import { PlanError } from './plan.ts'
import type { PathRow, RowOf, TextColumns } from './row-types.ts'
import type { StaticTable, Stream, TopicTable } from './stages.ts'
import { streamOf } from './steps.ts'
import type { Row } from './values.ts'

export type {
  Grouped,
  IntervalJoin,
  LatestJoin,
  StaticTable,
  Stream,
  Table,
  TopicTable,
  TypedPlan,
  Windowed,
} from './stages.ts'

/** What every record has beside its contract's fields: where it lies in the log, and when it came (its Kafka timestamp). */
export interface RecordPlace {
  readonly _partition: { readonly type: { readonly kind: 'int64' }; readonly nullable: false }
  readonly _offset: { readonly type: { readonly kind: 'int64' }; readonly nullable: false }
  readonly _arrival: { readonly type: { readonly kind: 'timestamp' }; readonly nullable: true }
}
const recordPlace: { readonly [name in keyof RecordPlace]: Column } = {
  _partition: { name: '_partition', type: { kind: 'int64' }, nullable: false },
  _offset: { name: '_offset', type: { kind: 'int64' }, nullable: false },
  _arrival: { name: '_arrival', type: { kind: 'timestamp' }, nullable: true },
}

type Beside<C extends Contract> = RecordPlace & PathRow<C['fields']>

/**
 * A query over one topic begins here. `with` names what is wanted of a record beside its fields: fields of its objects by
 * their path (`address.city`), `_partition`, `_offset`, `_arrival` (null in a file).
 */
export function from<C extends Contract, P extends keyof Beside<C> & string = never>(
  source: C,
  more: { readonly with?: readonly P[] } = {},
): Stream<RowOf<C['fields']> & Pick<Beside<C>, P>> {
  // A contract may describe a topic that is only read from outside: its time may be no instant.
  const time = source.fields[source.eventTime]?.type.kind
  if (time !== 'timestamp')
    throw new PlanError(
      source.topic,
      source.eventTime,
      `the event time is ${time === undefined ? 'no field of the contract' : `of type ${time}`}`,
      'A query starts from a topic whose event time is a timestamp',
    )
  const columns: Column[] = Object.entries(source.fields).map(([name, field]) => ({
    name,
    type: field.type,
    nullable: field.nullable,
  }))
  for (const name of new Set(more.with)) {
    if (name in source.fields)
      throw new PlanError(source.topic, name, 'the contract has a field of this name', 'Read the field')
    columns.push(besideColumn(source, name))
  }
  const body = {
    kind: 'source',
    topic: source.topic,
    contractVersion: source.version,
    eventTime: source.eventTime,
    outOfOrderMs: source.outOfOrderMs,
    idleTimeoutMs: source.idleTimeoutMs,
    futureLimitMs: source.futureLimitMs,
  } as const
  const changelog = { mode: 'append' } as const
  const draft = { body, inputs: [], columns, changelog, time: source.eventTime, contract: source }
  return streamOf<RowOf<C['fields']> & Pick<Beside<C>, P>>(draft, {})
}
function besideColumn(source: Contract, name: string): Column {
  const place = Object.values(recordPlace).find((one) => one.name === name)
  if (place !== undefined) return place
  const [object = '', inner = ''] = name.split('.')
  const type = source.fields[object]?.type
  const field = type?.kind === 'struct' ? type.fields[inner] : undefined
  if (field === undefined || name.split('.').length !== 2)
    throw new PlanError(
      source.topic,
      name,
      'it is no field of an object of the contract',
      'Name one as object.field, or _partition, _offset, _arrival',
    )
  return { name, type: field.type, nullable: true }
}

/**
 * A stream as a table for lookups: the newest row of each key, in the order of the log. Its topic is one that is compacted,
 * or could be.
 */
export function newestOf<R extends Row, K extends TextColumns<R>>(
  stream: Stream<R>,
  how: { readonly key: K },
): TopicTable<Omit<R, K>> {
  return { of: stream, key: how.key }
}

/** A small table that is part of the Plan: key (text) to columns. Money and decimals in minor units. */
export function staticTable<const T extends { readonly [column: string]: FieldType }>(table: {
  readonly name: string
  readonly columns: T
  readonly rows: { readonly [key: string]: { readonly [K in keyof T]: string | number | boolean } }
}): StaticTable<{ [K in keyof T & string]: { readonly type: T[K]; readonly nullable: false } }> {
  const columns = Object.entries(table.columns).map(([name, type]) => ({ name, type, nullable: false }))
  const rows = Object.entries(table.rows).map(([key, row]) => {
    const values = columns.map(({ name }) => row[name])
    return {
      key,
      values: values.map((value, i) => {
        if (value !== undefined) return value
        throw new PlanError(
          table.name,
          `row '${key}'`,
          `column '${columns[i]?.name}' has no value`,
          'Give every row every column',
        )
      }),
    }
  })
  rows.sort((a, b) => (a.key < b.key ? -1 : 1))
  return { data: { name: table.name, columns, rows } }
}

// --- windows, and their units of time ---

export const seconds = (count: number): number => count * 1000
export const minutes = (count: number): number => count * 60_000
export const hours = (count: number): number => count * 3_600_000
export const days = (count: number): number => count * 86_400_000

/** `[k * size, (k + 1) * size)`, from the epoch. */
export function tumbling(window: { readonly sizeMs: number }): Window {
  checkPositive('tumbling window', 'sizeMs', window.sizeMs)
  return { kind: 'tumbling', sizeMs: window.sizeMs }
}
/** `[k * slide, k * slide + size)`; the size is a multiple of the slide. */
export function hopping(window: { readonly sizeMs: number; readonly slideMs: number }): Window {
  checkMultiple('hopping window', window.sizeMs, 'slideMs', window.slideMs)
  return { kind: 'hopping', sizeMs: window.sizeMs, slideMs: window.slideMs }
}
/** `[k * size, k * size + j * step)` for j = 1, 2, … up to the size: each period so far. The size is a multiple of the step. */
export function cumulative(window: { readonly sizeMs: number; readonly stepMs: number }): Window {
  checkMultiple('cumulative window', window.sizeMs, 'stepMs', window.stepMs)
  return { kind: 'cumulative', sizeMs: window.sizeMs, stepMs: window.stepMs }
}
/** Records of a group closer than the gap to their neighbours: `[first, last + gap)`. */
export function session(window: { readonly gapMs: number }): Window {
  checkPositive('session window', 'gapMs', window.gapMs)
  return { kind: 'session', gapMs: window.gapMs }
}
/** Civil days, weeks (from Monday) or months of a time zone. */
export function calendar(unit: 'day' | 'week' | 'month', where: { readonly zone: string } = { zone: 'UTC' }): Window {
  checkZone('calendar window', where.zone)
  return { kind: 'calendar', unit, zone: where.zone }
}
export {
  argmax,
  average,
  count,
  countDistinct,
  first,
  last,
  max,
  min,
  quantile,
  ratio,
  sum,
  variance,
} from './aggregates.ts'
export { constant, greatest, least, when } from './choices.ts'

/** The Plan for people: its operators with ids, changelog modes and keys. */
export function explain(plan: Plan): string {
  return printPlan(plan)
}
