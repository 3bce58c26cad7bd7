// What damage means for the streams of a journal: whose entries were lost, as far as sequences and headers can tell.
import type { EntryHeader } from './entry.ts'
import type { StreamEnd } from './seal.ts'
import type { BrokenPayload, MissingRange, Survey } from './survey.ts'

export interface LostStream {
  readonly topicKey: number
  readonly partition: number
  /** Entries known to be lost. */
  readonly entries: number
}
export interface Damage {
  /** LSNs that were durable and are gone; ascending. Empty: the journal is whole. */
  readonly ranges: readonly MissingRange[]
  readonly lost: readonly LostStream[]
  /** Lost entries whose stream is not known: any stream without an entry after `lastLsn` may have lost them. */
  readonly unknownEntries: number
  /** Of all ranges; 0 without damage. */
  readonly lastLsn: number
}

export const streamKey = (topicKey: number, partition: number): number => topicKey * 0x10_0000 + partition

/** Follows the sequences of all streams through a replay. */
export class StreamSequences {
  readonly #last = new Map<number, { sequence: number; topicKey: number; partition: number; lost: number }>()

  /** The sequence of the stream's next entry. */
  next(key: number): number {
    return (this.#last.get(key)?.sequence ?? 0) + 1
  }
  take(key: number, topicKey: number, partition: number): number {
    const stream = this.#last.get(key)
    if (stream !== undefined) return ++stream.sequence
    this.#last.set(key, { sequence: 1, topicKey, partition, lost: 0 })
    return 1
  }
  /** The newest entry of the stream was taken back. */
  giveBack(key: number): void {
    this.#last.get(key)!.sequence--
  }
  /** Where all streams stand. */
  ends(): StreamEnd[] {
    return [...this.#last.values()].map(({ topicKey, partition, sequence }) => ({ topicKey, partition, sequence }))
  }
  restore(ends: readonly StreamEnd[]): void {
    for (const { topicKey, partition, sequence } of ends) {
      this.#last.set(streamKey(topicKey, partition), { sequence, topicKey, partition, lost: 0 })
    }
  }
  replayed(header: Readonly<EntryHeader>): void {
    const { topicKey, partition, sequence } = header
    const key = streamKey(topicKey, partition)
    const stream = this.#last.get(key)
    if (stream === undefined) {
      this.#last.set(key, { sequence, topicKey, partition, lost: sequence - 1 })
    } else {
      stream.lost += sequence - stream.sequence - 1
      stream.sequence = sequence
    }
  }

  /** After the replay: what is lost, and of whom. Streams go on after their lost entries. */
  damage(survey: Survey): Damage {
    const { damage: ranges } = survey
    const lastLsn = ranges.at(-1)?.lastLsn ?? 0
    if (ranges.length === 0) return { ranges, lost: [], unknownEntries: 0, lastLsn }
    const inRange = (entry: BrokenPayload): boolean =>
      ranges.some((range) => entry.lsn >= range.firstLsn && entry.lsn <= range.lastLsn)
    for (const broken of survey.brokenPayloads.filter(inRange)) {
      const key = streamKey(broken.topicKey, broken.partition)
      const stream = this.#last.get(key)
      const { topicKey, partition, sequence } = broken
      if (stream === undefined) this.#last.set(key, { sequence, topicKey, partition, lost: sequence })
      else if (stream.sequence < sequence) {
        stream.lost += sequence - stream.sequence
        stream.sequence = sequence
      }
    }
    const lost: LostStream[] = []
    let missing = 0
    for (const range of ranges) missing += range.lastLsn - range.firstLsn + 1
    for (const stream of this.#last.values()) {
      if (stream.lost === 0) continue
      lost.push({ topicKey: stream.topicKey, partition: stream.partition, entries: stream.lost })
      missing -= stream.lost
    }
    return { ranges, lost, unknownEntries: Math.max(0, missing), lastLsn }
  }
}
