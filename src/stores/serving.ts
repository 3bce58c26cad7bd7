// The door of the serving store: where the newest figures rest for everybody's questions. PostgreSQL by its address, else
// SQLite in the house; one schema, one behaviour.
import type { World } from '../world/world.ts'
import { openPostgres } from './serving/postgres-store.ts'
import { openSqlite } from './serving/sqlite-store.ts'
import type { ServingStore } from './serving/store.ts'

export { type Cell, cellsOf } from './serving/cells.ts'
export { schemaMigrations, stepsTo, tablesAfter } from './serving/migrations.ts'
export { schemaSql } from './serving/schema-sql.ts'
export {
  type RowsWanted,
  rowsMax,
  type ServedRow,
  ServingError,
  ServingFenced,
  type ServingStore,
  type SinkBatch,
  type SinkOwner,
  type SinkRow,
} from './serving/store.ts'
export { type ServingColumn, type ServingTable, tableOfContract, tableOfPlan } from './serving/table.ts'

export type ServingPlace =
  /** A path; null: in memory. */
  | { readonly kind: 'sqlite'; readonly path: string | null }
  /** `postgres://…`; `allowUnsynced`: even if it runs without fsync. */
  | { readonly kind: 'postgres'; readonly url: string; readonly allowUnsynced: boolean }

/** Opens the store and brings its schema up to date. Rejects with a `ServingError`; a transient one may be tried again. */
export function openServing(world: World, place: ServingPlace, tell: (line: string) => void): Promise<ServingStore> {
  return place.kind === 'postgres' ? openPostgres(world, place) : openSqlite(world, place.path, tell)
}
