// The overlay keeps to the words of world.ts, and the disk under it stays as it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileCases } from '../../../sim/contract/files.ts'
import { nodeWorld } from '../../world/node.ts'
import { memoryFileSystem } from '../journal/memory-files.ts'
import { overlayFileSystem } from './overlay-files.ts'

test('as any file system', async () => {
  const failures: string[] = []
  for (const { name, run } of fileCases) {
    const base = memoryFileSystem(1 << 24, () => 0)
    base.mkdir('/here')
    const fs = overlayFileSystem(base, () => Date.now())
    try {
      await run({ world: { ...nodeWorld(), fs }, folder: '/here' })
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : error}`)
    }
    assert.deepEqual(base.list('/here'), [], name)
  }
  assert.deepEqual(failures, [])
})

test('over files of the disk: written, cut, renamed and deleted in memory only', () => {
  const base = memoryFileSystem(1 << 24, () => 0)
  base.mkdir('/d')
  base.mkdir('/d/sub')
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251)
  for (const path of ['/d/a', '/d/b', '/d/sub/c']) {
    const file = base.open(path, 'create')
    file.write(bytes, 0)
    file.close()
  }
  const fs = overlayFileSystem(base, () => 5)
  const read = (path: string, at: number, count: number): number[] => {
    const file = fs.open(path, 'read')
    const into = new Uint8Array(count)
    const got = file.read(into, at)
    file.close()
    return [...into.subarray(0, got)]
  }
  const file = fs.open('/d/a', 'write')
  file.write(new Uint8Array([1, 2, 3]), 65_535)
  assert.deepEqual(read('/d/a', 65_534, 6), [bytes[65_534], 1, 2, 3, bytes[65_538], bytes[65_539]])
  file.truncate(100)
  file.truncate(150)
  assert.deepEqual(read('/d/a', 98, 4), [98, 99, 0, 0], 'what was cut off reads as zeros')
  file.close()
  fs.rename('/d/b', '/d/moved')
  assert.deepEqual(read('/d/moved', 7, 2), [7, 8])
  fs.removeTree('/d/sub')
  assert.deepEqual(fs.list('/d'), ['a', 'moved'])
  assert.equal(fs.stat('/d/sub/c'), null)
  assert.deepEqual(base.list('/d'), ['a', 'b', 'sub'])
  const untouched = base.open('/d/a', 'read')
  const now = new Uint8Array(bytes.length)
  untouched.read(now, 0)
  assert.deepEqual(now, bytes)
})
