// One journal entry in bytes: a header of 80 bytes that vouches for itself, and the payload it vouches for.
//
//   entry header, 80 bytes, big-endian; changing this needs a format version
//    0  4  magic "MLEN"
//    4  4  CRC-32C of bytes 8..79
//    8  1  format version
//    9  1  kind
//   10  2  zero
//   12  4  bytes of the payload, which follows (through block boundaries, see layout.ts)
//   16  8  LSN: dense, from 1
//   24  8  syncedTo: the LSN known durable when this entry was written
//   32  8  append time, ms since 1970
//   40  4  topic key (0 = the house's own streams, see `ownStream`)
//   44  4  partition
//   48  8  sequence in (topic key, partition): dense, from 1
//   56  4  index in its atomic group, from 0
//   60  4  entries in its atomic group (1 = alone)
//   64  4  CRC-32C of the payload; of a batch: of its first 21 bytes, which hold the batch's own CRC of all the rest
//   68  4  salt of the segment
//   72  4  generation of the segment
//   76  4  position of this header in the segment's stream: a header that lies elsewhere, by a misdirected write, is no header
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { readU32, readU64, writeU32, writeU64 } from './big-endian.ts'
import { entryHeaderBytes, formatVersion, newerFormat, type SegmentIdentity } from './layout.ts'

/** Numbers on disk: never reuse one. */
export const entryKind = {
  /** One Kafka record batch as received, base offset and leader epoch filled in. */
  batch: 1,
  /** A topic created or deleted. */
  topic: 2,
  /** A producer id given out, or its epoch raised. */
  producer: 3,
  /** A decision of a job's clock. */
  tick: 4,
  /** A job has a new owner. */
  jobTaken: 5,
  /** A job's progress; its outputs are the batches of the same group. */
  jobCommit: 6,
  /** Says by its `syncedTo` that what is before it was durable. */
  witness: 7,
  /** What consumer groups have committed, and who has members (groups/offset-entry.ts). */
  groupOffset: 8,
  /** Decisions about transactions. */
  transaction: 9,
  // 10 was set aside and never written.
  /** What administrators have set: access rules, credentials, quotas (JSON, one `what` each). */
  setting: 11,
  /** Records before an offset were deleted (DeleteRecords). */
  logStart: 12,
} as const
export type EntryKind = (typeof entryKind)[keyof typeof entryKind]

/** Partition numbers of the house's own streams (topic key 0), so that a lost entry can be told by its sequence. */
export const ownStream = {
  metadata: 0,
  jobs: 1,
  ticks: 2,
  witness: 3,
  groups: 4,
  transactions: 5,
  settings: 6,
} as const

/** Bytes of a batch before those its own CRC covers. */
export const batchPrefixBytes = 21

/** A decoded header. One object is filled again and again on the hot paths. */
export interface EntryHeader {
  kind: number
  payloadBytes: number
  lsn: number
  syncedTo: number
  appendedMs: number
  topicKey: number
  partition: number
  sequence: number
  groupIndex: number
  groupCount: number
  payloadCrc: number
}
export function blankEntryHeader(): EntryHeader {
  return {
    kind: 0,
    payloadBytes: 0,
    lsn: 0,
    syncedTo: 0,
    appendedMs: 0,
    topicKey: 0,
    partition: 0,
    sequence: 0,
    groupIndex: 0,
    groupCount: 0,
    payloadCrc: 0,
  }
}

const entryMagic = 0x4d4c454e

/**
 * Writes all but `syncedTo` and the header's CRC; `sealEntryHeader` completes it when the entry goes to the file.
 * `position` is the entry's own.
 */
export function writeEntryHeader(
  bytes: Uint8Array,
  at: number,
  header: EntryHeader,
  identity: SegmentIdentity,
  position: number,
): void {
  assert(position <= 0xffff_ffff, `a segment of more than 4 GiB: ${position}`)
  writeU32(bytes, at, entryMagic)
  writeU32(bytes, at + 4, 0)
  bytes[at + 8] = formatVersion
  bytes[at + 9] = header.kind
  bytes[at + 10] = 0
  bytes[at + 11] = 0
  writeU32(bytes, at + 12, header.payloadBytes)
  writeU64(bytes, at + 16, header.lsn)
  writeU64(bytes, at + 24, 0)
  writeU64(bytes, at + 32, header.appendedMs)
  writeU32(bytes, at + 40, header.topicKey)
  writeU32(bytes, at + 44, header.partition)
  writeU64(bytes, at + 48, header.sequence)
  writeU32(bytes, at + 56, header.groupIndex)
  writeU32(bytes, at + 60, header.groupCount)
  writeU32(bytes, at + 64, header.payloadCrc)
  writeU32(bytes, at + 68, identity.salt)
  writeU32(bytes, at + 72, identity.generation)
  writeU32(bytes, at + 76, position)
}
export function sealEntryHeader(bytes: Uint8Array, at: number, syncedTo: number): void {
  writeU64(bytes, at + 24, syncedTo)
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, at + entryHeaderBytes))
}
/** Bytes of the payload, read from a header that was just written. */
export const payloadBytesAt = (bytes: Uint8Array, at: number): number => readU32(bytes, at + 12)

/**
 * Fills `into` and returns true if the 80 bytes are an undamaged header of this segment, where it belongs (`position` in
 * the stream). `identity` null: of any segment (its own header is lost). Throws NEWER_FORMAT for an undamaged header of
 * a newer version.
 */
export function readEntryHeader(
  bytes: Uint8Array,
  at: number,
  position: number,
  identity: SegmentIdentity | null,
  path: string,
  into: EntryHeader,
  checkCrc = true,
): boolean {
  if (bytes.length < at + entryHeaderBytes || readU32(bytes, at) !== entryMagic) return false
  if (checkCrc && readU32(bytes, at + 4) !== crc32c(bytes, at + 8, at + entryHeaderBytes)) return false
  if (bytes[at + 8] !== formatVersion) throw newerFormat(path, bytes[at + 8]!)
  if (readU32(bytes, at + 76) !== position) return false
  if (identity !== null) {
    if (readU32(bytes, at + 68) !== identity.salt || readU32(bytes, at + 72) !== identity.generation) return false
  }
  into.kind = bytes[at + 9]!
  into.payloadBytes = readU32(bytes, at + 12)
  into.lsn = readU64(bytes, at + 16)
  into.syncedTo = readU64(bytes, at + 24)
  into.appendedMs = readU64(bytes, at + 32)
  into.topicKey = readU32(bytes, at + 40)
  into.partition = readU32(bytes, at + 44)
  into.sequence = readU64(bytes, at + 48)
  into.groupIndex = readU32(bytes, at + 56)
  into.groupCount = readU32(bytes, at + 60)
  into.payloadCrc = readU32(bytes, at + 64)
  return true
}
/** Which segment the header at `at` says it belongs to. */
export function identityAt(bytes: Uint8Array, at: number): SegmentIdentity {
  return { salt: readU32(bytes, at + 68), generation: readU32(bytes, at + 72) }
}

/** Does the payload, contiguous at `at`, carry what the header vouches for? */
export function payloadIsIntact(
  bytes: Uint8Array,
  at: number,
  header: Pick<EntryHeader, 'kind' | 'payloadBytes' | 'payloadCrc'>,
): boolean {
  if (header.kind !== entryKind.batch) {
    return crc32c(bytes, at, at + header.payloadBytes) === header.payloadCrc
  }
  if (header.payloadBytes < batchPrefixBytes) return false
  if (crc32c(bytes, at, at + batchPrefixBytes) !== header.payloadCrc) return false
  return crc32c(bytes, at + batchPrefixBytes, at + header.payloadBytes) === readU32(bytes, at + 17)
}
