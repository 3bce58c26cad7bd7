// Where bytes lie in a segment file: 64 KiB blocks, each with a header; entries flow through what is left of them.
//
// A file `journal/<start LSN, 20 digits>.journal` is a row of blocks of 65,536 bytes (the last one may be shorter).
// All integers are big-endian. Changing anything here needs a format version.
//
//   block header, 32 bytes
//    0  4  magic "MLBK"
//    4  4  CRC-32C of bytes 8..31
//    8  4  salt of the segment (random; tells our blocks from what a recycled disk block may still hold)
//   12  4  generation of the segment (each new segment has a higher one)
//   16  4  index of the block in the file
//   20  4  where the first entry header that starts in this block lies, from the block's begin; 0 = none starts here
//   24  8  zero
//
// The bodies (65,504 bytes each) joined are one stream; a *position* is a place in this stream, so position and place
// in the file are arithmetic of each other. The stream begins with the segment header:
//
//   segment header, 64 bytes
//    0  4  magic "MLSG"
//    4  4  CRC-32C of bytes 8..63
//    8  2  format version
//   10  2  flags: bit 0 = written by a recovery (a copy of the entries that no later entry had witnessed)
//   12  4  bytes of a block
//   16  4  salt
//   20  4  generation
//   24  8  start LSN: of the first entry, and the name of the file
//   32  8  witness: the highest LSN known durable once this header is durable
//   40  8  created, ms since 1970
//   48 16  id of the journal
//
// then entries (entry.ts). An entry's header never crosses a block: where fewer than 80 bytes are left in a block they
// are zero and the entry starts in the next one. Of two segments that hold the same LSN the one of the higher
// generation is right: a segment is void from the start of any later-generation segment on.
import { crc32c } from '../../std/crc32c.ts'
import { readU32, readU64, writeU32, writeU64 } from './big-endian.ts'
import { JournalError } from './journal-error.ts'

export const blockBytes = 65_536
export const blockHeaderBytes = 32
export const blockBodyBytes = blockBytes - blockHeaderBytes
export const segmentHeaderBytes = 64
export const entryHeaderBytes = 80
export const formatVersion = 1

const blockMagic = 0x4d4c424b
const segmentMagic = 0x4d4c5347

/** Which segment a block or entry belongs to. */
export interface SegmentIdentity {
  readonly salt: number
  readonly generation: number
}

// --- Positions ---

/** Place in the file of a position of the stream. */
export function placeOf(position: number): number {
  const block = Math.floor(position / blockBodyBytes)
  return block * blockHeaderBytes + blockHeaderBytes + position
}
/** Length of a file that holds the stream up to `position`. */
export function fileBytesOf(position: number): number {
  return position % blockBodyBytes === 0 ? (position / blockBodyBytes) * blockBytes : placeOf(position)
}
/** Bytes of body left in the block that holds `position`. */
export function bodyLeft(position: number): number {
  return blockBodyBytes - (position % blockBodyBytes)
}
/** Where an entry that follows `position` starts. */
export function entryStart(position: number): number {
  const left = bodyLeft(position)
  return left < entryHeaderBytes ? position + left : position
}
export function positionInBlock(block: number, offsetInBlock: number): number {
  return block * blockBodyBytes + offsetInBlock - blockHeaderBytes
}

// --- Block headers ---

/** `spanning`: bytes of the entry that began in an earlier block and still follow. */
export function writeBlockHeader(
  bytes: Uint8Array,
  at: number,
  identity: SegmentIdentity,
  block: number,
  spanning: number,
): void {
  const first = blockHeaderBytes + spanning
  bytes.fill(0, at, at + blockHeaderBytes)
  writeU32(bytes, at, blockMagic)
  writeU32(bytes, at + 8, identity.salt)
  writeU32(bytes, at + 12, identity.generation)
  writeU32(bytes, at + 16, block)
  writeU32(bytes, at + 20, blockBytes - first >= entryHeaderBytes ? first : 0)
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, at + blockHeaderBytes))
}
export interface BlockHeader extends SegmentIdentity {
  readonly block: number
  /** 0 = none starts here. */
  readonly firstEntry: number
}
/** Null if these 32 bytes are not an undamaged block header. */
export function readBlockHeader(bytes: Uint8Array, at: number): BlockHeader | null {
  if (bytes.length < at + blockHeaderBytes || readU32(bytes, at) !== blockMagic) return null
  if (readU32(bytes, at + 4) !== crc32c(bytes, at + 8, at + blockHeaderBytes)) return null
  return {
    salt: readU32(bytes, at + 8),
    generation: readU32(bytes, at + 12),
    block: readU32(bytes, at + 16),
    firstEntry: readU32(bytes, at + 20),
  }
}

// --- Segment headers ---

export interface SegmentHeader extends SegmentIdentity {
  readonly recovered: boolean
  readonly startLsn: number
  readonly witness: number
  readonly createdMs: number
  /** 16 bytes. */
  readonly journalId: Uint8Array
}
export function writeSegmentHeader(bytes: Uint8Array, at: number, header: SegmentHeader): void {
  bytes.fill(0, at, at + segmentHeaderBytes)
  writeU32(bytes, at, segmentMagic)
  bytes[at + 9] = formatVersion
  bytes[at + 11] = header.recovered ? 1 : 0
  writeU32(bytes, at + 12, blockBytes)
  writeU32(bytes, at + 16, header.salt)
  writeU32(bytes, at + 20, header.generation)
  writeU64(bytes, at + 24, header.startLsn)
  writeU64(bytes, at + 32, header.witness)
  writeU64(bytes, at + 40, header.createdMs)
  bytes.set(header.journalId, at + 48)
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, at + segmentHeaderBytes))
}
/** Null if the bytes are not an undamaged segment header; throws NEWER_FORMAT for one of a newer version. */
export function readSegmentHeader(bytes: Uint8Array, at: number, path: string): SegmentHeader | null {
  if (bytes.length < at + segmentHeaderBytes || readU32(bytes, at) !== segmentMagic) return null
  if (readU32(bytes, at + 4) !== crc32c(bytes, at + 8, at + segmentHeaderBytes)) return null
  const version = (bytes[at + 8]! << 8) | bytes[at + 9]!
  if (version !== formatVersion || readU32(bytes, at + 12) !== blockBytes) {
    throw newerFormat(path, version)
  }
  return {
    salt: readU32(bytes, at + 16),
    generation: readU32(bytes, at + 20),
    recovered: (bytes[at + 11]! & 1) !== 0,
    startLsn: readU64(bytes, at + 24),
    witness: readU64(bytes, at + 32),
    createdMs: readU64(bytes, at + 40),
    journalId: bytes.slice(at + 48, at + 64),
  }
}
export function newerFormat(path: string, version: number): JournalError {
  return new JournalError(
    'NEWER_FORMAT',
    `${path} is of journal format ${version}; this Millrace reads format ${formatVersion}. ` +
      'Start the newer Millrace that wrote it, or give another data directory.',
  )
}

// --- File names ---

const nameSuffix = '.journal'
export const temporarySuffix = '.tmp'
export function segmentName(startLsn: number): string {
  return String(startLsn).padStart(20, '0') + nameSuffix
}
/** The start LSN in a segment's file name, or null if the file is not a segment. */
export function startLsnOfName(name: string): number | null {
  const match = /^(\d{20})\.journal$/.exec(name)
  if (match === null) return null
  const startLsn = Number(match[1])
  return Number.isSafeInteger(startLsn) && startLsn >= 1 ? startLsn : null
}
