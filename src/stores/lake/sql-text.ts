// Pieces of DuckDB SQL: quoted names and texts, exact integers, named parts of one WITH.
import type { FieldType } from '../../query/contract.ts'

export const name = (text: string): string => `"${text.replaceAll('"', '""')}"`
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
export const list = (items: readonly string[], indent = '  '): string => items.join(`,\n${indent}`)

/** Numbers of magnitude up to this are exact in the engine; a record that goes beyond is refused there. */
export const exactMax = '9007199254740991'

/** The parts of a WITH in the order they are added. */
export class Parts {
  readonly #parts: string[] = []
  readonly #taken = new Map<string, number>()
  #recursive = false
  /** Returns the name, with a number behind it where the plain one is taken. `materialized`: read several times, computed once. */
  add(wanted: string, select: string, materialized = false): string {
    const part = this.#free(wanted)
    this.#parts.push(`${part} AS ${materialized ? 'MATERIALIZED ' : ''}(\n  ${select.replaceAll('\n', '\n  ')})`)
    return part
  }
  /** A part that reads itself until nothing new comes. */
  addRecursive(wanted: string, columns: string, first: string, next: (part: string) => string): string {
    this.#recursive = true
    const part = this.#free(wanted)
    const union = `${first}\nUNION ALL\n${next(part)}`
    this.#parts.push(`${part}(${columns}) AS (\n  ${union.replaceAll('\n', '\n  ')})`)
    return part
  }
  #free(wanted: string): string {
    const times = (this.#taken.get(wanted) ?? 0) + 1
    this.#taken.set(wanted, times)
    return times === 1 ? wanted : `${wanted}_again_${times}`
  }
  with(select: string): string {
    return `WITH ${this.#recursive ? 'RECURSIVE ' : ''}${this.#parts.join(',\n')}\n${select}`
  }
}

/** Number of the pane, counted from the epoch. Integer division cuts towards zero, so it runs above the year 0. */
export function paneSql(at: string, lengthMs: number): string {
  const before = Math.ceil(1e14 / lengthMs)
  // Length times count may leave what JavaScript holds exactly.
  return `(${at} + ${BigInt(before) * BigInt(lengthMs)}) // ${lengthMs} - ${before}`
}

/** A prefix that no column begins with, for columns of our own. */
export function freePrefix(columns: readonly string[]): string {
  let prefix = '_'
  while (columns.some((column) => column.startsWith(prefix))) prefix += '_'
  return prefix
}

export function scaleOf(type: FieldType): number {
  return type.kind === 'money' || type.kind === 'decimal' ? type.scale : 0
}
export function isExact(type: FieldType): boolean {
  return type.kind === 'int64' || type.kind === 'money' || type.kind === 'decimal'
}
/** How values of the type are held between the parts: exact numbers and times as integers. */
export function heldAs(type: FieldType): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN'
    case 'float64':
      return 'DOUBLE'
    case 'int64':
    case 'money':
    case 'decimal':
    case 'timestamp':
    case 'date':
      return 'BIGINT'
    default:
      return 'VARCHAR'
  }
}

/** The held value as the type people read: minor units as DECIMAL, milliseconds as TIMESTAMP, days as DATE. */
export function shown(held: string, type: FieldType): string {
  switch (type.kind) {
    case 'money':
    case 'decimal': {
      const { scale } = type
      if (scale === 0) return `CAST(${held} AS DECIMAL(38, 0))`
      const unit = `0.${'1'.padStart(scale, '0')}`
      return `CAST(${held} AS DECIMAL(${37 - scale}, 0)) * CAST(${unit} AS DECIMAL(${scale + 1}, ${scale}))`
    }
    case 'timestamp':
      return `make_timestamp(CAST(${held} AS BIGINT) * 1000)`
    case 'date':
      return `DATE '1970-01-01' + CAST(${held} AS INTEGER)`
    default:
      return held
  }
}
