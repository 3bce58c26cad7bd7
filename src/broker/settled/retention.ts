// Which settled files go: by age, by size, by DeleteRecords, by the room that the whole log may take. What a job still needs
// stays, up to a limit. Pure: plain data in, files out.
//
// Age is that of the append, not of the records: records of last year that are loaded today are kept as long as all
// others, and a producer with a wrong clock keeps nothing for ever.
import { type SettledFile, settledFileBytes } from './file-format.ts'

export interface RetainedPartition {
  readonly topic: string
  readonly files: readonly SettledFile[]
  /** The first offset held: what is before was deleted. */
  readonly start: number
  /** Of the partition outside of settled files. */
  readonly journalBytes: number
  /** Where the first open transaction begins; nothing behind is deleted by age, size or room: its end is to come. */
  readonly stableEnd: number
  /** Records may be deleted by age and size. */
  readonly mayDelete: boolean
  /** The topic says itself what it keeps: the room of the whole log is not its limit. */
  readonly isExplicit: boolean
  /** -1: without limit. */
  readonly retentionMs: number
  readonly retentionBytes: number
}
export interface RetentionLimits {
  readonly nowMs: number
  /** The whole log, journal included. */
  readonly logBytesMax: number
  /** Of the log, what is not in settled files of partitions. */
  readonly otherBytes: number
  /** What jobs may keep beyond retention, at most. */
  readonly pinnedBytesMax: number
}
/** Who needs the entries of these topics behind this LSN. */
export interface Need {
  readonly afterLsn: number
  readonly topics: ReadonlySet<string>
  /** And so many bytes of theirs before it. */
  readonly behindBytes: number
}
export type Reason = 'deleted' | 'age' | 'size' | 'room'
export interface RetentionPlan {
  readonly drop: readonly { readonly file: SettledFile; readonly reason: Reason }[]
  /** What would go and stays, because somebody needs it. */
  readonly pinnedBytes: number
  /** By how much the log is larger than it may be, with all that may go gone. */
  readonly excessBytes: number
}

interface Candidate {
  readonly file: SettledFile
  readonly topic: string
  readonly reason: Reason
}

export function planRetention(
  partitions: readonly RetainedPartition[],
  needs: readonly Need[],
  limits: RetentionLimits,
): RetentionPlan {
  const candidates: Candidate[] = []
  const rest: Candidate[] = []
  let logBytes = limits.otherBytes
  for (const partition of partitions) {
    const { topic, files } = partition
    let bytes = partition.journalBytes
    for (const file of files) bytes += settledFileBytes(file)
    let goes = true
    for (const file of files) {
      const reason: Reason | null = goes ? reasonOf(partition, file, bytes, limits.nowMs) : null
      // A log loses its first files only.
      goes = reason !== null
      if (reason !== null) {
        candidates.push({ file, topic, reason })
        bytes -= settledFileBytes(file)
      } else if (partition.mayDelete && !partition.isExplicit && file.end <= partition.stableEnd)
        rest.push({ file, topic, reason: 'room' })
    }
    logBytes += bytes
  }
  rest.sort((a, b) => a.file.lastLsn - b.file.lastLsn)
  for (const candidate of rest) {
    if (logBytes <= limits.logBytesMax) break
    candidates.push(candidate)
    logBytes -= settledFileBytes(candidate.file)
  }
  const pinned = letGo(candidates, partitions, needs, limits.pinnedBytesMax)
  return { ...pinned, excessBytes: Math.max(0, logBytes - limits.logBytesMax) }
}

function reasonOf(partition: RetainedPartition, file: SettledFile, bytes: number, nowMs: number): Reason | null {
  if (file.end <= partition.start) return 'deleted'
  if (!partition.mayDelete || file.end > partition.stableEnd) return null
  const { retentionMs, retentionBytes } = partition
  if (retentionMs >= 0 && nowMs - file.lastAppendedMs > retentionMs) return 'age'
  if (retentionBytes >= 0 && bytes - settledFileBytes(file) >= retentionBytes) return 'size'
  return null
}

/** Of what should go, the newest that is needed stays, as far as the limit reaches. */
function letGo(
  candidates: readonly Candidate[],
  partitions: readonly RetainedPartition[],
  needs: readonly Need[],
  pinnedBytesMax: number,
): { drop: Candidate[]; pinnedBytes: number } {
  if (candidates.length === 0) return { drop: [], pinnedBytes: 0 }
  const drop: Candidate[] = []
  const going = new Map(candidates.map((candidate) => [candidate.file.number, candidate]))
  const all = partitions.flatMap(({ topic, files }) => files.map((file) => ({ topic, file })))
  /** Of each need, how much of what is before its place it still asks for. */
  const behind = needs.map((need) => need.behindBytes)
  let pinnedBytes = 0
  let isOver = false
  for (const { file, topic } of all.sort((a, b) => b.file.lastLsn - a.file.lastLsn)) {
    const bytes = settledFileBytes(file)
    let isNeeded = false
    for (const [i, { afterLsn, topics }] of needs.entries()) {
      if (!topics.has(topic)) continue
      if (file.lastLsn > afterLsn) isNeeded = true
      else if (behind[i]! > 0) {
        isNeeded = true
        behind[i]! -= bytes
      }
    }
    const candidate = going.get(file.number)
    if (candidate === undefined) continue
    // Behind the first that finds no room all go: a log has no hole.
    if (isNeeded && pinnedBytes + bytes > pinnedBytesMax) isOver = true
    if (isNeeded && !isOver) pinnedBytes += bytes
    else drop.push(candidate)
  }
  return { drop: drop.reverse(), pinnedBytes }
}

/** Small, and what a job is rebuilt from its topics with: kept at least so long. */
const ticksKeptMs = 7 * 86_400_000
/** Ticks go when they are old, no batch of their time is left, and nobody needs them. */
export function ticksToDrop(
  files: readonly SettledFile[],
  oldestLsn: number,
  needs: readonly Need[],
  nowMs: number,
): SettledFile[] {
  const neededFrom = Math.min(oldestLsn, ...needs.map(({ afterLsn }) => afterLsn + 1))
  const drop: SettledFile[] = []
  for (const file of files) {
    if (file.lastLsn >= neededFrom || nowMs - file.lastAppendedMs <= ticksKeptMs) break
    drop.push(file)
  }
  return drop
}
