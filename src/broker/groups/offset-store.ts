// Committed offsets by the names of their topics, made durable by the journal, or whatever stands in for it. What was
// not durable yet is not told to anyone.
import { LogError } from '../../log/log.ts'
import { type Committed, type OffsetEntry, writeOffsetEntry } from './offset-entry.ts'
import type { OffsetTable } from './offset-table.ts'

/** Topics by their keys in the journal. */
export interface TopicKeys {
  /** Null if there is no such topic, or it is being deleted. */
  keyOf(name: string): number | null
  nameOf(key: number): string | null
}
export interface NewOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}
/** The topics that the members of a group read; `any`: that cannot be told. */
export type TopicsRead = ReadonlySet<string> | 'any' | 'no members'
export interface NamedPlace {
  readonly topic: string
  readonly partition: number
}

/**
 * Appends an entry: calls `taken` at once, and what that returns if the entry is taken back; `durable` when it is, entries
 * in order. Resolves then, else rejects with a LogError.
 */
export type Take = (payload: Uint8Array, taken: () => () => void, durable: () => void) => Promise<void>

export class OffsetStore {
  readonly #table: OffsetTable
  readonly #topics: TopicKeys
  readonly #take: Take

  constructor(table: OffsetTable, topics: TopicKeys, take: Take) {
    this.#table = table
    this.#topics = topics
    this.#take = take
  }

  #write(entry: OffsetEntry): Promise<void> {
    return this.#take(
      writeOffsetEntry(entry),
      () => this.#table.take(entry),
      () => this.#table.takenIsDurable(entry),
    )
  }
  /**
   * `protocolType`: of the group whose member commits, '' if it is none. Resolves when durable; rejects with a LogError
   * UNKNOWN_TOPIC_OR_PARTITION or KAFKA_STORAGE_ERROR.
   */
  async commit(group: string, protocolType: string, committedMs: number, offsets: readonly NewOffset[]): Promise<void> {
    await this.#write({
      what: 'committed',
      group,
      protocolType,
      committedMs,
      offsets: offsets.map(({ topic, partition, offset, leaderEpoch, metadata }) => {
        return { topicKey: this.#keyOf(topic), partition, offset, leaderEpoch, metadata }
      }),
    })
  }
  async forget(group: string, places: readonly NamedPlace[]): Promise<void> {
    await this.#write({
      what: 'forgotten',
      group,
      places: places.map(({ topic, partition }) => ({ topicKey: this.#keyOf(topic), partition })),
    })
  }
  #keyOf(topic: string): number {
    const key = this.#topics.keyOf(topic)
    if (key === null) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`)
    return key
  }
  async deleteGroup(group: string): Promise<void> {
    await this.#write({ what: 'deleted', group })
  }
  /** The group has members; its offsets are kept whatever their age. */
  async peopled(group: string, protocolType: string): Promise<void> {
    await this.#write({ what: 'peopled', group, protocolType })
  }

  /** Memory that all of it takes, about. */
  get bytes(): number {
    return this.#table.bytes
  }
  has(group: string): boolean {
    return this.#table.group(group) !== null
  }
  protocolType(group: string): string {
    return this.#table.group(group)?.protocolType ?? ''
  }
  groups(): string[] {
    return [...this.#table.groups()].map(([group]) => group)
  }
  committed(group: string, { topic, partition }: NamedPlace): Committed | null {
    const topicKey = this.#topics.keyOf(topic)
    return topicKey === null ? null : this.#table.committed(group, { topicKey, partition })
  }
  /** All that a group has committed, topic by topic, partitions in order. */
  all(group: string): { readonly topic: string; readonly partitions: readonly number[] }[] {
    const found: { topic: string; partitions: number[] }[] = []
    for (const [key, partitions] of this.#table.group(group)?.topics ?? []) {
      const topic = this.#topics.nameOf(key)
      if (topic !== null) found.push({ topic, partitions: [...partitions.keys()].sort((a, b) => a - b) })
    }
    return found
  }

  /** Notes which groups have lost their members since this was last asked: their time runs from now on. */
  async noteEmptied(nowMs: number, isEmpty: (group: string) => boolean): Promise<void> {
    const left = [...this.#table.groups()].filter(([id, { emptySinceMs }]) => emptySinceMs === null && isEmpty(id))
    await Promise.all(left.map(([group]) => this.#write({ what: 'emptied', group, sinceMs: nowMs })))
  }
  /**
   * Forgets what is older than that, of groups without members, and of topics that a group's members do not read.
   * Returns how many offsets.
   */
  async expire(nowMs: number, retentionMs: number, readIn: (group: string) => TopicsRead): Promise<number> {
    const expired = this.#table.expired(nowMs, retentionMs, (group) => {
      const read = readIn(group)
      if (read === 'no members') return null
      return (key) => read === 'any' || read.has(this.#topics.nameOf(key) ?? '')
    })
    await Promise.all(expired.map(({ group, places }) => this.#write({ what: 'forgotten', group, places })))
    return expired.reduce((sum, { places }) => sum + places.length, 0)
  }
}
