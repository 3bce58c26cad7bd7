// Gathers records by topic and partition as record batches that any topic takes, for one commit.
import type { Commit } from '../log/log.ts'
import { entryOf } from '../std/maps.ts'
import { type PartitionId, partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { RecordHeader } from '../wire/record-batch.ts'

/** A batch is closed from this size on: topics refuse batches of more than 1 MiB if they are not told otherwise. */
const batchBytes = 512 << 10

/** Of one partition. */
export interface Gathering {
  readonly writer: BatchWriter
  readonly sealed: Uint8Array[]
  /** Bytes of the writer that count as pending. */
  countedBytes: number
}

export class Appends {
  readonly #topics = new Map<string, Map<number, Gathering>>()
  /** Gathered since the last `take`, about. */
  pendingBytes = 0

  add(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timeMs: number,
    headers: readonly RecordHeader[],
  ): void {
    const lane = this.lane(this.of(topic), partition)
    lane.writer.append(key, value, timeMs, headers)
    this.appended(lane)
  }
  of(topic: string): Map<number, Gathering> {
    return entryOf(this.#topics, topic, () => new Map<number, Gathering>())
  }
  lane(partitions: Map<number, Gathering>, partition: number): Gathering {
    let lane = partitions.get(partition)
    if (lane === undefined) {
      const writer = new BatchWriter()
      lane = { writer, sealed: [], countedBytes: writer.sizeBytes }
      partitions.set(partition, lane)
    }
    return lane
  }
  /** A record has gone into the lane's writer. */
  appended(lane: Gathering): void {
    const { writer } = lane
    this.pendingBytes += writer.sizeBytes - lane.countedBytes
    if (writer.sizeBytes > batchBytes) lane.sealed.push(writer.finish())
    lane.countedBytes = writer.sizeBytes
  }
  /** Everything, in the order of each partition; it is empty again. */
  take(): Commit['appends'] {
    const appends: { topic: string; partition: PartitionId; batch: Uint8Array }[] = []
    for (const [topic, partitions] of this.#topics)
      for (const [partition, lane] of partitions) {
        const { writer, sealed } = lane
        const batches = writer.count > 0 ? [...sealed, writer.finish()] : sealed
        lane.countedBytes = writer.sizeBytes
        for (const batch of batches) appends.push({ topic, partition: partitionId(partition), batch })
        sealed.length = 0
      }
    this.pendingBytes = 0
    return appends
  }
}
