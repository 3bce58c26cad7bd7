// DuckDB as the oracle of a test: a query over a file of JSON lines, its rows with every figure an exact integer.
import { DuckDBInstance } from '@duckdb/node-api'

/** Rows by column name; whole numbers come as bigint. */
export async function duckRows(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    return await (await connection.runAndReadAll(sql)).getRowObjects()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
