// Compacts files of one partition: reads them twice, writes what stays into new ones, in small slices between which others
// get their turn. The old files are only read; the new ones count when the manifest names them (settled.ts).
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { baseOffset, lastOffset, maxTimestampMs } from '../../wire/record-batch.ts'
import type { World } from '../../world/world.ts'
import { batchPrefixBytes } from '../journal/entry.ts'
import type { SettledFile } from '../settled/file-format.ts'
import type { FileWalk } from '../settled/file-walk.ts'
import { SettledWriter } from '../settled/file-writer.ts'
import type { Settled } from '../settled/settled.ts'
import { Cleaning, type CleaningCounts, type CleaningRules, KeyNotes } from './cleaning.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { CompactionPlan } from './plan.ts'

export interface CompactionSettings {
  /** 16 bytes. */
  readonly journalId: Uint8Array
  /** For the map of keys … */
  readonly mapBytes: number
  /** … which may grow to this for a single batch that has more keys. */
  readonly mapBytesMax: number
  readonly fileBytesMax: number
  /** Read in one go. */
  readonly sliceBytes: number
  /** Thrown out of between slices when the broker closes. */
  readonly check: () => void
}
export const compactionDefaults = { mapBytes: 16 << 20, mapBytesMax: 256 << 20, sliceBytes: 256 << 10 }

/** A file that is to be compacted does not hold what it held. Nothing was changed. */
export class DamagedFileError extends Error {
  override name = 'DamagedFileError'
}

export interface Compacted {
  /** What the new files replace, and the new files, written and synced. */
  readonly old: readonly SettledFile[]
  readonly writers: readonly SettledWriter[]
  readonly counts: CleaningCounts
}

/** Null: nothing can be done. Rejects with a DamagedFileError, an FsError, or what `check` throws; then no file is left. */
export async function compactFiles(
  world: World,
  settled: Settled,
  plan: CompactionPlan,
  rules: CleaningRules,
  settings: CompactionSettings,
): Promise<Compacted | null> {
  let mapBytes = settings.mapBytes
  for (;;) {
    const map = new KeyOffsets(mapBytes)
    const notes = new KeyNotes(map, rules.aborted, plan.dirtyFrom)
    await eachBatch(world, settled, plan.files, plan.dirtyFrom, settings, (batch) => {
      return lastOffset(batch) < plan.end && notes.note(batch)
    })
    const end = plan.isFollowed ? notes.endOfWholeTransactions : notes.end
    if (end > plan.dirtyFrom) return rewrite(world, settled, plan, rules, settings, map, end)
    if (end < notes.end) return null
    // Not even the first batch found room for its keys, or it ends behind what may be compacted.
    if (!map.isFull || mapBytes >= settings.mapBytesMax) return null
    mapBytes *= 4
  }
}

/** Tells of the batches from this offset on until `visit` says false. */
async function eachBatch(
  world: World,
  settled: Settled,
  files: readonly SettledFile[],
  from: number,
  settings: CompactionSettings,
  visit: (batch: Uint8Array, walk: FileWalk, file: SettledFile) => boolean,
): Promise<void> {
  let until = settings.sliceBytes
  let read = 0
  for (const file of files) {
    if (file.end <= from) continue
    const walk = settled.walk(file, settings.sliceBytes)
    for (let met = walk.next(); met !== 'end'; met = walk.next()) {
      const batch = met === 'entry' ? walk.payload() : null
      if (batch === null) {
        throw new DamagedFileError(
          `${settled.pathOf(file)} no longer holds an entry near position ${walk.position}: it is not compacted. Nothing was ` +
            'deleted. Restore the data directory from a backup, or export what can be read.',
        )
      }
      read += batch.length
      if (walk.entry.lastOffset >= from && !visit(batch, walk, file)) return
      if (read < until) continue
      until = read + settings.sliceBytes
      await new Promise<void>((resolve) => world.clock.soon(resolve))
      settings.check()
    }
  }
}

async function rewrite(
  world: World,
  settled: Settled,
  plan: CompactionPlan,
  rules: CleaningRules,
  settings: CompactionSettings,
  map: KeyOffsets,
  end: number,
): Promise<Compacted> {
  const old = plan.files.filter((file) => file.start < end)
  // Each input gives at most one file, and the one that `end` lies in a second.
  const firstNumber = await settled.newNumbers(old.length + 1)
  const output = new Output(world, settled, plan, settings, firstNumber)
  try {
    const cleaning = new Cleaning(map, rules, end)
    for (const file of old) {
      await output.begin(file, end)
      await eachBatch(world, settled, [file], file.start, settings, (batch, walk) => {
        const isCleaned = lastOffset(batch) < end
        if (isCleaned) output.seen(walk)
        const fate = isCleaned ? cleaning.clean(batch) : ({ fate: 'keep' } as const)
        if (fate.fate !== 'drop') output.put(walk, fate.fate === 'keep' ? batch : fate.batch, isCleaned)
        return true
      })
      output.end(file, end)
    }
    await output.finish()
    return { old, writers: output.writers, counts: cleaning.counts }
  } catch (error) {
    for (const writer of output.writers) writer.undo()
    throw error
  }
}

class Output {
  readonly writers: SettledWriter[] = []
  readonly #world: World
  readonly #settled: Settled
  readonly #plan: CompactionPlan
  readonly #settings: CompactionSettings
  #nextNumber: number
  #clean: SettledWriter | null = null
  /** What the present clean file covers. */
  #covered: { firstLsn: number; firstAppendedMs: number } | null = null
  #lastLsn = 0
  #lastAppendedMs = 0
  #rest: SettledWriter | null = null

  constructor(world: World, settled: Settled, plan: CompactionPlan, settings: CompactionSettings, firstNumber: number) {
    this.#world = world
    this.#settled = settled
    this.#plan = plan
    this.#settings = settings
    this.#nextNumber = firstNumber
  }
  #make(compacted: boolean, start: number): SettledWriter {
    const { topicKey, partition } = this.#plan
    const number = this.#nextNumber++
    const salt = this.#world.random.fork('compacted').fork(String(number)).u32()
    const fresh = { number, salt, topicKey, partition, compacted, start }
    const writer = new SettledWriter(this.#world, this.#settled.folder, fresh, this.#settings.journalId)
    this.writers.push(writer)
    return writer
  }

  async begin(file: SettledFile, end: number): Promise<void> {
    const isFull = this.#clean !== null && this.#clean.length + file.length > this.#settings.fileBytesMax
    if (isFull || this.#clean === null) {
      // One at a time is open and in memory: a partition may have thousands.
      if (this.#clean !== null) await complete(this.#clean)
      this.#clean = this.#make(true, file.start)
      this.#covered = { firstLsn: file.firstLsn, firstAppendedMs: file.firstAppendedMs }
    }
    if (file.end > end) this.#rest = this.#make(file.compacted, end)
    this.#lastLsn = file.firstLsn
    this.#lastAppendedMs = file.firstAppendedMs
  }
  /** An entry that the clean file covers, whether it stays or not. */
  seen(walk: FileWalk): void {
    this.#lastLsn = walk.entry.lsn
    this.#lastAppendedMs = Math.max(this.#lastAppendedMs, walk.entry.appendedMs)
  }
  put(walk: FileWalk, batch: Uint8Array, isCleaned: boolean): void {
    const writer = isCleaned ? this.#clean : this.#rest
    assert(writer !== null, 'a file was begun for it')
    const entry = {
      ...walk.entry,
      payloadBytes: batch.length,
      baseOffset: baseOffset(batch),
      lastOffset: lastOffset(batch),
      maxTimestampMs: maxTimestampMs(batch),
      payloadCrc: crc32c(batch, 0, batchPrefixBytes),
    }
    writer.put(entry, batch)
    if (writer.bufferedBytes > 1 << 20) writer.writeOut()
  }
  end(file: SettledFile, end: number): void {
    const writer = this.#clean
    assert(writer !== null && this.#covered !== null, 'a file was begun for it')
    const isWhole = file.end <= end
    const lastLsn = isWhole ? file.lastLsn : this.#lastLsn
    const lastAppendedMs = isWhole ? file.lastAppendedMs : this.#lastAppendedMs
    writer.cover({ ...this.#covered, end: Math.min(file.end, end), lastLsn, lastAppendedMs })
    const rest = this.#rest
    if (rest === null || !file.compacted) return
    const { firstLsn, firstAppendedMs } = rest.entries > 0 ? rest.state() : file
    rest.cover({ end: file.end, firstLsn, firstAppendedMs, lastLsn: file.lastLsn, lastAppendedMs: file.lastAppendedMs })
  }
  async finish(): Promise<void> {
    for (const writer of [this.#clean, this.#rest]) if (writer !== null) await complete(writer)
    await this.#world.fs.syncFolder(this.#settled.folder)
  }
}

/** Closed, and all of it on the disk. */
async function complete(writer: SettledWriter): Promise<void> {
  writer.close()
  writer.writeOut()
  await writer.sync()
  writer.letGo()
}
