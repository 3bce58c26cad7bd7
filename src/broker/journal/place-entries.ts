// Puts the entries of a group, one after the other, into a segment in memory: headers filled in, not yet sealed.
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { readU32, writeU32, writeU64 } from './big-endian.ts'
import { type StreamSequences, streamKey } from './damage.ts'
import { batchPrefixBytes, blankEntryHeader, entryKind } from './entry.ts'
import type { NewEntry } from './new-entry.ts'
import type { Segment } from './segment.ts'

const header = blankEntryHeader()
const prefixBytes = new Uint8Array(batchPrefixBytes)

export interface Placed {
  /** Of each entry's header in the segment's stream. */
  readonly positions: readonly number[]
  /** The stream of each entry. */
  readonly streams: readonly number[]
}
/** `split`: each entry is a group of its own (a fault, for tests). */
export function placeEntries(
  segment: Segment,
  entries: readonly NewEntry[],
  firstLsn: number,
  appendedMs: number,
  sequences: StreamSequences,
  split: boolean,
): Placed {
  const positions: number[] = []
  const streams: number[] = []
  for (let i = 0; i < entries.length; i++) {
    const { kind, topicKey, partition, payload, baseOffset = 0, leaderEpoch = 0 } = entries[i]!
    const key = streamKey(topicKey, partition)
    const prefix = kind === entryKind.batch ? batchPrefix(payload, baseOffset, leaderEpoch) : null
    header.kind = kind
    header.payloadBytes = payload.length
    header.lsn = firstLsn + i
    header.appendedMs = appendedMs
    header.topicKey = topicKey
    header.partition = partition
    header.sequence = sequences.take(key, topicKey, partition)
    header.groupIndex = split ? 0 : i
    header.groupCount = split ? 1 : entries.length
    header.payloadCrc = crc32c(prefix ?? payload)
    streams.push(key)
    positions.push(segment.put(header, prefix, payload))
  }
  return { positions, streams }
}

/** The first bytes of a batch as the log stores them: with its base offset and leader epoch. Valid until the next call. */
function batchPrefix(batch: Uint8Array, baseOffset: number, leaderEpoch: number): Uint8Array {
  assert(batch.length > batchPrefixBytes, `a batch of ${batch.length} bytes`)
  prefixBytes.set(batch.subarray(0, batchPrefixBytes))
  writeU64(prefixBytes, 0, baseOffset)
  writeU32(prefixBytes, 12, leaderEpoch)
  assert(readU32(prefixBytes, 8) + 12 === batch.length, 'the batch has the length it says')
  return prefixBytes
}
