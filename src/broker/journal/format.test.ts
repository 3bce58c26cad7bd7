// The format of released journals, byte by byte: a segment written once, kept as text, read for ever.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { baseOffset } from '../../wire/record-batch.ts'
import { entryKind } from './entry.ts'
import { folder, journalId, open, put, readAll, testDisk } from './journal.suite.ts'
import { JournalError } from './journal-error.ts'
import {
  blockBodyBytes,
  blockBytes,
  bodyLeft,
  entryStart,
  fileBytesOf,
  placeOf,
  positionInBlock,
  segmentName,
  startLsnOfName,
} from './layout.ts'

const fixture = new URL('./fixtures/format-1.hex', import.meta.url)
const path = `${folder}/${segmentName(1)}`

/** What the fixture holds; written with a clock that stands still. */
async function write(): Promise<Uint8Array> {
  const disk = testDisk('format 1')
  const still = { ...disk.world.clock, nowMs: () => 1_700_000_000_000 }
  const { journal } = await open({ ...disk, world: { ...disk.world, clock: still } })
  const writer = new BatchWriter()
  writer.append(new TextEncoder().encode('key'), new TextEncoder().encode('value'), 1_700_000_000_123)
  const batch = { kind: entryKind.batch, topicKey: 3, partition: 2, payload: writer.finish(), baseOffset: 41 }
  await put(journal, { kind: entryKind.topic, topicKey: 0, partition: 0, payload: new Uint8Array([1, 2, 3]) })
  await put(journal, { kind: entryKind.jobCommit, topicKey: 0, partition: 1, payload: new Uint8Array([4]) }, batch)
  await journal.close()
  return disk.readFile(path)
}

test('the same entries give the same bytes as in the first release', async () => {
  const expected = readFileSync(fixture, 'utf8').replace(/#.*|\s/g, '')
  assert.equal(Buffer.from(await write()).toString('hex'), expected)
})

test('a segment of the first release is read', async () => {
  const disk = testDisk()
  disk.writeFile(path, Buffer.from(readFileSync(fixture, 'utf8').replace(/#.*|\s/g, ''), 'hex'))
  const { journal, seen } = await open(disk)
  assert.deepEqual(
    seen.map(({ lsn, kind, topicKey, partition, sequence }) => [lsn, kind, topicKey, partition, sequence]),
    [
      [1, entryKind.topic, 0, 0, 1],
      [2, entryKind.jobCommit, 0, 1, 1],
      [3, entryKind.batch, 3, 2, 1],
    ],
  )
  assert.equal(baseOffset(seen[2]!.payload), 41)
  assert.equal(readAll(journal).length, 3)
  await journal.close()
})

test('a segment or an entry of a newer format is refused by name, and left as it is', async () => {
  for (const at of [32 + 9, 96 + 8]) {
    const disk = testDisk()
    const bytes = await write()
    bytes[at] = 2
    // Undamaged, only newer: with the right checksum.
    const [begin, end] = at < 96 ? [32, 96] : [96, 176]
    new DataView(bytes.buffer).setUint32(begin + 4, crc32c(bytes, begin + 8, end))
    disk.writeFile(path, bytes)
    await assert.rejects(open(disk), (error) => {
      assert.ok(error instanceof JournalError && error.code === 'NEWER_FORMAT')
      assert.match(error.message, /format 2.*format 1/)
      return true
    })
    assert.deepEqual(disk.readFile(path), bytes)
  }
})

test('positions and places are arithmetic of each other', () => {
  assert.equal(blockBodyBytes, 65_504)
  for (const position of [0, 1, 63, 64, 65_503, 65_504, 65_505, 131_007, 131_008, 10 * blockBodyBytes + 77]) {
    const place = placeOf(position)
    const block = Math.floor(place / blockBytes)
    assert.equal(positionInBlock(block, place % blockBytes), position)
    assert.equal(bodyLeft(position), blockBytes - (place % blockBytes))
    assert.ok(place % blockBytes >= 32, 'never in a block header')
    assert.equal(fileBytesOf(position + 1), place + 1)
  }
  assert.equal(fileBytesOf(blockBodyBytes), blockBytes, 'a full block has no header of the next one')
  assert.equal(entryStart(blockBodyBytes - 80), blockBodyBytes - 80)
  assert.equal(entryStart(blockBodyBytes - 79), blockBodyBytes)
  assert.equal(startLsnOfName(segmentName(17)), 17)
  for (const name of ['17.journal', '00000000000000000000.journal', '00000000000000000001.journal.tmp', 'x']) {
    assert.equal(startLsnOfName(name), null)
  }
  assert.equal(journalId.length, 16)
})
