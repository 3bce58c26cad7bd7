// Memory that batches are read into. For answers to fetches it is used again once the kernel has taken them: fresh memory
// for each would be a megabyte a partition, zeroed, and all of it garbage.

/** Gives memory. What is in it stays until whoever gave it takes it back. */
export interface ReadRoom {
  take(bytes: number): Uint8Array
}
/** Whoever holds what was read keeps it, for as long as they like. */
export const freshRoom: ReadRoom = { take: (bytes) => new Uint8Array(bytes) }

/** Less is not worth keeping. */
const kindBytesMin = 64 << 10
const kindBytesMax = 2 << 20
/** On top of each power of two: a megabyte of batches comes with headers of blocks and of an entry. */
const extraBytes = 4 << 10
/** Kept for later, at most. */
export const freeBytesMax = 16 << 20

export class RoomPool {
  readonly #free = new Map<number, Uint8Array[]>()
  #freeBytes = 0
  /** The least that was free since the last `trim`: nobody has needed it. */
  #idleBytes = 0

  lease(): Lease {
    return new Lease(this)
  }
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Of the length of its kind, with whatever was in it. */
  get(kind: number): Uint8Array {
    const free = this.#free.get(kind)?.pop()
    if (free === undefined) return new Uint8Array(kind)
    this.#freeBytes -= kind
    this.#idleBytes = Math.min(this.#idleBytes, this.#freeBytes)
    return free
  }
  /** Nobody looks at it any more. */
  put(bytes: Uint8Array): void {
    if (this.#freeBytes + bytes.length > freeBytesMax) return
    const kind = this.#free.get(bytes.length)
    if (kind === undefined) this.#free.set(bytes.length, [bytes])
    else kind.push(bytes)
    this.#freeBytes += bytes.length
  }
  /** From time to time: lets go of what nobody has needed since the last time. */
  trim(): void {
    for (const [kind, free] of this.#free) {
      while (this.#idleBytes >= kind && free.pop() !== undefined) {
        this.#idleBytes -= kind
        this.#freeBytes -= kind
      }
      if (free.length === 0) this.#free.delete(kind)
    }
    this.#idleBytes = this.#freeBytes
  }
}

/** What one answer holds of the pool. Never given back, it is garbage like any other memory. */
export class Lease implements ReadRoom {
  readonly #pool: RoomPool
  #taken: Uint8Array[] = []

  constructor(pool: RoomPool) {
    this.#pool = pool
  }
  take(bytes: number): Uint8Array {
    // At least half of what is held is used: a peer that takes nothing holds no more than twice what is counted.
    if (bytes < kindBytesMin / 2 || bytes > kindBytesMax) return new Uint8Array(bytes)
    let kind = kindBytesMin
    while (kind + extraBytes < bytes) kind *= 2
    const whole = this.#pool.get(kind + extraBytes)
    this.#taken.push(whole)
    return whole.subarray(0, bytes)
  }
  /** Nobody looks at it any more. Only once. */
  giveBack(): void {
    for (const bytes of this.#taken) this.#pool.put(bytes)
    this.#taken = []
  }
}
