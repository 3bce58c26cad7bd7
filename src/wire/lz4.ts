// LZ4 frames, both ways (lz4_Frame_format.md and lz4_Block_format.md, v1.6). Every read and write is bounded.
//
// Frame, little-endian: magic 04 22 4d 18, FLG 1, BD 1, [content size 8], [dictionary id 4], header checksum 1
// (second byte of XXH32 over FLG to the byte before it), blocks, end mark 0 (4), [content checksum 4].
// Block: size 4 (top bit: stored, not compressed), bytes, [checksum 4]. FLG: bits 7-6 version 01, 5 independent
// blocks, 4 block checksums, 3 content size, 2 content checksum, 0 dictionary.
// Inside a block: token (literal length, match length - 4, four bits each; 15: more bytes follow, 255 each time),
// literals, offset 2, ...; the last sequence has literals only.
import { xxhash32 } from '../std/xxhash32.ts'
import { WireError } from './wire-error.ts'

const frameMagic = 0x184d2204
const blockBytesMaxByCode = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]

const broken = (what: string): WireError => new WireError('CORRUPT_MESSAGE', `broken lz4 stream: ${what}`)
const tooLarge = (bytesMax: number): WireError =>
  new WireError('MESSAGE_TOO_LARGE', `an lz4 batch decompresses to more than ${bytesMax} bytes`)
/** 32 bits as a signed number, for comparing; `>>> 0` where it is a size. */
const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

/** Decompresses one frame (or several, one after the other). Throws a WireError. */
export function lz4Decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const output = new Output(bytesMax, bytes.length * 4)
  let at = 0
  while (at < bytes.length) at = frame(bytes, at, output)
  return output.bytes.subarray(0, output.size)
}

/** Grows by doubling as blocks ask for room: claimed sizes allocate nothing. */
class Output {
  readonly bytesMax: number
  bytes: Uint8Array
  size = 0
  constructor(bytesMax: number, initialBytes: number) {
    this.bytesMax = bytesMax
    this.bytes = new Uint8Array(Math.min(bytesMax, Math.max(256, initialBytes)))
  }
  grow(bytes: number): void {
    if (bytes > this.bytesMax) throw tooLarge(this.bytesMax)
    const grown = new Uint8Array(Math.min(this.bytesMax, Math.max(bytes, this.bytes.length * 2)))
    grown.set(this.bytes.subarray(0, this.size))
    this.bytes = grown
  }
}

function frame(bytes: Uint8Array, start: number, output: Output): number {
  if (start + 7 > bytes.length || word(bytes, start) !== frameMagic) throw broken(`no frame at byte ${start}`)
  const flags = bytes[start + 4]!
  const blockBytesMax = blockBytesMaxByCode[(bytes[start + 5]! >>> 4) & 7]!
  if (flags >>> 6 !== 1) throw broken(`frame version ${flags >>> 6}`)
  if ((flags & 1) !== 0) throw broken('a dictionary is asked for')
  if (blockBytesMax === 0) throw broken('an undefined block size')
  const checksumAt = start + 6 + ((flags & 8) !== 0 ? 8 : 0)
  if (checksumAt >= bytes.length) throw broken('the frame header is cut off')
  if (bytes[checksumAt] !== ((xxhash32(bytes, start + 4, checksumAt) >>> 8) & 0xff)) throw broken('header checksum')
  const blockChecksums = (flags & 16) !== 0
  const frameStart = output.size
  let at = checksumAt + 1
  for (;;) {
    if (at + 4 > bytes.length) throw broken('no end mark')
    const mark = word(bytes, at) >>> 0
    at += 4
    if (mark === 0) break
    const size = mark & 0x7fff_ffff
    const end = at + size
    if (size > blockBytesMax || end + (blockChecksums ? 4 : 0) > bytes.length) throw broken(`a block of ${size} bytes`)
    if (blockChecksums && xxhash32(bytes, at, end) !== word(bytes, end) >>> 0) throw broken('block checksum')
    if (mark > 0x7fff_ffff) {
      if (output.size + size > output.bytes.length) output.grow(output.size + size)
      output.bytes.set(bytes.subarray(at, end), output.size)
      output.size += size
    } else block(bytes, at, end, output, frameStart, blockBytesMax)
    at = end + (blockChecksums ? 4 : 0)
  }
  if ((flags & 4) === 0) return at
  if (at + 4 > bytes.length) throw broken('the content checksum is cut off')
  if (xxhash32(output.bytes, frameStart, output.size) !== word(bytes, at) >>> 0) throw broken('content checksum')
  return at + 4
}

/** Linked blocks may refer back into earlier ones of their frame: everything from `frameStart` on is in reach. */
function block(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: Output,
  frameStart: number,
  blockBytesMax: number,
): void {
  let into = output.bytes
  let room = into.length
  let out = output.size
  const outMax = out + blockBytesMax
  let at = start
  for (;;) {
    if (at >= end) throw broken('a block ends without its last literals')
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (at >= end) throw broken('a literal length is cut off')
        more = bytes[at++]!
        literals += more
      }
    }
    if (at + literals > end || out + literals > outMax) throw broken(`${literals} literals at byte ${at}`)
    if (out + literals > room) {
      output.size = out
      output.grow(out + literals)
      into = output.bytes
      room = into.length
    }
    if (literals <= 32) for (let i = 0; i < literals; i++) into[out + i] = bytes[at + i]!
    else into.set(bytes.subarray(at, at + literals), out)
    at += literals
    out += literals
    if (at === end) break
    if (at + 2 > end) throw broken('a match is cut off')
    const offset = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    let length = (token & 15) + 4
    if (length === 19) {
      let more = 255
      while (more === 255) {
        if (at >= end) throw broken('a match length is cut off')
        more = bytes[at++]!
        length += more
      }
    }
    const from = out - offset
    if (offset === 0 || from < frameStart || out + length > outMax) {
      throw broken(`a match of ${length} bytes from ${offset} bytes before byte ${out}`)
    }
    if (out + length > room) {
      output.size = out
      output.grow(out + length)
      into = output.bytes
      room = into.length
    }
    if (offset >= length && length > 32) into.copyWithin(out, from, from + length)
    else for (let i = 0; i < length; i++) into[out + i] = into[from + i]!
    out += length
  }
  output.size = out
}

const writtenBlockBytes = 64 * 1024
const hashBits = 14
const hashTable = new Int32Array(1 << hashBits)

/** Greedy and simple: one frame of independent 64 KiB blocks, as Kafka's Java producer frames them. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / writtenBlockBytes)
  const into = new Uint8Array(7 + blocks * 4 + bytes.length + 4)
  const view = new DataView(into.buffer)
  view.setUint32(0, frameMagic, true)
  into[4] = 0x60
  into[5] = 0x40
  into[6] = xxhash32(into, 4, 6) >>> 8
  let out = 7
  const scratch = new Uint8Array(writtenBlockBytes + Math.ceil(writtenBlockBytes / 255) + 16)
  for (let start = 0; start < bytes.length; start += writtenBlockBytes) {
    const end = Math.min(bytes.length, start + writtenBlockBytes)
    const size = compressBlock(bytes, start, end, scratch)
    const stored = size >= end - start
    const body = stored ? bytes.subarray(start, end) : scratch.subarray(0, size)
    view.setUint32(out, stored ? (body.length | 0x8000_0000) >>> 0 : body.length, true)
    into.set(body, out + 4)
    out += 4 + body.length
  }
  return into.slice(0, out + 4)
}

function compressBlock(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  hashTable.fill(0)
  let out = 0
  let literalStart = start
  let at = start
  // The format's end rules: the last match begins 12 bytes before the end, and the last 5 bytes are literals.
  const matchStartMax = end - 12
  while (at <= matchStartMax) {
    const here = word(bytes, at)
    const slot = Math.imul(here, 0x9e3779b1) >>> (32 - hashBits)
    const candidate = hashTable[slot]! - 1
    hashTable[slot] = at + 1
    // Blocks have 64 KiB, so only the very first byte of one could be out of a 16-bit offset's reach.
    if (candidate < start || at - candidate > 0xffff || word(bytes, candidate) !== here) {
      at += 1 + ((at - literalStart) >>> 6)
      continue
    }
    let length = 4
    while (at + length < end - 5 && bytes[candidate + length] === bytes[at + length]) length++
    out = sequence(bytes, literalStart, at, into, out, length - 4)
    into[out++] = at - candidate
    into[out++] = (at - candidate) >>> 8
    for (let left = length - 4 - 15; left >= 0; left -= 255) into[out++] = Math.min(left, 255)
    at += length
    literalStart = at
  }
  return sequence(bytes, literalStart, end, into, out, 0)
}

/** Token, literal length and literals; the caller adds the match. */
function sequence(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  out: number,
  matchRest: number,
): number {
  const literals = end - start
  into[out++] = (Math.min(literals, 15) << 4) | Math.min(matchRest, 15)
  for (let left = literals - 15; left >= 0; left -= 255) into[out++] = Math.min(left, 255)
  into.set(bytes.subarray(start, end), out)
  return out + literals
}
