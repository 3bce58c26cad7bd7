// The door of what results rest in. So far: the Plan as DuckDB SQL over files, as text; who runs it does the I/O.
import type { Plan } from '../query/plan.ts'
import { planSql } from './lake/plan-sql.ts'

/** Files with the records of a topic. Where it matters which of two came first, it is the one named, or written, first. */
export interface LakeFiles {
  /**
   * `ndjson`: raw records, one JSON object a line; each is checked against the contract and left out if it breaks it.
   * `parquet`: records that were valid when they were written, one column per field under its own name: text, BOOLEAN,
   * whole numbers, DECIMAL, DOUBLE, DATE, TIMESTAMP (UTC) or TIMESTAMP WITH TIME ZONE.
   */
  readonly format: 'ndjson' | 'parquet'
  /** Paths or globs, at least one. */
  readonly files: readonly string[]
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
