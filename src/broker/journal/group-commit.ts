// The writing side of the journal: groups of entries wait in memory, one write and one sync at a time make them durable.
//
// An append while nothing is under way starts a flush at once (as soon as the pending I/O events have been looked at);
// appends that arrive during a sync join the next one. Groups become durable in order, whole. A failed write takes
// everything back that is not durable; a failed sync ends the journal: the kernel reports it once and then holds the
// pages for clean, so neither a retry nor an acknowledgement can be trusted.
import { assert } from '../../std/assert.ts'
import { type File, FsError, type World } from '../../world/world.ts'
import { DiskRoom, isFull, isPassing, needOf } from './disk-room.ts'
import { entryKind, ownStream } from './entry.ts'
import { JournalError } from './journal-error.ts'
import { entryHeaderBytes, fileBytesOf } from './layout.ts'
import { NamedTimers } from './named-timers.ts'
import type { GroupPlace, NewEntry } from './new-entry.ts'
import { beginFile, newSegment } from './new-segment.ts'
import { type Group, type Outcome, PendingGroups } from './pending-groups.ts'
import { placeEntries } from './place-entries.ts'
import { type Seal, writeSeal } from './seal.ts'
import type { Segment } from './segment.ts'
import { type CommitState, isOverfull, liveBytes, wouldRoll } from './segment-room.ts'
import type { JournalSettings } from './settings.ts'
import { Waiters } from './waiters.ts'

export class GroupCommit {
  readonly #world: World
  readonly #folder: string
  readonly #settings: JournalSettings
  readonly #state: CommitState
  readonly #room: DiskRoom
  readonly #pending = new PendingGroups()
  readonly #waiters = new Waiters()
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
  /** The next append begins a new segment. */
  #rollWanted = false
  /** Of finished segments whose successor is not there yet. */
  readonly #seals = new Map<Segment, Seal | null>()
  /** Durable, and whoever waits for them does not know yet. */
  #untold: readonly Group[] | null = null
  #running: Promise<void> | null = null
  #backgroundSync: Promise<void> | null = null
  readonly #timers: NamedTimers<'start' | 'witness' | 'sync'>
  #lastAppendMono = 0
  #advanced: (durableLsn: number) => void = () => {}
  readonly counts = { syncs: 0, writes: 0, appendedBytes: 0 }

  constructor(world: World, folder: string, settings: JournalSettings, state: CommitState) {
    this.#world = world
    this.#folder = folder
    this.#settings = settings
    this.#timers = new NamedTimers(world.clock)
    this.#state = state
    this.#room = new DiskRoom(world, folder, settings.freeBytesMin, settings.reserve)
    this.#generation = state.generationMax
    this.lastLsn = state.lastLsn
    this.#writtenLsn = state.lastLsn
    this.durableLsn = state.lastLsn
    this.syncedLsn = state.lastLsn
    this.#witnessedLsn = state.witness
  }

  /** What is on its way to the disk, and for how long. */
  get pending(): { readonly bytes: number; readonly waitingMs: number } {
    return { bytes: this.#pending.bytes, waitingMs: this.#pending.waitingMs(this.#world.clock.monoMs()) }
  }
  get failure(): JournalError | null {
    return this.#failure
  }
  /** Why records are not taken at the moment, though the journal is well; null: they are. */
  get pause(): JournalError | null {
    return this.#room.pause
  }
  onAdvance(listener: (durableLsn: number) => void): void {
    this.#advanced = listener
  }

  // --- Appending ---

  /** Takes the entries as one atomic group. Throws a JournalError if it cannot; then nothing has been taken. */
  append(entries: readonly NewEntry[], outcome: Outcome | null, need = needOf(entries[0]!.kind)): GroupPlace {
    if (this.#condition === 'closing' || this.#condition === 'closed') {
      throw new JournalError('CLOSED', 'the journal is closed')
    }
    if (this.#failure !== null) throw this.#failure
    let bytes = 0
    for (const entry of entries) bytes += entry.payload.length
    if (bytes > this.#settings.groupBytesMax) {
      throw new JournalError('TOO_LARGE', `${bytes} bytes in one step; the limit is ${this.#settings.groupBytesMax}`)
    }
    if (this.#pending.bytes + bytes > this.#settings.pendingBytesMax) {
      const what = `${this.#pending.bytes} bytes wait for the disk`
      throw new JournalError('SLOW', `${what}, the limit is ${this.#settings.pendingBytesMax}; retry later`)
    }
    const rolls = need !== 'cure' && this.#wouldRoll(bytes + entries.length * entryHeaderBytes)
    if (rolls && isOverfull(this.#state.segments, this.#settings)) {
      const what = `${liveBytes(this.#state.segments)} bytes are not settled yet`
      throw new JournalError('SLOW', `${what}, the limit is ${this.#settings.bytesMax}; retry later`)
    }
    if (!this.#room.mayTake(need)) throw this.#room.lowError()
    return this.#take(entries, bytes, outcome)
  }

  #take(entries: readonly NewEntry[], payloadBytes: number, outcome: Outcome | null): GroupPlace {
    assert(entries.length > 0, 'a group has at least one entry')
    const segment = this.#segmentFor(payloadBytes + entries.length * entryHeaderBytes)
    const from = segment.end
    const firstLsn = this.lastLsn + 1
    const appendedMs = this.#world.clock.nowMs()
    const { sequences } = this.#state
    const split = this.#settings.faults.splitGroups === true
    const { positions, streams } = placeEntries(segment, entries, firstLsn, appendedMs, sequences, split)
    const lastLsn = firstLsn + entries.length - 1
    this.lastLsn = lastLsn
    this.#lastIsWitness = entries.at(-1)?.kind === entryKind.witness
    this.counts.appendedBytes += segment.end - from
    const takenMs = this.#world.clock.monoMs()
    this.#pending.add({ segment, from, to: segment.end, firstLsn, lastLsn, streams, outcome, takenMs })
    this.#lastAppendMono = takenMs
    this.#start()
    return { firstLsn, lastLsn, appendedMs, segment: segment.index, positions }
  }

  #wouldRoll(groupBytes: number): boolean {
    return wouldRoll(this.#state.segments, groupBytes, this.#settings, this.#rollFailed || this.#rollWanted)
  }
  #segmentFor(groupBytes: number): Segment {
    const { segments } = this.#state
    if (!this.#wouldRoll(groupBytes)) return segments.at(-1)!
    const last = segments.at(-1)
    this.#rollWanted = false
    this.#generation++
    const segment = newSegment(this.#world, {
      folder: this.#folder,
      index: segments.length,
      startLsn: this.lastLsn + 1,
      generation: this.#generation,
      journalId: this.#settings.journalId,
      recovered: null,
      makeArena: this.#state.cache.make,
    })
    if (last !== undefined) this.#seals.set(last, this.#state.sealOf(last, this.lastLsn))
    segments.push(segment)
    return segment
  }

  /** Finishes the present segment, if it holds more than witnesses: a witness begins the next one. */
  roll(): void {
    const last = this.#state.segments.at(-1)
    const isWorthIt = last?.dropped === false && last.created && last.oldestMs !== null
    if (this.#condition !== 'open' || !isWorthIt || !this.#room.mayTake('progress')) return
    this.#rollWanted = true
    this.#putWitness()
  }

  // --- Waiting ---

  /** Resolves when the entry is durable; rejects with a JournalError if it was taken back. */
  durable(lsn: number): Promise<void> {
    if (lsn <= this.durableLsn) return Promise.resolve()
    if (this.#failure !== null) return Promise.reject(this.#failure)
    assert(lsn <= this.lastLsn, `waiting for LSN ${lsn}, the last one given out is ${this.lastLsn}`)
    return this.#waiters.wait(lsn)
  }

  // --- Flushing ---

  #start(): void {
    if (this.#running !== null || this.#timers.has('start')) return
    const linger = this.#settings.lingerMs
    if (linger > 0 && this.#pending.bytes < this.#settings.flushBytesMax && this.#condition === 'open') {
      this.#timers.start('start', linger, () => this.#run())
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
      if (this.#pending.next !== undefined && this.#failure === null) this.#start()
    })
  }

  /** The disk goes first: what has become durable is told once the next groups are on their way, in the same turn. */
  async #flushAll(): Promise<void> {
    while (this.#pending.next !== undefined && this.#failure === null) {
      const { segment, from } = this.#pending.next
      if (!segment.created) {
        this.#tell()
        if (!(await this.#roll(segment))) continue
      }
      const last = this.#pending.launch(this.#settings.flushBytesMax).at(-1)!
      segment.seal(from, last.to, this.syncedLsn)
      try {
        this.counts.writes++
        segment.writeOut(last.to)
      } catch (error) {
        this.#tell()
        await this.#writeFailed(segment, error)
        continue
      }
      this.#room.written()
      this.#writtenLsn = last.lastLsn
      this.#witnessedLsn = Math.max(this.#witnessedLsn, this.syncedLsn)
      const isEarly = this.#settings.durability === 'process' || this.#settings.faults.ackBeforeSync === true
      const synced = this.#settings.durability === 'power' ? this.#sync(segment, last.lastLsn) : null
      if (synced === null) this.#syncLater()
      this.#tell()
      if (isEarly) {
        this.#landed(last.lastLsn)
        this.#tell()
      }
      if (synced !== null && !(await synced)) return
      this.#landed(last.lastLsn)
      this.#state.cache.trim()
    }
    this.#tell()
    this.#witnessLater()
  }

  /** What was in flight is durable; whoever waits for it is to be told in this turn. */
  #landed(lsn: number): void {
    if (lsn <= this.durableLsn) return
    this.durableLsn = lsn
    this.#untold = this.#pending.land()
  }
  #tell(): void {
    const groups = this.#untold
    if (groups === null) return
    this.#untold = null
    for (const group of groups) group.outcome?.durable()
    this.#waiters.durable(this.durableLsn)
    this.#advanced(this.durableLsn)
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
        this.counts.syncs++
        await file.sync()
        return true
      } catch (error) {
        if (this.#settings.faults.retrySyncAfterError === true) continue
        this.fail(error)
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
      beginFile(fs, segment, this.syncedLsn)
    } catch (error) {
      this.#rollFailed = true
      await this.#writeFailed(segment, error)
      return false
    }
    if (this.#settings.faults.noSync !== true && !(await this.#syncFile(segment.file))) return false
    if (this.#settings.faults.noFolderSyncOnRoll !== true) {
      try {
        await fs.syncFolder(this.#folder)
      } catch (error) {
        this.fail(error)
        return false
      }
    }
    // While it was waited for, a background sync may have failed.
    if (this.#failure !== null) return false
    segment.created = true
    this.#rollFailed = false
    if (old !== undefined) {
      const seal = this.#seals.get(old) ?? null
      this.#seals.delete(old)
      if (seal !== null) writeSeal(fs, this.#folder, seal)
      old.sealed = true
      old.file?.close()
      old.file = null
      this.#state.sealed()
    }
    this.#witnessedLsn = Math.max(this.#witnessedLsn, this.syncedLsn)
    return true
  }

  // --- Failing ---

  async #writeFailed(segment: Segment, error: unknown): Promise<void> {
    if (!isPassing(error)) {
      this.fail(error)
      return
    }
    if (segment.created && this.#settings.faults.noTruncateAfterFailedWrite !== true) {
      // What the write left behind must not be taken for entries by a later start, nor be mixed with what comes next.
      try {
        assert(segment.file !== null, 'the file that was written is open')
        segment.file.truncate(fileBytesOf(segment.written))
      } catch (truncateError) {
        this.fail(truncateError)
        return
      }
    }
    // What is waiting is written after all, if there was something to give up for it.
    const fileIsFull = error instanceof FsError && error.code === 'EFBIG'
    if (isFull(error) && !fileIsFull && this.#room.giveUpReserve()) {
      this.#pending.relaunch()
      return
    }
    this.#takeBack(this.#room.wasFull(error))
    // A file that may not grow would refuse the next write too: that one goes to a new file.
    if (segment.created && fileIsFull) this.#rollFailed = true
    if (segment.created && this.syncedLsn === this.#writtenLsn) await this.#syncFile(segment.file)
  }

  /** Takes back everything that is not written: newest first, so that each finds the state it left. */
  #takeBack(error: JournalError): void {
    for (const group of this.#pending.takeBack()) {
      group.segment.takeBack(group.from, group.firstLsn, group.streams.length)
      for (const key of group.streams) this.#state.sequences.giveBack(key)
      this.lastLsn = group.firstLsn - 1
      group.outcome?.undone(error)
    }
    this.#lastIsWitness = false
    const { segments } = this.#state
    while (segments.length > 0 && !segments.at(-1)!.created) segments.pop()!.abandon()
    this.#waiters.takenBack(this.lastLsn, error)
  }

  /** Something that the journal stands on cannot be made durable. */
  fail(cause: unknown): void {
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
    this.#timers.cancel()
    this.#takeBack(failure)
    this.#settings.failed(failure)
  }

  // --- In the background ---

  #later(name: 'witness' | 'sync', delayMs: number, run: () => void): void {
    if (this.#timers.has(name) || this.#condition !== 'open') return
    const fire = (): void => {
      if (this.#condition === 'open') run()
    }
    this.#timers.start(name, delayMs, fire, { background: true })
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
    if (quiet && this.#room.mayTake('progress')) this.#putWitness()
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
    this.#timers.cancel()
    this.#room.close()
    await this.#drain()
    if (this.#failure === null && this.#needsWitness()) {
      this.#putWitness()
      await this.#drain()
    }
    if (this.#failure !== null) throw this.#failure
    this.#condition = 'closed'
  }
  async #drain(): Promise<void> {
    while (this.#failure === null && (this.#pending.next !== undefined || this.#running !== null)) {
      this.#start()
      await this.#running
    }
    await this.#backgroundSync
    await this.#syncNow()
  }
}
