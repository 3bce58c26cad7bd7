// How busy an hour of the week usually is beside all hours: sums by hour of the week, and how many minutes of each there have
// been since the first. Plain data.

export interface Season {
  /** Of the first window, ms. */
  firstMs: number
  /** By hour of the week, 0 = Monday 00:00 UTC. */
  readonly sums: number[]
  total: number
}
export const hoursOfWeek = 168
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const WEEK_MS = hoursOfWeek * HOUR_MS
/** The epoch was a Thursday. */
const MONDAY_MS = 4 * 24 * HOUR_MS
/** As usual minutes that each hour starts with. */
const PRIOR_MINUTES = 60

export function newSeason(firstMs: number): Season {
  return { firstMs, sums: new Array(hoursOfWeek).fill(0), total: 0 }
}
export function hourOfWeek(ms: number): number {
  return Math.floor(((((ms - MONDAY_MS) % WEEK_MS) + WEEK_MS) % WEEK_MS) / HOUR_MS)
}
export function gatherSeason(season: Season, startMs: number, value: number): void {
  season.sums[hourOfWeek(startMs)]! += value
  season.total += value
}
/** Minutes of an hour of the week in [fromMs, toMs), both whole minutes. */
export function minutesOfHour(hour: number, fromMs: number, toMs: number): number {
  if (toMs <= fromMs) return 0
  const before = (ms: number): number => {
    const shifted = ms - MONDAY_MS - hour * HOUR_MS
    const weeks = Math.floor(shifted / WEEK_MS)
    return weeks * HOUR_MS + Math.min(HOUR_MS, shifted - weeks * WEEK_MS)
  }
  return (before(toMs) - before(fromMs)) / MINUTE_MS
}
/** Mean of the hour's minutes by the mean of all, shrunk to 1; null before anything is known. `toMs`: where what is known ends. */
export function seasonality(season: Season, hour: number, toMs: number): number | null {
  const minutes = (toMs - season.firstMs) / MINUTE_MS
  if (minutes <= 0 || season.total <= 0) return null
  const mean = season.total / minutes
  const own = minutesOfHour(hour, season.firstMs, toMs)
  return (season.sums[hour]! + PRIOR_MINUTES * mean) / (own + PRIOR_MINUTES) / mean
}
