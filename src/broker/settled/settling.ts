// One segment of the journal, settled: its batches and ticks go to the files of their partitions, in order, checked.
import { baseOffset, lastOffset, maxTimestampMs } from '../../wire/record-batch.ts'
import { FsError, type World } from '../../world/world.ts'
import { streamKey } from '../journal/damage.ts'
import { type EntryHeader, entryKind, ownStream } from '../journal/entry.ts'
import { FileWindow } from '../journal/file-bytes.ts'
import { fileBytesOf } from '../journal/layout.ts'
import { payloadAt, type WalkPlace, walkEntries } from '../journal/walk.ts'
import type { MemoryPool } from '../memory-pool.ts'
import { type SettledEntry, type SettledFile, settledBytesMax, settledFileBytes, settledName } from './file-format.ts'
import { SettledWriter } from './file-writer.ts'
import {
  KeeperError,
  type KeeperSettings,
  type PartitionChange,
  type SettleRequest,
  type TopicRoll,
} from './keeping.ts'
import type { SettledPartition } from './manifest.ts'

export interface Before {
  readonly settledLsn: number
  readonly nextFile: number
  partition(topicKey: number, partition: number): SettledPartition | null
}
export interface Settled {
  readonly changes: PartitionChange[]
  readonly nextFile: number
  /** Makes the files durable; done already, but for a fault. */
  sync(): Promise<void>
}

/** For ticks, which have no topic, and for topics that nobody knows any more. */
const plainRoll: TopicRoll = { topicKey: 0, fileBytesMax: 64 << 20, fileMsMax: 7 * 86_400_000 }

/** Rejects with a KeeperError, or an FsError of the disk; then every file is valid as far as it was. */
export async function settleSegment(
  world: World,
  settings: KeeperSettings,
  request: SettleRequest,
  before: Before,
  memory: MemoryPool,
): Promise<Settled> {
  const { faults } = settings
  const run = new SettleRun(world, settings, request, before, memory)
  try {
    await run.copy()
    await run.writeAll()
    if (faults.manifestBeforeFileSync !== true) await run.syncAll()
    return { changes: run.changes(), nextFile: run.nextFile, sync: () => run.syncAll() }
  } catch (error) {
    run.giveUp()
    throw error
  }
}

interface Stream {
  readonly before: SettledPartition | null
  readonly roll: TopicRoll
  writer: SettledWriter
  /** Closed in this run, before the present one. */
  readonly finished: SettledWriter[]
}

class SettleRun {
  nextFile: number
  readonly #world: World
  readonly #settings: KeeperSettings
  readonly #request: SettleRequest
  readonly #before: Before
  readonly #memory: MemoryPool
  readonly #rolls: ReadonlyMap<number, TopicRoll>
  readonly #deleted: ReadonlySet<number>
  readonly #streams = new Map<number, Stream>()
  /** Written and not synced, in the order of the first write. */
  readonly #unsynced = new Set<SettledWriter>()
  /** Grown or made: put back if it comes to nothing. */
  readonly #made = new Set<string>()
  #bufferedBytes = 0

  constructor(world: World, settings: KeeperSettings, request: SettleRequest, before: Before, memory: MemoryPool) {
    this.#memory = memory
    this.#world = world
    this.#settings = settings
    this.#request = request
    this.#before = before
    this.nextFile = before.nextFile
    this.#rolls = new Map(request.topics.map((roll) => [roll.topicKey, roll]))
    this.#deleted = new Set(request.deleted)
  }

  async copy(): Promise<void> {
    const { segment, isDamaged } = this.#request
    const { fs, clock } = this.#world
    const { bufferBytesMax, sliceBytes, faults } = this.#settings
    const file = fs.open(segment.path, 'read')
    try {
      const sizeBytes = Math.min(file.sizeBytes(), fileBytesOf(segment.end))
      const window = new FileWindow(file, sizeBytes, 1 << 20)
      let expected = this.#before.settledLsn + 1
      let place: WalkPlace | null | undefined
      while (place !== null) {
        const walked = walkEntries({
          window,
          identity: segment,
          payloads: faults.noPayloadCheck === true ? 'present' : 'checked',
          resume: isDamaged,
          ...(place === undefined ? {} : { from: place }),
          bytesMax: sliceBytes,
          visit: (header, position, intact) => {
            if (header.lsn < expected || header.lsn > segment.lastLsn || !intact) return
            if (header.lsn > expected && !isDamaged) throw this.#damaged(expected)
            expected = header.lsn + 1
            this.#take(header, () => payloadAt(window, position, header, false))
          },
        })
        place = walked.stopped
        if (this.#bufferedBytes > bufferBytesMax) await this.writeAll()
        await new Promise<void>((resolve) => clock.soon(resolve))
      }
      if (expected <= segment.lastLsn && !isDamaged) throw this.#damaged(expected)
    } finally {
      file.close()
    }
  }
  #damaged(lsn: number): KeeperError {
    return new KeeperError(
      'DAMAGED',
      `${this.#request.segment.path} no longer holds entry ${lsn}, so it cannot be settled: the disk gave other bytes than ` +
        'were written. Nothing was deleted. Restart Millrace: it will name what is lost, and go on.',
    )
  }

  #take(header: Readonly<EntryHeader>, payloadOf: () => Uint8Array | null): void {
    const { topicKey, partition, kind } = header
    const isTick = kind === entryKind.tick
    if (!isTick && (kind !== entryKind.batch || this.#deleted.has(topicKey))) return
    const roll = this.#rolls.get(topicKey) ?? plainRoll
    const payload = payloadOf()
    if (payload === null) throw this.#damaged(header.lsn)
    const entry: SettledEntry = {
      kind,
      payloadBytes: payload.length,
      lsn: header.lsn,
      baseOffset: isTick ? header.sequence : baseOffset(payload),
      lastOffset: isTick ? header.sequence : lastOffset(payload),
      appendedMs: header.appendedMs,
      maxTimestampMs: isTick ? header.appendedMs : maxTimestampMs(payload),
      sequence: header.sequence,
      payloadCrc: header.payloadCrc,
    }
    const writer = this.#writerFor(topicKey, isTick ? ownStream.ticks : partition, roll, entry)
    this.#bufferedBytes -= writer.bufferedBytes
    writer.put(entry, payload)
    this.#bufferedBytes += writer.bufferedBytes
  }

  #writerFor(topicKey: number, partition: number, roll: TopicRoll, entry: SettledEntry): SettledWriter {
    const key = streamKey(topicKey, partition)
    let stream = this.#streams.get(key)
    if (stream === undefined) {
      const before = this.#before.partition(topicKey, partition)
      const last = before?.files.at(-1) ?? null
      // A file that is not there, or not as long as it was, is read as damaged; nothing is written behind it.
      const goesOn = last !== null && !last.closed && this.#isWhole(last)
      const writer = goesOn ? this.#open(last) : this.#new(topicKey, partition, before?.end ?? 0)
      stream = { before, roll, writer, finished: [] }
      this.#streams.set(key, stream)
    }
    const state = stream.writer
    const bytesMax = Math.min(roll.fileBytesMax, settledBytesMax)
    const isFull = state.entries > 0 && state.length + entry.payloadBytes > bytesMax
    const isOld = state.entries > 0 && entry.appendedMs - state.firstAppendedMs >= roll.fileMsMax
    if (isFull || isOld) {
      stream.writer.close()
      stream.finished.push(stream.writer)
      stream.writer = this.#new(topicKey, partition, state.end)
    }
    return stream.writer
  }
  #isWhole(file: SettledFile): boolean {
    const found = this.#world.fs.stat(`${this.#settings.folder}/${settledName(file)}`)
    return found !== null && found.sizeBytes >= settledFileBytes(file)
  }
  #open(file: SettledFile): SettledWriter {
    const { folder, journalId, faults } = this.#settings
    if (faults.settleFromFileEnd !== true) return new SettledWriter(this.#world, folder, file, journalId, this.#memory)
    return new SettledWriter(this.#world, folder, fromItsEnd(this.#world, folder, file), journalId, this.#memory)
  }
  #new(topicKey: number, partition: number, start: number): SettledWriter {
    const { folder, journalId } = this.#settings
    const number = this.nextFile++
    const salt = this.#world.random.fork('settled').fork(String(number)).u32()
    const fresh = { number, salt, topicKey, partition, compacted: false, start }
    return new SettledWriter(this.#world, folder, fresh, journalId, this.#memory)
  }

  // --- To the disk ---

  async writeAll(): Promise<void> {
    for (const stream of this.#streams.values()) {
      for (const writer of [...stream.finished, stream.writer]) {
        if (writer.bufferedBytes === 0) continue
        // What is written stays open until it is synced: the system tells of a failure those who had it open.
        if (this.#unsynced.size >= this.#settings.openFilesMax) {
          const [oldest] = this.#unsynced
          if (oldest !== undefined && oldest !== writer) await this.#sync(oldest)
        }
        this.#made.add(writer.path)
        this.#unsynced.add(writer)
        writer.writeOut()
        if (this.#settings.faults.noFileSync === true) {
          this.#unsynced.delete(writer)
          writer.letGo()
        }
      }
      await new Promise<void>((resolve) => this.#world.clock.soon(resolve))
    }
    this.#bufferedBytes = 0
  }
  async syncAll(): Promise<void> {
    for (const writer of [...this.#unsynced]) await this.#sync(writer)
    const isNew = this.nextFile > this.#before.nextFile
    if (isNew && this.#settings.faults.noFolderSyncBeforeManifest !== true) {
      await this.#world.fs.syncFolder(this.#settings.folder)
    }
  }
  async #sync(writer: SettledWriter): Promise<void> {
    await writer.sync()
    writer.letGo()
    this.#unsynced.delete(writer)
  }

  /** Gives back what was opened, and the room that was taken, as far as the disk lets it. */
  giveUp(): void {
    for (const writer of this.#unsynced) writer.letGo()
    for (const stream of this.#streams.values()) {
      for (const writer of [...stream.finished, stream.writer]) {
        if (!this.#made.has(writer.path)) continue
        try {
          writer.undo()
        } catch (error) {
          if (!(error instanceof FsError)) throw error
        }
      }
    }
  }

  changes(): PartitionChange[] {
    return [...this.#streams.values()].map(({ before, finished, writer }) => {
      const files = [...finished, writer].map((each) => each.state())
      const [first] = files
      const last = files.at(-1)!
      const cut = before?.files.at(-1)
      // The file before, which nothing more goes into.
      const closes = cut !== undefined && !cut.closed && cut.number !== first!.number
      return {
        topicKey: last.topicKey,
        partition: last.partition,
        start: before?.start ?? first!.start,
        end: last.end,
        lastLsn: last.lastLsn,
        goneLsn: before?.goneLsn ?? 0,
        files: closes ? [{ ...cut, closed: true }, ...files] : files,
        gone: [],
      }
    })
  }
}

/** The fault `settleFromFileEnd`: takes what an unfinished run left for its own. */
function fromItsEnd(world: World, folder: string, file: SettledFile): SettledFile {
  const found = world.fs.stat(`${folder}/${settledName(file)}`)
  const blocks = Math.floor((found?.sizeBytes ?? 0) / 65_536)
  const rest = (found?.sizeBytes ?? 0) % 65_536
  const length = blocks * 65_504 + Math.max(0, rest - 32)
  return length > file.length ? { ...file, length } : file
}
