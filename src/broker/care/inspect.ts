// Looks at a data directory that nobody holds, and changes nothing: the log is opened over an overlay, every byte of the
// journal is read and checked, and what a start would do is told.
import { FsError, type World } from '../../world/world.ts'
import { type Broker, openBroker } from '../broker.ts'
import { DataDirectoryError } from '../data-directory.ts'
import { JournalError } from '../journal/journal-error.ts'
import { startLsnOfName } from '../journal/layout.ts'
import { startLsnOfSeal } from '../journal/seal.ts'
import { readManifest } from '../settled/manifest.ts'
import { keeperInThisThread } from '../settled/same-thread.ts'
import type { Inventory } from './inventory.ts'
import { overlayFileSystem } from './overlay-files.ts'
import { planSettledRepair } from './repair-settled.ts'

export interface Inspection {
  readonly dataDir: string
  /** What keeps it from being opened at all; null: it opens. */
  readonly problem: {
    readonly code: string
    readonly message: string
    readonly path: string | null
    readonly cure: string | null
  } | null
  /** What opens with less than all of it; null: all that was durable is there. */
  readonly damage: { readonly message: string; readonly cure: string } | null
  /** Of the folder: format number as the file says it, or null. */
  readonly format: number | null
  readonly segments: readonly { readonly file: string; readonly startLsn: number; readonly bytes: number }[]
  /** Files and folders that are none of ours, in the folders of the log. */
  readonly strangers: readonly string[]
  /** Snapshots of jobs, by folder. */
  readonly snapshots: readonly { readonly job: string; readonly files: readonly string[] }[]
  readonly bytes: number
  /** Offsets in settled files that cannot be read. */
  readonly settledLoss: readonly {
    readonly topic: string
    readonly partition: number
    readonly from: number
    readonly to: number
  }[]
  /** Null with a problem. */
  readonly inventory: Inventory | null
}

export const damageCure =
  'Restore the data directory from a backup (millrace restore), or accept the loss: millrace broker repair shows what it would be.'

/** Rejects with what is no trouble of the directory (a bug). */
export async function inspectDataDirectory(world: World, dataDir: string): Promise<Inspection> {
  const { fs } = world
  const found = fs.stat(dataDir)
  const nothing = {
    dataDir,
    damage: null,
    format: null,
    segments: [],
    strangers: [],
    snapshots: [],
    bytes: 0,
    settledLoss: [],
    inventory: null,
  }
  if (found === null || !found.isFolder) {
    const message = found === null ? `there is no data directory ${dataDir}` : `${dataDir} is a file`
    return {
      ...nothing,
      problem: { code: 'ENOENT', message, path: dataDir, cure: 'name the folder where a Millrace keeps its data' },
    }
  }
  try {
    const looked = {
      dataDir,
      format: formatOf(world, dataDir),
      segments: segmentsOf(world, dataDir),
      strangers: strangersOf(world, dataDir),
      snapshots: snapshotsOf(world, dataDir),
      bytes: bytesBelow(world, dataDir),
    }
    if (fs.stat(`${dataDir}/format`) === null && looked.segments.length === 0) {
      const message = `${dataDir} holds no data of a Millrace (it has no file \`format\`)`
      return { ...nothing, ...looked, problem: { code: 'EMPTY', message, path: dataDir, cure: null } }
    }
    return { ...looked, ...(await openedOver(world, dataDir)) }
  } catch (error) {
    return { ...nothing, problem: problemOf(error) }
  }
}

type Opened = Pick<Inspection, 'problem' | 'damage' | 'inventory' | 'settledLoss'>
async function openedOver(world: World, dataDir: string): Promise<Opened> {
  try {
    const broker = await openOver(world, dataDir)
    const inventory = broker.inventory()
    const trouble = broker.trouble()
    await broker.close()
    const settledLoss = await settledLossOf(world, dataDir, inventory)
    const messages = trouble === null ? [] : [trouble.message]
    if (settledLoss.length > 0) {
      const { topic, partition, from, to } = settledLoss[0]!
      const more = settledLoss.length > 1 ? `, and ${settledLoss.length - 1} more stretches` : ''
      messages.push(
        `Settled files are damaged: offsets ${from} to ${to - 1} of ${topic}-${partition} cannot be read${more}.`,
      )
    }
    const damage = messages.length === 0 ? null : { message: messages.join(' '), cure: damageCure }
    return { problem: null, damage, inventory, settledLoss }
  } catch (error) {
    return { problem: problemOf(error), damage: null, inventory: null, settledLoss: [] }
  }
}
async function settledLossOf(world: World, dataDir: string, inventory: Inventory): Promise<Inspection['settledLoss']> {
  const folder = `${dataDir}/settled`
  if (world.fs.stat(folder) === null) return []
  const manifest = readManifest(world.fs, folder, new Uint8Array(Buffer.from(inventory.clusterId, 'base64url')))
  if (manifest === null) return []
  const names = new Map(inventory.topics.map(({ key, name }) => [key, name]))
  const { losses } = await planSettledRepair(world, folder, manifest)
  return losses.map(({ topicKey, partition, from, to }) => {
    return { topic: names.get(topicKey) ?? `(topic ${topicKey})`, partition, from, to }
  })
}

/** The broker of a data directory, over an overlay and without its shortcuts: whatever it does, the disk stays as it is. */
export async function openOver(world: World, dataDir: string): Promise<Broker> {
  const fs = overlayFileSystem(world.fs, () => world.clock.nowMs())
  const journal = `${dataDir}/journal`
  // Without its seal each segment is read through, and every payload checked.
  if (fs.stat(journal) !== null) {
    for (const name of fs.list(journal)) if (startLsnOfSeal(name) !== null) fs.unlink(`${journal}/${name}`)
  }
  const over = { ...world, fs }
  // A thread of its own would see the disk and not the overlay.
  const looking = { ...over, threads: keeperInThisThread(over) }
  return openBroker(looking, { dataDir, durability: 'power', freeBytesMin: 0, retention: { settles: false } })
}

export function problemOf(error: unknown): NonNullable<Inspection['problem']> {
  if (error instanceof DataDirectoryError) {
    const { code, message, path, cure } = error
    return { code, message, path, cure }
  }
  if (error instanceof JournalError) return { code: error.code, message: error.message, path: null, cure: null }
  if (error instanceof FsError) {
    const cure = error.code === 'EACCES' || error.code === 'EPERM' ? 'look as a user who may read it' : null
    return { code: error.code, message: error.message, path: error.path, cure }
  }
  throw error
}

// --- What lies there ---

function formatOf(world: World, dataDir: string): number | null {
  const path = `${dataDir}/format`
  if (world.fs.stat(path) === null) return null
  const file = world.fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(4096)
    const text = new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0)))
    const format = /"format":(\d{1,9})/.exec(text)?.[1]
    return format === undefined ? null : Number(format)
  } finally {
    file.close()
  }
}
function segmentsOf(world: World, dataDir: string): Inspection['segments'] {
  const folder = `${dataDir}/journal`
  if (world.fs.stat(folder) === null) return []
  return world.fs.list(folder).flatMap((file) => {
    const startLsn = startLsnOfName(file)
    return startLsn === null ? [] : [{ file, startLsn, bytes: world.fs.stat(`${folder}/${file}`)?.sizeBytes ?? 0 }]
  })
}
/** Of the data directory's own level: other rooms and people may keep things there, so this only names them. */
const ours = new Set([
  'lock',
  'format',
  'epoch',
  'journal',
  'settled',
  'quarantine',
  'reserve',
  'jobs',
  'running.json',
  'backup.staging',
])
function strangersOf(world: World, dataDir: string): string[] {
  return world.fs.list(dataDir).filter((name) => !ours.has(name) && !name.startsWith('lock.stale.'))
}
function snapshotsOf(world: World, dataDir: string): Inspection['snapshots'] {
  const { fs } = world
  const folder = `${dataDir}/jobs`
  if (fs.stat(folder)?.isFolder !== true) return []
  return fs
    .list(folder)
    .filter((job) => fs.stat(`${folder}/${job}`)?.isFolder === true)
    .map((job) => ({ job, files: fs.list(`${folder}/${job}`) }))
}
function bytesBelow(world: World, path: string): number {
  const found = world.fs.stat(path)
  if (found === null) return 0
  if (!found.isFolder) return found.sizeBytes
  return world.fs.list(path).reduce((sum, name) => sum + bytesBelow(world, `${path}/${name}`), 0)
}
