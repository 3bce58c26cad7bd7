// Backups of stopped and of busy logs, on the same disk and on another; restored they are the log at one moment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { offset, partitionId } from '../../std/units.ts'
import { lastOffset } from '../../wire/record-batch.ts'
import { FsError, type World } from '../../world/world.ts'
import { batchOf, machine, valuesOf } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import { BackupError, backupStopped, restoreBackup } from './backup.ts'

const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0, segmentBytes: 6000, cacheBytes: 0 } as const
const partitions = [0, 1, 2].map(partitionId)
const code = (expected: string) => (error: unknown) => error instanceof BackupError && error.code === expected

async function valuesIn(broker: Broker): Promise<string[][]> {
  const all: string[][] = []
  for (const partition of partitions) {
    const values: string[] = []
    const { start, end } = broker.offsets('t', partition)
    for (let next: number = start; next < end; ) {
      for (const batch of await broker.read('t', partition, offset(next), 3000)) {
        values.push(...valuesOf(batch))
        next = lastOffset(batch) + 1
      }
    }
    all.push(values)
  }
  return all
}

test('while writes go on: what was acknowledged before is in it, every partition up to one LSN, on either disk', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const told = `seed ${seed}`
    const simulation = simulate({ seed: `backup ${seed}` })
    const random = simulation.random
    const end = await simulation.run(async (real) => {
      const world: World = seed % 2 === 0 ? real : withoutLinks(real)
      const broker = await openBroker(world, settings)
      await broker.createTopic({ name: 't', partitions: 3 })
      const written: { lsn: number; partition: number; value: string }[] = []
      let stop = false
      const write = async (): Promise<void> => {
        for (let i = 0; !stop; i++) {
          const partition = partitions[random.below(3)]!
          const value = `${i} ${'x'.repeat(random.below(400))}`
          const { lsn } = await broker.append('t', partition, batchOf([value]))
          written.push({ lsn, partition, value })
        }
      }
      const writers = [write(), write(), write()]
      await world.clock.sleep(20 + random.below(100))
      const acknowledged = written.length
      const backup = await broker.backup('/backup')
      await world.clock.sleep(20)
      stop = true
      await Promise.all(writers)
      await broker.close()
      assert.ok(backup.lsn !== null && written.slice(0, acknowledged).every(({ lsn }) => lsn <= backup.lsn!), told)
      assert.ok(
        written.some(({ lsn }) => lsn > backup.lsn!),
        `${told}: writes went on`,
      )

      await restoreBackup(world, '/backup', '/again')
      const restored = await openBroker(world, { ...settings, dataDir: '/again' })
      assert.equal(restored.trouble(), null, told)
      assert.equal(restored.clusterId, broker.clusterId)
      const expected = partitions.map((partition) =>
        written
          .filter((each) => each.partition === partition && each.lsn <= backup.lsn!)
          .sort((a, b) => a.lsn - b.lsn)
          .map(({ value }) => value),
      )
      assert.deepEqual(await valuesIn(restored), expected, told)
      await restored.append('t', partitions[0]!, batchOf(['goes on']))
      await restored.close()
    })
    if (end.end === 'threw') throw new Error(told, { cause: end.error })
    assert.equal(end.end, 'returned', told)
  }
})
function withoutLinks(world: World): World {
  const link = (from: string, to: string): void => {
    if (!to.startsWith('/data/')) throw new FsError('EXDEV', 'link', `${from} to ${to}`)
    world.fs.link(from, to)
  }
  return { ...world, fs: { ...world.fs, link } }
}

test('of a stopped log; refused: a place that is not empty, a log that is held, a backup that has changed', async () => {
  const here = machine('backup')
  const open = () => here.open({ segmentBytes: 3000 })
  const broker = await open()
  await broker.createTopic({ name: 't', partitions: 3 })
  for (let i = 0; i < 40; i++) await broker.append('t', partitions[i % 3]!, batchOf([`${i}`.repeat(50)]))
  const values = await valuesIn(broker)
  await assert.rejects(backupStopped(here.life(), '/data/nothing', '/b'), code('NO_BACKUP'))
  const world = here.life()
  await assert.rejects(
    backupStopped({ ...world, host: { ...world.host, isAlive: () => true } }, '/data', '/b'),
    /in use/,
  )
  assert.equal(here.fs.stat('/b'), null)
  await broker.close()
  const backup = await backupStopped(here.life(), '/data', '/b')
  assert.equal(backup.lsn, null)
  assert.deepEqual(here.fs.list('/b'), ['backup.json', 'epoch', 'format', 'journal', 'settled'])
  await assert.rejects(backupStopped(here.life(), '/data', '/b'), code('NOT_EMPTY'))

  // The log goes on, in files of its own.
  const later = await open()
  await later.append('t', partitions[0]!, batchOf(['later']))
  await later.close()
  await assert.rejects(restoreBackup(here.life(), '/b', '/data'), code('NOT_EMPTY'))
  await assert.rejects(restoreBackup(here.life(), '/data', '/r'), code('NO_BACKUP'))
  await restoreBackup(here.life(), '/b', '/r')
  const restored = await here.open({ dataDir: '/r' })
  assert.deepEqual(await valuesIn(restored), values)
  await restored.close()

  const name = here.fs.list('/b/journal')[0]!
  const file = here.fs.open(`/b/journal/${name}`, 'write')
  file.write(new Uint8Array([1]), 500)
  file.close()
  await assert.rejects(restoreBackup(here.life(), '/b', '/r2'), code('DAMAGED'))
  assert.equal(here.fs.stat('/r2'), null)
})

test('on a disk that fills up, what was begun is removed', async () => {
  const simulation = simulate({ seed: 'backup on a full disk', capacityBytes: 400_000 })
  const end = await simulation.run(async (real) => {
    const world = withoutLinks(real)
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 3 })
    for (let i = 0; i < 25; i++) await broker.append('t', partitions[0]!, batchOf(['x'.repeat(10_000)]))
    await assert.rejects(broker.backup('/backup'), (error) => error instanceof FsError && error.code === 'ENOSPC')
    assert.equal(world.fs.stat('/backup'), null)
    assert.deepEqual(
      world.fs.list('/data').filter((name) => name.startsWith('backup')),
      [],
    )
    await broker.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})
