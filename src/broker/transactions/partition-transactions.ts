// The transactions of one partition: which are open and since where, which were aborted, and so where stable reading ends.

/** A transaction that was aborted: its records lie from `firstOffset` to its marker at `lastOffset`. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}
/** JSON-safe: part of the broker's snapshots. As it will be when what was taken is durable. */
export interface CapturedPartitionTransactions {
  /** Producer id, first offset. */
  readonly open: readonly (readonly [number, number])[]
  /** Producer id, first offset, offset of the marker; by marker. */
  readonly aborted: readonly (readonly [number, number, number])[]
}

interface Ending {
  readonly commit: boolean
  readonly markerOffset: number
}
/** Numbers per aborted transaction in `#aborted`: producer id, first offset, offset of the marker. */
const columns = 3

export class PartitionTransactions {
  /** First offset by producer id, in the order of first offsets. Until the marker is durable. */
  readonly #open = new Map<number, number>()
  /** Markers that were taken and are not durable yet. */
  readonly #ending = new Map<number, Ending>()
  /** By the offset of the marker. */
  #aborted = new Float64Array(0)
  #abortedCount = 0
  /** Offsets from the first record of an aborted transaction to its marker, at most: who looks for some need not go further. */
  #spanMax = 0

  get open(): number {
    return this.#open.size
  }
  get aborted(): number {
    return this.#abortedCount
  }
  isOpen(producerId: number): boolean {
    return this.#open.has(producerId) && !this.#ending.has(producerId)
  }
  /** Its marker was taken, and is not durable yet. */
  isEnding(producerId: number): boolean {
    return this.#ending.has(producerId)
  }
  /** Of the producer's open transaction; -1 without one. */
  firstOffset(producerId: number): number {
    return this.isOpen(producerId) ? this.#open.get(producerId)! : -1
  }
  producers(): IterableIterator<number> {
    return this.#open.keys()
  }

  /** A batch of a transaction was taken. Returns the way back. */
  wrote(producerId: number, baseOffset: number): () => void {
    if (this.#open.has(producerId)) return () => {}
    this.#open.set(producerId, baseOffset)
    return () => this.#open.delete(producerId)
  }
  /** The marker was taken. Returns the way back. */
  ending(producerId: number, commit: boolean, markerOffset: number): () => void {
    if (!this.isOpen(producerId)) return () => {}
    this.#ending.set(producerId, { commit, markerOffset })
    return () => this.#ending.delete(producerId)
  }
  /** The marker is durable. */
  ended(producerId: number): void {
    const ending = this.#ending.get(producerId)
    const firstOffset = this.#open.get(producerId)
    if (ending === undefined || firstOffset === undefined) return
    this.#ending.delete(producerId)
    this.#open.delete(producerId)
    if (!ending.commit) this.#abort(producerId, firstOffset, ending.markerOffset)
  }
  #abort(producerId: number, firstOffset: number, lastOffset: number): void {
    const at = this.#abortedCount * columns
    if (at === this.#aborted.length) {
      const grown = new Float64Array(Math.max(8 * columns, at * 2))
      grown.set(this.#aborted)
      this.#aborted = grown
    }
    this.#aborted.set([producerId, firstOffset, lastOffset], at)
    this.#abortedCount++
    this.#spanMax = Math.max(this.#spanMax, lastOffset - firstOffset)
  }

  /** Where reading stable records ends: before the first record whose transaction is open. */
  stableEnd(start: number, durableEnd: number): number {
    for (const firstOffset of this.#open.values()) return Math.min(durableEnd, Math.max(start, firstOffset))
    return durableEnd
  }
  /** The aborted transactions with a record in these offsets, `to` not included. */
  abortedIn(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let i = this.#firstEndingFrom(from); i < this.#abortedCount; i++) {
      const at = i * columns
      const [firstOffset, lastOffset] = [this.#aborted[at + 1]!, this.#aborted[at + 2]!]
      if (firstOffset < to) found.push({ producerId: this.#aborted[at]!, firstOffset, lastOffset })
      else if (lastOffset - this.#spanMax >= to) break
    }
    return found
  }
  /** Index of the first aborted transaction whose marker is at this offset or after it. */
  #firstEndingFrom(offset: number): number {
    let low = 0
    let high = this.#abortedCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#aborted[middle * columns + 2]! < offset) low = middle + 1
      else high = middle
    }
    return low
  }
  /** The records before this offset are gone, and what was aborted among them. */
  forgetBelow(start: number): void {
    const gone = this.#firstEndingFrom(start)
    if (gone === 0) return
    this.#aborted = this.#aborted.slice(gone * columns, this.#abortedCount * columns)
    this.#abortedCount -= gone
  }

  /** Null: there is nothing to tell. */
  capture(): CapturedPartitionTransactions | null {
    if (this.#open.size === 0 && this.#abortedCount === 0) return null
    const aborted: [number, number, number][] = []
    for (const each of this.abortedIn(0, Infinity)) aborted.push([each.producerId, each.firstOffset, each.lastOffset])
    const open: [number, number][] = []
    const ending: [number, number, number][] = []
    for (const [producerId, firstOffset] of this.#open) {
      const end = this.#ending.get(producerId)
      if (end === undefined) open.push([producerId, firstOffset])
      else if (!end.commit) ending.push([producerId, firstOffset, end.markerOffset])
    }
    ending.sort(([, , a], [, , b]) => a - b)
    return { open, aborted: [...aborted, ...ending] }
  }
  /** Into an empty one. */
  restore({ open, aborted }: CapturedPartitionTransactions): void {
    for (const [producerId, firstOffset] of open) this.#open.set(producerId, firstOffset)
    for (const [producerId, firstOffset, lastOffset] of aborted) this.#abort(producerId, firstOffset, lastOffset)
  }
}
