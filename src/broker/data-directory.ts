// The data directory as a whole: one process at a time (lock), one known format, one identity.
//
//   lock     JSON {pid, bootId, token, sinceMs}: who holds the directory. Stale if that process or that boot is gone.
//   format   JSON {millrace: "data directory", format: 1, clusterId, createdMs}; changing the layout raises `format`
//   epoch    the leader epoch of the latest start (leader-epochs.ts)
//   journal/ the write-ahead journal (journal/layout.ts)
//   settled/ what has left it: one file series per partition (settled/file-format.ts, settled/manifest.ts)
//   quarantine/ damaged files: of segments that were settled, or put aside by a repair (care/repair.ts); read by nobody
//   backup.staging/ links to the files of a backup that is being made (care/backup.ts)
//   reserve  bytes without meaning, deleted when the disk is full (journal/reserve.ts)
//
// Other rooms keep folders of their own beside these.
import { type FileSystem, FsError, type World } from '../world/world.ts'
import { readFully, writeFully } from './journal/file-bytes.ts'
import { giveUpReserve } from './journal/reserve.ts'
import { beginEpoch } from './leader-epochs.ts'

export const dataFormat = 1

/** What a start may write: the copy of the journal's end, and small files. */
const startBytesMin = 16 * 1024 * 1024
const reserveOf = (path: string): string => `${path}/reserve`

/** What keeps a data directory from being opened. Nothing was changed. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError'
  readonly code: 'DATA_DIRECTORY_IN_USE' | 'NEWER_FORMAT' | 'BROKEN_FORMAT'
  readonly path: string
  readonly cure: string
  constructor(code: DataDirectoryError['code'], path: string, message: string, cure: string) {
    super(message)
    this.code = code
    this.path = path
    this.cure = cure
  }
}

export interface DataDirectory {
  /** 16 bytes, made with the directory. */
  readonly id: Uint8Array
  /** `id` as Kafka writes UUIDs: 22 characters of base64url. */
  readonly clusterId: string
  readonly journalFolder: string
  readonly settledFolder: string
  readonly quarantine: string
  /** Of this start: no earlier one had it (leader-epochs.ts). */
  readonly leaderEpoch: number
  /** Path of the reserve. */
  readonly reserve: string
  /** Gives the lock back. */
  release(): void
}

/** Makes the directory if it is not there and takes it. Rejects with a DataDirectoryError or an FsError. */
export async function takeDataDirectory(world: World, path: string): Promise<DataDirectory> {
  const { fs } = world
  // The format file is written after everything above it is durable: where it is, the folders need no more care.
  if (fs.stat(`${path}/format`) === null) await makeFolder(fs, path)
  // A start has to write a little itself: on a full disk the reserve is for that too.
  else if (fs.space(path).freeBytes < startBytesMin) giveUpReserve(fs, reserveOf(path))
  const release = takeLock(world, path)
  try {
    // Links that a backup made and did not come to remove.
    fs.removeTree(`${path}/backup.staging`)
    const journalFolder = `${path}/journal`
    const settledFolder = `${path}/settled`
    for (const folder of [journalFolder, settledFolder]) if (fs.stat(folder) === null) fs.mkdir(folder)
    const id = await readOrMakeFormat(world, path)
    const leaderEpoch = await beginEpoch(world, path)
    // Always: an earlier start may have died between making something here and this.
    await fs.syncFolder(path)
    const folders = { journalFolder, settledFolder, quarantine: `${path}/quarantine` }
    return { id, clusterId: idText(id), ...folders, leaderEpoch, reserve: reserveOf(path), release }
  } catch (error) {
    release()
    throw error
  }
}

/** Makes the folder and those above it as needed; all of them survive a power cut when it resolves. */
async function makeFolder(fs: FileSystem, path: string): Promise<void> {
  if (path === '' || path === '.') return
  const slash = path.lastIndexOf('/')
  const parent = slash < 0 ? '.' : path.slice(0, slash)
  await makeFolder(fs, parent)
  if (fs.stat(path) === null) fs.mkdir(path)
  try {
    await fs.syncFolder(parent === '' ? '/' : parent)
  } catch (error) {
    // A folder we may not open is one we have made nothing in.
    if (!(error instanceof FsError) || (error.code !== 'EACCES' && error.code !== 'EPERM')) throw error
  }
}

// --- The lock ---

interface Holder {
  readonly pid: number
  readonly bootId: string
  /** Of the process: an id may come back to another one. Empty when the system does not tell. */
  readonly birth: string
  readonly token: string
}
/** Locks this process holds: its own process id in a lock file that is not among them was left by an earlier process. */
const heldTokens = new Set<string>()

function takeLock(world: World, folder: string): () => void {
  const { fs, host } = world
  const path = `${folder}/lock`
  const token = Buffer.from(world.random.fork('lock').fork(String(world.clock.nowMs())).fill(new Uint8Array(12)))
  const mine: Holder = {
    pid: host.pid,
    bootId: host.bootId,
    birth: host.birthOf(host.pid) ?? '',
    token: token.toString('hex'),
  }
  const text = JSON.stringify({ ...mine, sinceMs: world.clock.nowMs() })
  for (let attempt = 0; ; attempt++) {
    try {
      const file = fs.open(path, 'create')
      try {
        writeFully(file, new TextEncoder().encode(text), 0)
      } finally {
        file.close()
      }
      break
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'EEXIST') throw error
      const found = readText(fs, path)
      const holder = holderOf(found)
      const live = holder !== null && holder.bootId === host.bootId && isAnother(world, holder)
      if (live || attempt >= 3) throw inUse(folder, holder)
      // A stale lock is moved aside first: of two starts that both see it only one can move it.
      const aside = `${path}.stale.${mine.token}`
      moveAside(fs, path, aside)
      if (fs.stat(aside) !== null && readText(fs, aside) !== found) {
        fs.rename(aside, path)
        throw inUse(folder, null)
      }
      if (fs.stat(aside) !== null) fs.unlink(aside)
    }
  }
  heldTokens.add(mine.token)
  return () => {
    if (!heldTokens.delete(mine.token)) return
    if (holderOf(readText(fs, path))?.token === mine.token) fs.unlink(path)
  }
}
function isAnother(world: World, holder: Holder): boolean {
  const { host } = world
  if (holder.pid === host.pid) return heldTokens.has(holder.token)
  return (
    host.isAlive(holder.pid) && (holder.birth === '' || (host.birthOf(holder.pid) ?? holder.birth) === holder.birth)
  )
}
function moveAside(fs: FileSystem, from: string, to: string): void {
  try {
    fs.rename(from, to)
  } catch (error) {
    if (!(error instanceof FsError) || error.code !== 'ENOENT') throw error
  }
}
function inUse(folder: string, holder: Holder | null): DataDirectoryError {
  const who = holder === null ? 'another process' : `process ${holder.pid}`
  return new DataDirectoryError(
    'DATA_DIRECTORY_IN_USE',
    folder,
    `the data directory ${folder} is in use by ${who}`,
    'use the Millrace that runs there, stop it, or give another --data-dir',
  )
}
function holderOf(text: string | null): Holder | null {
  const value = parseObject(text)
  if (value === null) return null
  const { pid, bootId, birth, token } = value
  if (typeof pid !== 'number' || typeof bootId !== 'string' || typeof token !== 'string') return null
  return { pid, bootId, birth: typeof birth === 'string' ? birth : '', token }
}

// --- The format file ---

async function readOrMakeFormat(world: World, folder: string): Promise<Uint8Array> {
  const { fs } = world
  const path = `${folder}/format`
  const text = readText(fs, path)
  if (text !== null) return checkFormat(path, text)
  if (fs.stat(`${folder}/journal`) !== null && fs.list(`${folder}/journal`).length > 0) {
    throw new DataDirectoryError(
      'BROKEN_FORMAT',
      path,
      `${path} is missing, though ${folder}/journal holds a journal`,
      'restore the file `format` from a backup, or give another --data-dir',
    )
  }
  const id = world.random.fork('cluster id').fill(new Uint8Array(16))
  const content = JSON.stringify({
    millrace: 'data directory',
    format: dataFormat,
    clusterId: idText(id),
    createdMs: world.clock.nowMs(),
  })
  const temporary = `${path}.tmp`
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const file = fs.open(temporary, 'create')
  try {
    writeFully(file, new TextEncoder().encode(`${content}\n`), 0)
    await file.sync()
  } finally {
    file.close()
  }
  fs.rename(temporary, path)
  return id
}
function checkFormat(path: string, text: string): Uint8Array {
  const value = parseObject(text)
  const format = value?.format
  if (typeof format === 'number' && format > dataFormat) {
    throw new DataDirectoryError(
      'NEWER_FORMAT',
      path,
      `${path} says format ${format}; this Millrace knows format ${dataFormat}`,
      'start the newer Millrace that wrote it, or give another --data-dir',
    )
  }
  const clusterId = value?.clusterId
  const id = typeof clusterId === 'string' ? new Uint8Array(Buffer.from(clusterId, 'base64url')) : null
  if (format !== dataFormat || id === null || id.length !== 16) {
    throw new DataDirectoryError(
      'BROKEN_FORMAT',
      path,
      `${path} is not a format file: ${text.slice(0, 100)}`,
      'restore it from a backup, or give another --data-dir',
    )
  }
  return id
}

export function idText(id: Uint8Array): string {
  return Buffer.from(id).toString('base64url')
}
function parseObject(text: string | null): Readonly<Record<string, unknown>> | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
function readText(fs: FileSystem, path: string): string | null {
  if (fs.stat(path) === null) return null
  try {
    const file = fs.open(path, 'read')
    try {
      const bytes = new Uint8Array(Math.min(file.sizeBytes(), 64 * 1024))
      return new TextDecoder().decode(bytes.subarray(0, readFully(file, bytes, 0)))
    } finally {
      file.close()
    }
  } catch (error) {
    if (error instanceof FsError && error.code === 'ENOENT') return null
    throw error
  }
}
