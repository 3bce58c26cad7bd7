// Pieces of Flink SQL: quoted names and texts, intervals, types, options of tables.
import type { FieldType } from '../query/contract.ts'

export const name = (text: string): string => `\`${text.replaceAll('`', '``')}\``
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
export const list = (items: readonly string[], indent = '  '): string => items.join(`,\n${indent}`)
export const as = (value: string, column: string): string =>
  value === name(column) ? value : `${value} AS ${name(column)}`

/** Numbers of magnitude up to this are exact in the engine; a record that goes beyond is refused there. */
export const exactMax = '9007199254740991'

const units = [
  ['DAY', 86_400_000],
  ['HOUR', 3_600_000],
  ['MINUTE', 60_000],
  ['SECOND', 1000],
] as const

/** In the largest unit that divides it; more than two digits need to be announced. */
export function interval(ms: number): string {
  for (const [unit, unitMs] of units) {
    if (ms % unitMs !== 0) continue
    const digits = String(ms / unitMs)
    return `INTERVAL '${digits}' ${unit}${digits.length > 2 ? `(${digits.length})` : ''}`
  }
  const whole = String(Math.floor(ms / 1000))
  return `INTERVAL '${whole}.${String(ms % 1000).padStart(3, '0')}' SECOND(${Math.max(2, whole.length)}, 3)`
}

export function withOptions(options: Readonly<Record<string, string>>): string {
  return `WITH (\n  ${list(Object.entries(options).map(([option, value]) => `${text(option)} = ${text(value)}`))}\n)`
}

/** How values are held between the views: exact numbers as integers in minor units, times as ms, dates as DATE. */
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
      return 'BIGINT'
    case 'date':
      return 'DATE'
    default:
      return 'STRING'
  }
}
export function isExact(type: FieldType): boolean {
  return type.kind === 'int64' || type.kind === 'money' || type.kind === 'decimal'
}
export function scaleOf(type: FieldType): number {
  return type.kind === 'money' || type.kind === 'decimal' ? type.scale : 0
}

/** Milliseconds of an event time attribute. */
export function msSql(at: string): string {
  const utc = `CAST(${at} AS TIMESTAMP(3))`
  return `(UNIX_TIMESTAMP(DATE_FORMAT(${utc}, 'yyyy-MM-dd HH:mm:ss')) * 1000 + CAST(DATE_FORMAT(${utc}, 'SSS') AS BIGINT))`
}
