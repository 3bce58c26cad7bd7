// A result record's JSON as the cells of its table: amounts exact in minor units, times in one form, nothing guessed. A
// record that does not fit is refused with the reason: any client may write to a topic.
import { unreachable } from '../../std/assert.ts'
import { entryOf } from '../../std/maps.ts'
import type { ServingColumn, ServingTable, ServingType } from './table.ts'

/** Whole numbers beyond 2^53 are bigint. Booleans and times are as `ServingType` says for both databases. */
export type Cell = string | number | bigint | boolean | null

/** Cells in the order of the table's columns, or why the text is none of its rows. */
export function cellsOf(table: ServingTable, json: string): readonly Cell[] | { readonly refused: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return { refused: `is not JSON: ${error.message}` }
    throw error
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { refused: 'is no JSON object' }
  const fields = new Map<string, unknown>(Object.entries(value))
  const cells: Cell[] = []
  let exact: ReadonlyMap<string, string> | null = null
  const exactText = (field: string): string | undefined => {
    exact ??= numberTexts(json)
    return exact.get(field)
  }
  for (const column of table.columns) {
    const cell = cellOf(column, fields.get(column.field), () => exactText(column.field))
    if (cell === undefined) {
      return {
        refused: `has ${JSON.stringify(fields.get(column.field))} for '${column.field}', no ${wanted(column.type)}`,
      }
    }
    if (cell === null && !column.nullable) return { refused: `has no '${column.field}'` }
    cells.push(cell)
  }
  return cells
}

/** Undefined: it is not of the column's type. */
function cellOf({ type }: ServingColumn, value: unknown, text: () => string | undefined): Cell | undefined {
  if (value === undefined || value === null) return null
  switch (type.kind) {
    case 'text':
      return typeof value === 'string' ? withoutNul(value) : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'real':
      return typeof value === 'number' ? value : undefined
    case 'integer':
      return typeof value === 'number' ? wholeNumber(value, 0, text) : undefined
    case 'minor':
      return typeof value === 'number' ? wholeNumber(value, type.scale, text) : undefined
    case 'timestamp':
      return instant(value, type.from)
    case 'json':
      return withoutNul(JSON.stringify(value))
    default:
      return unreachable(type)
  }
}

/** PostgreSQL has no NUL in text. */
function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u{FFFD}') : text
}

const bigintMax = (1n << 63n) - 1n

/** The number times 10^scale, exact; undefined if that is not whole or does not fit 64 bits. */
function wholeNumber(value: number, scale: number, text: () => string | undefined): number | bigint | undefined {
  const scaled = value * 10 ** scale
  if (Math.abs(scaled) < 2 ** 52) {
    const whole = Math.round(scaled)
    // The nearest double of a decimal with so few digits tells it apart from all others.
    return whole / 10 ** scale === value ? whole : undefined
  }
  const digits = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text() ?? '')
  if (digits === null) return undefined
  const [, sign = '', whole = '', fraction = ''] = digits
  if (/[1-9]/.test(fraction.slice(scale))) return undefined
  const minor = BigInt(`${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`)
  if (minor > bigintMax) return undefined
  return sign === '-' ? -minor : minor
}

function instant(value: unknown, from: 'iso' | 'epoch-seconds' | 'epoch-milliseconds'): string | undefined {
  let ms: number
  if (from === 'iso') {
    if (typeof value !== 'string') return undefined
    ms = Date.parse(value)
  } else {
    if (typeof value !== 'number') return undefined
    ms = from === 'epoch-seconds' ? value * 1000 : value
  }
  // Years of four digits: what both databases compare alike.
  return ms >= -62_135_596_800_000 && ms < 253_402_300_800_000 ? new Date(ms).toISOString() : undefined
}

/** The digits of the object's own numbers as they stand in the text. */
function numberTexts(json: string): ReadonlyMap<string, string> {
  const byHolder = new Map<unknown, Map<string, string>>()
  const root: unknown = JSON.parse(
    json,
    function (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) {
      if (typeof value === 'number' && context?.source !== undefined) {
        entryOf(byHolder, this, () => new Map<string, string>()).set(key, context.source)
      }
      return value
    },
  )
  return byHolder.get(root) ?? new Map()
}

function wanted(type: ServingType): string {
  switch (type.kind) {
    case 'minor':
      return `amount with ${type.scale} decimals`
    case 'timestamp':
      return type.from === 'iso' ? 'time as ISO-8601 text' : `time in ${type.from}`
    case 'integer':
      return 'whole number of 64 bits'
    case 'text':
    case 'real':
    case 'boolean':
    case 'json':
      return type.kind
    default:
      return unreachable(type)
  }
}
