// A static table joined by a text column: answered once per dictionary id, then copied by row.
import type { TableData } from '../query/plan.ts'
import type { BatchColumn, IdColumn } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import { isTextKind } from './results.ts'

export interface LookupColumns {
  readonly columns: readonly BatchColumn[]
  /** 1 for rows whose key is in the table. */
  found: Uint8Array<ArrayBuffer>
  run(keys: IdColumn, rows: number): void
  /** The key of a row, for messages. */
  shown(row: number): string
}

export function lookupColumns(table: TableData): LookupColumns {
  return new TableLookup(table)
}

const UNKNOWN = -2
const ABSENT = -1

class TableLookup implements LookupColumns {
  readonly columns: readonly BatchColumn[]
  found: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  readonly #rowOfKey: ReadonlyMap<string, number>
  /** Per column: the value of each table row, as number or id. */
  readonly #values: readonly Float64Array[]
  #rowOfId: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Row of the table for each row of the batch. */
  #rows: Int32Array<ArrayBuffer> = new Int32Array(0)
  #generation = -1
  #keys: IdColumn | null = null

  constructor(table: TableData) {
    this.#rowOfKey = new Map(table.rows.map(({ key }, row) => [key, row]))
    const columns: BatchColumn[] = []
    this.#values = table.columns.map(({ type }, i) => {
      const dictionary = new Dictionary<string>()
      const isText = isTextKind(type.kind)
      columns.push(
        isText
          ? { kind: 'id', values: new Int32Array(0), dictionary }
          : { kind: 'number', values: new Float64Array(0) },
      )
      return Float64Array.from(table.rows, ({ values }) => {
        const value = values[i]
        if (value === null || value === undefined) return isText ? -1 : Number.NaN
        return isText ? dictionary.idOf(String(value)) : Number(value)
      })
    })
    this.columns = columns
  }
  run(keys: IdColumn, rows: number): void {
    this.#keys = keys
    const { dictionary, values } = keys
    if (dictionary.generation !== this.#generation) {
      this.#rowOfId = new Int32Array(0)
      this.#generation = dictionary.generation
    }
    const known = this.#rowOfId.length
    this.#rowOfId = grownInts(this.#rowOfId, dictionary.high).fill(UNKNOWN, known)
    this.found = grownBytes(this.found, rows)
    this.#rows = grownInts(this.#rows, rows)
    const [rowOfId, found, tableRows] = [this.#rowOfId, this.found, this.#rows]
    for (let row = 0; row < rows; row++) {
      const id = values[row]!
      let tableRow = id < 0 ? ABSENT : rowOfId[id]!
      if (tableRow === UNKNOWN) {
        tableRow = this.#rowOfKey.get(dictionary.valueOf(id)) ?? ABSENT
        rowOfId[id] = tableRow
      }
      tableRows[row] = tableRow
      found[row] = tableRow === ABSENT ? 0 : 1
    }
    this.columns.forEach((column, i) => {
      const from = this.#values[i]!
      if (column.kind === 'number') {
        column.values = grownFloats(column.values, rows)
        fill(column.values, from, tableRows, rows, Number.NaN)
      } else if (column.kind === 'id') {
        column.values = grownInts(column.values, rows)
        fill(column.values, from, tableRows, rows, -1)
      }
    })
  }
  shown(row: number): string {
    const id = this.#keys?.values[row] ?? -1
    return id < 0 || this.#keys === null ? 'null' : JSON.stringify(this.#keys.dictionary.valueOf(id))
  }
}

function fill(
  values: Float64Array | Int32Array,
  from: Float64Array,
  tableRows: Int32Array,
  rows: number,
  absent: number,
): void {
  for (let row = 0; row < rows; row++) {
    const tableRow = tableRows[row]!
    values[row] = tableRow === ABSENT ? absent : from[tableRow]!
  }
}
