// By what a file is known again, whatever it is called by then: the bytes at the beginning and at the end of what was
// taken of it (of its unpacked content, if it is packed). A file that was moved, rotated or packed still begins with
// them; one that was written anew, or took the place of another, does not.
import { createHash } from 'node:crypto'

/** Of each of the two. */
export const knownBytesMax = 4096

const newline = 10

export interface Fingerprint {
  /** Bytes of content taken. */
  readonly position: number
  /** SHA-256, hexadecimal, of the first bytes of what was taken, 4,096 at most … */
  readonly head: string
  /** … and of the last. */
  readonly tail: string
}

export class TakenContent {
  position = 0
  readonly #head: Buffer
  #headBytes = 0
  #tail: Buffer

  constructor() {
    this.#head = Buffer.alloc(knownBytesMax)
    this.#tail = Buffer.alloc(0)
  }
  /** The next bytes of the content were taken. */
  take(bytes: Uint8Array): void {
    const missing = Math.min(knownBytesMax - this.#headBytes, bytes.length)
    if (missing > 0) {
      this.#head.set(bytes.subarray(0, missing), this.#headBytes)
      this.#headBytes += missing
    }
    const last = bytes.subarray(Math.max(0, bytes.length - knownBytesMax))
    const kept = this.#tail.subarray(Math.max(0, this.#tail.length + last.length - knownBytesMax))
    this.#tail = Buffer.concat([kept, last])
    this.position += bytes.length
  }
  /** Bytes in the middle that nobody needs to see: those between the first and the last that it is known by. */
  skip(byteCount: number): void {
    this.position += byteCount
  }
  /** The last line that was taken had no end yet. */
  get isInLine(): boolean {
    return this.#tail.length > 0 && this.#tail.at(-1) !== newline
  }
  fingerprint(): Fingerprint {
    return {
      position: this.position,
      head: digest(this.#head.subarray(0, this.#headBytes)),
      tail: digest(this.#tail),
    }
  }
  is({ position, head, tail }: Fingerprint): boolean {
    const own = this.fingerprint()
    return own.position === position && own.head === head && own.tail === tail
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
