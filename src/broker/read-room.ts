// Memory that batches are read into, or gathered in for a file, and that is used again: by an answer once the kernel has
// taken the one before, by a file once another is written. Fresh memory for each would be megabytes, zeroed, and garbage.

/** Gives memory. What is in it stays until whoever gave it takes it back. */
export interface ReadRoom {
  take(bytes: number): Uint8Array
}
/** Whoever holds what was read keeps it, for as long as they like. */
export const freshRoom: ReadRoom = { take: (bytes) => new Uint8Array(bytes) }

/** Less is not worth keeping. */
const kindBytesMin = 64 << 10
const kindBytesMax = 8 << 20
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

const isWorthKeeping = (bytes: number): boolean => bytes >= kindBytesMin / 2 && bytes <= kindBytesMax
function kindOf(bytes: number): number {
  let kind = kindBytesMin
  while (kind + extraBytes < bytes) kind *= 2
  return kind + extraBytes
}

/** Memory that grows with what is put into it, and goes back when that is written. */
export class GrowingRoom {
  readonly #pool: RoomPool
  readonly #firstBytes: number
  bytes: Uint8Array

  constructor(pool: RoomPool, firstBytes: number) {
    this.#pool = pool
    this.#firstBytes = firstBytes
    this.bytes = new Uint8Array(firstBytes)
  }
  /** At least so much; what is in it stays, what is behind may hold anything. */
  reach(bytes: number): void {
    if (bytes <= this.bytes.length) return
    const { length } = this.bytes
    // The next kind, not the one after it.
    const wanted = Math.max(bytes, 2 * (length > kindBytesMin ? length - extraBytes : length))
    const larger = isWorthKeeping(wanted) ? this.#pool.get(kindOf(wanted)) : new Uint8Array(wanted)
    larger.set(this.bytes)
    this.#giveBack()
    this.bytes = larger
  }
  clear(): void {
    if (this.bytes.length === this.#firstBytes) return
    this.#giveBack()
    this.bytes = new Uint8Array(this.#firstBytes)
  }
  #giveBack(): void {
    if (isWorthKeeping(this.bytes.length - extraBytes)) this.#pool.put(this.bytes)
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
    if (!isWorthKeeping(bytes)) return new Uint8Array(bytes)
    const whole = this.#pool.get(kindOf(bytes))
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
    for (const bytes of this.#taken) this.#pool.put(bytes)
    this.#taken = []
  }
}
