// The thread of the embedded serving store: one writer, its statements prepared once, so that no query and no sync ever
// stops the log. Answers the calls of `sqlite-store.ts` one after the other.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ThreadMain } from '../../world/world.ts'
import { advance, clear, countsOf, migrate, rowsOf, takeOver } from './kysely-store.ts'
import { isSqliteCall, type SqliteAnswer, type SqliteCall } from './sqlite-calls.ts'
import { bound, kyselyOf, openDatabase } from './sqlite-database.ts'
import { ServingError, ServingFenced, type SinkBatch } from './store.ts'
import { type ServingTable, systemColumns } from './table.ts'

const main: ThreadMain = (port, data) => {
  if (typeof data !== 'string') throw new TypeError('the thread of the serving store is given a path')
  const opened = open(data)
  let calls = opened.then(
    () => port.post({ call: 0, ok: true, value: null } satisfies SqliteAnswer),
    (error: unknown) => port.post(failure(0, error)),
  )
  port.onMessage((message) => {
    if (!isSqliteCall(message)) throw new TypeError('the thread of the serving store was sent something else')
    calls = calls
      .then(async () => (await opened).answer(message))
      .then(
        (value) => port.post({ call: message.call, ok: true, value } satisfies SqliteAnswer),
        (error: unknown) => port.post(failure(message.call, error)),
      )
  })
}
export default main

async function open(path: string): Promise<{ answer(call: SqliteCall): Promise<unknown> }> {
  const database = openDatabase(path)
  const db = kyselyOf(database)
  await migrate(db, 'sqlite')
  const writers = new Map<string, { readonly upsert: StatementSync; readonly remove: StatementSync }>()
  const writerOf = (table: ServingTable): { readonly upsert: StatementSync; readonly remove: StatementSync } => {
    const known = writers.get(table.name)
    if (known !== undefined) return known
    const made = {
      upsert: database.prepare(upsertText(table)),
      remove: database.prepare(`delete from ${quoted(table.name)} where _key = ?`),
    }
    writers.set(table.name, made)
    return made
  }
  return {
    async answer(call) {
      switch (call.do) {
        case 'take-over':
          return takeOver(db, call.table, call.topicId)
        case 'apply':
          return db.transaction().execute(async (tx) => {
            await advance(tx, call.batch)
            write(call.batch, writerOf(call.batch.table))
          })
        case 'rows':
          return rowsOf(db, call.wanted)
        case 'counts':
          return countsOf(db, call.tables)
        case 'clear':
          return clear(db, call.table)
        case 'close':
          return db.destroy().then(() => close(database))
      }
    },
  }
}

function close(database: DatabaseSync): void {
  if (database.isOpen) database.close()
}

function write(batch: SinkBatch, { upsert, remove }: { upsert: StatementSync; remove: StatementSync }): void {
  for (const { key, offset, evidence, cells } of batch.rows) {
    upsert.run(...cells.map(bound), key, batch.partition, offset, evidence)
  }
  for (const key of batch.deleted) remove.run(key)
}

function upsertText(table: ServingTable): string {
  const columns = [...table.columns.map(({ name }) => name), ...systemColumns]
  const replaced = columns.filter((name) => name !== '_key').map((name) => `${quoted(name)} = excluded.${quoted(name)}`)
  return (
    `insert into ${quoted(table.name)} (${columns.map(quoted).join(', ')}) values (${columns.map(() => '?').join(', ')}) ` +
    `on conflict (_key) do update set ${replaced.join(', ')}`
  )
}
/** A field may be called as a word of SQL is: `values`. Names hold no quotes (`sqlName`). */
const quoted = (name: string): string => `"${name}"`

function failure(call: number, error: unknown): SqliteAnswer {
  if (error instanceof ServingFenced)
    return { call, ok: false, kind: 'fenced', reason: error.reason, message: error.message }
  if (error instanceof ServingError) {
    return { call, ok: false, kind: error.isTransient ? 'transient' : 'final', message: error.message }
  }
  const message = error instanceof Error ? error.message : String(error)
  // https://sqlite.org/rescode.html: 5 busy, 6 locked, 13 full.
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
  const damaged = code === 11 || code === 26 || message.startsWith('the database is damaged')
  return {
    call,
    ok: false,
    kind: damaged ? 'damaged' : code === 5 || code === 6 || code === 13 ? 'transient' : 'final',
    message,
  }
}
