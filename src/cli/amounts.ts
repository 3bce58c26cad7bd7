// Numbers and durations as people type and read them: `60s`, `15m`, `1_000`, `12.3 s`, `541,909`.
import { CommandError, exitCodes } from './errors.ts'

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const durationMsMax = 3650 * 86_400_000

function refuse(flag: string, value: string, cause: string, cure: string): never {
  throw new CommandError(exitCodes.usage, { what: `${flag} cannot be used as given`, where: flag, value, cause, cure })
}

/** `90s`, `15m`, `1h30m`, `1.5h`, `250ms`; a bare number is seconds. Above zero, at most ten years. */
export function parseDurationMs(flag: string, text: string): number {
  const bare = /^\d+(\.\d+)?$/.test(text)
  const parts = bare ? [[text, text, 's']] : [...text.matchAll(/(\d+(?:\.\d+)?)(ms|min|s|m|h|d)/g)]
  const whole = parts.map((part) => part[0]).join('') === text && parts.length > 0
  const ms = parts.reduce((sum, part) => sum + Number(part[1]) * (unitMs[part[2] ?? 's'] ?? Number.NaN), 0)
  if (!whole || !(ms > 0)) refuse(flag, text, 'it is no duration', `write it like ${flag} 60s, 15m or 1h30m`)
  if (ms > durationMsMax) refuse(flag, text, 'it is longer than ten years', 'give a shorter one')
  return Math.round(ms)
}

/** A number of events a second, above zero; `10k` and `1_000` are fine. */
export function parseRate(flag: string, text: string): number {
  const found = /^(\d[\d_]*(?:\.\d+)?)(k|M)?$/.exec(text)
  const rate = found
    ? Number((found[1] ?? '').replaceAll('_', '')) * ({ k: 1_000, M: 1_000_000 }[found[2] ?? ''] ?? 1)
    : Number.NaN
  if (!(rate > 0)) refuse(flag, text, 'it is no rate above zero', `write events a second, like ${flag} 50 or 10k`)
  if (rate > 10_000_000) refuse(flag, text, 'more than ten million a second cannot be made', 'give a lower rate')
  return rate
}

/** A whole number from 1 to `max`; `10k` and `1_000` are fine. */
export function parseCount(flag: string, text: string, max: number): number {
  const found = /^(\d[\d_]*)(k|M)?$/.exec(text)
  const count = found
    ? Number((found[1] ?? '').replaceAll('_', '')) * ({ k: 1_000, M: 1_000_000 }[found[2] ?? ''] ?? 1)
    : Number.NaN
  if (!(count >= 1 && count <= max))
    refuse(flag, text, `it is no whole number from 1 to ${formatCount(max)}`, `write it like ${flag} 20`)
  return count
}

/** How many times as much: above zero, at most 30. */
export function parseFactor(flag: string, text: string): number {
  const factor = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(factor > 0 && factor <= 30))
    refuse(flag, text, 'it is no number above 0 and up to 30', `write it like ${flag} 2`)
  return factor
}

/** A TCP port; 0 means any free one. */
export function parsePort(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    refuse(flag, text, 'it is no port', 'give a number from 0 to 65535; 0 picks a free one')
  return Number(text)
}

/** `host:port,host:port`. */
export function parseBrokers(flag: string, text: string): readonly string[] {
  const brokers = text.split(',').map((part) => part.trim())
  for (const broker of brokers)
    if (!/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(broker))
      refuse(flag, broker, 'it is no address', `write it like ${flag} 127.0.0.1:9092`)
  return brokers
}

/** `http://host:port`, without what follows. */
export function parseUrl(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    refuse(flag, text, 'it is no http address', `write it like ${flag} http://127.0.0.1:8080`)
  return url.origin
}

export const formatCount = (count: number): string => count.toLocaleString('en-US')

/** `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.round((seconds % 3_600) / 60)} min`
}

/** `812 B`, `4.0 MiB`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Money in minor units as a decimal for people: `1,509,496.33`. */
export function formatMinor(minor: number, scale: number): string {
  const digits = String(Math.abs(minor)).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${minor < 0 ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(digits.length - scale)}` : ''}`
}

/** Money in minor units as the JSON number people write: 82374614 at scale 2 is 823746.14, the nearest double to it. */
export function minorAsNumber(minor: number, scale: number): number {
  return Number(formatMinor(minor, scale).replaceAll(',', ''))
}
