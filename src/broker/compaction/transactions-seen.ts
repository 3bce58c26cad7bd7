// Transactions as a pass over a partition meets them: which batches are of aborted ones, and which markers have nothing
// left to end. Pure; batches come in order of their offsets.
import {
  baseOffset,
  isTransactional,
  lastOffset,
  producerId,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../wire/record-batch.ts'

export interface AbortedTransaction {
  readonly producerId: bigint
  /** Of its first record in the partition, and of the marker that ends it. */
  readonly firstOffset: number
  readonly lastOffset: number
}

export class TransactionsSeen {
  readonly #aborted: readonly AbortedTransaction[]
  #next = 0
  /** Aborted ones that have begun, by producer. */
  readonly #open = new Map<bigint, { readonly lastOffset: number }>()
  /** Producers of which a batch was met that is of no aborted transaction. */
  readonly #committing = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** A batch of records: true if its transaction was aborted. */
  batch(batch: Uint8Array): boolean {
    this.#moveTo(batch)
    if (!isTransactional(batch)) return false
    const id = producerId(batch)
    const open = this.#open.get(id)
    if (open === undefined) {
      this.#committing.add(id)
      return false
    }
    return true
  }
  /**
   * A marker: true if no batch of its transaction was met, so that nobody needs it any more. The marker of an abort that is
   * listed stays: readers are told of the list, and pass over the producer's batches until they meet it.
   */
  marker(batch: Uint8Array): boolean {
    this.#moveTo(batch)
    const id = producerId(batch)
    const open = isAbort(batch) ? this.#open.get(id) : undefined
    this.#open.delete(id)
    // An abort whose transaction is in no list has batches that look committed: it must stay, to say that they are not.
    const metCommitting = this.#committing.delete(id)
    return open === undefined && !metCommitting
  }

  #moveTo(batch: Uint8Array): void {
    for (;;) {
      const next = this.#aborted[this.#next]
      if (next === undefined || next.firstOffset > lastOffset(batch)) break
      this.#open.set(next.producerId, { lastOffset: next.lastOffset })
      this.#next++
    }
    // The marker of a transaction of which nothing is left may be gone, or lie before the begin of this pass.
    const open = this.#open.get(producerId(batch))
    if (open !== undefined && open.lastOffset < baseOffset(batch)) this.#open.delete(producerId(batch))
  }
}

const slot = recordSlots(1)
/** The key of a control record: version 2, type 2 (0 abort, 1 commit), big-endian. */
function isAbort(batch: Uint8Array): boolean {
  const { bytes, start, end } = recordsOf(batch)
  walkRecords(bytes, start, end, slot)
  const key = slot.keyStart[0]!
  return slot.count > 0 && key >= 0 && bytes[key + 2] === 0 && bytes[key + 3] === 0
}
