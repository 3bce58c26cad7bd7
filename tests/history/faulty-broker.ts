// Our broker with a fault built in, as a process of its own: `faulty-broker.ts FAULT broker --json --data-dir D --kafka-port P`.
// A history recorded on it has to be found wrong, or the history check proves nothing.
import { parseArgs } from 'node:util'
import { openBroker } from '../../src/broker/broker.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { GroupCoordinator } from '../../src/broker/groups/coordinator.ts'
import { serveKafka } from '../../src/broker/server/server.ts'
import { crc32c } from '../../src/std/crc32c.ts'
import { type Offset, offset, type PartitionId } from '../../src/std/units.ts'
import { lastOffsetDelta } from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    'data-dir': { type: 'string' },
    'kafka-port': { type: 'string' },
  },
})
const [fault] = positionals

const world = nodeWorld()
const broker = await openBroker(world, { dataDir: values['data-dir']!, durability: 'power' })

type Append = BrokerCore['append']
/** Says yes at once and writes a little later, in order: what a kill comes before is lost. */
function ackingBeforeWriting(): Partial<BrokerCore> {
  const ends = new Map<string, number>()
  let writing: Promise<unknown> = Promise.resolve()
  const append: Append = (topic, partition, batch) => {
    const name = `${topic}/${partition}`
    const base = ends.get(name) ?? Number(broker.offsets(topic, partition).end)
    ends.set(name, base + lastOffsetDelta(batch) + 1)
    const copy = new Uint8Array(batch)
    const later = world.clock.sleep(150)
    writing = writing
      .then(() => later)
      .then(() => broker.append(topic, partition, copy))
      .catch(() => {})
    return Promise.resolve({
      baseOffset: offset(base),
      lsn: broker.journalEnd as never,
      appendedMs: world.clock.nowMs(),
    })
  }
  return { append }
}
/** Keeps no sequences: a batch sent again is there again. */
function forgettingSequences(): Partial<BrokerCore> {
  const append: Append = (topic, partition, batch) => {
    const plain = new Uint8Array(batch)
    // Producer id, epoch and base sequence of nobody.
    plain.fill(0xff, 43, 57)
    new DataView(plain.buffer).setUint32(17, crc32c(plain, 21))
    return broker.append(topic, partition, plain)
  }
  return { append }
}
/** Leaves out a batch now and then where it hands out several. */
function skippingBatches(): Partial<BrokerCore> {
  let reads = 0
  const read = async (topic: string, partition: PartitionId, from: Offset, maxBytes: number) => {
    const batches = await broker.read(topic, partition, from, maxBytes)
    return batches.length > 2 && ++reads % 5 === 0 ? batches.filter((_, i) => i !== 1) : batches
  }
  return { read }
}
/** Acknowledges committed offsets, but keeps only those of every second commit. */
function losingCommits(): Partial<BrokerCore> {
  let commits = 0
  const groupOffsets = new Proxy(broker.groupOffsets, {
    get(store, name) {
      if (name === 'commit' && ++commits % 2 === 0) return () => Promise.resolve()
      const value: unknown = Reflect.get(store, name, store)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
  return { groupOffsets }
}
const faults: Readonly<Record<string, () => Partial<BrokerCore>>> = {
  'acks-before-writing': ackingBeforeWriting,
  'forgets-sequences': forgettingSequences,
  'skips-batches': skippingBatches,
  'loses-commits': losingCommits,
}

// All else is the broker's own, asked when it is asked for.
const core = Object.create(broker, Object.getOwnPropertyDescriptors(faults[fault!]!())) as BrokerCore
const groups = new GroupCoordinator(world, core)
groups.start()
const server = await serveKafka(world, core, groups, { host: '127.0.0.1', port: Number(values['kafka-port']) })
process.stdout.write(`${JSON.stringify({ ready: true, kafka: `${server.host}:${server.port}` })}\n`)
