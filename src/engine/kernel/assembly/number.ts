// Numbers in place: up to 15 digits that count, no exponent; exact in every unit they are wanted in. AssemblyScript.
import { POWERS_F64, POWERS_I64, POWERS_MAX, SAFE_LIMITS } from '../layout'

const DIGITS_MAX: u32 = 18
const MANTISSA_END: i64 = 1_000_000_000_000_000

/** What `numberEnd` read: mantissa without sign, digits behind the point, sign. */
let mantissa: i64 = 0
let decimals: u32 = 0
let negative: bool = false

/** Reads a JSON number and returns where it ends; 0 if there is none or it is longer than what is exact here. */
export function numberEnd(from: usize): usize {
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
