// The settled file and the manifest in bytes: written, gone on with, searched by offset, LSN and time, damaged, read again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { randomStream } from '../../std/random.ts'
import { nodeWorld } from '../../world/node.ts'
import type { FileSystem } from '../../world/world.ts'
import { batchOf } from '../broker.suite.ts'
import { batchPrefixBytes, entryKind } from '../journal/entry.ts'
import { JournalError } from '../journal/journal-error.ts'
import { memoryFileSystem } from '../journal/memory-files.ts'
import { type SettledEntry, type SettledFile, settledFileBytes, settledName } from './file-format.ts'
import { type BrokenStretch, checkFile, FileWalk } from './file-walk.ts'
import { SettledWriter } from './file-writer.ts'
import {
  decodeManifest,
  emptyManifest,
  encodeManifest,
  type Manifest,
  manifestReplacement,
  readManifest,
} from './manifest.ts'
import { byLsn, byOffset, byTime, seek } from './seek.ts'

const folder = '/settled'
const journalId = new Uint8Array(16).fill(7)

interface Put {
  readonly entry: SettledEntry
  readonly batch: Uint8Array
}
/** Batches of drawn sizes, timestamps that do not ascend, LSNs with gaps. */
function draw(seed: string, count: number): Put[] {
  const random = randomStream(seed)
  let nextOffset = 100
  let lsn = 10
  return Array.from({ length: count }, (_, i) => {
    const large = random.below(20) === 0
    const values = Array.from({ length: 1 + random.below(3) }, () => 'v'.repeat(random.below(large ? 60_000 : 800)))
    const batch = batchOf(values)
    lsn += 1 + random.below(5)
    const entry: SettledEntry = {
      kind: entryKind.batch,
      payloadBytes: batch.length,
      lsn,
      baseOffset: nextOffset,
      lastOffset: nextOffset + values.length - 1,
      appendedMs: 1000 + i,
      maxTimestampMs: random.below(10_000) - 5000,
      sequence: i + 1,
      payloadCrc: crc32c(batch, 0, batchPrefixBytes),
    }
    nextOffset += values.length
    return { entry, batch }
  })
}
function fileSystem(): FileSystem {
  const fs = memoryFileSystem(1 << 28, () => 0)
  fs.mkdir(folder)
  return fs
}
/** Written in several sittings, each of which leaves garbage behind its end. */
function write(fs: FileSystem, puts: readonly Put[], sittings: number): SettledFile {
  let state: SettledFile | null = null
  const random = randomStream('sittings')
  const world = { ...nodeWorld(), fs }
  for (let sitting = 0, done = 0; sitting < sittings; sitting++) {
    const count = sitting === sittings - 1 ? puts.length - done : Math.floor(puts.length / sittings)
    const fresh = { number: 3, salt: 99, topicKey: 5, partition: 2, compacted: false, start: 100 }
    const writer = new SettledWriter(world, folder, state ?? fresh, journalId)
    for (const { entry, batch } of puts.slice(done, done + count)) {
      writer.put(entry, batch)
      if (random.below(10) === 0) writer.writeOut()
    }
    writer.writeOut()
    writer.letGo()
    done += count
    state = writer.state()
    const file = fs.open(writer.path, 'write')
    file.write(random.fill(new Uint8Array(200_000)), settledFileBytes(state))
    file.close()
  }
  return state!
}
function walkOf(fs: FileSystem, file: SettledFile, windowBytes = 10_000): FileWalk {
  const handle = fs.open(`${folder}/${settledName(file)}`, 'read')
  return new FileWalk(() => handle, file, windowBytes)
}
function readAll(walk: FileWalk): { found: Put[]; broken: BrokenStretch[] } {
  const found: Put[] = []
  const broken: BrokenStretch[] = []
  const step = checkFile(
    walk,
    ({ entry }, payload) => found.push({ entry: { ...entry }, batch: payload.slice() }),
    (stretch) => broken.push(stretch),
  )
  while (step(1000)) {
    // A step at a time.
  }
  return { found, broken }
}

test('what is written in sittings, over garbage, is read back whole and in order', () => {
  for (const sittings of [1, 2, 7]) {
    const puts = draw(`put ${sittings}`, 300)
    const fs = fileSystem()
    const file = write(fs, puts, sittings)
    const { found, broken } = readAll(walkOf(fs, file))
    assert.deepEqual(broken, [])
    let largest = Number.NEGATIVE_INFINITY
    assert.deepEqual(
      found,
      puts.map(({ entry, batch }) => {
        largest = Math.max(largest, entry.maxTimestampMs)
        return { entry: { ...entry, maxTimestampMs: largest }, batch }
      }),
    )
    const last = puts.at(-1)!.entry
    assert.deepEqual(
      [file.start, file.end, file.firstLsn, file.lastLsn, file.entries, file.maxTimestampMs, file.lastAppendedMs],
      [100, last.lastOffset + 1, puts[0]!.entry.lsn, last.lsn, 300, largest, 1299],
    )
  }
})

test('payloads in memory that was used before are the same, and what is broken is stepped over the same', () => {
  const random = randomStream('rooms')
  const puts = draw('rooms', 300)
  const fs = fileSystem()
  const file = write(fs, puts, 2)
  const path = `${folder}/${settledName(file)}`
  const room = { take: (bytes: number) => new Uint8Array(bytes).fill(0xee) }
  for (let i = 0; i < 40; i++) {
    const handle = fs.open(path, 'read')
    const windowBytes = 1_000 + random.below(300_000)
    const found = readAll(new FileWalk(() => handle, file, windowBytes, room))
    assert.deepEqual(found, readAll(walkOf(fs, file, windowBytes)), `round ${i}`)
    handle.close()
    // One more byte is broken in each round.
    const at = random.below(settledFileBytes(file))
    const writing = fs.open(path, 'write')
    const byte = new Uint8Array(1)
    writing.read(byte, at)
    writing.write(
      byte.map((was) => was ^ 4),
      at,
    )
    writing.close()
  }
})

test('any offset, LSN and time is found by halving', () => {
  const puts = draw('seek', 400)
  const fs = fileSystem()
  const file = write(fs, puts, 3)
  const walk = walkOf(fs, file)
  const entries = readAll(walkOf(fs, file)).found.map(({ entry }) => entry)
  const random = randomStream('wanted')
  for (let i = 0; i < 500; i++) {
    for (const [by, wanted] of [
      [byOffset, 90 + random.below(file.end - 80)],
      [byLsn, random.below(file.lastLsn + 10)],
      [byTime, random.below(12_000) - 6000],
    ] as const) {
      const expected = entries.find((entry) => by.of(entry) >= wanted)
      const met = seek(walk, by, wanted)
      assert.equal(met, expected === undefined ? 'end' : 'entry')
      if (expected !== undefined) assert.deepEqual(walk.entry, expected)
    }
  }
})

test('a flipped bit anywhere costs the entries it touches, and no wrong byte is given out', () => {
  const puts = draw('rot', 200)
  const fs = fileSystem()
  const file = write(fs, puts, 2)
  const path = `${folder}/${settledName(file)}`
  const whole = readAll(walkOf(fs, file)).found
  const random = randomStream('bits')
  for (let i = 0; i < 100; i++) {
    const handle = fs.open(path, 'write')
    const at = random.below(settledFileBytes(file))
    const byte = new Uint8Array(1)
    handle.read(byte, at)
    const flipped = byte[0]! ^ (1 << random.below(8))
    handle.write(Uint8Array.of(flipped), at)
    const { found } = readAll(walkOf(fs, file))
    const there = new Map(found.map((put) => [put.entry.lsn, put]))
    let lost = 0
    for (const put of whole) {
      const now = there.get(put.entry.lsn)
      if (now === undefined) lost++
      else assert.deepEqual(now, put)
    }
    assert.ok(lost <= 1, `bit at ${at}: ${lost} entries lost`)
    // What is not there is said to be broken, what is there is found in spite of it.
    const walk = walkOf(fs, file)
    for (const put of whole) {
      const met = seek(walk, byOffset, put.entry.lastOffset)
      if (there.has(put.entry.lsn)) assert.deepEqual([met, walk.entry], ['entry', put.entry], `bit at ${at}`)
      else if (met === 'entry') assert.ok(walk.entry.lsn > put.entry.lsn || walk.payload() === null)
    }
    handle.write(byte, at)
    handle.close()
  }
})

const manifest: Manifest = {
  ...emptyManifest,
  number: 4,
  settledLsn: 77,
  nextFile: 9,
  partitions: [
    {
      topicKey: 5,
      partition: 2,
      start: 100,
      end: 400,
      lastLsn: 70,
      goneLsn: 3,
      files: [
        {
          number: 3,
          salt: 99,
          topicKey: 5,
          partition: 2,
          compacted: true,
          closed: false,
          start: 100,
          end: 400,
          firstLsn: 4,
          lastLsn: 70,
          length: 12_345,
          entries: 7,
          maxTimestampMs: -5,
          firstAppendedMs: 1,
          lastAppendedMs: 2,
        },
      ],
    },
  ],
  streams: [{ topicKey: 5, partition: 2, sequence: 70 }],
  state: new Uint8Array([1, 2, 3]),
}

test('a manifest is read back as it was written; any flipped bit is noticed', () => {
  const bytes = encodeManifest(manifest, journalId)
  assert.deepEqual(decodeManifest(bytes, journalId, 'm'), manifest)
  for (let at = 0; at < bytes.length; at++) {
    const rotten = bytes.slice()
    rotten[at]! ^= 1 << (at % 8)
    assert.equal(decodeManifest(rotten, journalId, 'm'), null)
    assert.equal(decodeManifest(bytes.subarray(0, at), journalId, 'm'), null)
  }
  assert.throws(() => decodeManifest(bytes, new Uint8Array(16), 'm'), /another data directory/)
})

test('the newer manifest that can be read counts; none that can be read is an error, and nothing is changed', async () => {
  const fs = fileSystem()
  assert.equal(readManifest(fs, folder, journalId), null)
  for (const each of [manifest, { ...manifest, number: 5 }]) {
    const replacement = manifestReplacement(fs, folder, encodeManifest(each, journalId))
    await replacement.prepare()
    await replacement.commit()
  }
  assert.equal(readManifest(fs, folder, journalId)?.number, 5)
  const spoil = (name: string): void => {
    const file = fs.open(`${folder}/${name}`, 'write')
    file.write(new Uint8Array(4), 60)
    file.close()
  }
  spoil('manifest')
  assert.equal(readManifest(fs, folder, journalId)?.number, 5)
  spoil('manifest.copy')
  assert.throws(
    () => readManifest(fs, folder, journalId),
    (error) => error instanceof JournalError && error.code === 'DAMAGED',
  )
})
