// Finds the first entry of a settled file at or behind an offset, an LSN or a time: by halving its blocks, then on foot.
import { blankSettledEntry, type SettledEntry, settledHeaderBytes } from './file-format.ts'
import type { FileWalk } from './file-walk.ts'

export interface SeekBy {
  /** Ascends through a file: the first entry whose value is at or above the wanted one is looked for. */
  of(entry: SettledEntry): number
  /** Is it the first one whatever lies before it? */
  isFirst(entry: SettledEntry, wanted: number): boolean
}
export const byOffset: SeekBy = {
  of: (entry) => entry.lastOffset,
  isFirst: (entry, wanted) => entry.baseOffset <= wanted,
}
export const byLsn: SeekBy = { of: (entry) => entry.lsn, isFirst: (entry, wanted) => entry.lsn === wanted }
export const byTime: SeekBy = { of: (entry) => entry.maxTimestampMs, isFirst: () => false }

/**
 * Leaves the walk at the entry, as `next` does. 'broken': what lies where it may be cannot be read; `resume` goes on
 * behind it. What is broken before or behind the place is stepped over.
 */
export function seek(walk: FileWalk, by: SeekBy, wanted: number): 'entry' | 'end' | 'broken' {
  walk.goTo(begin(walk, by, wanted))
  for (;;) {
    const met = walk.next()
    if (met === 'end') return 'end'
    if (met === 'entry') {
      if (by.of(walk.entry) >= wanted) return 'entry'
      continue
    }
    const broken = walk.position
    if (walk.resume() && walk.next() === 'entry') {
      if (by.of(walk.entry) < wanted) continue
      if (by.isFirst(walk.entry, wanted)) return 'entry'
    }
    walk.goTo(broken)
    walk.next()
    return 'broken'
  }
}

/** Position of an entry before the one wanted, near it; or of the first one. */
function begin(walk: FileWalk, by: SeekBy, wanted: number): number {
  const probe = blankSettledEntry()
  let from = settledHeaderBytes
  let low = 0
  let high = walk.blocks - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    // Where no entry begins, or none can be read, the next block may say it.
    let block = middle
    let position = walk.firstIn(block, probe)
    while (position === null && block < high) position = walk.firstIn(++block, probe)
    if (position === null || by.of(probe) >= wanted) high = middle - 1
    else {
      low = block
      from = position
    }
  }
  return from
}
