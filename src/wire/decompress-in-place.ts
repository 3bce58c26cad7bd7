// lz4 and snappy into memory where the bytes are wanted: frames and checksums here, blocks by the kernel. Only what is
// right comes out; all else is null, and the decompressors in TypeScript say what is wrong with it.
import { xxhash32 } from '../std/xxhash32.ts'
import type { BlockFunctions } from './block-kernel.ts'

/** Memory to put bytes into. `room` may move what lay there before. */
export interface PlaceForBytes {
  readonly memory: WebAssembly.Memory
  /** What is larger stays outside: such memory never shrinks. */
  readonly sizeBytesMax: number
  room(sizeBytes: number): Uint8Array<ArrayBuffer>
}

const frameMagic = 0x184d2204
const blockBytesMaxByCode = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]
/** No block is denser: a byte of a match length stands for 255. */
const lz4RatioMax = 255
const snappyRatioMax = 64 / 3

/** Input and output side by side in the room: the output first. */
interface Placed {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where the input begins, and the output ends at the latest. */
  readonly input: number
  /** Address of bytes[0]. */
  readonly address: number
}
function placed(place: PlaceForBytes, given: Uint8Array, outputMax: number): Placed {
  const bytes = place.room(outputMax + given.length)
  bytes.set(given, outputMax)
  return { bytes, input: outputMax, address: bytes.byteOffset }
}

interface Lz4Block {
  readonly at: number
  readonly end: number
  readonly stored: boolean
  readonly bytesMax: number
}
export function lz4InPlace(
  functions: BlockFunctions,
  place: PlaceForBytes,
  given: Uint8Array,
  bytesMax: number,
): Uint8Array | null {
  const blocks = lz4Blocks(given)
  if (blocks === null) return null
  const outputMax = blocks.reduce(
    (sum, block) => sum + Math.min(block.bytesMax, (block.end - block.at) * lz4RatioMax),
    0,
  )
  // Rather less than is allowed than one byte too much.
  if (outputMax > bytesMax || outputMax + given.length > place.sizeBytesMax) return null
  const { bytes, input, address } = placed(place, given, outputMax)
  let out = 0
  for (const { at, end, stored, bytesMax: blockMax } of blocks) {
    if (stored) {
      bytes.copyWithin(out, input + at, input + end)
      out += end - at
      continue
    }
    const outEnd = Math.min(out + blockMax, input)
    const next = functions.lz4Block(
      address + input + at,
      address + input + end,
      address + out,
      address + outEnd,
      address,
    )
    if (next === 0) return null
    out = next - address
  }
  return bytes.subarray(0, out)
}
/** Blocks of a single frame without checksums of its content: what Kafka's clients write. Null for any other. */
function lz4Blocks(bytes: Uint8Array): Lz4Block[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 11 || view.getUint32(0, true) !== frameMagic) return null
  const flags = bytes[4]!
  const blockBytesMax = blockBytesMaxByCode[(bytes[5]! >>> 4) & 7]!
  // Version 1, no block checksums, no content checksum, no dictionary.
  if (flags >>> 6 !== 1 || (flags & 0b10101) !== 0 || blockBytesMax === 0) return null
  const checksumAt = 6 + ((flags & 8) !== 0 ? 8 : 0)
  if (checksumAt >= bytes.length || bytes[checksumAt] !== ((xxhash32(bytes, 4, checksumAt) >>> 8) & 0xff)) return null
  const blocks: Lz4Block[] = []
  let at = checksumAt + 1
  for (;;) {
    if (at + 4 > bytes.length) return null
    const mark = view.getUint32(at, true)
    at += 4
    // What follows the end mark would be another frame.
    if (mark === 0) return at === bytes.length ? blocks : null
    const size = mark & 0x7fff_ffff
    if (size > blockBytesMax || at + size > bytes.length) return null
    blocks.push({ at, end: at + size, stored: mark > 0x7fff_ffff, bytesMax: blockBytesMax })
    at += size
  }
}

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const xerialHeaderBytes = 16

interface SnappyBlock {
  /** Behind its length. */
  readonly at: number
  readonly end: number
  readonly bytes: number
}
export function snappyInPlace(
  functions: BlockFunctions,
  place: PlaceForBytes,
  given: Uint8Array,
  bytesMax: number,
): Uint8Array | null {
  const blocks = snappyBlocks(given)
  if (blocks === null) return null
  const size = blocks.reduce((sum, block) => sum + block.bytes, 0)
  if (size > bytesMax || size + given.length > place.sizeBytesMax) return null
  const { bytes, input, address } = placed(place, given, size)
  let out = 0
  for (const { at, end, bytes: blockBytes } of blocks) {
    const from = address + out
    if (
      blockBytes > 0 &&
      functions.snappyBlock(address + input + at, address + input + end, from, from + blockBytes) === 0
    )
      return null
    if (blockBytes === 0 && at !== end) return null
    out += blockBytes
  }
  return bytes.subarray(0, out)
}
function snappyBlocks(bytes: Uint8Array): SnappyBlock[] | null {
  if (!xerialMagic.every((byte, i) => bytes[i] === byte)) {
    const raw = snappyBlock(bytes, 0, bytes.length)
    return raw === null ? null : [raw]
  }
  const blocks: SnappyBlock[] = []
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length) return null
    const size = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    const end = at + 4 + size
    if (size === 0 || end > bytes.length) return null
    const block = snappyBlock(bytes, at + 4, end)
    if (block === null) return null
    blocks.push(block)
    at = end
  }
  return blocks
}
function snappyBlock(bytes: Uint8Array, start: number, end: number): SnappyBlock | null {
  let value = 0
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = bytes[start + i]!
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    return value > (end - start) * snappyRatioMax ? null : { at: start + i + 1, end, bytes: value }
  }
  return null
}
