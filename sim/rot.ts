// What rots on a disk at rest: flipped bits, zeroed sectors, sectors written to the wrong place. For tests to place.
import { assert } from '../src/std/assert.ts'
import type { RandomStream } from '../src/std/random.ts'
import type { Disk, FileNode } from './disk.ts'

export interface Rot {
  readonly sort: 'flipped bit' | 'zeroed sector' | 'misplaced sector'
  readonly path: string
  /** The bytes of the file that may have changed: from, to. */
  readonly from: number
  readonly to: number
}

/** Files below a folder by path, sorted. */
export function filesOf(disk: Disk, folderId = disk.rootId, folderPath = ''): [string, FileNode][] {
  const found: [string, FileNode][] = []
  for (const [name, id] of [...disk.folder(folderId).entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const node = disk.nodes.get(id)
    assert(node !== undefined, `${folderPath}/${name} points nowhere`)
    if (node.kind === 'file') found.push([`${folderPath}/${name}`, node])
    else found.push(...filesOf(disk, id, `${folderPath}/${name}`))
  }
  return found
}

/** Changes some bytes of a file, in the cache and on the platter alike. Null for an empty file. */
export function rot(disk: Disk, path: string, random: RandomStream, sort: Rot['sort']): Rot | null {
  const file = filesOf(disk).find(([found]) => found === path)?.[1]
  assert(file !== undefined, `${path} is not there`)
  if (file.sizeBytes === 0) return null
  const at = random.below(file.sizeBytes)
  const change = (from: number, bytes: Uint8Array): Rot => {
    const end = Math.min(from + bytes.length, file.sizeBytes)
    file.data.set(bytes.subarray(0, end - from), from)
    const platterEnd = Math.min(end, file.platterSizeBytes)
    if (platterEnd > from) file.platter.set(bytes.subarray(0, platterEnd - from), from)
    return { sort, path, from, to: end }
  }
  switch (sort) {
    case 'flipped bit':
      return change(at, Uint8Array.of(file.data[at]! ^ (1 << random.below(8))))
    case 'zeroed sector':
      return change(at - (at % disk.sectorBytes), new Uint8Array(disk.sectorBytes))
    case 'misplaced sector': {
      const from = random.below(file.sizeBytes)
      const start = from - (from % disk.sectorBytes)
      return change(
        at - (at % disk.sectorBytes),
        file.data.slice(start, Math.min(start + disk.sectorBytes, file.sizeBytes)),
      )
    }
  }
}
