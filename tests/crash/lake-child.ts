// One life of the lake's crash test: appends sales to a broker while the lake follows, until it is killed or done.
import { openBroker } from '../../src/broker/broker.ts'
import { ensureTopic } from '../../src/connect/connect.ts'
import { lakeFeedDefaults, startLakeFeed } from '../../src/connect/lake-feed.ts'
import { partitionId } from '../../src/std/units.ts'
import { compact, openLake } from '../../src/stores/stores.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { lakeTopic, recordAt, recordsOfPartition, topicOfTest } from './lake-work.ts'

const [, , dataDir = '', mode = 'go'] = process.argv
const world = nodeWorld()
const broker = await openBroker(world, { dataDir, durability: 'process' })
await ensureTopic(broker, { name: topicOfTest.name, partitions: topicOfTest.partitions })
const lake = openLake(world, {
  folder: `${dataDir}/lake`,
  duckdb: { memoryBytesMax: 128 << 20, spillBytesMax: 1 << 30, idleMsMax: 60_000 },
})
process.stdout.write(`unfinished ${lake.unfinished() === null ? 0 : 1}\n`)
const feed = startLakeFeed(world, broker, lake, {
  ...lakeFeedDefaults,
  lookMs: 0,
  recordsMax: 700,
  topicOf: () => lakeTopic,
  // Often, so that kills fall into it as well.
  tidy: async () => {
    await compact(lake, { filesMin: 4, smallBytes: 1 << 30, bytesMax: 1 << 30 })
  },
})

async function append(partition: number, count: number): Promise<boolean> {
  const id = partitionId(partition)
  const from = broker.offsets(topicOfTest.name, id).end
  const to = Math.min(from + count, recordsOfPartition)
  if (from >= to) return false
  const writer = new BatchWriter()
  for (let at = from; at < to; at++) {
    const { key, value, arrivalMs } = recordAt(partition, at)
    writer.append(key, value, arrivalMs, [])
  }
  await broker.append(topicOfTest.name, id, writer.finish())
  return true
}

for (let more = true; more; ) {
  more = false
  for (let partition = 0; partition < topicOfTest.partitions; partition++)
    if (await append(partition, mode === 'finish' ? 1_000 : 90)) more = true
  await feed.flush()
  process.stdout.write(`version ${lake.manifest().version}\n`)
  if (!more && mode !== 'finish') await new Promise((resolve) => setTimeout(resolve, 60_000))
}
await feed.stop()
await lake.close()
await broker.close()
