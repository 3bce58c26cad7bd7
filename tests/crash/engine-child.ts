// A process that is there to be killed: a broker on a folder, a job with Plans over its log, and a producer that goes on
// with the records the log does not have yet. Says on stdout how many of a partition are acknowledged. Told to `finish`,
// it sends the last records, waits until all is committed, and ends in order. Worker threads read if it is told how many.
import { openBroker } from '../../src/broker/broker.ts'
import { startLogJob } from '../../src/connect/connect.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { lastText, partitions, plans, type Topic, textAt, topics } from './engine-work.ts'

const [dataDir = '', seed = '', finish = '', shards = '0'] = process.argv.slice(2)
const world = nodeWorld()
const broker = await openBroker(world, { dataDir, durability: 'power', segmentBytes: 1 << 20, freeBytesMin: 0 })
// Time runs faster for the job: a life is short, and there must be snapshots in it.
const hurried = { ...world, clock: { ...world.clock, monoMs: () => world.clock.monoMs() * 30 } }
const job = await startLogJob(hurried, broker, {
  name: 'kill',
  plans,
  inHouse: new Set(),
  snapshotFolder: `${dataDir}/snapshots`,
  logIdentity: broker.clusterId,
  tickMs: 100,
  shardsMax: Number(shards),
  shardsAlways: shards !== '0',
  onOutput: () => {},
})
const encoder = new TextEncoder()
const endOf = (topic: Topic, partition: number): number => broker.offsets(topic, partitionId(partition)).end

async function send(topic: Topic, partition: number, texts: readonly string[]): Promise<void> {
  const writer = new BatchWriter()
  for (const text of texts) writer.append(null, encoder.encode(text), world.clock.nowMs())
  const before = endOf(topic, partition)
  const { baseOffset } = await broker.append(topic, partitionId(partition), writer.finish())
  if (baseOffset !== offset(before)) throw new Error(`a batch for ${before} went to ${baseOffset}`)
  process.stdout.write(`${topic}/${partition} ${before + texts.length}\n`)
}

const each = topics.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })))
if (finish === 'finish') {
  for (const { topic, partition } of each) await send(topic, partition, [lastText(topic, partition)])
  const failure = await Promise.race([job.settled(), job.failed])
  if (failure instanceof Error) throw failure
  // What is corrected comes out at the next tick.
  await world.clock.sleep(500)
  await job.settled()
  await job.stop()
  await broker.close()
} else {
  void job.failed.then((failure) => {
    process.stderr.write(`${failure.stack}\n`)
    process.exit(1)
  })
  for (let round = 0; ; round++) {
    const texts = (topic: Topic, partition: number): string[] =>
      Array.from({ length: 20 }, (_, i) => textAt(topic, seed, partition, endOf(topic, partition) + i))
    await Promise.all(each.map(({ topic, partition }) => send(topic, partition, texts(topic, partition))))
    await world.clock.sleep(round % 4)
  }
}
