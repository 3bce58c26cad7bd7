// The lake as tables for SQL: `lake.<layer>_<topic>`, dashes and dots as underscores, over the files of one manifest.
import type { Contract, FieldType } from '../../query/contract.ts'
import type { Layer } from './files/manifest.ts'
import type { Lake } from './lake.ts'
import { name } from './sql-text.ts'

export interface LakeTable {
  readonly layer: Layer
  readonly topic: string
  /** Of silver: its columns are there even while no file is, or only older ones. */
  readonly contract: Contract | null
}

export const tableName = (layer: Layer, topic: string): string => `${layer}_${topic.replaceAll(/[^A-Za-z0-9]/g, '_')}`

const places = { _partition: 'INTEGER', _offset: 'BIGINT', _arrival: 'TIMESTAMP' }
const bronze = {
  ...places,
  _key: 'VARCHAR',
  _value: 'VARCHAR',
  _key_bytes: 'BLOB',
  _value_bytes: 'BLOB',
  _headers: 'VARCHAR',
}

/** What may stand behind FROM: the rows of the table, or none with its columns. */
export function tableSql(lake: Lake, { layer, topic, contract }: LakeTable): string {
  const columns =
    layer === 'bronze' || contract === null
      ? bronze
      : {
          ...Object.fromEntries(Object.entries(contract.fields).map(([field, { type }]) => [field, storedType(type)])),
          ...places,
        }
  const none = `SELECT ${Object.entries(columns)
    .map(([column, type]) => `NULL::${type} AS ${name(column)}`)
    .join(', ')} WHERE false`
  const files = lake.files(layer, topic)
  return files.length === 0 ? `(${none})` : `(SELECT * FROM ${lake.rowsOf(files)} UNION ALL BY NAME ${none})`
}

/** Statements that make the tables, as views in the schema `lake`. */
export function viewsSql(lake: Lake, tables: readonly LakeTable[]): string[] {
  return [
    'CREATE SCHEMA IF NOT EXISTS lake',
    ...tables.map(
      (table) =>
        `CREATE OR REPLACE VIEW lake.${name(tableName(table.layer, table.topic))} AS SELECT * FROM ${tableSql(lake, table)}`,
    ),
  ]
}

function storedType(type: FieldType): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN'
    case 'int64':
      return 'BIGINT'
    case 'float64':
      return 'DOUBLE'
    case 'money':
    case 'decimal':
      return `DECIMAL(18, ${type.scale})`
    case 'timestamp':
      return 'TIMESTAMP'
    case 'date':
      return 'DATE'
    case 'array': {
      const { of } = type
      if (of.kind === 'struct') {
        const inside = Object.entries(of.fields)
        if (inside.some(([, { type: one }]) => one.kind === 'struct' || one.kind === 'array')) return 'VARCHAR'
        return `STRUCT(${inside.map(([field, one]) => `${name(field)} ${storedType(one.type)}`).join(', ')})[]`
      }
      return of.kind === 'array' ? 'VARCHAR' : `${storedType(of)}[]`
    }
    default:
      return 'VARCHAR'
  }
}
