// What is known of the ends of partitions without asking: from the last look at the cluster, and from what we wrote.
import { entryOf } from '../../std/maps.ts'
import type { OffsetsFound } from './reading.ts'

export class KnownOffsets {
  readonly #ranges = new Map<string, { start: number; end: number }>()
  readonly #committed = new Map<string, number>()
  /** Names of topics whose offsets somebody has asked for. */
  readonly asked = new Set<string>()

  learn(found: OffsetsFound): void {
    for (const { topic, partition, start, end } of found) {
      const range = this.#of(topic.idText, partition)
      range.start = Math.max(range.start, start)
      range.end = Math.max(range.end, end)
    }
  }
  /** Something stands there up to `end`. */
  note(topicId: string, partition: number, end: number): void {
    const range = this.#of(topicId, partition)
    range.end = Math.max(range.end, end)
  }
  /** A commit of ours has written there up to `end`. */
  noteCommit(topicId: string, partition: number, end: number): void {
    this.#committed.set(`${topicId}/${partition}`, end)
  }
  range(topicId: string, partition: number): { readonly start: number; readonly end: number } {
    const { start, end } = this.#ranges.get(`${topicId}/${partition}`) ?? { start: 0, end: 0 }
    return { start, end: Math.max(start, end) }
  }
  committed(topicId: string, partition: number): number {
    return this.#committed.get(`${topicId}/${partition}`) ?? 0
  }
  /** Of topics that are gone nothing is kept. */
  keepOnly(topicIds: ReadonlySet<string>): void {
    for (const known of [this.#ranges, this.#committed]) {
      for (const key of known.keys()) if (!topicIds.has(key.slice(0, key.lastIndexOf('/')))) known.delete(key)
    }
  }
  #of(topicId: string, partition: number): { start: number; end: number } {
    return entryOf(this.#ranges, `${topicId}/${partition}`, () => ({ start: 0, end: 0 }))
  }
}
