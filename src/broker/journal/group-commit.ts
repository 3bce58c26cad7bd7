// The writing side of the journal: groups of entries wait in memory, one write and one sync at a time make them durable.
//
// An append while nothing is under way starts a flush at once (as soon as the pending I/O events have been looked at);
// appends that arrive during a sync join the next one. Groups become durable in order, whole. A failed write takes
// everything back that is not durable; a failed sync ends the journal: the kernel reports it once and then holds the
// pages for clean, so neither a retry nor an acknowledgement can be trusted.
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { type File, FsError, type Timer, type World } from '../../world/world.ts'
import { readU32, writeU32, writeU64 } from './big-endian.ts'
import { type StreamSequences, streamKey } from './damage.ts'
import { batchPrefixBytes, blankEntryHeader, type EntryKind, entryKind, ownStream } from './entry.ts'
import { JournalError } from './journal-error.ts'
import { entryHeaderBytes, fileBytesOf, segmentHeaderBytes, segmentName } from './layout.ts'
import type { TailCache } from './open-files.ts'
import { Segment } from './segment.ts'
import type { JournalSettings } from './settings.ts'

export interface NewEntry {
  readonly kind: EntryKind
  readonly topicKey: number
  readonly partition: number
  /** Copied before `append` returns. Of a batch: as a producer makes it, checked. */
  readonly payload: Uint8Array
  /** Of a batch: written into its first bytes. */
  readonly baseOffset?: number
}
/** What becomes of a group; exactly one of the two is called, synchronously, groups in order (undone: newest first). */
export interface Outcome {
  durable(): void
  undone(error: JournalError): void
}
export interface GroupPlace {
  readonly firstLsn: number
  readonly lastLsn: number
  readonly appendedMs: number
  /** Index of the segment that holds the group. */
  readonly segment: number
  /** Position of each entry's header in the segment's stream. */
  readonly positions: readonly number[]
}

interface Group {
  readonly segment: Segment
  /** Of the stream, before and after the group. */
  readonly from: number
  readonly to: number
  readonly firstLsn: number
  readonly lastLsn: number
  /** Entries of the streams, for taking them back. */
  readonly streams: readonly number[]
  readonly witness: boolean
  readonly outcome: Outcome | null
}
interface Waiter {
  readonly lsn: number
  readonly resolve: () => void
  readonly reject: (error: JournalError) => void
}

export interface CommitState {
  readonly segments: Segment[]
  readonly sequences: StreamSequences
  readonly cache: TailCache
  readonly lastLsn: number
  /** The highest LSN that some header on disk says was durable. */
  readonly witness: number
  readonly generationMax: number
}

const diskCheckEveryMs = 1000
const blankPrefix = new Uint8Array(batchPrefixBytes)

export class GroupCommit {
  readonly #world: World
  readonly #folder: string
  readonly #settings: JournalSettings
  readonly #state: CommitState
  readonly #header = blankEntryHeader()
  #condition: 'open' | 'closing' | 'closed' | 'failed' = 'open'
  #failure: JournalError | null = null
  #generation: number
  /** The last LSN given out, written, readable (durable in the sense of the settings), and really synced. */
  lastLsn: number
  #writtenLsn: number
  durableLsn: number
  syncedLsn: number
  /** The highest LSN that a written header witnesses. */
  #witnessedLsn: number
  #lastIsWitness = false
  /**
   * A segment could not be begun. Its file may come back after a power cut, and with its later generation would make
   * void what the segment before went on with. So that one takes no more: the next append tries a new segment again.
   */
  #rollFailed = false
  #pendingBytes = 0
  #queue: Group[] = []
  #inFlight: Group[] = []
  #waiters: Waiter[] = []
  #running: Promise<void> | null = null
  #backgroundSync: Promise<void> | null = null
  #timers = new Map<'start' | 'witness' | 'sync', Timer>()
  #lastAppendMono = 0
  #diskCheckedMono = Number.NEGATIVE_INFINITY
  #diskLow = false
  #advanced: (durableLsn: number) => void = () => {}
  syncs = 0
  writes = 0

  constructor(world: World, folder: string, settings: JournalSettings, state: CommitState) {
    this.#world = world
    this.#folder = folder
    this.#settings = settings
    this.#state = state
    this.#generation = state.generationMax
    this.lastLsn = state.lastLsn
    this.#writtenLsn = state.lastLsn
    this.durableLsn = state.lastLsn
    this.syncedLsn = state.lastLsn
    this.#witnessedLsn = state.witness
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }
  get failure(): JournalError | null {
    return this.#failure
  }
  onAdvance(listener: (durableLsn: number) => void): void {
    this.#advanced = listener
  }

  // --- Appending ---

  /** Takes the entries as one atomic group. Throws a JournalError if it cannot; then nothing has been taken. */
  append(entries: readonly NewEntry[], outcome: Outcome | null): GroupPlace {
    if (this.#condition === 'closing' || this.#condition === 'closed') {
      throw new JournalError('CLOSED', 'the journal is closed')
    }
    if (this.#failure !== null) throw this.#failure
    let bytes = 0
    for (const entry of entries) bytes += entry.payload.length
    if (bytes > this.#settings.groupBytesMax) {
      throw new JournalError('TOO_LARGE', `${bytes} bytes in one step; the limit is ${this.#settings.groupBytesMax}`)
    }
    if (this.#pendingBytes + bytes > this.#settings.pendingBytesMax) {
      throw new JournalError(
        'SLOW',
        `${this.#pendingBytes} bytes wait for the disk, the limit is ${this.#settings.pendingBytesMax}; retry later`,
      )
    }
    if (this.#isDiskLow()) throw this.#noRoom(`less than ${this.#settings.freeBytesMin} bytes are free`)
    return this.#take(entries, bytes, outcome)
  }

  #take(entries: readonly NewEntry[], payloadBytes: number, outcome: Outcome | null): GroupPlace {
    assert(entries.length > 0, 'a group has at least one entry')
    const segment = this.#segmentFor(payloadBytes + entries.length * entryHeaderBytes)
    const from = segment.end
    const firstLsn = this.lastLsn + 1
    const appendedMs = this.#world.clock.nowMs()
    const positions: number[] = []
    const streams: number[] = []
    const split = this.#settings.faults.splitGroups === true
    const header = this.#header
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!
      const { payload } = entry
      const key = streamKey(entry.topicKey, entry.partition)
      const isBatch = entry.kind === entryKind.batch
      const prefix = isBatch ? batchPrefix(payload, entry.baseOffset ?? 0) : null
      header.kind = entry.kind
      header.payloadBytes = payload.length
      header.lsn = firstLsn + i
      header.appendedMs = appendedMs
      header.topicKey = entry.topicKey
      header.partition = entry.partition
      header.sequence = this.#state.sequences.take(key, entry.topicKey, entry.partition)
      header.groupIndex = split ? 0 : i
      header.groupCount = split ? 1 : entries.length
      header.payloadCrc = crc32c(prefix ?? payload)
      streams.push(key)
      positions.push(segment.put(header, prefix, payload))
    }
    const lastLsn = firstLsn + entries.length - 1
    const witness = header.kind === entryKind.witness
    this.lastLsn = lastLsn
    this.#lastIsWitness = witness
    this.#pendingBytes += segment.end - from
    this.#queue.push({ segment, from, to: segment.end, firstLsn, lastLsn, streams, witness, outcome })
    this.#lastAppendMono = this.#world.clock.monoMs()
    this.#start()
    return { firstLsn, lastLsn, appendedMs, segment: segment.index, positions }
  }

  #segmentFor(groupBytes: number): Segment {
    const { segments } = this.#state
    const last = segments.at(-1)
    const isNew = last === undefined || last.end === segmentHeaderBytes
    const fits = last !== undefined && last.end + groupBytes <= this.#settings.segmentBytes && !this.#rollFailed
    if (last !== undefined && (isNew || fits)) return last
    this.#generation++
    const startLsn = this.lastLsn + 1
    const segment = new Segment(
      segments.length,
      {
        salt: this.#world.random.fork('salt').fork(String(this.#generation)).u32(),
        generation: this.#generation,
        recovered: false,
        startLsn,
        witness: 0,
        createdMs: this.#world.clock.nowMs(),
        journalId: this.#settings.journalId,
      },
      `${this.#folder}/${segmentName(startLsn)}`,
      this.#state.cache.made,
    )
    segments.push(segment)
    return segment
  }

  #isDiskLow(): boolean {
    const mono = this.#world.clock.monoMs()
    if (mono - this.#diskCheckedMono >= diskCheckEveryMs) {
      this.#diskCheckedMono = mono
      this.#diskLow = this.#world.fs.space(this.#folder).freeBytes < this.#settings.freeBytesMin
    }
    return this.#diskLow
  }
  #noRoom(detail: string, cause?: unknown): JournalError {
    return new JournalError(
      'FULL',
      `the disk of ${this.#folder} has no room: ${detail}. Free some (at least ${this.#settings.freeBytesMin} bytes ` +
        'must be free); reading goes on, and appends are taken again by themselves.',
      { cause },
    )
  }

  // --- Waiting ---

  /** Resolves when the entry is durable; rejects with a JournalError if it was taken back. */
  durable(lsn: number): Promise<void> {
    if (lsn <= this.durableLsn) return Promise.resolve()
    if (this.#failure !== null) return Promise.reject(this.#failure)
    assert(lsn <= this.lastLsn, `waiting for LSN ${lsn}, the last one given out is ${this.lastLsn}`)
    return new Promise((resolve, reject) => this.#waiters.push({ lsn, resolve, reject }))
  }

  // --- Flushing ---

  #start(): void {
    if (this.#running !== null || this.#timers.has('start')) return
    const linger = this.#settings.lingerMs
    if (linger > 0 && this.#pendingBytes < this.#settings.flushBytesMax && this.#condition === 'open') {
      const timer = this.#world.clock.timer(linger, () => {
        this.#timers.delete('start')
        this.#run()
      })
      this.#timers.set('start', timer)
      return
    }
    this.#running = new Promise((resolve) => {
      this.#world.clock.soon(() => {
        this.#running = null
        this.#run()
        resolve()
      })
    })
  }
  #run(): void {
    this.#running ??= this.#flushAll().finally(() => {
      this.#running = null
      if (this.#queue.length > 0 && this.#failure === null) this.#start()
    })
  }

  async #flushAll(): Promise<void> {
    while (this.#queue.length > 0 && this.#failure === null) {
      const { segment } = this.#queue[0]!
      if (!segment.created && !(await this.#roll(segment))) continue
      this.#takeFlush(segment)
      const last = this.#inFlight.at(-1)!
      segment.seal(this.#inFlight[0]!.from, last.to, this.syncedLsn)
      try {
        this.writes++
        segment.writeOut(last.to)
      } catch (error) {
        await this.#writeFailed(segment, error)
        continue
      }
      this.#writtenLsn = last.lastLsn
      this.#witnessedLsn = Math.max(this.#witnessedLsn, this.syncedLsn)
      if (this.#settings.durability === 'process' || this.#settings.faults.ackBeforeSync === true) {
        this.#becomeDurable(last.lastLsn)
      }
      if (this.#settings.durability === 'power') {
        if (!(await this.#sync(segment, last.lastLsn))) return
        this.#becomeDurable(last.lastLsn)
      } else this.#syncLater()
      this.#state.cache.trim()
    }
    this.#witnessLater()
  }

  /** Moves whole groups of one segment from the queue into flight, up to the limit of a write. */
  #takeFlush(segment: Segment): void {
    let count = 0
    let bytes = 0
    for (const group of this.#queue) {
      const more = group.to - group.from
      if (group.segment !== segment || (count > 0 && bytes + more > this.#settings.flushBytesMax)) break
      bytes += more
      count++
    }
    this.#inFlight = this.#queue.splice(0, count)
  }

  #becomeDurable(lsn: number): void {
    if (lsn <= this.durableLsn) return
    this.durableLsn = lsn
    const groups = this.#inFlight
    this.#inFlight = []
    for (const group of groups) {
      this.#pendingBytes -= group.to - group.from
      group.outcome?.durable()
    }
    const waiting = this.#waiters
    this.#waiters = waiting.filter((waiter) => waiter.lsn > lsn)
    for (const waiter of waiting) if (waiter.lsn <= lsn) waiter.resolve()
    this.#advanced(lsn)
  }

  /** fdatasync of what has been written up to `lsn`. False: it failed, and the journal with it. */
  async #sync(segment: Segment, lsn: number): Promise<boolean> {
    if (this.#settings.faults.noSync !== true && !(await this.#syncFile(segment.file))) return false
    this.syncedLsn = Math.max(this.syncedLsn, lsn)
    return true
  }
  async #syncFile(file: File | null): Promise<boolean> {
    assert(file !== null, 'a file to sync is open')
    for (;;) {
      try {
        this.syncs++
        await file.sync()
        return true
      } catch (error) {
        if (this.#settings.faults.retrySyncAfterError === true) continue
        this.#fail(error)
        return false
      }
    }
  }

  /** Makes the new segment's file: sync the old one, create, write the header, sync it, sync the folder. */
  async #roll(segment: Segment): Promise<boolean> {
    const old = this.#state.segments[segment.index - 1]
    await this.#backgroundSync
    if (old !== undefined && this.syncedLsn < this.#writtenLsn && !(await this.#sync(old, this.#writtenLsn)))
      return false
    const { fs } = this.#world
    try {
      if (fs.stat(segment.path) !== null) fs.unlink(segment.path)
      segment.file = fs.open(segment.path, 'create')
      segment.begin(this.syncedLsn)
      segment.writeOut(segmentHeaderBytes)
    } catch (error) {
      segment.file?.close()
      segment.file = null
      segment.written = 0
      this.#rollFailed = true
      // If it cannot be removed either, the next roll tries again, and a start finds nothing in it.
      if (fs.stat(segment.path) !== null) {
        try {
          fs.unlink(segment.path)
        } catch (unlinkError) {
          assert(unlinkError instanceof FsError, 'a file system throws FsErrors')
        }
      }
      await this.#writeFailed(segment, error)
      return false
    }
    if (this.#settings.faults.noSync !== true && !(await this.#syncFile(segment.file))) return false
    if (this.#settings.faults.noFolderSyncOnRoll !== true) {
      try {
        await fs.syncFolder(this.#folder)
      } catch (error) {
        this.#fail(error)
        return false
      }
    }
    // While it was waited for, a background sync may have failed.
    if (this.#failure !== null) return false
    segment.created = true
    this.#rollFailed = false
    if (old !== undefined) {
      old.sealed = true
      old.file?.close()
      old.file = null
    }
    this.#witnessedLsn = Math.max(this.#witnessedLsn, this.syncedLsn)
    return true
  }

  // --- Failing ---

  async #writeFailed(segment: Segment, error: unknown): Promise<void> {
    const full = error instanceof FsError && ['ENOSPC', 'EFBIG', 'EDQUOT'].includes(error.code)
    if (!full) {
      this.#fail(error)
      return
    }
    if (segment.created && this.#settings.faults.noTruncateAfterFailedWrite !== true) {
      // What the write left behind must not be taken for entries by a later start, nor be mixed with what comes next.
      try {
        assert(segment.file !== null, 'the file that was written is open')
        segment.file.truncate(fileBytesOf(segment.written))
      } catch (truncateError) {
        this.#fail(truncateError)
        return
      }
    }
    this.#diskCheckedMono = Number.NEGATIVE_INFINITY
    this.#takeBack(this.#noRoom(error instanceof Error ? error.message : String(error), error))
    if (segment.created && this.syncedLsn === this.#writtenLsn) await this.#syncFile(segment.file)
  }

  /** Takes back everything that is not written: newest first, so that each finds the state it left. */
  #takeBack(error: JournalError): void {
    const groups = [...this.#inFlight, ...this.#queue]
    this.#inFlight = []
    this.#queue = []
    for (const group of groups.reverse()) {
      this.#pendingBytes -= group.to - group.from
      group.segment.takeBack(group.from, group.firstLsn)
      for (const key of group.streams) this.#state.sequences.giveBack(key)
      this.lastLsn = group.firstLsn - 1
      group.outcome?.undone(error)
    }
    this.#lastIsWitness = false
    const { segments } = this.#state
    while (segments.length > 0 && !segments.at(-1)!.created) segments.pop()!.abandon()
    const gone = this.#waiters.filter((waiter) => waiter.lsn > this.lastLsn)
    this.#waiters = this.#waiters.filter((waiter) => waiter.lsn <= this.lastLsn)
    for (const waiter of gone) waiter.reject(error)
  }

  #fail(cause: unknown): void {
    if (this.#failure !== null) return
    const text = cause instanceof Error ? cause.message : String(cause)
    const failure = new JournalError(
      'FAILED',
      `the journal in ${this.#folder} cannot be made durable: ${text}. Nothing that was acknowledged is lost. ` +
        'Check the disk (dmesg, smartctl), then start again: the end of the journal will be written anew.',
      { cause },
    )
    this.#failure = failure
    this.#condition = 'failed'
    this.#cancelTimers()
    this.#takeBack(failure)
    this.#settings.failed(failure)
  }

  // --- In the background ---

  #cancelTimers(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
  #later(name: 'witness' | 'sync', delayMs: number, run: () => void): void {
    if (this.#timers.has(name) || this.#condition !== 'open') return
    const fire = (): void => {
      this.#timers.delete(name)
      if (this.#condition === 'open') run()
    }
    this.#timers.set(name, this.#world.clock.timer(delayMs, fire, { background: true }))
  }

  #syncLater(): void {
    this.#later('sync', this.#settings.backgroundSyncMs, () => {
      this.#backgroundSync = this.#syncNow().finally(() => {
        this.#backgroundSync = null
        if (this.syncedLsn < this.#writtenLsn) this.#syncLater()
        else this.#witnessLater()
      })
    })
  }
  async #syncNow(): Promise<void> {
    const segment = this.#state.segments.findLast((candidate) => candidate.created)
    // Older segments were synced before this one was made.
    const owed = segment !== undefined && this.#failure === null && this.syncedLsn < this.#writtenLsn
    if (owed) await this.#sync(segment, this.#writtenLsn)
  }

  /** After a while without appends, an entry that says the last one was durable: else a start could not tell. */
  #witnessLater(): void {
    if (this.#needsWitness()) this.#later('witness', this.#settings.witnessAfterMs, () => this.#witnessIfIdle())
  }
  #needsWitness(): boolean {
    return !this.#lastIsWitness && this.#witnessedLsn < this.lastLsn
  }
  #witnessIfIdle(): void {
    const idleMs = this.#world.clock.monoMs() - this.#lastAppendMono
    if (!this.#needsWitness()) return
    const quiet = idleMs >= this.#settings.witnessAfterMs && this.syncedLsn === this.lastLsn
    if (quiet && !this.#isDiskLow()) this.#putWitness()
    else this.#witnessLater()
  }
  #putWitness(): void {
    this.#take(
      [{ kind: entryKind.witness, topicKey: 0, partition: ownStream.witness, payload: new Uint8Array(0) }],
      0,
      null,
    )
  }

  /** Makes everything durable, leaves a witness, closes nothing that belongs to readers. Rejects if the journal failed. */
  async close(): Promise<void> {
    if (this.#condition === 'closed' || this.#condition === 'closing') return
    if (this.#condition === 'open') this.#condition = 'closing'
    this.#cancelTimers()
    await this.#drain()
    if (this.#failure === null && this.#needsWitness()) {
      this.#putWitness()
      await this.#drain()
    }
    if (this.#failure !== null) throw this.#failure
    this.#condition = 'closed'
  }
  async #drain(): Promise<void> {
    while (this.#failure === null && (this.#queue.length > 0 || this.#running !== null)) {
      this.#start()
      await this.#running
    }
    await this.#backgroundSync
    await this.#syncNow()
  }
}

/** The first bytes of a batch as the log stores them: with its base offset and leader epoch 0. Valid until the next call. */
function batchPrefix(batch: Uint8Array, baseOffset: number): Uint8Array {
  const prefix = blankPrefix
  assert(batch.length > batchPrefixBytes, `a batch of ${batch.length} bytes`)
  prefix.set(batch.subarray(0, batchPrefixBytes))
  writeU64(prefix, 0, baseOffset)
  writeU32(prefix, 12, 0)
  assert(readU32(prefix, 8) + 12 === batch.length, 'the batch has the length it says')
  return prefix
}
