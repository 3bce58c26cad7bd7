// Calendar windows in DuckDB SQL: rows with the bounds of their civil day, week or month.
import type { CalendarUnit } from '../../query/plan.ts'
import { type Parts, text } from './sql-text.ts'

export interface CalendarParts {
  readonly parts: Parts
  readonly rows: string
  readonly prefix: string
  readonly unit: CalendarUnit
  readonly zone: string
  /** Columns: event time, and the bounds to add; all in ms. */
  readonly at: string
  readonly start: string
  readonly end: string
}

export function calendarSql(calendar: CalendarParts): string {
  const { parts, rows, unit, zone, at, start, end } = calendar
  if (zone !== 'UTC' && zone !== 'Etc/UTC') return inZone(calendar)
  const first = `date_trunc('${unit}', make_timestamp(${at} * 1000))`
  return parts.add(
    'placed',
    `SELECT *, epoch_ms(${first}) AS ${start}, epoch_ms(${first} + INTERVAL 1 ${unit}) AS ${end}\nFROM ${rows}`,
  )
}

/**
 * A unit begins at the first instant whose local time is at or past its midnight: the zone's offsets a day before and
 * after give two candidates. Where the clock jumps over midnight it begins where it jumps, which is the earlier offset's
 * candidate if the jump is at midnight itself, as everywhere today.
 */
function inZone({ parts, rows, prefix, unit, zone, at, start, end }: CalendarParts): string {
  const seen = parts.add('seen', `SELECT min(${at}) AS ${prefix}first, max(${at}) AS ${prefix}last\nFROM ${rows}`)
  const local = (ms: string): string => `date_trunc('${unit}', make_timestamp((${ms}) * 1000))`
  const midnights = parts.add(
    'midnights',
    `SELECT epoch_ms(unnest(generate_series(\n  ${local(`${prefix}first - 172800000`)},\n  ${local(`${prefix}last + 172800000`)} + INTERVAL 2 ${unit},\n  INTERVAL 1 ${unit}))) AS ${prefix}midnight\nFROM ${seen}\nWHERE ${prefix}first IS NOT NULL`,
  )
  const ahead = (ms: string): string =>
    `epoch_ms((make_timestamp((${ms}) * 1000) AT TIME ZONE 'UTC') AT TIME ZONE ${text(zone)}) - (${ms})`
  const midnight = `${prefix}midnight`
  const guesses = parts.add(
    'guesses',
    `SELECT ${midnight},\n  ${ahead(`${midnight} - 86400000`)} AS ${prefix}before,\n  ${ahead(`${midnight} + 86400000`)} AS ${prefix}after\nFROM ${midnights}`,
  )
  const [early, late] = [`${midnight} - ${prefix}before`, `${midnight} - ${prefix}after`]
  const [earlyHolds, lateHolds] = [`${ahead(early)} = ${prefix}before`, `${ahead(late)} = ${prefix}after`]
  const starts = parts.add(
    'starts',
    `SELECT CASE\n    WHEN ${earlyHolds} AND ${lateHolds} THEN least(${early}, ${late})\n    WHEN ${earlyHolds} THEN ${early}\n    WHEN ${lateHolds} THEN ${late}\n    ELSE ${early} END AS ${start}\nFROM ${guesses}`,
  )
  const units = parts.add('units', `SELECT ${start}, lead(${start}) OVER (ORDER BY ${start}) AS ${end}\nFROM ${starts}`)
  return parts.add(
    'placed',
    `SELECT r.*, u.${start}, u.${end}\nFROM ${rows} AS r\nASOF JOIN ${units} AS u ON r.${at} >= u.${start}`,
  )
}
