// The manifest: which settled files there are, how far each is valid, and the state of the log up to their last LSN.
//
// Two files, `settled/manifest` and `settled/manifest.copy`, of the same bytes: both written whole beside their places and
// synced, then both renamed over the ones before, then the folder is synced. The one that can be read with the higher number counts.
// So a crash leaves the old or the new one, and a byte that rots is no loss. Big-endian; changing it needs a format
// version.
//
//    0  4  magic "MLMF"
//    4  4  CRC-32C of bytes 8 to the end
//    8  2  format version
//   10  2  zero
//   12  4  bytes of the JSON
//   16  8  number of the manifest: each has a higher one than the one before
//   24 16  id of the journal
//   40  8  settled LSN: every entry up to here is in a settled file, or in the state
//   48  4  number of streams
//   52  4  bytes of the state
//   56     JSON: partitions with their files, damage (`Written`)
//          streams, as they stand after the settled LSN: topic key 4, partition 4, last sequence 8
//          state of the log after the settled LSN (../snapshot.ts, without batches)
import { crc32c } from '../../std/crc32c.ts'
import { type FileSystem, FsError } from '../../world/world.ts'
import { readU32, readU64, writeU32, writeU64 } from '../journal/big-endian.ts'
import type { Damage } from '../journal/damage.ts'
import { readFully, writeFully } from '../journal/file-bytes.ts'
import { JournalError } from '../journal/journal-error.ts'
import { newerFormat } from '../journal/layout.ts'
import type { StreamEnd } from '../journal/seal.ts'
import type { SettledFile } from './file-format.ts'

/** One partition, or a stream of the house's own (topic key 0). */
export interface SettledPartition {
  readonly topicKey: number
  readonly partition: number
  /** The first offset held, and one past the last one settled. */
  readonly start: number
  readonly end: number
  /** Of the last entry settled; of the last one dropped (0: none was). */
  readonly lastLsn: number
  readonly goneLsn: number
  /** In order; each covers the offsets from where the one before ends. */
  readonly files: readonly SettledFile[]
}
export interface Manifest {
  readonly number: number
  readonly settledLsn: number
  readonly nextFile: number
  readonly partitions: readonly SettledPartition[]
  readonly streams: readonly StreamEnd[]
  readonly state: Uint8Array
  /** What was lost from segments that are settled. */
  readonly damage: Damage
}
export const noDamage: Damage = { ranges: [], lost: [], unknownEntries: 0, lastLsn: 0 }
export const emptyManifest: Manifest = {
  number: 0,
  settledLsn: 0,
  nextFile: 1,
  partitions: [],
  streams: [],
  state: new Uint8Array(0),
  damage: noDamage,
}

interface Written {
  readonly nextFile: number
  /** Topic key, partition, start, end, last LSN, gone LSN, files. */
  readonly partitions: readonly (readonly [number, number, number, number, number, number, readonly WrittenFile[]])[]
  readonly damage: Damage
}
/** Number, salt, flags (1 compacted, 2 closed), start, end, LSNs, length, entries, largest timestamp, append times. */
type WrittenFile = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

const magic = 0x4d4c4d46
const manifestFormat = 1
const headerBytes = 56
export const manifestNames = ['manifest', 'manifest.copy'] as const
export const manifestTemporary = '.tmp'

export function encodeManifest(manifest: Manifest, journalId: Uint8Array): Uint8Array {
  const written: Written = {
    nextFile: manifest.nextFile,
    partitions: manifest.partitions.map((each) => [
      each.topicKey,
      each.partition,
      each.start,
      each.end,
      each.lastLsn,
      each.goneLsn,
      each.files.map((file) => [
        file.number,
        file.salt,
        (file.compacted ? 1 : 0) + (file.closed ? 2 : 0),
        file.start,
        file.end,
        file.firstLsn,
        file.lastLsn,
        file.length,
        file.entries,
        file.maxTimestampMs,
        file.firstAppendedMs,
        file.lastAppendedMs,
      ]),
    ]),
    damage: manifest.damage,
  }
  const json = new TextEncoder().encode(JSON.stringify(written))
  const { streams, state } = manifest
  const bytes = new Uint8Array(headerBytes + json.length + streams.length * 16 + state.length)
  writeU32(bytes, 0, magic)
  bytes[9] = manifestFormat
  writeU32(bytes, 12, json.length)
  writeU64(bytes, 16, manifest.number)
  bytes.set(journalId, 24)
  writeU64(bytes, 40, manifest.settledLsn)
  writeU32(bytes, 48, streams.length)
  writeU32(bytes, 52, state.length)
  bytes.set(json, headerBytes)
  let at = headerBytes + json.length
  for (const { topicKey, partition, sequence } of streams) {
    writeU32(bytes, at, topicKey)
    writeU32(bytes, at + 4, partition)
    writeU64(bytes, at + 8, sequence)
    at += 16
  }
  bytes.set(state, at)
  writeU32(bytes, 4, crc32c(bytes, 8))
  return bytes
}

/** Null if the bytes are not a whole manifest; throws NEWER_FORMAT or UNKNOWN_FILE for one that is not for us. */
export function decodeManifest(bytes: Uint8Array, journalId: Uint8Array, path: string): Manifest | null {
  if (bytes.length < headerBytes || readU32(bytes, 0) !== magic) return null
  if (readU32(bytes, 4) !== crc32c(bytes, 8)) return null
  const version = (bytes[8]! << 8) | bytes[9]!
  if (version !== manifestFormat) throw newerFormat(path, version)
  if (Buffer.compare(bytes.subarray(24, 40), journalId) !== 0) {
    throw new JournalError('UNKNOWN_FILE', `${path} belongs to another data directory. Nothing was changed.`)
  }
  const jsonBytes = readU32(bytes, 12)
  // A codec: these bytes are our own, whole, and of this format.
  const written = JSON.parse(new TextDecoder().decode(bytes.subarray(headerBytes, headerBytes + jsonBytes))) as Written
  let at = headerBytes + jsonBytes
  const streams: StreamEnd[] = []
  for (let left = readU32(bytes, 48); left > 0; left--) {
    streams.push({ topicKey: readU32(bytes, at), partition: readU32(bytes, at + 4), sequence: readU64(bytes, at + 8) })
    at += 16
  }
  return {
    number: readU64(bytes, 16),
    settledLsn: readU64(bytes, 40),
    nextFile: written.nextFile,
    partitions: written.partitions.map(([topicKey, partition, start, end, lastLsn, goneLsn, files]) => ({
      topicKey,
      partition,
      start,
      end,
      lastLsn,
      goneLsn,
      files: files.map((file) => fileOf(topicKey, partition, file)),
    })),
    streams,
    state: bytes.slice(at, at + readU32(bytes, 52)),
    damage: written.damage,
  }
}
function fileOf(topicKey: number, partition: number, written: WrittenFile): SettledFile {
  const [number, salt, flags, start, end, firstLsn, lastLsn, length, entries, maxMs, firstMs, lastMs] = written
  return {
    number,
    salt,
    topicKey,
    partition,
    compacted: (flags & 1) !== 0,
    closed: (flags & 2) !== 0,
    start,
    end,
    firstLsn,
    lastLsn,
    length,
    entries,
    maxTimestampMs: maxMs,
    firstAppendedMs: firstMs,
    lastAppendedMs: lastMs,
  }
}

/**
 * The manifest of a folder, which may not be there; null: it was never written. Throws DAMAGED if neither of its files
 * can be read: what is settled cannot be told then, and nothing may be changed.
 */
export function readManifest(fs: FileSystem, folder: string, journalId: Uint8Array): Manifest | null {
  let newest: Manifest | null = null
  let found = 0
  for (const name of manifestNames) {
    const path = `${folder}/${name}`
    if (fs.stat(path) === null) continue
    found++
    const manifest = decodeManifest(readWhole(fs, path), journalId, path)
    if (manifest !== null && manifest.number > (newest?.number ?? -1)) newest = manifest
  }
  if (found > 0 && newest === null) {
    throw new JournalError(
      'DAMAGED',
      `neither ${folder}/manifest nor its copy can be read: which settled files are valid, and how far, cannot be told. ` +
        'Restore the data directory from a backup. Nothing was changed.',
    )
  }
  return newest
}
function readWhole(fs: FileSystem, path: string): Uint8Array {
  const file = fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    return bytes.subarray(0, readFully(file, bytes, 0))
  } finally {
    file.close()
  }
}

/** Mistakes on purpose, so that a test can prove that it would notice them. Never set in production. */
export interface ManifestFaults {
  /** Do not sync the folder after the renames. */
  readonly noFolderSyncAfterManifest?: boolean
  /** Write over the manifest instead of replacing it. */
  readonly manifestInPlace?: boolean
}

/**
 * Replaces the manifest; durable when it resolves. If `prepare` rejects (an FsError), the old one is as it was. If `commit`
 * rejects, nobody knows which of the two counts: nothing that either names may be changed any more.
 */
export function manifestReplacement(
  fs: FileSystem,
  folder: string,
  bytes: Uint8Array,
  faults: ManifestFaults = {},
): { prepare(): Promise<void>; commit(): Promise<void> } {
  const inPlace = faults.manifestInPlace === true
  const placeOf = (name: string): string => `${folder}/${name}${inPlace ? '' : manifestTemporary}`
  return {
    async prepare() {
      for (const name of manifestNames) {
        const path = placeOf(name)
        if (fs.stat(path) !== null) fs.unlink(path)
        const file = fs.open(path, 'create')
        try {
          writeFully(file, bytes, 0)
          await file.sync()
        } finally {
          file.close()
        }
      }
    },
    async commit() {
      for (const name of manifestNames) if (!inPlace) fs.rename(placeOf(name), `${folder}/${name}`)
      if (faults.noFolderSyncAfterManifest !== true) await fs.syncFolder(folder)
    },
  }
}

/** Did it fail for want of room, or of anything else that may come back? */
export function mayComeBack(error: unknown): boolean {
  return error instanceof FsError && ['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE'].includes(error.code)
}
