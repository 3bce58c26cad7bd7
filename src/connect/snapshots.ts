// Snapshots of a job's state on disk: they only shorten recovery, the log is the truth (reliability: commit and snapshot).
//
//   <folder>/chk-<n>.tmp/ -> state, MANIFEST (length, SHA-256, cursor) -> fsync both -> fsync folder
//                         -> rename chk-<n> -> fsync parent -> older ones beyond `SNAPSHOTS_KEPT` go
//
// A snapshot is taken only at a durable commit, so its cursor is never ahead of the job's committed one.
import { createHash } from 'node:crypto'
import type { Cursor } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import { FsError, type World } from '../world/world.ts'

export interface Snapshot {
  readonly cursor: Cursor
  readonly state: Uint8Array
}
export interface SnapshotStore {
  /** The snapshots whose files verify and that belong to these plans and this log, newest first. */
  stored(): Iterable<Snapshot>
  /** Resolves when the snapshot would survive a power cut. One at a time. */
  save(snapshot: Snapshot): Promise<void>
}

const SNAPSHOTS_KEPT = 3
const FORMAT_VERSION = 1

interface Manifest {
  readonly formatVersion: number
  /** Of the log and the plans: a snapshot of others is not ours. */
  readonly identity: string
  readonly cursor: string
  readonly stateBytes: number
  readonly sha256: string
}

/** `identity` names the log and the plans: snapshots written under another one are ignored. */
export function openSnapshots(world: World, folder: string, identity: string): SnapshotStore {
  const { fs } = world
  makeFolders(world, folder)
  const numbers = (): number[] =>
    fs
      .list(folder)
      .map((name) => /^chk-(\d+)$/.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => b - a)

  let next = (numbers()[0] ?? 0) + 1
  // Left by a process that died over it.
  for (const name of fs.list(folder)) if (/^chk-\d+\.tmp$/.test(name)) fs.removeTree(`${folder}/${name}`)

  return {
    *stored() {
      for (const number of numbers()) {
        const found = load(world, `${folder}/chk-${number}`, identity)
        if (found !== null) yield found
      }
    },
    async save(snapshot) {
      const number = next++
      const temporary = `${folder}/chk-${number}.tmp`
      fs.removeTree(temporary)
      try {
        fs.mkdir(temporary)
        await write(temporary, snapshot)
        fs.rename(temporary, `${folder}/chk-${number}`)
      } catch (error) {
        // On a full disk a piece of a snapshot is only in the way.
        if (error instanceof FsError) fs.removeTree(temporary)
        throw error
      }
      await fs.syncFolder(folder)
      for (const old of numbers().slice(SNAPSHOTS_KEPT)) fs.removeTree(`${folder}/chk-${old}`)
    },
  }

  async function write(temporary: string, snapshot: Snapshot): Promise<void> {
    const manifest: Manifest = {
      formatVersion: FORMAT_VERSION,
      identity,
      cursor: snapshot.cursor,
      stateBytes: snapshot.state.length,
      sha256: sha256(snapshot.state),
    }
    await writeWhole(world, `${temporary}/state`, snapshot.state)
    await writeWhole(world, `${temporary}/MANIFEST`, new TextEncoder().encode(JSON.stringify(manifest)))
    await fs.syncFolder(temporary)
  }
}

function load(world: World, folder: string, identity: string): Snapshot | null {
  const manifestBytes = readWhole(world, `${folder}/MANIFEST`)
  if (manifestBytes === null) return null
  const manifest = parseManifest(manifestBytes)
  if (manifest === null || manifest.formatVersion !== FORMAT_VERSION || manifest.identity !== identity) return null
  const state = readWhole(world, `${folder}/state`)
  if (state === null || state.length !== manifest.stateBytes || sha256(state) !== manifest.sha256) return null
  return { cursor: manifest.cursor as Cursor, state }
}

function parseManifest(bytes: Uint8Array): Manifest | null {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Manifest
  } catch (error) {
    // A torn or flipped manifest is an older snapshot's turn, not an error: the log can rebuild everything.
    if (error instanceof SyntaxError || error instanceof TypeError) return null
    throw error
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Creates the folder and its missing parents. */
export function makeFolders(world: World, folder: string): void {
  const parts = folder.split('/')
  for (let i = 1; i <= parts.length; i++) {
    const path = parts.slice(0, i).join('/')
    if (path !== '' && path !== '.' && world.fs.stat(path) === null) world.fs.mkdir(path)
  }
}

async function writeWhole(world: World, path: string, bytes: Uint8Array): Promise<void> {
  const file = world.fs.open(path, 'create')
  try {
    let position = 0
    while (position < bytes.length) {
      const written = file.write(bytes.subarray(position), position)
      assert(written > 0, `a write of ${bytes.length - position} bytes to ${path} took none`)
      position += written
    }
    await file.sync()
  } finally {
    file.close()
  }
}

function readWhole(world: World, path: string): Uint8Array | null {
  if (world.fs.stat(path) === null) return null
  const file = world.fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    let position = 0
    while (position < bytes.length) {
      const got = file.read(bytes.subarray(position), position)
      if (got === 0) return null
      position += got
    }
    return bytes
  } finally {
    file.close()
  }
}
