// @platformatic/kafka as the benches use it: an idempotent acks=all producer, and its low-level fetch without a group.
import { Consumer, Producer } from '@platformatic/kafka'

const base = (kafka: string) => ({ clientId: 'millrace-bench', bootstrapBrokers: [kafka], retries: 0 })

export function producerOf(kafka: string): Producer {
  return new Producer({ ...base(kafka), acks: -1, idempotent: true, autocreateTopics: false })
}

export interface Reader {
  /** The next answer of the broker; `take` is called for each record. Resolves with how many there were. */
  next(take: (value: Buffer) => void): Promise<number>
  close(): Promise<void>
}

/** Reads all partitions of a topic from their beginning, one fetch after the other. */
export async function readerOf(kafka: string, topic: string): Promise<Reader> {
  // A group is named, because the client demands it, and never joined.
  const consumer = new Consumer({ ...base(kafka), groupId: 'millrace-bench' })
  consumer.topics.track(topic)
  const metadata = await consumer.metadata({ topics: [topic] })
  const found = metadata.topics.get(topic)
  if (found === undefined) throw new Error(`the broker knows no topic ${topic}`)
  const [node] = metadata.brokers.keys()
  if (node === undefined) throw new Error('the metadata name no broker')
  const offsets = new Array<bigint>(found.partitionsCount).fill(0n)
  return {
    async next(take) {
      const answer = await consumer.fetch({
        node,
        minBytes: 1,
        maxBytes: 50 << 20,
        maxWaitTime: 500,
        isolationLevel: 0,
        topics: [
          {
            topicId: found.id,
            partitions: offsets.map((fetchOffset, partition) => ({
              partition,
              currentLeaderEpoch: -1,
              fetchOffset,
              lastFetchedEpoch: -1,
              partitionMaxBytes: 1 << 20,
            })),
          },
        ],
      })
      let count = 0
      for (const { partitions } of answer.responses) {
        for (const { partitionIndex, errorCode, records } of partitions) {
          if (errorCode !== 0) throw new Error(`fetch of partition ${partitionIndex}: Kafka's error ${errorCode}`)
          for (const batch of records ?? []) {
            for (const record of batch.records) {
              if (record.value !== null) take(record.value)
              count++
            }
            offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
          }
        }
      }
      return count
    },
    close: () => consumer.close(true),
  }
}
