// The write-ahead journal: atomic groups of entries in, each durable before it is said so; read in order, or by place.
// Several topics' batches, producers, ticks and commits share it, so one sync covers them all. Format: layout.ts,
// entry.ts. What a start makes of a folder: survey.ts, recovery.ts. Writing: group-commit.ts.
import { assert } from '../../std/assert.ts'
import type { FileSystem, World } from '../../world/world.ts'
import type { ReadRoom } from '../read-room.ts'
import { type Damage, StreamSequences } from './damage.ts'
import type { Need } from './disk-room.ts'
import { blankEntryHeader, type EntryHeader, payloadIsIntact, readEntryHeader } from './entry.ts'
import { readBody } from './file-bytes.ts'
import { GroupCommit } from './group-commit.ts'
import { JournalError } from './journal-error.ts'
import { JournalReader } from './journal-reader.ts'
import { entryHeaderBytes, fileBytesOf, placeOf, type SegmentIdentity } from './layout.ts'
import type { GroupPlace, NewEntry } from './new-entry.ts'
import { OpenFiles } from './open-files.ts'
import type { Outcome } from './pending-groups.ts'
import { type ReplayedEntry, recoverSegments, replaySegments, sealsOf } from './recovery.ts'
import { type BatchPlaces, type RunSource, readRun } from './run-reader.ts'
import { removeSeal, type Seal, sealName, writeSeal } from './seal.ts'
import { firstLive, type Segment, type SegmentEnding } from './segment.ts'
import type { JournalSettings } from './settings.ts'
import { surveyJournal } from './survey.ts'
import { TailCache } from './tail-cache.ts'

export interface Journal {
  /**
   * Takes entries as one atomic group: after any crash all of them are there or none. The payloads are copied before
   * it returns. Throws a JournalError (FULL, SLOW, FAILED, CLOSED, TOO_LARGE) if it does not take them. `outcome` is
   * told once, before any promise of `durable` goes on. `need`: how urgent it is when the disk is nearly full; by
   * default what the kind of the first entry says.
   */
  appendGroup(entries: readonly NewEntry[], outcome?: Outcome, need?: Need): GroupPlace
  /** Resolves when the entry with this LSN is durable; rejects with a JournalError if it was taken back. */
  durable(lsn: number): Promise<void>
  /** Everything up to here may be read, and will be there after a crash (see `durability`). */
  readonly durableLsn: number
  /** The last LSN given out. */
  readonly lastLsn: number
  /** Called after `durableLsn` has grown and all outcomes were told. One listener. */
  onAdvance(listener: (durableLsn: number) => void): void
  /** The payload of a durable entry by its place. Stays valid. Throws DAMAGED if the file holds other bytes by now. */
  read(header: PayloadPlace): Uint8Array
  /** The payloads of batches [first, end), one behind the other in memory of the room. Throws as `read`. */
  readBatches(places: BatchPlaces, first: number, end: number, room: ReadRoom): Uint8Array[]
  /** Reads on after this LSN, in order. */
  reader(afterLsn: number): JournalReader
  readonly damage: Damage
  /** Why records are not taken for the time being (the disk is full); null: they are. */
  pause(): JournalError | null
  /** The LSN of the first entry that is still here: what is before is settled. */
  readonly firstLsn: number
  /** The oldest segment, if it is finished and durable: what is to be settled next. */
  oldestSealed(): SealedSegment | null
  /** Called when a segment is finished and durable. One listener. */
  onSealed(listener: () => void): void
  /** The oldest segment is settled: nobody reads it any more. Returns the paths of what is to be removed. */
  drop(segment: SealedSegment): string[]
  /** The oldest segment does not hold what it held: the next start shall walk through it. */
  distrust(segment: SealedSegment): void
  /** Finishes the present segment if its oldest entry (witnesses aside) is at least so old. */
  rollIfOlder(ageMs: number): void
  /** What the journal stands on cannot be made durable: nothing more is taken, as after a failed sync of its own. */
  fail(cause: unknown): void
  stats(): JournalStats
  /** Makes everything durable and lets go of the files. Rejects if the journal has failed. */
  close(): Promise<void>
}
export interface PayloadPlace {
  readonly kind: number
  readonly segment: number
  /** Of the entry's header. */
  readonly position: number
  readonly payloadBytes: number
}
export interface SealedSegment extends SegmentIdentity {
  readonly index: number
  readonly path: string
  /** Position after its last entry. */
  readonly end: number
  readonly lastLsn: number
  /** Streams and the owner's state after the last entry. */
  readonly ending: SegmentEnding
  readonly isDamaged: boolean
}
export interface JournalStats {
  readonly lastLsn: number
  readonly durableLsn: number
  readonly syncedLsn: number
  readonly segments: number
  readonly fileBytes: number
  /** Since the start, of the stream: with headers. */
  readonly appendedBytes: number
  readonly pendingBytes: number
  /** For how long the oldest of them have waited for the disk. */
  readonly waitingMs: number
  readonly cacheBytes: number
  readonly writes: number
  readonly syncs: number
  /** Entries that the start copied because nothing witnessed them. */
  readonly copiedEntries: number
  readonly lostEntries: number
}

/** The owner's part of a seal: its state after the last entry of a segment, so that a start need not replay it. */
export interface Snapshots {
  /** The state now, and what the owner knows of the batches in this segment. */
  capture(segment: number): Uint8Array
  /** What was captured of the first segments, in order: the newest state, and of each its batches. */
  restore(captured: readonly { readonly segment: number; readonly payload: Uint8Array }[]): void
}

/**
 * Opens the journal in a folder that exists. `replay` is told of every entry of the log, in order, before it resolves;
 * with `snapshots`, of those behind the sealed segments only, after `restore`.
 * Rejects with a JournalError NEWER_FORMAT, UNKNOWN_FILE, FULL or FAILED, or an FsError; then nothing was changed
 * that matters. Damage does not make it reject: see `damage`.
 */
export async function openJournal(
  world: World,
  folder: string,
  settings: JournalSettings,
  replay: (entry: ReplayedEntry) => void = () => {},
  snapshots: Snapshots | null = null,
): Promise<Journal> {
  assert(settings.journalId.length === 16, `a journal id has 16 bytes, not ${settings.journalId.length}`)
  const { faults } = settings
  const survey = surveyJournal(world.fs, folder, {
    journalId: settings.journalId,
    checkPayloads: faults.noPayloadCheck !== true,
    resumeAtBlocks: faults.noResumeAtBlocks !== true,
    heedWitness: faults.noWitness !== true,
    useSeals: snapshots !== null,
    settledLsn: settings.settled.lsn,
  })
  const cache = new TailCache(settings.cacheBytes)
  const { segments, copiedEntries } = await recoverSegments(world, folder, survey, settings, cache.make)
  cache.trim()
  const sequences = new StreamSequences()
  const sealOf = (segment: Segment, lastLsn: number): Seal | null => {
    const streams = sequences.ends()
    const payload = snapshots?.capture(segment.index) ?? new Uint8Array(0)
    segment.ending = { streams, payload }
    // A damaged journal is walked through at every start, so that the damage is named each time.
    if (snapshots === null || survey.damage.length > 0) return null
    const { salt, generation, startLsn } = segment.header
    return { salt, generation, startLsn, lastLsn, end: segment.end, marks: [...segment.marks], streams, payload }
  }
  const known = sealsOf(survey)
  sequences.restore(known.at(-1)?.streams ?? settings.settled.streams)
  if (known.length > 0 || settings.settled.lsn > 0) {
    snapshots?.restore(known.map(({ payload }, segment) => ({ segment, payload })))
  }
  replaySegments(
    world,
    segments,
    survey,
    settings.settled.lsn,
    (entry) => {
      sequences.replayed(entry.header)
      replay(entry)
    },
    (segment, lastLsn) => {
      const seal = sealOf(segment, lastLsn)
      if (seal !== null) writeSeal(world.fs, folder, seal)
    },
  )
  const damage = sequences.damage(survey)
  const last = segments.at(-1)
  let sealed = (): void => {}
  const commit = new GroupCommit(world, folder, settings, {
    segments,
    sequences,
    cache,
    lastLsn: survey.lastLsn,
    witness: last === undefined ? 0 : survey.lastLsn,
    generationMax: Math.max(survey.generationMax, last?.header.generation ?? 0),
    sealOf,
    sealed: () => sealed(),
  })
  const onSealed = (listener: () => void): void => {
    sealed = listener
  }
  return new OpenJournal(world, settings, segments, cache, commit, damage, copiedEntries, onSealed)
}

class OpenJournal implements Journal {
  readonly #fs: FileSystem
  readonly #segments: Segment[]
  readonly #files: OpenFiles
  readonly #cache: TailCache
  readonly #commit: GroupCommit
  readonly #copiedEntries: number
  readonly #clock: World['clock']
  readonly #runs: RunSource
  readonly damage: Damage
  readonly onSealed: (listener: () => void) => void

  constructor(
    world: World,
    settings: JournalSettings,
    segments: Segment[],
    cache: TailCache,
    commit: GroupCommit,
    damage: Damage,
    copiedEntries: number,
    onSealed: (listener: () => void) => void,
  ) {
    this.#clock = world.clock
    this.onSealed = onSealed
    this.#fs = world.fs
    this.#segments = segments
    this.#files = new OpenFiles(world.fs, settings.openFilesMax)
    this.#cache = cache
    this.#commit = commit
    this.#copiedEntries = copiedEntries
    this.damage = damage
    this.#runs = {
      segment(index) {
        const segment = segments[index]
        assert(segment !== undefined, `no segment ${index}`)
        return segment
      },
      fileOf: (segment) => this.#files.of(segment),
      damaged: (segment, position) => this.#damaged(segment, position),
    }
  }

  appendGroup(entries: readonly NewEntry[], outcome?: Outcome, need?: Need): GroupPlace {
    return this.#commit.append(entries, outcome ?? null, need)
  }
  durable(lsn: number): Promise<void> {
    return this.#commit.durable(lsn)
  }
  get durableLsn(): number {
    return this.#commit.durableLsn
  }
  get lastLsn(): number {
    return this.#commit.lastLsn
  }
  onAdvance(listener: (durableLsn: number) => void): void {
    this.#commit.onAdvance(listener)
  }

  read(place: PayloadPlace): Uint8Array {
    const segment = this.#segments[place.segment]
    assert(segment !== undefined, `no segment ${place.segment}`)
    const position = place.position + entryHeaderBytes
    const cached = segment.view(position, place.payloadBytes)
    if (cached !== null) return cached
    // The header vouches for the payload, so both are read: bytes of a file may have rotted since the start.
    const bytes = readBody(this.#files.of(segment), place.position, entryHeaderBytes + place.payloadBytes)
    if (bytes === null || !isIntact(bytes, segment, place)) {
      throw this.#damaged(segment, place.position)
    }
    return bytes.subarray(entryHeaderBytes)
  }
  #damaged(segment: Segment, position: number): JournalError {
    removeSeal(this.#fs, segment.path, segment.header.startLsn)
    return new JournalError(
      'DAMAGED',
      `${segment.path} no longer holds the entry at byte ${placeOf(position)}: the disk gave other bytes than ` +
        'were written. Restart Millrace: it will name what is lost.',
    )
  }

  readBatches(places: BatchPlaces, first: number, end: number, room: ReadRoom): Uint8Array[] {
    return readRun(this.#runs, places, first, end, room)
  }

  reader(afterLsn: number): JournalReader {
    const commit = this.#commit
    return new JournalReader(
      {
        get durableLsn() {
          return commit.durableLsn
        },
        segments: this.#segments,
        missing: this.damage.ranges,
        fileOf: (segment) => this.#files.of(segment),
        distrust: (segment) => removeSeal(this.#fs, segment.path, segment.header.startLsn),
      },
      afterLsn,
    )
  }

  pause(): JournalError | null {
    return this.#commit.pause
  }
  get #live(): Segment[] {
    return this.#segments.slice(firstLive(this.#segments))
  }
  get firstLsn(): number {
    return this.#segments[firstLive(this.#segments)]?.header.startLsn ?? this.#commit.lastLsn + 1
  }
  oldestSealed(): SealedSegment | null {
    const first = firstLive(this.#segments)
    const segment = this.#segments[first]
    const next = this.#segments[first + 1]
    if (segment === undefined || next === undefined || !segment.sealed || !next.created) return null
    const { index, path, end, ending, header } = segment
    assert(ending !== null, `${path} is finished, and what comes after it was not noted`)
    const lastLsn = next.header.startLsn - 1
    const { salt, generation, startLsn } = header
    const isDamaged = this.damage.ranges.some((range) => range.firstLsn <= lastLsn && range.lastLsn >= startLsn)
    return { index, path, end, lastLsn, ending, salt, generation, isDamaged }
  }
  drop({ index, path }: SealedSegment): string[] {
    const segment = this.#segments[index]
    assert(segment?.dropped === false && this.oldestSealed()?.index === index, 'the oldest segment is dropped first')
    this.#files.forget(segment)
    segment.drop()
    return [path, `${path.slice(0, path.lastIndexOf('/'))}/${sealName(segment.header.startLsn)}`]
  }
  distrust({ index, path }: SealedSegment): void {
    removeSeal(this.#fs, path, this.#segments[index]!.header.startLsn)
  }
  rollIfOlder(ageMs: number): void {
    const oldestMs = this.#segments.at(-1)?.oldestMs ?? null
    if (oldestMs !== null && this.#clock.nowMs() - oldestMs >= ageMs) this.#commit.roll()
  }
  fail(cause: unknown): void {
    this.#commit.fail(cause)
  }

  stats(): JournalStats {
    let fileBytes = 0
    for (const segment of this.#live) fileBytes += fileBytesOf(segment.written)
    let lostEntries = 0
    for (const range of this.damage.ranges) lostEntries += range.lastLsn - range.firstLsn + 1
    const commit = this.#commit
    return {
      lastLsn: commit.lastLsn,
      durableLsn: commit.durableLsn,
      syncedLsn: commit.syncedLsn,
      segments: this.#live.length,
      fileBytes,
      appendedBytes: commit.counts.appendedBytes,
      pendingBytes: commit.pending.bytes,
      waitingMs: commit.pending.waitingMs,
      cacheBytes: this.#cache.bytes,
      writes: commit.counts.writes,
      syncs: commit.counts.syncs,
      copiedEntries: this.#copiedEntries,
      lostEntries,
    }
  }

  async close(): Promise<void> {
    try {
      await this.#commit.close()
    } finally {
      for (const segment of this.#segments) {
        segment.file?.close()
        segment.file = null
      }
    }
  }
}

function isIntact(bytes: Uint8Array, segment: Segment, place: PayloadPlace): boolean {
  const header: EntryHeader = blankEntryHeader()
  if (!readEntryHeader(bytes, 0, place.position, segment.header, segment.path, header)) return false
  return header.payloadBytes === place.payloadBytes && payloadIsIntact(bytes, entryHeaderBytes, header)
}
