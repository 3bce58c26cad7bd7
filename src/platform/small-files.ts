// Small text files beside the data: replaced as a whole, never read half.
import { assert } from '../std/assert.ts'
import type { FileSystem } from '../world/world.ts'

export function writeText(fs: FileSystem, path: string, text: string): void {
  const temporary = `${path}.tmp`
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const file = fs.open(temporary, 'create')
  const bytes = new TextEncoder().encode(text)
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = file.write(bytes.subarray(at), at)
      assert(count > 0, `${path} took no more than ${at} of ${bytes.length} bytes`)
      at += count
    }
  } finally {
    file.close()
  }
  fs.rename(temporary, path)
}

/** Null if it is not there. */
export function readText(fs: FileSystem, path: string): string | null {
  const stat = fs.stat(path)
  if (stat === null) return null
  const file = fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(stat.sizeBytes)
    let length = 0
    while (length < bytes.length) {
      const count = file.read(bytes.subarray(length), length)
      if (count === 0) break
      length += count
    }
    return new TextDecoder().decode(bytes.subarray(0, length))
  } finally {
    file.close()
  }
}
