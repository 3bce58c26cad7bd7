// Drops records whose identity came before, within a horizon of event time and of bytes; over all partitions of a topic.
//
// An identity counts from the first record that brought it, until the newest event time of the topic is more than the
// horizon past what it was then, or until the bytes are needed for a newer one. A record with a null in its identity is
// nobody's duplicate. Identities are 128 bits (MurmurHash3 x86_128, Austin Appleby, public domain, over types and
// values): among a billion of them two collide with a chance below 2^-68.

import type { DeduplicateBody } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { type Batch, type BatchColumn, textAt } from './columns.ts'
import { Identities } from './identities.ts'
import { Murmur128 } from './murmur.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export class Deduplication {
  readonly horizonMs: number
  readonly #slots: readonly number[]
  readonly #identities: Identities
  readonly #hash = new Murmur128()
  /** Newest event time over all partitions. */
  #clockMs = Number.NEGATIVE_INFINITY

  constructor(body: DeduplicateBody, slots: readonly number[]) {
    this.horizonMs = body.horizonMs
    this.#slots = slots
    this.#identities = new Identities(body.horizonBytesMax)
  }
  /** Keeps the first `count` of `rows` that are no duplicates, in place; how many there are. */
  keepFirsts(batch: Batch, rows: Int32Array, count: number, duplicate: (row: number) => void): number {
    const [identities, hash] = [this.#identities, this.#hash]
    let clockMs = this.#clockMs
    let seen = 0
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      // Rows that a step before took out move the clock too: it must not depend on what is filtered.
      for (; seen <= row; seen++) if (batch.times[seen]! > clockMs) clockMs = batch.times[seen]!
      identities.forgetBefore(clockMs - this.horizonMs)
      if (this.#identify(batch, row) && !identities.add(hash.a, hash.b, hash.c, hash.d, clockMs)) duplicate(row)
      else rows[kept++] = row
    }
    for (; seen < batch.rows; seen++) if (batch.times[seen]! > clockMs) clockMs = batch.times[seen]!
    this.#clockMs = clockMs
    return kept
  }
  /** Leaves the identity of a row in the hash; false if a part of it is null. */
  #identify(batch: Batch, row: number): boolean {
    const hash = this.#hash
    hash.begin()
    for (let i = 0; i < this.#slots.length; i++) if (!addValue(hash, batch.columns[this.#slots[i]!]!, row)) return false
    hash.end()
    return true
  }
  /** What it remembers now, for people. */
  get identities(): number {
    return this.#identities.count
  }
  get forgottenEarly(): number {
    return this.#identities.forgottenEarly
  }
  /** How far back it sees now, at most the horizon asked for; less only where bytes ran out. */
  get reachMs(): number {
    if (this.#identities.count < this.#identities.countMax) return this.horizonMs
    return Math.min(this.horizonMs, this.#clockMs - this.#identities.oldestClockMs)
  }
  write(out: StateWriter): void {
    out.f64(this.#clockMs)
    this.#identities.write(out)
  }
  restore(from: StateReader): void {
    this.#clockMs = from.f64()
    this.#identities.restore(from)
  }
  get bytes(): number {
    return this.#identities.bytes
  }
}

function addValue(hash: Murmur128, column: BatchColumn, row: number): boolean {
  if (column.kind === 'number') {
    const value = column.values[row]!
    if (Number.isNaN(value)) return false
    hash.addNumber(value)
    return true
  }
  if (column.kind === 'id') {
    const id = column.values[row]!
    if (id < 0) return false
    hash.addText(column.dictionary.valueOf(id))
    return true
  }
  assert(column.kind === 'text', 'an identity is no list')
  const text = textAt(column, row)
  if (text === null) return false
  hash.addText(text)
  return true
}
