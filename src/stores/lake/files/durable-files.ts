// Files that appear whole under their name or not at all, and folders that are there after a power cut.
import { assert } from '../../../std/assert.ts'
import type { File, FileSystem } from '../../../world/world.ts'

export function writeAll(file: File, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const count = file.write(bytes.subarray(at), position + at)
    assert(count > 0, `${file.path} took no more than ${position + at} bytes`)
    at += count
  }
}

export function readBytes(fs: FileSystem, path: string): Uint8Array {
  const file = fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    let length = 0
    while (length < bytes.length) {
      const count = file.read(bytes.subarray(length), length)
      if (count === 0) break
      length += count
    }
    return bytes.subarray(0, length)
  } finally {
    file.close()
  }
}

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))

/** `<path>.tmp` -> fsync -> rename -> fsync of the folder. */
export async function writeDurably(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const file = fs.open(temporary, 'create')
  try {
    writeAll(file, bytes, 0)
    await file.sync()
  } finally {
    file.close()
  }
  fs.rename(temporary, path)
  await fs.syncFolder(folderOf(path))
}

/** Makes the folder and those above it; returns the folders whose entries changed, which are to be synced. */
export function makeFolders(fs: FileSystem, path: string): string[] {
  if (path === '' || fs.stat(path) !== null) return []
  const parent = folderOf(path)
  const changed = parent === path ? [] : makeFolders(fs, parent)
  fs.mkdir(path)
  return [...changed, parent]
}
