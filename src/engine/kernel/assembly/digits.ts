// Numbers as JSON writes them, without a string: integers, decimals with as few digits as count, doubles where at most 15
// digits say all. AssemblyScript.
import { TENS_F64, TENS_U64 } from '../encode-layout'

const ZEROS: u64 = ((<u64>0x30303030) << 32) | 0x30303030
const EIGHT: u64 = 100_000_000
/** Above it a double need not be what was meant. */
const SAFE: f64 = 9007199254740991
const FIFTEEN_DIGITS: f64 = 1e15
const POINT: u8 = 0x2e
const MINUS: u8 = 0x2d

/**
 * The eight digits of a number below 10^8 as bytes of their values, the first one lowest: two halves of four digits, then
 * pairs, then single digits, all lanes at once (Paul Khuong, "How to print integers really fast", 2017).
 */
function eightDigits(value: u32): u64 {
  const high = value / 10_000
  const halves = <u64>high | ((<u64>(value - high * 10_000)) << 32)
  const tops = ((halves * 10486) >> 20) & (((<u64>0x7f) << 32) | 0x7f)
  const pairs = ((halves - 100 * tops) << 16) + tops
  const tens = ((pairs * 103) >> 10) & (((<u64>0x000f000f) << 32) | 0x000f000f)
  return tens + ((pairs - 10 * tens) << 8)
}

/** Writes a whole number below 10^16; returns where it ends. */
export function putWhole(at: usize, value: u64): usize {
  if (value < EIGHT) return putShort(at, <u32>value)
  const high = value / EIGHT
  const end = putShort(at, <u32>high)
  store<u64>(end, eightDigits(<u32>(value - high * EIGHT)) | ZEROS)
  return end + 8
}
function putShort(at: usize, value: u32): usize {
  const digits = eightDigits(value)
  const first = value === 0 ? <u64>7 : ctz(digits) >> 3
  store<u64>(at, (digits | ZEROS) >> (first << 3))
  return at + 8 - <usize>first
}
/** Digits behind the point: `fraction` is below 10^scale and not 0; zeros at its end are left out. */
function putFraction(at: usize, fraction: u64, scale: u32): usize {
  store<u8>(at, POINT)
  at++
  if (scale <= 8) return putCounting(at, <u32>(fraction * load<u64>(TENS_U64 + ((<usize>(8 - scale)) << 3))))
  const sixteen = fraction * load<u64>(TENS_U64 + ((<usize>(16 - scale)) << 3))
  const high = sixteen / EIGHT
  const low = <u32>(sixteen - high * EIGHT)
  if (low === 0) return putCounting(at, <u32>high)
  store<u64>(at, eightDigits(<u32>high) | ZEROS)
  return putCounting(at + 8, low)
}
/** Eight digits without the zeros at their end. */
function putCounting(at: usize, value: u32): usize {
  const digits = eightDigits(value)
  store<u64>(at, digits | ZEROS)
  return at + 8 - <usize>(clz(digits) >> 3)
}

/** A number in units of 10^-scale, scale at most 16; returns where it ends, 0 if it is not for here. */
export function putDecimal(at: usize, value: f64, scale: u32): usize {
  const size = abs(value)
  if (!(size <= SAFE) || size !== trunc(size)) return 0
  if (value < 0) {
    store<u8>(at, MINUS)
    at++
  }
  return putScaled(at, <u64>size, scale)
}
function putScaled(at: usize, size: u64, scale: u32): usize {
  if (scale === 0) return putWhole(at, size)
  const unit = load<u64>(TENS_U64 + ((<usize>scale) << 3))
  let whole: u64
  // Half as dear as a division of 64 bits.
  if ((size | unit) >> 32 === 0) whole = <u64>(<u32>size / <u32>unit)
  else whole = size / unit
  const end = putWhole(at, whole)
  const fraction = size - whole * unit
  return fraction === 0 ? end : putFraction(end, fraction, scale)
}

/**
 * A double as `String` writes it; 0 where that takes more than 15 digits or an exponent. Of decimals with at most 15 digits
 * no two are the same double, so the first that reads back as the value is the shortest one.
 */
export function putFloat(at: usize, value: f64): usize {
  const size = abs(value)
  if (size === trunc(size)) return putDecimal(at, value, 0)
  if (!(size >= 1e-6)) return 0
  for (let scale: u32 = 1; scale <= 16; scale++) {
    const unit = load<f64>(TENS_F64 + ((<usize>scale) << 3))
    const scaled = nearest(size * unit)
    if (!(scaled < FIFTEEN_DIGITS)) return 0
    if (scaled / unit !== size) continue
    if (value < 0) {
      store<u8>(at, MINUS)
      at++
    }
    return putScaled(at, <u64>scaled, scale)
  }
  return 0
}
