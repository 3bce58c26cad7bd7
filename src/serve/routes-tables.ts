// The tables of the serving store over HTTP: what there is, and their rows, newest first, a page at a time.
import { z } from 'zod'
import { nearest } from '../std/nearest.ts'
import { timeText } from './answers.ts'
import * as contract from './contract.ts'
import type { TableInfo, TablesPort } from './ports.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'
import * as stores from './store-contract.ts'

const rowsDefault = 100
const filtersMax = 10

export function tableRoutes(app: App, { world, draining }: Serving, tables: TablesPort): void {
  const problem = { content: { 'application/problem+json': { schema: contract.problem } } }

  app.get(
    '/api/v1/tables',
    {
      schema: {
        tags: ['tables'],
        summary: 'The tables of the serving store',
        description: 'One for each result topic: the newest row under each key, filled exactly once.',
        response: { 200: stores.tableList },
      },
    },
    () => ({
      tables: tables.list().map((table) => ({ ...table, columns: table.columns.map((each) => ({ ...each })) })),
    }),
  )
  app.get(
    '/api/v1/tables/:table/rows',
    {
      schema: {
        tags: ['tables'],
        summary: 'Rows of a table, newest first',
        description:
          'A parameter `where.COLUMN=value` keeps the rows that have it. `next` of an answer is the `cursor` of the next page.',
        params: z.object({ table: z.string().min(1).max(200) }),
        querystring: z.looseObject({
          limit: z.coerce.number().int().min(1).max(tables.rowsMax).default(rowsDefault),
          cursor: z.string().max(2_000).optional(),
        }),
        response: { 200: stores.tableRows, 400: problem, 404: problem, 503: problem },
      },
    },
    async (request) => {
      if (draining()) throw new ProblemError('closing', 'Nothing is read while Millrace stops.')
      const table = tableNamed(tables, request.params.table)
      const { limit, cursor, ...others } = request.query
      const where = filters(table, others)
      const after = cursor === undefined ? null : placeOf(cursor)
      const rows = await tables.rows({ table: table.name, where, after, limit }).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'ServingError') throw error
        throw new ProblemError('store-away', error.message, 'Try again in a moment; /readyz?verbose tells how it is.')
      })
      const last = rows?.at(-1)
      return {
        table: table.name,
        asOf: timeText(world.clock.nowMs()),
        rows: (rows ?? []).map((row) => ({ ...row })),
        next: rows === null || last === undefined || rows.length < limit ? null : cursorOf(table, last),
      }
    },
  )
}

function tableNamed(tables: TablesPort, name: string): TableInfo {
  const all = tables.list()
  const found = all.find((table) => table.name === name)
  if (found !== undefined) return found
  const names = all.map((table) => table.name)
  const near = nearest(name, names)
  throw new ProblemError(
    'unknown-table',
    `The tables are: ${names.join(', ') || 'none'}.`,
    near === null ? null : `Did you mean ${near}?`,
  )
}

function filters(
  table: TableInfo,
  parameters: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean> {
  const where: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(parameters)) {
    const column = table.columns.find((each) => `where.${each.name}` === name)
    if (column === undefined || typeof value !== 'string') {
      throw new ProblemError(
        'bad-request',
        `'${name}' is no parameter of table ${table.name}.`,
        `Its columns are filtered as where.NAME=value, each once: ${table.columns.map((each) => each.name).join(', ')}.`,
      )
    }
    where[column.name] = valueIn(column, value)
  }
  if (Object.keys(where).length > filtersMax) throw new ProblemError('bad-request', `More than ${filtersMax} filters.`)
  return where
}

function valueIn({ name, type }: TableInfo['columns'][number], text: string): string | number | boolean {
  const wrong = (wanted: string): ProblemError =>
    new ProblemError('bad-request', `where.${name}=${text.slice(0, 100)} is not ${wanted}.`)
  switch (type) {
    case 'text':
      return text.replaceAll('\0', '\u{FFFD}')
    case 'timestamp': {
      const ms = Date.parse(text)
      if (!(Math.abs(ms) < 253_402_300_800_000)) throw wrong('a time as RFC 3339')
      return new Date(ms).toISOString()
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw wrong('true or false')
      return text === 'true'
    case 'integer':
    case 'real': {
      const number = Number(text)
      if (text.trim() === '' || !Number.isFinite(number) || (type === 'integer' && !Number.isSafeInteger(number))) {
        throw wrong(type === 'integer' ? 'a whole number' : 'a number')
      }
      return number
    }
    case 'json':
      throw new ProblemError('bad-request', `Column ${name} holds JSON, which is not filtered by.`)
  }
}

function cursorOf({ time }: TableInfo, last: Readonly<Record<string, unknown>>): string {
  const at = time === null ? null : last[time]
  return Buffer.from(JSON.stringify([at ?? null, last._key])).toString('base64url')
}

const place = z.tuple([z.iso.datetime().nullable(), z.string()])
function placeOf(cursor: string): { readonly time: string | null; readonly key: string } {
  try {
    const [time, key] = place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    return { time, key: key.replaceAll('\0', '') }
  } catch {
    throw new ProblemError('bad-request', 'The cursor is none of ours.', 'Take `next` of an answer as it is.')
  }
}
