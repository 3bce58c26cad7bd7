// The newest offset of each key, in a bounded number of bytes: keys by 128 bits of their SHA-256, open addressing in
// typed arrays. Two keys of one hash would lose a record; with 128 bits of a hash nobody can steer, none are met.
import { hash } from 'node:crypto'
import { assert } from '../../std/assert.ts'

const hashWords = 4
const slotBytes = hashWords * 4 + 8
/** Beyond this part of the slots a look-up takes too long (Kafka's load factor). */
const loadMax = 0.9

export class KeyOffsets {
  readonly #hashes: Uint32Array
  /** Offset + 1; 0: the slot is free. */
  readonly #offsets: Float64Array
  readonly #slots: number
  readonly keysMax: number
  keys = 0
  /** The last offset that was put. */
  lastOffset = -1

  constructor(bytesMax: number) {
    this.#slots = Math.max(2, Math.floor(bytesMax / slotBytes))
    this.#hashes = new Uint32Array(this.#slots * hashWords)
    this.#offsets = new Float64Array(this.#slots)
    this.keysMax = Math.max(1, Math.floor(this.#slots * loadMax))
  }

  get isFull(): boolean {
    return this.keys >= this.keysMax
  }
  /** Offsets come ascending. False: a key too many, nothing was put. */
  put(key: Uint8Array, offset: number): boolean {
    assert(offset > this.lastOffset, `offset ${offset} after ${this.lastOffset}`)
    const slot = this.#slotOf(key)
    if (this.#offsets[slot] === 0) {
      if (this.isFull) return false
      this.#hashes.set(words, slot * hashWords)
      this.keys++
    }
    this.#offsets[slot] = offset + 1
    this.lastOffset = offset
    return true
  }
  /** -1: the key was not put. */
  get(key: Uint8Array): number {
    return this.#offsets[this.#slotOf(key)]! - 1
  }

  /** The key's slot, or the free one where it belongs. */
  #slotOf(key: Uint8Array): number {
    digest(key)
    let slot = words[0]! % this.#slots
    for (;;) {
      if (this.#offsets[slot] === 0) return slot
      const at = slot * hashWords
      if (
        this.#hashes[at] === words[0] &&
        this.#hashes[at + 1] === words[1] &&
        this.#hashes[at + 2] === words[2] &&
        this.#hashes[at + 3] === words[3]
      ) {
        return slot
      }
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }
}

/** Of the key hashed last. */
const words = new Uint32Array(hashWords)
function digest(key: Uint8Array): void {
  const bytes = hash('sha256', key, 'buffer')
  for (let i = 0; i < hashWords; i++) words[i] = bytes.readUInt32LE(i * 4)
}
