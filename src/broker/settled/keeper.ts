// The one who writes `settled/`: settles segments, drops and replaces files, each step whole by one manifest. One request
// at a time; whoever asks waits in line.
import { assert, unreachable } from '../../std/assert.ts'
import { FsError, type World } from '../../world/world.ts'
import { streamKey } from '../journal/damage.ts'
import { isFull } from '../journal/disk-room.ts'
import { JournalError } from '../journal/journal-error.ts'
import { MemoryPool } from '../memory-pool.ts'
import { numberOfName, type SettledFile, settledName } from './file-format.ts'
import {
  type ChangeRequest,
  type ClearRequest,
  type KeeperAnswer,
  KeeperError,
  type KeeperRequest,
  type KeeperSettings,
  type PartitionChange,
  type PartitionPlace,
  type ReplaceRequest,
  type SettleRequest,
} from './keeping.ts'
import {
  emptyManifest,
  encodeManifest,
  type Manifest,
  manifestNames,
  manifestReplacement,
  manifestTemporary,
  mayComeBack,
  readManifest,
  type SettledPartition,
} from './manifest.ts'
import { settleSegment } from './settling.ts'

/** Partitions per `changed` answer: who takes it does not stop for longer than that. */
const partitionsPerAnswer = 64

/** Memory kept for the next file. */
const gatheredBytesMax = 16 << 20

export class SettledKeeper {
  readonly #world: World
  readonly #settings: KeeperSettings
  #manifest: Manifest
  readonly #partitions: Map<number, SettledPartition>
  #firstNumber = 0
  #failed: KeeperError | null = null
  /** What is to be written is gathered here. */
  readonly #memory = new MemoryPool(gatheredBytesMax)

  constructor(world: World, settings: KeeperSettings) {
    this.#world = world
    this.#settings = settings
    this.#manifest = readManifest(world.fs, settings.folder, settings.journalId) ?? emptyManifest
    this.#partitions = new Map(this.#manifest.partitions.map((each) => [keyOf(each), each]))
    this.#firstNumber = this.#manifest.nextFile
    if (settings.mayTidy) this.#tidy()
  }

  /** What an unfinished step left behind: no manifest names it. */
  #tidy(): void {
    const { fs } = this.#world
    const { folder } = this.#settings
    const named = new Set(this.#manifest.partitions.flatMap(({ files }) => files.map(settledName)))
    for (const name of fs.list(folder)) {
      const isTemporary = manifestNames.some((manifest) => name === manifest + manifestTemporary)
      const isLeftOver = numberOfName(name) !== null && !named.has(name)
      if (isTemporary || isLeftOver) fs.unlink(`${folder}/${name}`)
    }
  }

  async answer(request: KeeperRequest, say: (answer: KeeperAnswer) => void): Promise<void> {
    try {
      // Nobody knows what is on the disk: only a start finds out.
      if (this.#failed !== null) throw this.#failed
      const changes = await this.#do(request)
      for (let i = 0; i < changes.length; i += partitionsPerAnswer) {
        say({ what: 'changed', partitions: changes.slice(i, i + partitionsPerAnswer) })
      }
      say({ what: 'done', firstNumber: this.#firstNumber })
    } catch (error) {
      const { code, message } = inWords(error)
      if (code === 'FAILED') this.#failed ??= new KeeperError(code, message)
      say({ what: 'failed', code, message })
    }
  }
  #do(request: KeeperRequest): Promise<PartitionChange[]> {
    switch (request.what) {
      case 'settle':
        return this.#settle(request)
      case 'change':
        return this.#change(request)
      case 'replace':
        return this.#replace(request)
      case 'clear':
        return this.#clear(request)
      case 'numbers':
        // Durable with the manifest that names the files; until then they are left over, and their numbers free again.
        this.#firstNumber = this.#manifest.nextFile
        this.#manifest = { ...this.#manifest, nextFile: this.#firstNumber + request.count }
        return Promise.resolve([])
      default:
        return unreachable(request)
    }
  }

  async #settle(request: SettleRequest): Promise<PartitionChange[]> {
    const { fs } = this.#world
    const { faults } = this.#settings
    const settled = await settleSegment(
      this.#world,
      this.#settings,
      request,
      {
        settledLsn: this.#manifest.settledLsn,
        nextFile: this.#manifest.nextFile,
        partition: (topicKey, partition) => this.#partitions.get(streamKey(topicKey, partition)) ?? null,
      },
      this.#memory,
    )
    if (faults.dropBeforeManifest === true) fs.unlink(request.segment.path)
    await this.#become(settled.changes, {
      settledLsn: request.segment.lastLsn,
      nextFile: settled.nextFile,
      streams: request.streams,
      state: request.state,
      damage: request.damage,
    })
    if (faults.manifestBeforeFileSync === true) await settled.sync()
    return settled.changes
  }

  async #change({ dropFiles, dropPartitions }: ChangeRequest): Promise<PartitionChange[]> {
    const changes = new Map<number, PartitionChange>()
    const change = (place: PartitionPlace): PartitionChange | null => {
      const known = changes.get(keyOf(place))
      const now = this.#partitions.get(keyOf(place))
      return known ?? (now === undefined ? null : { ...now, files: [], gone: [] })
    }
    for (const drop of dropFiles) {
      const now = change(drop)
      const files = this.#partitions.get(keyOf(drop))?.files ?? []
      const file = files[now?.gone.length ?? 0]
      if (now === null || file?.number !== drop.number) continue
      const goneLsn = Math.max(now.goneLsn, file.lastLsn)
      changes.set(keyOf(drop), { ...now, start: file.end, goneLsn, gone: [...now.gone, file.number] })
    }
    const removed: PartitionPlace[] = []
    for (const place of dropPartitions) {
      const now = this.#partitions.get(keyOf(place))
      if (now === undefined) continue
      changes.delete(keyOf(place))
      removed.push(place)
    }
    if (this.#settings.faults.unlinkBeforeManifest === true) {
      for (const drop of dropFiles) unlinkIfThere(this.#world, `${this.#settings.folder}/${settledName(drop)}`)
    }
    if (changes.size > 0 || removed.length > 0) await this.#become([...changes.values()], {}, removed)
    return [...changes.values()]
  }

  async #replace({ topicKey, partition, old, files }: ReplaceRequest): Promise<PartitionChange[]> {
    const now = this.#partitions.get(streamKey(topicKey, partition))
    const first = now?.files.findIndex(({ number }) => number === old[0]?.number) ?? -1
    const same = (a: SettledFile, b: SettledFile | undefined): boolean =>
      b !== undefined && a.number === b.number && a.length === b.length
    if (now === undefined || first < 0 || !old.every((file, i) => same(file, now.files[first + i]))) {
      throw new KeeperError('CHANGED', `${topicKey}-${partition}: the files to be replaced are not as they were read`)
    }
    let next = old[0]!.start
    for (const file of files) {
      assert(
        file.closed && file.start === next && file.topicKey === topicKey && file.partition === partition,
        'fits in',
      )
      assert(file.number < this.#manifest.nextFile, 'numbers of new files are asked for')
      next = file.end
    }
    assert(next === old.at(-1)!.end, 'what replaces files covers the same offsets')
    await this.#world.fs.syncFolder(this.#settings.folder)
    const change = { ...now, files, gone: old.map(({ number }) => number) }
    await this.#become([change], {})
    return [change]
  }

  /** The new manifest is durable when it resolves. What it does not name any more goes once nobody reads it (`clear`). */
  async #become(
    changes: readonly PartitionChange[],
    rest: Partial<Pick<Manifest, 'settledLsn' | 'nextFile' | 'streams' | 'state' | 'damage'>>,
    removed: readonly PartitionPlace[] = [],
  ): Promise<void> {
    const after = new Map(this.#partitions)
    for (const change of changes) after.set(keyOf(change), applyChange(after.get(keyOf(change)) ?? null, change))
    for (const place of removed) after.delete(keyOf(place))
    const manifest = { ...this.#manifest, ...rest, number: this.#manifest.number + 1, partitions: [...after.values()] }
    const { folder, journalId, faults } = this.#settings
    const replacement = manifestReplacement(this.#world.fs, folder, encodeManifest(manifest, journalId), faults)
    await replacement.prepare()
    try {
      await replacement.commit()
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      throw new KeeperError('FAILED', error.message, { cause: error })
    }
    this.#manifest = manifest
    this.#partitions.clear()
    for (const [key, partition] of after) this.#partitions.set(key, partition)
  }

  async #clear({ paths, asideTo }: ClearRequest): Promise<PartitionChange[]> {
    const { fs } = this.#world
    if (asideTo !== null) {
      if (fs.stat(asideTo) === null) fs.mkdir(asideTo)
      for (const path of paths) {
        if (fs.stat(path) !== null) fs.rename(path, `${asideTo}/${path.slice(path.lastIndexOf('/') + 1)}`)
      }
      await fs.syncFolder(asideTo)
      await fs.syncFolder(asideTo.slice(0, asideTo.lastIndexOf('/')))
    } else for (const path of paths) unlinkIfThere(this.#world, path)
    return []
  }
}

const keyOf = (place: PartitionPlace): number => streamKey(place.topicKey, place.partition)

/** The partition after the change; files stay in the order of their offsets. */
export function applyChange(before: SettledPartition | null, change: PartitionChange): SettledPartition {
  const { topicKey, partition, start, end, lastLsn, goneLsn } = change
  const replaced = new Set([...change.gone, ...change.files.map(({ number }) => number)])
  const kept = (before?.files ?? []).filter(({ number }) => !replaced.has(number))
  const files = [...kept, ...change.files]
  // Files that hold nothing any more cover their offsets all the same.
  if (change.files.length > 0) files.sort((a, b) => a.start - b.start || a.end - b.end)
  return { topicKey, partition, start, end, lastLsn, goneLsn, files }
}

/** What the disk does not let go of is left over: the next start removes it. */
function unlinkIfThere(world: World, path: string): void {
  try {
    if (world.fs.stat(path) !== null) world.fs.unlink(path)
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}

/** After one of these failed, nobody knows what is on the disk. Others have changed nothing. */
const fatalOperations = ['sync', 'syncFolder', 'write', 'rename', 'truncate']

function inWords(error: unknown): { code: KeeperError['code']; message: string } {
  if (error instanceof KeeperError) return { code: error.code, message: error.message }
  if (error instanceof JournalError) return { code: 'DAMAGED', message: error.message }
  if (error instanceof FsError) {
    if (isFull(error) || mayComeBack(error)) return { code: 'FULL', message: error.message }
    const isFatal = fatalOperations.some((operation) => error.operation.startsWith(operation))
    return { code: isFatal ? 'FAILED' : 'DAMAGED', message: error.message }
  }
  throw error
}
