// The broker that other people's clients are tried on: ours, on a disk, durable; or the one that TEST_KAFKA (host:port)
// names, so that the same tests run on Apache Kafka: a difference is a finding.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBroker } from '../../src/broker/broker.ts'

import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import { batchBytes } from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'

export interface TestBroker {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly address: string
  /** Ours, and thus held to what we alone promise. */
  readonly ours: boolean
  close(): Promise<void>
}

const world = nodeWorld()

export async function openTestBroker(): Promise<TestBroker> {
  const other = process.env.TEST_KAFKA
  if (other !== undefined) {
    const colon = other.lastIndexOf(':')
    const [host, port] = [other.slice(0, colon), Number(other.slice(colon + 1))]
    return { host, port, address: other, ours: false, close: async () => {} }
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-clients-'))
  const ours = await openOn(dataDir)
  return {
    ...ours,
    async close() {
      await ours.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
/** Our broker on a data directory that stays. */
export async function openOn(dataDir: string, port = 0): Promise<TestBroker> {
  const broker = await openBroker(world, {
    dataDir,
    durability: 'power',
    autoCreate: { partitions: 2 },
    groups: { consumerHeartbeatMs: 100, consumerTopicsEachMs: 100 },
  })
  const at = await broker.listen({ host: '127.0.0.1', port })
  return { host: at.host, port: at.port, address: `${at.host}:${at.port}`, ours: true, close: () => broker.close() }
}

let names = 0
/** A topic name that no other test has had, on whatever broker. */
export const freshTopic = (what: string): string => `${what}-${process.pid}-${world.clock.nowMs()}-${++names}`

/** All batches of a partition as they are stored, by a client of our own. */
export async function storedBatches(broker: TestBroker, topic: string, partition: number): Promise<Uint8Array[]> {
  const client = await RawClient.connect(world, broker)
  const answer = await client.ask('fetch', 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 64 << 20,
    topics: [
      {
        topic,
        topicId: new Uint8Array(16),
        partitions: [
          {
            partition,
            fetchOffset: 0,
            partitionMaxBytes: 64 << 20,
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            replicaDirectoryId: new Uint8Array(16),
            highWatermark: 0,
          },
        ],
      },
    ],
  })
  client.socket.destroy()
  const bytes = answer.responses[0]?.partitions[0]?.records ?? new Uint8Array(0)
  const batches: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += batchBytes(bytes, at)) {
    batches.push(bytes.subarray(at, at + batchBytes(bytes, at)))
  }
  return batches
}

/** Waits until it holds; fails after `msMax`. */
export async function until(holds: () => boolean | Promise<boolean>, msMax = 15_000): Promise<void> {
  const endMs = world.clock.monoMs() + msMax
  while (!(await holds())) {
    if (world.clock.monoMs() > endMs) throw new Error(`still not so after ${msMax} ms: ${holds}`)
    await world.clock.sleep(20)
  }
}
