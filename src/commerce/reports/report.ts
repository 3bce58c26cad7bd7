// What a report is: a question over the lake as DuckDB SQL, the contract of its rows, and when it is asked by itself.
//
// The SQL is one SELECT. It reads `lake.<layer>_<topic>` (dashes as underscores: lake.silver_online_retail), the columns of
// the topic's contract and `_partition`, `_offset`, `_arrival`. It covers the records of [from, to): the variables
// `getvariable('from_time')` and `getvariable('to_time')`, timestamps in UTC.

export type ReportRow = Readonly<Record<string, string | number | boolean | null>>
export type ReportColumn =
  | { readonly name: string; readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'time' }
  /** Integer minor units of the scale; the SQL gives a DECIMAL. */
  | { readonly name: string; readonly type: 'money'; readonly currency: string; readonly scale: number }

export interface Report {
  readonly name: string
  /** A sentence for people. */
  readonly doc: string
  /** The tables of the lake it reads. */
  readonly reads: readonly { readonly layer: 'bronze' | 'silver' | 'gold'; readonly topic: string }[]
  /** Of the report's rows, in the order of the SQL's columns. */
  readonly columns: readonly ReportColumn[]
  readonly sql: string
  /** A backfill asks for each such period by itself; `all`: only the whole makes sense. */
  readonly period: 'day' | 'week' | 'month' | 'all'
  /** When it runs by itself, as cron has it, UTC; null: only when asked. */
  readonly schedule: string | null
}

/** For the WHERE of a report: event time within what was asked for. */
export const within = (column: string): string =>
  `${column} >= getvariable('from_time') AND ${column} < getvariable('to_time')`

export const money = (name: string, currency: string, scale = 2): ReportColumn => ({
  name,
  type: 'money',
  currency,
  scale,
})
export const text = (name: string): ReportColumn => ({ name, type: 'text' })
export const integer = (name: string): ReportColumn => ({ name, type: 'integer' })
export const number = (name: string): ReportColumn => ({ name, type: 'number' })
