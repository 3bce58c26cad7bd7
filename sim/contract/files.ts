// What world.ts says about files and folders, sentence by sentence.
import assert from 'node:assert/strict'
import { type File, type FileSystem, FsError } from '../../src/world/world.ts'
import type { ContractCase } from './case.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function writeAll(file: File, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += file.write(bytes.subarray(done), position + done)
}
function readAll(fs: FileSystem, path: string): string {
  const file = fs.open(path, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  for (let done = 0; done < bytes.length; ) {
    const count = file.read(bytes.subarray(done), done)
    assert.ok(count > 0, 'a read gives at least a byte before the end')
    done += count
  }
  file.close()
  return new TextDecoder().decode(bytes)
}
function put(fs: FileSystem, path: string, text: string): void {
  const file = fs.open(path, 'create')
  writeAll(file, bytesOf(text), 0)
  file.close()
}
function fails(code: string, operation: string, run: () => unknown): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof FsError, `not an FsError: ${error}`)
    assert.deepEqual([error.code, error.operation], [code, operation])
    assert.ok(error.path.length > 0 && error.message.includes(error.path))
    return true
  })
}

export const fileCases: readonly ContractCase[] = [
  {
    name: 'create makes a new file, and fails with EEXIST if it is there',
    run({ world: { fs }, folder }) {
      const file = fs.open(`${folder}/a`, 'create')
      assert.equal(file.path, `${folder}/a`)
      assert.equal(file.sizeBytes(), 0)
      file.close()
      fails('EEXIST', 'open', () => fs.open(`${folder}/a`, 'create'))
    },
  },
  {
    name: 'read and write fail with ENOENT if the file is not there, and make none',
    run({ world: { fs }, folder }) {
      fails('ENOENT', 'open', () => fs.open(`${folder}/a`, 'read'))
      fails('ENOENT', 'open', () => fs.open(`${folder}/a`, 'write'))
      assert.deepEqual(fs.list(folder), [])
    },
  },
  {
    name: 'link gives a file a second name: the same bytes, until the last name is gone',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'one')
      fs.link(`${folder}/a`, `${folder}/b`)
      assert.equal(readAll(fs, `${folder}/b`), 'one')
      const file = fs.open(`${folder}/a`, 'write')
      writeAll(file, bytesOf('two'), 0)
      file.close()
      assert.equal(readAll(fs, `${folder}/b`), 'two')
      fs.unlink(`${folder}/a`)
      assert.equal(readAll(fs, `${folder}/b`), 'two')
      fails('ENOENT', 'link', () => fs.link(`${folder}/a`, `${folder}/c`))
      put(fs, `${folder}/a`, 'x')
      fails('EEXIST', 'link', () => fs.link(`${folder}/a`, `${folder}/b`))
      fails('ENOENT', 'link', () => fs.link(`${folder}/a`, `${folder}/nowhere/b`))
    },
  },
  {
    name: 'opening fails with EISDIR for a folder and ENOTDIR below a file',
    run({ world: { fs }, folder }) {
      fs.mkdir(`${folder}/sub`)
      put(fs, `${folder}/a`, 'x')
      fails('EISDIR', 'open', () => fs.open(`${folder}/sub`, 'read'))
      fails('EISDIR', 'open', () => fs.open(`${folder}/sub`, 'write'))
      fails('ENOTDIR', 'open', () => fs.open(`${folder}/a/b`, 'read'))
      fails('ENOTDIR', 'open', () => fs.open(`${folder}/a/b`, 'create'))
      fails('ENOENT', 'open', () => fs.open(`${folder}/nowhere/b`, 'create'))
    },
  },
  {
    name: 'writes go to their position, overwrite, extend, and leave zeros in a gap',
    run({ world: { fs }, folder }) {
      const file = fs.open(`${folder}/a`, 'create')
      writeAll(file, bytesOf('hello'), 0)
      writeAll(file, bytesOf('J'), 0)
      writeAll(file, bytesOf('!'), 8)
      assert.equal(file.sizeBytes(), 9)
      file.close()
      assert.equal(readAll(fs, `${folder}/a`), 'Jello\0\0\0!')
    },
  },
  {
    name: 'a file opened with create or write can be read and written; bytes show at once to others who have it open',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'abc')
      const writer = fs.open(`${folder}/a`, 'write')
      const reader = fs.open(`${folder}/a`, 'read')
      writeAll(writer, bytesOf('XY'), 1)
      const into = new Uint8Array(3)
      for (let done = 0; done < 3; ) done += reader.read(into.subarray(done), done)
      assert.deepEqual(into, bytesOf('aXY'))
      for (let done = 0; done < 3; ) done += writer.read(into.subarray(done), done)
      assert.deepEqual(into, bytesOf('aXY'))
      writer.close()
      reader.close()
    },
  },
  {
    name: 'a file opened with read cannot be written',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'abc')
      const reader = fs.open(`${folder}/a`, 'read')
      fails('EBADF', 'write', () => reader.write(bytesOf('x'), 0))
      fails('EINVAL', 'truncate', () => reader.truncate(0))
      reader.close()
      assert.equal(readAll(fs, `${folder}/a`), 'abc')
    },
  },
  {
    name: 'a read gives what there is, 0 bytes at the end of the file and beyond',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'abc')
      const file = fs.open(`${folder}/a`, 'read')
      const into = new Uint8Array(10).fill(7)
      let position = 0
      for (let count = 1; count > 0; position += count) count = file.read(into.subarray(position), position)
      assert.equal(position, 3)
      assert.deepEqual(into, new Uint8Array([97, 98, 99, 7, 7, 7, 7, 7, 7, 7]))
      assert.equal(file.read(into, 3), 0)
      assert.equal(file.read(into, 1000), 0)
      assert.equal(file.read(new Uint8Array(0), 0), 0)
      file.close()
    },
  },
  {
    name: 'writing nothing writes nothing',
    run({ world: { fs }, folder }) {
      const file = fs.open(`${folder}/a`, 'create')
      assert.equal(file.write(new Uint8Array(0), 100), 0)
      assert.equal(file.sizeBytes(), 0)
      file.close()
    },
  },
  {
    name: 'truncate cuts, and extends with zeros; what was cut does not come back',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'abcdef')
      const file = fs.open(`${folder}/a`, 'write')
      file.truncate(2)
      assert.equal(file.sizeBytes(), 2)
      file.truncate(4)
      file.close()
      assert.equal(readAll(fs, `${folder}/a`), 'ab\0\0')
    },
  },
  {
    name: 'using a closed file is a bug of ours',
    run({ world: { fs }, folder }) {
      const file = fs.open(`${folder}/a`, 'create')
      file.close()
      for (const use of [() => file.write(new Uint8Array(1), 0), () => file.sizeBytes(), () => file.close()]) {
        assert.throws(use, { name: 'BrokenInvariant' })
      }
    },
  },
  {
    name: 'mkdir makes one folder: EEXIST if something is there, ENOENT without its parent',
    run({ world: { fs }, folder }) {
      fs.mkdir(`${folder}/sub`)
      put(fs, `${folder}/a`, '')
      fails('EEXIST', 'mkdir', () => fs.mkdir(`${folder}/sub`))
      fails('EEXIST', 'mkdir', () => fs.mkdir(`${folder}/a`))
      fails('ENOENT', 'mkdir', () => fs.mkdir(`${folder}/x/y`))
      fails('ENOTDIR', 'mkdir', () => fs.mkdir(`${folder}/a/y`))
    },
  },
  {
    name: 'list gives the names in the folder, sorted by UTF-16 code unit',
    run({ world: { fs }, folder }) {
      for (const name of ['b', 'a', 'B', 'é', '10', '9', '\u{ff5e}', '\u{1f600}']) put(fs, `${folder}/${name}`, '')
      fs.mkdir(`${folder}/c`)
      assert.deepEqual(fs.list(folder), ['10', '9', 'B', 'a', 'b', 'c', 'é', '\u{1f600}', '\u{ff5e}'])
      fails('ENOENT', 'list', () => fs.list(`${folder}/nowhere`))
      fails('ENOTDIR', 'list', () => fs.list(`${folder}/a`))
    },
  },
  {
    name: 'stat tells size, sort and time of change; null if there is nothing',
    run({ world: { fs, clock }, folder }) {
      const before = clock.nowMs()
      put(fs, `${folder}/a`, 'abc')
      fs.mkdir(`${folder}/sub`)
      const found = fs.stat(`${folder}/a`)
      assert.deepEqual([found?.sizeBytes, found?.isFolder], [3, false])
      // File systems stamp with a coarser clock than the one asked here.
      assert.ok(Math.abs(found!.modifiedMs - before) < 10_000)
      assert.equal(fs.stat(`${folder}/sub`)?.isFolder, true)
      assert.equal(fs.stat(`${folder}/nowhere`), null)
      assert.equal(fs.stat(`${folder}/a/below`), null)
    },
  },
  {
    name: 'rename moves a file or folder, replaces a file, and an empty folder by a folder',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'new')
      put(fs, `${folder}/b`, 'old')
      fs.rename(`${folder}/a`, `${folder}/b`)
      assert.equal(readAll(fs, `${folder}/b`), 'new')
      fs.mkdir(`${folder}/sub`)
      fs.rename(`${folder}/b`, `${folder}/sub/c`)
      fs.mkdir(`${folder}/empty`)
      fs.rename(`${folder}/sub`, `${folder}/empty`)
      assert.deepEqual(fs.list(folder), ['empty'])
      assert.equal(readAll(fs, `${folder}/empty/c`), 'new')
      fs.rename(`${folder}/empty`, `${folder}/empty`)
      assert.equal(readAll(fs, `${folder}/empty/c`), 'new')
    },
  },
  {
    name: 'rename refuses what cannot be',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, '')
      fs.mkdir(`${folder}/full`)
      put(fs, `${folder}/full/x`, '')
      fs.mkdir(`${folder}/sub`)
      fails('ENOENT', 'rename', () => fs.rename(`${folder}/nowhere`, `${folder}/b`))
      fails('ENOENT', 'rename', () => fs.rename(`${folder}/a`, `${folder}/nowhere/b`))
      fails('EISDIR', 'rename', () => fs.rename(`${folder}/a`, `${folder}/sub`))
      fails('ENOTDIR', 'rename', () => fs.rename(`${folder}/sub`, `${folder}/a`))
      fails('ENOTEMPTY', 'rename', () => fs.rename(`${folder}/sub`, `${folder}/full`))
      fails('EINVAL', 'rename', () => fs.rename(`${folder}/full`, `${folder}/full/inside`))
      assert.deepEqual(fs.list(folder), ['a', 'full', 'sub'])
    },
  },
  {
    name: 'unlink removes a file, which stays readable for those who have it open',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}/a`, 'abc')
      const file = fs.open(`${folder}/a`, 'read')
      fs.unlink(`${folder}/a`)
      assert.deepEqual(fs.list(folder), [])
      assert.equal(file.sizeBytes(), 3)
      file.close()
      fails('ENOENT', 'unlink', () => fs.unlink(`${folder}/a`))
      fs.mkdir(`${folder}/sub`)
      fails('EISDIR', 'unlink', () => fs.unlink(`${folder}/sub`))
    },
  },
  {
    name: 'removeTree removes a folder and all in it; nothing if it is not there',
    run({ world: { fs }, folder }) {
      fs.mkdir(`${folder}/sub`)
      fs.mkdir(`${folder}/sub/deep`)
      put(fs, `${folder}/sub/deep/a`, 'x')
      put(fs, `${folder}/sub/b`, 'x')
      fs.removeTree(`${folder}/sub`)
      fs.removeTree(`${folder}/sub`)
      assert.deepEqual(fs.list(folder), [])
    },
  },
  {
    name: 'syncs of files and folders resolve; several asked at once all do, also when the file is closed meanwhile',
    async run({ world: { fs }, folder }) {
      const files = ['a', 'b', 'c'].map((name) => fs.open(`${folder}/${name}`, 'create'))
      const syncs: Promise<void>[] = []
      for (const file of files) {
        writeAll(file, bytesOf('abc'), 0)
        syncs.push(file.sync())
        writeAll(file, bytesOf('def'), 3)
        syncs.push(file.sync())
      }
      syncs.push(fs.syncFolder(folder))
      for (const file of files) file.close()
      await Promise.all(syncs)
      for (const name of ['a', 'b', 'c']) assert.equal(readAll(fs, `${folder}/${name}`), 'abcdef')
    },
  },
  {
    name: 'syncs are done in the order they were asked for',
    async run({ world: { fs }, folder }) {
      const done: string[] = []
      const files = ['a', 'b', 'c', 'd', 'e'].map((name) => fs.open(`${folder}/${name}`, 'create'))
      await Promise.all(
        files.map(async (file, i) => {
          await file.sync()
          done.push(`file ${i}`)
          if (i === 0) {
            await fs.syncFolder(folder)
            done.push('folder')
          }
        }),
      )
      assert.deepEqual(done, ['file 0', 'file 1', 'file 2', 'file 3', 'file 4', 'folder'])
      for (const file of files) file.close()
    },
  },
  {
    name: 'syncing a folder that is not there is an FsError',
    async run({ world: { fs }, folder }) {
      await assert.rejects(fs.syncFolder(`${folder}/nowhere`), {
        name: 'FsError',
        code: 'ENOENT',
        operation: 'syncFolder',
      })
    },
  },
  {
    name: 'space tells the bytes free and in all',
    run({ world: { fs }, folder }) {
      const { freeBytes, totalBytes } = fs.space(folder)
      assert.ok(freeBytes > 0 && freeBytes <= totalBytes)
      fails('ENOENT', 'space', () => fs.space(`${folder}/nowhere`))
    },
  },
  {
    name: 'absolute paths may hold empty parts and dots',
    run({ world: { fs }, folder }) {
      put(fs, `${folder}//./a`, 'abc')
      fs.mkdir(`${folder}/sub`)
      assert.equal(readAll(fs, `${folder}/sub/../a`), 'abc')
    },
  },
]
