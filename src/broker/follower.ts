// Reads some topics and the ticks of one job in the order they became visible. Never waits: polls, and tells when to.
import { type Cursor, type Follower, type LogEntry, LogError } from '../log/log.ts'
import { lsn, offset, partitionId } from '../std/units.ts'
import { baseOffset, lastOffset } from '../wire/record-batch.ts'
import { type CursorPlace, cursorAt, lsnOfCursor } from './cursors.ts'
import { readTick } from './house-entries.ts'
import { streamKey } from './journal/damage.ts'
import { type EntryHeader, entryKind, ownStream } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { JournalReader, ReadVisitor } from './journal/journal-reader.ts'
import type { MissingRange } from './journal/survey.ts'
import { heldFrom, readHeld, type Tiers } from './reading.ts'
import { inKafkasWords } from './refusals.ts'
import { SettledMerge } from './settled/merge.ts'
import type { Settled } from './settled/settled.ts'
import type { TopicTable } from './topic-table.ts'
import { VisibleTransactions } from './transactions/visible.ts'

type EntryPlace = Readonly<Pick<EntryHeader, 'lsn' | 'topicKey' | 'partition'>>

export interface FollowerSettings {
  readonly job: string
  readonly topics: readonly string[]
  readonly from: CursorPlace
}

export class LogFollower implements Follower {
  readonly job: string
  readonly topics: ReadonlySet<string>
  readonly #journal: Journal
  readonly #settled: Settled
  readonly #topics: TopicTable
  readonly #jobName: Uint8Array
  /** While it reads the journal … */
  #reader: JournalReader
  /** … and while what comes next is settled. */
  #merge: SettledMerge | null = null
  /** What was gone when it began at the log's origin, by stream: no loss of its own. */
  readonly #goneBefore = new Map<number, number>()
  readonly #closed: (follower: LogFollower) => void
  /** Read ahead, to know that there is something. Never more than one. */
  #ahead: LogEntry | null = null
  readonly #visible: VisibleTransactions
  #after: Cursor
  #isClosed = false
  #isAbandoned = false
  #waiting: (() => void)[] = []

  constructor(
    { journal, settled }: Tiers,
    topics: TopicTable,
    settings: FollowerSettings,
    closed: (follower: LogFollower) => void,
  ) {
    this.job = settings.job
    this.topics = new Set(settings.topics)
    this.#journal = journal
    this.#settled = settled
    this.#topics = topics
    this.#jobName = new TextEncoder().encode(settings.job)
    const { afterLsn, offset: handedTo } = settings.from
    this.#reader = journal.reader(afterLsn)
    this.#after = cursorAt(afterLsn, handedTo)
    const read = (key: number, id: number, from: number, maxBytes: number): readonly Uint8Array[] | null => {
      const topic = topics.byKey(key)
      const partition = topic?.partitions[id]
      if (topic === null || partition === undefined) return null
      // As records outside of transactions: those that DeleteRecords hides are read as long as they are there, so that a
      // replay gives what the first run gave.
      const start = heldFrom(partition)
      if (from < start) this.#mindGone(topic.info.name, key, id, from, start)
      return readHeld({ journal, settled }, partition, topic.info.name, Math.max(from, start), maxBytes)
    }
    this.#visible = new VisibleTransactions(read, { lsn: afterLsn + 1, offset: handedTo })
    this.#closed = closed
    if (afterLsn > 0) return
    for (const { topicKey, partition, goneLsn } of settled.partitions()) {
      this.#goneBefore.set(streamKey(topicKey, partition), goneLsn)
    }
  }
  /** The LSN after which it needs the log. */
  get atLsn(): number {
    return lsnOfCursor(this.#after, Number.MAX_SAFE_INTEGER)
  }

  poll(maxBytes: number): LogEntry[] {
    if (this.#isAbandoned) throw new LogError('KAFKA_STORAGE_ERROR', 'the log is closed')
    if (this.#isClosed) return []
    const entries: LogEntry[] = []
    let bytes = 0
    const take = (entry: LogEntry): boolean => {
      entries.push(entry)
      bytes += entry.kind === 'batch' ? entry.bytes.length : entry.payload.length
      return bytes >= maxBytes
    }
    if (this.#ahead !== null) {
      const ahead = this.#ahead
      this.#ahead = null
      take(ahead)
    }
    try {
      while (bytes < maxBytes && this.#hasMore()) {
        inKafkasWords(() => this.#read(take))
        // A piece of a file is used up: what came from it goes out before the next one is loaded.
        if (entries.length > 0) break
      }
    } catch (error) {
      // What was read before the trouble is handed out; the next poll meets the trouble first.
      if (entries.length === 0) throw error
    }
    const last = entries.at(-1)
    if (last !== undefined) this.#after = last.after
    return entries
  }
  #hasMore(): boolean {
    return this.#visible.isOpen || this.#nextLsn <= this.#journal.durableLsn
  }
  get #nextLsn(): number {
    return this.#merge?.nextLsn ?? this.#reader.nextLsn
  }

  /** A piece of the log, from wherever it is by now. */
  #read(take: (entry: LogEntry) => boolean): void {
    if (this.#visible.isOpen) {
      this.#visible.drain(take)
      return
    }
    if (this.#merge === null && this.#reader.nextLsn >= this.#journal.firstLsn) {
      this.#reader.read(this.#visitor(take))
      return
    }
    const merge = this.#merge ?? this.#newMerge()
    this.#merge = merge
    const goesOn = merge.read({
      entry: ({ topicKey, partition }, { kind, lsn: at }, payload) =>
        this.#met(kind, { lsn: at, topicKey, partition }, payload, take),
    })
    if (goesOn) return
    this.#merge = null
    this.#reader = this.#journal.reader(merge.upTo)
  }
  #newMerge(): SettledMerge {
    let from = this.#reader.nextLsn
    let upTo = this.#settled.settledLsn
    for (const range of this.#settled.damage.ranges) {
      if (from >= range.firstLsn && from <= range.lastLsn) {
        this.#mind(range)
        from = range.lastLsn + 1
      } else if (range.firstLsn > from) upTo = Math.min(upTo, range.firstLsn - 1)
    }
    const isTicks = (topicKey: number, partition: number): boolean => topicKey === 0 && partition === ownStream.ticks
    const places = []
    for (const { topicKey, partition } of this.#settled.partitions()) {
      if (!isTicks(topicKey, partition) && !this.#follows(topicKey)) continue
      const goneBefore = this.#goneBefore.get(streamKey(topicKey, partition)) ?? 0
      places.push({ topicKey, partition, goneBefore })
    }
    return new SettledMerge(this.#settled, places, from, Math.max(upTo, from - 1))
  }

  #visitor(take: (entry: LogEntry) => boolean): ReadVisitor {
    return {
      wants: (header) =>
        header.kind === entryKind.tick || (header.kind === entryKind.batch && this.#follows(header.topicKey)),
      entry: (header, payload) => {
        return this.#met(header.kind, header, payload, take)
      },
      missing: (range) => this.#mind(range),
    }
  }
  #follows(topicKey: number): boolean {
    // The entries of a deleted topic have no topic any more.
    const topic = this.#topics.byKey(topicKey)
    return topic !== null && this.topics.has(topic.info.name)
  }
  /** An entry of the log, in order. True: stop before the next one. */
  #met(kind: number, place: EntryPlace, payload: Uint8Array, take: (entry: LogEntry) => boolean): boolean {
    const after: Cursor = cursorAt(place.lsn)
    if (kind === entryKind.tick) {
      const own = readTick(payload, this.#jobName)
      return own !== null && take({ kind: 'tick', lsn: lsn(place.lsn), after, payload: own })
    }
    const topic = this.#topics.byKey(place.topicKey)?.info.name
    if (topic === undefined) return false
    if (this.#visible.takes(place, topic, payload)) return this.#visible.isOpen
    return take({
      kind: 'batch',
      lsn: lsn(place.lsn),
      after,
      topic,
      partition: partitionId(place.partition),
      baseOffset: offset(baseOffset(payload)),
      lastOffset: offset(lastOffset(payload)),
      bytes: payload,
    })
  }
  /** What a transaction wrote was dropped before its end was met: no loss only if it was gone when we began. */
  #mindGone(topic: string, topicKey: number, partition: number, from: number, start: number): void {
    const gone = this.#settled.partition(topicKey, partition)?.goneLsn ?? 0
    if (gone <= (this.#goneBefore.get(streamKey(topicKey, partition)) ?? 0)) return
    throw new LogError(
      'OFFSET_OUT_OF_RANGE',
      `offsets ${from} to ${start - 1} of ${topic}-${partition} were deleted before their transaction was read: retention ` +
        'did not wait any longer. What was computed from them must be rebuilt from what the log still holds.',
    )
  }

  /** Lost entries that may be ours are never stepped over in silence. */
  #mind(range: MissingRange): void {
    const { lost, unknownEntries } = this.#settled.damage
    const ours = lost.some(({ topicKey, partition }) =>
      topicKey === 0 ? partition === ownStream.ticks : this.topics.has(this.#topics.byKey(topicKey)?.info.name ?? ''),
    )
    if (!ours && unknownEntries === 0) return
    throw new LogError(
      'CORRUPT_MESSAGE',
      `entries ${range.firstLsn} to ${range.lastLsn} of the journal are damaged (near ${range.path}), and records that ` +
        `are followed here may be among them. Restore the data directory from a backup, or follow from a later place.`,
    )
  }

  /** Is there an entry to poll? Steps over what is not ours. */
  #peek(): boolean {
    const take = (entry: LogEntry): boolean => {
      this.#ahead = entry
      return true
    }
    while (this.#ahead === null && this.#hasMore()) inKafkasWords(() => this.#read(take))
    return this.#ahead !== null
  }

  ready(): Promise<void> {
    if (this.#isClosed || this.#worthAPoll()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  #worthAPoll(): boolean {
    try {
      return this.#peek()
    } catch {
      // The poll will meet the same trouble, and tell it.
      return true
    }
  }
  /** The durable end moved. */
  advanced(): void {
    if (this.#waiting.length > 0 && this.#worthAPoll()) this.#wake()
  }
  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  caughtUp(): boolean {
    return this.#isClosed || !this.#peek()
  }
  cursor(): Cursor {
    return this.#after
  }
  /** The log is closed under whoever follows: the next poll says so, for a closed follower would be silence for ever. */
  abandon(): void {
    this.#isAbandoned = !this.#isClosed
    this.close()
  }
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ahead = null
    this.#closed(this)
    this.#wake()
  }
}
