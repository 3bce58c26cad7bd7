// A plain loader, in a process of its own: batches encoded beforehand, acks=all, several in flight on one connection.
import { z } from 'zod'
import { randomStream } from '../src/std/random.ts'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import { givenToChild, tellParent } from './child.ts'
import { KafkaConnection, producedOffset, produceFrame } from './kafka-wire.ts'

const given = givenToChild(
  z.object({
    kafka: z.string(),
    topic: z.string(),
    partitions: z.int(),
    records: z.int(),
    recordBytes: z.int(),
    batchBytes: z.int(),
    inFlight: z.int(),
  }),
)

/** Different bytes in turn, so that nobody gains by having seen a batch before. */
const variants = 8
const random = randomStream('loader')
const recordsInBatch = Math.max(1, Math.floor(given.batchBytes / given.recordBytes))
const batchOf = (records: number): Uint8Array => {
  const writer = new BatchWriter({ initialBytes: given.batchBytes * 2 })
  const value = new Uint8Array(given.recordBytes)
  for (let i = 0; i < records; i++) writer.append(null, random.fill(value), Date.now())
  return writer.finish()
}
const whole = Array.from({ length: variants }, () => batchOf(recordsInBatch))
const frames = whole.flatMap((batch) =>
  Array.from({ length: given.partitions }, (_, partition) => produceFrame(given.topic, partition, batch)),
)
const rest = given.records % recordsInBatch
const requests = Math.floor(given.records / recordsInBatch)

const connection = await KafkaConnection.open(given.kafka)
await connection.createTopic(given.topic, given.partitions)

const nextOffset = new Array<number>(given.partitions).fill(0)
let sent = 0
const startedMs = performance.now()
await Promise.all(
  Array.from({ length: given.inFlight }, async () => {
    while (sent < requests) {
      const index = sent++ % frames.length
      const partition = index % given.partitions
      const offset = producedOffset(await connection.send(frames[index]!))
      // Lanes wait for their own answers, but the answers come in order: so do the offsets of a partition.
      if (offset !== nextOffset[partition])
        throw new Error(`partition ${partition}: acknowledged at ${offset}, expected ${nextOffset[partition]}`)
      nextOffset[partition] = offset + recordsInBatch
    }
  }),
)
if (rest > 0) producedOffset(await connection.send(produceFrame(given.topic, 0, batchOf(rest))))
const seconds = (performance.now() - startedMs) / 1000
connection.close()
tellParent({ seconds, records: given.records })
