// Tables of the serving store as DDL, by kysely, for PostgreSQL and SQLite.
import {
  type CreateIndexBuilder,
  type CreateTableBuilder,
  type DropTableBuilder,
  type Kysely,
  type RawBuilder,
  sql,
} from 'kysely'
import { unreachable } from '../../std/assert.ts'
import type { ServingTable, ServingType } from './table.ts'

export type Dialect = 'postgres' | 'sqlite'

/** What kysely knows of: the book of positions. The tables of results are named at run time. */
export interface ServingDb {
  readonly sink_progress: { sink: string; partition: number; next_offset: number | string; epoch: number | string }
  readonly sink_owner: { sink: string; topic_id: string; epoch: number | string }
}

export function createTable(db: Kysely<ServingDb>, table: ServingTable, dialect: Dialect): CreateTableBuilder<string> {
  let builder: CreateTableBuilder<string> = db.schema.createTable(table.name)
  for (const { name, type, nullable } of table.columns) {
    builder = builder.addColumn(name, servingColumnType(type, dialect), (column) =>
      nullable ? column : column.notNull(),
    )
  }
  return builder
    .addColumn('_key', 'text', (column) => column.primaryKey())
    .addColumn('_partition', 'integer', (column) => column.notNull())
    .addColumn('_offset', 'bigint', (column) => column.notNull())
    .addColumn('_evidence', servingColumnType({ kind: 'json' }, dialect))
}

/** For those who look for the newest rows; null: no column tells. */
export function createTableIndex(db: Kysely<ServingDb>, table: ServingTable): CreateIndexBuilder | null {
  if (table.time === null) return null
  return db.schema.createIndex(`${table.name}_by_time`).on(table.name).columns([table.time, '_key'])
}

export function dropTable(db: Kysely<ServingDb>, name: string): DropTableBuilder {
  return db.schema.dropTable(name).ifExists()
}

export function servingColumnType(type: ServingType, dialect: Dialect): RawBuilder<unknown> {
  return sql.raw(columnTypeText(type, dialect))
}

export function columnTypeText({ kind }: ServingType, dialect: Dialect): string {
  switch (kind) {
    case 'text':
      return 'text'
    case 'integer':
    case 'minor':
      return dialect === 'postgres' ? 'bigint' : 'integer'
    case 'real':
      return dialect === 'postgres' ? 'double precision' : 'real'
    case 'boolean':
      return dialect === 'postgres' ? 'boolean' : 'integer'
    case 'timestamp':
      return dialect === 'postgres' ? 'timestamptz' : 'text'
    case 'json':
      return dialect === 'postgres' ? 'jsonb' : 'text'
    default:
      return unreachable(kind)
  }
}
