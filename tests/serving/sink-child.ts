// A process that is there to be killed: a broker on a folder, producers of result records, and a sink for each serving store.
import { openBroker } from '../../src/broker/broker.ts'
import { startServingSink } from '../../src/connect/serving-sink.ts'
import { openServing, type ServingPlace } from '../../src/stores/serving.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { appendMore, partitions, tables } from './sink-work.ts'

const [dataDir = '', seed = '', url = ''] = process.argv.slice(2)
const world = nodeWorld()
const broker = await openBroker(world, { dataDir, durability: 'power', segmentBytes: 1 << 20, freeBytesMin: 0 })
for (const { topic } of tables) {
  if (broker.topic(topic) === null) await broker.createTopic({ name: topic, partitions })
}
const places: ServingPlace[] = [{ kind: 'sqlite', path: `${dataDir}/serving.sqlite` }]
if (url !== '') places.push({ kind: 'postgres', url, allowUnsynced: true })
const sinks = places.map((place) => {
  const sink = startServingSink(world, broker, () => openServing(world, place, () => undefined), tables)
  void sink.failed.then((failure) => {
    process.stderr.write(`${failure.stack}\n`)
    process.exit(1)
  })
  return sink
})
process.stdout.write('begun\n')
let up = false
for (;;) {
  await appendMore(broker, seed, 20)
  if (!up && sinks.every((sink) => sink.counts().applied > 0)) {
    up = true
    process.stdout.write('up\n')
  }
  await world.clock.sleep(5)
}
