// What the tests of the server share: a server on a heart in memory, batches, and requests to produce and fetch.
import { after } from 'node:test'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { nodeWorld } from '../../world/node.ts'
import { GroupCoordinator } from '../groups/coordinator.ts'
import { securityOf } from '../security/security.ts'
import { MemoryCore } from './memory-core.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { type KafkaServerSettings, type Shared, serveKafka } from './server.ts'

export const world = nodeWorld()
const cleanUps: (() => Promise<unknown>)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})
/** With super users access control is on. */
export async function opened(
  settings: Partial<KafkaServerSettings> = {},
  superUsers: readonly string[] = [],
  sharedBy: ((core: MemoryCore) => Shared) | null = null,
) {
  const core = new MemoryCore()
  const shared = sharedBy === null ? {} : { shared: sharedBy(core) }
  const security = securityOf(world, core.settings, superUsers)
  const server = await serveKafka(
    world,
    core,
    new GroupCoordinator(world, core),
    { port: 0, ...settings, ...shared },
    security,
  )
  cleanUps.push(() => server.close())
  return { core, server, client: await RawClient.connect(world, server) }
}
export function batch(
  values: readonly string[],
  timestampMs = 1_000,
  compression: 'none' | 'zstd' = 'none',
): Uint8Array {
  const writer = new BatchWriter({ compression })
  for (const value of values) writer.append(null, Buffer.from(value), timestampMs)
  return writer.finish()
}
export const toProduce = (
  topic: string,
  index: number,
  records: Uint8Array | null,
  topicId: Uint8Array = new Uint8Array(16),
) => ({
  acks: -1,
  timeoutMs: 1_000,
  topicData: [{ name: topic, topicId, partitionData: [{ index, records }] }],
})
export const toFetch = (
  topic: string,
  fetchOffset: number,
  more: object = {},
  topicId: Uint8Array = new Uint8Array(16),
) => ({
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1 << 20,
  topics: [
    {
      topic,
      topicId,
      partitions: [{ ...fetchDefaults, partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }],
    },
  ],
  ...more,
})
export const fetchDefaults = {
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  logStartOffset: -1,
  replicaDirectoryId: new Uint8Array(16),
  highWatermark: 2 ** 63,
}
