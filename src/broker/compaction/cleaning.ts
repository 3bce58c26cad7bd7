// Compaction of one partition, batch by batch: pure rules over bytes, in Kafka's way (LogCleaner).
//
// Two passes over the same batches in order. The first notes the newest offset of each key (`note`), until the map is
// full or the dirty part ends. The second (`clean`) says of every batch from the begin of the partition on what becomes
// of it: a record stays if no newer one of its key was noted; a tombstone (null value) goes once its batch's delete
// horizon has passed, which is set when the tombstone is first met as the newest of its key; records of aborted
// transactions go; the marker that ends a transaction goes, by a horizon of its own, when nothing of it is left.
import type { BatchProducer } from '../../wire/batch-writer.ts'
import {
  baseOffset,
  baseTimestampMs,
  hasProducer,
  isAppendTime,
  isControl,
  isTransactional,
  lastOffset,
  maxTimestampMs,
  producerId,
  recordCount,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../wire/record-batch.ts'
import { deleteHorizonMs, rewrittenBatch } from '../../wire/rewritten-batch.ts'
import type { KeyOffsets } from './key-offsets.ts'
import { type AbortedTransaction, TransactionsSeen } from './transactions-seen.ts'

export interface CleaningRules {
  readonly nowMs: number
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number
  /** Aborted transactions that begin in what is cleaned, in any order. */
  readonly aborted: readonly AbortedTransaction[]
  /** Does the batch hold the last sequence that is known of its producer? Then it stays, be it without records. */
  readonly holdsLastSequence: (producer: Pick<BatchProducer, 'producerId'>, lastOffset: number) => boolean
}
export type Fate =
  | { readonly fate: 'keep' }
  | { readonly fate: 'rewrite'; readonly batch: Uint8Array }
  | { readonly fate: 'drop' }
/** Counts of a second pass. */
export interface CleaningCounts {
  recordsRead: number
  recordsKept: number
  bytesRead: number
  bytesKept: number
}

/** One record at a time: what lies between two calls of the walk is the record. */
const slot = recordSlots(1)

/** The first pass. */
export class KeyNotes {
  readonly #map: KeyOffsets
  readonly #transactions: TransactionsSeen
  /** One past the last offset whose keys are all noted: what lies behind is left for another time. */
  end: number
  /** By producer, where its transaction begins whose marker has not come yet. */
  readonly #unended = new Map<bigint, number>()

  constructor(map: KeyOffsets, aborted: readonly AbortedTransaction[], start: number) {
    this.#map = map
    this.#transactions = new TransactionsSeen(aborted)
    this.end = start
  }
  /** The same, without transactions whose markers lie behind it: who has not met the marker has read nothing of them. */
  get endOfWholeTransactions(): number {
    let end = this.end
    for (const first of this.#unended.values()) end = Math.min(end, first)
    return end
  }
  /** False: the map is full, the batch counts no more. Batches come in order. */
  note(batch: Uint8Array): boolean {
    const isAborted = isControl(batch) ? this.#transactions.marker(batch) : this.#transactions.batch(batch)
    if (!isControl(batch) && !isAborted) {
      const base = baseOffset(batch)
      const { bytes, start, end } = recordsOf(batch)
      for (let at = start; at < end; ) {
        at = walkRecords(bytes, at, end, slot)
        if (slot.count === 0) break
        if (slot.keyStart[0]! < 0) continue
        const offset = base + slot.offsetDelta[0]!
        if (!this.#map.put(bytes.subarray(slot.keyStart[0], slot.keyEnd[0]), offset)) {
          // What was noted before in the batch does no harm: those offsets are behind `end`, so nothing goes for them.
          return false
        }
      }
    }
    if (isControl(batch)) this.#unended.delete(producerId(batch))
    else if (isTransactional(batch) && recordCount(batch) > 0 && !this.#unended.has(producerId(batch))) {
      this.#unended.set(producerId(batch), baseOffset(batch))
    }
    this.end = lastOffset(batch) + 1
    return true
  }
}

/** The second pass. Give it every batch from the partition's begin up to `end`, in order. */
export class Cleaning {
  readonly #map: KeyOffsets
  readonly #rules: CleaningRules
  readonly #transactions: TransactionsSeen
  /** What was noted up to here counts. */
  readonly #end: number
  readonly counts: CleaningCounts = { recordsRead: 0, recordsKept: 0, bytesRead: 0, bytesKept: 0 }

  constructor(map: KeyOffsets, rules: CleaningRules, end: number) {
    this.#map = map
    this.#rules = rules
    this.#transactions = new TransactionsSeen(rules.aborted)
    this.#end = end
  }

  clean(batch: Uint8Array): Fate {
    const { counts } = this
    counts.bytesRead += batch.length
    const fate = isControl(batch) ? this.#marker(batch) : this.#records(batch)
    counts.bytesKept += fate.fate === 'keep' ? batch.length : fate.fate === 'rewrite' ? fate.batch.length : 0
    return fate
  }

  #marker(batch: Uint8Array): Fate {
    const { nowMs, deleteRetentionMs } = this.#rules
    const nothingLeft = this.#transactions.marker(batch)
    const horizonMs = deleteHorizonMs(batch)
    if (!nothingLeft) return keep
    if (horizonMs === null) return rewrite(rewrittenBatch(batch, allRecords(batch), nowMs + deleteRetentionMs))
    if (horizonMs > nowMs) return keep
    return this.#withoutRecords(batch)
  }

  #records(batch: Uint8Array): Fate {
    const { nowMs, deleteRetentionMs } = this.#rules
    const isAborted = this.#transactions.batch(batch)
    const base = baseOffset(batch)
    const { bytes, start, end } = recordsOf(batch)
    const horizonMs = deleteHorizonMs(batch)
    const tombstonesGo = horizonMs !== null && horizonMs <= nowMs
    const baseMs = baseTimestampMs(batch)
    const ranges: number[] = []
    let keptMaxMs = Number.NEGATIVE_INFINITY
    let tombstones = false
    let all = true
    for (let at = start; at < end; ) {
      const recordStart = at
      at = walkRecords(bytes, at, end, slot)
      if (slot.count === 0) break
      this.counts.recordsRead++
      const isTombstone = slot.valueStart[0]! < 0
      const stays =
        !isAborted &&
        slot.keyStart[0]! >= 0 &&
        !(isTombstone && tombstonesGo) &&
        this.#isNewest(bytes.subarray(slot.keyStart[0], slot.keyEnd[0]), base + slot.offsetDelta[0]!)
      if (!stays) {
        all = false
        continue
      }
      this.counts.recordsKept++
      ranges.push(recordStart, at)
      keptMaxMs = Math.max(keptMaxMs, isAppendTime(batch) ? maxTimestampMs(batch) : baseMs + slot.timestampDelta[0]!)
      if (isTombstone) tombstones = true
    }
    const setHorizon = tombstones && horizonMs === null
    if (ranges.length === 0) {
      // A batch that was empty before says no more than it did.
      return start === end && !this.#isDispensable(batch) ? keep : this.#withoutRecords(batch)
    }
    if (all && !setHorizon) return keep
    const kept = { bytes, ranges, maxTimestampMs: keptMaxMs }
    return rewrite(rewrittenBatch(batch, kept, setHorizon ? nowMs + deleteRetentionMs : null))
  }

  #isNewest(key: Uint8Array, offset: number): boolean {
    const newest = this.#map.get(key)
    return newest <= offset || newest >= this.#end
  }
  #isDispensable(batch: Uint8Array): boolean {
    return !hasProducer(batch) || !this.#rules.holdsLastSequence({ producerId: producerId(batch) }, lastOffset(batch))
  }
  #withoutRecords(batch: Uint8Array): Fate {
    if (this.#isDispensable(batch) || isControl(batch)) return drop
    return rewrite(rewrittenBatch(batch, { bytes: batch, ranges: [], maxTimestampMs: maxTimestampMs(batch) }, null))
  }
}

const keep: Fate = { fate: 'keep' }
const drop: Fate = { fate: 'drop' }
const rewrite = (batch: Uint8Array): Fate => ({ fate: 'rewrite', batch })

function allRecords(batch: Uint8Array): { bytes: Uint8Array; ranges: number[]; maxTimestampMs: number } {
  const { bytes, start, end } = recordsOf(batch)
  const ranges: number[] = []
  for (let at = start; at < end; ) {
    const from = at
    at = walkRecords(bytes, at, end, slot)
    if (slot.count === 0) break
    ranges.push(from, at)
  }
  return { bytes, ranges, maxTimestampMs: maxTimestampMs(batch) }
}
