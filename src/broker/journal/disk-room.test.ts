// What is still taken when the disk is nearly full, and what the reserve is given up for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { DiskRoom, needOf } from './disk-room.ts'
import { entryKind } from './entry.ts'
import { entry, open, put, testDisk } from './journal.suite.ts'
import { JournalError } from './journal-error.ts'
import { giveUpReserve } from './reserve.ts'

const full = (error: unknown): boolean => error instanceof JournalError && error.code === 'FULL'
const reserve = { path: '/reserve', sizeBytes: 3_000_000 }

test('records are refused first, then progress; what makes room is always tried', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { freeBytesMin: 16_000 })
  const record = { ...entry(1), kind: entryKind.topic }
  const takes = (need: 'records' | 'progress' | 'cure', freeBytes: number): boolean => {
    disk.freeBytes = freeBytes
    const room = new DiskRoom(disk.world, '/journal', 16_000, null)
    return room.mayTake(need)
  }
  assert.deepEqual([takes('records', 16_000), takes('records', 15_999)], [true, false])
  assert.deepEqual([takes('progress', 1_000), takes('progress', 999)], [true, false])
  assert.deepEqual([takes('cure', 0)], [true])
  disk.freeBytes = 15_999
  await put(journal, entry(10))
  assert.throws(() => journal.appendGroup([record]), full)
  assert.match(journal.pause()?.message ?? '', /15999 bytes are free, records are taken while 16000 are/)
  const place = journal.appendGroup([record], undefined, 'cure')
  await journal.durable(place.lastLsn)
  await journal.close()
})

test('commits, offsets and decisions are progress; deletions and settings make room', () => {
  assert.equal(needOf(entryKind.batch), 'records')
  assert.equal(needOf(entryKind.jobCommit), 'progress')
  assert.equal(needOf(entryKind.transaction), 'progress')
  assert.equal(needOf(entryKind.logStart), 'cure')
})

test('the reserve is made while there is room, given up when there is none, and made again', async () => {
  const simulation = simulate({ seed: 'reserve', capacityBytes: 10_000_000 })
  const end = await simulation.run(async (world) => {
    const size = (path: string): number => world.fs.stat(path)?.sizeBytes ?? 0
    const take = (bytes: number): void => {
      const file = world.fs.open('/others', 'create')
      file.write(new Uint8Array(bytes), 0)
      file.close()
    }
    const room = new DiskRoom(world, '/', 1_000_000, reserve)
    await world.clock.sleep(20_000)
    assert.equal(size('/reserve'), reserve.sizeBytes)
    take(6_950_000)
    await world.clock.sleep(2_000)
    assert.equal(room.mayTake('records'), false)
    assert.equal(room.mayTake('progress'), true, 'the reserve was given up for it')
    assert.equal(size('/reserve'), 0)
    await world.clock.sleep(120_000)
    assert.equal(size('/reserve'), 0, 'there is no room to make it again')
    world.fs.unlink('/others')
    await world.clock.sleep(60_000)
    assert.equal(size('/reserve'), reserve.sizeBytes)
    assert.equal(room.mayTake('records'), true)
    room.close()
    assert.equal(giveUpReserve(world.fs, '/reserve'), true)
    assert.equal(giveUpReserve(world.fs, '/reserve'), false)
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})

test('a write that finds no room gives the reserve up and is done after all', async () => {
  const disk = testDisk()
  disk.writeFile('/reserve', new Uint8Array(10))
  const { journal, failures } = await open(disk, { reserve: { path: '/reserve', sizeBytes: 10 } })
  await put(journal, entry(10, 1))
  disk.failNext('write', 'ENOSPC')
  await put(journal, entry(20, 2), entry(30, 3))
  assert.equal(disk.world.fs.stat('/reserve'), null)
  disk.failNext('write', 'ENOSPC')
  await assert.rejects(put(journal, entry(40, 4)), full, 'there is nothing left to give up')
  await put(journal, entry(50, 5))
  await journal.close()
  assert.deepEqual(failures, [])
  assert.deepEqual(
    (await open(disk)).seen.map(({ payload }) => payload.length),
    [10, 20, 30, 50],
  )
})
