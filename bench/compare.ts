// Two tables of result rows held against each other, cell by cell, money as integers: no speed is worth printing before
// this says nothing. Pure: NDJSON text in, differences out.
import { minorFromNumber } from '../src/std/decimal.ts'

export interface Column {
  readonly name: string
  /** `money`: our rows carry a decimal number, the peer's the same amount in minor units. */
  readonly kind: 'text' | 'integer' | 'money'
  readonly key?: true
}
export const moneyScale = 2

/** Rows by the text of their key; every cell as the text of an exact value. */
export type Table = ReadonlyMap<string, readonly string[]>

export interface TableForm {
  readonly columns: readonly Column[]
  /** How money is written: `decimal` numbers of the main unit, or integers of `minor` units. */
  readonly money: 'decimal' | 'minor'
  /** What a second row of the same key means: a fault, or a correction that replaces the first. */
  readonly again: 'fault' | 'replaces'
}

/** Reads NDJSON rows. Columns that are not named are ignored. Throws a RangeError that names line, column and value. */
export function readTable(ndjson: string, form: TableForm): Table {
  const table = new Map<string, string[]>()
  let line = 0
  for (const text of ndjson.split('\n')) {
    line++
    if (text === '') continue
    const row: unknown = JSON.parse(text)
    const cells = form.columns.map((column) => {
      const value = typeof row === 'object' && row !== null ? Reflect.get(row, column.name) : undefined
      const cell = cellText(value, column, form.money)
      if (cell === null)
        throw new RangeError(`line ${line}, ${column.name}: ${JSON.stringify(value)} is not ${column.kind}`)
      return cell
    })
    const key = keyOf(cells, form.columns)
    if (form.again === 'fault' && table.has(key)) throw new RangeError(`line ${line}: a second row for ${key}`)
    table.set(key, cells)
  }
  return table
}

function keyOf(cells: readonly string[], columns: readonly Column[]): string {
  return columns.flatMap((column, i) => (column.key === true ? [`${column.name}=${cells[i]}`] : [])).join(' ')
}

function cellText(value: unknown, column: Column, money: TableForm['money']): string | null {
  if (column.kind === 'text') return typeof value === 'string' ? value : null
  if (typeof value !== 'number') return null
  if (column.kind === 'integer' || money === 'minor') return Number.isSafeInteger(value) ? String(value) : null
  const minor = minorFromNumber(value, moneyScale)
  return typeof minor === 'number' ? String(minor) : null
}

/** The first `most` differences as sentences, in the order of the keys; nothing when the tables are equal. */
export function differences(ours: Table, peer: Table, columns: readonly Column[], most = 10): string[] {
  const found: string[] = []
  const keys = [...new Set([...ours.keys(), ...peer.keys()])].sort()
  for (const key of keys) {
    if (found.length >= most) break
    const ourRow = ours.get(key)
    const peerRow = peer.get(key)
    if (ourRow === undefined) found.push(`${key}: ours has no such row; the peer says ${shown(peerRow!, columns)}`)
    else if (peerRow === undefined) found.push(`${key}: the peer has no such row; ours says ${shown(ourRow, columns)}`)
    else {
      const wrong = columns.flatMap((column, i) =>
        ourRow[i] === peerRow[i] ? [] : [`${column.name} ours ${ourRow[i]}, peer ${peerRow[i]}`],
      )
      if (wrong.length > 0) found.push(`${key}: ${wrong.join('; ')}`)
    }
  }
  return found
}

function shown(cells: readonly string[], columns: readonly Column[]): string {
  return columns.flatMap((column, i) => (column.key === true ? [] : [`${column.name} ${cells[i]}`])).join(', ')
}
