// The door of what results rest in: the lake (Parquet files written and read by DuckDB in a process of its own), and the Plan
// as DuckDB SQL, as text.
import type { Plan } from '../query/plan.ts'
import { planSql } from './lake/plan-sql.ts'

export {
  type CompactSettings,
  compact,
  compactDefaults,
  expire,
  type Finding,
  keepAll,
  type LayerTotal,
  type Retention,
  totals,
  verify,
} from './lake/care.ts'
export {
  type ConsoleLimits,
  consoleLimits,
  type Filling,
  openConsole,
  type SqlConsole,
} from './lake/console/console.ts'
export type { ConsoleTable } from './lake/console/guard.ts'
export type { DuckDb, DuckDbSettings, Limits } from './lake/duckdb/duckdb.ts'
export { openDuckDb } from './lake/duckdb/duckdb.ts'
export type { DuckDbRows, DuckDbValue } from './lake/duckdb/duckdb-messages.ts'
export { spoolSql, typedSql } from './lake/files/layer-sql.ts'
export type { LakeFile, Layer, Manifest, OffsetSpan } from './lake/files/manifest.ts'
export { type Spool, SpoolWriter } from './lake/files/spool.ts'
export { type Batch, type Lake, type LakeSettings, type LakeTopic, openLake } from './lake/lake.ts'
export { LakeError, type LakeErrorCode } from './lake/lake-error.ts'
export { type LakeTable, tableName, tableSql, viewsSql } from './lake/tables.ts'

/** Records of a topic. Where it matters which of two came first, it is the one named, or written, first. */
export type LakeFiles = FileRecords | SelectedRecords
export interface FileRecords {
  /**
   * `ndjson`: raw records, one JSON object a line; each is checked against the contract and left out if it breaks it.
   * `parquet`: records that were valid when they were written, one column per field under its own name: text, BOOLEAN,
   * whole numbers, DECIMAL, DOUBLE, DATE, TIMESTAMP (UTC) or TIMESTAMP WITH TIME ZONE.
   */
  readonly format: 'ndjson' | 'parquet'
  /** Paths or globs, at least one. */
  readonly files: readonly string[]
}
export interface SelectedRecords {
  /**
   * `raw`: records as they were received, in the columns of the lake's bronze (`_partition`, `_offset`, `_arrival`, `_value`);
   * each is checked against the contract, its time against its arrival. `rows`: as `parquet`.
   */
  readonly format: 'raw' | 'rows'
  /** What may stand behind FROM. */
  readonly from: string
}

/** By topic. */
export type LakeTopics = ReadonlyMap<string, LakeFiles>

/**
 * One SELECT that gives the Plan's final table over all records of the files: a bounded run, nothing is late. Needs no
 * setting of the session. Columns: those of the Plan's result as VARCHAR, BOOLEAN, BIGINT (sums: HUGEINT), DECIMAL(38,
 * scale), DOUBLE, DATE and TIMESTAMP in UTC; the Plan's final column is true. Ordered by window and group, nulls first.
 * Of variance and quantiles the engine's own tolerance is allowed: here they are exact to a double. Throws a `PlanError` that names what has no DuckDB SQL. What a check of raw records does not see is listed in
 * `lake/source-sql.ts`.
 */
export function duckdbSql(plan: Plan, files: LakeFiles | LakeTopics): string {
  return planSql(plan, files)
}
