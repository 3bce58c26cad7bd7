// A seal: what a start would learn from walking through a segment that is finished, so that it need not walk.
//
// File `journal/<start LSN, 20 digits>.seal`, big-endian; changing it needs a format version. It is only a shortcut:
// without one, or with one that is broken or does not fit its segment, the start walks. So it is never synced.
//
//    0  4  magic "MLSL"
//    4  4  CRC-32C of bytes 8 to the end
//    8  2  format version
//   10  2  zero
//   12  4  salt of the segment
//   16  4  generation of the segment
//   20  4  number of marks
//   24  8  start LSN
//   32  8  LSN of the segment's last entry
//   40  8  position after that entry
//   48  4  number of streams
//   52  4  bytes of the payload
//   56     marks: LSN 8, position 8
//          streams, as they stand after the last entry: topic key 4, partition 4, last sequence 8
//          payload: the owner's own state after the last entry
import { crc32c } from '../../std/crc32c.ts'
import { type FileSystem, FsError } from '../../world/world.ts'
import { readU32, readU64, writeU32, writeU64 } from './big-endian.ts'
import { readFully, writeFully } from './file-bytes.ts'
import { formatVersion, type SegmentIdentity, segmentName, temporarySuffix } from './layout.ts'

export interface StreamEnd {
  readonly topicKey: number
  readonly partition: number
  readonly sequence: number
}
export interface Seal extends SegmentIdentity {
  readonly startLsn: number
  readonly lastLsn: number
  readonly end: number
  /** LSN and position in turn. */
  readonly marks: readonly number[]
  readonly streams: readonly StreamEnd[]
  readonly payload: Uint8Array
}

const magic = 0x4d4c534c
const headerBytes = 56
const suffix = '.seal'

export const sealName = (startLsn: number): string => segmentName(startLsn).replace(/\.journal$/, suffix)
/** The start LSN in a seal's file name, or null if the file is none. */
export function startLsnOfSeal(name: string): number | null {
  const match = /^(\d{20})\.seal$/.exec(name)
  return match === null ? null : Number(match[1])
}

function encode(seal: Seal): Uint8Array {
  const { marks, streams, payload } = seal
  const bytes = new Uint8Array(headerBytes + marks.length * 8 + streams.length * 16 + payload.length)
  writeU32(bytes, 0, magic)
  bytes[9] = formatVersion
  writeU32(bytes, 12, seal.salt)
  writeU32(bytes, 16, seal.generation)
  writeU32(bytes, 20, marks.length / 2)
  writeU64(bytes, 24, seal.startLsn)
  writeU64(bytes, 32, seal.lastLsn)
  writeU64(bytes, 40, seal.end)
  writeU32(bytes, 48, streams.length)
  writeU32(bytes, 52, payload.length)
  let at = headerBytes
  for (const number of marks) {
    writeU64(bytes, at, number)
    at += 8
  }
  for (const { topicKey, partition, sequence } of streams) {
    writeU32(bytes, at, topicKey)
    writeU32(bytes, at + 4, partition)
    writeU64(bytes, at + 8, sequence)
    at += 16
  }
  bytes.set(payload, at)
  writeU32(bytes, 4, crc32c(bytes, 8))
  return bytes
}

function decode(bytes: Uint8Array): Seal | null {
  if (bytes.length < headerBytes || readU32(bytes, 0) !== magic) return null
  if (readU32(bytes, 4) !== crc32c(bytes, 8) || bytes[8] !== 0 || bytes[9] !== formatVersion) return null
  const marks: number[] = []
  let at = headerBytes
  for (let left = readU32(bytes, 20) * 2; left > 0; left--) {
    marks.push(readU64(bytes, at))
    at += 8
  }
  const streams: StreamEnd[] = []
  for (let left = readU32(bytes, 48); left > 0; left--) {
    const sequence = readU64(bytes, at + 8)
    streams.push({ topicKey: readU32(bytes, at), partition: readU32(bytes, at + 4), sequence })
    at += 16
  }
  return {
    salt: readU32(bytes, 12),
    generation: readU32(bytes, 16),
    startLsn: readU64(bytes, 24),
    lastLsn: readU64(bytes, 32),
    end: readU64(bytes, 40),
    marks,
    streams,
    payload: bytes.subarray(at, at + readU32(bytes, 52)),
  }
}

/** Writes the seal beside its segment. A disk that does not take it is no trouble: the next start walks. */
export function writeSeal(fs: FileSystem, folder: string, seal: Seal): boolean {
  const path = `${folder}/${sealName(seal.startLsn)}`
  const temporary = path + temporarySuffix
  try {
    if (fs.stat(temporary) !== null) fs.unlink(temporary)
    const file = fs.open(temporary, 'create')
    try {
      writeFully(file, encode(seal), 0)
    } finally {
      file.close()
    }
    fs.rename(temporary, path)
    return true
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    return false
  }
}

/** The segment is not what it was: the next start shall walk through it. */
export function removeSeal(fs: FileSystem, segmentPath: string, startLsn: number): void {
  const path = `${segmentPath.slice(0, segmentPath.lastIndexOf('/'))}/${sealName(startLsn)}`
  try {
    if (fs.stat(path) !== null) fs.unlink(path)
  } catch (error) {
    // A disk that does not let go of it gives the same bytes again: readers find the damage again.
    if (!(error instanceof FsError)) throw error
  }
}

/** Null if it is not there or not whole. */
export function readSeal(fs: FileSystem, path: string): Seal | null {
  const file = fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    return readFully(file, bytes, 0) === bytes.length ? decode(bytes) : null
  } finally {
    file.close()
  }
}
