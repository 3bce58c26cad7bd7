// What a commit makes visible to a follower: at the marker of a committed transaction the batches that it wrote to that
// partition, in order. At their own places in the journal they are passed over, and so are aborted ones for ever.
import { type LogEntry, LogError } from '../../log/log.ts'
import { lsn, offset, partitionId } from '../../std/units.ts'
import { baseOffset, isControl, isTransactional, lastOffset, producerId } from '../../wire/record-batch.ts'
import { cursorAt } from '../cursors.ts'
import type { EntryHeader } from '../journal/entry.ts'
import { firstOffsetOf, isCommitMarker } from './control-batch.ts'

/** Batches of a partition from this offset on, about so many bytes; null if the topic is gone. Throws a LogError. */
export type ReadPartition = (
  topicKey: number,
  partition: number,
  from: number,
  maxBytes: number,
) => readonly Uint8Array[] | null

/** Read at a time. */
const pieceBytes = 1 << 20

export class VisibleTransactions {
  readonly #read: ReadPartition
  /** The marker that was met last, until everything behind it is handed out. */
  #open: Opened | null = null
  /** Of what the first marker makes visible this was handed out before. */
  #handed: { readonly lsn: number; readonly offset: number }

  /** `handed`: a follower begins at this offset of what the marker with this LSN makes visible. */
  constructor(read: ReadPartition, handed: { readonly lsn: number; readonly offset: number }) {
    this.#read = read
    this.#handed = handed
  }
  get isOpen(): boolean {
    return this.#open !== null
  }

  /** True: the batch is not to be handed out as it is met. If it is the marker of a commit, `drain` comes next. */
  takes(
    header: Readonly<Pick<EntryHeader, 'lsn' | 'topicKey' | 'partition'>>,
    topic: string,
    batch: Uint8Array,
  ): boolean {
    if (!isTransactional(batch)) return false
    if (isControl(batch) && isCommitMarker(batch) === true) {
      const from = this.#handed.lsn === header.lsn ? this.#handed.offset : 0
      this.#handed = { lsn: -1, offset: 0 }
      const { lsn: markerLsn, topicKey, partition } = header
      this.#open = new Opened(this.#read, { topic, topicKey, partition, markerLsn, from }, batch)
    }
    return true
  }
  /** Hands out what the last marker made visible, until `take` says stop. */
  drain(take: (entry: LogEntry) => boolean): void {
    while (this.#open !== null) {
      const entry = this.#open.next()
      if (entry === null) this.#open = null
      else if (take(entry)) return
    }
  }
}

interface MarkerPlace {
  readonly topic: string
  readonly topicKey: number
  readonly partition: number
  readonly markerLsn: number
  readonly from: number
}
/** One partition's part of a committed transaction, on its way out. */
class Opened {
  readonly #read: ReadPartition
  readonly #place: MarkerPlace
  readonly #producer: bigint
  readonly #markerOffset: number
  /** Where to read on. */
  #from: number
  /** Read, and not handed out: what follows it tells whether it is the last. */
  #ahead: Uint8Array[] = []

  constructor(read: ReadPartition, place: MarkerPlace, marker: Uint8Array) {
    this.#read = read
    this.#place = place
    this.#producer = producerId(marker)
    this.#markerOffset = baseOffset(marker)
    this.#from = Math.max(place.from, firstOffsetOf(marker))
  }
  next(): LogEntry | null {
    this.#load(2)
    const batch = this.#ahead.shift()
    if (batch === undefined) return null
    const { topic, partition, markerLsn } = this.#place
    const isLast = this.#ahead.length === 0
    return {
      kind: 'batch',
      lsn: lsn(markerLsn),
      after: isLast ? cursorAt(markerLsn) : cursorAt(markerLsn - 1, lastOffset(batch) + 1),
      topic,
      partition: partitionId(partition),
      baseOffset: offset(baseOffset(batch)),
      lastOffset: offset(lastOffset(batch)),
      bytes: batch,
    }
  }
  /** So many ahead, if there are. */
  #load(count: number): void {
    const { topicKey, partition } = this.#place
    while (this.#ahead.length < count && this.#from < this.#markerOffset) {
      const batches = this.#read(topicKey, partition, this.#from, pieceBytes)
      if (batches === null) this.#from = this.#markerOffset
      else if (batches.length === 0) {
        throw new LogError('CORRUPT_MESSAGE', `offset ${this.#from} is not there before offset ${this.#markerOffset}`)
      }
      for (const batch of batches ?? []) {
        this.#from = lastOffset(batch) + 1
        if (baseOffset(batch) >= this.#markerOffset) return
        if (!isTransactional(batch) || isControl(batch) || producerId(batch) !== this.#producer) continue
        this.#ahead.push(batch)
      }
    }
  }
}
