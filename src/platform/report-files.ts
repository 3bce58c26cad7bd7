// The rows of a report as a file people take away: CSV, JSON or Parquet, by its ending; whole under its name or not at all.
import type { ReportColumn, ReportRow } from '../commerce/commerce.ts'
import { assert } from '../std/assert.ts'
import { decimalText } from '../std/decimal.ts'
import { openDuckDb } from '../stores/stores.ts'
import type { World } from '../world/world.ts'
import { lakeMemory } from './lake.ts'
import { writeText } from './small-files.ts'

const copyMsMax = 60_000

export async function writeReport(
  world: World,
  path: string,
  columns: readonly ReportColumn[],
  rows: readonly ReportRow[],
): Promise<void> {
  const shown = rows.map((row) => columns.map((column) => written(column, row[column.name] ?? null)))
  if (path.endsWith('.parquet')) return await asParquet(world, path, columns, shown)
  if (path.endsWith('.csv')) {
    const lines = [columns.map(({ name }) => field(name)), ...shown.map((row) => row.map((value) => field(value)))]
    return writeText(world.fs, path, lines.map((line) => `${line.join(',')}\n`).join(''))
  }
  const objects = shown.map((row) =>
    Object.fromEntries(
      columns.map(({ name, type }, i) => [name, type === 'money' && row[i] !== null ? Number(row[i]) : row[i]]),
    ),
  )
  writeText(world.fs, path, `${JSON.stringify(objects, null, 1)}\n`)
}

/** Money as people write it, exact. */
function written(column: ReportColumn, value: ReportRow[string]): string | number | boolean | null {
  if (column.type !== 'money' || typeof value !== 'number') return value ?? null
  return decimalText(value, column.scale)
}

/** RFC 4180; what a spreadsheet would take for a formula is told to be text. */
function field(value: string | number | boolean | null): string {
  if (value === null) return ''
  const text = String(value)
  const isFormula = typeof value === 'string' && /^[=+@\t\r]|^-(?![\d.]+$)/.test(text)
  const safe = isFormula ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

async function asParquet(
  world: World,
  path: string,
  columns: readonly ReportColumn[],
  rows: readonly (readonly (string | number | boolean | null)[])[],
): Promise<void> {
  const lines = `${path}.rows.tmp`
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  writeText(
    world.fs,
    lines,
    rows.map((row) => `${JSON.stringify(Object.fromEntries(row.map((value, i) => [`c${i}`, value])))}\n`).join(''),
  )
  const duckdb = openDuckDb(world, { ...lakeMemory, spillFolder: null })
  try {
    const types = columns.map((column, i) => `c${i}: ${text(typeOf(column))}`)
    const names = columns.map(({ name }, i) => `c${i} AS "${name}"`)
    const copy = `COPY (SELECT ${names.join(', ')} FROM read_json(${text(lines)}, format = 'newline_delimited', columns = {${types.join(', ')}})) TO ${text(`${path}.tmp`)} (FORMAT parquet)`
    await duckdb.run([copy], { timeMsMax: copyMsMax, rowsMax: 1 })
    world.fs.rename(`${path}.tmp`, path)
  } finally {
    await duckdb.close()
    world.fs.unlink(lines)
  }
}
function typeOf(column: ReportColumn): string {
  switch (column.type) {
    case 'money':
      return `DECIMAL(18, ${column.scale})`
    case 'integer':
      return 'BIGINT'
    case 'number':
      return 'DOUBLE'
    case 'boolean':
      return 'BOOLEAN'
    case 'time':
      return 'TIMESTAMP'
    default:
      assert(column.type === 'text', 'a column of a report is of a known type')
      return 'VARCHAR'
  }
}
