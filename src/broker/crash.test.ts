// The broker in the lying world: killed and power-cut at any operation, start included, it keeps what it acknowledged,
// in its place and once, and a job's outputs and progress stay together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import type { Cursor } from '../log/log.ts'
import { offset, partitionId } from '../std/units.ts'
import type { World } from '../world/world.ts'
import { batchOf, p0, valuesOf } from './broker.suite.ts'
import { type Broker, openBroker } from './broker.ts'

const partitions = 3
const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0, segmentBytes: 5000, cacheBytes: 0 } as const

/** What was said to producers. */
interface Acked {
  readonly value: string
  readonly partition: number
  readonly offset: number
}

test('80 histories of crashes: nothing acknowledged is lost, doubled, moved or torn', async () => {
  let crashes = 0
  let seals = 0
  let acknowledged = 0
  let copied = 0
  for (let seed = 0; seed < 80; seed++) {
    const told = `seed ${seed} (to replay it alone, let the loop begin there)`
    const simulation = simulate({
      seed: `broker ${seed}`,
      faults: { survival: [0, 0.5, 1][seed % 3]!, shortOdds: 0.05 },
    })
    const random = simulation.random
    const acked: Acked[] = []
    const sent = new Set<string>()
    for (let life = 0; life < 6; life++) {
      const isLast = life === 5
      const kind = random.below(3) === 0 ? 'kill' : 'power'
      // Some die early in their start, some late.
      simulation.machine.plan(isLast ? null : { at: 1 + random.below(life % 2 === 0 ? 120 : 25), crash: kind })
      const end = await simulation.run(async (world, process) => {
        const broker = await openBroker(world, settings)
        if (broker.topic('in') === null) await broker.createTopic({ name: 'in', partitions })
        if (broker.topic('out') === null) await broker.createTopic({ name: 'out', partitions: 1 })
        await check(broker, acked, sent, told)
        seals += world.fs.list('/data/journal').filter((name) => name.endsWith('.seal')).length
        await Promise.all([
          produce(broker, life, 60, random.fork(`life ${life}`), sent, (ack) => {
            // What a process computes after its death, nobody is told.
            if (process.alive) acked.push(ack)
          }),
          copy(world, broker, 25),
        ])
        if (!isLast && random.below(2) === 0) return
        await check(broker, acked, sent, told)
        await broker.close()
        const again = await openBroker(world, settings)
        copied += await check(again, acked, sent, told)
        await again.close()
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') crashes++
      else assert.equal(end.end, 'returned', told)
    }
    acknowledged += acked.length
  }
  // The faults landed, and there was something to lose.
  assert.ok(crashes > 200, `${crashes} crashes`)
  assert.ok(seals > 250, `${seals} seals met`)
  assert.ok(acknowledged > 5000, `${acknowledged} acknowledged`)
  assert.ok(copied > 500, `${copied} copied`)
})

async function produce(
  broker: Broker,
  life: number,
  records: number,
  random: { below(n: number): number },
  sent: Set<string>,
  acknowledge: (ack: Acked) => void,
): Promise<void> {
  const { producerId, epoch } = await broker.newProducerId()
  const sequences = new Array<number>(partitions).fill(0)
  const under: Promise<void>[] = []
  for (let i = 0; i < records; i++) {
    const partition = random.below(partitions)
    const value = `${life}.${i}.${'x'.repeat(random.below(200))}`
    const baseSequence = sequences[partition]!++
    sent.add(value)
    const batch = batchOf([value], { producer: { producerId, producerEpoch: epoch, baseSequence } })
    const done = broker.append('in', partitionId(partition), batch).then((appended) => {
      acknowledge({ value, partition, offset: appended.baseOffset })
    })
    under.push(done)
    if (random.below(3) > 0) await done
  }
  await Promise.all(under)
}

/** A job that copies each batch of `in` to `out`, a few at a time. */
async function copy(world: World, broker: Broker, commits: number): Promise<void> {
  const { epoch, cursor } = await broker.takeJob('copy')
  const follower = broker.follow({ job: 'copy', topics: ['in'], from: cursor })
  let previous: Cursor = cursor
  for (let i = 0; i < commits; i++) {
    const entries = follower.poll(300)
    if (entries.length === 0) {
      await world.clock.sleep(1)
      continue
    }
    const appends = entries.map((entry) => {
      assert.equal(entry.kind, 'batch')
      return { topic: 'out', partition: p0, batch: batchOf(entry.kind === 'batch' ? valuesOf(entry.bytes) : []) }
    })
    await broker.commit({ job: 'copy', epoch, previous, cursor: follower.cursor(), appends })
    previous = follower.cursor()
  }
  follower.close()
}

async function check(broker: Broker, acked: readonly Acked[], sent: Set<string>, told: string): Promise<number> {
  assert.equal(broker.trouble(), null, told)
  const places = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++) {
    for (const [at, value] of (await values(broker, 'in', partition)).entries()) {
      assert.ok(sent.has(value), `${told}: a value nobody sent`)
      assert.ok(!places.has(value), `${told}: ${value} is there twice`)
      places.set(value, `${partition}@${at}`)
    }
  }
  for (const { value, partition, offset: at } of acked) {
    assert.equal(places.get(value), `${partition}@${at}`, `${told}: ${value} was acknowledged`)
  }
  const out = await values(broker, 'out', 0)
  const follower = broker.follow({ job: 'copy', topics: ['in'], from: broker.origin() })
  const inOrder: string[] = []
  for (let entries = follower.poll(5000); entries.length > 0; entries = follower.poll(5000)) {
    for (const entry of entries) if (entry.kind === 'batch') inOrder.push(...valuesOf(entry.bytes))
  }
  follower.close()
  assert.equal(inOrder.length, places.size, told)
  assert.deepEqual(
    out,
    inOrder.slice(0, out.length),
    `${told}: the copies are the first of the records, once, in order`,
  )
  return out.length
}

async function values(broker: Broker, topic: string, id: number): Promise<string[]> {
  const partition = partitionId(id)
  const found: string[] = []
  for (;;) {
    const batches = await broker.read(topic, partition, offset(found.length), 2000)
    if (batches.length === 0) return found
    for (const batch of batches) found.push(...valuesOf(batch))
  }
}
