// A crowd of producers in one process: many connections, each with a partition of its own, one request in flight each.
import { z } from 'zod'
import { randomStream } from '../src/std/random.ts'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import { givenToChild, tellParent } from './child.ts'
import { KafkaConnection, producedOffset, produceFrame } from './kafka-wire.ts'

const given = givenToChild(
  z.object({
    kafka: z.string(),
    topic: z.string(),
    connections: z.int(),
    /** Of each connection. */
    batches: z.int(),
    recordBytes: z.int(),
  }),
)
const recordsInBatch = Math.floor((16 * 1024) / given.recordBytes)
const writer = new BatchWriter()
const random = randomStream('crowd')
const value = new Uint8Array(given.recordBytes)
for (let i = 0; i < recordsInBatch; i++) writer.append(null, random.fill(value), Date.now())
const batch = writer.finish()

const connections: KafkaConnection[] = []
for (let i = 0; i < given.connections; i++) connections.push(await KafkaConnection.open(given.kafka))
await connections[0]!.createTopic(given.topic, given.connections)
const startedMs = performance.now()
await Promise.all(
  connections.map(async (connection, partition) => {
    const frame = produceFrame(given.topic, partition, batch)
    for (let i = 0; i < given.batches; i++) {
      const offset = producedOffset(await connection.send(frame))
      if (offset !== i * recordsInBatch) throw new Error(`partition ${partition}: acknowledged at ${offset}`)
    }
  }),
)
const seconds = (performance.now() - startedMs) / 1000
for (const connection of connections) connection.close()
tellParent({ seconds, records: given.connections * given.batches * recordsInBatch })
