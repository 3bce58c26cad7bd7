// The query language: typed steps from a contract to a Plan. Row types are inferred to the last column, so a misspelt
// field or a sum over a string does not compile. What comes out is data (`plan.ts`); nothing here runs anything.
import { type Draft, finishPlan, type PlanSettings } from './build.ts'
import { checkMultiple, checkPositive, checkZone } from './checks.ts'
import type { Contract, Fields, FieldType } from './contract.ts'
import { printPlan } from './explain.ts'
import type { Column, Emit, Output, Plan, TableData, Window } from './plan.ts'
import { PlanError } from './plan.ts'
import { type Aggregate, type Condition, columnValues, type Of, type Row, type Value } from './values.ts'

/** A Plan that remembers, for the compiler only, which columns its rows have. */
export type TypedPlan<R extends Row> = Plan & { readonly rows?: R }

type RowOf<F extends Fields> = {
  [K in keyof F & string]: { readonly type: F[K]['type']; readonly nullable: F[K]['nullable'] }
}
type ColumnsOf<R extends Row> = { readonly [K in keyof R & string]: Of<R[K]['type'], R[K]['nullable']> }
type DerivedRow<D extends Derived> = {
  [K in keyof D & string]: { readonly type: D[K]['type']; readonly nullable: D[K]['nullable'] }
}
type Derived = { readonly [name: string]: Value }
type Aggregates = { readonly [name: string]: Aggregate }
type AggregatedRow<A extends Aggregates> = {
  [K in keyof A & string]: { readonly type: A[K]['type']; readonly nullable: A[K]['nullable'] }
}
type Bounds = {
  window_start: { readonly type: { readonly kind: 'timestamp' }; readonly nullable: false }
  window_end: { readonly type: { readonly kind: 'timestamp' }; readonly nullable: false }
}
/** Columns a window can be grouped by. */
type GroupableKind = 'string' | 'uuid' | 'int64' | 'bool' | 'money' | 'decimal' | 'timestamp' | 'date'
type Groupable<R extends Row> = {
  [K in keyof R & string]: R[K]['type']['kind'] extends GroupableKind ? K : never
}[keyof R & string]

/** Rows as they come, one by one. */
export interface Stream<R extends Row> {
  /** Adds computed columns. */
  derive<const D extends Derived>(columns: (row: ColumnsOf<R>) => D): Stream<Omit<R, keyof D> & DerivedRow<D>>
  /** Keeps the rows for which the condition is true: neither false nor unknown. */
  filter(condition: (row: ColumnsOf<R>) => Condition): Stream<R>
  /** Puts out only these columns. */
  select<K extends keyof R & string>(...columns: K[]): Stream<Pick<R, K>>
  /** Adds the columns of a static table. Unknown or null keys: dead letter with a reason, dropped, or nulls. */
  lookup<T extends Row, U extends 'dead-letter' | 'drop' | 'null'>(
    table: StaticTable<T>,
    how: { readonly by: TextColumns<R>; readonly unknown: U },
  ): Stream<
    R & {
      [K in keyof T]: { readonly type: T[K]['type']; readonly nullable: U extends 'null' ? true : T[K]['nullable'] }
    }
  >
  /**
   * Drops records whose identity came before, over all partitions of the topic; the ledger counts them as duplicates. An
   * identity is remembered for `horizonMs` of event time, as long as `horizonBytesMax` (64 MiB by default; 40 bytes
   * hold one at most) has room for it. A record with a null in its identity is nobody's duplicate.
   */
  deduplicate(how: {
    readonly identity: readonly [Groupable<R>, ...Groupable<R>[]]
    readonly horizonMs: number
    readonly horizonBytesMax?: number
  }): Stream<R>
  window(window: Window): Windowed<R, never>
  /** What comes out, and how: where it goes and how times are written. */
  output(output: Partial<Output>): Stream<R>
  /** The end: a Plan that puts out every row (append). */
  named(name: string): TypedPlan<R>
}
type TextColumns<R extends Row> = {
  [K in keyof R & string]: R[K]['type']['kind'] extends 'string' | 'uuid' ? K : never
}[keyof R & string]

export interface Windowed<R extends Row, G extends string> {
  /** One row per window and group; null is a group of its own. */
  groupBy<K extends Groupable<R>>(...columns: K[]): Windowed<R, K>
  aggregate<const A extends Aggregates>(
    aggregates: (row: ColumnsOf<R>) => A,
  ): Table<Bounds & { [K in G]: K extends keyof R ? R[K] : never } & AggregatedRow<A>>
}

type Rankable<R extends Row> = {
  [K in keyof R & string]: R[K]['type']['kind'] extends GroupableKind | 'float64' ? K : never
}[keyof R & string]

/** Rows by key, replaced as they change: window_start, window_end, groups, aggregates. */
export interface Table<R extends Row> {
  /**
   * Keeps the first rows of each window, or of each window and part of it (`within`: columns it is grouped by), greatest
   * first unless told otherwise. Nulls come last; ties go by group key, text in the order of its UTF-8 bytes. A row that
   * late records push out is taken back.
   */
  top(how: {
    readonly rows: number
    readonly by: Rankable<R> | readonly { readonly column: Rankable<R>; readonly descending: boolean }[]
    readonly within?: readonly Groupable<R>[]
  }): Table<R>
  /** When rows become due; the default is once, when the window closes. */
  emit(emit: 'on-close' | 'on-change' | { readonly everyMs: number }): Table<R>
  /** How long a closed window still takes late records in, as corrections. Default 0. */
  lateness(latenessMs: number): Table<R>
  output(output: Partial<Output>): Table<R>
  named(name: string): TypedPlan<R>
}

export interface StaticTable<R extends Row> {
  readonly data: TableData
  readonly row?: R
}

/** A query over one topic begins here. */
export function from<C extends Contract>(source: C): Stream<RowOf<C['fields']>> {
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
  return stream<RowOf<C['fields']>>({ contract: source, steps: [], columns }, {})
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
/** What a deduplication may hold unless told otherwise. */
const HORIZON_BYTES_MAX = 64 * 2 ** 20

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

// --- the steps: each returns a new one; drafts are shared, never changed ---

function stream<R extends Row>(draft: Draft, settings: PlanSettings): Stream<R> {
  const row = (): ColumnsOf<R> => columnValues<ColumnsOf<R>>(draft.columns)
  const next = <N extends Row>(step: Draft['steps'][number], columns: readonly Column[]): Stream<N> =>
    stream<N>({ ...draft, steps: [...draft.steps, { ...step, columns }], columns }, settings)
  return {
    derive(make) {
      const derived = Object.entries(make(row()))
      const added = derived.map(([name, value]) => ({ name, type: value.type, nullable: value.nullable }))
      const derive = derived.map(([name, value]) => ({ name, value: value.expression }))
      const kept = draft.columns.filter((column) => !added.some((other) => other.name === column.name))
      return next({ body: { kind: 'project', keep: 'all', derive }, columns: [] }, [...kept, ...added])
    },
    filter: (make) => next({ body: { kind: 'filter', condition: make(row()).expression }, columns: [] }, draft.columns),
    select(...names) {
      const kept = names.map((name) => columnNamed(draft, name))
      const derive = kept.map(({ name, type }) => ({ name, value: { op: 'column', name, type } as const }))
      return next({ body: { kind: 'project', keep: 'none', derive }, columns: [] }, kept)
    },
    lookup(table, how) {
      const added = table.data.columns.map((column) => ({
        ...column,
        nullable: column.nullable || how.unknown === 'null',
      }))
      const clash = added.find((column) => draft.columns.some((other) => other.name === column.name))
      if (clash)
        throw new PlanError(
          draft.contract.topic,
          `lookup '${table.data.name}'`,
          `column '${clash.name}' is there already`,
          'Rename it in the table',
        )
      return next({ body: { kind: 'lookup', table: table.data, by: how.by, unknown: how.unknown }, columns: [] }, [
        ...draft.columns,
        ...added,
      ])
    },
    deduplicate(how) {
      const { horizonMs, horizonBytesMax = HORIZON_BYTES_MAX } = how
      checkPositive('deduplicate', 'horizonMs', horizonMs)
      checkPositive('deduplicate', 'horizonBytesMax', horizonBytesMax, 'bytes')
      const identity = how.identity.map((name) => columnNamed(draft, name).name)
      return next({ body: { kind: 'deduplicate', identity, horizonMs, horizonBytesMax }, columns: [] }, draft.columns)
    },
    window: (window) => windowed<R, never>(draft, settings, window, []),
    output: (output) => stream<R>(draft, { ...settings, output: { ...settings.output, ...output } }),
    named: (name) => finishPlan(name, draft, settings),
  }
}

function windowed<R extends Row, G extends string>(
  draft: Draft,
  settings: PlanSettings,
  window: Window,
  groups: readonly string[],
): Windowed<R, G> {
  return {
    groupBy: (...names) => windowed(draft, settings, window, names),
    aggregate(make) {
      const made = Object.entries(make(columnValues<ColumnsOf<R>>(draft.columns)))
      const columns: Column[] = [
        { name: 'window_start', type: { kind: 'timestamp' }, nullable: false },
        { name: 'window_end', type: { kind: 'timestamp' }, nullable: false },
        ...groups.map((name) => columnNamed(draft, name)),
        ...made.map(([name, aggregate]) => ({ name, type: aggregate.type, nullable: aggregate.nullable })),
      ]
      const double = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) !== i)
      if (double)
        throw new PlanError(draft.contract.topic, 'aggregate', `two columns are named '${double.name}'`, 'Rename one')
      const aggregates = made.map(([name, aggregate]) => ({ name, aggregate: aggregate.aggregation }))
      const body = { kind: 'window-aggregate', window, groups, aggregates } as const
      return table({ ...draft, steps: [...draft.steps, { body, columns }], columns }, settings)
    },
  }
}

function table<R extends Row>(draft: Draft, settings: PlanSettings): Table<R> {
  return {
    top(how) {
      checkPositive('top', 'rows', how.rows, 'rows')
      const by = typeof how.by === 'string' ? [{ column: how.by, descending: true }] : how.by
      for (const { column } of by) columnNamed(draft, column)
      const within = ['window_start', 'window_end', ...(how.within ?? []).map((name) => columnNamed(draft, name).name)]
      const body = { kind: 'top', rows: how.rows, within, by } as const
      return table({ ...draft, steps: [...draft.steps, { body, columns: draft.columns }] }, settings)
    },
    emit(how) {
      const emit: Emit = typeof how === 'string' ? { mode: how } : { mode: 'interval', everyMs: how.everyMs }
      if (emit.mode === 'interval') checkPositive('emit', 'everyMs', emit.everyMs)
      return table<R>(draft, { ...settings, emit })
    },
    lateness(latenessMs) {
      if (!(Number.isSafeInteger(latenessMs) && latenessMs >= 0))
        throw new PlanError(
          draft.contract.topic,
          'lateness',
          `${latenessMs} is no time`,
          'Use whole milliseconds, 0 or more',
        )
      return table<R>(draft, { ...settings, latenessMs })
    },
    output: (output) => table<R>(draft, { ...settings, output: { ...settings.output, ...output } }),
    named: (name) => finishPlan(name, draft, settings),
  }
}

function columnNamed(draft: Draft, name: string): Column {
  const column = draft.columns.find((one) => one.name === name)
  if (column) return column
  const known = draft.columns.map((one) => one.name).join(', ')
  throw new PlanError(draft.contract.topic, `column '${name}'`, 'there is no such column', `There are: ${known}`)
}
