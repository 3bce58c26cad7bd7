// How far consumer groups are behind: in records, and in time by the record that each would read next.
import { LogError } from '../log/log.ts'
import { offset, partitionId } from '../std/units.ts'
import { baseTimestampMs } from '../wire/record-batch.ts'
import type { BrokerCore } from './core.ts'

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** The next offset that the group would read. */
  readonly committed: number
  readonly end: number
  /** Offsets between the two: an upper bound of records where some were compacted away. */
  readonly lagRecords: number
  /** Age of the batch that holds the next record, by its first record's timestamp; 0 when caught up, null when not known. */
  readonly lagMs: number | null
}
export interface GroupLag {
  readonly group: string
  readonly members: number
  readonly partitions: readonly PartitionLag[]
}

/**
 * Of every group that has committed, topics and partitions in order. Looks into at most `readsMax` partitions for the age
 * of what waits there; the others tell their lag in records only.
 */
export async function groupLags(
  core: BrokerCore,
  membersOf: (group: string) => number,
  nowMs: number,
  readsMax: number,
): Promise<GroupLag[]> {
  let reads = 0
  const lags: GroupLag[] = []
  for (const group of core.groupOffsets.groups().sort()) {
    const partitions: PartitionLag[] = []
    for (const { topic, partitions: ids } of core.groupOffsets.all(group)) {
      for (const partition of ids) {
        const committed = core.groupOffsets.committed(group, { topic, partition })?.offset
        const known = core.topic(topic)
        if (committed === undefined || committed < 0 || known === null || partition >= known.partitions) continue
        const { start, end } = core.offsets(topic, partitionId(partition))
        const lagRecords = Math.max(0, end - Math.max(committed, start))
        let lagMs: number | null = lagRecords === 0 ? 0 : null
        if (lagRecords > 0 && reads++ < readsMax)
          lagMs = await ageOf(core, topic, partition, Math.max(committed, start), nowMs)
        partitions.push({ topic, partition, committed, end, lagRecords, lagMs })
      }
    }
    lags.push({ group, members: membersOf(group), partitions })
  }
  return lags
}

async function ageOf(core: BrokerCore, topic: string, partition: number, at: number, nowMs: number) {
  try {
    const [batch] = await core.read(topic, partitionId(partition), offset(at), 1)
    return batch === undefined ? null : Math.max(0, nowMs - baseTimestampMs(batch))
  } catch (error) {
    // Deleted by retention a moment ago, or damaged: the age is not known, and readers will be told why.
    if (error instanceof LogError) return null
    throw error
  }
}
