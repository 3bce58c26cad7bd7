// Producing and consuming through @platformatic/kafka, the client of the application, in a process of its own.
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
    action: z.enum(['produce', 'consume']),
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

tellParent({ seconds: await (given.action === 'produce' ? produce() : consume()), records: given.records })
