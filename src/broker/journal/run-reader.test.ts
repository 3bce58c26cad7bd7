// Runs of batches are read as one by one: from memory, from the file, from both, into memory that was used before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { batchOf } from '../broker.suite.ts'
import { freshRoom, type ReadRoom } from '../read-room.ts'
import { entryKind } from './entry.ts'
import { copyOf, folder, open, put, testDisk } from './journal.suite.ts'
import type { Journal } from './journal.ts'
import { placeOf } from './layout.ts'

interface Placed {
  readonly segment: number
  readonly position: number
  readonly batch: Uint8Array
}
/** Two partitions in turn, with sizes from a hundred bytes to several blocks; the places of the first are told. */
async function fill(journal: Journal, random: RandomStream, count: number): Promise<Placed[]> {
  const placed: Placed[] = []
  for (let i = 0; i < count; i++) {
    const size = random.below(8) === 0 ? random.below(150_000) : random.below(6_000)
    const batch = batchOf([`${i} `.repeat(1 + size / 6)])
    const isOurs = random.below(3) > 0
    const { segment, positions, lastLsn } = journal.appendGroup([
      { kind: entryKind.batch, topicKey: 1, partition: isOurs ? 0 : 1, payload: batch },
    ])
    await journal.durable(lastLsn)
    if (isOurs) placed.push({ segment, position: positions[0]!, batch })
  }
  return placed
}
const placesOf = (placed: readonly Placed[]) => ({
  segment: (i: number) => placed[i]!.segment,
  position: (i: number) => placed[i]!.position,
  bytes: (i: number) => placed[i]!.batch.length,
})
/** Full of something else, and no longer than was asked for. */
const dirtyRoom: ReadRoom = { take: (bytes) => new Uint8Array(bytes + 100).fill(0xee).subarray(100) }

for (const { name, cacheBytes } of [
  { name: 'mostly of the file', cacheBytes: 0 },
  { name: 'half of the file', cacheBytes: 4 << 20 },
]) {
  test(`any run of batches, ${name}, lies one behind the other and is what was appended`, async () => {
    const seed = `run ${name}`
    const random = randomStream(seed)
    const disk = testDisk(seed)
    const { journal } = await open(disk, { cacheBytes, segmentBytes: 3 << 20 })
    const placed = await fill(journal, random, 400)
    assert.ok(placed.at(-1)!.segment > 0, 'several segments')
    for (let i = 0; i < 200; i++) {
      const first = random.below(placed.length)
      const end = first + 1 + random.below(Math.min(60, placed.length - first))
      const batches = journal.readBatches(placesOf(placed), first, end, i % 2 === 0 ? dirtyRoom : freshRoom)
      assert.equal(batches.length, end - first)
      for (const [k, batch] of batches.entries()) {
        const { segment, position, batch: appended } = placed[first + k]!
        const place = { kind: entryKind.batch, segment, position, payloadBytes: appended.length }
        assert.ok(Buffer.from(batch).equals(journal.read(place)), `seed ${seed}: ${first} to ${end}, at ${k}`)
        // Before that the journal has put offset and epoch.
        assert.ok(Buffer.from(batch.subarray(16)).equals(appended.subarray(16)), `seed ${seed}: batch ${first + k}`)
        const before = batches[k - 1]
        if (before !== undefined) assert.equal(batch.byteOffset, before.byteOffset + before.length)
      }
    }
    await journal.close()
  })
}

test('a byte that has changed in any batch of a run is found, wherever it lies', async () => {
  const random = randomStream('rot')
  const disk = testDisk('rot')
  const { journal } = await open(disk, { cacheBytes: 0 })
  const placed = await fill(journal, random, 60)
  // The last arena stays in memory, whatever the settings: what follows takes it.
  for (let i = 0; i < 3; i++)
    await put(journal, { kind: entryKind.tick, topicKey: 1, partition: 0, payload: new Uint8Array(1_200_000) })
  const end = placed.length
  await journal.close()
  for (let i = 0; i < 60; i++) {
    const k = random.below(end)
    const rotten = copyOf(disk)
    const { journal: other } = await open(rotten, { cacheBytes: 0 })
    const [name] = rotten.files().filter((file) => file.endsWith('.journal'))
    const bytes = rotten.readFile(`${folder}/${name}`)
    const at = placeOf(placed[k]!.position + random.below(80 + placed[k]!.batch.length - 1))
    const bit = 1 << random.below(8)
    bytes[at] = bytes[at]! ^ bit
    rotten.writeFile(`${folder}/${name}`, bytes)
    assert.throws(
      () => other.readBatches(placesOf(placed), 0, end, dirtyRoom),
      { name: 'JournalError', code: 'DAMAGED' },
      `batch ${k}, byte ${at}`,
    )
    if (k > 0) assert.equal(other.readBatches(placesOf(placed), 0, k, dirtyRoom).length, k)
    await other.close()
  }
})
