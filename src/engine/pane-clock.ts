// Where event time is cut: numbered panes for tumbling, hopping and calendar windows. Windows are [start, end).
import type { CalendarUnit } from '../query/plan.ts'
import { civilFromDays, daysFromCivil } from '../std/instant.ts'

/** Panes are numbered without gaps; pane n ends where pane n + 1 starts. */
export interface PaneClock {
  /** Of every pane, where all have one length and pane 0 starts at the epoch; else 0. */
  readonly lengthMs: number
  paneOf(timeMs: number): number
  startOf(pane: number): number
}

/** Fixed length, aligned to the epoch. */
export function fixedPanes(lengthMs: number): PaneClock {
  return { lengthMs, paneOf: (timeMs) => Math.floor(timeMs / lengthMs), startOf: (pane) => pane * lengthMs }
}

/** Civil days, weeks from Monday, or months in a zone; numbered from the one that holds 1970-01-01. */
export function calendarPanes(unit: CalendarUnit, zone: string): PaneClock {
  const offsetAt = zoneOffset(zone)
  const starts = new Map<number, number>()
  const startOf = (pane: number): number => {
    let start = starts.get(pane)
    if (start === undefined) {
      start = instantOf(firstDay(unit, pane) * DAY_MS, offsetAt)
      if (starts.size > 10_000) starts.clear()
      starts.set(pane, start)
    }
    return start
  }
  // Records come mostly in order: the last pane answers most of the time.
  let [lastPane, from, to] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const paneOf = (timeMs: number): number => {
    if (timeMs >= from && timeMs < to) return lastPane
    if (!Number.isFinite(timeMs)) return timeMs
    let pane = paneOfDay(unit, Math.floor((timeMs + offsetAt(timeMs)) / DAY_MS))
    // Where a zone's clock jumps at midnight the civil day alone may be one off.
    while (startOf(pane) > timeMs) pane--
    while (startOf(pane + 1) <= timeMs) pane++
    ;[lastPane, from, to] = [pane, startOf(pane), startOf(pane + 1)]
    return pane
  }
  return { lengthMs: 0, paneOf, startOf }
}

const DAY_MS = 86_400_000

function paneOfDay(unit: CalendarUnit, day: number): number {
  if (unit === 'day') return day
  // 1970-01-01 was a Thursday: the week that holds it began on day -3.
  if (unit === 'week') return Math.floor((day + 3) / 7)
  const { year, month } = civilFromDays(day)
  return (year - 1970) * 12 + month - 1
}
function firstDay(unit: CalendarUnit, pane: number): number {
  if (unit === 'day') return pane
  if (unit === 'week') return pane * 7 - 3
  const year = 1970 + Math.floor(pane / 12)
  return daysFromCivil(year, pane - (year - 1970) * 12 + 1, 1)
}

/** The first instant whose local time is at or past the given one. */
function instantOf(localMs: number, offsetAt: (timeMs: number) => number): number {
  const early = offsetAt(localMs - DAY_MS)
  const late = offsetAt(localMs + DAY_MS)
  const [a, b] = [localMs - early, localMs - late]
  const aHolds = offsetAt(a) === early
  const bHolds = offsetAt(b) === late
  if (aHolds && bHolds) return Math.min(a, b)
  if (aHolds) return a
  if (bHolds) return b
  // The local time was skipped: the day begins where the clock jumped, between the two guesses.
  let [low, high] = [Math.min(a, b) - DAY_MS / 4, Math.max(a, b) + DAY_MS / 4]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (middle + offsetAt(middle) >= localMs) high = middle
    else low = middle
  }
  return high
}

/** Milliseconds local time is ahead of UTC at an instant, from the runtime's zone data, cached by quarter of an hour. */
export function zoneOffset(zone: string): (timeMs: number) => number {
  if (zone === 'UTC' || zone === 'Etc/UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const QUARTER_MS = 900_000
  const cache = new Map<number, number>()
  return (timeMs) => {
    const quarter = Math.floor(timeMs / QUARTER_MS)
    let offset = cache.get(quarter)
    if (offset === undefined) {
      const parts: { [type: string]: string } = {}
      for (const { type, value } of format.formatToParts(quarter * QUARTER_MS)) parts[type] = value
      const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
      const day = daysFromCivil(year, Number(parts.month), Number(parts.day))
      const local =
        day * DAY_MS + Number(parts.hour) * 3_600_000 + Number(parts.minute) * 60_000 + Number(parts.second) * 1000
      offset = local - quarter * QUARTER_MS
      if (cache.size > 10_000) cache.clear()
      cache.set(quarter, offset)
    }
    return offset
  }
}
