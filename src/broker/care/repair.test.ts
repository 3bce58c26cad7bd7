// Damaged data directories: looked at without a change, told what is lost, made writable again, everything else kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { offset, partitionId } from '../../std/units.ts'
import { lastOffset } from '../../wire/record-batch.ts'
import type { FileSystem } from '../../world/world.ts'
import { batchOf, dataDir, type Machine, machine, valuesOf } from '../broker.suite.ts'
import type { Broker } from '../broker.ts'
import { emptyBatch, placeFillers } from './fillers.ts'
import { inspectDataDirectory } from './inspect.ts'
import { repairDataDirectory } from './repair.ts'

const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const journal = `${dataDir}/journal`
const small = { segmentBytes: 20_000, cacheBytes: 0 }
const partitions = [0, 1].map(partitionId)

/** Every file with its bytes. */
function everything(fs: FileSystem, path: string): Map<string, string> {
  const found = new Map<string, string>()
  const stat = fs.stat(path)
  if (stat === null) return found
  if (stat.isFolder) {
    found.set(path, 'folder')
    for (const name of fs.list(path))
      for (const [each, text] of everything(fs, `${path}/${name}`)) found.set(each, text)
  } else {
    const file = fs.open(path, 'read')
    const bytes = new Uint8Array(stat.sizeBytes)
    file.read(bytes, 0)
    file.close()
    found.set(path, `${bytes.length} bytes, CRC ${crc32c(bytes)}`)
  }
  return found
}
async function readAll(broker: Broker, topic: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const partition of partitions) {
    const { start, end } = broker.offsets(topic, partition)
    for (let next: number = start; next < end; ) {
      const batches = await broker.read(topic, partition, offset(next), 2000)
      assert.ok(batches.length > 0)
      for (const batch of batches) {
        for (const value of valuesOf(batch)) found.set(value, `${partition}`)
        next = lastOffset(batch) + 1
      }
    }
  }
  return found
}
async function fill(here: Machine, random: RandomStream, lives: number): Promise<Map<string, string>> {
  const written = new Map<string, string>()
  for (let life = 0; life < lives; life++) {
    const broker = await here.open(small)
    if (life === 0) for (const name of ['a', 'b']) await broker.createTopic({ name, partitions: 2 })
    for (let i = 0; i < 60; i++) {
      const topic = random.below(2) === 0 ? 'a' : 'b'
      const partition = partitions[random.below(2)]!
      const values = Array.from({ length: 1 + random.below(4) }, (_, each) => {
        return `${life}/${i}/${each}/${'x'.repeat(random.below(300))}`
      })
      const { baseOffset, lsn } = await broker.append(topic, partition, batchOf(values))
      for (const [each, value] of values.entries())
        written.set(`${topic}/${value}`, `${partition}@${baseOffset + each}@${lsn}`)
      if (i === 30)
        await broker.groupOffsets.commit('group', 'consumer', 1, [
          { topic, partition, offset: 3, leaderEpoch: -1, metadata: '' },
        ])
    }
    await broker.takeJob('job')
    await broker.close()
  }
  return written
}

test('random damage: nothing is changed by a look; a repair loses what was damaged and nothing else', async () => {
  let damaged = 0
  let lostOffsets = 0
  for (let run = 0; run < 40; run++) {
    const told = `run ${run}; replay: MILLRACE_SEED=${seed} npm test -- src/broker/care/repair`
    const random = randomStream(`${seed}/${run}`)
    const here = machine(`repair ${seed} ${run}`)
    const written = await fill(here, random, 1 + random.below(3))
    const files = here.fs.list(journal).filter((name) => name.endsWith('.journal'))
    if (random.below(8) === 0 && files.length > 2) here.fs.unlink(`${journal}/${files[random.below(files.length - 1)]}`)
    for (let flips = 1 + random.below(4); flips > 0; flips--) {
      const name = files[random.below(files.length)]!
      if (here.fs.stat(`${journal}/${name}`) === null) continue
      const file = here.fs.open(`${journal}/${name}`, 'write')
      const count = random.below(4) === 0 ? 3000 : 1
      const at = random.below(Math.max(1, file.sizeBytes() - count))
      const bytes = new Uint8Array(count)
      file.read(bytes, at)
      file.write(
        bytes.map((byte) => byte ^ 0x55),
        at,
      )
      file.close()
    }
    const before = everything(here.fs, dataDir)
    const inspected = await inspectDataDirectory(here.life(), dataDir)
    assert.deepEqual(everything(here.fs, dataDir), before, `${told}: a look changes nothing`)
    assert.equal(inspected.problem, null, told)
    assert.equal(inspected.inventory?.lost.length === 0, inspected.damage === null, told)
    const looked = await repairDataDirectory(here.life(), dataDir, { acceptLoss: false })
    assert.deepEqual(everything(here.fs, dataDir), before, `${told}: without the word nothing is changed`)
    assert.equal(looked.repaired, false)

    const done = await repairDataDirectory(here.life(), dataDir, { acceptLoss: true })
    assert.deepEqual({ ...done, repaired: false, quarantine: null }, { ...looked, quarantine: null }, told)
    assert.equal(done.repaired, inspected.damage !== null, told)
    if (done.repaired) {
      damaged++
      // What is damaged lies aside, byte for byte.
      for (const name of here.fs.list(done.quarantine!)) {
        const kept = everything(here.fs, `${done.quarantine}/${name}`).get(`${done.quarantine}/${name}`)
        assert.equal(kept, before.get(`${journal}/${name}`), told)
      }
    }
    for (let start = 0; start < 2; start++) {
      const broker = await here.open(small)
      assert.equal(broker.trouble(), null, told)
      // A topic whose making was lost is gone, with its records.
      const found = new Map<string, string>()
      for (const topic of ['a', 'b']) {
        if (broker.topic(topic) === null) continue
        for (const value of (await readAll(broker, topic)).keys()) found.set(`${topic}/${value}`, '')
        if (start === 0) await broker.append(topic, partitions[0]!, batchOf([`after the repair of ${topic}`]))
      }
      for (const value of found.keys()) assert.ok(written.has(value) || value.includes('after the repair'), told)
      const isLost = (value: string, place: string): boolean => {
        const topic = value.slice(0, value.indexOf('/'))
        const [partition, at, lsn] = place.split('@').map(Number)
        return (
          broker.topic(topic) === null ||
          done.unknownEntries > 0 ||
          // The end, where the witness of it was hit too: a torn tail, as far as anyone can tell.
          lsn! >= inspected.inventory!.journal.lastLsn ||
          done.lostOffsets.some(
            (each) => each.topic === topic && each.partition === partition && at! >= each.from && at! < each.to,
          )
        )
      }
      for (const [value, place] of written) {
        if (found.has(value)) continue
        lostOffsets++
        assert.ok(isLost(value, place), `${told}: ${value.slice(0, 20)} at ${place} is gone and was not told`)
      }
      await broker.close()
    }
    const again = await repairDataDirectory(here.life(), dataDir, { acceptLoss: true })
    assert.deepEqual([again.repaired, again.lostEntries], [false, 0], told)
  }
  assert.ok(damaged > 20, `${damaged} directories were damaged`)
  assert.ok(lostOffsets > 30, `${lostOffsets} records were lost`)
})

test('a repair that dies in the middle is taken up by the next', async () => {
  const here = machine('dying repair')
  const random = randomStream('dying repair')
  await fill(here, random, 2)
  for (const name of here.fs
    .list(journal)
    .filter((each) => each.endsWith('.journal'))
    .slice(0, 3)) {
    const file = here.fs.open(`${journal}/${name}`, 'write')
    file.write(new Uint8Array(1500), 2000)
    file.close()
  }
  const total = (await repairDataDirectory(here.life(), dataDir, { acceptLoss: false })).lostEntries
  assert.ok(total > 0)
  // The disk fails at the k-th rename.
  for (let at = 1; at <= 3; at++) {
    let renames = 0
    const life = here.life()
    const fs: FileSystem = {
      ...life.fs,
      rename(from, to) {
        if (to.endsWith('.journal') && ++renames === at) throw new Error('died')
        life.fs.rename(from, to)
      },
    }
    const end = await repairDataDirectory({ ...life, fs }, dataDir, { acceptLoss: true }).then(
      (done) => done.repaired,
      () => 'died',
    )
    assert.ok(end === 'died' || at > 1)
    await here.life().clock.sleep(2)
  }
  await repairDataDirectory(here.life(), dataDir, { acceptLoss: true })
  const broker = await here.open(small)
  assert.equal(broker.trouble(), null)
  await broker.close()
})

test('stand-ins go where entries were: each gap between its neighbours, offsets covered whole', () => {
  const gap = (partition: number, after: number, before: number, sequences: number, from: number, to: number) => {
    return { topicKey: 1, partition, after, before, firstSequence: after + 1, sequences, offsets: { from, to } }
  }
  const placed = placeFillers(
    [3, 4, 5, 6, 9],
    [gap(0, 1, 10, 2, 100, 110), gap(1, 2, 5, 1, 7, 8), gap(2, 4, 7, 1, 0, 3)],
  )
  const shown = [...placed].map(([lsn, filler]) => [lsn, filler?.partition ?? null])
  assert.deepEqual(shown, [
    [3, 1],
    [4, 0],
    [5, 2],
    [6, 0],
    [9, null],
  ])
  assert.equal(lastOffset(emptyBatch(100, 109)), 109)
})
