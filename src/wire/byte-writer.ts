// Writes the primitive types of Kafka messages; large byte strings are passed on by reference, not copied.
// The formats are those of `byte-reader.ts`.
import { assert } from '../std/assert.ts'
import { stringBytesMax } from './byte-reader.ts'

/** From this size on, a byte string becomes a chunk of its own. Below, a copy is cheaper than another system call. */
const chunkBytesMin = 16 * 1024

export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #end = 0
  readonly #chunks: Uint8Array[] = []
  #chunkBytes = 0
  /** Where the current buffer's bytes begin that are not in a chunk yet. */
  #chunkStart = 0

  constructor(initialBytes = 256) {
    this.#bytes = new Uint8Array(initialBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#chunkBytes + this.#end - this.#chunkStart
  }

  #reserve(size: number): number {
    const at = this.#end
    if (at + size > this.#bytes.length) {
      const pending = this.#bytes.subarray(this.#chunkStart, at)
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, pending.length + size))
      grown.set(pending)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
      this.#chunkStart = 0
      this.#end = pending.length + size
      return pending.length
    }
    this.#end = at + size
    return at
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }
  int8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }
  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }
  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }
  int64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setInt32(at + 4, value % 0x1_0000_0000)
  }
  id64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }
  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }
  uuid(value: Uint8Array): void {
    assert(value.length === 16, `a UUID has 16 bytes, not ${value.length}`)
    const at = this.#reserve(16)
    this.#bytes.set(value, at)
  }
  uvarint(value: number): void {
    let rest = value >>> 0
    for (; rest > 0x7f; rest >>>= 7) this.int8((rest & 0x7f) | 0x80)
    this.int8(rest)
  }
  #length(size: number, flexible: boolean): void {
    if (flexible) this.uvarint(size + 1)
    else this.int32(size)
  }
  string(value: string | null, flexible: boolean): void {
    if (value === null) {
      if (flexible) this.uvarint(0)
      else this.int16(-1)
      return
    }
    const text = Buffer.from(value, 'utf8')
    assert(text.length <= stringBytesMax, `a string of ${text.length} bytes does not fit`)
    if (flexible) this.uvarint(text.length + 1)
    else this.int16(text.length)
    this.raw(text)
  }
  /** Several parts make one byte string. They must not change until the message is sent. */
  blob(value: Uint8Array | readonly Uint8Array[] | null, flexible: boolean): void {
    if (value === null) this.#length(-1, flexible)
    else if (value instanceof Uint8Array) {
      this.#length(value.length, flexible)
      this.raw(value)
    } else {
      let size = 0
      for (const part of value) size += part.length
      this.#length(size, flexible)
      for (const part of value) this.raw(part)
    }
  }
  count(count: number, flexible: boolean): void {
    this.#length(count, flexible)
  }
  raw(bytes: Uint8Array): void {
    if (bytes.length < chunkBytesMin) {
      const at = this.#reserve(bytes.length)
      this.#bytes.set(bytes, at)
      return
    }
    this.#closeChunk()
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
  }
  #closeChunk(): void {
    if (this.#end === this.#chunkStart) return
    this.#chunks.push(this.#bytes.subarray(this.#chunkStart, this.#end))
    this.#chunkBytes += this.#end - this.#chunkStart
    this.#chunkStart = this.#end
  }

  /** What was written, in order, as chunks. The writer is used up. */
  finish(): Uint8Array[] {
    this.#closeChunk()
    return this.#chunks
  }
}
