// Our two producers against the embedded broker: every record arrives once, in order, where Java would have put it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { orders, sales } from '../../src/commerce/commerce.ts'
import { batchProducer } from '../../src/connect/batch-producer.ts'
import { ensureTopic } from '../../src/connect/connect.ts'
import { kafkaProducer } from '../../src/connect/kafka-producer.ts'
import type { RecordProducer } from '../../src/connect/record-producer.ts'
import { ordersTraffic, salesTraffic } from '../../src/generate/generate.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import * as wire from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'

const startMs = Date.UTC(2026, 0, 1)
const text = new TextDecoder()

interface Carried {
  readonly key: string | null
  readonly value: string
  readonly timeMs: number
}
async function everything(broker: Broker, topic: string): Promise<Carried[][]> {
  const partitions = broker.topic(topic)!.partitions
  return Promise.all(
    Array.from({ length: partitions }, async (_, id) => {
      const found: Carried[] = []
      const { end } = broker.offsets(topic, partitionId(id))
      while (found.length < end) {
        for (const batch of await broker.read(topic, partitionId(id), offset(found.length), 1024 * 1024)) {
          assert.equal(wire.baseOffset(batch), found.length)
          const { bytes, start, end } = wire.recordsOf(batch)
          const slots = wire.recordSlots(wire.recordCount(batch))
          wire.walkRecords(bytes, start, end, slots)
          for (let i = 0; i < slots.count; i++) {
            const keyStart = slots.keyStart[i]!
            found.push({
              key: keyStart === -1 ? null : text.decode(bytes.subarray(keyStart, slots.keyEnd[i])),
              value: text.decode(bytes.subarray(slots.valueStart[i], slots.valueEnd[i])),
              timeMs: wire.baseTimestampMs(batch) + slots.timestampDelta[i]!,
            })
          }
        }
      }
      return found
    }),
  )
}

const producers: readonly (readonly [string, (broker: Broker) => Promise<RecordProducer>])[] = [
  [
    'in the process',
    async (broker) =>
      batchProducer(
        nodeWorld(),
        {
          partitions: (topic) => broker.topic(topic)?.partitions ?? null,
          append: (topic, partition, batch) => broker.append(topic, partition, batch),
        },
        { producer: await broker.newProducerId() },
      ),
  ],
  [
    'over the Kafka protocol',
    async (broker) => {
      const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
      return kafkaProducer(nodeWorld(), { brokers: [`${host}:${port}`] })
    },
  ],
]
for (const [how, open] of producers) {
  test(`generated traffic ${how}: every record once, in order, in the partition of its key`, {
    timeout: 60_000,
  }, async () => {
    const broker = await openBroker(nodeWorld(), { dataDir: null, durability: 'process' })
    try {
      for (const { topic, partitions } of [sales, orders]) await ensureTopic(broker, { name: topic, partitions })
      await ensureTopic(broker, { name: 'keyless', partitions: 3 })
      const producer = await open(broker)
      const expected = new Map(
        [sales, orders].map(({ topic, partitions }) => [
          topic,
          Array.from({ length: partitions }, (): Carried[] => []),
        ]),
      )
      const sink = {
        record(topic: string, key: Uint8Array, value: Uint8Array, timeMs: number): void {
          const lanes = expected.get(topic)!
          lanes[partitionOfKey(key, lanes.length)]!.push({ key: text.decode(key), value: text.decode(value), timeMs })
          producer.record(topic, key, value, timeMs)
        },
      }
      const selling = salesTraffic('clients', { ratePerSecond: 500, startMs, steady: true })
      const ordering = ordersTraffic('clients', { ratePerSecond: 200, startMs, steady: true })
      for (let second = 1; second <= 20; second++) {
        selling.produceUntil(startMs + second * 1_000, sink)
        ordering.produceUntil(startMs + second * 1_000, sink)
        await producer.room()
        // Lets batches leave by time as well as by size.
        if (second % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      }
      for (let i = 0; i < 3_000; i++)
        producer.record('keyless', null, new TextEncoder().encode(`${i}`.padEnd(200)), startMs)
      await producer.flush()
      const { records, acknowledged } = producer.counts()
      assert.equal(acknowledged, records)
      await producer.close()
      for (const [topic, wanted] of expected) assert.deepEqual(await everything(broker, topic), wanted, topic)
      const keyless = await everything(broker, 'keyless')
      assert.deepEqual(
        keyless
          .flat()
          .map(({ value }) => Number(value))
          .sort((a, b) => a - b),
        Array.from({ length: 3_000 }, (_, i) => i),
      )
      assert.ok(
        keyless.every((lane) => lane.length > 500),
        `spread: ${keyless.map((lane) => lane.length)}`,
      )
    } finally {
      await broker.close()
    }
  })
}
