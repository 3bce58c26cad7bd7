// Snappy, both ways (google/snappy format_description.txt), raw and in the framing of xerial's snappy-java that Kafka
// clients of the JVM write. Every read and write is bounded.
//
// Raw: uncompressed length as a little-endian base-128 varint, then elements. Low two bits of a tag byte: 00 literal
// (length - 1 in the upper six bits; 60 to 63: in the next 1 to 4 bytes), 01 copy of 4 to 11 bytes with an 11-bit
// offset, 10 copy of 1 to 64 bytes with a 16-bit offset, 11 the same with a 32-bit offset.
// Xerial: 82 "SNAPPY" 00, version 4, compatible version 4, then (length 4 big-endian, raw block)*.
import { WireError } from './wire-error.ts'

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const xerialHeaderBytes = 16
/** What we put into one xerial block: snappy-java's default, which every reader's buffers allow. */
const xerialBlockBytes = 32 * 1024
/** No raw stream is denser: a copy of 64 bytes takes at least 3. A length that claims more is a lie. */
const densestRatio = 64 / 3

const broken = (what: string): WireError => new WireError('CORRUPT_MESSAGE', `broken snappy stream: ${what}`)
const tooLarge = (bytes: number, bytesMax: number): WireError =>
  new WireError('MESSAGE_TOO_LARGE', `a snappy batch decompresses to ${bytes} bytes, allowed are ${bytesMax}`)

/** Raw or xerial, told apart by the first bytes. Throws a WireError. */
export function snappyDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!xerialMagic.every((byte, i) => bytes[i] === byte)) {
    const size = rawLength(bytes, 0, bytes.length)
    if (size > bytesMax) throw tooLarge(size, bytesMax)
    const into = new Uint8Array(size)
    decompressRaw(bytes, 0, bytes.length, into, 0, size)
    return into
  }
  // Two passes: the sum of the blocks' lengths first, so that the output is allocated once.
  let size = 0
  for (let at = xerialHeaderBytes; at < bytes.length; at = blockEnd(bytes, at)) {
    size += rawLength(bytes, at + 4, blockEnd(bytes, at))
    if (size > bytesMax) throw tooLarge(size, bytesMax)
  }
  const into = new Uint8Array(size)
  let out = 0
  for (let at = xerialHeaderBytes; at < bytes.length; at = blockEnd(bytes, at)) {
    const end = blockEnd(bytes, at)
    const blockSize = rawLength(bytes, at + 4, end)
    decompressRaw(bytes, at + 4, end, into, out, out + blockSize)
    out += blockSize
  }
  return into
}

function blockEnd(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw broken('a block length is cut off')
  const size = bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
  if (size === 0 || at + 4 + size > bytes.length) throw broken(`a block of ${size} bytes at byte ${at}`)
  return at + 4 + size
}

/** The uncompressed length a raw stream claims, checked against what its bytes could hold. */
function rawLength(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = bytes[start + i]!
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) {
      if (value > (end - start) * densestRatio) throw broken(`${end - start} bytes cannot hold ${value}`)
      return value
    }
  }
  throw broken('no length')
}

/** Decompresses `bytes[start, end)` into exactly `into[outStart, outEnd)`. */
function decompressRaw(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  outStart: number,
  outEnd: number,
): void {
  let at = start
  while (bytes[at]! >= 0x80) at++
  at++
  let out = outStart
  while (at < end) {
    const tag = bytes[at++]!
    const kind = tag & 3
    let length: number
    let offset: number
    if (kind === 0) {
      length = (tag >>> 2) + 1
      if (length > 60) {
        const lengthBytes = length - 60
        if (at + lengthBytes > end) throw broken('a literal length is cut off')
        length = 1
        for (let i = 0; i < lengthBytes; i++) length += bytes[at + i]! * 2 ** (8 * i)
        at += lengthBytes
      }
      if (at + length > end || out + length > outEnd) throw broken(`a literal of ${length} bytes at byte ${at}`)
      // Short literals are many: a loop beats the call of a native copy.
      if (length <= 32) for (let i = 0; i < length; i++) into[out + i] = bytes[at + i]!
      else into.set(bytes.subarray(at, at + length), out)
      at += length
      out += length
      continue
    }
    if (kind === 1) {
      if (at + 1 > end) throw broken('a copy is cut off')
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | bytes[at]!
      at += 1
    } else if (kind === 2) {
      if (at + 2 > end) throw broken('a copy is cut off')
      length = (tag >>> 2) + 1
      offset = bytes[at]! | (bytes[at + 1]! << 8)
      at += 2
    } else {
      if (at + 4 > end) throw broken('a copy is cut off')
      length = (tag >>> 2) + 1
      offset = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
      at += 4
    }
    const from = out - offset
    if (offset === 0 || from < outStart || out + length > outEnd) {
      throw broken(`a copy of ${length} bytes from ${offset} bytes before byte ${out}`)
    }
    for (let i = 0; i < length; i++) into[out + i] = into[from + i]!
    out += length
  }
  if (out !== outEnd) throw broken(`${outEnd - outStart} bytes were announced, ${out - outStart} came`)
}

const hashBits = 14
const hashTable = new Int32Array(1 << hashBits)
const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

/** Greedy and simple, in xerial's framing; matches are looked for inside one block, so a 16-bit offset always does. */
export function snappyCompress(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / xerialBlockBytes))
  // Worst case of a block: all literals, one tag of 3 bytes each 64 KiB, a length of 3 bytes; snappy's own bound is wider.
  const into = new Uint8Array(
    xerialHeaderBytes + blocks * (4 + 32 + xerialBlockBytes + Math.ceil(xerialBlockBytes / 6)),
  )
  into.set(xerialMagic)
  into[11] = 1
  into[15] = 1
  let out = xerialHeaderBytes
  for (let start = 0; start === 0 || start < bytes.length; start += xerialBlockBytes) {
    const end = Math.min(bytes.length, start + xerialBlockBytes)
    const blockStart = out + 4
    const blockBytes = compressRaw(bytes, start, end, into, blockStart) - blockStart
    into[out] = blockBytes >>> 24
    into[out + 1] = blockBytes >>> 16
    into[out + 2] = blockBytes >>> 8
    into[out + 3] = blockBytes
    out = blockStart + blockBytes
  }
  return into.slice(0, out)
}

/** Writes the raw form of `bytes[start, end)` at `out`, which has room for it; returns where it ends. */
function compressRaw(bytes: Uint8Array, start: number, end: number, into: Uint8Array, out: number): number {
  let size = end - start
  for (; size > 0x7f; size >>>= 7) into[out++] = (size & 0x7f) | 0x80
  into[out++] = size
  // Slots hold position + 1 so that 0 means empty; positions of earlier blocks lie before `start` and are refused.
  hashTable.fill(0)
  let literalStart = start
  let at = start
  while (at + 4 <= end) {
    const here = word(bytes, at)
    const slot = Math.imul(here, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = hashTable[slot]! - 1
    hashTable[slot] = at + 1
    if (candidate < start || word(bytes, candidate) !== here) {
      // The longer nothing matches, the larger the steps: incompressible bytes pass quickly.
      at += 1 + ((at - literalStart) >>> 5)
      continue
    }
    let length = 4
    while (at + length < end && bytes[candidate + length] === bytes[at + length]) length++
    out = literal(bytes, literalStart, at, into, out)
    const offset = at - candidate
    for (let left = length; left > 0; ) {
      const piece = Math.min(left, 64)
      into[out++] = ((piece - 1) << 2) | 2
      into[out++] = offset
      into[out++] = offset >>> 8
      left -= piece
    }
    at += length
    literalStart = at
  }
  return literal(bytes, literalStart, end, into, out)
}

function literal(bytes: Uint8Array, start: number, end: number, into: Uint8Array, out: number): number {
  const length = end - start
  if (length === 0) return out
  if (length <= 60) into[out++] = (length - 1) << 2
  else if (length <= 256) {
    into[out++] = 60 << 2
    into[out++] = length - 1
  } else {
    into[out++] = 61 << 2
    into[out++] = length - 1
    into[out++] = (length - 1) >>> 8
  }
  into.set(bytes.subarray(start, end), out)
  return out + length
}
