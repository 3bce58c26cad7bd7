// Times in place: ISO-8601 instants with any offset and fraction, and dates. The minute read last is remembered, as
// most records of a batch share it. AssemblyScript.
import { LAST_MINUTE, LAST_MINUTE_MS } from '../layout'

const BAD: i32 = -0x7fffffff
const NO_TIME: f64 = -Infinity
const QUOTE: u8 = 0x22

/** `:00.000Z`: the marks, where the digits stand, and their zeros. */
const USUAL_MASK: u64 = ((<u64>0xff000000) << 32) | 0xff0000ff
const USUAL: u64 = ((<u64>0x5a000000) << 32) | 0x2e00003a
const USUAL_DIGITS: u64 = ((<u64>0x00ffffff) << 32) | 0x00ffff00
const USUAL_ZEROS: u64 = ((<u64>0x00303030) << 32) | 0x00303000
const TOPS: u64 = ((<u64>0x80808080) << 32) | 0x80808080
const ABOVE_NINE: u64 = ((<u64>0x76767676) << 32) | 0x76767676

/** The instant read last, ms. */
export let instantMs: f64 = 0
/** The date read last, days since 1970-01-01. */
export let dateDays: i32 = 0

/** Reads the text behind an opening quote; returns the address behind the closing one, 0 if it is no instant. */
export function instantEnd(text: usize): usize {
  const minute = v128.load(text)
  let ms: f64
  if (i8x16.bitmask(i8x16.eq(minute, v128.load(LAST_MINUTE))) === 0xffff) ms = load<f64>(LAST_MINUTE_MS)
  else {
    ms = minuteMs(text)
    if (ms === NO_TIME) return 0
    v128.store(LAST_MINUTE, minute)
    store<f64>(LAST_MINUTE_MS, ms)
  }
  // `:SS.mmmZ"`, as most write it: checked and read at once.
  const rest = load<u64>(text, 16)
  if ((rest & USUAL_MASK) === USUAL && load<u8>(text, 24) === QUOTE) {
    const digits = (rest ^ USUAL_ZEROS) & USUAL_DIGITS
    if ((((digits + ABOVE_NINE) | digits) & TOPS) === 0 && (digits & 0xff00) <= 0x0500) {
      instantMs =
        ms +
        <f64>(
          (<i32>(
            (((digits >> 8) & 15) * 10_000 +
              ((digits >> 16) & 15) * 1000 +
              ((digits >> 32) & 15) * 100 +
              ((digits >> 40) & 15) * 10 +
              ((digits >> 48) & 15))
          ))
        )
      return text + 25
    }
  }
  if (load<u8>(text, 16) !== 0x3a) return 0
  const second = two(text + 17)
  if (<u32>second > 59) return 0
  let at = text + 19
  let below: i32 = second * 1000
  const mark = load<u8>(at)
  if (mark === 0x2e || mark === 0x2c) {
    at++
    let digit = <u32>load<u8>(at) - 48
    if (digit > 9) return 0
    let unit = 100
    while (digit <= 9) {
      below += <i32>digit * unit
      unit = unit === 100 ? 10 : unit === 10 ? 1 : 0
      at++
      digit = <u32>load<u8>(at) - 48
    }
  }
  const zone = load<u8>(at)
  if (zone === 0x5a || zone === 0x7a) at++
  else if (zone === 0x2b || zone === 0x2d) {
    const hours = two(at + 1)
    if (<u32>hours > 23) return 0
    at += 3
    let minutes = 0
    if (load<u8>(at) === 0x3a) {
      minutes = two(at + 1)
      at += 3
    } else if (load<u8>(at) !== QUOTE) {
      minutes = two(at)
      at += 2
    }
    if (<u32>minutes > 59) return 0
    const east = (hours * 60 + minutes) * 60_000
    below -= zone === 0x2d ? -east : east
  }
  if (load<u8>(at) !== QUOTE) return 0
  instantMs = ms + <f64>below
  return at + 1
}

/** Reads `YYYY-MM-DD"`; returns the address behind the quote, or 0. */
export function dateEnd(text: usize): usize {
  const days = daysOf(text)
  if (days === BAD || load<u8>(text, 10) !== QUOTE) return 0
  dateDays = days
  return text + 11
}

/** `YYYY-MM-DDTHH:MM` in ms, or NO_TIME. */
function minuteMs(text: usize): f64 {
  const days = daysOf(text)
  if (days === BAD) return NO_TIME
  const separator = load<u8>(text, 10)
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return NO_TIME
  if (load<u8>(text, 13) !== 0x3a) return NO_TIME
  const hour = two(text + 11)
  const minute = two(text + 14)
  if (<u32>hour > 23 || <u32>minute > 59) return NO_TIME
  return <f64>days * 86_400_000 + <f64>((hour * 60 + minute) * 60_000)
}

/** Two digits, or a negative number. */
function two(at: usize): i32 {
  const high = <u32>load<u8>(at) - 48
  const low = <u32>load<u8>(at, 1) - 48
  return high <= 9 && low <= 9 ? <i32>(high * 10 + low) : -1
}

/** Days since the epoch of `YYYY-MM-DD`, proleptic Gregorian (Howard Hinnant's days_from_civil), or BAD. */
function daysOf(text: usize): i32 {
  if (load<u8>(text, 4) !== 0x2d || load<u8>(text, 7) !== 0x2d) return BAD
  const century = two(text)
  const ofCentury = two(text + 2)
  const month = two(text + 5)
  const day = two(text + 8)
  if (century < 0 || ofCentury < 0 || month < 1 || month > 12 || day < 1) return BAD
  const year = century * 100 + ofCentury
  if (day > daysInMonth(year, month)) return BAD
  const y = month <= 2 ? year - 1 : year
  const era = (y >= 0 ? y : y - 399) / 400
  const yearOfEra = y - era * 400
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
}
function daysInMonth(year: i32, month: i32): i32 {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
