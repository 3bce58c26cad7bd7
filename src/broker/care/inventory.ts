// What a log holds, as plain data for people and programs: topics with their ranges, groups, jobs, damage.
import type { EmbeddedLog } from '../embedded-log.ts'
import type { Journal, JournalStats } from '../journal/journal.ts'
import type { LogState } from '../replay.ts'

export interface Inventory {
  readonly clusterId: string
  readonly topics: readonly TopicInventory[]
  readonly groups: readonly GroupInventory[]
  readonly jobs: readonly JobInventory[]
  readonly journal: JournalStats
  /** LSNs that were durable and are gone, in inclusive ranges. Empty: the log is whole. */
  readonly lost: readonly { readonly firstLsn: number; readonly lastLsn: number; readonly near: string }[]
}
export interface TopicInventory {
  /** Its number in the journal. */
  readonly key: number
  readonly name: string
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly internal: boolean
  readonly configs: Readonly<Record<string, string>>
  readonly partitions: readonly PartitionInventory[]
}
export interface PartitionInventory {
  readonly partition: number
  readonly start: number
  readonly end: number
  readonly bytes: number
  /** Why nothing may be appended to it; null: all is well. */
  readonly damage: string | null
}
export interface GroupInventory {
  readonly group: string
  readonly offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
}
export interface JobInventory {
  readonly job: string
  readonly epoch: number
  readonly cursor: string
}

export function inventoryOf(log: EmbeddedLog, journal: Journal, state: LogState): Inventory {
  const { topics, offsets, jobs } = state
  return {
    clusterId: log.clusterId,
    topics: topics
      .all()
      .map(({ key, info, partitions }) => ({
        key,
        name: info.name,
        id: Buffer.from(info.id).toString('hex'),
        internal: info.internal,
        configs: info.configs,
        partitions: partitions.slice(0, info.partitions).map(({ id, start, durableEnd, bytes, damage }) => ({
          partition: id,
          start,
          end: durableEnd,
          bytes,
          damage,
        })),
      }))
      .sort((a, b) => byText(a.name, b.name)),
    groups: [...offsets.groups()]
      .map(([group, record]) => ({
        group,
        offsets: [...record.topics].flatMap(([key, partitions]) =>
          [...partitions].map(([partition, { offset }]) => ({
            topic: topics.byKey(key)?.info.name ?? `(deleted topic ${key})`,
            partition,
            offset,
          })),
        ),
      }))
      .sort((a, b) => byText(a.group, b.group)),
    jobs: jobs.all().map(([job, epoch, cursor]) => ({ job, epoch, cursor })),
    journal: journal.stats(),
    lost: journal.damage.ranges.map(({ firstLsn, lastLsn, path }) => ({ firstLsn, lastLsn, near: path })),
  }
}
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
