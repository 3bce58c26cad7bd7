// DuckDB as the oracle of a test: a query over a file of JSON lines, its rows with every figure an exact integer.
import { DuckDBInstance } from '@duckdb/node-api'

export interface DuckDb {
  /** Rows by column name; whole numbers come as bigint. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  close(): void
}

export async function openDuckDb(): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  // Nothing may depend on where the session thinks it is.
  await connection.run("SET TimeZone = 'Asia/Kathmandu'")
  return {
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects(),
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** One query in a DuckDB of its own. */
export async function duckRows(sql: string): Promise<Record<string, unknown>[]> {
  const duckdb = await openDuckDb()
  try {
    return await duckdb.rows(sql)
  } finally {
    duckdb.close()
  }
}
