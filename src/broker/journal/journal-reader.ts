// Reads the journal in order from an LSN: in memory at the tail, in large pieces of the files before it.
import { assert } from '../../std/assert.ts'
import type { File } from '../../world/world.ts'
import { blankEntryHeader, type EntryHeader, payloadIsIntact, readEntryHeader } from './entry.ts'
import { closeUp, FileWindow, spanOf } from './file-bytes.ts'
import { JournalError } from './journal-error.ts'
import { entryHeaderBytes, entryStart, fileBytesOf, placeOf, segmentHeaderBytes } from './layout.ts'
import { arenaBytes, type Segment } from './segment.ts'
import type { MissingRange } from './survey.ts'

/** What a reader needs of its journal. */
export interface ReadableJournal {
  readonly durableLsn: number
  readonly segments: readonly Segment[]
  readonly missing: readonly MissingRange[]
  fileOf(segment: Segment): File
  /** The segment does not hold what it held: the next start shall walk through it. */
  distrust(segment: Segment): void
}

export interface ReadVisitor {
  /** Is the payload wanted? Others are stepped over without reading it. */
  wants(header: Readonly<EntryHeader>): boolean
  /** Returns true to stop before the next entry. The payload stays valid until the next `read`. */
  entry(header: Readonly<EntryHeader>, payload: Uint8Array): boolean
  /** These LSNs were lost. Returning goes on behind them; throwing stops before them. */
  missing(range: MissingRange): void
}

const windowBytes = 1 << 20

export class JournalReader {
  readonly #journal: ReadableJournal
  readonly #header = blankEntryHeader()
  #nextLsn: number
  #segment: Segment | null = null
  #position = 0
  /** Whether the entry at `#position` may be an earlier one than wanted: step over it. */
  #seeking = true
  #window: FileWindow | null = null
  #windowUsed = false

  constructor(journal: ReadableJournal, afterLsn: number) {
    this.#journal = journal
    this.#nextLsn = afterLsn + 1
  }
  /** The LSN of the next entry to be looked at. */
  get nextLsn(): number {
    return this.#nextLsn
  }

  /** Goes through durable entries until the visitor stops, the durable end is reached, or a piece of a file is used up. */
  read(visitor: ReadVisitor): void {
    this.#windowUsed = false
    while (this.#nextLsn <= this.#journal.durableLsn) {
      if (!this.#step(visitor)) return
    }
  }

  /** False: stop here. */
  #step(visitor: ReadVisitor): boolean {
    const gap = this.#gapAt(this.#nextLsn)
    if (gap !== null) {
      visitor.missing(gap)
      this.#nextLsn = gap.lastLsn + 1
      this.#segment = null
      return true
    }
    const segment = this.#place()
    const start = entryStart(this.#position)
    const place = placeOf(start)
    const arena = segment.arenaOf(place)
    const window = arena === null ? this.#load(segment, place, entryHeaderBytes) : null
    if (arena === null && window === null) return false
    const bytes = arena ?? window!.bytes
    const at = arena === null ? place - window!.place : place % arenaBytes
    const header = this.#header
    // Bytes in memory are the ones that were written; bytes of a file may have rotted since.
    const good = readEntryHeader(bytes, at, start, segment.header, segment.path, header, arena === null)
    if (!good || (!this.#seeking && header.lsn !== this.#nextLsn)) throw this.#broken(segment, start)
    const after = start + entryHeaderBytes + header.payloadBytes
    if (this.#seeking && header.lsn !== this.#nextLsn) {
      if (header.lsn > this.#nextLsn) throw this.#broken(segment, start)
      this.#position = after
      return true
    }
    this.#seeking = false
    let stop = false
    if (visitor.wants(header)) {
      const payload = this.#payload(segment, start + entryHeaderBytes, header)
      if (payload === null) return false
      try {
        stop = visitor.entry(header, payload)
      } catch (error) {
        // The payload has been closed up where it lay: the next try needs the file's own bytes again.
        this.#window = null
        throw error
      }
    }
    this.#position = after
    this.#nextLsn++
    return !stop
  }

  #gapAt(lsn: number): MissingRange | null {
    for (const range of this.#journal.missing) {
      if (lsn >= range.firstLsn && lsn <= range.lastLsn) return range
    }
    return null
  }

  /** The segment that holds the next LSN; finds the position anew if it is another one than before. */
  #place(): Segment {
    const { segments } = this.#journal
    let segment = this.#segment
    const next = segment === null ? undefined : segments[segment.index + 1]
    if (segment !== null && (next === undefined || this.#nextLsn < next.header.startLsn)) return segment
    segment = segments.findLast((candidate) => !candidate.dropped && candidate.header.startLsn <= this.#nextLsn) ?? null
    assert(segment !== null, `no segment holds LSN ${this.#nextLsn}`)
    this.#segment = segment
    this.#window = null
    this.#seeking = true
    // Behind a gap the entry before is not there to start from.
    const range = this.#journal.missing.find((missing) => missing.lastLsn + 1 === this.#nextLsn)
    if (range?.next?.path === segment.path) this.#position = range.next.position
    else if (this.#nextLsn === segment.header.startLsn) this.#position = segmentHeaderBytes
    else this.#position = segment.positionBefore(this.#nextLsn)
    return segment
  }

  /** Null: another piece of the file is needed, but what this `read` handed out lies in the present one. */
  #load(segment: Segment, place: number, count: number): FileWindow | null {
    let window = this.#window
    if (window === null || place < window.place || place + count > window.place + window.length) {
      if (this.#windowUsed) return null
      const size = fileBytesOf(segment.written)
      window = new FileWindow(this.#journal.fileOf(segment), size, Math.max(windowBytes, count))
      if (window.load(place, count) < 0) throw this.#broken(segment, this.#position)
      this.#window = window
    }
    return window
  }

  #payload(segment: Segment, position: number, header: EntryHeader): Uint8Array | null {
    const length = header.payloadBytes
    if (length === 0) return new Uint8Array(0)
    const cached = segment.view(position, length)
    if (cached !== null) return cached
    const span = spanOf(position, length)
    const place = placeOf(position)
    const window = this.#load(segment, place, span)
    if (window === null) return null
    const at = place - window.place
    closeUp(window.bytes, at, position, length)
    if (!payloadIsIntact(window.bytes, at, header)) {
      this.#window = null
      throw this.#broken(segment, position)
    }
    this.#windowUsed = true
    return window.bytes.subarray(at, at + length)
  }

  #broken(segment: Segment, position: number): JournalError {
    this.#journal.distrust(segment)
    return new JournalError(
      'DAMAGED',
      `${segment.path} no longer holds entry ${this.#nextLsn} near byte ${placeOf(position)}: the disk gave other bytes ` +
        'than were written. Restart Millrace: it will name what is lost.',
    )
  }
}
