// PostgreSQL as the serving store: batches by `unnest`, one round trip a table and transaction; it may restart at any time.
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import type { World } from '../../world/world.ts'
import type { Cell } from './cells.ts'
import { columnTypeText, type ServingDb } from './ddl.ts'
import { advance, clear, countsOf, migrate, rowsOf, takeOver } from './kysely-store.ts'
import { ServingError, ServingFenced, type ServingStore, type SinkBatch } from './store.ts'
import type { ServingTable, ServingType } from './table.ts'

export interface PostgresSettings {
  /** `postgres://user:password@host:port/database`. Never printed. */
  readonly url: string
  /** Take one that does not sync its commits. */
  readonly allowUnsynced: boolean
}
const connectionsMax = 4
const connectMsMax = 5_000
const statementMsMax = 60_000

/** Rejects with a `ServingError`: transient while the database cannot be reached. */
export async function openPostgres(world: World, settings: PostgresSettings): Promise<ServingStore> {
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: connectionsMax,
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
    application_name: 'millrace',
    options: '-c timezone=UTC',
  })
  // Connections that the server closes: the call that has one is told, the next one makes another.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const db = new Kysely<ServingDb>({ dialect: new PostgresDialect({ pool }) })
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw errorOf(error)
    })
  try {
    const { rows } = await told(sql<{ fsync: string }>`show fsync`.execute(db))
    if (rows[0]?.fsync === 'off' && !settings.allowUnsynced) {
      throw new ServingError(
        'PostgreSQL runs with fsync = off: a power cut could lose what it has said to have. Set fsync = on, ' +
          'or MILLRACE_SERVING_ALLOW_UNSYNCED=true to take it as it is',
        { isTransient: false },
      )
    }
    await told(migrate(db, 'postgres'))
  } catch (error) {
    await db.destroy()
    throw error
  }
  void world
  return {
    kind: 'postgres',
    takeOver: (table, topicId) => told(takeOver(db, table, topicId)),
    apply: (batch) =>
      told(
        db.transaction().execute(async (tx) => {
          await advance(tx, batch)
          await write(tx, batch)
        }),
      ),
    rows: (wanted) => told(rowsOf(db, wanted)),
    counts: (tables) => told(countsOf(db, tables)),
    clear: (table) => told(clear(db, table)),
    close: () => db.destroy(),
  }
}

/** How a column's cells travel: arrays of text are cast on the other side. */
function arrayTypeOf(type: ServingType): string {
  switch (type.kind) {
    case 'integer':
    case 'minor':
      return 'bigint'
    case 'real':
      return 'double precision'
    case 'boolean':
      return 'boolean'
    default:
      return 'text'
  }
}

async function write(tx: Transaction<ServingDb>, batch: SinkBatch): Promise<void> {
  const { table, rows, deleted, partition } = batch
  if (rows.length > 0) {
    const columns = table.columns.map(({ name, type }, at) => ({
      name,
      arrayType: arrayTypeOf(type),
      columnType: columnTypeText(type, 'postgres'),
      values: rows.map(({ cells }) => sent(cells[at] ?? null)),
    }))
    columns.push(
      { name: '_key', arrayType: 'text', columnType: 'text', values: rows.map(({ key }) => key) },
      { name: '_offset', arrayType: 'bigint', columnType: 'bigint', values: rows.map(({ offset }) => offset) },
      { name: '_evidence', arrayType: 'text', columnType: 'jsonb', values: rows.map(({ evidence }) => evidence) },
    )
    const names = columns.map(({ name }) => name)
    await sql`insert into ${sql.table(table.name)} (${sql.join(names.map((name) => sql.ref(name)))}, _partition)
      select ${sql.join(columns.map(({ name, columnType }) => sql`${sql.ref(`given.${name}`)}::${sql.raw(columnType)}`))}, ${sql.lit(partition)}
      from unnest(${sql.join(columns.map(({ values, arrayType }) => sql`${values}::${sql.raw(arrayType)}[]`))}) as given (${sql.join(names.map((name) => sql.ref(name)))})
      on conflict (_key) do update set ${sql.join(replaced(table).map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`))}`.execute(
      tx,
    )
  }
  if (deleted.length > 0) {
    await sql`delete from ${sql.table(table.name)} where _key = any(${deleted}::text[])`.execute(tx)
  }
}

function replaced(table: ServingTable): readonly string[] {
  return [...table.columns.map(({ name }) => name), '_partition', '_offset', '_evidence']
}

/** pg writes bigints into arrays as they are, but not all versions of it do so for elements. */
function sent(cell: Cell): string | number | boolean | null {
  return typeof cell === 'bigint' ? cell.toString() : cell
}

/** What PostgreSQL says while it starts, stops or has no room. https://www.postgresql.org/docs/15/errcodes-appendix.html */
const transientStates = /^(08|53|57P0|40001|40P01|55P03|57014)/

function errorOf(error: unknown): Error {
  if (error instanceof ServingFenced || error instanceof ServingError) return error
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error
  if (!(cause instanceof Error)) return new ServingError(`PostgreSQL: ${String(cause)}`, { isTransient: false })
  const state = cause instanceof pg.DatabaseError ? (cause.code ?? '') : null
  // What is not said by the database is said of the way to it, unless it is a fault of ours.
  const isOurs = cause instanceof TypeError || cause instanceof RangeError || cause.name === 'BrokenInvariant'
  const isTransient = state === null ? !isOurs : transientStates.test(state)
  return new ServingError(`PostgreSQL: ${cause.message}${state ? ` (${state})` : ''}`, { isTransient, cause: error })
}
