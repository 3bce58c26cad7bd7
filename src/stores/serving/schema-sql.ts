// The schema of the serving store as SQL of PostgreSQL, for those who make their database by hand: what the migrations make.
import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { createTable, createTableIndex, type ServingDb } from './ddl.ts'
import { ownersTable, positionsTable } from './migrations.ts'
import type { ServingTable } from './table.ts'

export function schemaSql(tables: Iterable<ServingTable>): string {
  const db = new Kysely<ServingDb>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
  const text = (statement: Compilable): string => `${statement.compile().sql};\n`
  let all = `-- Tables of Millrace's serving store for PostgreSQL 15 and newer: one for each result topic, a row under each key.\n`
  all += '-- Printed from the migrations by `npm run serving:schema`. Millrace makes them by itself when it starts.\n\n'
  all += text(positionsTable(db)) + text(ownersTable(db))
  for (const table of tables) {
    all += `\n-- topic ${table.topic}\n${spread(text(createTable(db, table, 'postgres')))}`
    const index = createTableIndex(db, table)
    if (index !== null) all += text(index)
  }
  return all
}

/** A column a line. */
function spread(statement: string): string {
  return statement.replace(/\((.*)\);\n$/s, (_, columns: string) => `(\n  ${columns.split(', "').join(',\n  "')}\n);\n`)
}
