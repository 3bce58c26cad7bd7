// What the Kafka protocol server needs from the broker's heart beyond the `Log`: identities and news of progress.
import type { Appended, Log, TopicInfo } from '../log/log.ts'
import type { Offset, PartitionId } from '../std/units.ts'
import type { OffsetStore } from './groups/offset-store.ts'
import type { EpochEnd } from './leader-epochs.ts'
import type { ReadRoom } from './read-room.ts'
import type { SettingsStore } from './settings-table.ts'
import type { Within } from './transactions/appending.ts'
import type { TransactionCoordinator } from './transactions/coordinator.ts'
import type { StableReading } from './transactions/stable-reading.ts'

export interface BrokerCore extends Log {
  /** Stable for the life of the data directory; Kafka's 22-character base64 form of a UUID. */
  readonly clusterId: string
  readonly nodeId: number
  /** A producer identity no one has had before; durable when it resolves. */
  newProducerId(): Promise<{ readonly producerId: bigint; readonly epoch: number }>
  /** Raises the epoch of a known producer; rejects with a LogError INVALID_PRODUCER_EPOCH if `epoch` is not its current one. */
  bumpProducerEpoch(producerId: bigint, epoch: number): Promise<{ readonly producerId: bigint; readonly epoch: number }>
  /** As in `Log`; with a room the batches lie in its memory. */
  read(
    topic: string,
    partition: PartitionId,
    from: Offset,
    maxBytes: number,
    room?: ReadRoom,
  ): Promise<readonly Uint8Array[]>
  /** Appends a batch of a transaction, and joins the partition to it if the batch may (see `Within`). Else as `append`. */
  appendWithin(topic: string, partition: PartitionId, batch: Uint8Array, within: Within): Promise<Appended>
  /** Who writes in transactions, and what became of them. */
  readonly transactions: TransactionCoordinator
  readonly stable: StableReading
  /** The listener is called (synchronously, keep it short) whenever a partition's durable end moved. Returns the way out. */
  onAdvance(listener: (topic: string, partition: PartitionId, end: Offset) => void): () => void
  /** The earliest record with timestamp >= the given one, or null. Timestamps are Kafka record timestamps, ms. */
  offsetForTime(
    topic: string,
    partition: PartitionId,
    timestampMs: number,
  ): { readonly offset: Offset; readonly timestampMs: number } | null
  /** The record with the largest timestamp, or null for an empty partition. */
  offsetOfMaxTime(
    topic: string,
    partition: PartitionId,
  ): { readonly offset: Offset; readonly timestampMs: number } | null
  /**
   * Kafka's DeleteRecords: the records before the offset are gone for readers when it resolves, durably; the bytes go
   * later. Resolves with the log's first offset. Rejects with a LogError UNKNOWN_TOPIC_OR_PARTITION, or
   * OFFSET_OUT_OF_RANGE for an offset beyond the end. (Kafka's -1 is the end: `offsets(...).end`.)
   */
  deleteRecords(topic: string, partition: PartitionId, beforeOffset: Offset): Promise<Offset>
  /** What each partition takes on the disk, with what is still in the journal; topics in no particular order. */
  diskUsage(): readonly PartitionUsage[]
  /** Where it is kept, and the room of that disk; null in memory. */
  logDir(): {
    readonly folder: string
    readonly room: { readonly freeBytes: number; readonly totalBytes: number } | null
  }
  /** How many entries of the journal are durable: one past the last of them. */
  readonly journalEnd: number
  /** How many there are, of all topics together. */
  readonly partitions: number
  /** What consumer groups have committed. */
  readonly groupOffsets: OffsetStore
  /** What administrators have set. */
  readonly settings: SettingsStore
  /** Of all partitions: it rises with every start on a data directory (leader-epochs.ts). */
  readonly leaderEpoch: number
  /** In which the record at this offset was appended; of the end: the current one. */
  epochAt(topic: string, partition: PartitionId, at: Offset): number
  /** The largest epoch not above the given one, and where it ended; null for an epoch that was never there. */
  endOfEpoch(topic: string, partition: PartitionId, epoch: number): EpochEnd | null
  /** A job of the house that reads the topic now, by its name; null: none. */
  jobOn(topic: string): string | null
  /** More partitions for a topic: `partitions` in all. Rejects with a LogError INVALID_PARTITIONS or UNKNOWN_TOPIC_OR_PARTITION. */
  addPartitions(topic: string, partitions: number): Promise<TopicInfo>
  /**
   * Other configs for a topic: `change` gives all that are to be set, from those that are set by then. Rejects with a
   * LogError INVALID_CONFIG or UNKNOWN_TOPIC_OR_PARTITION, or with what `change` throws.
   */
  alterTopic(topic: string, change: ConfigsChange): Promise<TopicInfo>
  /** Kafka topic configs that can be set, with the defaults that hold now (administrators may change them). */
  readonly configDefaults: Readonly<Record<string, string>>
  /** Creates topics on first use (Metadata with auto-create, Produce) with this many partitions, or refuses. */
  readonly autoCreate: { readonly partitions: number } | null
}

export type ConfigsChange = (set: Readonly<Record<string, string>>) => Readonly<Record<string, string>>

export interface PartitionUsage {
  readonly topic: string
  readonly partition: PartitionId
  readonly bytes: number
}
