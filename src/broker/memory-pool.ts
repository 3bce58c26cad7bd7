// Memory that is used again and again: for the frames of producers, for what an answer reads, for what is gathered for a file.
// Thousands of pieces a second in a few sizes were fresh memory each, zeroed, and garbage: the collector had to be called for
// every few megabytes.
//
// Who takes some and never gives it back has done no harm: then it is the collector's, as any other memory.

/** Less is cheaper to allocate. */
export const pieceBytesMin = 8 << 10
/** More is too rare to be kept. */
export const pieceBytesMax = 8 << 20
/** A size is rounded up to the next quarter of its power of two. */
const quarters = 4

interface Size {
  readonly idle: Uint8Array[]
  /** So few of them were idle since the last look. */
  leastIdle: number
}

export class MemoryPool {
  readonly #idleBytesMax: number
  readonly #scribbles: boolean
  readonly #sizes = new Map<number, Size>()
  /** Taken and not given back, by their memory. */
  readonly #lent = new WeakMap<ArrayBufferLike, Uint8Array>()
  #idleBytes = 0

  /** `scribbles`, for tests: what was given back is overwritten, so that whoever looks at it still is found out. */
  constructor(idleBytesMax: number, scribbles = false) {
    this.#idleBytesMax = idleBytesMax
    this.#scribbles = scribbles
  }
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** At least so many bytes; what stands in them is of others, earlier. */
  take(bytes: number): Uint8Array {
    if (bytes < pieceBytesMin || bytes > pieceBytesMax) return new Uint8Array(bytes)
    const sizeBytes = roundedUp(bytes)
    const size = this.#sizes.get(sizeBytes)
    const idle = size?.idle.pop()
    const taken = idle ?? new Uint8Array(sizeBytes)
    if (size !== undefined && idle !== undefined) {
      this.#idleBytes -= sizeBytes
      size.leastIdle = Math.min(size.leastIdle, size.idle.length)
    }
    this.#lent.set(taken.buffer, taken)
    return taken
  }
  /** Nobody looks at this part of what was taken, nor at the rest of it, any more. Of other memory: nothing happens. */
  giveBack(part: Uint8Array): void {
    const whole = this.#lent.get(part.buffer)
    if (whole === undefined) return
    this.#lent.delete(part.buffer)
    if (this.#scribbles) whole.fill(0xdb)
    if (this.#idleBytes + whole.length > this.#idleBytesMax) return
    this.#idleBytes += whole.length
    const size = this.#sizes.get(whole.length)
    if (size === undefined) this.#sizes.set(whole.length, { idle: [whole], leastIdle: 0 })
    else size.idle.push(whole)
  }
  /** Called from time to time: what was not needed since the last time goes. */
  look(): void {
    for (const [sizeBytes, size] of this.#sizes) {
      this.#idleBytes -= sizeBytes * size.leastIdle
      size.idle.splice(0, size.leastIdle)
      size.leastIdle = size.idle.length
      if (size.idle.length === 0) this.#sizes.delete(sizeBytes)
    }
  }
}

function roundedUp(bytes: number): number {
  const step = 2 ** (31 - Math.clz32(bytes - 1)) / quarters
  return Math.ceil(bytes / step) * step
}
