// The committed offsets of all groups, as the journal tells them; and which of them have been kept long enough. Pure.
import { assert, unreachable } from '../../std/assert.ts'
import { entryOf } from '../../std/maps.ts'
import type { Committed, OffsetEntry, OffsetPlace } from './offset-entry.ts'

export interface GroupRecord {
  /** Of the group's members, present or past; '' if it never had any. */
  readonly protocolType: string
  /** Since when it has had no members; null: it has some, or had when it was last heard of. */
  readonly emptySinceMs: number | null
  /** By topic key, then partition. */
  readonly topics: ReadonlyMap<number, ReadonlyMap<number, Committed>>
}
interface OwnRecord extends GroupRecord {
  protocolType: string
  emptySinceMs: number | null
  readonly topics: Map<number, Map<number, Committed>>
}

/** Memory, about: of a group, of an offset; and twice the length of each text. */
const groupBytes = 500
const offsetBytes = 200
export const committedBytes = (metadata: string): number => offsetBytes + 2 * metadata.length

/** JSON-safe: part of the broker's snapshots (snapshot.ts). Topic key, partition, offset, leader epoch, metadata, time. */
type CapturedOffset = readonly [number, number, number, number, string, number]
type CapturedGroup = readonly [
  id: string,
  protocolType: string,
  emptySinceMs: number | null,
  offsets: readonly CapturedOffset[],
]
export interface CapturedOffsets {
  readonly groups: readonly CapturedGroup[]
  /** To be applied after the groups. */
  readonly taken: readonly OffsetEntry[]
}

export class OffsetTable {
  readonly #groups = new Map<string, OwnRecord>()
  #bytes = 0
  /** Entries that are not durable yet, in order. */
  readonly #taken: OffsetEntry[] = []

  /** Memory that it takes, about. */
  get bytes(): number {
    return this.#bytes
  }
  group(id: string): GroupRecord | null {
    return this.#groups.get(id) ?? null
  }
  groups(): IterableIterator<[string, GroupRecord]> {
    return this.#groups.entries()
  }
  committed(id: string, { topicKey, partition }: OffsetPlace): Committed | null {
    return this.#groups.get(id)?.topics.get(topicKey)?.get(partition) ?? null
  }

  /** The journal has taken the entry. Returns the way back. */
  take(entry: OffsetEntry): () => void {
    this.#taken.push(entry)
    return () => {
      assert(this.#taken.pop() === entry, 'entries are taken back newest first')
    }
  }
  /** The entry that was taken first is durable: from now on it is told. */
  takenIsDurable(entry: OffsetEntry): void {
    assert(this.#taken.shift() === entry, 'entries become durable oldest first')
    this.apply(entry)
  }
  /** Entries are applied in their order in the journal, when they are durable. */
  apply(entry: OffsetEntry): void {
    const { group } = entry
    switch (entry.what) {
      case 'committed':
        this.#commit(entry)
        return
      case 'forgotten':
        for (const place of entry.places) this.#forget(group, place)
        return
      case 'deleted': {
        const record = this.#groups.get(group)
        if (record === undefined) return
        for (const [topicKey, partitions] of record.topics) {
          for (const partition of [...partitions.keys()]) this.#forget(group, { topicKey, partition })
        }
        return
      }
      case 'peopled': {
        const record = this.#groups.get(group)
        if (record === undefined) return
        record.protocolType = entry.protocolType
        record.emptySinceMs = null
        return
      }
      case 'emptied': {
        const record = this.#groups.get(group)
        if (record !== undefined) record.emptySinceMs = entry.sinceMs
        return
      }
      default:
        unreachable(entry)
    }
  }
  #commit({ group, protocolType, committedMs, offsets }: OffsetEntry & { readonly what: 'committed' }): void {
    if (offsets.length === 0) return
    const record = entryOf<string, OwnRecord>(this.#groups, group, () => {
      this.#bytes += groupBytes + 2 * group.length
      return { protocolType: '', emptySinceMs: committedMs, topics: new Map() }
    })
    if (protocolType !== '') {
      record.protocolType = protocolType
      record.emptySinceMs = null
    }
    for (const { topicKey, partition, offset, leaderEpoch, metadata } of offsets) {
      const partitions = entryOf(record.topics, topicKey, () => new Map<number, Committed>())
      const before = partitions.get(partition)
      if (before !== undefined) this.#bytes -= committedBytes(before.metadata)
      this.#bytes += committedBytes(metadata)
      partitions.set(partition, { offset, leaderEpoch, metadata, committedMs })
    }
  }
  #forget(group: string, { topicKey, partition }: OffsetPlace): void {
    const record = this.#groups.get(group)
    const partitions = record?.topics.get(topicKey)
    const committed = partitions?.get(partition)
    if (record === undefined || partitions === undefined || committed === undefined) return
    this.#bytes -= committedBytes(committed.metadata)
    partitions.delete(partition)
    if (partitions.size === 0) record.topics.delete(topicKey)
    if (record.topics.size > 0) return
    this.#groups.delete(group)
    this.#bytes -= groupBytes + 2 * group.length
  }
  keepTopics(isThere: (topicKey: number) => boolean): void {
    const keys = new Set([...this.#groups.values()].flatMap(({ topics }) => [...topics.keys()]))
    for (const key of keys) if (!isThere(key)) this.dropTopic(key)
  }
  /** The topic is no more, and so is what was committed for it. */
  dropTopic(topicKey: number): void {
    for (const [group, record] of [...this.#groups]) {
      for (const partition of [...(record.topics.get(topicKey)?.keys() ?? [])]) {
        this.#forget(group, { topicKey, partition })
      }
    }
  }

  /** All of it, with what is not durable yet; for a snapshot. */
  capture(): CapturedOffsets {
    const groups = [...this.#groups].map(([id, { protocolType, emptySinceMs, topics }]): CapturedGroup => {
      const offsets: CapturedOffset[] = []
      for (const [topicKey, partitions] of topics) {
        for (const [partition, { offset, leaderEpoch, metadata, committedMs }] of partitions) {
          offsets.push([topicKey, partition, offset, leaderEpoch, metadata, committedMs])
        }
      }
      return [id, protocolType, emptySinceMs, offsets]
    })
    return { groups, taken: [...this.#taken] }
  }
  /** Into an empty table. */
  restore({ groups, taken }: CapturedOffsets): void {
    for (const [group, protocolType, emptySinceMs, captured] of groups) {
      for (const [topicKey, partition, offset, leaderEpoch, metadata, committedMs] of captured) {
        const offsets = [{ topicKey, partition, offset, leaderEpoch, metadata }]
        this.apply({ what: 'committed', group, protocolType, committedMs, offsets })
      }
      if (emptySinceMs !== null) this.apply({ what: 'emptied', group, sinceMs: emptySinceMs })
    }
    for (const entry of taken) this.apply(entry)
  }

  /**
   * Offsets that were committed, and groups that were left by their members, at least so long ago; and of groups that
   * have members what those do not read (KIP-211). `readIn` tells which topics a group's members read; null: it has none.
   * A group of which something is on its way is left for another time: forgetting would come behind that, and undo it.
   */
  expired(
    nowMs: number,
    retentionMs: number,
    readIn: (group: string) => ((topicKey: number) => boolean) | null = () => null,
  ): { readonly group: string; readonly places: readonly OffsetPlace[] }[] {
    const found: { group: string; places: OffsetPlace[] }[] = []
    const onTheirWay = new Set(this.#taken.map(({ group }) => group))
    for (const [group, { emptySinceMs, topics }] of this.#groups) {
      if (onTheirWay.has(group)) continue
      const isRead = readIn(group)
      if (isRead === null && (emptySinceMs === null || nowMs - emptySinceMs < retentionMs)) continue
      const places: OffsetPlace[] = []
      for (const [topicKey, partitions] of topics) {
        if (isRead?.(topicKey) === true) continue
        for (const [partition, { committedMs }] of partitions) {
          if (nowMs - committedMs >= retentionMs) places.push({ topicKey, partition })
        }
      }
      if (places.length > 0) found.push({ group, places })
    }
    return found
  }
}
