// Room for what is read or gathered: of a pool, until an answer is with the kernel or a file is written; or fresh, for whoever
// keeps it.
import type { MemoryPool } from './memory-pool.ts'

/** Gives memory. What is in it stays until whoever gave it takes it back. */
export interface ReadRoom {
  take(bytes: number): Uint8Array
}
/** Whoever holds what was read keeps it, for as long as they like. */
export const freshRoom: ReadRoom = { take: (bytes) => new Uint8Array(bytes) }

/** What one answer holds of the pool. Never given back, it is garbage like any other memory. */
export class Lease implements ReadRoom {
  readonly #pool: MemoryPool
  #taken: Uint8Array[] = []

  constructor(pool: MemoryPool) {
    this.#pool = pool
  }
  take(bytes: number): Uint8Array {
    // More than three quarters of what is held are used: a peer that takes nothing holds little more than is counted.
    const whole = this.#pool.take(bytes)
    this.#taken.push(whole)
    return whole.subarray(0, bytes)
  }
  /** Held until it is given back. */
  get bytes(): number {
    let bytes = 0
    for (const { length } of this.#taken) bytes += length
    return bytes
  }
  /** Nobody looks at it any more. Only once. */
  giveBack(): void {
    for (const bytes of this.#taken) this.#pool.giveBack(bytes)
    this.#taken = []
  }
}

/** Memory that grows with what is put into it, and goes back when that is written. */
export class GrowingRoom {
  readonly #pool: MemoryPool
  readonly #firstBytes: number
  bytes: Uint8Array

  constructor(pool: MemoryPool, firstBytes: number) {
    this.#pool = pool
    this.#firstBytes = firstBytes
    this.bytes = new Uint8Array(firstBytes)
  }
  /** At least so much; what is in it stays, what is behind may hold anything. */
  reach(bytes: number): void {
    if (bytes <= this.bytes.length) return
    const larger = this.#pool.take(Math.max(bytes, 2 * this.bytes.length))
    larger.set(this.bytes)
    this.#pool.giveBack(this.bytes)
    this.bytes = larger
  }
  clear(): void {
    if (this.bytes.length === this.#firstBytes) return
    this.#pool.giveBack(this.bytes)
    this.bytes = new Uint8Array(this.#firstBytes)
  }
}
