// Producing and consuming through other people's clients, in a process of their own: @platformatic/kafka, which is the
// application's, and kafkajs by whole batches.
import { Kafka, logLevel } from 'kafkajs'
import { z } from 'zod'
import { randomStream } from '../src/std/random.ts'
import { givenToChild, tellParent } from './child.ts'
import { producerOf, readerOf } from './client.ts'

const given = givenToChild(
  z.object({
    kafka: z.string(),
    topic: z.string(),
    partitions: z.int(),
    records: z.int(),
    recordBytes: z.int(),
    action: z.enum(['produce', 'consume', 'consume-kafkajs']),
  }),
)
const messagesInSend = 1_000
const sendsInFlight = 4

async function produce(): Promise<number> {
  const producer = producerOf(given.kafka)
  const random = randomStream('client')
  const values = Array.from({ length: messagesInSend }, () =>
    Buffer.from(random.fill(new Uint8Array(given.recordBytes))),
  )
  // The first send pays for the connection, the metadata and the producer id: it is counted by nobody.
  await producer.send({ messages: [{ topic: given.topic, partition: 0, value: values[0]! }] })
  let sent = 1
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: sendsInFlight }, async () => {
      while (sent < given.records) {
        const first = sent
        const count = Math.min(messagesInSend, given.records - first)
        sent += count
        await producer.send({
          messages: values
            .slice(0, count)
            .map((value, i) => ({ topic: given.topic, partition: (first + i) % given.partitions, value })),
        })
      }
    }),
  )
  const seconds = (performance.now() - startedMs) / 1000
  await producer.close()
  return seconds
}

async function consume(): Promise<number> {
  const reader = await readerOf(given.kafka, given.topic)
  let records = 0
  const startedMs = performance.now()
  while (records < given.records) {
    const came = await reader.next(() => {})
    if (came === 0) throw new Error(`nothing more came after ${records} of ${given.records} records`)
    records += came
  }
  const seconds = (performance.now() - startedMs) / 1000
  await reader.close()
  if (records !== given.records) throw new Error(`${records} records came, ${given.records} were sent`)
  return seconds
}

/** Counts batches as they come, as its users do who are in a hurry; the group's joining is not counted. */
async function consumeKafkajs(): Promise<number> {
  const consumer = new Kafka({ brokers: [given.kafka], logLevel: logLevel.NOTHING }).consumer({
    groupId: `bench-${process.pid}`,
    maxBytesPerPartition: 1 << 20,
    maxWaitTimeInMs: 500,
  })
  await consumer.connect()
  await consumer.subscribe({ topic: given.topic, fromBeginning: true })
  let startedMs = 0
  consumer.on('consumer.group_join', () => {
    startedMs = performance.now()
  })
  let records = 0
  const all = Promise.withResolvers<void>()
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      records += batch.messages.length
      if (records >= given.records) all.resolve()
    },
  })
  await all.promise
  const seconds = (performance.now() - startedMs) / 1000
  await consumer.disconnect()
  if (records !== given.records) throw new Error(`${records} records came, ${given.records} were sent`)
  return seconds
}

const actions = { produce, consume, 'consume-kafkajs': consumeKafkajs }
tellParent({ seconds: await actions[given.action](), records: given.records })
