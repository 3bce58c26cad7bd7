// Reads some topics and the ticks of one job in the order they became visible. Never waits: polls, and tells when to.
import { type Cursor, type Follower, type LogEntry, LogError } from '../log/log.ts'
import { lsn, offset, partitionId } from '../std/units.ts'
import { baseOffset, lastOffset } from '../wire/record-batch.ts'
import { type CursorPlace, cursorAt } from './cursors.ts'
import { readTick } from './house-entries.ts'
import { type EntryHeader, entryKind, ownStream } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { JournalReader, ReadVisitor } from './journal/journal-reader.ts'
import type { MissingRange } from './journal/survey.ts'
import { readBatches } from './reading.ts'
import { inKafkasWords } from './refusals.ts'
import type { TopicTable } from './topic-table.ts'
import { VisibleTransactions } from './transactions/visible.ts'

export interface FollowerSettings {
  readonly job: string
  readonly topics: readonly string[]
  readonly from: CursorPlace
}

export class LogFollower implements Follower {
  readonly #journal: Journal
  readonly #topics: TopicTable
  readonly #names: ReadonlySet<string>
  readonly #job: Uint8Array
  readonly #reader: JournalReader
  readonly #closed: (follower: LogFollower) => void
  /** Read ahead, to know that there is something. Never more than one. */
  #ahead: LogEntry | null = null
  readonly #visible: VisibleTransactions
  #after: Cursor
  #isClosed = false
  #waiting: (() => void)[] = []

  constructor(
    journal: Journal,
    topics: TopicTable,
    settings: FollowerSettings,
    closed: (follower: LogFollower) => void,
  ) {
    this.#journal = journal
    this.#topics = topics
    this.#names = new Set(settings.topics)
    this.#job = new TextEncoder().encode(settings.job)
    const { afterLsn, batches } = settings.from
    this.#reader = journal.reader(afterLsn)
    this.#after = cursorAt(afterLsn, batches)
    const read = (key: number, id: number, from: number, maxBytes: number): readonly Uint8Array[] | null => {
      const topic = topics.byKey(key)
      const partition = topic?.partitions[id]
      if (topic === null || partition === undefined) return null
      return readBatches(journal, partition, topic.info.name, Math.max(from, partition.start), maxBytes)
    }
    this.#visible = new VisibleTransactions(read, { lsn: afterLsn + 1, batches })
    this.#closed = closed
  }

  poll(maxBytes: number): LogEntry[] {
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
    return this.#visible.isOpen || this.#reader.nextLsn <= this.#journal.durableLsn
  }
  #read(take: (entry: LogEntry) => boolean): void {
    if (this.#visible.isOpen) this.#visible.drain(take)
    else this.#reader.read(this.#visitor(take))
  }

  #visitor(take: (entry: LogEntry) => boolean): ReadVisitor {
    return {
      wants: (header) => header.kind === entryKind.tick || (header.kind === entryKind.batch && this.#follows(header)),
      entry: (header, payload) => {
        const after: Cursor = cursorAt(header.lsn)
        if (header.kind === entryKind.tick) {
          const own = readTick(payload, this.#job)
          return own !== null && take({ kind: 'tick', lsn: lsn(header.lsn), after, payload: own })
        }
        const topic = this.#topics.byKey(header.topicKey)!.info.name
        if (this.#visible.takes(header, topic, payload)) return this.#visible.isOpen
        return take({
          kind: 'batch',
          lsn: lsn(header.lsn),
          after,
          topic,
          partition: partitionId(header.partition),
          baseOffset: offset(baseOffset(payload)),
          lastOffset: offset(lastOffset(payload)),
          bytes: payload,
        })
      },
      missing: (range) => this.#mind(range),
    }
  }
  #follows(header: Readonly<EntryHeader>): boolean {
    // The entries of a deleted topic have no topic any more.
    const topic = this.#topics.byKey(header.topicKey)
    return topic !== null && this.#names.has(topic.info.name)
  }

  /** Lost entries that may be ours are never stepped over in silence. */
  #mind(range: MissingRange): void {
    const { lost, unknownEntries } = this.#journal.damage
    const ours = lost.some(({ topicKey, partition }) =>
      topicKey === 0 ? partition === ownStream.ticks : this.#names.has(this.#topics.byKey(topicKey)?.info.name ?? ''),
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
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ahead = null
    this.#closed(this)
    this.#wake()
  }
}
