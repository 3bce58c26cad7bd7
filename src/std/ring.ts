// Messages from one thread to another through shared memory, without a copy on the way in: the writer fills its place in
// the ring, the reader sees it there. One writer, one reader; either may be the one who frees (a writer that wants to look
// at a message again frees it itself).
//
//   i32 written | i32 freed | i32 the reader waits | pad to 64 bytes | the ring, a power of two
//   message = u32 length | u32 zero | bytes, padded to 8; length 0xffffffff: the rest of the ring is skipped
//
// `written` and `freed` count bytes modulo 2^32. Both threads share one build: no version.
import { assert } from './assert.ts'

const WRITTEN = 0
const FREED = 1
const WAITS = 2
const CONTROL_BYTES = 64
const HEADER_BYTES = 8
const SKIP = 0xffffffff

/** Shared memory of a ring; messages take up to half of it. */
export function ringMemory(sizeBytes: number): SharedArrayBuffer {
  assert(sizeBytes >= 64 && sizeBytes <= 2 ** 30 && (sizeBytes & (sizeBytes - 1)) === 0, `a ring of ${sizeBytes} bytes`)
  return new SharedArrayBuffer(CONTROL_BYTES + sizeBytes)
}

interface Parts {
  readonly control: Int32Array
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly size: number
}
function partsOf(memory: SharedArrayBuffer): Parts {
  const size = memory.byteLength - CONTROL_BYTES
  return {
    control: new Int32Array(memory, 0, CONTROL_BYTES / 4),
    bytes: new Uint8Array(memory, CONTROL_BYTES, size),
    view: new DataView(memory, CONTROL_BYTES, size),
    size,
  }
}
const padded = (length: number): number => HEADER_BYTES + ((length + 7) & ~7)

export class RingWriter {
  readonly messageBytesMax: number
  readonly #parts: Parts
  #written: number
  #last: Uint8Array = new Uint8Array(0)

  constructor(memory: SharedArrayBuffer) {
    this.#parts = partsOf(memory)
    this.#written = Atomics.load(this.#parts.control, WRITTEN)
    this.messageBytesMax = this.#parts.size / 2 - HEADER_BYTES
  }
  /** Bytes written and not yet freed. */
  get usedBytes(): number {
    return (this.#written - Atomics.load(this.#parts.control, FREED)) >>> 0
  }
  /** A place for a message, or null while there is none. Nothing is handed over before `send`. */
  reserve(length: number): Uint8Array | null {
    assert(length <= this.messageBytesMax, `a message of ${length} bytes, at most ${this.messageBytesMax}`)
    const { size, bytes, view } = this.#parts
    let at = (this.#written >>> 0) & (size - 1)
    const skipped = at + padded(length) > size ? size - at : 0
    if (this.usedBytes + skipped + padded(length) > size) return null
    if (skipped > 0) {
      view.setUint32(at, SKIP, true)
      this.#written = (this.#written + skipped) | 0
      at = 0
    }
    return bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
  }
  /** Hands over what was filled into the reserved place. True: the reader waits and wants to be woken. */
  send(length: number): boolean {
    const { control, bytes, view, size } = this.#parts
    const at = (this.#written >>> 0) & (size - 1)
    view.setUint32(at, length, true)
    this.#last = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
    this.#written = (this.#written + padded(length)) | 0
    Atomics.store(control, WRITTEN, this.#written)
    return Atomics.exchange(control, WAITS, 0) === 1
  }
  /** The message sent last, in its place. */
  get last(): Uint8Array {
    return this.#last
  }
  /** What was sent so far, for `free`. */
  get mark(): number {
    return this.#written
  }
  /** Frees all up to a mark. Only where the reader does not. */
  free(mark: number): void {
    Atomics.store(this.#parts.control, FREED, mark)
  }
}

export class RingReader {
  readonly #parts: Parts
  #read: number

  constructor(memory: SharedArrayBuffer) {
    this.#parts = partsOf(memory)
    this.#read = Atomics.load(this.#parts.control, FREED)
  }
  /** The next message, in its place; null where there is none. */
  next(): Uint8Array | null {
    const { control, bytes, view, size } = this.#parts
    while (this.#read !== Atomics.load(control, WRITTEN)) {
      const at = (this.#read >>> 0) & (size - 1)
      const length = view.getUint32(at, true)
      if (length === SKIP) {
        this.#read = (this.#read + size - at) | 0
        continue
      }
      this.#read = (this.#read + padded(length)) | 0
      return bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
    }
    return null
  }
  /** Frees what was read. Only where the writer does not. */
  free(): void {
    Atomics.store(this.#parts.control, FREED, this.#read)
  }
  /** Asks to be woken by the next message; false: one has come meanwhile, go on. */
  wait(): boolean {
    const { control } = this.#parts
    Atomics.store(control, WAITS, 1)
    if (this.#read === Atomics.load(control, WRITTEN)) return true
    Atomics.store(control, WAITS, 0)
    return false
  }
}
