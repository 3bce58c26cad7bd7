// What is handed to the journal, and the place it gets there.
import type { EntryKind } from './entry.ts'

export interface NewEntry {
  readonly kind: EntryKind
  readonly topicKey: number
  readonly partition: number
  /** Copied before `append` returns. Of a batch: as a producer makes it, checked. */
  readonly payload: Uint8Array
  /** Of a batch: written into its first bytes. */
  readonly baseOffset?: number
  /** Of a batch: as `baseOffset`. */
  readonly leaderEpoch?: number
}
export interface GroupPlace {
  readonly firstLsn: number
  readonly lastLsn: number
  readonly appendedMs: number
  /** Index of the segment that holds the group. */
  readonly segment: number
  /** Position of each entry's header in the segment's stream. */
  readonly positions: readonly number[]
}
