// The module of the DuckDB process: one instance in memory, one connection, requests one after the other.
import { createHash } from 'node:crypto'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ThreadMain, World } from '../../../world/world.ts'
import type { DuckDbAnswer, DuckDbRequest, DuckDbRows, DuckDbStart, DuckDbValue, Sealed } from './duckdb-messages.ts'

const main: ThreadMain = (port, data, world) => {
  const { setup } = data as DuckDbStart
  const opened = open(setup)
  let last: Promise<unknown> = opened.catch(() => {})
  const answer = async (request: DuckDbRequest): Promise<DuckDbAnswer> => {
    const { id } = request
    try {
      if (request.kind === 'seal')
        return { kind: 'sealed', id, files: await sealed(world, request.paths, request.sync) }
      return { kind: 'rows', id, rows: await run(await opened, request.statements, request.rowsMax) }
    } catch (error) {
      return { kind: 'refused', id, message: error instanceof Error ? error.message : String(error) }
    }
  }
  port.onMessage((message) => {
    last = last.then(() => answer(message as DuckDbRequest)).then((done) => port.post(done))
  })
}
export default main

async function open(setup: readonly string[]): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  for (const statement of setup) await connection.run(statement)
  return connection
}

async function run(connection: DuckDBConnection, statements: readonly string[], rowsMax: number): Promise<DuckDbRows> {
  for (const statement of statements.slice(0, -1)) await connection.run(statement)
  const last = statements.at(-1)
  if (last === undefined) return { columns: [], rows: [], truncated: false }
  // In pieces: an answer of a billion rows is not gathered before it is cut.
  const reader = await connection.streamAndReadUntil(last, rowsMax + 1)
  const names = reader.columnNames()
  const types = reader.columnTypes()
  // What DuckDB makes of its values for JSON.
  const rows = reader.getRowsJson() as DuckDbValue[][]
  return {
    columns: names.map((name, i) => ({ name, type: String(types[i]) })),
    rows: rows.slice(0, rowsMax),
    truncated: rows.length > rowsMax,
  }
}

const readBytes = 1 << 20

async function sealed(world: World, paths: readonly string[], sync: boolean): Promise<Sealed[]> {
  const files: Sealed[] = []
  const piece = new Uint8Array(readBytes)
  for (const path of paths) {
    const file = world.fs.open(path, sync ? 'write' : 'read')
    try {
      if (sync) await file.sync()
      const hash = createHash('sha256')
      let at = 0
      for (;;) {
        const count = file.read(piece, at)
        if (count === 0) break
        hash.update(piece.subarray(0, count))
        at += count
      }
      files.push({ sizeBytes: at, sha256: hash.digest('hex') })
    } finally {
      file.close()
    }
  }
  return files
}
