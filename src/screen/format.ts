// Figures as people read them. Money stays an integer until it is text: no float ever holds it.
const counts = new Intl.NumberFormat('en')
const oneDecimal = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const clockMinutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** What money is: ISO 4217 code, and decimals of its minor units. */
export interface Money {
  readonly currency: string
  readonly scale: number
}
export const space = '\u00a0'
const minus = '\u2212'

export function countText(value: number): string {
  return counts.format(value)
}
export function timeText(timeMs: number): string {
  return clock.format(timeMs)
}
export function minuteText(timeMs: number): string {
  return clockMinutes.format(timeMs)
}
export const timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone

const symbols = new Map<string, string>()
function symbolOf(currency: string): string {
  let symbol = symbols.get(currency)
  if (symbol === undefined) {
    const parts = new Intl.NumberFormat('en', { style: 'currency', currency }).formatToParts(0)
    symbol = parts.find((part) => part.type === 'currency')?.value ?? currency
    symbols.set(currency, symbol)
  }
  return symbol
}

/** The integer `minor` at `scale` decimals as a decimal text, rounded half away from zero to `decimals`. */
export function decimalText(minor: number, scale: number, decimals: number): string {
  const kept = Math.min(decimals, scale)
  const unit = 10n ** BigInt(scale - kept)
  const magnitude = BigInt(Math.abs(minor))
  const rounded = (magnitude * 2n + unit) / (unit * 2n)
  const digits = rounded.toString().padStart(kept + 1, '0')
  const whole = digits.slice(0, digits.length - kept).replace(/\B(?=(\d{3})+$)/g, ',')
  const sign = minor < 0 && rounded > 0n ? minus : ''
  return kept === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-kept)}`
}

/** Exact, with the currency's symbol: `R$ 142.57`. Two decimals at most, also for currencies kept finer. */
export function moneyText(minor: number, { currency, scale }: Money): string {
  const text = decimalText(minor, scale, 2)
  const symbol = symbolOf(currency)
  return text.startsWith(minus) ? `${minus}${symbol}${space}${text.slice(1)}` : `${symbol}${space}${text}`
}

/** Short enough for a tile: `R$ 1.92 M` from a million on, no decimals from ten thousand on. */
export function moneyShort(minor: number, money: Money): string {
  const { currency, scale } = money
  const million = 10 ** (scale + 6)
  const size = Math.abs(minor)
  const symbol = symbolOf(currency)
  if (size >= 1000 * million) return `${symbol}${space}${decimalText(minor, scale + 9, 2)}${space}B`
  if (size >= million) return `${symbol}${space}${decimalText(minor, scale + 6, 2)}${space}M`
  if (size >= million / 100) return `${symbol}${space}${decimalText(minor, scale, 0)}`
  return moneyText(minor, money)
}

/** `0.3 s`, `12 s`, `4 min`, `2 h`, `3 d`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 9.95) return `${oneDecimal.format(seconds)}${space}s`
  if (seconds < 120) return `${Math.round(seconds)}${space}s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)}${space}min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}${space}h`
  return `${Math.round(seconds / 86_400)}${space}d`
}

export interface Change {
  readonly direction: 'up' | 'down' | 'same'
  readonly text: string
}
/** Against the window before, in percent; null when that was empty. */
export function changeInPercent(now: number, before: number): Change | null {
  if (before <= 0) return null
  const percent = ((now - before) / before) * 100
  const text = `${oneDecimal.format(Math.abs(percent))}%`
  if (text === '0.0%') return { direction: 'same', text: '0' }
  return { direction: percent > 0 ? 'up' : 'down', text }
}
/** Against the window before, as a difference. */
export function changeInCount(now: number, before: number): Change {
  const difference = now - before
  if (difference === 0) return { direction: 'same', text: '0' }
  return { direction: difference > 0 ? 'up' : 'down', text: counts.format(Math.abs(difference)) }
}
