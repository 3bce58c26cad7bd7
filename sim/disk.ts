// What a disk holds and what it loses: files as cache and platter, folders as entries and synced entries.
//
// Every node has two faces. The *cache* is what processes see; it survives the kill of a process. The *platter* is what
// survives a power cut for certain; of what is only in the cache each sector and each folder entry survives, or not,
// independently of all others. A sector is whole or not there; which size it has is drawn once per disk.
// Stricter than ext4 in its ordered mode, on purpose (Pebble's crash model; docs of SQLite's and TigerBeetle's tests).
import { assert } from '../src/std/assert.ts'
import type { RandomStream } from '../src/std/random.ts'

export interface FileNode {
  readonly kind: 'file'
  /** The cache; bytes at and above `sizeBytes` are zero. */
  data: Uint8Array
  sizeBytes: number
  modifiedMs: number
  /** The platter; bytes at and above `platterSizeBytes` are zero. */
  platter: Uint8Array
  platterSizeBytes: number
  /** Sectors that the next sync writes. A failed sync takes some out without writing them. */
  dirty: Set<number>
  /** Truncations that are not on the platter yet, in order. */
  cuts: Cut[]
  /** How many truncations there have been. */
  cutCount: number
}
export interface Cut {
  readonly number: number
  readonly sizeBytes: number
}
export interface FolderNode {
  readonly kind: 'folder'
  /** Name to node id. */
  entries: Map<string, number>
  /** For each name changed since the last sync: every state it has had, first the one on the platter (0: absent). */
  unsynced: Map<string, number[]>
}
export type DiskNode = FileNode | FolderNode

export class Disk {
  readonly sectorBytes: number
  readonly nodes = new Map<number, DiskNode>()
  readonly rootId = 1
  #nextId = 1

  constructor(sectorBytes: number) {
    this.sectorBytes = sectorBytes
    this.add({ kind: 'folder', entries: new Map(), unsynced: new Map() })
  }

  add(node: DiskNode): number {
    const id = this.#nextId++
    this.nodes.set(id, node)
    return id
  }

  file(id: number): FileNode {
    const node = this.nodes.get(id)
    assert(node?.kind === 'file', `node ${id} is no file`)
    return node
  }
  folder(id: number): FolderNode {
    const node = this.nodes.get(id)
    assert(node?.kind === 'folder', `node ${id} is no folder`)
    return node
  }

  /** The nodes that a path leads to, each once. */
  reachable(): Set<DiskNode> {
    const found = new Set<DiskNode>()
    const visit = (id: number): void => {
      const node = this.nodes.get(id)
      if (node === undefined || found.has(node)) return
      found.add(node)
      if (node.kind === 'folder') for (const child of node.entries.values()) visit(child)
    }
    visit(this.rootId)
    return found
  }

  /** Points the name at the node, or at nothing for 0; on the platter only after a sync of the folder. */
  setEntry(folder: FolderNode, name: string, id: number): void {
    const history = folder.unsynced.get(name)
    if (history === undefined) folder.unsynced.set(name, [folder.entries.get(name) ?? 0, id])
    else history.push(id)
    if (id === 0) folder.entries.delete(name)
    else folder.entries.set(name, id)
  }

  write(file: FileNode, bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    const end = position + bytes.length
    if (end > file.data.length) file.data = grown(file.data, end)
    file.data.set(bytes, position)
    // A gap between the old end and the position is a hole: it reads as zeros and needs no sector of its own.
    this.#soil(file, position, end)
    file.sizeBytes = Math.max(file.sizeBytes, end)
  }

  truncate(file: FileNode, sizeBytes: number): void {
    if (sizeBytes < file.sizeBytes) {
      file.data.fill(0, sizeBytes, file.sizeBytes)
      for (const sector of file.dirty) if (sector * this.sectorBytes >= sizeBytes) file.dirty.delete(sector)
      if (sizeBytes % this.sectorBytes !== 0) file.dirty.add(Math.floor(sizeBytes / this.sectorBytes))
      file.cuts.push({ number: file.cutCount++, sizeBytes })
    } else if (sizeBytes > file.data.length) file.data = grown(file.data, sizeBytes)
    file.sizeBytes = sizeBytes
  }

  /** What a sync that begins now has to write. Taken at the call: what is written later may have to wait for the next. */
  capture(file: FileNode): Capture {
    const sectors = new Map<number, Uint8Array>()
    for (const sector of file.dirty) sectors.set(sector, this.#sector(file, sector).slice())
    return { sectors, sizeBytes: file.sizeBytes, cutCount: file.cutCount }
  }

  /** The sync went well. Sectors written again since the capture stay dirty. */
  persist(file: FileNode, capture: Capture): void {
    this.#persistSize(file, capture)
    for (const [sector, bytes] of capture.sectors) this.#clean(file, sector, bytes)
  }

  /**
   * The sync failed: Linux reports it once, and keeps the pages it could not write as clean. So some sectors are on the
   * platter, some are still dirty, and some look clean, read well from the cache, and are not on the platter.
   */
  persistBadly(file: FileNode, capture: Capture, random: RandomStream): void {
    const withSize = random.below(2) === 0
    if (withSize) this.#persistSize(file, capture)
    for (const [sector, bytes] of capture.sectors) {
      const fate = random.below(3)
      if (fate === 0) file.dirty.delete(sector)
      else if (fate === 1 && withSize) this.#clean(file, sector, bytes)
    }
  }

  captureFolder(folder: FolderNode): FolderCapture {
    return new Map([...folder.unsynced].map(([name, history]) => [name, history.length]))
  }

  /** The sync of a folder reached these names; what they became after the capture is still unsynced. */
  persistFolder(folder: FolderNode, capture: FolderCapture, reaches: () => boolean): void {
    for (const [name, states] of capture) {
      const history = folder.unsynced.get(name)
      if (history === undefined || !reaches()) continue
      if (history.length > states) folder.unsynced.set(name, history.slice(states - 1))
      else folder.unsynced.delete(name)
    }
  }

  /** What a new process finds after the death of the old one: all of the cache. The old one keeps a disk nobody sees. */
  afterKill(): Disk {
    const after = new Disk(this.sectorBytes)
    after.#nextId = this.#nextId
    for (const [id, node] of this.nodes) {
      after.nodes.set(
        id,
        node.kind === 'file'
          ? {
              ...node,
              data: node.data.slice(),
              platter: node.platter.slice(),
              dirty: new Set(node.dirty),
              cuts: [...node.cuts],
            }
          : {
              kind: 'folder',
              entries: new Map(node.entries),
              unsynced: new Map([...node.unsynced].map(([name, history]) => [name, [...history]])),
            },
      )
    }
    return after
  }

  /** What is found when power comes back. `survival`: the odds of each sector and entry that was not synced. */
  afterPowerCut(random: RandomStream, survival: number): Disk {
    const after = new Disk(this.sectorBytes)
    after.#nextId = this.#nextId
    for (const [id, node] of this.nodes) {
      after.nodes.set(
        id,
        node.kind === 'file'
          ? this.#fileAfterPowerCut(node, random, survival)
          : folderAfterPowerCut(node, random, survival),
      )
    }
    const kept = after.reachable() // no process is left that could hold an unlinked file open
    for (const [id, node] of after.nodes) if (!kept.has(node)) after.nodes.delete(id)
    return after
  }

  #fileAfterPowerCut(file: FileNode, random: RandomStream, survival: number): FileNode {
    let sizeBytes = file.platterSizeBytes
    for (const cut of file.cuts) {
      if (random.float() >= survival) break // truncations of one file happen in order
      sizeBytes = Math.min(sizeBytes, cut.sizeBytes)
    }
    let data: Uint8Array = file.platter.slice()
    data.fill(0, sizeBytes)
    let highest = sizeBytes
    for (const sector of file.dirty) {
      if (random.float() >= survival) continue
      const start = sector * this.sectorBytes
      const bytes = this.#sector(file, sector)
      const end = start + bytes.length
      if (end > data.length) data = grown(data, end)
      data.set(bytes, start)
      highest = Math.max(highest, end)
    }
    if (highest > sizeBytes)
      sizeBytes = random.below(2) === 0 ? highest : sizeBytes + random.below(highest - sizeBytes + 1)
    data.fill(0, sizeBytes)
    const platter = data.slice()
    return { ...newFile(file.modifiedMs), data, sizeBytes, platter, platterSizeBytes: sizeBytes }
  }

  #soil(file: FileNode, start: number, end: number): void {
    for (let sector = Math.floor(start / this.sectorBytes); sector * this.sectorBytes < end; sector++)
      file.dirty.add(sector)
  }

  /** The sector as the cache has it, up to the end of the file. */
  #sector(file: FileNode, sector: number): Uint8Array {
    const start = sector * this.sectorBytes
    return file.data.subarray(start, Math.max(start, Math.min(start + this.sectorBytes, file.sizeBytes)))
  }

  #clean(file: FileNode, sector: number, bytes: Uint8Array): void {
    this.#toPlatter(file, sector, bytes)
    if (file.dirty.has(sector) && equal(bytes, this.#sector(file, sector))) file.dirty.delete(sector)
  }

  #toPlatter(file: FileNode, sector: number, bytes: Uint8Array): void {
    const start = sector * this.sectorBytes
    const end = Math.min(start + bytes.length, file.platterSizeBytes)
    if (end <= start) return
    if (end > file.platter.length) file.platter = grown(file.platter, end)
    file.platter.set(bytes.subarray(0, end - start), start)
  }

  #persistSize(file: FileNode, capture: Capture): void {
    for (const cut of file.cuts) {
      if (cut.number < capture.cutCount && cut.sizeBytes < file.platterSizeBytes) file.platter.fill(0, cut.sizeBytes)
    }
    file.cuts = file.cuts.filter((cut) => cut.number >= capture.cutCount)
    if (capture.sizeBytes > file.platter.length) file.platter = grown(file.platter, capture.sizeBytes)
    file.platterSizeBytes = capture.sizeBytes
  }
}

export interface Capture {
  readonly sectors: ReadonlyMap<number, Uint8Array>
  readonly sizeBytes: number
  /** Truncations up to here are part of it. */
  readonly cutCount: number
}

/** For each changed name, how many states it had had. */
export type FolderCapture = ReadonlyMap<string, number>

export function newFile(modifiedMs: number): FileNode {
  return {
    kind: 'file',
    data: new Uint8Array(0),
    sizeBytes: 0,
    modifiedMs,
    platter: new Uint8Array(0),
    platterSizeBytes: 0,
    dirty: new Set(),
    cuts: [],
    cutCount: 0,
  }
}

/** Each changed name is found in any one of the states it has had since the last sync of the folder. */
function folderAfterPowerCut(folder: FolderNode, random: RandomStream, survival: number): FolderNode {
  const entries = new Map(folder.entries)
  for (const [name, history] of folder.unsynced) {
    const survives = random.float() < survival
    const id = survives ? history[1 + random.below(history.length - 1)]! : history[0]!
    if (id === 0) entries.delete(name)
    else entries.set(name, id)
  }
  return { kind: 'folder', entries, unsynced: new Map() }
}

function grown(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const bigger = new Uint8Array(Math.max(sizeBytes, 2 * bytes.length, 256))
  bigger.set(bytes)
  return bigger
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
