// Finds the newlines of a stretch of bytes, 16 at a time. AssemblyScript.

const NEWLINE: u8 = 0x0a

/**
 * Writes where newlines stand in [from, end), less `base`, as i32 to `into`: at most `max` of them. Returns how many.
 * Bytes up to 63 past the end are read.
 */
export function newlines(from: usize, end: usize, base: usize, into: usize, max: i32): i32 {
  const wanted = i8x16.splat(NEWLINE)
  let count = 0
  for (let at = from; at < end; at += 64) {
    const a = i8x16.eq(v128.load(at), wanted)
    const b = i8x16.eq(v128.load(at, 16), wanted)
    const c = i8x16.eq(v128.load(at, 32), wanted)
    const d = i8x16.eq(v128.load(at, 48), wanted)
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
    let found =
      <u64>i8x16.bitmask(a) |
      ((<u64>i8x16.bitmask(b)) << 16) |
      ((<u64>i8x16.bitmask(c)) << 32) |
      ((<u64>i8x16.bitmask(d)) << 48)
    if (at + 64 > end) found &= ~((<u64>-1) << (<u64>(end - at)))
    while (found !== 0) {
      if (count === max) return count
      store<i32>(into + ((<usize>count) << 2), <i32>(at + <usize>ctz(found) - base))
      count++
      found &= found - 1
    }
  }
  return count
}
