// XXH32 (Yann Collet's xxHash, 32 bits): the checksum inside LZ4 frames.

const prime1 = 0x9e3779b1 | 0
const prime2 = 0x85ebca77 | 0
const prime3 = 0xc2b2ae3d | 0
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
const round = (lane: number, input: number): number =>
  Math.imul(rotate((lane + Math.imul(input, prime2)) | 0, 13), prime1)

/** The hash of `bytes[start, end)` with seed 0, unsigned. */
export function xxhash32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let at = start
  let hash: number
  if (end - start >= 16) {
    let a = (prime1 + prime2) | 0
    let b = prime2
    let c = 0
    let d = -prime1 | 0
    for (; at + 16 <= end; at += 16) {
      a = round(a, word(bytes, at))
      b = round(b, word(bytes, at + 4))
      c = round(c, word(bytes, at + 8))
      d = round(d, word(bytes, at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  } else hash = prime5
  hash = (hash + (end - start)) | 0
  for (; at + 4 <= end; at += 4) hash = Math.imul(rotate((hash + Math.imul(word(bytes, at), prime3)) | 0, 17), prime4)
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, prime5)) | 0, 11), prime1)
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}
