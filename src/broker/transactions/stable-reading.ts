// Reading committed records of a partition: where that ends, what was aborted before, and who writes.
import type { CommittedRead } from '../../log/log.ts'
import { type Offset, offset, type PartitionId } from '../../std/units.ts'
import { baseOffset, isControl, isTransactional, lastOffset, producerId } from '../../wire/record-batch.ts'
import type { Partition } from '../partition.ts'
import type { LogState } from '../replay.ts'
import type { AbortedTransaction } from './partition-transactions.ts'

export interface PartitionProducer {
  readonly producerId: number
  readonly epoch: number
  /** -1: none is remembered. */
  readonly lastSequence: number
  readonly lastAppendedMs: number
  /** Of its open transaction; -1 without one. */
  readonly firstOffset: number
}
/** All of it throws a LogError UNKNOWN_TOPIC_OR_PARTITION. */
export interface StableReading {
  /** Where reading with read_committed ends: before the first record whose transaction is open. */
  end(topic: string, partition: PartitionId): Offset
  /** The aborted transactions with records in these offsets, `to` not included. */
  abortedIn(topic: string, partition: PartitionId, from: Offset, to: Offset): readonly AbortedTransaction[]
  /** Those whose sequences are remembered, and those in a transaction. */
  producers(topic: string, partition: PartitionId): readonly PartitionProducer[]
}

export function stableReading(state: LogState): StableReading {
  const find = (topic: string, partition: PartitionId): Partition => state.topics.partition(topic, partition).partition
  return {
    end(topic, id) {
      const { transactions, start, durableEnd } = find(topic, id)
      return offset(transactions.stableEnd(start, durableEnd))
    },
    abortedIn: (topic, id, from, to) => find(topic, id).transactions.abortedIn(from, to),
    producers: (topic, id) => producersOf(state, find(topic, id)),
  }
}

/** Of batches that follow each other in a partition, read from `from` on: see `Log.readCommitted`. */
export function committedOf(
  { transactions, start, durableEnd }: Partition,
  from: number,
  read: readonly Uint8Array[],
): CommittedRead {
  const end = transactions.stableEnd(start, durableEnd)
  const stable = read.filter((batch) => baseOffset(batch) < end)
  const last = stable.at(-1)
  if (last === undefined) return { batches: [], next: offset(from) }
  const next = lastOffset(last) + 1
  const aborted = transactions.abortedIn(from, next)
  const isAborted = (batch: Uint8Array): boolean =>
    aborted.some(({ producerId: producer, firstOffset, lastOffset: marker }) => {
      const base = baseOffset(batch)
      return Number(producerId(batch)) === producer && base >= firstOffset && base < marker
    })
  const batches = stable.filter((batch) => !isTransactional(batch) || (!isControl(batch) && !isAborted(batch)))
  return { batches, next: offset(next) }
}

function producersOf({ producers }: LogState, partition: Partition): PartitionProducer[] {
  const { transactions } = partition
  const found = new Map<number, PartitionProducer>()
  for (const [producerId, { epoch, batches }] of partition.windows()) {
    const last = batches.at(-1)
    found.set(producerId, {
      producerId,
      epoch,
      lastSequence: last?.lastSequence ?? -1,
      lastAppendedMs: last?.appendedMs ?? -1,
      firstOffset: transactions.firstOffset(producerId),
    })
  }
  for (const producerId of transactions.producers()) {
    if (found.has(producerId)) continue
    const firstOffset = transactions.firstOffset(producerId)
    const epoch = producers.epoch(producerId)
    found.set(producerId, { producerId, epoch, lastSequence: -1, lastAppendedMs: -1, firstOffset })
  }
  return [...found.values()]
}
