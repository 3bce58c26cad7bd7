// The stages of a query as the compiler sees them: streams of rows and tables of rows by key, each with its steps. Types
// only; `steps.ts` makes them.
import type { CalendarUnit, Output, Plan, TableData, Window } from './plan.ts'
import type {
  AggregatedRow,
  Aggregates,
  Bounds,
  ColumnsOf,
  Derived,
  DerivedRow,
  ElementRow,
  Groupable,
  JoinedRow,
  JoinKeys,
  ListColumns,
  LookedUp,
  Rankable,
  Renamed,
  SameTypes,
  TextColumns,
  UnitedRow,
} from './row-types.ts'
import type { Condition, NumericType, Row, Value } from './values.ts'

export type { CalendarUnit, Window }

/** A Plan that remembers, for the compiler only, which columns its rows have. */
export type TypedPlan<R extends Row> = Plan & { readonly rows?: R }

export interface StaticTable<R extends Row> {
  readonly data: TableData
  readonly row?: R
}
/** A topic as a table: the newest row of each key, as of the moment a record comes by. */
export interface TopicTable<R extends Row> {
  /** The stream it is made of. */
  readonly of: object
  readonly key: string
  readonly row?: R
}
/** Right time in [left time - beforeMs, left time + afterMs]. */
export interface IntervalJoin<O, S> {
  readonly how: 'interval'
  readonly side: S
  readonly on: O
  readonly beforeMs: number
  readonly afterMs: number
}
/** The last right row with right time <= left time, if it is not older than `withinMs`. */
export interface LatestJoin<O, S> {
  readonly how: 'latest'
  readonly side: S
  readonly on: O
  readonly withinMs?: number
}

/** Rows as they come, one by one. */
export interface Stream<R extends Row> {
  /** Adds computed columns. */
  derive<const D extends Derived>(columns: (row: ColumnsOf<R>) => D): Stream<Omit<R, keyof D> & DerivedRow<D>>
  /** Keeps the rows for which the condition is true: neither false nor unknown. */
  filter(condition: (row: ColumnsOf<R>) => Condition): Stream<R>
  /** Puts out only these columns. */
  select<K extends keyof R & string>(...columns: K[]): Stream<Pick<R, K>>
  /** Gives columns other names; the event time keeps its role. */
  rename<const M extends { readonly [K in keyof R & string]?: string }>(names: M): Stream<Renamed<R, M>>
  /**
   * Adds the columns of a static table, or of a topic kept as a table (`newestOf`). Unknown or null keys: dead letter with
   * a reason (static tables), dropped, or nulls. A topic answers with what it said before the record in the order of the
   * log, however times lie: a replay of the log finds the same.
   */
  lookup<T extends Row, U extends 'dead-letter' | 'drop' | 'null'>(
    table: StaticTable<T> | TopicTable<T>,
    how: { readonly by: TextColumns<R>; readonly unknown: U },
  ): Stream<R & LookedUp<T, U>>
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
  /** One row for each element of a list, with the element's fields as columns in place of it. Empty and null: none. */
  unnest<K extends ListColumns<R>>(column: K): Stream<Omit<R, K> & ElementRow<R, K>>
  /** The rows of both, as they come. Columns are those of the first; the other has them all, with the same types. */
  union<T extends SameTypes<R>>(other: Stream<T>): Stream<UnitedRow<R, T>>
  /**
   * Joins with rows whose times are near (`interval`), or each row with the newest right row of its keys at its time
   * (`latest`). A row has the time of its left row. `left`: a left row without a match comes out with nulls, once none can
   * come any more; so does, of `latest`, every row. A null key joins nothing. Columns that both sides have must be joined on.
   */
  join<T extends Row, const O extends JoinKeys<R, T>, S extends 'inner' | 'left'>(
    right: Stream<T>,
    how: IntervalJoin<O, S> | LatestJoin<O, S>,
  ): Stream<JoinedRow<R, T, S>>
  window(window: Window): Windowed<R, never>
  /** One running row per group, without a window: it comes out as it changes, and holds all rows so far. */
  groupBy<K extends Groupable<R>>(...columns: K[]): Grouped<R, K>
  /** One running row of all rows so far. */
  aggregate<const A extends Aggregates>(aggregates: (row: ColumnsOf<R>) => A): Table<AggregatedRow<A>>
  /**
   * Each row with aggregates of the rows that have its values in `by`, over (t - range, t] of its time t: rows of the same
   * time count. A row comes out once, in the order of time, when the lateness is over and nothing can change it.
   */
  over<const A extends Aggregates>(
    how: { readonly by: readonly Groupable<R>[]; readonly rangeMs: number },
    aggregates: (row: ColumnsOf<R>) => A,
  ): Stream<R & AggregatedRow<A>>
  /**
   * Each row with the sum of a value over all rows so far that have its values in `by`, each worth half as much per
   * half-life since: in units (not minor ones), as float64 within 10^-12 of what is left of the values. A key that is
   * silent for 64 half-lives starts anew. Comes out as rows of `over` do.
   */
  decayedSum<const C extends string>(
    name: C,
    how: {
      readonly by: readonly Groupable<R>[]
      readonly of: (row: ColumnsOf<R>) => Value<NumericType>
      readonly halfLifeMs: number
    },
  ): Stream<R & { readonly [K in C]: { readonly type: { readonly kind: 'float64' }; readonly nullable: false } }>
  /**
   * Keeps the first rows, of all or of each part (`within`), greatest first unless told otherwise. `key` tells rows apart:
   * of two with one key the first counts; the contract's identity unless told otherwise.
   */
  top(how: {
    readonly rows: number
    readonly by: Rankable<R> | readonly { readonly column: Rankable<R>; readonly descending: boolean }[]
    readonly within?: readonly Groupable<R>[]
    readonly key?: readonly Groupable<R>[]
  }): Table<R>
  /** How long rows may be late and still be joined. Default 0. */
  lateness(latenessMs: number): Stream<R>
  /** What comes out, and how: where it goes and how times are written. */
  output(output: Partial<Output>): Stream<R>
  /** The end: a Plan that puts out every row (append). */
  named(name: string): TypedPlan<R>
}

export interface Grouped<R extends Row, G extends string> {
  aggregate<const A extends Aggregates>(
    aggregates: (row: ColumnsOf<R>) => A,
  ): Table<{ [K in G]: K extends keyof R ? R[K] : never } & AggregatedRow<A>>
}
export interface Windowed<R extends Row, G extends string> {
  /** One row per window and group; null is a group of its own. */
  groupBy<K extends Groupable<R>>(...columns: K[]): Windowed<R, K>
  aggregate<const A extends Aggregates>(
    aggregates: (row: ColumnsOf<R>) => A,
  ): Table<Bounds & { [K in G]: K extends keyof R ? R[K] : never } & AggregatedRow<A>>
}

/** Rows by key, replaced as they change: of a window, window_start, window_end, groups, aggregates. */
export interface Table<R extends Row> {
  derive<const D extends Derived>(columns: (row: ColumnsOf<R>) => D): Table<Omit<R, keyof D> & DerivedRow<D>>
  /** Keeps the rows for which the condition is true; one for which it is true no more is taken back. */
  filter(condition: (row: ColumnsOf<R>) => Condition): Table<R>
  /** Puts out only these columns; those of the key among them. */
  select<K extends keyof R & string>(...columns: K[]): Table<Pick<R, K>>
  rename<const M extends { readonly [K in keyof R & string]?: string }>(names: M): Table<Renamed<R, M>>
  lookup<T extends Row, U extends 'drop' | 'null'>(
    table: StaticTable<T>,
    how: { readonly by: TextColumns<R>; readonly unknown: U },
  ): Table<R & LookedUp<T, U>>
  /** Joins rows of one window: of the same window_start and window_end, and the same keys. */
  join<T extends Row, const O extends JoinKeys<R, T>, S extends 'inner' | 'left'>(
    right: Table<T>,
    how: { readonly side: S; readonly on: O },
  ): Table<JoinedRow<R, T, S>>
  /** One running row per group of the rows as they stand. */
  groupBy<K extends Groupable<R>>(...columns: K[]): Grouped<R, K>
  aggregate<const A extends Aggregates>(aggregates: (row: ColumnsOf<R>) => A): Table<AggregatedRow<A>>
  /** A window over a window's rows. The time of such a row is the last millisecond of its window. */
  window(window: Window): Windowed<R, never>
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
