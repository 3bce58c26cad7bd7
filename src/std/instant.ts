// Instants as milliseconds since the epoch, UTC: civil dates to days and back, ISO-8601 text in and out. No clock here.

/** Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const doe = z - era * 146097
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365)
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100))
  const mp = Math.floor((5 * doy + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 }
}
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Two decimal digits at `at`, or NaN. */
function two(text: string, at: number): number {
  const high = text.charCodeAt(at) - 48
  const low = text.charCodeAt(at + 1) - 48
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN
}

/** Days since the epoch of `YYYY-MM-DD` at the start of the text; NaN if it is none. */
export function parseDate(text: string): number {
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return Number.NaN
  const year = two(text, 0) * 100 + two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return Number.NaN
  return daysFromCivil(year, month, day)
}

/**
 * `YYYY-MM-DDTHH:MM:SS` with any fraction (cut to milliseconds) and `Z`, `+HH:MM`, `+HHMM`, `+HH` or no zone (UTC).
 * A space may stand for the T. Anything else, also an impossible date, gives NaN.
 */
export function parseInstant(text: string): number {
  const days = parseDate(text)
  const separator = text.charCodeAt(10)
  if (separator !== 84 && separator !== 116 && separator !== 32) return Number.NaN
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return Number.NaN
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN
  let at = 19
  let fractionMs = 0
  if (text.charCodeAt(at) === 46 || text.charCodeAt(at) === 44) {
    at++
    const start = at
    let unit = 100
    for (let digit = text.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(at) - 48) {
      fractionMs += digit * unit
      unit = unit === 100 ? 10 : unit === 10 ? 1 : 0
      at++
    }
    if (at === start) return Number.NaN
  }
  const offsetMinutes = parseZone(text, at)
  return days * 86_400_000 + hour * 3_600_000 + (minute - offsetMinutes) * 60_000 + second * 1000 + fractionMs
}
/** Minutes east of UTC of the zone text from `at` to the end. */
function parseZone(text: string, at: number): number {
  if (at === text.length) return 0
  const sign = text.charCodeAt(at)
  if (sign === 90 || sign === 122) return at + 1 === text.length ? 0 : Number.NaN
  if (sign !== 43 && sign !== 45) return Number.NaN
  const hours = two(text, at + 1)
  let minutes = 0
  if (text.length === at + 6 && text.charCodeAt(at + 3) === 58) minutes = two(text, at + 4)
  else if (text.length === at + 5) minutes = two(text, at + 3)
  else if (text.length !== at + 3) return Number.NaN
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  return (sign === 45 ? -1 : 1) * (hours * 60 + minutes)
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

/** `2026-01-01`. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days)
  return `${year < 0 ? `-${pad(-year, 6)}` : year > 9999 ? `+${pad(year, 6)}` : pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}
/** `2026-01-01T00:00:02Z`, or with `.123` when `milliseconds`. Without, what is below a second is cut. */
export function instantText(ms: number, milliseconds = false): string {
  const days = Math.floor(ms / 86_400_000)
  const rest = ms - days * 86_400_000
  const seconds = Math.floor(rest / 1000)
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${dateText(days)}T${time}${milliseconds ? `.${pad(rest % 1000, 3)}` : ''}Z`
}
