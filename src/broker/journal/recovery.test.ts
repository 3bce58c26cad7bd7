// What a start makes of a damaged folder: torn tails are cut, unwitnessed tails copied, damage is named and left alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { copyOf, entry, folder, journalId, open, put, readAll, type TestDisk, testDisk } from './journal.suite.ts'
import { JournalError } from './journal-error.ts'
import { blockBytes } from './layout.ts'

const only = (disk: TestDisk): string => {
  const files = disk.files()
  assert.equal(files.length, 1)
  return `${folder}/${files[0]}`
}
/** The lengths of the entries a start finds. */
async function lengths(disk: TestDisk): Promise<number[]> {
  const { journal, seen } = await open(disk)
  assert.deepEqual(
    readAll(journal).map((found) => found.payload),
    seen.map((found) => found.payload),
    'a reader gives what the replay gave',
  )
  for (const found of seen) assert.deepEqual(found.payload, entry(found.payload.length).payload)
  // It can be written to, and the next start finds all of it.
  await put(journal, entry(7))
  await journal.close()
  const again = await open(disk)
  assert.deepEqual(
    again.seen.map(({ payload }) => payload.length),
    [...seen.map(({ payload }) => payload.length), 7],
  )
  assert.deepEqual(again.journal.damage.ranges, [])
  await again.journal.close()
  return seen.map(({ payload }) => payload.length)
}

/** A journal as a crash leaves it: each entry synced, no witness for the last one. */
async function crashed(sizes: readonly number[]): Promise<TestDisk> {
  const disk = testDisk()
  const { journal } = await open(disk)
  for (const size of sizes) await put(journal, entry(size))
  return disk
}
/** The same, with all of them in one write: none of them witnessed. */
async function crashedInOneWrite(groups: readonly (readonly number[])[]): Promise<TestDisk> {
  const disk = testDisk()
  const { journal } = await open(disk)
  for (const sizes of groups) journal.appendGroup(sizes.map((size) => entry(size)))
  await journal.durable(journal.lastLsn)
  return disk
}

test('a torn tail, cut at every byte of the last 3 entries of one write: the longest valid prefix', async () => {
  const disk = await crashedInOneWrite([[40], [60], [25], [33]])
  const path = only(disk)
  const whole = disk.readFile(path)
  const ends = [96 + 120, 96 + 120 + 140, 96 + 120 + 140 + 105, whole.length]
  for (let cut = ends[0]!; cut <= whole.length; cut++) {
    for (const fill of ['nothing', 'zeros', 'garbage'] as const) {
      if (fill !== 'nothing' && cut % 7 !== 0) continue
      const torn = testDisk()
      const random = randomStream(cut)
      const rest = new Uint8Array(fill === 'nothing' ? 0 : whole.length - cut)
      if (fill === 'garbage') random.fill(rest)
      const bytes = new Uint8Array(cut + rest.length)
      bytes.set(whole.subarray(0, cut))
      bytes.set(rest, cut)
      torn.writeFile(path, bytes)
      const expected = [40, 60, 25, 33].slice(0, ends.filter((end) => end <= cut).length)
      assert.deepEqual(await lengths(torn), expected, `cut at ${cut}, then ${fill}`)
    }
  }
})

test('an incomplete group is cut whole', async () => {
  const disk = await crashedInOneWrite([[40], [60, 25, 33]])
  const path = only(disk)
  const whole = disk.readFile(path)
  for (let cut = 216; cut < whole.length; cut += 11) {
    const torn = testDisk()
    torn.writeFile(path, whole.subarray(0, cut))
    assert.deepEqual(await lengths(torn), [40], `cut at ${cut}`)
  }
  const broken = copyOf(disk)
  const bytes = whole.slice()
  bytes[216 + 80 + 5]! ^= 1
  broken.writeFile(path, bytes)
  assert.deepEqual(await lengths(broken), [40], 'the first of the group broken, the others whole')
})

test('sectors of the last write that are missing in the middle: cut at the first of them', async () => {
  const disk = await crashedInOneWrite([[3000], [3000], [3000], [3000]])
  const path = only(disk)
  const whole = disk.readFile(path)
  for (let sector = 1; sector * 512 < whole.length; sector++) {
    const torn = testDisk()
    const bytes = whole.slice()
    bytes.fill(0, sector * 512, sector * 512 + 512)
    torn.writeFile(path, bytes)
    const intact = Math.floor((sector * 512 - 96) / 3080)
    assert.equal((await lengths(torn)).length, intact, `sector ${sector}`)
  }
})

test('the unwitnessed tail is copied: temporary file, sync, rename, folder sync, and only then appended to', async () => {
  const disk = await crashed([10, 20, 30])
  disk.trace.length = 0
  const { journal } = await open(disk)
  await put(journal, entry(1))
  assert.deepEqual(disk.trace, [
    'create 1.journal.tmp',
    'write 1.journal.tmp 0+396',
    'sync 1.journal.tmp',
    'rename 1.journal.tmp 1.journal',
    'syncFolder journal',
    'write 1.journal 396+81',
    'sync 1.journal',
  ])
  assert.equal(journal.stats().copiedEntries, 3)
  await journal.close()
})

test('of a large last segment only the tail is copied, into a segment that makes the old one void from there', async () => {
  const disk = await crashed([100, 100, 100, 100])
  const { journal, seen } = await open(disk, { recopyBytesMax: 200 })
  assert.deepEqual(disk.files(), ['00000000000000000001.journal', '00000000000000000004.journal'])
  assert.equal(journal.stats().copiedEntries, 1)
  assert.equal(seen.length, 4)
  await put(journal, entry(50))
  assert.equal(readAll(journal).length, 5)
  await journal.close()
  const again = await open(disk, { recopyBytesMax: 200 })
  assert.deepEqual(
    again.seen.map(({ payload }) => payload.length),
    [100, 100, 100, 100, 50],
  )
})

test('what is left of a recovery or of a new segment that did not finish is in nobody’s way', async () => {
  for (const rest of [new Uint8Array(0), new Uint8Array(50).fill(9), new Uint8Array(70_000)]) {
    const disk = await crashed([10, 20])
    disk.writeFile(`${folder}/00000000000000000003.journal`, rest)
    disk.writeFile(`${folder}/00000000000000000002.journal.tmp`, rest)
    assert.deepEqual(await lengths(disk), [10, 20])
    only(disk)
  }
})

test('a journal that grew through many crashes keeps everything in few files', async () => {
  const disk = testDisk()
  for (let life = 1; life <= 30; life++) {
    const { journal, seen } = await open(disk, { recopyBytesMax: 4000 })
    assert.equal(seen.length, (life - 1) * 2)
    await put(journal, entry(100))
    await put(journal, entry(100))
  }
  assert.ok(disk.files().length <= 4, `${disk.files().length} files`)
})

test('every single bit flip below the witness is found, named, and changes nothing on disk', async () => {
  const disk = await crashed([30, 40, 50])
  const { journal } = await open(disk)
  await put(journal, entry(5, 1, 2, 0))
  await journal.close()
  const path = only(disk)
  const whole = disk.readFile(path)
  const firstThree = 96 + 110 + 120 + 130
  for (let at = 0; at < firstThree; at++) {
    const bad = copyOf(disk)
    const bytes = whole.slice()
    bytes[at]! ^= 1 << (at % 8)
    bad.writeFile(path, bytes)
    const { journal: damaged, seen } = await open(bad)
    const { ranges, lost, unknownEntries } = damaged.damage
    if (at < 96) {
      assert.equal(seen.length, 4, `the entries are whole though byte ${at} of the header is not`)
      assert.deepEqual(ranges, [])
    } else {
      const hit = at < 96 + 110 ? 1 : at < 96 + 230 ? 2 : 3
      assert.deepEqual([ranges[0]!.firstLsn, ranges[0]!.lastLsn], [hit, hit], `byte ${at}`)
      // Whose it was is told by its header, or by the sequence of a later entry; of a stream's last one nobody knows.
      const headerLost = at < [0, 96, 206, 326][hit]! + 80
      if (headerLost && hit === 3) assert.equal(unknownEntries, 1)
      else assert.deepEqual([lost, unknownEntries], [[{ topicKey: 1, partition: 0, entries: 1 }], 0])
      for (const found of seen) {
        const expected = entry(found.payload.length, 1).payload
        assert.deepEqual(found.payload, expected, 'no wrong byte is told of')
      }
      assert.deepEqual(bad.readFile(path), bytes, 'the damaged file is as it was')
    }
    // What is read and written afterwards goes round the damage, and so does the next start.
    const before = seen.length
    await put(damaged, entry(99, 1, 3, 3))
    assert.equal(readAll(damaged).length, before + 1)
    await damaged.close()
    const again = await open(bad)
    assert.equal(again.seen.length, before + 1)
    assert.deepEqual(
      again.journal.damage.ranges.map(({ firstLsn, lastLsn }) => [firstLsn, lastLsn]),
      ranges.map(({ firstLsn, lastLsn }) => [firstLsn, lastLsn]),
    )
    assert.equal(readAll(again.journal).length, before + 1)
    await again.journal.close()
  }
})

test('one flipped length does not hide the rest', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { recopyBytesMax: 0 })
  for (let i = 0; i < 40; i++) await put(journal, entry(10_000, 1, 1 + (i % 2), 0))
  await journal.close()
  const path = only(disk)
  const bytes = disk.readFile(path)
  // The header of the second entry: from byte 96 + 10,080.
  bytes[96 + 10_080 + 12]! ^= 0x80
  disk.writeFile(path, bytes)
  const { journal: damaged, seen } = await open(disk)
  assert.equal(seen.length, 39)
  assert.deepEqual(damaged.damage.lost, [{ topicKey: 2, partition: 0, entries: 1 }], 'a later sequence tells whose')
  assert.equal(damaged.damage.unknownEntries, 0)
  assert.equal(readAll(damaged).length, 39)
  for (const after of [0, 1, 2, 5, 7, 8, 20, 39]) {
    const found = readAll(damaged, after)
    assert.deepEqual(
      found.map(({ lsn }) => lsn),
      seen.map(({ lsn }) => lsn).filter((lsn) => lsn > after),
    )
  }
  await damaged.close()
})

test('a lost block does not hide the rest: entries are found again where the next block says', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { recopyBytesMax: 0 })
  for (let i = 0; i < 60; i++) await put(journal, entry(5000))
  await journal.close()
  const path = only(disk)
  const whole = disk.readFile(path)
  for (const block of [0, 1, 2, 3]) {
    const bytes = whole.slice()
    bytes.fill(0, block * blockBytes, (block + 1) * blockBytes)
    disk.writeFile(path, bytes)
    const { journal: damaged, seen } = await open(disk)
    assert.ok(seen.length >= 60 - 14 && seen.length <= 60 - 13, `${seen.length} left without block ${block}`)
    assert.equal(damaged.damage.ranges.length, 1)
    assert.equal(readAll(damaged).length, seen.length)
    await damaged.close()
    for (const name of disk.files()) disk.world.fs.unlink(`${folder}/${name}`)
  }
})

test('a lost segment in the middle, and a lost one at the begin, are damage', async () => {
  for (const [lostFile, from, to] of [
    [1, 2, 2],
    [0, 1, 1],
  ] as const) {
    const disk = testDisk()
    const { journal } = await open(disk, { segmentBytes: 500 })
    for (let i = 0; i < 4; i++) await put(journal, entry(400))
    await journal.close()
    disk.world.fs.unlink(`${folder}/${disk.files()[lostFile]}`)
    const { journal: damaged, seen } = await open(disk)
    assert.deepEqual(
      damaged.damage.ranges.map(({ firstLsn, lastLsn }) => [firstLsn, lastLsn]),
      [[from, to]],
    )
    assert.equal(seen.length, 3)
    assert.equal(readAll(damaged).length, 3)
    await damaged.close()
  }
})

test('a segment cut short below the witness is damage, not a torn tail: nothing acknowledged disappears unnamed', async () => {
  const disk = testDisk()
  const { journal } = await open(disk, { segmentBytes: 1100 })
  for (let i = 0; i < 4; i++) await put(journal, entry(400))
  const path = `${folder}/${disk.files()[0]}`
  disk.writeFile(path, disk.readFile(path).subarray(0, 700))
  const { journal: damaged, seen } = await open(disk)
  assert.equal(damaged.stats().lostEntries, 1)
  assert.deepEqual(damaged.damage.lost, [{ topicKey: 1, partition: 0, entries: 1 }])
  assert.deepEqual(
    seen.map(({ lsn }) => lsn),
    [1, 3, 4],
  )
  await damaged.close()
})

test('refused, and nothing changed: a file that is not ours, another journal, a newer format', async () => {
  const cases: [string, (disk: TestDisk) => void, string][] = [
    ['a foreign file', (disk) => disk.writeFile(`${folder}/notes.txt`, new Uint8Array(3)), 'UNKNOWN_FILE'],
    [
      'a renamed segment',
      (disk) => disk.world.fs.rename(only(disk), `${folder}/00000000000000000009.journal`),
      'UNKNOWN_FILE',
    ],
  ]
  for (const [name, change, code] of cases) {
    const disk = await crashed([10])
    change(disk)
    disk.trace.length = 0
    await assert.rejects(open(disk), (error) => error instanceof JournalError && error.code === code, name)
    assert.deepEqual(disk.trace, [])
  }
  const disk = await crashed([10])
  const other = new Uint8Array(16).fill(8)
  await assert.rejects(open(disk, { journalId: other }), (e) => e instanceof JournalError && e.code === 'UNKNOWN_FILE')
  assert.equal((await open(disk, { journalId })).seen.length, 1)
})

test('the recovery fails loudly when its copy cannot be made durable, and the next start finds everything', async () => {
  for (const [operation, code, expected] of [
    ['sync', 'EIO', 'FAILED'],
    ['syncFolder', 'EIO', 'FAILED'],
    ['write', 'ENOSPC', 'FULL'],
  ] as const) {
    const disk = await crashed([10, 20])
    disk.failNext(operation, code)
    await assert.rejects(open(disk), (error) => error instanceof JournalError && error.code === expected)
    assert.equal((await open(disk)).seen.length, 2)
  }
})

test('an empty folder, and an empty journal', async () => {
  const disk = testDisk()
  const { journal, seen } = await open(disk)
  assert.equal(seen.length, 0)
  await journal.close()
  assert.deepEqual(disk.files(), [])
  assert.equal((await open(disk)).journal.lastLsn, 0)
})
