// Sections `b1` and `b2`: a window Plan from the bytes of a file to its final rows, beside DuckDB over the same file.
import type { SectionReport } from './report.ts'
import type { Bench, Section } from './section.ts'
import { bounded, duckdb, duckdbs, live, memory, speeds, takeTurns } from './window-runs.ts'
import type { WorkName } from './work.ts'

export const b1: Section = (bench) =>
  windowSection(bench, 'sales-window', 'B1: sales-window, 15 min / 1 s, three exact distinct counts')
export const b2: Section = (bench) =>
  windowSection(bench, 'product-metrics', 'B2: product-metrics, a minute per product')

async function windowSection(bench: Bench, work: WorkName, title: string): Promise<SectionReport> {
  const taken = await takeTurns(bench, work, [bounded, ...duckdbs, live])
  const { records, bytes } = taken.input
  return {
    title,
    measured: [
      ...speeds(taken, bounded, duckdbs, 'millrace run, cold process', 'cold'),
      ...speeds(taken, bounded, duckdbs, 'millrace run, warm', 'warm'),
      ...speeds(taken, live, [duckdb], 'live windows, cold process', 'cold'),
      ...speeds(taken, live, [duckdb], 'live windows, warm', 'warm'),
      ...memory(taken, bounded, duckdb, 'most memory, first run'),
    ],
    notes: [
      `${records.toLocaleString('en-US')} records, ${figureBytes(bytes)}, up to 4.9 s out of order; ${taken.rows.toLocaleString('en-US')} rows, equal to DuckDB's in every run, money to the cent`,
      'ours uses one thread; from the bytes of the file (page cache) to a file of rows; the start of the process is not counted',
    ],
    skipped: [],
  }
}

export function figureBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
