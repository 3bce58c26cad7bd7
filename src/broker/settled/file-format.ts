// Where bytes lie in a settled file: one partition's entries in the order of their LSNs, batches as they came.
//
// A file `settled/<topic key>-<partition>-<number>.settled` is a row of blocks as in a journal segment (../journal/
// layout.ts: 64 KiB, a header each; what the headers leave is one stream, a *position* is a place in it). The number of
// the file stands where a segment's generation stands. All integers are big-endian. Changing anything here needs a
// format version. The stream begins with the
//
//   file header, 64 bytes
//    0  4  magic "MLSF"
//    4  4  CRC-32C of bytes 8..63
//    8  2  format version
//   10  2  flags: bit 0 = compacted: between its entries offsets may be missing
//   12  4  bytes of a block
//   16  4  salt (random; tells our blocks from what a recycled disk block may still hold)
//   20  4  number of the file: never reused in a data directory
//   24  4  topic key (0 = the house's own streams)
//   28  4  partition
//   32  8  first offset covered
//   40  8  created, ms since 1970
//   48 16  id of the journal
//
// then entries, each an
//
//   entry header, 80 bytes, which never crosses a block (see `entryStart`)
//    0  4  magic "MLSE"
//    4  4  CRC-32C of bytes 8..79
//    8  1  format version
//    9  1  kind (../journal/entry.ts; batches, and ticks in the stream of ticks)
//   10  2  zero
//   12  4  bytes of the payload, which follows
//   16  8  LSN: ascending in the file
//   24  8  first offset (of a tick: its sequence)
//   32  8  last offset
//   40  8  append time, ms since 1970
//   48  8  largest timestamp of this entry and all before it in the file: ascending, so that a time can be searched for
//   56  8  sequence in (topic key, partition), as in the journal
//   64  4  CRC-32C of the payload; of a batch: of its first 21 bytes, which hold the batch's own CRC of all the rest
//   68  4  salt
//   72  4  number of the file
//   76  4  position of this header
//
// How far a file is valid stands in the manifest (manifest.ts) and nowhere else: what lies behind is left over from a
// settling that did not finish, and is written over by the next. LSN, offsets and the largest timestamp ascend, and each
// block says where its first entry is: any of them is found by halving, without an index.
import { crc32c } from '../../std/crc32c.ts'
import { readU32, readU64, writeU32, writeU64 } from '../journal/big-endian.ts'
import {
  blockBytes,
  entryHeaderBytes,
  fileBytesOf,
  newerFormat,
  type SegmentIdentity,
  segmentHeaderBytes,
} from '../journal/layout.ts'

export const settledFormat = 1
/** Position of the first entry. */
export const settledHeaderBytes = segmentHeaderBytes
/** Stream of a file, at most: positions are 32-bit numbers. */
export const settledBytesMax = 2 ** 31

/** What the manifest says of a file. */
export interface SettledFile {
  readonly number: number
  readonly salt: number
  readonly topicKey: number
  readonly partition: number
  /** Offsets may be missing between its entries: they were superseded. */
  readonly compacted: boolean
  /** Takes no more entries. */
  readonly closed: boolean
  /** First offset covered, and one past the last one covered: where the next file begins. */
  readonly start: number
  readonly end: number
  /** Of the entries it holds or held: a compacted file covers what was taken out. */
  readonly firstLsn: number
  readonly lastLsn: number
  /** Position after its last entry: the file is valid up to here. */
  readonly length: number
  readonly entries: number
  readonly maxTimestampMs: number
  readonly firstAppendedMs: number
  readonly lastAppendedMs: number
}

export function settledName(file: Pick<SettledFile, 'topicKey' | 'partition' | 'number'>): string {
  return `${file.topicKey}-${file.partition}-${file.number}.settled`
}
/** The number of the file in its name, or null if it is none of ours. */
export function numberOfName(name: string): number | null {
  const match = /^\d{1,10}-\d{1,10}-(\d{1,10})\.settled$/.exec(name)
  return match === null ? null : Number(match[1])
}
/** Bytes on the disk. */
export const settledFileBytes = (file: Pick<SettledFile, 'length'>): number => fileBytesOf(file.length)
export const identityOf = (file: Pick<SettledFile, 'salt' | 'number'>): SegmentIdentity => ({
  salt: file.salt,
  generation: file.number,
})

const fileMagic = 0x4d4c5346
const entryMagic = 0x4d4c5345

// --- File headers ---

export interface SettledHeader {
  readonly compacted: boolean
  readonly salt: number
  readonly number: number
  readonly topicKey: number
  readonly partition: number
  readonly start: number
  readonly createdMs: number
  /** 16 bytes. */
  readonly journalId: Uint8Array
}
export function writeFileHeader(bytes: Uint8Array, at: number, header: SettledHeader): void {
  bytes.fill(0, at, at + settledHeaderBytes)
  writeU32(bytes, at, fileMagic)
  bytes[at + 9] = settledFormat
  bytes[at + 11] = header.compacted ? 1 : 0
  writeU32(bytes, at + 12, blockBytes)
  writeU32(bytes, at + 16, header.salt)
  writeU32(bytes, at + 20, header.number)
  writeU32(bytes, at + 24, header.topicKey)
  writeU32(bytes, at + 28, header.partition)
  writeU64(bytes, at + 32, header.start)
  writeU64(bytes, at + 40, header.createdMs)
  bytes.set(header.journalId, at + 48)
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, at + settledHeaderBytes))
}
/** Null if the bytes are not an undamaged file header; throws NEWER_FORMAT for one of a newer version. */
export function readFileHeader(bytes: Uint8Array, at: number, path: string): SettledHeader | null {
  if (bytes.length < at + settledHeaderBytes || readU32(bytes, at) !== fileMagic) return null
  if (readU32(bytes, at + 4) !== crc32c(bytes, at + 8, at + settledHeaderBytes)) return null
  const version = (bytes[at + 8]! << 8) | bytes[at + 9]!
  if (version !== settledFormat || readU32(bytes, at + 12) !== blockBytes) throw newerFormat(path, version)
  return {
    compacted: (bytes[at + 11]! & 1) !== 0,
    salt: readU32(bytes, at + 16),
    number: readU32(bytes, at + 20),
    topicKey: readU32(bytes, at + 24),
    partition: readU32(bytes, at + 28),
    start: readU64(bytes, at + 32),
    createdMs: readU64(bytes, at + 40),
    journalId: bytes.slice(at + 48, at + 64),
  }
}

// --- Entry headers ---

/** A decoded header. One object is filled again and again on the hot paths. */
export interface SettledEntry {
  kind: number
  payloadBytes: number
  lsn: number
  baseOffset: number
  lastOffset: number
  appendedMs: number
  maxTimestampMs: number
  sequence: number
  payloadCrc: number
}
export function blankSettledEntry(): SettledEntry {
  return {
    kind: 0,
    payloadBytes: 0,
    lsn: 0,
    baseOffset: 0,
    lastOffset: 0,
    appendedMs: 0,
    maxTimestampMs: 0,
    sequence: 0,
    payloadCrc: 0,
  }
}

/** Timestamps are a producer's: any 64-bit number. What lies outside ±2^53 is held as the nearest number inside. */
function writeTime(bytes: Uint8Array, at: number, ms: number): void {
  const held = Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, ms))
  new DataView(bytes.buffer, bytes.byteOffset).setBigInt64(at, BigInt(Math.trunc(held)))
}
function readTime(bytes: Uint8Array, at: number): number {
  // The upper half with its sign.
  return (readU32(bytes, at) | 0) * 0x1_0000_0000 + readU32(bytes, at + 4)
}

export function writeSettledEntry(
  bytes: Uint8Array,
  at: number,
  entry: SettledEntry,
  identity: SegmentIdentity,
  position: number,
): void {
  writeU32(bytes, at, entryMagic)
  bytes[at + 8] = settledFormat
  bytes[at + 9] = entry.kind
  bytes[at + 10] = 0
  bytes[at + 11] = 0
  writeU32(bytes, at + 12, entry.payloadBytes)
  writeU64(bytes, at + 16, entry.lsn)
  writeU64(bytes, at + 24, entry.baseOffset)
  writeU64(bytes, at + 32, entry.lastOffset)
  writeU64(bytes, at + 40, entry.appendedMs)
  writeTime(bytes, at + 48, entry.maxTimestampMs)
  writeU64(bytes, at + 56, entry.sequence)
  writeU32(bytes, at + 64, entry.payloadCrc)
  writeU32(bytes, at + 68, identity.salt)
  writeU32(bytes, at + 72, identity.generation)
  writeU32(bytes, at + 76, position)
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, at + entryHeaderBytes))
}

/** Fills `into` and returns true if the 80 bytes are an undamaged header of this file, where it belongs. */
export function readSettledEntry(
  bytes: Uint8Array,
  at: number,
  position: number,
  identity: SegmentIdentity,
  path: string,
  into: SettledEntry,
): boolean {
  if (bytes.length < at + entryHeaderBytes || readU32(bytes, at) !== entryMagic) return false
  if (readU32(bytes, at + 4) !== crc32c(bytes, at + 8, at + entryHeaderBytes)) return false
  if (bytes[at + 8] !== settledFormat) throw newerFormat(path, bytes[at + 8]!)
  if (readU32(bytes, at + 76) !== position) return false
  if (readU32(bytes, at + 68) !== identity.salt || readU32(bytes, at + 72) !== identity.generation) return false
  into.kind = bytes[at + 9]!
  into.payloadBytes = readU32(bytes, at + 12)
  into.lsn = readU64(bytes, at + 16)
  into.baseOffset = readU64(bytes, at + 24)
  into.lastOffset = readU64(bytes, at + 32)
  into.appendedMs = readU64(bytes, at + 40)
  into.maxTimestampMs = readTime(bytes, at + 48)
  into.sequence = readU64(bytes, at + 56)
  into.payloadCrc = readU32(bytes, at + 64)
  return true
}
