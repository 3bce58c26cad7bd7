// What the keeper of the settled files is asked and what it answers: plain data, so that it may be in a thread.
import type { Damage } from '../journal/damage.ts'
import type { SegmentIdentity } from '../journal/layout.ts'
import type { StreamEnd } from '../journal/seal.ts'
import type { SettledFile } from './file-format.ts'
import type { ManifestFaults } from './manifest.ts'

export interface KeeperSettings {
  readonly folder: string
  /** 16 bytes. */
  readonly journalId: Uint8Array
  /** What no manifest names may be removed: nothing in this data directory is damaged. */
  readonly mayTidy: boolean
  /** In memory between writes, of all files together. */
  readonly bufferBytesMax: number
  /** Files open for writing at a time. */
  readonly openFilesMax: number
  /** Of the journal, walked through in one go before others get their turn. */
  readonly sliceBytes: number
  readonly faults: SettledFaults
}
export const keeperDefaults: Omit<KeeperSettings, 'folder' | 'journalId' | 'mayTidy'> = {
  bufferBytesMax: 4 << 20,
  openFilesMax: 128,
  sliceBytes: 256 << 10,
  faults: {},
}

/** Mistakes on purpose, so that a test can prove that it would notice them. Never set in production. */
export interface SettledFaults extends ManifestFaults {
  /** Replace the manifest before the files it names are synced. */
  readonly manifestBeforeFileSync?: boolean
  /** Never sync the files. */
  readonly noFileSync?: boolean
  /** Do not sync the folder that holds new files. */
  readonly noFolderSyncBeforeManifest?: boolean
  /** Go on where a file ends instead of where the manifest says. */
  readonly settleFromFileEnd?: boolean
  /** Drop the segment of the journal before the manifest is replaced. */
  readonly dropBeforeManifest?: boolean
  /** Believe every payload of the journal. */
  readonly noPayloadCheck?: boolean
  /** Unlink files before the manifest without them is there. */
  readonly unlinkBeforeManifest?: boolean
}

/** When a partition's file is closed and the next one begun. */
export interface TopicRoll {
  readonly topicKey: number
  readonly fileBytesMax: number
  readonly fileMsMax: number
}
export interface SettleRequest {
  readonly what: 'settle'
  readonly segment: SegmentIdentity & {
    readonly path: string
    /** Position after its last entry. */
    readonly end: number
    readonly lastLsn: number
  }
  /** Lost entries of the segment are known, and no reason to stop. */
  readonly isDamaged: boolean
  /** As they stand after `lastLsn`. */
  readonly streams: readonly StreamEnd[]
  readonly state: Uint8Array
  readonly topics: readonly TopicRoll[]
  /** Keys of deleted topics: their batches are left out. Those of topics that are lost to damage are kept. */
  readonly deleted: readonly number[]
  readonly damage: Damage
}
export interface PartitionPlace {
  readonly topicKey: number
  readonly partition: number
}
export interface ChangeRequest {
  readonly what: 'change'
  /** Files that go, each the first of its partition then. */
  readonly dropFiles: readonly (PartitionPlace & { readonly number: number })[]
  /** Partitions that go with all their files. */
  readonly dropPartitions: readonly PartitionPlace[]
}
export interface ReplaceRequest extends PartitionPlace {
  readonly what: 'replace'
  /** As they were read: neighbours, in order. */
  readonly old: readonly SettledFile[]
  /** Written and synced; cover the same offsets. */
  readonly files: readonly SettledFile[]
}
/** So many numbers for new files, for whoever writes files to replace others. */
export interface NumbersRequest {
  readonly what: 'numbers'
  readonly count: number
}
/** Removes what was dropped from the journal, or moves it aside. */
export interface ClearRequest {
  readonly what: 'clear'
  readonly paths: readonly string[]
  /** Null: they are unlinked. */
  readonly asideTo: string | null
}
export type KeeperRequest = SettleRequest | ChangeRequest | ReplaceRequest | NumbersRequest | ClearRequest

/** What became of a partition: all its figures, and the files that are new, grown or gone. */
export interface PartitionChange extends PartitionPlace {
  readonly start: number
  readonly end: number
  readonly lastLsn: number
  readonly goneLsn: number
  readonly files: readonly SettledFile[]
  /** Numbers. */
  readonly gone: readonly number[]
}
export type KeeperAnswer =
  /** Comes before `done`, several times, each with a few partitions. */
  | { readonly what: 'changed'; readonly partitions: readonly PartitionChange[] }
  | { readonly what: 'done'; readonly firstNumber: number }
  | { readonly what: 'failed'; readonly code: KeeperFailure; readonly message: string }
/**
 * FULL: no room; nothing changed, try again later. DAMAGED: a file is not what it was. CHANGED: what was to be replaced
 * is not as it was read. FAILED: a sync failed, the process has to end.
 */
export type KeeperFailure = 'FULL' | 'DAMAGED' | 'CHANGED' | 'FAILED'
export class KeeperError extends Error {
  override name = 'KeeperError'
  readonly code: KeeperFailure
  constructor(code: KeeperFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
