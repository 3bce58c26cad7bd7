// A strangers' client that sends sales until the broker dies, and remembers what was acknowledged.
import { randomUUID } from 'node:crypto'
import { Producer, stringSerializers } from '@platformatic/kafka'

/** Sends ten sales at a time, one after the other; every acknowledged id goes into `acked`. */
export function ackedProducer(kafka: string, name: string, acked: Set<string>): { readonly stopped: Promise<void> } {
  const producer = new Producer({
    clientId: name,
    bootstrapBrokers: [kafka],
    serializers: stringSerializers,
    acks: -1,
    idempotent: true,
    // Fewer than two mean "for ever" to an idempotent producer of this client.
    retries: 2,
    retryDelay: 20,
    connectTimeout: 1_000,
    requestTimeout: 5_000,
  })
  const run = async (): Promise<void> => {
    for (;;) {
      const ids = Array.from({ length: 10 }, () => randomUUID())
      const messages = ids.map((id, i) => ({
        topic: 'sales',
        key: `outside-${i % 4}`,
        value: JSON.stringify({
          id_sale: id,
          id_product: `OUTSIDE-${i}`,
          seller: `outside-${i % 4}`,
          price: i + 0.25,
          sale_date: new Date().toISOString(),
        }),
      }))
      await producer.send({ messages })
      for (const id of ids) acked.add(id)
    }
  }
  return {
    // The broker's death ends the run: an unanswered send is neither acknowledged nor sent again.
    stopped: run().catch(async () => {
      await producer.close(true).catch(() => {})
    }),
  }
}
