// Section `growth`: what it costs that the window moves each second instead of each minute, and that records come late.
import type { Measured } from './report.ts'
import type { Section } from './section.ts'
import { bounded, duckdb, live, type Side, secondsOf, sideName, type Taken, takeTurns } from './window-runs.ts'

export const growth: Section = async (bench) => {
  const sides = [bounded, duckdb, live]
  const minute = await takeTurns(bench, 'sales-window-60s', sides)
  const second = await takeTurns(bench, 'sales-window', sides)
  const late = await takeTurns(bench, 'sales-window', [live, duckdb], 'sales-late')
  return {
    title: 'Growth: time with a slide of 1 s as a multiple of the time with 60 s; with late records, of that without',
    measured: [
      times('slide 60 s -> 1 s, millrace run, warm', second, minute, bounded),
      times('slide 60 s -> 1 s, live windows, warm', second, minute, live),
      times('1 % late by up to 60 s, live windows, warm', late, second, live),
    ],
    notes: [
      `${minute.rows.toLocaleString('en-US')} rows each minute, ${second.rows.toLocaleString('en-US')} each second, ${late.rows.toLocaleString('en-US')} from the late file, all equal to DuckDB's`,
      'late: the file in which 1 % of the sales stand 10 to 54 s further back; all are within the allowed lateness of 60 s',
    ],
    skipped: [],
  }
}

/** Round by round, so that a busy minute of the machine weighs on both sides of a fraction. */
function times(what: string, of: Taken, over: Taken, ours: Side): Measured {
  const fractions = (side: Side): number[] => {
    const base = secondsOf(over, side, 'warm')
    return secondsOf(of, side, 'warm').map((seconds, round) => seconds / (base[round] ?? Number.NaN))
  }
  return { what, unit: 'times', ours: fractions(ours), peer: { name: sideName(duckdb), values: fractions(duckdb) } }
}
