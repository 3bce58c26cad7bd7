// The settled entries of several partitions in the order of their LSNs, as the journal had them.
import { LogError } from '../../log/log.ts'
import { assert } from '../../std/assert.ts'
import { streamKey } from '../journal/damage.ts'
import type { SettledEntry, SettledFile } from './file-format.ts'
import type { FileWalk } from './file-walk.ts'
import { byLsn, seek } from './seek.ts'
import type { Settled } from './settled.ts'

/** Of the files, in memory, of all partitions together; each gets its share, within bounds. */
const windowsBytes = 16 << 20
const windowBytesMax = 512 << 10
const windowBytesMin = 8 << 10

/** Whose entries are merged. */
export interface MergePlace {
  readonly topicKey: number
  readonly partition: number
  /** Dropped up to this LSN before anyone began to read: no loss. */
  readonly goneBefore: number
}
/** One partition's next entry. */
interface Source extends MergePlace {
  /** At least: of the next entry; exactly, once `walk` is there. */
  lsn: number
  walk: FileWalk | null
  file: SettledFile | null
  /** Why its next entry cannot be had. */
  broken: boolean
}
export interface MergeVisitor {
  /** Returns true to stop before the next entry. The payload stays valid. */
  entry(
    source: { readonly topicKey: number; readonly partition: number },
    entry: SettledEntry,
    payload: Uint8Array,
  ): boolean
}

export class SettledMerge {
  readonly #settled: Settled
  readonly #heap: Source[] = []
  readonly #windowBytes: number
  /** What is settled later is for the next merge. */
  readonly upTo: number
  nextLsn: number

  /** From `nextLsn` on, up to `upTo`, which is settled. */
  constructor(settled: Settled, places: readonly MergePlace[], nextLsn: number, upTo: number) {
    this.#settled = settled
    this.upTo = upTo
    this.nextLsn = nextLsn
    const share = Math.floor(windowsBytes / Math.max(1, places.length))
    this.#windowBytes = Math.max(windowBytesMin, Math.min(windowBytesMax, share))
    for (const place of places) {
      this.#push({ ...place, lsn: nextLsn, walk: null, file: null, broken: false })
    }
  }

  /** Hands out entries until the visitor stops. False: all are handed out. Throws a LogError where the next is broken. */
  read(visitor: MergeVisitor): boolean {
    for (;;) {
      const [source] = this.#heap
      if (source === undefined) {
        this.nextLsn = this.upTo + 1
        return false
      }
      if (source.broken) throw this.#damaged(source)
      if (source.walk === null || !this.#settled.has(source.file!)) {
        this.#open(source)
        continue
      }
      const { walk, topicKey, partition } = source
      const payload = walk.payload()
      if (payload === null) throw this.#damaged(source)
      const lsn = walk.entry.lsn
      const stops = visitor.entry({ topicKey, partition }, walk.entry, payload)
      this.nextLsn = lsn + 1
      this.#advance(source, walk.next(), lsn)
      if (stops) return true
    }
  }

  /** Finds the file and the entry that come next; the source may be further up the line then, or done. */
  #open(source: Source): void {
    const { topicKey, partition, lsn, goneBefore } = source
    const now = this.#settled.partition(topicKey, partition)
    if (now !== null && now.goneLsn >= lsn && now.goneLsn > goneBefore) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `entries ${lsn} to ${now.goneLsn} of partition ${topicKey}-${partition} were deleted before they were read: ` +
          'retention did not wait any longer. What was computed from them must be rebuilt from what the log still holds.',
      )
    }
    const files = now?.files ?? []
    const file = files.find((candidate) => candidate.lastLsn >= lsn && candidate.entries > 0)
    source.file = file ?? null
    source.walk = null
    if (file === undefined || file.firstLsn > this.upTo) {
      this.#pop()
      return
    }
    if (file.firstLsn > lsn) {
      // Not before its turn.
      source.lsn = file.firstLsn
      this.#sink()
      return
    }
    source.walk = this.#settled.walk(file, this.#windowBytes)
    this.#advance(source, seek(source.walk, byLsn, lsn), lsn - 1)
  }
  #advance(source: Source, met: 'entry' | 'end' | 'broken', after: number): void {
    const { walk, file } = source
    assert(walk !== null && file !== null, 'a source that is read has a file')
    if (met === 'end') {
      // The next file, if there is one.
      source.walk = null
      source.lsn = Math.max(after + 1, file.lastLsn + 1)
    } else {
      source.broken = met === 'broken'
      source.lsn = source.broken ? after + 1 : walk.entry.lsn
    }
    if (source.lsn > this.upTo) this.#pop()
    else this.#sink()
  }

  #damaged({ file, lsn }: Source): LogError {
    return new LogError(
      'CORRUPT_MESSAGE',
      `${file === null ? this.#settled.folder : this.#settled.pathOf(file)} no longer holds entry ${lsn} or one behind it: ` +
        'the disk gave other bytes than were written. Nothing was deleted. Restore the data directory from a backup, or ' +
        'follow from a later place.',
    )
  }

  // --- A heap by LSN, the partition breaking ties between places that are only "at least" ---

  #before(a: Source, b: Source): boolean {
    return a.lsn !== b.lsn ? a.lsn < b.lsn : streamKey(a.topicKey, a.partition) < streamKey(b.topicKey, b.partition)
  }
  #push(source: Source): void {
    const heap = this.#heap
    let i = heap.push(source) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(source, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = source
  }
  #pop(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink()
  }
  /** The first one's LSN has grown. */
  #sink(): void {
    const heap = this.#heap
    const source = heap[0]!
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, source)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = source
  }
}
