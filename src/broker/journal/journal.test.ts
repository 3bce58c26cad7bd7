// The journal in use: group commit and the order of its syncs, segments, full and failing disks, readers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { entryKind } from './entry.ts'
import { copyOf, entry, folder, open, put, readAll, testDisk } from './journal.suite.ts'
import { JournalError } from './journal-error.ts'
import type { NewEntry } from './new-entry.ts'
import { arenaBytes } from './segment.ts'

const code = (expected: string) => (error: unknown) => error instanceof JournalError && error.code === expected

test('a first append makes file, header, folder and entry durable, in this order, before it is durable', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  await put(journal, entry(20))
  assert.deepEqual(disk.trace, [
    'create 1.journal',
    'write 1.journal 0+96',
    'sync 1.journal',
    'syncFolder journal',
    'write 1.journal 96+100',
    'sync 1.journal',
  ])
  disk.trace.length = 0
  await put(journal, entry(30))
  assert.deepEqual(disk.trace, ['write 1.journal 196+110', 'sync 1.journal'])
  await journal.close()
})

test('appends that arrive during a sync join the next one, in one write', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  await put(journal, entry(1))
  disk.trace.length = 0
  const held = disk.holdSyncs()
  const first = journal.appendGroup([entry(10)])
  await disk.world.clock.sleep(5)
  const later = [1, 2, 3].map((seed) => journal.appendGroup([entry(10, seed)]))
  assert.deepEqual(disk.trace, ['write 1.journal 177+90', 'sync 1.journal'])
  assert.equal(journal.durableLsn, 1, 'nothing is durable before its sync')
  held.release()
  await journal.durable(first.lastLsn)
  assert.equal(journal.durableLsn, 2)
  await journal.durable(later[2]!.lastLsn)
  assert.deepEqual(disk.trace.slice(2), ['write 1.journal 267+270', 'sync 1.journal'])
  await journal.close()
})

test('the disk has the next groups before anyone is told of those before', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  await put(journal, entry(1))
  disk.trace.length = 0
  const tell = (what: string) => ({ durable: () => disk.trace.push(`told ${what}`), undone: assert.fail })
  const held = disk.holdSyncs()
  journal.appendGroup([entry(10)], tell('first'))
  await disk.world.clock.sleep(5)
  journal.appendGroup([entry(10)], tell('second'))
  held.release()
  await journal.durable(journal.lastLsn)
  assert.deepEqual(disk.trace, [
    'write 1.journal 177+90',
    'sync 1.journal',
    'write 1.journal 267+90',
    'sync 1.journal',
    'told first',
    'told second',
  ])
  await journal.close()
})

test('what is durable is told before later groups are taken back', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  await put(journal, entry(1))
  const told: string[] = []
  const tell = (what: string) => ({
    durable: () => told.push(`${what} durable at ${journal.durableLsn}`),
    undone: () => told.push(`${what} undone`),
  })
  const held = disk.holdSyncs()
  journal.appendGroup([entry(10)], tell('first'))
  await disk.world.clock.sleep(5)
  for (const what of ['second', 'third']) journal.appendGroup([entry(10)], tell(what))
  disk.failNext('write', 'ENOSPC')
  const taken = assert.rejects(journal.durable(journal.lastLsn), code('FULL'))
  held.release()
  await taken
  assert.deepEqual(told, ['first durable at 2', 'third undone', 'second undone'])
  await journal.close()
})

test('what readers were given stays as it is while memory is used again', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { cacheBytes: 2 * arenaBytes })
  const random = randomStream('kept by readers')
  const kept: { readonly bytes: Uint8Array; readonly expected: Uint8Array }[] = []
  for (let i = 0; i < 300; i++) {
    const fresh = entry(random.below(120_000), i)
    const place = journal.appendGroup([fresh])
    await journal.durable(place.lastLsn)
    if (random.below(9) > 0) continue
    const payloadBytes = fresh.payload.length
    const bytes = journal.read({
      kind: fresh.kind,
      segment: place.segment,
      position: place.positions[0]!,
      payloadBytes,
    })
    kept.push({ bytes, expected: fresh.payload })
  }
  assert.ok(
    kept.some(({ bytes }) => bytes.buffer.byteLength === arenaBytes),
    'some lie in memory of the journal',
  )
  assert.ok(journal.stats().cacheBytes <= 4 * arenaBytes)
  for (const { bytes, expected } of kept) assert.ok(Buffer.from(expected).equals(bytes))
  await journal.close()
})

test('outcomes are told in order, before the promises go on', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  const told: string[] = []
  const waits = [1, 2, 3].map((i) => {
    const place = journal.appendGroup([entry(5)], { durable: () => told.push(`outcome ${i}`), undone: assert.fail })
    return journal.durable(place.lastLsn).then(() => told.push(`promise ${i}`))
  })
  await Promise.all(waits)
  assert.deepEqual(told, ['outcome 1', 'outcome 2', 'outcome 3', 'promise 1', 'promise 2', 'promise 3'])
  await journal.close()
})

test('a write takes whole groups up to its limit, and a larger one alone', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { flushBytesMax: 1000 })
  await put(journal, entry(1))
  disk.trace.length = 0
  for (const size of [400, 400, 400, 3000, 100]) journal.appendGroup([entry(size)])
  await journal.durable(journal.lastLsn)
  assert.deepEqual(
    disk.trace.filter((line) => line.startsWith('write')).map((line) => Number(line.split('+')[1])),
    [960, 480, 3080, 180],
  )
  await journal.close()
})

test('whatever the sizes, readers and the next start give back the same bytes', async () => {
  const random = randomStream('sizes')
  const sizes = [0, 1, 65_424, 65_423, 65_425, 65_344, 64, 131_008, 200_000, arenaBytes, 3 * arenaBytes + 17, 70_000]
  for (let i = 0; i < 300; i++) sizes.push(random.below(i % 10 === 0 ? 150_000 : 900))
  const disk = testDisk()
  // A cache of two arenas: most of it is read from the file.
  const { journal } = await open(disk, { cacheBytes: 2 * arenaBytes, segmentBytes: 3 * arenaBytes, openFilesMax: 1 })
  const places: { entry: NewEntry; segment: number; position: number }[] = []
  for (const [i, size] of sizes.entries()) {
    const fresh = entry(size, i, 1 + (i % 3), i % 2)
    const place = journal.appendGroup([fresh])
    places.push({ entry: fresh, segment: place.segment, position: place.positions[0]! })
    if (i % 7 === 0) await journal.durable(place.lastLsn)
  }
  await journal.durable(journal.lastLsn)
  assert.ok(journal.stats().segments > 2)
  assert.ok(journal.stats().cacheBytes <= 4 * arenaBytes)
  for (const { entry: expected, segment, position } of places) {
    const payloadBytes = expected.payload.length
    const bytes = journal.read({ kind: expected.kind, segment, position, payloadBytes })
    assert.deepEqual(bytes, expected.payload)
  }
  const check = (seen: readonly { readonly payload: Uint8Array; readonly lsn: number }[]): void => {
    assert.equal(seen.length, sizes.length)
    for (const [i, found] of seen.entries()) {
      assert.equal(found.lsn, i + 1)
      assert.ok(Buffer.from(found.payload).equals(places[i]!.entry.payload), `entry ${i} of ${sizes[i]} bytes`)
    }
  }
  check(readAll(journal))
  for (const after of [1, 5, 17, 150, sizes.length - 1]) {
    assert.equal(readAll(journal, after)[0]!.lsn, after + 1)
  }
  await journal.close()
  const again = await open(disk, { cacheBytes: 2 * arenaBytes })
  check(again.seen)
  check(readAll(again.journal))
  assert.deepEqual(
    again.seen.map(({ sequence }) => sequence),
    sequencesOf(again.seen),
    'each stream counts its own entries',
  )
  await put(again.journal, entry(9, 9, 1, 0))
  assert.equal(readAll(again.journal, sizes.length).at(-1)!.sequence, again.seen.filter(isStream(1, 0)).length + 1)
  await again.journal.close()
})
const isStream = (topicKey: number, partition: number) => (seen: { topicKey: number; partition: number }) =>
  seen.topicKey === topicKey && seen.partition === partition
function sequencesOf(seen: readonly { topicKey: number; partition: number }[]): number[] {
  const counts = new Map<string, number>()
  return seen.map(({ topicKey, partition }) => {
    const key = `${topicKey}/${partition}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return counts.get(key)!
  })
}

test('a new segment is made after the old one is synced; nothing goes into it before its folder is synced', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { segmentBytes: 1000 })
  await put(journal, entry(600))
  disk.trace.length = 0
  await put(journal, entry(600))
  assert.deepEqual(disk.trace, [
    'create 2.journal',
    'write 2.journal 0+96',
    'sync 2.journal',
    'syncFolder journal',
    'write 2.journal 96+680',
    'sync 2.journal',
  ])
  await journal.close()
})

test('with durability process: durable after the write, the old segment is synced before a new one', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { durability: 'process', segmentBytes: 1000, backgroundSyncMs: 20 })
  await put(journal, entry(500))
  disk.trace.length = 0
  const held = disk.holdSyncs()
  await put(journal, entry(100))
  assert.equal(journal.durableLsn, 2, 'did not wait for the sync')
  assert.equal(journal.stats().syncedLsn, 0, 'and knows that it is not synced')
  held.release()
  await put(journal, entry(600))
  assert.deepEqual(disk.trace.slice(0, 4), [
    'write 1.journal 676+180',
    'sync 1.journal',
    'create 3.journal',
    'write 3.journal 0+96',
  ])
  await disk.world.clock.sleep(60)
  assert.equal(journal.stats().syncedLsn, 3, 'synced in the background')
  await journal.close()
})

test('partial writes are looped', async () => {
  const disk = testDisk()
  disk.writeBytesMax = 37
  const { journal } = await open(disk)
  await put(journal, entry(500, 3))
  await journal.close()
  disk.writeBytesMax = Number.POSITIVE_INFINITY
  assert.deepEqual((await open(disk)).seen[0]!.payload, entry(500, 3).payload)
})

test('a full disk refuses, takes back newest first, keeps reading, and takes appends again later', async () => {
  const disk = testDisk()
  const { journal, failures } = await open(disk)
  await put(journal, entry(10, 1))
  const undone: number[] = []
  disk.writeBytesMax = 50
  disk.failNext('write', 'ENOSPC')
  disk.trace.length = 0
  const refused = [1, 2, 3].map((i) => {
    const place = journal.appendGroup([entry(100, i)], { durable: assert.fail, undone: () => undone.push(i) })
    return assert.rejects(journal.durable(place.lastLsn), code('FULL'))
  })
  await Promise.all(refused)
  assert.deepEqual(undone, [3, 2, 1])
  assert.equal(journal.lastLsn, 1)
  assert.ok(disk.trace.includes('truncate 1.journal 186'), 'back to the last valid length')
  assert.equal(journal.stats().pendingBytes, 0)
  assert.equal(readAll(journal).length, 1)
  disk.writeBytesMax = Number.POSITIVE_INFINITY
  await put(journal, entry(70, 5))
  assert.deepEqual(readAll(journal)[1]!.payload, entry(70, 5).payload)
  await journal.close()
  assert.deepEqual(failures, [])
  const { seen } = await open(disk)
  assert.deepEqual(
    seen.map(({ lsn, sequence, payload }) => [lsn, sequence, payload.length]),
    [
      [1, 1, 10],
      [2, 2, 70],
    ],
  )
})

test('a disk that fills up while a segment is made: refused, then made', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { segmentBytes: 500 })
  await put(journal, entry(300))
  disk.failNext('write', 'ENOSPC')
  await assert.rejects(put(journal, entry(300)), code('FULL'))
  assert.deepEqual(disk.files().length, 1, 'the file that was begun is removed')
  await put(journal, entry(310))
  await put(journal, entry(20))
  await journal.close()
  assert.deepEqual(
    (await open(disk)).seen.map(({ payload }) => payload.length),
    [300, 310, 20],
  )
})

test('a file that may not grow (EFBIG) is as full as a disk; what comes next goes to a new file', async () => {
  const disk = testDisk()
  const { journal, failures } = await open(disk)
  await put(journal, entry(10, 1))
  disk.failNext('write', 'EFBIG')
  await assert.rejects(put(journal, entry(20, 2)), code('FULL'))
  assert.match(journal.pause()?.message ?? '', /EFBIG/)
  await put(journal, entry(30, 3))
  assert.equal(journal.pause(), null)
  await journal.close()
  assert.deepEqual(failures, [])
  const { seen } = await open(disk)
  assert.deepEqual(
    seen.map(({ lsn, payload }) => [lsn, payload.length]),
    [
      [1, 10],
      [2, 30],
    ],
  )
  assert.equal(disk.files().length, 2)
})

test('a failed sync: no ack, no second sync, all that waits is refused, the owner is told once', async () => {
  const disk = testDisk()
  const { journal, failures } = await open(disk)
  await put(journal, entry(1))
  disk.trace.length = 0
  disk.failNext('sync', 'EIO')
  const undone: number[] = []
  const outcome = (i: number) => ({ durable: assert.fail, undone: () => undone.push(i) })
  const first = journal.durable(journal.appendGroup([entry(10)], outcome(1)).lastLsn)
  const second = journal.durable(journal.appendGroup([entry(10)], outcome(2)).lastLsn)
  await assert.rejects(first, code('FAILED'))
  await assert.rejects(second, code('FAILED'))
  assert.deepEqual(undone, [2, 1])
  assert.throws(() => journal.appendGroup([entry(1)]), code('FAILED'))
  await assert.rejects(journal.close(), code('FAILED'))
  assert.equal(disk.trace.filter((line) => line.startsWith('sync')).length, 1)
  assert.equal(failures.length, 1)
  assert.equal(journal.durableLsn, 1)
})

test('limits: what waits for the disk, what is in one group', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { pendingBytesMax: 1000, groupBytesMax: 600 })
  assert.throws(() => journal.appendGroup([entry(300), entry(301)]), code('TOO_LARGE'))
  const place = journal.appendGroup([entry(300), entry(300)])
  assert.throws(() => journal.appendGroup([entry(241)]), code('SLOW'))
  await journal.durable(place.lastLsn)
  await put(journal, entry(600))
  await journal.close()
  assert.throws(() => journal.appendGroup([entry(1)]), code('CLOSED'))
})

test('after a while without appends, and at the close, a witness says that the last entry was durable', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { witnessAfterMs: 10 })
  await put(journal, entry(10))
  await disk.world.clock.sleep(80)
  assert.equal(journal.lastLsn, 2, 'one witness, and no second one')
  // With the witness there, the loss of the entry is damage and not a torn tail.
  const idle = copyOf(disk)
  await journal.close()
  const path = `${folder}/${disk.files()[0]}`
  const bytes = idle.readFile(path)
  bytes[96 + 80 + 3]! ^= 1
  idle.writeFile(path, bytes)
  const damaged = await open(idle)
  assert.deepEqual(
    damaged.journal.damage.ranges.map(({ firstLsn, lastLsn }) => [firstLsn, lastLsn]),
    [[1, 1]],
  )
  await damaged.journal.close()
  const other = testDisk()
  const second = await open(other)
  await put(second.journal, entry(10))
  await second.journal.close()
  const third = await open(other)
  assert.equal(third.journal.lastLsn, 2)
  assert.equal(third.journal.stats().copiedEntries, 2)
  await third.journal.close()
  const fourth = await open(other)
  assert.equal(fourth.journal.stats().copiedEntries, 0, 'a clean journal is opened in place')
  assert.equal(other.files().length, 1)
  await put(fourth.journal, entry(11))
  await fourth.journal.close()
  assert.equal((await open(other)).seen.length, 2)
})

test('a damaged payload is never handed out: it was good at the start, and rotted since', async () => {
  const disk = testDisk()
  const { journal } = await open(disk)
  await put(journal, entry(1000, 1))
  await journal.close()
  // Reopened twice: nothing of it is in memory but the last arena, so make the segment longer than that.
  const filler = await open(disk, { segmentBytes: 64 * arenaBytes })
  for (let i = 0; i < 4; i++) await put(filler.journal, entry(arenaBytes, i))
  await filler.journal.close()
  const { journal: last } = await open(disk, { recopyBytesMax: 0 })
  const path = `${folder}/${disk.files()[0]}`
  const bytes = disk.readFile(path)
  bytes[96 + 80 + 500]! ^= 4
  disk.writeFile(path, bytes)
  assert.throws(() => readAll(last), code('DAMAGED'))
  assert.throws(
    () => last.read({ kind: entryKind.tick, segment: 0, position: 64, payloadBytes: 1000 }),
    code('DAMAGED'),
  )
  await last.close()
})
