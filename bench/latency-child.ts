// Single records at a steady rate from a producer through the broker to a consumer, both in this process: one clock.
import { PerformanceObserver } from 'node:perf_hooks'
import { z } from 'zod'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import { batchHeaderBytes, nextBatchEnd, recordSlots, walkRecords } from '../src/wire/record-batch.ts'
import { givenToChild, tellParent } from './child.ts'
import { producerOf, readerOf } from './client.ts'
import { fetchedBatches, fetchFrame, KafkaConnection, producedOffset, produceFrameHead } from './kafka-wire.ts'
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
/** With many records a second those that are due go as one batch; with few, each goes alone. */
const gathers = given.ratePerSecond > 5_000
/** A batch stays below what a topic takes. */
const recordsInBatchMax = 1_000
/**
 * Not counted: connections, caches and compiled code come to be. One after the other, so that no queue is left behind
 * which the measured records would stand in; and, where they go in batches, a second of those.
 */
const single = 1_000
const warmUp = single + (gathers ? given.ratePerSecond : 0)

const total = warmUp + Math.round(given.ratePerSecond * given.seconds)
const ackMs = new Float64Array(total)
const endToEndMs = new Float64Array(total)
/** From when a record was due to when it was sent: what this process is late itself. */
const lateMs = new Float64Array(total)
let acked = 0
let arrivals = 0

const bytes = Buffer.alloc(given.recordBytes)
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
/** A record carries the moment from which it is timed. The same memory each time: the collector is not what is measured. */
function value(fromMs: number): Buffer {
  view.setFloat64(0, fromMs)
  return bytes
}
function arrived(sentMs: number): void {
  endToEndMs[arrivals++] = performance.now() - sentMs
}

/**
 * Sends what is due by the clock, however late the timer comes: a slow broker does not slow the sender. A record that goes alone is
 * timed from its sending, one of a batch from when it was due: waiting for its batch is part of it.
 */
async function paced(send: (count: number, fromMs: (i: number) => number) => Promise<unknown>): Promise<void> {
  const now = (): number => performance.now()
  for (let sent = 0; sent < single; sent++) {
    const fromMs = now()
    await send(1, () => fromMs)
    ackMs[acked++] = now() - fromMs
  }
  const startedMs = now()
  const dueMs = (i: number): number => startedMs + ((i - single) / given.ratePerSecond) * 1000
  const pending: Promise<void>[] = []
  for (let sent = single; sent < total; ) {
    const due = Math.min(total, single + Math.floor(((now() - startedMs) / 1000) * given.ratePerSecond) + 1)
    while (sent < due) {
      const count = gathers ? Math.min(due - sent, recordsInBatchMax) : 1
      const first = sent
      const nowMs = now()
      const fromMs = gathers ? (i: number) => dueMs(first + i) : () => nowMs
      for (let i = 0; i < count; i++) lateMs[first + i] = Math.max(0, nowMs - dueMs(first + i))
      sent += count
      const answered = send(count, fromMs).then(() => {
        const ackedMs = now()
        for (let i = 0; i < count; i++) ackMs[first + i] = ackedMs - fromMs(i)
        acked += count
      })
      pending.push(answered)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
}

async function throughClient(): Promise<void> {
  const producer = producerOf(given.kafka)
  const reader = await readerOf(given.kafka, given.topic)
  const reading = (async () => {
    while (arrivals < total) await reader.next((record) => arrived(record.readDoubleBE(0)))
  })()
  await Promise.all([
    reading,
    paced((_, fromMs) =>
      // A copy: the client keeps it until it is sent.
      producer.send({ messages: [{ topic: given.topic, partition: 0, value: Buffer.from(value(fromMs(0))) }] }),
    ),
  ])
  await producer.close()
  await reader.close()
}

async function throughConnections(): Promise<void> {
  const out = await KafkaConnection.open(given.kafka, { reuses: true })
  const into = await KafkaConnection.open(given.kafka, { reuses: true })
  const writer = new BatchWriter()
  const slots = recordSlots(4_096)
  const settings = { minBytes: 1, maxWaitMs: 500, maxBytes: 50 << 20, partitionMaxBytes: 1 << 20 }
  const reading = (async () => {
    for (let offset = 0; arrivals < total; offset = arrivals) {
      fetchedBatches(await into.send(fetchFrame(given.topic, [offset], settings)), (_partition, bytes, start, end) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
        for (
          let at = start, next = nextBatchEnd(bytes, at, end);
          next !== -1;
          at = next, next = nextBatchEnd(bytes, at, end)
        ) {
          walkRecords(bytes, at + batchHeaderBytes, next, slots)
          for (let row = 0; row < slots.count; row++) arrived(view.getFloat64(slots.valueStart[row]!))
        }
      })
    }
  })()
  const sending = paced(async (count, fromMs) => {
    const nowMs = Date.now()
    for (let i = 0; i < count; i++) writer.append(null, value(fromMs(i)), nowMs)
    const batch = writer.finish()
    producedOffset(await out.sendParts(produceFrameHead(given.topic, 0, batch.length), batch))
  })
  await Promise.all([reading, sending])
  out.close()
  into.close()
}

const collecting = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collectedMs.push(duration)
})
const collectedMs: number[] = []
collecting.observe({ entryTypes: ['gc'] })
await (given.through === 'client' ? throughClient() : throughConnections())
if (arrivals !== total || acked !== total) {
  throw new Error(`${arrivals} records came and ${acked} were acknowledged, ${total} were sent`)
}
const shares = (all: Float64Array): { readonly p50: number; readonly p99: number } => {
  const counted = [...all.subarray(warmUp)]
  return { p50: percentile(counted, 0.5), p99: percentile(counted, 0.99) }
}
tellParent({
  ack: shares(ackMs),
  endToEnd: shares(endToEndMs),
  late: shares(lateMs),
  collections: collectedMs.length,
  collectedMsMax: Math.max(0, ...collectedMs),
  records: total - warmUp,
})
