// The house for tests of requirements: the embedded broker with the shop's jobs on it, without HTTP. Records go in as any
// producer sends them, rows are read back from their topics.
import assert from 'node:assert/strict'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { contracts, parseDelayRules } from '../../src/commerce/commerce.ts'
import { ensureTopic } from '../../src/connect/connect.ts'
import { deadLettersOf } from '../../src/platform/dead-letters.ts'
import { type Jobs, startJobs } from '../../src/platform/jobs.ts'
import { ledgerOf } from '../../src/platform/ledger.ts'
import { deadLetterCount } from '../../src/platform/metrics.ts'
import { qualityFigures } from '../../src/platform/quality.ts'
import type { DeadLettersPort, Ledger, QualityPort } from '../../src/serve/books-ports.ts'
import { liveFigures } from '../../src/serve/live-figures.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { recordHeaders, recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'
import type { World } from '../../src/world/world.ts'

export type Json = { readonly [field: string]: unknown }
/** What is sent: an object, or raw text for what is broken. */
export type Sent = Json | string
export interface Row {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  /** Null takes the key back. */
  readonly value: Json | null
  readonly text: string | null
  readonly headers: Readonly<Record<string, string>>
}
export interface House {
  readonly world: World
  readonly broker: Broker
  readonly jobs: Jobs
  readonly deadLetters: DeadLettersPort
  readonly quality: QualityPort
  ledger(): Ledger
  /** `atMs`: arrival. In one batch a partition, in the order given. */
  send(topic: string, records: readonly Sent[], atMs?: number): Promise<void>
  /** What the topic holds, partition by partition. */
  rows(topic: string): Promise<Row[]>
  /** The newest of each key. */
  table(topic: string): Promise<Map<string, Json>>
  settled(): Promise<void>
  close(): Promise<void>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export async function openHouse(dataDir: string | null = null): Promise<House> {
  const world = nodeWorld({ seed: 'requirements' })
  const broker = await openBroker(world, { dataDir, durability: 'process', freeBytesMin: 0 })
  for (const { topic, partitions, origin } of contracts.values())
    if (origin !== 'result') await ensureTopic(broker, { name: topic, partitions })
  const figures = liveFigures({ currency: 'USD', scale: 2, windowMs: 900_000, slideMs: 1_000 })
  const [deadLetters, quality] = [deadLetterCount(), await qualityFigures(world, broker)]
  const jobs = await startJobs(world, broker, {
    ...{ dataDir, figures, deadLetters, quality },
    // Half a minute is long for a test.
    rules: { delays: parseDelayRules('{"statisticsMs": 1000}') },
  })
  const rows = async (topic: string): Promise<Row[]> => {
    const found: Row[] = []
    const slots = recordSlots(512)
    const partitions = broker.topic(topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      const { start, end } = broker.offsets(topic, partitionId(partition))
      for (let from: number = start; from < end; ) {
        const { batches, next } = await broker.readCommitted(topic, partitionId(partition), offset(from), 1 << 20)
        for (const batch of batches) {
          const { bytes, start: begin, end: to } = recordsOf(batch)
          for (let at = begin; at < to; ) {
            at = walkRecords(bytes, at, to, slots)
            for (let row = 0; row < slots.count; row++) {
              const text = (from: number, to: number): string | null =>
                from < 0 ? null : decoder.decode(bytes.subarray(from, to))
              const value = text(slots.valueStart[row]!, slots.valueEnd[row]!)
              found.push({
                partition,
                offset: Number(new DataView(batch.buffer, batch.byteOffset).getBigInt64(0)) + slots.offsetDelta[row]!,
                key: text(slots.keyStart[row]!, slots.keyEnd[row]!),
                text: value,
                value: jsonOf(value),
                headers: Object.fromEntries(
                  recordHeaders(bytes, slots.headersStart[row]!).map(({ name, value }) => [
                    name,
                    value === null ? '' : decoder.decode(value),
                  ]),
                ),
              })
            }
          }
        }
        if (next === from) break
        from = next
      }
    }
    return found
  }
  return {
    world,
    broker,
    jobs,
    rows,
    deadLetters: deadLettersOf(world, broker),
    quality: quality.port({ jobs, deadLetters }),
    ledger: () => ledgerOf(jobs.all),
    async table(topic) {
      const table = new Map<string, Json>()
      for (const { key, value } of await rows(topic)) {
        if (value === null) table.delete(key ?? '')
        else table.set(key ?? '', value)
      }
      return table
    },
    async send(topic, records, atMs = Date.now()) {
      const contract = contracts.get(topic)
      const partitions = broker.topic(topic)?.partitions ?? 1
      const writers = new Map<number, BatchWriter>()
      for (const [i, record] of records.entries()) {
        const named = typeof record === 'string' ? undefined : record[contract?.key ?? '']
        const key = named === undefined ? null : encoder.encode(String(named))
        const partition = key === null ? i % partitions : partitionOfKey(key, partitions)
        const writer = writers.get(partition) ?? new BatchWriter()
        writers.set(partition, writer)
        // Well below what a topic takes in one batch.
        if (writer.sizeBytes > 400_000) await broker.append(topic, partitionId(partition), writer.finish())
        writer.append(key, encoder.encode(typeof record === 'string' ? record : JSON.stringify(record)), atMs)
      }
      for (const [partition, writer] of writers) await broker.append(topic, partitionId(partition), writer.finish())
    },
    async settled() {
      // What one job writes another may read.
      for (const job of [...jobs.all, ...jobs.all]) await job.settled()
    },
    async close() {
      await Promise.all(jobs.all.map((job) => job.stop()))
      await broker.close()
    },
  }
}

function jsonOf(text: string | null): Json | null {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Waits until it gives something that is not null. */
export async function until<T>(what: string, look: () => Promise<T | null>, withinMs = 30_000): Promise<T> {
  const endMs = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > endMs) assert.fail(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
