// Where logs begin: records before an offset are deleted by an entry of the journal, readers are kept from them, and the
// bytes go when a whole file is before the start.
import { LogError } from '../log/log.ts'
import { offset, partitionId } from '../std/units.ts'
import type { PartitionUsage } from './core.ts'
import { type LogStartEntry, writeLogStart } from './house-entries.ts'
import { entryKind, ownStream } from './journal/entry.ts'
import type { NewEntry } from './journal/new-entry.ts'
import type { Partition } from './partition.ts'
import type { TopicTable } from './topic-table.ts'

/** The entry that deletes what lies before; null if that is gone already. Throws OFFSET_OUT_OF_RANGE beyond the end. */
export function planLogStart(partition: Partition, topic: string, before: number): NewEntry | null {
  if (before > partition.durableEnd) {
    throw new LogError(
      'OFFSET_OUT_OF_RANGE',
      `${topic}-${partition.id} ends at ${partition.durableEnd}: nothing before ${before} can be deleted`,
    )
  }
  if (before <= partition.start) return null
  const payload = writeLogStart({ key: partition.topicKey, partition: partition.id, start: before })
  return { kind: entryKind.logStart, topicKey: 0, partition: ownStream.metadata, payload }
}

/** Taken, not yet durable. Returns the way back. */
export function takeLogStart(partition: Partition, start: number): () => void {
  const before = partition.startTaken
  partition.startTaken = Math.max(before, start)
  return () => {
    partition.startTaken = before
  }
}
/** Durable: readers are told. */
export function showLogStart(partition: Partition, start: number): void {
  partition.start = Math.max(partition.start, start)
  partition.transactions.forgetBelow(partition.start)
}
/** Met in a replay, or in a state that was written down. The topic may have been deleted since. */
export function restoreLogStart(topics: TopicTable, { key, partition, start }: LogStartEntry): void {
  const found = topics.byKey(key)?.partitions[partition]
  if (found === undefined) return
  takeLogStart(found, start)
  showLogStart(found, start)
}
/** All that are not 0, for the state that is written down. */
export function logStarts(topics: TopicTable): LogStartEntry[] {
  const starts: LogStartEntry[] = []
  for (const topic of topics.assigned()) {
    for (const { id, startTaken } of topic.partitions) {
      if (startTaken > 0) starts.push({ key: topic.key, partition: id, start: startTaken })
    }
  }
  return starts
}

export function diskUsageOf(topics: TopicTable): PartitionUsage[] {
  const usage: PartitionUsage[] = []
  for (const topic of topics.all()) {
    for (const partition of topic.partitions) {
      usage.push({ topic: topic.info.name, partition: partitionId(partition.id), bytes: partition.bytes })
    }
  }
  return usage
}

export const startOf = (partition: Partition) => offset(partition.start)
