// The disk's bookkeeping under random writes, truncations and overlapping syncs: what a sync promised is on the platter.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../src/std/random.ts'
import { type Capture, Disk, type FileNode, newFile } from './disk.ts'

const contentOf = (file: FileNode): Buffer => Buffer.from(file.data.subarray(0, file.sizeBytes))

test('a sync after the last change makes every power cut find the cache, whatever was under way before', () => {
  for (let seed = 0; seed < 1000; seed++) {
    const random = randomStream(`disk/${seed}`)
    const disk = new Disk(random.below(2) === 0 ? 512 : 4096)
    const id = disk.add(newFile(0))
    disk.setEntry(disk.folder(disk.rootId), 'a', id)
    disk.folder(disk.rootId).unsynced.clear()
    const file = disk.file(id)
    const underWay: Capture[] = []
    const model = Buffer.alloc(40_000)
    let size = 0
    for (let step = random.below(30); step >= 0; step--) {
      const at = random.below(20_000)
      switch (random.below(4)) {
        case 0: {
          const bytes = random.fill(new Uint8Array(1 + random.below(6000)))
          disk.write(file, bytes, at)
          model.set(bytes, at)
          size = Math.max(size, at + bytes.length)
          break
        }
        case 1:
          disk.truncate(file, at)
          model.fill(0, at)
          size = at
          break
        case 2:
          underWay.push(disk.capture(file))
          break
        default: {
          const capture = underWay.shift() // in the order of the requests, as the syncer does
          if (capture !== undefined) disk.persist(file, capture)
        }
      }
      assert.deepEqual(contentOf(file), model.subarray(0, size), `the cache, seed ${seed}`)
    }
    for (const capture of underWay) disk.persist(file, capture)
    disk.persist(file, disk.capture(file))
    const after = disk.afterPowerCut(random, [0, 0.5, 1][random.below(3)]!)
    assert.deepEqual(contentOf(after.file(id)), model.subarray(0, size), `the platter, seed ${seed}`)
  }
})

test('what a sync promised survives, whatever was written after it', () => {
  for (let seed = 0; seed < 1000; seed++) {
    const random = randomStream(`promise/${seed}`)
    const disk = new Disk(512)
    const id = disk.add(newFile(0))
    disk.setEntry(disk.folder(disk.rootId), 'a', id)
    disk.folder(disk.rootId).unsynced.clear()
    const file = disk.file(id)
    // Append only, like a log: every byte below the synced length must be found, in its sector's old or new form.
    let end = 0
    let promised = 0
    const all: number[] = []
    for (let step = 0; step < 20; step++) {
      const bytes = random.fill(new Uint8Array(1 + random.below(900)))
      disk.write(file, bytes, end)
      all.push(...bytes)
      end += bytes.length
      if (random.below(3) === 0) {
        const capture = disk.capture(file)
        const more = random.fill(new Uint8Array(random.below(700)))
        disk.write(file, more, end)
        all.push(...more)
        promised = end
        end += more.length
        disk.persist(file, capture)
      }
    }
    const after = disk.afterPowerCut(random, random.float()).file(id)
    assert.ok(after.sizeBytes >= promised && after.sizeBytes <= end, `seed ${seed}`)
    assert.deepEqual([...after.data.subarray(0, promised)], all.slice(0, promised), `seed ${seed}`)
  }
})
