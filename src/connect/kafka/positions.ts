// A place in a Kafka cluster as a job sees it: how far it is in every partition and in its own ticks. The cursors of the
// Kafka log are its text.
//
//   k1|t<offset>|<topic id>:<offset>,<offset>,…|<topic id>:…
//
// A topic's id is its UUID in 22 characters of base64url, so a topic that is made again under its name begins anew; its
// partitions follow in order, 0 for those that nothing was read of, none after the last that something was. Topics are
// in the order of their ids. One place has one text. Changing this needs a format version.
import { type Cursor, LogError } from '../../log/log.ts'

/** The 16 bytes of a topic's UUID as text. */
export function topicIdText(id: Uint8Array): string {
  return Buffer.from(id).toString('base64url')
}
/** Stands for the job's own topic, where its ticks are. */
export const ticksId = 't'

export class Positions {
  readonly #topics = new Map<string, number[]>()
  readonly #texts = new Map<string, string>()
  #order: string[] = []
  #ticks = 0
  /** Offsets passed in all: grows with every entry. */
  total = 0

  /** Throws a LogError OFFSET_OUT_OF_RANGE for a cursor of another log. */
  static of(cursor: Cursor): Positions {
    const positions = new Positions()
    const [version, ticks, ...topics] = cursor.split('|')
    const tickOffset = Number(/^t(\d{1,16})$/.exec(ticks ?? '')?.[1] ?? Number.NaN)
    if (version !== 'k1' || Number.isNaN(tickOffset)) throw foreign(cursor)
    positions.set(ticksId, 0, tickOffset)
    for (const topic of topics) {
      const [, id, list] = /^([\w-]{22}):((?:\d{1,16},)*\d{1,16})$/.exec(topic) ?? []
      if (id === undefined || list === undefined) throw foreign(cursor)
      for (const [partition, offset] of list.split(',').entries()) positions.set(id, partition, Number(offset))
    }
    return positions
  }

  get(id: string, partition: number): number {
    return id === ticksId ? this.#ticks : (this.#topics.get(id)?.[partition] ?? 0)
  }
  set(id: string, partition: number, offset: number): void {
    this.total += offset - this.get(id, partition)
    if (id === ticksId) {
      this.#ticks = offset
      return
    }
    let offsets = this.#topics.get(id)
    if (offsets === undefined) {
      if (offset === 0) return
      offsets = []
      this.#topics.set(id, offsets)
      this.#order = [...this.#topics.keys()].sort()
    }
    while (offsets.length < partition) offsets.push(0)
    offsets[partition] = offset
    this.#texts.delete(id)
  }
  cursor(): Cursor {
    let text = `k1|t${this.#ticks}`
    for (const id of this.#order) {
      let own = this.#texts.get(id)
      if (own === undefined) {
        own = textOf(this.#topics.get(id) ?? [])
        this.#texts.set(id, own)
      }
      if (own !== '') text += `|${id}:${own}`
    }
    return text as Cursor
  }
  /** Is it at this place or behind it, in every partition? */
  isAtOrBehind(other: Positions): boolean {
    return (
      this.get(ticksId, 0) >= other.get(ticksId, 0) &&
      other.places().every((at) => this.get(at.id, at.partition) >= at.offset)
    )
  }
  /** Of all partitions that something was read of, in the order of the text; without the ticks. */
  places(): { readonly id: string; readonly partition: number; readonly offset: number }[] {
    return this.#order.flatMap((id) =>
      (this.#topics.get(id) ?? []).map((offset, partition) => ({ id, partition, offset })),
    )
  }
}

function textOf(offsets: readonly number[]): string {
  const last = offsets.findLastIndex((offset) => offset > 0)
  return offsets.slice(0, last + 1).join(',')
}
function foreign(cursor: string): LogError {
  return new LogError('OFFSET_OUT_OF_RANGE', `cursor ${cursor.slice(0, 80)} is not of a log on a Kafka cluster`)
}
