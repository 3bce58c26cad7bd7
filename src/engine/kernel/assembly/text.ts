// Strings in place: finds their end 16 bytes at a time, proves UTF-8, hashes and compares. AssemblyScript.
import { FIRST_BYTES } from '../layout'

const QUOTE: u8 = 0x22
const BACKSLASH: u8 = 0x5c

/**
 * From behind the opening quote to the closing one; 0 if there is none, or an escape, a control character or bytes that
 * are not UTF-8 come first.
 */
export function textEnd(from: usize): usize {
  let at = from
  const quotes = i8x16.splat(QUOTE)
  const backslashes = i8x16.splat(BACKSLASH)
  // Signed: below a space are control characters and everything from 0x80 up.
  const spaces = i8x16.splat(0x20)
  while (true) {
    const bytes = v128.load(at)
    const special = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)), i8x16.lt_s(bytes, spaces)),
    )
    if (special === 0) {
      at += 16
      continue
    }
    at += ctz(special)
    const byte = <u32>load<u8>(at)
    if (byte === <u32>QUOTE) return at
    if (byte < 0x80) return 0
    const size = utf8Size(at, byte)
    if (size === 0) return 0
    at += size
  }
}

/** Bytes of the well-formed UTF-8 sequence at `at` that begins with `lead` >= 0x80; 0 if it is none (Unicode, table 3-7). */
function utf8Size(at: usize, lead: u32): usize {
  if (lead < 0xc2 || lead > 0xf4) return 0
  const second = <u32>load<u8>(at, 1)
  if (lead < 0xe0) return (second & 0xc0) === 0x80 ? 2 : 0
  const third = <u32>load<u8>(at, 2)
  if ((third & 0xc0) !== 0x80) return 0
  if (lead < 0xf0) {
    const lowest: u32 = lead === 0xe0 ? 0xa0 : 0x80
    const highest: u32 = lead === 0xed ? 0x9f : 0xbf
    return second >= lowest && second <= highest ? 3 : 0
  }
  const lowest: u32 = lead === 0xf0 ? 0x90 : 0x80
  const highest: u32 = lead === 0xf4 ? 0x8f : 0xbf
  const fourth = <u32>load<u8>(at, 3)
  return second >= lowest && second <= highest && (fourth & 0xc0) === 0x80 ? 4 : 0
}

/** From anywhere in a text to its quote, or to an escape or control character: no look at UTF-8. */
export function uncheckedEnd(from: usize): usize {
  let at = from
  while (true) {
    const stops = textStops(at)
    if (stops !== 0) return at + <usize>ctz(stops)
    at += 16
  }
}
/** Bits where a text of 16 bytes may end: quotes, escapes, control characters. */
export function textStops(at: usize): u32 {
  const block = v128.load(at)
  // Without its second bit a quote is a space, and what lies below a space stays there.
  const low = i8x16.le_u(v128.xor(block, i8x16.splat(2)), i8x16.splat(0x20))
  return <u32>i8x16.bitmask(v128.or(low, i8x16.eq(block, i8x16.splat(BACKSLASH))))
}

/** Ones where the first `length` <= 32 bytes of a text are, of its first 16 and its second. */
export function firstMask(length: u32): v128 {
  return v128.load(FIRST_BYTES + 32 - <usize>length)
}
export function secondMask(length: u32): v128 {
  return v128.load(FIRST_BYTES + 48 - <usize>length)
}

const HASH_FACTOR: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15
const OTHER_FACTOR: u64 = ((<u64>0xc2b2ae3d) << 32) | 0x27d4eb4f
const THIRD_FACTOR: u64 = ((<u64>0x165667b1) << 32) | 0x9e3779f9
const FOURTH_FACTOR: u64 = ((<u64>0xff51afd7) << 32) | 0xed558ccd

/**
 * For the tables in this memory only: every bit of it counts, as words are told by the lowest and the highest. Texts of up
 * to 32 bytes: in two blocks, zeros behind their end.
 */
export function hashOfShort(first: v128, second: v128, length: u32): u32 {
  const mixed =
    (i64x2.extract_lane(first, 0) + <u64>length) * HASH_FACTOR +
    rotl<u64>(i64x2.extract_lane(first, 1) * OTHER_FACTOR, 32) +
    ((i64x2.extract_lane(second, 0) * THIRD_FACTOR) ^ rotl<u64>(i64x2.extract_lane(second, 1) * FOURTH_FACTOR, 32))
  const folded = mixed ^ (mixed >> 32)
  return <u32>(folded ^ (folded >> 15))
}
/** The same for any length. */
export function hashOf(text: usize, length: u32): u32 {
  if (length <= 32)
    return hashOfShort(
      v128.and(v128.load(text), firstMask(length)),
      v128.and(v128.load(text, 16), secondMask(length)),
      length,
    )
  let hash = (<u64>length + 1) * HASH_FACTOR
  let at = text
  let left = length
  while (left > 32) {
    hash = (hash ^ load<u64>(at)) * HASH_FACTOR + rotl<u64>((hash ^ load<u64>(at, 8)) * OTHER_FACTOR, 32)
    at += 16
    left -= 16
  }
  const first = v128.and(v128.load(at), firstMask(left))
  const second = v128.and(v128.load(at, 16), secondMask(left))
  hash ^= hash >> 32
  return hashOfShort(v128.xor(first, i64x2(hash, hash * OTHER_FACTOR)), second, length)
}

/** Both may be read up to 15 bytes past their end. */
export function sameBytes(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0
  while (at + 16 <= length) {
    if (i8x16.bitmask(i8x16.eq(v128.load(a + at), v128.load(b + at))) !== 0xffff) return false
    at += 16
  }
  if (at === length) return true
  const wanted = (1 << (length - at)) - 1
  return (i8x16.bitmask(i8x16.eq(v128.load(a + at), v128.load(b + at))) & wanted) === wanted
}

/** Is it a UUID in its form of 36 characters, hexadecimal digits of either case? */
export function isUuid(text: usize, length: u32): bool {
  if (length !== 36) return false
  const dash: u8 = 0x2d
  if (load<u8>(text, 8) !== dash || load<u8>(text, 13) !== dash) return false
  if (load<u8>(text, 18) !== dash || load<u8>(text, 23) !== dash) return false
  return (
    (hexDigits(text) | 0x2100) === 0xffff &&
    (hexDigits(text + 16) | 0x0084) === 0xffff &&
    (hexDigits(text + 20) | 0x0008) === 0xffff
  )
}
function hexDigits(at: usize): i32 {
  const bytes = v128.load(at)
  const digits = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10))
  const letters = i8x16.lt_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(6))
  return i8x16.bitmask(v128.or(digits, letters))
}
