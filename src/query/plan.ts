// The Plan: a query as frozen, versioned, JSON-safe data that three engines can run. Second door of `query/`, for those
// who run or print Plans; `query.ts` is for those who write them. Changing the form needs a new `version`.
//
// A Plan is a list of nodes, inputs before their users; the last one is the result. Everything semantics needs later is
// in the form already: an engine that cannot run a node kind must refuse it by name (`PlanError`), never skip it.
import { unreachable } from '../std/assert.ts'
import type { Contract, FieldType } from './contract.ts'

/** Of the form of Plans. */
export const planVersion = 1

/** Hash of the canonical sub-plan: 16 hex digits. Two nodes with the same id keep the same state. */
export type OperatorId = string

export interface Plan {
  readonly version: typeof planVersion
  readonly name: string
  /** Contracts of the sources by topic, whole: the decoder validates every field, not only the used ones. */
  readonly contracts: { readonly [topic: string]: Contract }
  readonly nodes: readonly PlanNode[]
  readonly emit: Emit
  /** How long after a window closed late records still correct it. Beyond: `<topic>.late`. */
  readonly latenessMs: number
  readonly output: Output
}

export interface Column {
  readonly name: string
  readonly type: FieldType
  readonly nullable: boolean
}

/** When rows of a window become due. Every mode also gives the final row when the window closes. */
export type Emit =
  | { readonly mode: 'on-close' }
  /** Running rows at recorded interval ticks. */
  | { readonly mode: 'interval'; readonly everyMs: number }
  /** Running rows of what changed, at every recorded tick. */
  | { readonly mode: 'on-change' }

export interface Output {
  /** Where result rows go; null: the plan's name. */
  readonly topic: string | null
  /** How `timestamp` columns are written. */
  readonly times: 'iso-seconds' | 'iso-milliseconds' | 'epoch-seconds' | 'epoch-milliseconds'
  /** Name of a boolean column that tells a final row from a running one; null: none. */
  readonly finalColumn: string | null
  /** Of rows that append: the text column that is the record's key. If not given they have none. */
  readonly key?: string
  /**
   * Name of a timestamp column that tells when the row was written, by the clock of whoever writes it: the one column that
   * two engines, or two runs, do not share. If not given there is none.
   */
  readonly writtenAtColumn?: string
}

export type Changelog =
  | { readonly mode: 'append' }
  | { readonly mode: 'upsert'; readonly key: readonly string[] }
  /** Batches carry weights +1 and -1. */
  | { readonly mode: 'retract' }

/** What every node carries (semantics §4). */
export interface NodeTraits {
  readonly id: OperatorId
  readonly inputs: readonly OperatorId[]
  readonly columns: readonly Column[]
  readonly changelog: Changelog
  /** The column that carries event time; null: the node's rows have none. */
  readonly time: string | null
  /** The order of input it needs: none, each partition's own, or one order over all partitions. */
  readonly order: 'none' | 'partition' | 'total'
  /** Do partial results of several threads merge? If not: an exchange by key, or one thread. */
  readonly merges: boolean
  /** Which offsets lead back to the records behind a row. */
  readonly evidence: 'record' | 'partition-and-pane'
}

export type PlanNode = NodeTraits & NodeBody
export type NodeBody =
  | SourceBody
  | ProjectBody
  | FilterBody
  | LookupBody
  | UnnestBody
  | DeduplicateBody
  | UnionBody
  | WindowAggregateBody
  | RunningAggregateBody
  | OverBody
  | TopBody
  | JoinBody
  | DecayedSumBody
  | PatternBody
export type NodeKind = NodeBody['kind']

export interface SourceBody {
  readonly kind: 'source'
  readonly topic: string
  /** Version of the contract the plan was written against. */
  readonly contractVersion: number
  readonly eventTime: string
  readonly outOfOrderMs: number
  readonly idleTimeoutMs: number
  readonly futureLimitMs: number
}
/** Adds computed columns to those of its input (`keep: 'all'`) or puts out these only. */
export interface ProjectBody {
  readonly kind: 'project'
  readonly keep: 'all' | 'none'
  readonly derive: readonly { readonly name: string; readonly value: Expression }[]
}
/** Keeps the rows for which the condition is true: neither false nor unknown. */
export interface FilterBody {
  readonly kind: 'filter'
  readonly condition: Expression
}
/** Adds the columns of a table by key. Unknown keys: dead letter with a reason, dropped, or nulls. */
export interface LookupBody {
  readonly kind: 'lookup'
  readonly table: TableData | FreshTable
  readonly by: string
  readonly unknown: 'dead-letter' | 'drop' | 'null'
}
/** The newest row per key of the second input, in the order of the log: a topic that is compacted, or could be. */
export interface FreshTable {
  /** The topic, for people. */
  readonly compacted: string
  readonly key: string
  /** Added to the row. */
  readonly columns: readonly Column[]
}
export interface TableData {
  readonly name: string
  readonly columns: readonly Column[]
  /** Sorted by key (UTF-8 bytes); values in the order of `columns`, money in minor units. */
  readonly rows: readonly { readonly key: string; readonly values: readonly (string | number | boolean | null)[] }[]
}
/**
 * A row for each element of a list, in its order; none of an empty or null list. The list's column is gone; fields of the
 * element are columns under their own names, plain values one column under the list's name. Time, key and record of a row
 * are those of the row it was in.
 */
export interface UnnestBody {
  readonly kind: 'unnest'
  readonly array: string
}
/** Drops rows whose identity came before, over all partitions; a null in it makes a row nobody's duplicate. */
export interface DeduplicateBody {
  readonly kind: 'deduplicate'
  readonly identity: readonly string[]
  readonly horizonMs: number
  readonly horizonBytesMax: number
}
/**
 * The rows of two inputs as they come: columns of the first, found in the other by name, of the same types. Each row is
 * late by the watermark of its own partition; time goes on with the slower of the two.
 */
export interface UnionBody {
  readonly kind: 'union'
}

export type Window =
  | { readonly kind: 'tumbling'; readonly sizeMs: number }
  | { readonly kind: 'hopping'; readonly sizeMs: number; readonly slideMs: number }
  /** From the start of each `sizeMs`, to every step in it. */
  | { readonly kind: 'cumulative'; readonly sizeMs: number; readonly stepMs: number }
  /** Per group: [first, last + gap). */
  | { readonly kind: 'session'; readonly gapMs: number }
  /** Civil days, weeks (from Monday) or months in a zone of the IANA database. */
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit; readonly zone: string }
export type CalendarUnit = 'day' | 'week' | 'month'

/**
 * One row per window and group that holds a record; columns: window_start, window_end, groups, aggregates. The event time of
 * such a row is window_end - 1 ms, the last instant of its window: so an hour of minutes holds sixty of them. Over rows that
 * change (another window's) it is what the rows that stand now come to.
 */
export interface WindowAggregateBody {
  readonly kind: 'window-aggregate'
  readonly window: Window
  readonly groups: readonly string[]
  readonly aggregates: readonly NamedAggregate[]
}
export interface RunningAggregateBody {
  readonly kind: 'running-aggregate'
  readonly groups: readonly string[]
  readonly aggregates: readonly NamedAggregate[]
}
/** Range aggregate per key at each record, bounds (t - range, t]. */
export interface OverBody {
  readonly kind: 'over'
  readonly keys: readonly string[]
  readonly rangeMs: number
  readonly aggregates: readonly NamedAggregate[]
}
/** The first rows per window and part of it (`within`). Nulls last; ties by the rest of the key, text in UTF-8 order. */
export interface TopBody {
  readonly kind: 'top'
  readonly rows: number
  readonly within: readonly string[]
  readonly by: readonly { readonly column: string; readonly descending: boolean }[]
}
/**
 * Rows of the first input (left) with rows of the second whose `on` columns are equal; a null is equal to nothing. Columns:
 * the left's, then those of the right that the left does not have (a name that both have is joined on, or a window's
 * bound). `left`: a left row without a match comes out once, with nulls.
 *
 * - `interval`: right time in [left time - beforeMs, left time + afterMs]; every pair. Append.
 * - `latest`: the right row with the greatest time <= left time (ties: the last by partition and offset), if that is not
 *   older than `beforeMs` (0: however old). Comes out once no such row can come any more. Append.
 * - `window`: rows of two tables with equal window_start and window_end. Upsert by the keys of both.
 *
 * The event time of a result is that of its left row. Records that are later than the Plan's lateness meet nothing.
 */
export interface JoinBody {
  readonly kind: 'join'
  readonly how: 'interval' | 'window' | 'latest'
  readonly side: 'inner' | 'left'
  readonly on: readonly { readonly left: string; readonly right: string }[]
  readonly beforeMs: number
  readonly afterMs: number
}
export interface DecayedSumBody {
  readonly kind: 'decayed-sum'
  readonly keys: readonly string[]
  readonly value: Expression
  readonly halfLifeMs: number
}
export interface PatternBody {
  readonly kind: 'pattern'
  readonly keys: readonly string[]
  readonly withinMs: number
  readonly steps: readonly { readonly name: string; readonly condition: Expression }[]
}

export interface NamedAggregate {
  readonly name: string
  readonly aggregate: Aggregation
}
/** Aggregates skip nulls; `where` keeps only rows for which it is true. */
export type Aggregation =
  | { readonly function: 'count'; readonly of: Expression | null; readonly where: Expression | null }
  | {
      readonly function: 'sum' | 'min' | 'max' | 'count-distinct'
      readonly of: Expression
      readonly where: Expression | null
    }
  /** numerator / denominator rounded once to `scale` decimals, half away from zero; null where the denominator is 0. */
  | {
      readonly function: 'ratio'
      readonly numerator: Aggregation
      readonly denominator: Aggregation
      readonly scale: number
      readonly type: FieldType
    }
  | {
      readonly function: 'first' | 'last' | 'variance'
      readonly of: Expression
      readonly where: Expression | null
    }
  | {
      readonly function: 'quantile'
      readonly of: Expression
      readonly fraction: number
      readonly where: Expression | null
    }
  | {
      readonly function: 'argmax'
      readonly of: Expression
      readonly by: Expression
      readonly where: Expression | null
    }

export const timeParts = [
  'year',
  'month',
  'day',
  /** From 1. */
  'day-of-year',
  /** Monday is 1, Sunday 7. */
  'day-of-week',
  'hour',
  'minute',
  'second',
  /** From Monday's first, 0 to 167. */
  'hour-of-week',
] as const
export type TimePart = (typeof timeParts)[number]

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='
/** Three-valued as in SQL. Exact arithmetic: integers at the type's scale; overflow of 2^53 is an error of the record. */
export type Expression =
  | { readonly op: 'column'; readonly name: string; readonly type: FieldType }
  /** Money and decimals in minor units, timestamps in ms. */
  | { readonly op: 'literal'; readonly value: string | number | boolean | null; readonly type: FieldType }
  | {
      readonly op: 'plus' | 'minus' | 'times'
      readonly left: Expression
      readonly right: Expression
      readonly type: FieldType
    }
  | { readonly op: 'compare'; readonly by: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'not' | 'is-null'; readonly of: Expression }
  /** The value of the first branch whose condition is true, or `otherwise`; what is not taken is not judged. */
  | {
      readonly op: 'when'
      readonly branches: readonly { readonly condition: Expression; readonly value: Expression }[]
      readonly otherwise: Expression
      readonly type: FieldType
    }
  /** `coalesce`: the first that is not null. `least`, `greatest`: null if any is. */
  | { readonly op: 'coalesce' | 'least' | 'greatest'; readonly of: readonly Expression[]; readonly type: FieldType }
  | { readonly op: 'absolute'; readonly of: Expression; readonly type: FieldType }
  /** What dividing exact numbers of one scale leaves, with the sign of the dividend; null where the divisor is 0. */
  | { readonly op: 'modulo'; readonly left: Expression; readonly right: Expression; readonly type: FieldType }
  /** Of exact numbers: rounded once to the type's scale, half away from zero; null where the divisor is 0. */
  | { readonly op: 'ratio'; readonly left: Expression; readonly right: Expression; readonly type: FieldType }
  /** Of floats; null where the divisor is 0. */
  | { readonly op: 'divide'; readonly left: Expression; readonly right: Expression; readonly type: FieldType }
  /** An exact number as a float, in units (not minor ones). */
  | { readonly op: 'to-float'; readonly of: Expression; readonly type: FieldType }
  /** Of floats: null where there is none (`ln` of 0 and below, `sqrt` below 0). Equal between engines to a bit or two. */
  | { readonly op: 'ln' | 'sqrt' | 'exp'; readonly of: Expression; readonly type: FieldType }
  /** Of an instant in a zone, or of a date. */
  | { readonly op: 'time-part'; readonly part: TimePart; readonly of: Expression; readonly zone: string }
  | { readonly op: 'starts-with'; readonly of: Expression; readonly prefix: string }
  | { readonly op: 'one-of'; readonly of: Expression; readonly values: readonly (string | number)[] }

export function typeOf(expression: Expression): FieldType {
  switch (expression.op) {
    case 'column':
    case 'literal':
    case 'plus':
    case 'minus':
    case 'times':
    case 'when':
    case 'coalesce':
    case 'least':
    case 'greatest':
    case 'absolute':
    case 'modulo':
    case 'ratio':
    case 'divide':
    case 'to-float':
    case 'ln':
    case 'sqrt':
    case 'exp':
      return expression.type
    case 'time-part':
      return { kind: 'int64' }
    case 'compare':
    case 'and':
    case 'or':
    case 'not':
    case 'is-null':
    case 'starts-with':
    case 'one-of':
      return { kind: 'bool' }
    default:
      return unreachable(expression)
  }
}
/** The expressions an expression is made of. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'column':
    case 'literal':
      return []
    case 'plus':
    case 'minus':
    case 'times':
    case 'compare':
    case 'and':
    case 'or':
    case 'modulo':
    case 'ratio':
    case 'divide':
      return [expression.left, expression.right]
    case 'when':
      return [...expression.branches.flatMap(({ condition, value }) => [condition, value]), expression.otherwise]
    case 'coalesce':
    case 'least':
    case 'greatest':
      return expression.of
    default:
      return [expression.of]
  }
}
/** May the expression be null for some row whose columns are these? */
export function isNullable(expression: Expression, columns: readonly Column[]): boolean {
  const anyOf = (parts: readonly Expression[]): boolean => parts.some((part) => isNullable(part, columns))
  switch (expression.op) {
    case 'column':
      return columns.find((column) => column.name === expression.name)?.nullable ?? true
    case 'literal':
      return expression.value === null
    case 'plus':
    case 'minus':
    case 'times':
    case 'least':
    case 'greatest':
    case 'absolute':
    case 'to-float':
    case 'exp':
    case 'time-part':
      return anyOf(partsOf(expression))
    case 'when':
      return anyOf([...expression.branches.map(({ value }) => value), expression.otherwise])
    case 'coalesce':
      return expression.of.every((part) => isNullable(part, columns))
    default:
      return true
  }
}

/** A Plan that cannot be written, or cannot be run here. */
export class PlanError extends Error {
  override name = 'PlanError'
  readonly plan: string
  /** The node or column at fault. */
  readonly at: string
  readonly cure: string
  constructor(plan: string, at: string, what: string, cure: string) {
    super(`plan '${plan}', ${at}: ${what}. ${cure}`)
    this.plan = plan
    this.at = at
    this.cure = cure
  }
}
