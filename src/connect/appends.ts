// Gathers records by topic and partition as record batches that any topic takes, for one commit.
import type { Commit } from '../log/log.ts'
import { entryOf } from '../std/maps.ts'
import { type PartitionId, partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { RecordHeader } from '../wire/record-batch.ts'

/** A batch is closed from this size on: topics refuse batches of more than 1 MiB if they are not told otherwise. */
const batchBytes = 512 << 10

interface Gathering {
  readonly writer: BatchWriter
  readonly sealed: Uint8Array[]
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
    const partitions = entryOf(this.#topics, topic, () => new Map<number, Gathering>())
    const { writer, sealed } = entryOf(partitions, partition, () => ({ writer: new BatchWriter(), sealed: [] }))
    const before = writer.sizeBytes
    writer.append(key, value, timeMs, headers)
    this.pendingBytes += writer.sizeBytes - before
    if (writer.sizeBytes > batchBytes) sealed.push(writer.finish())
  }
  /** Everything, in the order of each partition; it is empty again. */
  take(): Commit['appends'] {
    const appends: { topic: string; partition: PartitionId; batch: Uint8Array }[] = []
    for (const [topic, partitions] of this.#topics)
      for (const [partition, { writer, sealed }] of partitions) {
        const batches = writer.count > 0 ? [...sealed, writer.finish()] : sealed
        for (const batch of batches) appends.push({ topic, partition: partitionId(partition), batch })
        sealed.length = 0
      }
    this.pendingBytes = 0
    return appends
  }
}
