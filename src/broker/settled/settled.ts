// The door of the settled files: what of the log has left the journal. Which files there are, opening them, changing them.
//
// Reading is here, on the caller's thread; whatever writes is asked of the keeper (keeper.ts), which has a thread of its
// own, takes one request at a time, and makes each durable by one manifest before it answers.
import { LogError } from '../../log/log.ts'
import type { File, FileSystem, Threads, World } from '../../world/world.ts'
import { type Damage, streamKey } from '../journal/damage.ts'
import type { ReadRoom } from '../read-room.ts'
import { type SettledFile, settledFileBytes, settledName } from './file-format.ts'
import { FileWalk } from './file-walk.ts'
import { applyChange } from './keeper.ts'
import { KeeperLink } from './keeper-link.ts'
import {
  KeeperError,
  type KeeperSettings,
  keeperDefaults,
  type PartitionChange,
  type PartitionPlace,
  type SettledFaults,
  type SettleRequest,
} from './keeping.ts'
import { emptyManifest, type Manifest, readManifest, type SettledPartition } from './manifest.ts'

export interface SettledSettings {
  readonly folder: string
  /** 16 bytes. */
  readonly journalId: Uint8Array
  /** Where the keeper runs. */
  readonly threads: Threads
  /** Files open for reading at a time. */
  readonly openFilesMax: number
  readonly keeper: Partial<Pick<KeeperSettings, 'bufferBytesMax' | 'openFilesMax' | 'sliceBytes'>>
  readonly faults: SettledFaults
}

/** The manifest of a data directory, durable, and what of its files is not there. Rejects with a JournalError, FsError. */
export async function readSettled(
  fs: FileSystem,
  folder: string,
  journalId: Uint8Array,
): Promise<{ readonly manifest: Manifest; readonly missing: readonly SettledFile[] }> {
  const manifest = readManifest(fs, folder, journalId)
  // It may have been renamed into place by a process that died before the folder was synced.
  if (manifest !== null) await fs.syncFolder(folder)
  const names = new Set(fs.list(folder))
  const missing = (manifest?.partitions ?? []).flatMap(({ files }) =>
    files.filter((file) => !names.has(settledName(file))),
  )
  return { manifest: manifest ?? emptyManifest, missing }
}

export class Settled {
  readonly folder: string
  readonly damage: Damage
  readonly #fs: FileSystem
  readonly #settings: SettledSettings
  readonly #partitions: Map<number, SettledPartition>
  readonly #numbers = new Set<number>()
  readonly #link: KeeperLink
  /** Open for reading, in the order of use. */
  readonly #open = new Map<number, File>()
  readonly #listeners = new Set<(change: PartitionChange, now: SettledPartition) => void>()
  #settledLsn: number
  #bytes = 0

  /** `damage`: of all that was settled, and of the journal. */
  constructor(world: World, settings: SettledSettings, manifest: Manifest, damage: Damage, mayTidy: boolean) {
    this.damage = damage
    this.folder = settings.folder
    this.#fs = world.fs
    this.#settings = settings
    this.#settledLsn = manifest.settledLsn
    this.#partitions = new Map(manifest.partitions.map((each) => [streamKey(each.topicKey, each.partition), each]))
    for (const { files } of manifest.partitions) for (const file of files) this.#count(file, 1)
    const { folder, journalId, faults } = settings
    this.#link = new KeeperLink(settings.threads, () => ({
      ...keeperDefaults,
      ...settings.keeper,
      folder,
      journalId,
      faults,
      mayTidy,
    }))
  }
  #count(file: SettledFile, sign: 1 | -1): void {
    this.#bytes += sign * settledFileBytes(file)
    if (sign > 0) this.#numbers.add(file.number)
    else this.#numbers.delete(file.number)
  }

  // --- What there is ---

  /** Every entry up to here is settled, or in the state. */
  get settledLsn(): number {
    return this.#settledLsn
  }
  /** On the disk, of all files. */
  get bytes(): number {
    return this.#bytes
  }
  get files(): number {
    return this.#numbers.size
  }
  partition(topicKey: number, partition: number): SettledPartition | null {
    return this.#partitions.get(streamKey(topicKey, partition)) ?? null
  }
  partitions(): IterableIterator<SettledPartition> {
    return this.#partitions.values()
  }
  /** Told of each change of a partition's files, once it is durable and what `partition` says. Returns the way out. */
  onChange(listener: (change: PartitionChange, now: SettledPartition) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  // --- Reading ---

  pathOf(file: SettledFile): string {
    return `${this.folder}/${settledName(file)}`
  }
  has(file: SettledFile): boolean {
    return this.#numbers.has(file.number)
  }
  /** Throws OFFSET_OUT_OF_RANGE if the file was dropped or replaced since it was looked up, or an FsError. */
  fileOf(file: SettledFile): File {
    const open = this.#open.get(file.number)
    if (open !== undefined) {
      this.#open.delete(file.number)
      this.#open.set(file.number, open)
      return open
    }
    const path = this.pathOf(file)
    if (!this.has(file)) throw new LogError('OFFSET_OUT_OF_RANGE', `${path} was deleted while it was read`)
    const opened = this.#fs.open(path, 'read')
    this.#open.set(file.number, opened)
    for (const [number, oldest] of this.#open) {
      if (this.#open.size <= this.#settings.openFilesMax) break
      oldest.close()
      this.#open.delete(number)
    }
    return opened
  }
  /** `room`: see FileWalk. */
  walk(file: SettledFile, windowBytes: number, room: ReadRoom | null = null): FileWalk {
    return new FileWalk(() => this.fileOf(file), file, windowBytes, room)
  }

  // --- Changing ---

  /** Settles a segment of the journal. Rejects with a KeeperError; then it is to be tried again, or never. */
  async settle(request: Omit<SettleRequest, 'what'>): Promise<void> {
    await this.#link.ask({ what: 'settle', ...request }, (changes) => this.#apply(changes))
    this.#settledLsn = request.segment.lastLsn
  }
  /** Drops the first files of partitions, and whole partitions: from the manifest, from readers, from the disk. */
  async drop(files: readonly SettledFile[], partitions: readonly PartitionPlace[]): Promise<void> {
    const paths: string[] = []
    const dropFiles = files.map(({ topicKey, partition, number }) => ({ topicKey, partition, number }))
    const request = { what: 'change', dropFiles, dropPartitions: partitions } as const
    await this.#link.ask(request, (changes) => paths.push(...this.#apply(changes)))
    for (const { topicKey, partition } of partitions) {
      const gone = this.partition(topicKey, partition)
      if (gone === null) continue
      for (const file of gone.files) paths.push(this.#forget(file))
      this.#partitions.delete(streamKey(topicKey, partition))
    }
    await this.clear(paths)
  }
  /**
   * Replaces neighbouring files of a partition (compaction, erasure) by others that cover the same offsets: written to
   * `pathOf` under numbers of `newNumbers`, closed and synced by the caller. Rejects with a KeeperError CHANGED if the old
   * ones are not as they were read: entries were settled behind them meanwhile, or retention dropped them.
   */
  async replaceFiles(place: PartitionPlace, old: readonly SettledFile[], files: readonly SettledFile[]): Promise<void> {
    const { topicKey, partition } = place
    const paths: string[] = []
    const request = { what: 'replace', topicKey, partition, old, files } as const
    await this.#link.ask(request, (changes) => paths.push(...this.#apply(changes)))
    await this.clear(paths)
  }
  /** So many numbers for new files, from the first one on. */
  newNumbers(count: number): Promise<number> {
    return this.#link.ask({ what: 'numbers', count })
  }
  /** Removes files that nothing names any more, or moves them aside. What stays is removed by the next start. */
  async clear(paths: readonly string[], asideTo: string | null = null): Promise<void> {
    if (paths.length === 0) return
    await this.#link.ask({ what: 'clear', paths, asideTo }).catch((error: unknown) => {
      if (!(error instanceof KeeperError)) throw error
    })
  }

  /** Returns the paths of files that are named no more. */
  #apply(changes: readonly PartitionChange[]): string[] {
    const paths: string[] = []
    for (const change of changes) {
      const key = streamKey(change.topicKey, change.partition)
      const before = this.#partitions.get(key) ?? null
      const touched = new Set([...change.gone, ...change.files.map(({ number }) => number)])
      for (const file of before?.files ?? []) {
        if (!touched.has(file.number)) continue
        const path = this.#forget(file)
        if (change.gone.includes(file.number)) paths.push(path)
      }
      for (const file of change.files) this.#count(file, 1)
      const now = applyChange(before, change)
      this.#partitions.set(key, now)
      for (const listener of this.#listeners) listener(change, now)
    }
    return paths
  }
  #forget(file: SettledFile): string {
    this.#open.get(file.number)?.close()
    this.#open.delete(file.number)
    this.#count(file, -1)
    return this.pathOf(file)
  }

  async close(): Promise<void> {
    await this.#link.close()
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }
}

/** Of both, each loss once. */
export function bothDamages(a: Damage, b: Damage): Damage {
  const known = new Set(a.ranges.map(({ firstLsn }) => firstLsn))
  const ranges = [...a.ranges, ...b.ranges.filter(({ firstLsn }) => !known.has(firstLsn))]
  const lost = new Map(a.lost.map((each) => [streamKey(each.topicKey, each.partition), each]))
  for (const each of b.lost) {
    const key = streamKey(each.topicKey, each.partition)
    lost.set(key, { ...each, entries: Math.max(each.entries, lost.get(key)?.entries ?? 0) })
  }
  return {
    ranges: ranges.sort((x, y) => x.firstLsn - y.firstLsn),
    lost: [...lost.values()],
    unknownEntries: Math.max(a.unknownEntries, b.unknownEntries),
    lastLsn: Math.max(a.lastLsn, b.lastLsn),
  }
}
