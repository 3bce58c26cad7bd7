// Which partition is compacted next, and which of its files: by how much of it is not compacted yet. Pure.
import { type SettledFile, settledFileBytes } from '../settled/file-format.ts'

export interface Compactable {
  readonly topicKey: number
  readonly partition: number
  readonly files: readonly SettledFile[]
  /** `min.cleanable.dirty.ratio`, `min.compaction.lag.ms`, `max.compaction.lag.ms`. */
  readonly dirtyRatioMin: number
  readonly lagMsMin: number
  readonly lagMsMax: number
  /** Records from here on are not compacted: a transaction is open, or they are deleted already. */
  readonly stableEnd: number
  /** Somebody reads entries behind this LSN and must not miss any. */
  readonly neededAfterLsn: number
}
export interface CompactionPlan {
  readonly topicKey: number
  readonly partition: number
  /** From the first one of the partition on. */
  readonly files: readonly SettledFile[]
  /** The first offset that no compaction has looked at. */
  readonly dirtyFrom: number
  /** Offsets from here on stay as they are. */
  readonly end: number
  /** Somebody has yet to read what lies behind these files: markers there make records in them visible. */
  readonly isFollowed: boolean
}

/** The one with the largest part that is not compacted, or null if none has enough. */
export function planCompaction(partitions: readonly Compactable[], nowMs: number): CompactionPlan | null {
  let best: CompactionPlan | null = null
  let bestRatio = -1
  for (const partition of partitions) {
    const found = planOne(partition, nowMs)
    if (found === null || found.ratio <= bestRatio) continue
    best = found.plan
    bestRatio = found.ratio
  }
  return best
}

function planOne(of: Compactable, nowMs: number): { plan: CompactionPlan; ratio: number } | null {
  const files: SettledFile[] = []
  let cleanBytes = 0
  let dirtyBytes = 0
  let dirtyFrom = -1
  let oldestDirtyMs = nowMs
  for (const file of of.files) {
    // The last file still grows.
    if (!file.closed || file.start >= of.stableEnd) break
    const isDirty = !file.compacted || dirtyFrom >= 0
    if (isDirty && (nowMs - file.lastAppendedMs < of.lagMsMin || file.lastLsn > of.neededAfterLsn)) break
    files.push(file)
    if (isDirty) {
      if (dirtyFrom < 0) {
        dirtyFrom = file.start
        oldestDirtyMs = file.firstAppendedMs
      }
      dirtyBytes += settledFileBytes(file)
    } else cleanBytes += settledFileBytes(file)
  }
  const last = files.at(-1)
  if (last === undefined || dirtyFrom < 0) return null
  const ratio = dirtyBytes / (cleanBytes + dirtyBytes)
  if (ratio < of.dirtyRatioMin && nowMs - oldestDirtyMs <= of.lagMsMax) return null
  const { topicKey, partition } = of
  const isFollowed = Number.isFinite(of.neededAfterLsn)
  return { plan: { topicKey, partition, files, dirtyFrom, end: Math.min(last.end, of.stableEnd), isFollowed }, ratio }
}
