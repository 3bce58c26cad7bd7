// Single records at a steady rate from a producer through the broker to a consumer, both in this process: one clock.
import { z } from 'zod'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import { batchHeaderBytes, nextBatchEnd, recordSlots, walkRecords } from '../src/wire/record-batch.ts'
import { givenToChild, tellParent } from './child.ts'
import { producerOf, readerOf } from './client.ts'
import { fetchedBatches, fetchFrame, KafkaConnection, producedOffset, produceFrame } from './kafka-wire.ts'
import { percentile } from './statistics.ts'

const given = givenToChild(
  z.object({
    kafka: z.string(),
    topic: z.string(),
    /** `client`: @platformatic/kafka on both sides. `plain`: bare connections, so that mostly the broker is measured. */
    through: z.enum(['client', 'plain']),
    ratePerSecond: z.int(),
    seconds: z.number(),
    recordBytes: z.int(),
  }),
)
/**
 * Not counted: connections, caches and compiled code come to be. One after the other, so that no queue is left behind
 * which the measured records would stand in.
 */
const warmUp = 1_000

const total = warmUp + Math.round(given.ratePerSecond * given.seconds)
const ackMs: number[] = []
const endToEndMs: number[] = []

/** A record carries the moment it was handed over. */
function value(): Buffer {
  const bytes = Buffer.alloc(given.recordBytes)
  bytes.writeDoubleBE(performance.now(), 0)
  return bytes
}
function arrived(bytes: Uint8Array, at: number): void {
  const sentMs = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0)
  endToEndMs.push(performance.now() - sentMs)
}

/** With many records a second those that are due go as one batch; with few, each goes alone. */
/** A batch stays below what a topic takes. */
const recordsInBatchMax = 1_000
const gathers = given.ratePerSecond > 5_000

/** Sends what is due by the clock, however late the timer comes: a slow broker does not slow the sender. */
async function paced(send: (records: number) => Promise<unknown>): Promise<void> {
  for (let sent = 0; sent < warmUp; sent++) await send(1)
  const startedMs = performance.now()
  const pending: Promise<void>[] = []
  for (let sent = 0; sent < total - warmUp; ) {
    const due = Math.min(total - warmUp, Math.floor(((performance.now() - startedMs) / 1000) * given.ratePerSecond) + 1)
    while (sent < due) {
      const records = gathers ? Math.min(due - sent, recordsInBatchMax) : 1
      const dueMs = gathers ? startedMs + (sent / given.ratePerSecond) * 1000 : performance.now()
      sent += records
      pending.push(
        send(records).then(() => {
          // The first of a batch has waited longest; it stands for all of them.
          for (let i = 0; i < records; i++) ackMs.push(performance.now() - dueMs)
        }),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
}

async function throughClient(): Promise<void> {
  const producer = producerOf(given.kafka)
  const reader = await readerOf(given.kafka, given.topic)
  const reading = (async () => {
    while (endToEndMs.length < total) await reader.next((bytes) => arrived(bytes, 0))
  })()
  await Promise.all([
    reading,
    paced(() => producer.send({ messages: [{ topic: given.topic, partition: 0, value: value() }] })),
  ])
  await producer.close()
  await reader.close()
}

async function throughConnections(): Promise<void> {
  const out = await KafkaConnection.open(given.kafka)
  const into = await KafkaConnection.open(given.kafka)
  const writer = new BatchWriter()
  const slots = recordSlots(4_096)
  const settings = { minBytes: 1, maxWaitMs: 500, maxBytes: 50 << 20, partitionMaxBytes: 1 << 20 }
  const reading = (async () => {
    for (let offset = 0; endToEndMs.length < total; offset = endToEndMs.length) {
      fetchedBatches(await into.send(fetchFrame(given.topic, [offset], settings)), (_partition, bytes, start, end) => {
        for (
          let at = start, next = nextBatchEnd(bytes, at, end);
          next !== -1;
          at = next, next = nextBatchEnd(bytes, at, end)
        ) {
          walkRecords(bytes, at + batchHeaderBytes, next, slots)
          for (let row = 0; row < slots.count; row++) arrived(bytes, slots.valueStart[row]!)
        }
      })
    }
  })()
  const sending = paced(async (records) => {
    for (let i = 0; i < records; i++) writer.append(null, value(), Date.now())
    producedOffset(await out.send(produceFrame(given.topic, 0, writer.finish())))
  })
  await Promise.all([reading, sending])
  out.close()
  into.close()
}

await (given.through === 'client' ? throughClient() : throughConnections())
if (endToEndMs.length !== total) throw new Error(`${endToEndMs.length} records came, ${total} were sent`)
const counted = { ack: ackMs, endToEnd: endToEndMs.slice(warmUp) }
tellParent({
  ack: { p50: percentile(counted.ack, 0.5), p99: percentile(counted.ack, 0.99) },
  endToEnd: { p50: percentile(counted.endToEnd, 0.5), p99: percentile(counted.endToEnd, 0.99) },
  records: counted.endToEnd.length,
})
