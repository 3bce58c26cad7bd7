// The row of segments that appends go to: when one takes no more, and when the row is as long as it may be.
import type { StreamSequences } from './damage.ts'
import { fileBytesOf, segmentHeaderBytes } from './layout.ts'
import type { Seal } from './seal.ts'
import { firstLive, type Segment } from './segment.ts'
import type { JournalSettings } from './settings.ts'
import type { TailCache } from './tail-cache.ts'

export interface CommitState {
  readonly segments: Segment[]
  readonly sequences: StreamSequences
  readonly cache: TailCache
  readonly lastLsn: number
  /** The highest LSN that some header on disk says was durable. */
  readonly witness: number
  readonly generationMax: number
  /** Everything after the segment's last entry, which is the last one there is. Null: none is to be written. */
  sealOf(segment: Segment, lastLsn: number): Seal | null
  /** A segment is finished and durable. */
  sealed(): void
}

type Limits = Pick<JournalSettings, 'segmentBytes' | 'segmentEntriesMax' | 'bytesMax'>

/** Does a group of this size go to a new segment? `wanted`: it does unless the last one is empty. */
export function wouldRoll(segments: readonly Segment[], groupBytes: number, limits: Limits, wanted: boolean): boolean {
  const last = segments.at(-1)
  if (last === undefined || last.dropped) return true
  if (last.end === segmentHeaderBytes) return false
  return wanted || last.end + groupBytes > limits.segmentBytes || last.entries >= limits.segmentEntriesMax
}
/** Of the segments that are not settled. */
export function liveBytes(segments: readonly Segment[]): number {
  let bytes = 0
  for (let i = firstLive(segments); i < segments.length; i++) bytes += fileBytesOf(segments[i]!.end)
  return bytes
}
/** Another segment would be one too many. */
export function isOverfull(segments: readonly Segment[], { bytesMax, segmentBytes }: Limits): boolean {
  return bytesMax !== Number.POSITIVE_INFINITY && liveBytes(segments) + segmentBytes > bytesMax
}
