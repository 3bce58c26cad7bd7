// A record of CSV (RFC 4180): one line, a cell for each column. A cell says by the contract's type of its field what it is: a
// number, true or false, text; lists and objects are JSON. Empty is null, and `""` is the empty text.
import { parse } from 'csv-parse/sync'
import type { Contract, FieldType } from '../query/contract.ts'
import { type Structure, structureOf } from './json-structure.ts'
import { DEPTH_MAX } from './json-values.ts'
import type { ReadRecord } from './record-values.ts'

/** As JSON writes numbers: anything else is text, which the field's check then refuses. */
const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const encoder = new TextEncoder()

export function csvValues({ fields, csv = {} }: Contract): ReadRecord {
  const { delimiter = ',', columns = Object.keys(fields) } = csv
  const types = columns.map((name) => typeOf(fields, name))
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const options = {
    delimiter,
    relax_column_count: true,
    skip_empty_lines: false,
    // Which of them are quoted is known here only.
    cast: (cell: string, { quoting }: { readonly quoting: boolean }) => (cell === '' && !quoting ? null : cell),
  }
  return (bytes, start, end, refuse) => {
    let text: string
    try {
      text = utf8.decode(bytes.subarray(start, end))
    } catch {
      return refuse('not-utf8', 'the bytes are not UTF-8')
    }
    let lines: readonly (readonly unknown[])[]
    try {
      lines = parse(text, options)
    } catch (error) {
      return refuse('not-csv', `not CSV: ${error instanceof Error ? error.message.slice(0, 120) : ''}`)
    }
    const [cells] = lines
    if (cells === undefined || lines.length > 1)
      return refuse('not-csv', `${lines.length} lines, where one is a record`)
    if (cells.length !== columns.length) {
      return refuse('not-csv', `${cells.length} cells, where ${columns.length} columns are declared`)
    }
    return Object.fromEntries(columns.map((name, i) => [name, valueOfCell(cells[i], types[i] ?? null)]))
  }
}
/** Null: a column that the contract does not know. */
function typeOf(fields: Contract['fields'], column: string): FieldType | null {
  const found = Object.entries(fields).find(([name, { aliases = [] }]) => name === column || aliases.includes(column))
  return found?.[1].type ?? null
}
function valueOfCell(cell: unknown, type: FieldType | null): unknown {
  if (typeof cell !== 'string') return null
  switch (type?.kind) {
    case 'int64':
    case 'float64':
    case 'decimal':
    case 'money':
      return numberForm.test(cell) ? Number(cell) : cell
    case 'bool':
      return cell === 'true' ? true : cell === 'false' ? false : cell
    case 'struct':
    case 'array':
      return parsedJson(cell)
    default:
      return cell
  }
}
/** What is no JSON stays text, which the field's check then refuses. */
function parsedJson(cell: string): unknown {
  const bytes = encoder.encode(cell)
  const structure: Structure = { depth: 0, members: 0 }
  structureOf(bytes, 0, bytes.length, DEPTH_MAX, structure)
  if (structure.depth > DEPTH_MAX) return cell
  try {
    return JSON.parse(cell)
  } catch {
    return cell
  }
}
