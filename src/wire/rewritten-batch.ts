// A batch with some of its records left out, as a compaction leaves it: the same offsets, sequences, producer and codec,
// a new checksum. A door of `wire/`. The layout is drawn in `record-batch.ts`.
//
// Base offset and last offset delta stay as they were, so the batch goes on covering what it covered, and the producer's
// last sequence can be read from it even when no record is left (KIP-98).
//
// Delete horizon (KIP-534): with attribute bit 6 set the base timestamp is no record's time but the time from which on
// tombstones in the batch may go. Records' deltas count from it all the same.
import { assert } from '../std/assert.ts'
import { crc32c } from '../std/crc32c.ts'
import { compress } from './compression.ts'
import {
  baseTimestampMs,
  batchHeaderBytes,
  batchLengthEnd,
  codecOf,
  isAppendTime,
  maxTimestampMs,
} from './record-batch.ts'

const horizonFlag = 0x40
const codecMask = 0x07

/** From when on the tombstones (or the marker) in it may go; null: not set yet. */
export function deleteHorizonMs(batch: Uint8Array): number | null {
  return (batch[22]! & horizonFlag) === 0 ? null : baseTimestampMs(batch)
}

/** Records to be kept: where each begins and ends in the bytes they were walked in, and the largest timestamp of them. */
export interface KeptRecords {
  readonly bytes: Uint8Array
  /** Begin and end in turn, ascending. */
  readonly ranges: readonly number[]
  readonly maxTimestampMs: number
}

/** The batch with these records only; none: a header alone. `horizonMs` null: as it was. */
export function rewrittenBatch(batch: Uint8Array, kept: KeptRecords, horizonMs: number | null): Uint8Array {
  const count = kept.ranges.length / 2
  const rebased = horizonMs !== null && count > 0
  const oldBaseMs = view(batch).getBigInt64(27)
  const shift = rebased ? oldBaseMs - BigInt(horizonMs) : 0n
  const plain = rebased ? shiftedRecords(kept, shift) : joinedRecords(kept)
  const codec = codecOf(batch)
  assert(codec !== null, 'a stored batch has a codec that is defined')
  const records = count === 0 || codec === 'none' ? plain : compress(codec, plain)
  const made = new Uint8Array(batchHeaderBytes + records.length)
  made.set(batch.subarray(0, batchHeaderBytes))
  made.set(records, batchHeaderBytes)
  const header = view(made)
  header.setInt32(8, made.length - batchLengthEnd)
  if (count === 0) {
    // Nothing is compressed, and no tombstone waits for its time.
    made[22]! &= ~(codecMask | horizonFlag)
    header.setBigInt64(27, header.getBigInt64(35))
  } else {
    if (rebased) {
      made[22]! |= horizonFlag
      header.setBigInt64(27, BigInt(horizonMs))
    }
    const max = kept.maxTimestampMs
    // Beyond 2^53 the time is known only about: then the old bound stays, which is one still.
    if (!isAppendTime(batch) && Number.isSafeInteger(max) && max <= maxTimestampMs(batch)) {
      header.setBigInt64(35, BigInt(max))
    }
  }
  header.setInt32(57, count)
  header.setUint32(17, crc32c(made, 21))
  return made
}
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

function joinedRecords({ bytes, ranges }: KeptRecords): Uint8Array {
  let length = 0
  for (let i = 0; i < ranges.length; i += 2) length += ranges[i + 1]! - ranges[i]!
  const joined = new Uint8Array(length)
  let at = 0
  for (let i = 0; i < ranges.length; i += 2) {
    joined.set(bytes.subarray(ranges[i], ranges[i + 1]), at)
    at += ranges[i + 1]! - ranges[i]!
  }
  return joined
}

/** The records with their timestamp deltas moved: length and delta are written anew, the rest is copied. */
function shiftedRecords({ bytes, ranges }: KeptRecords, shift: bigint): Uint8Array {
  const parts: Uint8Array[] = []
  let length = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const body = varintEnd(bytes, ranges[i]!)
    const attributes = bytes[body]!
    const deltaEnd = varintEnd(bytes, body + 1)
    const delta = varintOf(readVarint(bytes, body + 1) + shift)
    const rest = bytes.subarray(deltaEnd, ranges[i + 1])
    const size = varintOf(BigInt(1 + delta.length + rest.length))
    parts.push(size, Uint8Array.of(attributes), delta, rest)
    length += size.length + 1 + delta.length + rest.length
  }
  const shifted = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    shifted.set(part, at)
    at += part.length
  }
  return shifted
}
function varintEnd(bytes: Uint8Array, at: number): number {
  let end = at
  while (bytes[end]! >= 0x80) end++
  return end + 1
}
function readVarint(bytes: Uint8Array, at: number): bigint {
  let value = 0n
  for (let i = at, shift = 0n; ; i++, shift += 7n) {
    value |= BigInt(bytes[i]! & 0x7f) << shift
    if (bytes[i]! < 0x80) break
  }
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
}
function varintOf(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
