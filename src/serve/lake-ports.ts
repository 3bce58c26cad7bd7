// What serving needs of the lake: reports over it, what rests there, SQL, and how far the live figures agree with it.

/** Batch answers over the log. */
export interface ReportsPort {
  list(): readonly ReportInfo[]
  /** Runs a report of `list()`, over all events or those of [fromMs, toMs). `signal` aborts when the caller has gone or the time limit has passed. */
  run(
    name: string,
    interval: { readonly fromMs: number; readonly toMs: number } | null,
    signal: AbortSignal,
  ): Promise<ReportResult>
  /** What ran, newest first. */
  runs(): readonly ReportRunInfo[]
}
export interface ReportInfo {
  readonly name: string
  readonly doc: string
  readonly period: 'day' | 'week' | 'month' | 'all'
  /** As cron has it, UTC; null: only when asked. */
  readonly schedule: string | null
}
export interface ReportRunInfo {
  readonly report: string
  readonly cause: 'command' | 'api' | 'schedule' | 'backfill'
  readonly from: number | null
  readonly to: number | null
  readonly startedMs: number
  readonly durationMs: number
  /** Null: it failed. */
  readonly rows: number | null
  readonly failure: string | null
}
export interface ReportResult {
  readonly columns: readonly ReportColumn[]
  /** By column name. Money in minor units of its column, times as RFC 3339 or calendar text, as the column says. */
  readonly rows: readonly Readonly<Record<string, string | number | boolean | null>>[]
  /** Records read, and the watermark the answer rests on (null: the input was bounded or empty). */
  readonly records: number
  readonly watermarkMs: number | null
}
export type ReportColumn =
  | { readonly name: string; readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'time' }
  | { readonly name: string; readonly type: 'money'; readonly currency: string; readonly scale: number }

/** What rests in the lake. */
export interface LakePort {
  status(): LakeStatus
  /** Makes one file of many small ones; resolves when it is done. */
  compact(): Promise<{ readonly before: number; readonly after: number }>
}
export interface LakeStatus {
  readonly version: number
  readonly recordsBehind: number
  readonly layers: readonly {
    readonly layer: 'bronze' | 'silver' | 'gold'
    readonly topic: string
    readonly files: number
    readonly rows: number
    readonly bytes: number
    /** Event dates. */
    readonly from: string
    readonly to: string
  }[]
}

/** Questions in SQL, in a process of its own, within limits. */
export interface SqlPort {
  run(sql: string): Promise<SqlAnswer | { readonly refused: string; readonly tooSlow: boolean }>
}
export type SqlValue = string | number | boolean | null | SqlValue[] | { readonly [name: string]: SqlValue }
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly SqlValue[])[]
  readonly truncated: boolean
  readonly durationMs: number
}

/** The live engine's tables held against a batch over the lake. */
export interface ReconciliationPort {
  state(): readonly ReconciledFigure[]
  /** Compares now; resolves when it is done. */
  check(): Promise<readonly ReconciledFigure[]>
}
export interface ReconciledFigure {
  readonly figure: string
  /** `waiting`: no window has closed that both sides know.  */
  readonly state: 'waiting' | 'equal' | 'different' | 'failed'
  readonly checkedMs: number | null
  /** Of the windows that were compared. */
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly rows: number
  readonly differences: number
  /** The first of them: the key, what the engine and what the batch says. */
  readonly examples: readonly { readonly key: string; readonly engine: string | null; readonly batch: string | null }[]
  readonly detail: string
}
