// Real data in: the Online Retail file into its topic, over the Kafka protocol or straight into a data directory.
import { openBroker } from '../broker/broker.ts'
import { onlineRetail, onlineRetailLines } from '../commerce/commerce.ts'
import { ensureTopic } from '../connect/connect.ts'
import type { KafkaAccess } from '../connect/kafka-access.ts'
import { kafkaProducer } from '../connect/kafka-producer.ts'
import { ensureKafkaTopics } from '../connect/kafka-topics.ts'
import { importOnlineRetail as importLines } from '../connect/online-retail-import.ts'
import type { RecordProducer } from '../connect/record-producer.ts'
import type { World } from '../world/world.ts'
import { inProcessProducer } from './generator.ts'

export interface ImportTarget {
  readonly file: string
  readonly target: { readonly brokers: readonly string[]; readonly access: KafkaAccess } | { readonly dataDir: string }
  /** Told now and then; `fraction` of the file that has been read, 0 to 1. */
  readonly progress: (progress: { readonly rows: number; readonly fraction: number }) => void
}

/** Brings the Online Retail file into its topic, in event-time order; resolves when every line is acknowledged. */
export async function importOnlineRetail(
  world: World,
  { file, target, progress }: ImportTarget,
): Promise<{ readonly rows: number; readonly seconds: number }> {
  const startedMs = world.clock.monoMs()
  const pour = async (producer: RecordProducer): Promise<number> => {
    const { rows } = await importLines(world, producer, {
      path: file,
      mapping: onlineRetailLines,
      onProgress: ({ rows, readBytes, fileBytes }) => progress({ rows, fraction: readBytes / fileBytes }),
    })
    await producer.close()
    return rows
  }
  const topic = { name: onlineRetail.topic, partitions: onlineRetail.partitions }
  let rows: number
  if ('brokers' in target) {
    const { brokers, access } = target
    await ensureKafkaTopics({ brokers, access }, [topic])
    rows = await pour(kafkaProducer(world, { brokers, access }))
  } else {
    const broker = await openBroker(world, { dataDir: target.dataDir, durability: 'power' })
    try {
      await ensureTopic(broker, topic)
      rows = await pour(inProcessProducer(world, broker, await broker.newProducerId()))
    } finally {
      await broker.close()
    }
  }
  return { rows, seconds: (world.clock.monoMs() - startedMs) / 1_000 }
}
