// What stands in for lost entries of the journal, so that LSNs and sequences are dense again: empty batches where offsets
// are missing, so that readers step over them; witnesses where nothing is known but that something was there. Pure.
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { batchHeaderBytes, setBaseOffset } from '../../wire/record-batch.ts'

/** One stream misses `sequences` entries between two LSNs that are there. */
export interface StreamGap {
  readonly topicKey: number
  readonly partition: number
  /** LSNs of the entries around it; 0: it is at the begin. */
  readonly after: number
  readonly before: number
  readonly firstSequence: number
  readonly sequences: number
  /** Of a partition: the offsets that are missing. At least one for each entry. */
  readonly offsets: { readonly from: number; readonly to: number } | null
}
export interface Filler {
  readonly topicKey: number
  readonly partition: number
  readonly sequence: number
  /** Null: a witness. */
  readonly batch: Uint8Array | null
}

/** A place in the journal for each missing entry of a stream; null for those of which nothing is known. */
export function placeFillers(missingLsns: readonly number[], gaps: readonly StreamGap[]): Map<number, Filler | null> {
  const placed = new Map<number, Filler | null>()
  const waiting = gaps.toSorted((a, b) => a.after - b.after)
  const open: { readonly gap: StreamGap; done: number }[] = []
  for (const lsn of missingLsns) {
    while (waiting[0] !== undefined && waiting[0].after < lsn) open.push({ gap: waiting.shift()!, done: 0 })
    // The one that must be filled first: then every gap is, since the entries that were there filled them all.
    let next = -1
    for (const [i, { gap }] of open.entries()) if (next < 0 || gap.before < open[next]!.gap.before) next = i
    const chosen = open[next]
    if (chosen === undefined || chosen.gap.before <= lsn) {
      placed.set(lsn, null)
      continue
    }
    placed.set(lsn, fillerOf(chosen.gap, chosen.done++))
    if (chosen.done === chosen.gap.sequences) open.splice(next, 1)
  }
  return placed
}

function fillerOf(gap: StreamGap, index: number): Filler {
  const { topicKey, partition, sequences, offsets } = gap
  const sequence = gap.firstSequence + index
  if (offsets === null) return { topicKey, partition, sequence, batch: null }
  const from = offsets.from + index
  const to = index === sequences - 1 ? offsets.to : from + 1
  assert(to > from, `a lost entry of ${topicKey}-${partition} had at least one offset: ${from} to ${to}`)
  return { topicKey, partition, sequence, batch: emptyBatch(from, to - 1) }
}

/** A record batch without records that covers these offsets, as a compaction may leave one. */
export function emptyBatch(baseOffset: number, lastOffset: number): Uint8Array {
  const batch = new Uint8Array(batchHeaderBytes)
  const view = new DataView(batch.buffer)
  setBaseOffset(batch, baseOffset)
  view.setInt32(8, batchHeaderBytes - 12)
  view.setInt8(16, 2)
  view.setInt32(23, lastOffset - baseOffset)
  view.setBigInt64(27, -1n)
  view.setBigInt64(35, -1n)
  view.setBigInt64(43, -1n)
  view.setInt16(51, -1)
  view.setInt32(53, -1)
  view.setUint32(17, crc32c(batch, 21))
  return batch
}
