// Backups: all of a log at one LSN, as hard links where the disk can, with a checksum of every file; and back again.
//
//   <backup>/format, epoch, journal/…, settled/…, jobs/…   as in the data directory
//   <backup>/backup.json   written last: JSON {millrace: "backup", backup: 1, clusterId, lsn, createdMs,
//                          files: [{path, bytes, sha256}]}; changing it raises `backup`
//
// What a running log still changes is linked in one turn, so that nothing moves meanwhile; only the journal's last segment
// grows, and is copied up to the LSN. Linked files share their bytes with the log: a backup protects from a lost disk once
// it is copied to another one.
import { createHash } from 'node:crypto'
import { assert } from '../../std/assert.ts'
import { type FileSystem, FsError, type World } from '../../world/world.ts'
import { idText, takeDataDirectory } from '../data-directory.ts'
import { FileWindow, readFully, writeFully } from '../journal/file-bytes.ts'
import { entryHeaderBytes, fileBytesOf, segmentHeaderBytes, startLsnOfName } from '../journal/layout.ts'
import { windowBytes, withFile } from '../journal/survey.ts'
import { segmentHeaderOf, walkEntries } from '../journal/walk.ts'
import { settledFileBytes, settledName } from '../settled/file-format.ts'
import { readManifest } from '../settled/manifest.ts'
import { copyFile } from './copy-file.ts'

export interface Backup {
  readonly folder: string
  readonly clusterId: string
  /** The last LSN that is in it; null: of a stopped log, all that is there. */
  readonly lsn: number | null
  readonly createdMs: number
  readonly files: number
  readonly bytes: number
}
interface Manifest {
  readonly millrace: 'backup'
  readonly backup: number
  readonly clusterId: string
  readonly lsn: number | null
  readonly createdMs: number
  readonly files: readonly BackupFile[]
}
interface BackupFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

const backupFormat = 1
const manifestName = 'backup.json'
/** Where links are made first when the backup goes to another disk. */
export const stagingName = 'backup.staging'
const filesMax = 1_000_000

/** What is wrong with a backup, or with the place for it. Nothing was changed. */
export class BackupError extends Error {
  override name = 'BackupError'
  readonly code: 'NOT_EMPTY' | 'NO_BACKUP' | 'NEWER_FORMAT' | 'DAMAGED'
  readonly path: string
  readonly cure: string
  constructor(code: BackupError['code'], path: string, message: string, cure: string) {
    super(message)
    this.code = code
    this.path = path
    this.cure = cure
  }
}

/** How the log stands. Of a stopped one all is taken: its durable LSN is beyond any. */
export interface LogEnd {
  readonly clusterId: string
  readonly durableLsn: number
}

/** Of a data directory that nobody holds: takes it meanwhile. Rejects as `backupFiles` does, and with a DataDirectoryError. */
export async function backupStopped(world: World, dataDir: string, target: string): Promise<Backup> {
  const { fs } = world
  if (fs.stat(`${dataDir}/format`) === null) {
    throw new BackupError(
      'NO_BACKUP',
      dataDir,
      `${dataDir} is no data directory of a Millrace`,
      'name it with --data-dir',
    )
  }
  const directory = await takeDataDirectory(world, dataDir)
  try {
    const clusterId = idText(directory.id)
    return await backupFiles(world, dataDir, target, () => ({ clusterId, durableLsn: Number.POSITIVE_INFINITY }))
  } finally {
    directory.release()
  }
}

/** Rejects with a BackupError NOT_EMPTY, or an FsError; then what was begun is removed. */
export async function backupFiles(world: World, dataDir: string, target: string, end: () => LogEnd): Promise<Backup> {
  const { fs } = world
  await beginFolder(fs, target)
  const staging = `${dataDir}/${stagingName}`
  try {
    // In this turn, before anything is awaited: the log stands still for it.
    const log = end()
    const linked = linkAll(fs, dataDir, target)
    const links = linked ? target : staging
    if (!linked) {
      fs.removeTree(staging)
      fs.mkdir(staging)
      assert(linkAll(fs, dataDir, staging), 'a folder of the data directory is on its disk')
    }
    const last = lastSegment(fs, links)
    const lengths = settledLengths(fs, links, log.clusterId)
    // What is in no manifest is being written, or left over.
    for (const path of filesBelow(fs, links, 'settled')) {
      if (path.endsWith('.settled') && !lengths.has(path)) fs.unlink(`${links}/${path}`)
    }
    const paths = filesBelow(fs, links, '')
    for (const path of paths) {
      const isLast = path === last
      const grows = isLast || lengths.get(path)?.closed === false
      if (links === target && !grows) continue
      makeParents(fs, target, path)
      // Written to by the log still: a copy, up to where all is durable.
      const to = `${target}/${path}${links === target ? '.copy' : ''}`
      await copyFile(world, `${links}/${path}`, to, lengths.get(path)?.bytes)
      if (isLast) cutAt(fs, to, log.durableLsn)
      if (links === target) fs.rename(to, `${target}/${path}`)
    }
    const files: BackupFile[] = []
    for (const path of paths)
      files.push(await sumOf(world, target, path, lengths.get(path)?.bytes ?? Number.POSITIVE_INFINITY))
    const lsn = Number.isFinite(log.durableLsn) ? log.durableLsn : null
    const createdMs = world.clock.nowMs()
    const manifest: Manifest = {
      millrace: 'backup',
      backup: backupFormat,
      clusterId: log.clusterId,
      lsn,
      createdMs,
      files,
    }
    await syncFolders(fs, target, paths)
    await writeWhole(fs, `${target}/${manifestName}`, JSON.stringify(manifest))
    await fs.syncFolder(target)
    return summary(target, manifest)
  } catch (error) {
    fs.removeTree(target)
    throw error
  } finally {
    fs.removeTree(staging)
  }
}
function summary(folder: string, { clusterId, lsn, createdMs, files }: Manifest): Backup {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { folder, clusterId, lsn, createdMs, files: files.length, bytes }
}

async function beginFolder(fs: FileSystem, target: string): Promise<void> {
  const found = fs.stat(target)
  if (found !== null && (!found.isFolder || fs.list(target).length > 0)) {
    throw new BackupError(
      'NOT_EMPTY',
      target,
      `${target} is not an empty folder`,
      'name a folder that is not there yet',
    )
  }
  if (found === null) fs.mkdir(target)
  const slash = target.lastIndexOf('/')
  await fs.syncFolder(slash < 0 ? '.' : slash === 0 ? '/' : target.slice(0, slash))
}

// --- Which files, all in one turn ---

const linkTriesMax = 20
/** False: the folder is on another disk, or this one has no hard links; nothing is left in it. */
function linkAll(fs: FileSystem, dataDir: string, folder: string): boolean {
  for (let attempt = 0; ; attempt++) {
    try {
      for (const path of filesOfLog(fs, dataDir)) {
        makeParents(fs, folder, path)
        fs.link(`${dataDir}/${path}`, `${folder}/${path}`)
      }
      return true
    } catch (error) {
      for (const name of fs.list(folder)) fs.removeTree(`${folder}/${name}`)
      if (!(error instanceof FsError)) throw error
      if (['EXDEV', 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(error.code)) return false
      // A file that was settled or dropped by the thread beside us between the look and the link.
      if (error.code !== 'ENOENT' || attempt >= linkTriesMax) throw error
    }
  }
}
/** Of the settled files that the manifest names: how far each is valid, and whether it still grows. */
function settledLengths(
  fs: FileSystem,
  root: string,
  clusterId: string,
): Map<string, { readonly bytes: number; readonly closed: boolean }> {
  const lengths = new Map<string, { readonly bytes: number; readonly closed: boolean }>()
  const folder = `${root}/settled`
  if (fs.stat(folder) === null) return lengths
  const manifest = readManifest(fs, folder, new Uint8Array(Buffer.from(clusterId, 'base64url')))
  for (const { files } of manifest?.partitions ?? []) {
    for (const file of files) {
      lengths.set(`settled/${settledName(file)}`, { bytes: settledFileBytes(file), closed: file.closed })
    }
  }
  return lengths
}
/** The settled files' manifest first: what it names is still there when it is linked, or all is begun anew. */
function filesOfLog(fs: FileSystem, dataDir: string): string[] {
  const paths: string[] = []
  for (const folder of ['settled', 'journal', 'jobs']) {
    for (const path of filesBelow(fs, dataDir, folder)) if (!path.includes('.tmp')) paths.push(path)
  }
  paths.sort((a, b) => Number(b.startsWith('settled/manifest')) - Number(a.startsWith('settled/manifest')))
  for (const name of ['epoch', 'format']) if (fs.stat(`${dataDir}/${name}`) !== null) paths.push(name)
  return paths
}
/** Paths of all files in `root/under`, relative to the root. */
function filesBelow(fs: FileSystem, root: string, under: string): string[] {
  const path = under === '' ? root : `${root}/${under}`
  const found = fs.stat(path)
  if (found === null) return []
  if (!found.isFolder) return [under]
  return fs.list(path).flatMap((name) => filesBelow(fs, root, under === '' ? name : `${under}/${name}`))
}
function makeParents(fs: FileSystem, root: string, path: string): void {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const folder = `${root}/${path.slice(0, at)}`
    if (fs.stat(folder) === null) fs.mkdir(folder)
  }
}
async function syncFolders(fs: FileSystem, root: string, paths: readonly string[]): Promise<void> {
  const folders = new Set<string>()
  for (const path of paths) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
  }
  for (const folder of folders) await fs.syncFolder(`${root}/${folder}`)
}

function lastSegment(fs: FileSystem, root: string): string | null {
  const names = filesBelow(fs, root, 'journal').filter((path) => startLsnOfName(path.slice('journal/'.length)) !== null)
  return names.at(-1) ?? null
}
/** Entries after the LSN go; what is left behind the last one of a block is what a crash leaves. */
function cutAt(fs: FileSystem, path: string, durableLsn: number): void {
  if (!Number.isFinite(durableLsn)) return
  const sizeBytes = fs.stat(path)?.sizeBytes ?? 0
  const end = withFile(fs, path, (file) => {
    const window = new FileWindow(file, sizeBytes, windowBytes)
    const identity = segmentHeaderOf(window)
    let last = segmentHeaderBytes
    const visit = ({ lsn, payloadBytes }: { lsn: number; payloadBytes: number }, position: number): void => {
      if (lsn <= durableLsn) last = position + entryHeaderBytes + payloadBytes
    }
    if (identity !== null) walkEntries({ window, identity, payloads: 'unread', resume: false, visit })
    return last
  })
  if (fileBytesOf(end) >= sizeBytes) return
  const file = fs.open(path, 'write')
  file.truncate(fileBytesOf(end))
  file.close()
}

// --- Checksums ---

async function sumOf(world: World, root: string, path: string, bytesMax: number): Promise<BackupFile> {
  const file = world.fs.open(`${root}/${path}`, 'read')
  try {
    const hash = createHash('sha256')
    const bytes = Math.min(file.sizeBytes(), bytesMax)
    const piece = new Uint8Array(1 << 20)
    for (let at = 0; at < bytes; ) {
      const count = readFully(file, piece.subarray(0, Math.min(piece.length, bytes - at)), at)
      if (count === 0) break
      hash.update(piece.subarray(0, count))
      at += count
      await new Promise<void>((resolve) => world.clock.soon(resolve))
    }
    return { path, bytes, sha256: hash.digest('hex') }
  } finally {
    file.close()
  }
}

// --- Back again ---

/** Verifies the backup and copies it into a folder that is empty or not there. Rejects with a BackupError or an FsError. */
export async function restoreBackup(world: World, source: string, dataDir: string): Promise<Backup> {
  const { fs } = world
  const manifest = readManifestOf(fs, source)
  for (const file of manifest.files) {
    const path = `${source}/${file.path}`
    const found = fs.stat(path) === null ? null : await sumOf(world, source, file.path, file.bytes)
    if (found?.bytes !== file.bytes || found.sha256 !== file.sha256) {
      const what = found === null ? 'is missing' : 'is not as it was when the backup was made'
      throw new BackupError('DAMAGED', path, `${path} ${what}`, 'take another backup; nothing was restored')
    }
  }
  await beginFolder(fs, dataDir)
  // Until the file `format` is there, the folder is no data directory: it comes last.
  const paths = manifest.files.map(({ path }) => path).filter((path) => path !== 'format')
  try {
    for (const { path, bytes } of manifest.files) {
      if (path === 'format') continue
      makeParents(fs, dataDir, path)
      await copyFile(world, `${source}/${path}`, `${dataDir}/${path}`, bytes)
    }
    await syncFolders(fs, dataDir, paths)
    await fs.syncFolder(dataDir)
    await copyFile(world, `${source}/format`, `${dataDir}/format`)
    await fs.syncFolder(dataDir)
  } catch (error) {
    fs.removeTree(dataDir)
    throw error
  }
  return summary(source, manifest)
}

function readManifestOf(fs: FileSystem, source: string): Manifest {
  const path = `${source}/${manifestName}`
  const bad = (why: string): BackupError =>
    new BackupError(
      'NO_BACKUP',
      path,
      `${source} is no whole backup: ${why}`,
      'name the folder that millrace backup made',
    )
  const found = fs.stat(path)
  if (found === null) throw bad(`there is no ${manifestName}, which is written last`)
  const bytes = withFile(fs, path, (file) => {
    const into = new Uint8Array(found.sizeBytes)
    return into.subarray(0, readFully(file, into, 0))
  })
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw bad(`${manifestName} is not JSON`)
  }
  const { millrace, backup, clusterId, lsn, createdMs, files } = { ...Object(value) } as Record<string, unknown>
  if (millrace !== 'backup' || typeof backup !== 'number') throw bad(`${manifestName} is not of a backup`)
  if (backup > backupFormat) {
    const message = `${path} is of backup format ${backup}; this Millrace reads ${backupFormat}`
    throw new BackupError('NEWER_FORMAT', path, message, 'restore it with the newer Millrace that made it')
  }
  if (
    typeof clusterId !== 'string' ||
    typeof createdMs !== 'number' ||
    !Array.isArray(files) ||
    files.length > filesMax
  ) {
    throw bad(`${manifestName} lacks its parts`)
  }
  const listed = files.map((each: unknown): BackupFile => {
    const { path, bytes, sha256 } = { ...Object(each) } as Record<string, unknown>
    const isInside = typeof path === 'string' && !path.startsWith('/') && !path.split('/').includes('..')
    if (!isInside || typeof bytes !== 'number' || typeof sha256 !== 'string') throw bad(`${manifestName} names no file`)
    return { path, bytes, sha256 }
  })
  if (!listed.some(({ path }) => path === 'format')) throw bad('the file `format` is not in it')
  return { millrace, backup, clusterId, lsn: typeof lsn === 'number' ? lsn : null, createdMs, files: listed }
}

async function writeWhole(fs: FileSystem, path: string, text: string): Promise<void> {
  const file = fs.open(path, 'create')
  try {
    writeFully(file, new TextEncoder().encode(`${text}\n`), 0)
    await file.sync()
  } finally {
    file.close()
  }
}
