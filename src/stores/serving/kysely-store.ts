// The part of a serving store that both databases share, by kysely: schema, owners, positions, reading.
import { type Kysely, sql, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import { assert } from '../../std/assert.ts'
import type { Cell } from './cells.ts'
import type { Dialect, ServingDb } from './ddl.ts'
import { migrationProvider } from './migrations.ts'
import {
  type RowsWanted,
  rowsMax,
  type ServedRow,
  ServingError,
  ServingFenced,
  type SinkBatch,
  type SinkOwner,
} from './store.ts'
import type { ServingTable } from './table.ts'

/** Brings the schema to today's. Another process that does the same waits. */
export async function migrate(db: Kysely<ServingDb>, dialect: Dialect): Promise<void> {
  const { error, results = [] } = await new Migrator({ db, provider: migrationProvider(dialect) }).migrateToLatest()
  if (error === undefined) return
  const failed = results.find(({ status }) => status === 'Error')?.migrationName
  const cause = error instanceof Error ? error.message : String(error)
  throw new ServingError(
    `the schema of the serving store could not be brought up to date${failed === undefined ? '' : ` (${failed})`}: ${cause}. ` +
      'If a newer Millrace has used this database, start that one, or give this one a database of its own',
    { isTransient: false, cause: error },
  )
}

export function takeOver(db: Kysely<ServingDb>, table: ServingTable, topicId: string): Promise<SinkOwner> {
  return db.transaction().execute(async (tx) => {
    const { topic } = table
    // The row is there before it is read: two owners at a time wait for each other on it.
    await tx
      .insertInto('sink_owner')
      .values({ sink: topic, topic_id: topicId, epoch: 0 })
      .onConflict((conflict) => conflict.column('sink').doNothing())
      .execute()
    await tx.updateTable('sink_owner').set({ epoch: sql<number>`epoch + 1` }).where('sink', '=', topic).execute()
    const owner = await tx.selectFrom('sink_owner').selectAll().where('sink', '=', topic).executeTakeFirstOrThrow()
    if (owner.topic_id !== topicId) {
      await empty(tx, table)
      await tx.updateTable('sink_owner').set({ topic_id: topicId }).where('sink', '=', topic).execute()
    }
    const rows = await tx.selectFrom('sink_progress').selectAll().where('sink', '=', topic).execute()
    return {
      epoch: Number(owner.epoch),
      next: new Map(rows.map(({ partition, next_offset }) => [Number(partition), Number(next_offset)])),
    }
  })
}

/** Moves the position from where the batch begins to where it ends; throws a `ServingFenced` if it is not there. */
export async function advance(tx: Transaction<ServingDb>, batch: SinkBatch): Promise<void> {
  const { table, partition, from, to, epoch, isFirst } = batch
  const fenced = (reason: 'owner' | 'position', why: string): ServingFenced =>
    new ServingFenced(reason, `the table of ${table.topic} is not ours to write from ${partition}/${from} on: ${why}`)
  const owner = await tx.selectFrom('sink_owner').select('epoch').where('sink', '=', table.topic).executeTakeFirst()
  if (owner === undefined || Number(owner.epoch) !== epoch) {
    throw fenced('owner', `we hold epoch ${epoch}, and it is at ${owner?.epoch ?? 'none'}`)
  }
  const position = { sink: table.topic, partition, next_offset: to, epoch }
  if (isFirst) {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('sink_progress')
      .values(position)
      .onConflict((conflict) => conflict.columns(['sink', 'partition']).doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n) throw fenced('position', 'it has one already')
    return
  }
  const { numUpdatedRows } = await tx
    .updateTable('sink_progress')
    .set(position)
    .where('sink', '=', table.topic)
    .where('partition', '=', partition)
    .where('next_offset', '=', from)
    .where('epoch', '<=', epoch)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw fenced('position', 'it stands elsewhere')
}

export async function clear(db: Kysely<ServingDb>, table: ServingTable): Promise<void> {
  await db.transaction().execute((tx) => empty(tx, table))
}

async function empty(tx: Transaction<ServingDb>, { name, topic }: ServingTable): Promise<void> {
  await sql`delete from ${sql.table(name)}`.execute(tx)
  await tx.deleteFrom('sink_progress').where('sink', '=', topic).execute()
}

export async function rowsOf(db: Kysely<ServingDb>, wanted: RowsWanted): Promise<readonly ServedRow[]> {
  const { table, after, limit } = wanted
  assert(Number.isInteger(limit) && limit >= 1 && limit <= rowsMax, `a limit of ${limit} rows`)
  const columns = [...table.columns.map(({ name }) => name), '_key', '_partition', '_offset', '_evidence']
  const conditions = [sql`true`]
  for (const [name, value] of Object.entries(wanted.where)) {
    assert(columns.includes(name), `${table.name} has no column ${name}`)
    conditions.push(value === null ? sql`${sql.ref(name)} is null` : sql`${sql.ref(name)} = ${value}`)
  }
  const time = table.time
  if (after !== null) {
    conditions.push(
      time === null || after.time === null
        ? sql`_key < ${after.key}`
        : sql`(${sql.ref(time)} < ${after.time} or (${sql.ref(time)} = ${after.time} and _key < ${after.key}))`,
    )
  }
  const order = time === null ? sql`_key desc` : sql`${sql.ref(time)} desc, _key desc`
  const { rows } = await sql<Record<string, unknown>>`
    select ${sql.join(columns.map((name) => sql.ref(name)))} from ${sql.table(table.name)}
    where ${sql.join(conditions, sql` and `)} order by ${order} limit ${sql.lit(limit)}`.execute(db)
  return rows.map((row) => served(table, row))
}

export async function countsOf(
  db: Kysely<ServingDb>,
  tables: readonly ServingTable[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const { name } of tables) {
    const { rows } = await sql<{ n: unknown }>`select count(*) as n from ${sql.table(name)}`.execute(db)
    counts.set(name, Number(rows[0]?.n))
  }
  return counts
}

/** Both drivers' values in one form. */
function served(table: ServingTable, row: Readonly<Record<string, unknown>>): ServedRow {
  const cells: Record<string, Cell> = {}
  for (const { name, type } of table.columns) cells[name] = cellFrom(type.kind, row[name])
  cells._key = String(row._key)
  cells._partition = Number(row._partition)
  cells._offset = Number(row._offset)
  cells._evidence = cellFrom('json', row._evidence)
  return cells
}

function cellFrom(kind: string, value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (kind === 'boolean') return value === true || value === 1 || value === 1n
  if (kind === 'integer' || kind === 'minor') {
    const whole = BigInt(typeof value === 'number' ? Math.round(value) : String(value))
    return whole >= -(2n ** 53n) && whole <= 2n ** 53n ? Number(whole) : whole
  }
  if (kind === 'real') return Number(value)
  if (value instanceof Date) return value.toISOString()
  if (kind === 'json' && typeof value !== 'string') return JSON.stringify(value)
  return String(value)
}
