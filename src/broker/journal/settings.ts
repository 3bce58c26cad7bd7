// What a journal can be told: limits with their units, durability, and the faults that tests make it commit.
import type { JournalError } from './journal-error.ts'
import type { ReserveSettings } from './reserve.ts'
import type { StreamEnd } from './seal.ts'

export interface JournalSettings {
  /** `power`: an append is durable after fdatasync. `process`: after the write; synced in the background. */
  readonly durability: 'power' | 'process'
  /** A segment takes no further group that would make it longer than this. */
  readonly segmentBytes: number
  /** A segment takes no further group when it has so many entries: a start walks through two segments at most. */
  readonly segmentEntriesMax: number
  /** A write takes whole groups up to this many bytes (one larger group goes alone). */
  readonly flushBytesMax: number
  /** Waiting for the disk, at most; more is refused with SLOW. */
  readonly pendingBytesMax: number
  /** Payload of one atomic group, at most. */
  readonly groupBytesMax: number
  /** Of the newest bytes, kept in memory for readers at the tail. */
  readonly cacheBytes: number
  /** Files held open for reading, at most. */
  readonly openFilesMax: number
  /** After this long without an append, a witness entry says that the last one was durable. */
  readonly witnessAfterMs: number
  /** With durability `process`: a sync at least so often while there is something to sync. */
  readonly backgroundSyncMs: number
  /** When idle, wait so long for others to join before the write (0 = at once). */
  readonly lingerMs: number
  /** Records are refused with FULL while the disk has less room than this (disk-room.ts). 0: it is not asked. */
  readonly freeBytesMin: number
  /** Given up when there is no room left, for what finishes work and makes room. Null: none. */
  readonly reserve: ReserveSettings | null
  /** A start copies a last segment up to this size whole, so that restarts do not pile up small files. */
  readonly recopyBytesMax: number
  /** What was settled, and so is in no segment any more. */
  readonly settled: { readonly lsn: number; readonly streams: readonly StreamEnd[] }
  /** Segments together, at most: appends are refused with SLOW while more waits to be settled. */
  readonly bytesMax: number
  /** 16 bytes, in every segment header. */
  readonly journalId: Uint8Array
  /** Called once if a sync failed: nothing more is acknowledged, the process should end (exit code 70). */
  readonly failed: (error: JournalError) => void
  /** For tests only: what a wrong implementation would do. Default: none. */
  readonly faults: JournalFaults
}

/** Mistakes on purpose, so that a test can prove that it would notice them. Never set in production. */
export interface JournalFaults {
  /** Never sync a segment's file. */
  readonly noSync?: boolean
  /** Say durable before the sync has come back. */
  readonly ackBeforeSync?: boolean
  /** After a failed sync, sync again and go on. */
  readonly retrySyncAfterError?: boolean
  /** Leave what a failed write put into the file. */
  readonly noTruncateAfterFailedWrite?: boolean
  /** Do not sync the folder after a new segment. */
  readonly noFolderSyncOnRoll?: boolean
  /** At a start, believe every payload that is there. */
  readonly noPayloadCheck?: boolean
  /** At a start, do not look for entries behind a broken one. */
  readonly noResumeAtBlocks?: boolean
  /** At a start, take everything that is missing for a torn tail. */
  readonly noWitness?: boolean
  /** At a start, do not sync the file that holds the copied tail. */
  readonly noSyncInRecovery?: boolean
  /** At a start, do not sync the folder after the rename. */
  readonly noFolderSyncInRecovery?: boolean
  /** At a start, sync the old file and go on in it instead of copying its tail. */
  readonly resyncInsteadOfCopy?: boolean
  /** Each entry of a group on its own. */
  readonly splitGroups?: boolean
}

const mebibyte = 1 << 20

export const journalDefaults: Omit<JournalSettings, 'journalId' | 'failed'> = {
  durability: 'power',
  segmentBytes: 128 * mebibyte,
  segmentEntriesMax: 100_000,
  flushBytesMax: mebibyte,
  pendingBytesMax: 128 * mebibyte,
  groupBytesMax: 64 * mebibyte,
  cacheBytes: 32 * mebibyte,
  openFilesMax: 64,
  witnessAfterMs: 1000,
  backgroundSyncMs: 1000,
  lingerMs: 0,
  freeBytesMin: 256 * mebibyte,
  reserve: null,
  recopyBytesMax: 4 * mebibyte,
  settled: { lsn: 0, streams: [] },
  bytesMax: Number.POSITIVE_INFINITY,
  faults: {},
}
