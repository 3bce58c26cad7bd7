// The module of the SQL console's process: a fresh DuckDB for each statement, filled, then locked, then asked.
import { DuckDBInstance } from '@duckdb/node-api'
import type { ThreadMain } from '../../../world/world.ts'
import type { DuckDbValue } from '../duckdb/duckdb-messages.ts'
import type { ConsoleAnswer, ConsoleRequest } from './console-messages.ts'
import { explained, judge } from './guard.ts'

const main: ThreadMain = (port) => {
  port.onMessage((message) => {
    const request = message as ConsoleRequest
    answer(request).then(
      (done) => port.post(done),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error)
        const refused: ConsoleAnswer = { kind: 'refused', id: request.id, message: text }
        port.post(refused)
      },
    )
  })
}
export default main

async function answer(request: ConsoleRequest): Promise<ConsoleAnswer> {
  const { id, sql } = request
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    if (request.kind === 'judge') {
      const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [explained(sql)])
      return { kind: 'judged', id, verdict: judge(String(reader.getRows()[0]?.[0])) }
    }
    for (const statement of request.setup) await connection.run(statement)
    const reader = await connection.streamAndReadUntil(sql, request.rowsMax + 1)
    const names = reader.columnNames()
    const types = reader.columnTypes().map(String)
    const all = reader.getRowsJson() as DuckDbValue[][]
    const rows: DuckDbValue[][] = []
    let bytes = 0
    for (const row of all.slice(0, request.rowsMax)) {
      bytes += JSON.stringify(row).length
      if (bytes > request.bytesMax) break
      rows.push(row)
    }
    const columns = names.map((name, i) => ({ name, type: types[i] ?? '' }))
    return { kind: 'rows', id, rows: { columns, rows, truncated: rows.length < all.length } }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
