// Small numbers in the order they came: a ring in a typed array that grows by doubling.
import type { StateReader, StateWriter } from './state-bytes.ts'

export class IntQueue {
  #ring: Int32Array<ArrayBuffer> = new Int32Array(16)
  #head = 0
  count = 0

  push(value: number): void {
    if (this.count === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.count++) & (this.#ring.length - 1)] = value
  }
  /** Of a queue that is not empty. */
  get first(): number {
    return this.#ring[this.#head]!
  }
  shift(): number {
    const value = this.first
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.count--
    return value
  }
  #grow(): void {
    const ring = new Int32Array(this.#ring.length * 2)
    for (let i = 0; i < this.count; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]!
    this.#ring = ring
    this.#head = 0
  }
  write(out: StateWriter): void {
    const values = new Int32Array(this.count)
    for (let i = 0; i < this.count; i++) values[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]!
    out.ints(values, this.count)
  }
  restore(from: StateReader): void {
    this.#head = 0
    this.count = 0
    for (const value of from.ints()) this.push(value)
  }
  get bytes(): number {
    return this.#ring.byteLength
  }
}
