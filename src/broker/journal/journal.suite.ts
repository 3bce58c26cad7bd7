// What the journal's tests stand on: a world whose disk is memory, tells what it was asked, and fails when told to.
import { randomStream } from '../../std/random.ts'
import { nodeWorld } from '../../world/node.ts'
import { type File, type FileSystem, FsError, type World } from '../../world/world.ts'
import { entryKind } from './entry.ts'
import { type Journal, openJournal } from './journal.ts'
import { memoryFileSystem } from './memory-files.ts'
import type { NewEntry } from './new-entry.ts'
import type { ReplayedEntry } from './recovery.ts'
import { type JournalSettings, journalDefaults } from './settings.ts'

export const folder = '/journal'
export const journalId = new Uint8Array(16).fill(7)

export interface TestDisk {
  readonly world: World
  /** What was asked, in order: `write 0+160`, `sync`, `create …`, `rename …`, `syncFolder …`. */
  readonly trace: string[]
  /** While set, syncs wait until it is released. */
  holdSyncs(): { release: () => void }
  /** Thrown by the next calls of this operation, once each. */
  failNext(operation: 'write' | 'sync' | 'syncFolder', code: string, times?: number): void
  /** A write moves at most this many bytes. */
  writeBytesMax: number
  freeBytes: number
  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array): void
  files(): string[]
}

export function testDisk(seed = 'disk', base: FileSystem = memoryFileSystem(1 << 30, () => 0)): TestDisk {
  const trace: string[] = []
  const failures: { operation: string; code: string }[] = []
  let held: Promise<void> | null = null
  const fail = (operation: string, path: string): void => {
    const index = failures.findIndex((failure) => failure.operation === operation)
    if (index >= 0) throw new FsError(failures.splice(index, 1)[0]!.code, operation, path)
  }
  const name = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/^0+(?=\d)/, '')
  const wrap = (file: File): File => ({
    path: file.path,
    write(bytes, position) {
      trace.push(`write ${name(file.path)} ${position}+${bytes.length}`)
      fail('write', file.path)
      return file.write(bytes.subarray(0, disk.writeBytesMax), position)
    },
    read: (into, position) => file.read(into, position),
    sizeBytes: () => file.sizeBytes(),
    truncate(size) {
      trace.push(`truncate ${name(file.path)} ${size}`)
      file.truncate(size)
    },
    async sync() {
      trace.push(`sync ${name(file.path)}`)
      fail('sync', file.path)
      await held
      await file.sync()
    },
    close: () => file.close(),
  })
  const fs: FileSystem = {
    ...base,
    open(path, mode) {
      if (mode === 'create') trace.push(`create ${name(path)}`)
      return wrap(base.open(path, mode))
    },
    rename(from, to) {
      trace.push(`rename ${name(from)} ${name(to)}`)
      base.rename(from, to)
    },
    unlink(path) {
      trace.push(`unlink ${name(path)}`)
      base.unlink(path)
    },
    async syncFolder(path) {
      trace.push(`syncFolder ${name(path)}`)
      fail('syncFolder', path)
      await held
    },
    space: () => ({ freeBytes: disk.freeBytes, totalBytes: disk.freeBytes }),
  }
  const world: World = { ...nodeWorld(), random: randomStream(seed), fs }
  const disk: TestDisk = {
    world,
    trace,
    holdSyncs() {
      let release = (): void => {}
      held = new Promise((resolve) => {
        release = () => {
          held = null
          resolve()
        }
      })
      return { release }
    },
    failNext(operation, code, times = 1) {
      for (let i = 0; i < times; i++) failures.push({ operation, code })
    },
    writeBytesMax: Number.POSITIVE_INFINITY,
    freeBytes: Number.POSITIVE_INFINITY,
    readFile(path) {
      const file = base.open(path, 'read')
      const bytes = new Uint8Array(file.sizeBytes())
      file.read(bytes, 0)
      file.close()
      return bytes
    },
    writeFile(path, bytes) {
      if (base.stat(path) === null) base.open(path, 'create').close()
      const file = base.open(path, 'write')
      file.truncate(0)
      file.write(bytes, 0)
      file.close()
    },
    files: () => base.list(folder),
  }
  base.mkdir(folder)
  return disk
}

/** Another disk with the same files: to damage it and look at it again and again. */
export function copyOf(disk: TestDisk): TestDisk {
  const copy = testDisk('copy')
  for (const name of disk.files()) copy.writeFile(`${folder}/${name}`, disk.readFile(`${folder}/${name}`))
  return copy
}

export interface Seen {
  readonly lsn: number
  readonly kind: number
  readonly topicKey: number
  readonly partition: number
  readonly sequence: number
  readonly payload: Uint8Array
}
export interface Opened {
  readonly journal: Journal
  /** What the replay told, witnesses left out. */
  readonly seen: Seen[]
  readonly failures: Error[]
}
export async function open(disk: TestDisk, settings: Partial<JournalSettings> = {}): Promise<Opened> {
  const seen: Seen[] = []
  const failures: Error[] = []
  const replay = (entry: ReplayedEntry): void => {
    const { lsn, kind, topicKey, partition, sequence } = entry.header
    if (kind !== entryKind.witness) {
      seen.push({ lsn, kind, topicKey, partition, sequence, payload: entry.payload().slice() })
    }
  }
  const journal = await openJournal(
    disk.world,
    folder,
    {
      ...journalDefaults,
      journalId,
      failed: (error) => failures.push(error),
      witnessAfterMs: 3_600_000,
      freeBytesMin: 1000,
      ...settings,
    },
    replay,
  )
  return { journal, seen, failures }
}

/** An entry whose payload proves itself: byte i is (seed + i) % 251. */
export function entry(payloadBytes: number, seed = 1, topicKey = 1, partition = 0): NewEntry {
  const payload = new Uint8Array(payloadBytes)
  for (let i = 0; i < payloadBytes; i++) payload[i] = (seed + i) % 251
  return { kind: entryKind.tick, topicKey, partition, payload }
}

/** Appends and waits until it is durable. */
export async function put(journal: Journal, ...entries: NewEntry[]): Promise<number> {
  const { lastLsn } = journal.appendGroup(entries)
  await journal.durable(lastLsn)
  return lastLsn
}

/** All entries that a reader gives, from the begin. */
export function readAll(journal: Journal, afterLsn = 0): Seen[] {
  const reader = journal.reader(afterLsn)
  const seen: Seen[] = []
  while (reader.nextLsn <= journal.durableLsn) {
    reader.read({
      wants: (header) => header.kind !== entryKind.witness,
      entry(header, payload) {
        const { lsn, kind, topicKey, partition, sequence } = header
        seen.push({ lsn, kind, topicKey, partition, sequence, payload: payload.slice() })
        return false
      },
      missing() {},
    })
  }
  return seen
}
