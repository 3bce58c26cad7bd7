// The schema as it came to be: migrations are frozen once released, each the steps from one set of tables to the next.
// A test holds their sum to the tables of today; `npm run serving:schema` writes the next one.
import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'
import { assert } from '../../std/assert.ts'
import { createTable, createTableIndex, type Dialect, dropTable, type ServingDb, servingColumnType } from './ddl.ts'
import { initial } from './migrations/0001-initial.ts'
import type { ServingColumn, ServingTable } from './table.ts'

export type SchemaStep =
  | { readonly step: 'create'; readonly table: ServingTable }
  | { readonly step: 'add-column'; readonly table: string; readonly column: ServingColumn }
  /** Its columns or key mean something else now: made anew and filled again from its topic. */
  | { readonly step: 'replace'; readonly table: ServingTable }
  | { readonly step: 'drop'; readonly table: string }
export interface SchemaMigration {
  /** Sorts after all earlier ones: `0002-…`. */
  readonly name: string
  readonly steps: readonly SchemaStep[]
}

export const schemaMigrations: readonly SchemaMigration[] = [initial]

/** The tables that stand after these migrations, by name. */
export function tablesAfter(migrations: readonly SchemaMigration[]): ReadonlyMap<string, ServingTable> {
  const tables = new Map<string, ServingTable>()
  for (const { name, steps } of migrations) {
    for (const step of steps) {
      switch (step.step) {
        case 'create':
        case 'replace':
          assert(tables.has(step.table.name) === (step.step === 'replace'), `${name}: ${step.step} ${step.table.name}`)
          tables.set(step.table.name, step.table)
          break
        case 'add-column': {
          const table = tables.get(step.table)
          assert(table !== undefined, `${name}: column of ${step.table}, which is not there`)
          tables.set(step.table, { ...table, columns: [...table.columns, step.column] })
          break
        }
        case 'drop':
          assert(tables.delete(step.table), `${name}: drop ${step.table}, which is not there`)
          break
      }
    }
  }
  return tables
}

/** What leads from these tables to those wanted; none: they are the same. */
export function stepsTo(
  from: ReadonlyMap<string, ServingTable>,
  wanted: readonly ServingTable[],
): readonly SchemaStep[] {
  const steps: SchemaStep[] = []
  for (const table of wanted) {
    const before = from.get(table.name)
    if (before === undefined) {
      steps.push({ step: 'create', table })
      continue
    }
    const added = table.columns.slice(before.columns.length)
    const grown = { ...before, columns: [...before.columns, ...added] }
    if (same(before, table)) continue
    if (same(grown, table) && added.every(({ nullable }) => nullable)) {
      for (const column of added) steps.push({ step: 'add-column', table: table.name, column })
    } else steps.push({ step: 'replace', table })
  }
  const names = new Set(wanted.map(({ name }) => name))
  for (const name of from.keys()) if (!names.has(name)) steps.push({ step: 'drop', table: name })
  return steps
}

const same = (a: ServingTable, b: ServingTable): boolean => JSON.stringify(a) === JSON.stringify(b)

/** For kysely's migrator. The first thing made is the book of positions. */
export function migrationProvider(dialect: Dialect): MigrationProvider {
  const migrations: Record<string, Migration> = { '0000-positions': { up: positions } }
  for (const { name, steps } of schemaMigrations) {
    migrations[name] = { up: (db: Kysely<ServingDb>) => applySteps(db, dialect, steps) }
  }
  return { getMigrations: () => Promise.resolve(migrations) }
}

async function positions(db: Kysely<ServingDb>): Promise<void> {
  await positionsTable(db).execute()
  await ownersTable(db).execute()
}

/** Up to where each partition of each topic is in its table. */
export function positionsTable(db: Kysely<ServingDb>): CreateTableBuilder<string> {
  return db.schema
    .createTable('sink_progress')
    .addColumn('sink', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('next_offset', 'bigint', (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('sink_progress_pk', ['sink', 'partition'])
}

/** Who may write a topic's table. */
export function ownersTable(db: Kysely<ServingDb>): CreateTableBuilder<string> {
  return (
    db.schema
      .createTable('sink_owner')
      .addColumn('sink', 'text', (column) => column.primaryKey())
      // Of the topic: one that was deleted and made again is another one.
      .addColumn('topic_id', 'text', (column) => column.notNull())
      .addColumn('epoch', 'bigint', (column) => column.notNull())
  )
}

async function applySteps(db: Kysely<ServingDb>, dialect: Dialect, steps: readonly SchemaStep[]): Promise<void> {
  for (const step of steps) {
    switch (step.step) {
      case 'create':
        await create(db, dialect, step.table)
        break
      case 'replace':
        await dropTable(db, step.table.name).execute()
        await create(db, dialect, step.table)
        await forget(db, step.table.topic)
        break
      case 'add-column':
        await db.schema
          .alterTable(step.table)
          .addColumn(step.column.name, servingColumnType(step.column.type, dialect))
          .execute()
        break
      case 'drop':
        await dropTable(db, step.table).execute()
        break
    }
  }
}

async function create(db: Kysely<ServingDb>, dialect: Dialect, table: ServingTable): Promise<void> {
  await createTable(db, table, dialect).execute()
  await createTableIndex(db, table)?.execute()
}

/** The table is filled again from the start of its topic. */
export async function forget(db: Kysely<ServingDb>, topic: string): Promise<void> {
  await db.deleteFrom('sink_progress').where('sink', '=', topic).execute()
}
