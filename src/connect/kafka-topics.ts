// Which topics a Kafka cluster (or a Millrace on a port) has.
import { Admin } from '@platformatic/kafka'
import { type KafkaProducerSettings, kafkaProducerDefaults } from './kafka-producer.ts'

/** Names in the cluster's order. Rejects with the client's error when no broker answers. */
export async function kafkaTopicNames(settings: KafkaProducerSettings): Promise<readonly string[]> {
  const { clientId, retries, retryDelayMs, requestTimeoutMs } = { ...kafkaProducerDefaults, ...settings }
  const admin = new Admin({
    clientId,
    bootstrapBrokers: [...settings.brokers],
    retries,
    retryDelay: retryDelayMs,
    requestTimeout: requestTimeoutMs,
  })
  try {
    return await admin.listTopics()
  } finally {
    await admin.close()
  }
}
