// The five codecs of a record batch, both ways: none, gzip and zstd through zlib, snappy and lz4 in TypeScript.
// Output is bounded before it is made: a hostile stream costs at most the limits below. `node:zlib` is used here
// alone; it is pure computation (no disk, no clock, no threads in its synchronous form), so the World need not know.
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { unreachable } from '../std/assert.ts'
import { blockKernel } from './block-kernel.ts'
import { lz4InPlace, type PlaceForBytes, snappyInPlace } from './decompress-in-place.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { WireError } from './wire-error.ts'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Bytes that one batch may decompress to. */
export const decompressedBytesMax = 64 * 1024 * 1024
/** How many times its compressed size a batch may decompress to … */
export const decompressionRatioMax = 1_000
/** … though so many bytes are always allowed: a producer's usual batch of equal records compresses beyond any ratio. */
const decompressedBytesFree = 1024 * 1024
/** Largest zstd window we allocate for, as a power of two (64 MiB). */
const zstdWindowLogMax = 26

const codes: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
export const compressionOf = (code: number): Compression | null => codes[code] ?? null
export const compressionCode = (compression: Compression): number => codes.indexOf(compression)

/**
 * Throws a WireError: MESSAGE_TOO_LARGE above the limits, CORRUPT_MESSAGE when the stream is broken. Snappy may be raw
 * or in xerial's framing (both are in use), lz4 is the frame format.
 */
export function decompress(compression: Compression, bytes: Uint8Array): Uint8Array {
  const bytesMax = bytesAllowed(bytes)
  switch (compression) {
    case 'none':
      return bytes
    case 'gzip':
      return throughZlib(compression, bytesMax, () => gunzipSync(bytes, { maxOutputLength: bytesMax }))
    case 'zstd': {
      const params = { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax }
      return throughZlib(compression, bytesMax, () => zstdDecompressSync(bytes, { maxOutputLength: bytesMax, params }))
    }
    case 'snappy':
      return snappyDecompress(bytes, bytesMax)
    case 'lz4':
      return lz4Decompress(bytes, bytesMax)
    default:
      return unreachable(compression)
  }
}

/**
 * The same into memory where the bytes are wanted: lz4 and snappy straight into it, the others by one copy. What is too
 * large for the place stays outside. Valid until the next `room` of the place.
 */
export function decompressInto(compression: Compression, bytes: Uint8Array, place: PlaceForBytes): Uint8Array {
  if (compression === 'lz4' || compression === 'snappy') {
    const functions = blockKernel(place.memory)
    const inPlace = compression === 'lz4' ? lz4InPlace : snappyInPlace
    const done = functions === null ? null : inPlace(functions, place, bytes, bytesAllowed(bytes))
    if (done !== null) return done
  }
  const plain = decompress(compression, bytes)
  if (plain.length > place.sizeBytesMax) return plain
  const room = place.room(plain.length)
  room.set(plain)
  return room
}
function bytesAllowed(bytes: Uint8Array): number {
  const ratioBytes = Math.max(bytes.length * decompressionRatioMax, decompressedBytesFree)
  return Math.min(decompressedBytesMax, ratioBytes)
}

export function compress(compression: Compression, bytes: Uint8Array): Uint8Array {
  switch (compression) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes)
    case 'zstd':
      return zstdCompressSync(bytes)
    case 'snappy':
      return snappyCompress(bytes)
    case 'lz4':
      return lz4Compress(bytes)
    default:
      return unreachable(compression)
  }
}

function throughZlib(compression: Compression, bytesMax: number, run: () => Uint8Array): Uint8Array {
  try {
    return run()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(compression, bytesMax)
    // Everything zlib itself reports carries a Z_ or ZSTD_ code; anything else is not the stream's fault.
    if (/^(Z_|ZSTD_|ERR_)/.test(code)) {
      throw new WireError('CORRUPT_MESSAGE', `broken ${compression} stream: ${code}`, { cause: error })
    }
    throw error
  }
}

const tooLarge = (compression: Compression, bytesMax: number): WireError =>
  new WireError(
    'MESSAGE_TOO_LARGE',
    `a ${compression} batch decompresses to more than ${bytesMax} bytes (limits: ${decompressedBytesMax}, and ${decompressionRatioMax} times its size)`,
  )
