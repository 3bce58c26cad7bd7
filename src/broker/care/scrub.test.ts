// The scrub finds what a disk has lost of settled files, slowly, names it, and says it again each pass; a repair goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { offset } from '../../std/units.ts'
import { lastOffset } from '../../wire/record-batch.ts'
import type { World } from '../../world/world.ts'
import { batchOf, p0, refused, valuesOf } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import { inspectDataDirectory } from './inspect.ts'
import { repairDataDirectory } from './repair.ts'

const settings = {
  dataDir: '/data',
  durability: 'power',
  freeBytesMin: 0,
  segmentBytes: 5_000,
  cacheBytes: 0,
  retention: { checkEveryMs: 50, fileBytesMax: 8_000, settleAfterMs: 500 },
  scrub: { firstAfterMs: 10_000, everyMs: 60_000, bytesPerSecondMax: 500_000 },
} as const

async function valuesFrom(broker: Broker, from: number): Promise<string[]> {
  const values: string[] = []
  const { end } = broker.offsets('t', p0)
  for (let next = from; next < end; ) {
    for (const batch of await broker.read('t', p0, offset(next), 3_000)) {
      values.push(...valuesOf(batch))
      next = lastOffset(batch) + 1
    }
  }
  return values
}
function spoil(world: World, name: string, at: number, count: number): void {
  const file = world.fs.open(`/data/settled/${name}`, 'write')
  file.write(new Uint8Array(count).fill(0xee), at)
  file.close()
}

test('damage is found within a pass, named with its offsets, and repaired by a word; the rest stays', async () => {
  const simulation = simulate({ seed: 'scrub' })
  const end = await simulation.run(async (world) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1 })
    for (let i = 0; i < 60; i++) await broker.append('t', p0, batchOf([`${i} ${'x'.repeat(400)}`]))
    await world.clock.sleep(15_000)
    assert.deepEqual([broker.stats().scrub.passes, broker.stats().scrub.damaged, broker.trouble()], [1, [], null])
    const names = world.fs.list('/data/settled').filter((name) => name.endsWith('.settled'))
    assert.ok(names.length > 2)
    spoil(world, names[1]!, 3_000, 600)
    await world.clock.sleep(61_000)
    const { scrub } = broker.stats()
    assert.equal(scrub.passes, 2)
    assert.equal(scrub.damaged.length, 1)
    const [found] = scrub.damaged
    assert.ok(found!.path.endsWith(names[1]!) && found!.to > found!.from, JSON.stringify(found))
    assert.match(broker.trouble()?.message ?? '', /damaged: offsets \d+ to \d+ of t-0.*millrace restore/)
    assert.equal(broker.isPaused(), false)
    await assert.rejects(broker.read('t', p0, offset(found!.from), 100), refused('CORRUPT_MESSAGE'))
    await broker.append('t', p0, batchOf(['writes go on']))
    await broker.close()

    const inspected = await inspectDataDirectory(world, '/data')
    assert.deepEqual(inspected.settledLoss, [{ topic: 't', partition: 0, from: found!.from, to: found!.to }])
    assert.ok(inspected.damage !== null)
    const looked = await repairDataDirectory(world, '/data', { acceptLoss: false })
    assert.deepEqual(looked.lostOffsets, [{ topic: 't', partition: 0, from: found!.from, to: found!.to }])
    const done = await repairDataDirectory(world, '/data', { acceptLoss: true })
    assert.equal(done.repaired, true)
    assert.deepEqual(world.fs.list(done.quarantine!), [names[1]])
    const again = await openBroker(world, settings)
    assert.equal(again.trouble(), null)
    const values = await valuesFrom(again, 0)
    const lost = found!.to - found!.from
    assert.equal(values.length, 61 - lost)
    await again.append('t', p0, batchOf(['and on']))
    await world.clock.sleep(80_000)
    assert.deepEqual([again.stats().scrub.damaged, again.trouble()], [[], null])
    await again.close()
    assert.equal((await repairDataDirectory(world, '/data', { acceptLoss: true })).isWhole, true)
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})

test('a settled file that is not there is named, and after a repair its offsets are stepped over', async () => {
  const simulation = simulate({ seed: 'missing file' })
  const end = await simulation.run(async (world) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1 })
    for (let i = 0; i < 60; i++) await broker.append('t', p0, batchOf([`${i} ${'x'.repeat(400)}`]))
    await world.clock.sleep(3_000)
    await broker.close()
    const names = world.fs.list('/data/settled').filter((name) => name.endsWith('.settled'))
    world.fs.unlink(`/data/settled/${names[1]}`)
    const inspected = await inspectDataDirectory(world, '/data')
    assert.match(inspected.damage?.message ?? '', /settled files are missing/)
    const { lostOffsets } = await repairDataDirectory(world, '/data', { acceptLoss: true })
    assert.equal(lostOffsets.length, 1)
    const again = await openBroker(world, settings)
    assert.equal(again.trouble(), null)
    const { from, to } = lostOffsets[0]!
    assert.equal((await valuesFrom(again, 0)).length, 60 - (to - from))
    await again.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})

test('it reads no more than it may in a second', async () => {
  const simulation = simulate({ seed: 'slow scrub' })
  const end = await simulation.run(async (world) => {
    const broker = await openBroker(world, {
      ...settings,
      scrub: { firstAfterMs: 0, everyMs: 1e9, bytesPerSecondMax: 400_000 },
    })
    await broker.createTopic({ name: 't', partitions: 1, configs: { 'segment.bytes': '10000000' } })
    for (let i = 0; i < 10; i++) await broker.append('t', p0, batchOf(['x'.repeat(100_000)]))
    await broker.close()
    const slow = { firstAfterMs: 1_000, everyMs: 1e9, bytesPerSecondMax: 400_000 }
    const retention = { ...settings.retention, fileBytesMax: 10_000_000 }
    const again = await openBroker(world, { ...settings, retention, scrub: slow })
    await world.clock.sleep(2_000)
    const { bytesRead, passes } = again.stats().scrub
    assert.ok(
      bytesRead > 50_000 && bytesRead < 800_000 && passes === 0,
      `${bytesRead} bytes in a second, ${passes} passes`,
    )
    await again.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})
