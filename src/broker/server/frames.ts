// Cuts a connection's bytes into frames: length 4 (big-endian, counts what follows), then that many bytes.
// Nothing is allocated for bytes that have not arrived: a claimed length costs nothing, and a frame that comes in
// pieces grows a buffer of at most twice what is there. Only who has sent a whole frame of that size is believed the
// next one at once, up to 1 MiB: a producer's batches are not copied from buffer to buffer.
// What comes is copied, for its memory is the socket's.
import type { MemoryPool } from '../memory-pool.ts'

/** Api key, version and correlation id: no request is shorter. */
const requestBytesMin = 8
const firstBufferBytes = 4 * 1024
const believedBytesMax = 1024 * 1024
const nothing = new Uint8Array(0)

export class FrameError extends Error {
  override name = 'FrameError'
}

export class FrameAssembler {
  #frameBytesMax: number
  #frameBytesMin: number
  /** Bytes of the length that have come while the rest has not, and how many. */
  #length = 0
  #lengthBytes = 0
  /** Size of the frame under way, -1 while its length is not known. */
  #size = -1
  #buffer: Uint8Array = nothing
  #have = 0
  /** Size of the last whole frame, as far as the next one is believed. */
  #believedBytes = 0

  readonly #memory: MemoryPool | null

  /**
   * `frameBytesMin`: of what comes; an answer may be shorter than any request. `memory`: where the memory of large
   * frames comes from; who gets a frame may give it back there.
   */
  constructor(frameBytesMax: number, frameBytesMin = requestBytesMin, memory: MemoryPool | null = null) {
    this.#frameBytesMax = frameBytesMax
    this.#frameBytesMin = frameBytesMin
    this.#memory = memory
  }

  /** Memory of the frame under way. */
  get bufferBytes(): number {
    return this.#buffer.length
  }

  /** From the next frame on. */
  setBounds(frameBytesMax: number, frameBytesMin = requestBytesMin): void {
    this.#frameBytesMax = frameBytesMax
    this.#frameBytesMin = frameBytesMin
  }

  /** True when a frame has begun and is not whole. */
  get half(): boolean {
    return this.#lengthBytes > 0 || this.#size >= 0
  }

  /** Gives each whole frame (without its length) to `take`. Throws a FrameError for a length that cannot be. */
  push(bytes: Uint8Array, take: (frame: Uint8Array) => void): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#size < 0) {
        this.#length = this.#length * 256 + bytes[at++]!
        if (++this.#lengthBytes < 4) continue
        const size = this.#length | 0
        if (size < this.#frameBytesMin || size > this.#frameBytesMax) {
          throw new FrameError(`a frame of ${size} bytes; allowed are ${this.#frameBytesMin} to ${this.#frameBytesMax}`)
        }
        this.#size = size
      }
      const missing = this.#size - this.#have
      const here = Math.min(missing, bytes.length - at)
      this.#keep(bytes.subarray(at, at + here))
      at += here
      if (this.#have === this.#size) {
        const frame = this.#buffer.subarray(0, this.#size)
        this.#restart()
        take(frame)
      }
    }
  }

  #keep(piece: Uint8Array): void {
    const needed = this.#have + piece.length
    if (needed > this.#buffer.length) {
      const wanted = Math.max(needed, this.#buffer.length * 2, firstBufferBytes, this.#believedBytes)
      const bytes = Math.min(this.#size, wanted)
      const grown = this.#memory?.take(bytes) ?? new Uint8Array(bytes)
      grown.set(this.#buffer.subarray(0, this.#have))
      this.#memory?.giveBack(this.#buffer)
      this.#buffer = grown
    }
    this.#buffer.set(piece, this.#have)
    this.#have = needed
  }
  #restart(): void {
    this.#believedBytes = Math.min(this.#size, believedBytesMax)
    this.#length = 0
    this.#lengthBytes = 0
    this.#size = -1
    this.#buffer = nothing
    this.#have = 0
  }
}
