// Times as ISO-8601 text in UTC, and dates: the text of the minute written last is remembered. AssemblyScript.

/** From 0000-01-01 to the end of 9999-12-31: other years have more digits. */
const FIRST_MS: f64 = -62167219200000
const END_MS: f64 = 253402300800000
const FIRST_DAY: f64 = -719528
const END_DAY: f64 = 2932897
const QUOTE: u8 = 0x22
const COLON: u8 = 0x3a

/** `"YYYY-MM-DDTHH:MM:` */
const MINUTE_TEXT = memory.data(32, 16)
const MINUTE_TEXT_BYTES: usize = 18
let lastMinute: f64 = Infinity

export const TO_SECONDS: i32 = 0
export const TO_MILLISECONDS: i32 = 1
/** Milliseconds where they are not 0. */
export const EXACT: i32 = 2

/** Returns where it ends; 0 if it is not for here. */
export function putInstant(at: usize, ms: f64, form: i32): usize {
  if (!(ms >= FIRST_MS && ms < END_MS) || ms !== trunc(ms)) return 0
  const minute = floor(ms / 60_000)
  if (minute !== lastMinute) {
    lastMinute = minute
    writeMinute(minute)
  }
  v128.store(at, v128.load(MINUTE_TEXT))
  store<u16>(at, load<u16>(MINUTE_TEXT, 16), 16)
  at += MINUTE_TEXT_BYTES
  const rest = <u32>(ms - minute * 60_000)
  const second = rest / 1000
  putTwo(at, second)
  at += 2
  const milliseconds = rest - second * 1000
  if (form === TO_MILLISECONDS || (form === EXACT && milliseconds !== 0)) {
    const hundreds = milliseconds / 100
    store<u16>(at, <u16>(0x302e + (hundreds << 8)))
    putTwo(at + 2, milliseconds - hundreds * 100)
    at += 4
  }
  store<u16>(at, 0x225a)
  return at + 2
}

/** Days since 1970-01-01. Returns where it ends; 0 if it is not for here. */
export function putDate(at: usize, days: f64): usize {
  if (!(days >= FIRST_DAY && days < END_DAY) || days !== trunc(days)) return 0
  store<u8>(at, QUOTE)
  writeDay(at + 1, <i32>days)
  store<u8>(at, QUOTE, 11)
  return at + 12
}

function writeMinute(minute: f64): void {
  const day = floor(minute / 1440)
  const ofDay = <u32>(minute - day * 1440)
  store<u8>(MINUTE_TEXT, QUOTE)
  writeDay(MINUTE_TEXT + 1, <i32>day)
  store<u8>(MINUTE_TEXT, 0x54, 11)
  putTwo(MINUTE_TEXT + 12, ofDay / 60)
  store<u8>(MINUTE_TEXT, COLON, 14)
  putTwo(MINUTE_TEXT + 15, ofDay % 60)
  store<u8>(MINUTE_TEXT, COLON, 17)
}

/** `YYYY-MM-DD` of a day of the proleptic Gregorian calendar (Howard Hinnant's civil_from_days). */
function writeDay(at: usize, days: i32): void {
  const z = days + 719468
  const era = (z >= 0 ? z : z - 146096) / 146097
  const dayOfEra = z - era * 146097
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const shifted = (5 * dayOfYear + 2) / 153
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = <u32>(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
  putTwo(at, year / 100)
  putTwo(at + 2, year % 100)
  store<u8>(at, 0x2d, 4)
  putTwo(at + 5, <u32>month)
  store<u8>(at, 0x2d, 7)
  putTwo(at + 8, <u32>(dayOfYear - (153 * shifted + 2) / 5 + 1))
}
function putTwo(at: usize, value: u32): void {
  const tens = value / 10
  store<u16>(at, <u16>(0x3030 + tens + ((value - tens * 10) << 8)))
}
