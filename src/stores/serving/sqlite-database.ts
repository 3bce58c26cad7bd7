// node:sqlite as kysely knows SQLite, and how a database file is opened: write-ahead log, each commit synced. Lives in the
// store's thread.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import type { ServingDb } from './ddl.ts'

/** ':memory:' or a path. Throws what SQLite says of a file that is none of its own. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = WAL')
    // The position in the log is in the same commit: one that is lost would only be filled again, but never silently.
    database.exec('PRAGMA synchronous = FULL')
    database.exec('PRAGMA busy_timeout = 5000')
    const check = database.prepare('PRAGMA quick_check(1)').get()
    if (check?.quick_check !== 'ok') throw new Error(`the database is damaged: ${String(check?.quick_check)}`)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

export function kyselyOf(database: DatabaseSync): Kysely<ServingDb> {
  return new Kysely<ServingDb>({
    dialect: new TransactionalSqlite({
      database: {
        close: () => database.close(),
        prepare: (text) => statementOf(database.prepare(text)),
      },
    }),
  })
}

/** SQLite takes back tables with their transaction, which kysely's adapter does not use: half a migration would stay. */
class TransactionalSqlite extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true
  }
}

/** SQLite has no booleans. */
export function bound(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value
  throw new TypeError(`a ${typeof value} cannot be bound`)
}

function statementOf(statement: StatementSync): {
  readonly reader: boolean
  all(parameters: readonly unknown[]): unknown[]
  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>
} {
  statement.setReadBigInts(true)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(bound)),
    run: (parameters) => statement.run(...parameters.map(bound)),
    iterate: (parameters) => statement.iterate(...parameters.map(bound)),
  }
}
