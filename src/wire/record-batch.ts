// Record batches (magic 2) read in place: header fields at their offsets, the check on arrival, the walk over records.
// A door of `wire/`. No object per record; a batch is its bytes, and where it begins is always a parameter.
//
// Bytes of a batch, big-endian (KIP-98; changing this needs a format version, and is Kafka's to change):
//
//   0 baseOffset 8 | 8 batchLength 4 | 12 partitionLeaderEpoch 4 | 16 magic 1 | 17 crc 4 | 21 attributes 2
//  23 lastOffsetDelta 4 | 27 baseTimestamp 8 | 35 maxTimestamp 8 | 43 producerId 8 | 51 producerEpoch 2
//  53 baseSequence 4 | 57 recordCount 4 | 61 records, compressed together or not
//
// `batchLength` counts from byte 12. The CRC-32C covers byte 21 to the end, so base offset and leader epoch can be set
// without touching it. Attributes: bits 0-2 codec, 3 timestamp type (1 = append time), 4 transactional, 5 control,
// 6 delete horizon. A record: length, attributes 1, timestampDelta, offsetDelta, keyLength, key, valueLength, value,
// headerCount, (keyLength, key, valueLength, value)*; lengths, deltas and counts are zigzag varints, length -1 = null.
import { crc32c } from '../std/crc32c.ts'
import { type Compression, compressionOf, decompress, decompressInto } from './compression.ts'
import type { PlaceForBytes } from './decompress-in-place.ts'
import { WireError, type WireErrorCode } from './wire-error.ts'

export const batchHeaderBytes = 61
/** Bytes of a batch before those that `batchLength` counts. */
export const batchLengthEnd = 12

const codecMask = 0x07
const appendTimeFlag = 0x08
const transactionalFlag = 0x10
const controlFlag = 0x20

/** A 32-bit signed integer at `at`. */
function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
/** A 64-bit signed integer as a number: exact within +-2^53, rounded beyond. */
function int64(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) * 0x1_0000_0000 + (int32(bytes, at + 4) >>> 0)
}
function setInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
function setInt64(bytes: Uint8Array, at: number, value: number): void {
  setInt32(bytes, at, Math.floor(value / 0x1_0000_0000))
  setInt32(bytes, at + 4, value % 0x1_0000_0000)
}

// --- The header. `at` is where the batch begins. The caller has seen to it that 61 bytes are there. ---

export const baseOffset = (bytes: Uint8Array, at = 0): number => int64(bytes, at)
/** Bytes of the whole batch, header included, as its own length field says. */
export const batchBytes = (bytes: Uint8Array, at = 0): number => batchLengthEnd + int32(bytes, at + 8)
export const leaderEpoch = (bytes: Uint8Array, at = 0): number => int32(bytes, at + 12)
export const magic = (bytes: Uint8Array, at = 0): number => bytes[at + 16]!
export const batchCrc = (bytes: Uint8Array, at = 0): number => int32(bytes, at + 17) >>> 0
export const attributes = (bytes: Uint8Array, at = 0): number => (bytes[at + 21]! << 8) | bytes[at + 22]!
export const isTransactional = (bytes: Uint8Array, at = 0): boolean => (bytes[at + 22]! & transactionalFlag) !== 0
export const isControl = (bytes: Uint8Array, at = 0): boolean => (bytes[at + 22]! & controlFlag) !== 0
/** True: the records' timestamps are the broker's, all equal to `maxTimestampMs`. */
export const isAppendTime = (bytes: Uint8Array, at = 0): boolean => (bytes[at + 22]! & appendTimeFlag) !== 0
export const lastOffsetDelta = (bytes: Uint8Array, at = 0): number => int32(bytes, at + 23)
export const lastOffset = (bytes: Uint8Array, at = 0): number => int64(bytes, at) + int32(bytes, at + 23)
export const baseTimestampMs = (bytes: Uint8Array, at = 0): number => int64(bytes, at + 27)
export const maxTimestampMs = (bytes: Uint8Array, at = 0): number => int64(bytes, at + 35)
/** True for a batch of an idempotent or transactional producer; the three fields below mean something only then. */
export const hasProducer = (bytes: Uint8Array, at = 0): boolean => int32(bytes, at + 43) >= 0
export const producerId = (bytes: Uint8Array, at = 0): bigint =>
  (BigInt(int32(bytes, at + 43)) << 32n) | BigInt(int32(bytes, at + 47) >>> 0)
export const producerEpoch = (bytes: Uint8Array, at = 0): number => ((bytes[at + 51]! << 24) >> 16) | bytes[at + 52]!
export const baseSequence = (bytes: Uint8Array, at = 0): number => int32(bytes, at + 53)
export const recordCount = (bytes: Uint8Array, at = 0): number => int32(bytes, at + 57)
/** The codec, or null for one that Kafka has not defined. */
export const codecOf = (bytes: Uint8Array, at = 0): Compression | null => compressionOf(bytes[at + 22]! & codecMask)

/** The two fields a log fills in; the checksum does not cover them. */
export function setBaseOffset(bytes: Uint8Array, offset: number, at = 0): void {
  setInt64(bytes, at, offset)
}
export function setLeaderEpoch(bytes: Uint8Array, epoch: number, at = 0): void {
  setInt32(bytes, at + 12, epoch)
}

// --- The check on arrival ---

/** Why a batch is refused, in Kafka's words. */
export interface BatchProblem {
  readonly code: Exclude<WireErrorCode, 'INVALID_REQUEST'>
  readonly message: string
}
const corrupt = (message: string): BatchProblem => ({ code: 'CORRUPT_MESSAGE', message })
const invalid = (message: string): BatchProblem => ({ code: 'INVALID_RECORD', message })

/**
 * Is `bytes` exactly one batch as a plain producer may send it? Null if so. Checks length, magic, checksum, base
 * offset 0, count against last offset delta, codec, and that it is no control batch. Looks at the
 * header and the checksum only; `checkRecords` looks inside.
 */
export function checkBatch(bytes: Uint8Array): BatchProblem | null {
  const problem = checkStored(bytes)
  if (problem !== null) return problem
  if (baseOffset(bytes) !== 0) return invalid(`a producer's batch begins at offset 0, this one at ${baseOffset(bytes)}`)
  const count = recordCount(bytes)
  if (count < 1) return invalid(`a batch holds at least one record, this one says ${count}`)
  if (lastOffsetDelta(bytes) !== count - 1) {
    return invalid(`${count} records need a last offset delta of ${count - 1}, not ${lastOffsetDelta(bytes)}`)
  }
  if (codecOf(bytes) === null) return invalid(`unknown codec ${bytes[22]! & codecMask}; 0 to 4 are defined`)
  if (isControl(bytes)) return invalid('a client may not write control batches')
  if (!hasProducer(bytes)) {
    if (isTransactional(bytes)) return invalid('a batch of a transaction names its producer')
    if (producerId(bytes) !== -1n) return invalid(`producer id ${producerId(bytes)}; ids are >= 0, and -1 means none`)
  } else if (producerEpoch(bytes) < 0 || baseSequence(bytes) < 0) {
    return invalid(`producer epoch ${producerEpoch(bytes)}, sequence ${baseSequence(bytes)}; both are >= 0 with an id`)
  }
  return null
}

/** Where the bytes begin that a batch's checksum covers. */
export const checksummedFrom = 21
/** Batches whose checksum somebody has gone through already, a piece at a time. */
const vouched = new WeakSet<Uint8Array>()
/** From now on the checks below take the checksum of this batch (this very object) for right. */
export function vouchForChecksum(batch: Uint8Array): void {
  vouched.add(batch)
}

/** Is `bytes` exactly one undamaged batch, whoever wrote it? What a log checks when it reads its own disk. */
export function checkStored(bytes: Uint8Array): BatchProblem | null {
  if (bytes.length < batchHeaderBytes) {
    return corrupt(`a batch has at least ${batchHeaderBytes} bytes, this one ${bytes.length}`)
  }
  // Older formats carry their magic at the same place, but another layout around it: look at it first.
  if (magic(bytes) !== 2) return invalid(`record format (magic) 2 is served, this batch has ${magic(bytes)}`)
  if (batchBytes(bytes) !== bytes.length) {
    return corrupt(`the batch says it has ${batchBytes(bytes)} bytes, ${bytes.length} came`)
  }
  if (vouched.has(bytes)) return null
  const sum = crc32c(bytes, checksummedFrom)
  if (sum !== batchCrc(bytes)) {
    return corrupt(`the batch says its CRC-32C is ${batchCrc(bytes).toString(16)}, its bytes give ${sum.toString(16)}`)
  }
  return null
}

/**
 * Where the next batch in `bytes[at, end)` ends, or -1 if it is not whole (a fetch may be cut anywhere). Throws a
 * WireError CORRUPT_MESSAGE when the length field cannot be right.
 */
export function nextBatchEnd(bytes: Uint8Array, at: number, end = bytes.length): number {
  if (end - at < batchHeaderBytes) return -1
  const size = batchBytes(bytes, at)
  if (size < batchHeaderBytes) throw new WireError('CORRUPT_MESSAGE', `a batch of ${size} bytes at byte ${at}`)
  return at + size <= end ? at + size : -1
}

// --- The records ---

/** The bytes that hold a batch's records: the batch itself, or a fresh buffer when they had to be decompressed. */
export interface RecordBytes {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}
/**
 * Throws a WireError: MESSAGE_TOO_LARGE above the limits of `compression.ts`, CORRUPT_MESSAGE for broken streams. With a
 * place the records stand there, whatever the codec.
 */
export function recordsOf(batch: Uint8Array, place: PlaceForBytes | null = null): RecordBytes {
  const codec = codecOf(batch)
  if (codec === null) throw new WireError('INVALID_RECORD', `unknown codec ${batch[22]! & codecMask}`)
  const body = batch.subarray(batchHeaderBytes)
  if (place !== null) {
    const bytes = decompressInto(codec, body, place)
    return { bytes, start: 0, end: bytes.length }
  }
  if (codec === 'none') return { bytes: batch, start: batchHeaderBytes, end: batch.length }
  const bytes = decompress(codec, body)
  return { bytes, start: 0, end: bytes.length }
}

/**
 * Records of one walk, column by column; row i is valid for i < count. Positions are indexes into the walked bytes;
 * start -1 = null. Make it once with `recordSlots`, walk into it again and again.
 */
export interface RecordSlots {
  readonly capacity: number
  count: number
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  /** Where the record's header count stands; give it to `recordHeaders`. */
  readonly headersStart: Int32Array
  /** Add the batch's base offset. */
  readonly offsetDelta: Int32Array
  /** Milliseconds; add the batch's base timestamp (or take its maximum if `isAppendTime`). */
  readonly timestampDelta: Float64Array
}
export function recordSlots(capacity: number): RecordSlots {
  return {
    capacity,
    count: 0,
    keyStart: new Int32Array(capacity),
    keyEnd: new Int32Array(capacity),
    valueStart: new Int32Array(capacity),
    valueEnd: new Int32Array(capacity),
    headersStart: new Int32Array(capacity),
    offsetDelta: new Int32Array(capacity),
    timestampDelta: new Float64Array(capacity),
  }
}

/** Where the last varint ended. Readers below move it; each entry point sets it first. */
let position = 0

function longVarint(bytes: Uint8Array, first: number): number {
  let value = first & 0x7f
  for (let shift = 7; shift < 35; shift += 7) {
    // Past the end of the bytes this reads undefined, which `| 0` makes 0: the varint ends and the bounds check refuses.
    const byte = bytes[position++]! | 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
  throw new WireError('INVALID_RECORD', `a varint of more than 5 bytes ends at byte ${position}`)
}
/** A zigzag varint of 32 bits. */
function varint(bytes: Uint8Array): number {
  const byte = bytes[position++]! | 0
  return byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : longVarint(bytes, byte)
}
/** A zigzag varint of 64 bits as a number: exact within +-2^53, rounded beyond. */
function varlong(bytes: Uint8Array): number {
  let byte = bytes[position++]! | 0
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  // The lowest bit is the sign: kept apart, so that the other 53 bits fit a number.
  const negative = (byte & 1) === 1
  let magnitude = (byte & 0x7f) >>> 1
  let scale = 0x40
  for (let i = 1; i < 10; i++, scale *= 0x80) {
    byte = bytes[position++]! | 0
    magnitude += (byte & 0x7f) * scale
    if (byte < 0x80) return negative ? -magnitude - 1 : magnitude
  }
  throw new WireError('INVALID_RECORD', `a varint of more than 10 bytes ends at byte ${position}`)
}
const outside = (what: string, at: number): WireError =>
  new WireError('INVALID_RECORD', `${what} reaches outside its record, at byte ${at}`)

/**
 * Reads records from `bytes[at, end)` into `into` until it is full or the bytes are used up; returns where to go on
 * (`end` when done). Allocates nothing. Throws a WireError INVALID_RECORD when a record is malformed.
 */
export function walkRecords(bytes: Uint8Array, at: number, end: number, into: RecordSlots): number {
  const { capacity, keyStart, keyEnd, valueStart, valueEnd, headersStart, offsetDelta, timestampDelta } = into
  let row = 0
  position = at
  while (row < capacity && position < end) {
    const recordBytes = varint(bytes)
    const recordEnd = position + recordBytes
    if (recordBytes < 0 || recordEnd > end) throw outside(`a record of ${recordBytes} bytes`, position)
    position++
    timestampDelta[row] = varlong(bytes)
    offsetDelta[row] = varint(bytes)
    const keyBytes = varint(bytes)
    keyStart[row] = keyBytes < 0 ? -1 : position
    if (keyBytes > 0) position += keyBytes
    keyEnd[row] = keyBytes < 0 ? -1 : position
    if (keyBytes < -1 || position > recordEnd) throw outside(`a key of ${keyBytes} bytes`, position)
    const valueBytes = varint(bytes)
    valueStart[row] = valueBytes < 0 ? -1 : position
    if (valueBytes > 0) position += valueBytes
    valueEnd[row] = valueBytes < 0 ? -1 : position
    if (valueBytes < -1 || position > recordEnd) throw outside(`a value of ${valueBytes} bytes`, position)
    headersStart[row] = position
    const headers = varint(bytes)
    if (headers !== 0) skipHeaders(bytes, headers, recordEnd)
    if (position !== recordEnd) throw outside(`what follows the value`, position)
    row++
  }
  into.count = row
  return position
}

function skipHeaders(bytes: Uint8Array, count: number, recordEnd: number): void {
  if (count < 0) throw outside(`a header count of ${count}`, position)
  for (let i = 0; i < count && position <= recordEnd; i++) {
    const nameBytes = varint(bytes)
    if (nameBytes < 0) throw outside(`a header name of ${nameBytes} bytes`, position)
    position += nameBytes
    if (position > recordEnd) throw outside(`a header name of ${nameBytes} bytes`, position)
    const valueBytes = varint(bytes)
    if (valueBytes < -1) throw outside(`a header value of ${valueBytes} bytes`, position)
    if (valueBytes > 0) position += valueBytes
  }
  if (position > recordEnd) throw outside('a header', position)
}

export interface RecordHeader {
  readonly name: string
  readonly value: Uint8Array | null
}
/** The headers of one record that has been walked, from its `headersStart`. For the few who ask; values are slices. */
export function recordHeaders(bytes: Uint8Array, headersStart: number): RecordHeader[] {
  position = headersStart
  const headers: RecordHeader[] = []
  for (let left = varint(bytes); left > 0; left--) {
    const nameBytes = varint(bytes)
    const name = new TextDecoder().decode(bytes.subarray(position, position + nameBytes))
    position += nameBytes
    const valueBytes = varint(bytes)
    headers.push({ name, value: valueBytes < 0 ? null : bytes.subarray(position, position + valueBytes) })
    if (valueBytes > 0) position += valueBytes
  }
  return headers
}

const inspected = recordSlots(1024)
/**
 * Are the records inside a batch that passed `checkBatch` what its header says: as many, with offset deltas 0, 1, 2 …,
 * nothing after them? Decompresses within the limits. Null if so.
 */
export function checkRecords(batch: Uint8Array): BatchProblem | null {
  try {
    const { bytes, start, end } = recordsOf(batch)
    const count = recordCount(batch)
    let seen = 0
    for (let at = start; at < end; ) {
      at = walkRecords(bytes, at, end, inspected)
      for (let row = 0; row < inspected.count; row++) {
        if (inspected.offsetDelta[row] !== seen++) {
          return invalid(`record ${seen - 1} has offset delta ${inspected.offsetDelta[row]}`)
        }
      }
      if (seen > count) break
    }
    return seen === count
      ? null
      : invalid(`the header says ${count} records, there are ${seen > count ? 'more' : seen}`)
  } catch (error) {
    if (error instanceof WireError && error.code !== 'INVALID_REQUEST') {
      return { code: error.code, message: error.message }
    }
    throw error
  }
}
