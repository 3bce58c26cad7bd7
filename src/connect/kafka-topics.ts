// Which topics a Kafka cluster (or a Millrace on a port) has.
import { Admin } from '@platformatic/kafka'
import { libraryAccess } from './kafka-access.ts'
import { type KafkaProducerSettings, kafkaProducerDefaults } from './kafka-producer.ts'

/** Names in the cluster's order. Rejects with the client's error when no broker answers. */
export async function kafkaTopicNames(settings: KafkaProducerSettings): Promise<readonly string[]> {
  return withAdmin(settings, (admin) => admin.listTopics())
}

async function withAdmin<T>(settings: KafkaProducerSettings, use: (admin: Admin) => Promise<T>): Promise<T> {
  const { clientId, retries, retryDelayMs, requestTimeoutMs, access } = { ...kafkaProducerDefaults, ...settings }
  const admin = new Admin({
    clientId,
    bootstrapBrokers: [...settings.brokers],
    retries,
    retryDelay: retryDelayMs,
    requestTimeout: requestTimeoutMs,
    ...libraryAccess(access),
  })
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

/** Creates those of the topics that the cluster does not have. Rejects with the client's error. */
export async function ensureKafkaTopics(
  settings: KafkaProducerSettings,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Promise<void> {
  const known = new Set(await kafkaTopicNames(settings))
  const missing = topics.filter(({ name }) => !known.has(name))
  if (missing.length === 0) return
  await withAdmin(settings, async (admin) => {
    for (const { name, partitions } of missing) await admin.createTopics({ topics: [name], partitions, replicas: -1 })
  })
}
