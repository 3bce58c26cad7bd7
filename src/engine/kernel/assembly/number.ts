// Numbers in place: up to 15 digits that count, no exponent; exact in every unit they are wanted in. AssemblyScript.
import { POWERS_F64, POWERS_I64, POWERS_MAX, SAFE_LIMITS } from '../layout'

const DIGITS_MAX: u32 = 18
const MANTISSA_END: i64 = 1_000_000_000_000_000

/** What `numberEnd` read: mantissa without sign, digits behind the point, sign. */
let mantissa: i64 = 0
let decimals: u32 = 0
let negative: bool = false

const ZEROS: u64 = ((<u64>0x30303030) << 32) | 0x30303030
const TOPS: u64 = ((<u64>0x80808080) << 32) | 0x80808080
/** Carries a byte above 9 into its top bit. */
const ABOVE_NINE: u64 = ((<u64>0x76767676) << 32) | 0x76767676

/**
 * Reads a JSON number and returns where it ends; 0 if there is none or it is longer than what is exact here. What fits
 * 8 bytes with the character behind it, and is not negative, is read at once: its digits are moved together and added
 * up by pairs, fours and eights.
 */
export function numberEnd(from: usize): usize {
  const digits = load<u64>(from) ^ ZEROS
  // Above the first byte that is no digit these may be wrong, but for a point: it carries nothing.
  const others = ((digits + ABOVE_NINE) | digits) & TOPS
  const whole = <u32>(ctz(others) >> 3)
  if (others === 0 || whole === 0 || (whole > 1 && (digits & 0xff) === 0)) return longNumberEnd(from)
  negative = false
  if (load<u8>(from + <usize>whole) !== 0x2e) {
    decimals = 0
    mantissa = <i64>eightDigits(digits << ((<u64>(8 - whole)) << 3))
    return from + <usize>whole
  }
  const rest = others & (others - 1)
  if (rest === 0) return longNumberEnd(from)
  const end = <u32>(ctz(rest) >> 3)
  decimals = end - whole - 1
  if (decimals === 0) return 0
  const below = ((<u64>1) << ((<u64>whole) << 3)) - 1
  mantissa = <i64>eightDigits(((digits & below) | ((digits >> 8) & ~below)) << ((<u64>(9 - end)) << 3))
  return from + <usize>end
}
/** Eight digits in the order of their bytes, zeros in front of the first one. */
function eightDigits(digits: u64): u64 {
  const pairs = (digits * 2561) >> 8
  const fours = ((pairs & (((<u64>0x00ff00ff) << 32) | 0x00ff00ff)) * 6553601) >> 16
  return ((fours & (((<u64>0x0000ffff) << 32) | 0x0000ffff)) * 42949672960001) >> 32
}

function longNumberEnd(from: usize): usize {
  let at = from
  negative = load<u8>(at) === 0x2d
  if (negative) at++
  let digit = <u32>load<u8>(at) - 48
  if (digit > 9) return 0
  const first = at
  let value = <i64>digit
  let next = <u32>load<u8>(at, 1) - 48
  at++
  if (digit === 0) {
    if (next <= 9) return 0
  } else
    while (next <= 9) {
      if (<u32>(at - first) >= DIGITS_MAX) return 0
      value = value * 10 + <i64>next
      at++
      next = <u32>load<u8>(at) - 48
    }
  decimals = 0
  if (next + 48 === 0x2e) {
    const point = at++
    digit = <u32>load<u8>(at) - 48
    if (digit > 9) return 0
    while (digit <= 9) {
      if (<u32>(at - first) > DIGITS_MAX) return 0
      value = value * 10 + <i64>digit
      at++
      digit = <u32>load<u8>(at) - 48
    }
    decimals = <u32>(at - point) - 1
  }
  if (value >= MANTISSA_END) return 0
  mantissa = value
  return at
}

/** The number read last as a double: both operands are exact, so the division rounds as a parser must. */
export function asFloat(): f64 {
  if (mantissa === 0) return 0
  const value = <f64>mantissa / load<f64>(POWERS_F64 + ((<usize>decimals) << 3))
  return negative ? -value : value
}
/** As a whole number; NaN if it was written with a fraction. */
export function asInteger(): f64 {
  return decimals === 0 ? <f64>(negative ? -mantissa : mantissa) : NaN
}
/** As an integer at `scale`; NaN if digits beyond the scale count or it is beyond 2^53. */
export function asMinor(scale: u32): f64 {
  let value = mantissa
  if (decimals < scale) {
    const shift = scale - decimals
    if (shift > <u32>POWERS_MAX) {
      if (value !== 0) return NaN
    } else {
      if (value > load<i64>(SAFE_LIMITS + ((<usize>shift) << 3))) return NaN
      value *= load<i64>(POWERS_I64 + ((<usize>shift) << 3))
    }
  } else if (decimals > scale) {
    const factor = load<i64>(POWERS_I64 + ((<usize>(decimals - scale)) << 3))
    const whole = value / factor
    if (whole * factor !== value) return NaN
    value = whole
  }
  return <f64>(negative ? -value : value)
}

/** Where a JSON number of any length without an exponent ends; 0 if there is none. */
export function anyNumberEnd(from: usize): usize {
  let at = from
  if (load<u8>(at) === 0x2d) at++
  const first = <u32>load<u8>(at) - 48
  if (first > 9) return 0
  at++
  if (first === 0) {
    if (<u32>load<u8>(at) - 48 <= 9) return 0
  } else while (<u32>load<u8>(at) - 48 <= 9) at++
  if (load<u8>(at) !== 0x2e) return at
  at++
  if (<u32>load<u8>(at) - 48 > 9) return 0
  while (<u32>load<u8>(at) - 48 <= 9) at++
  return at
}
