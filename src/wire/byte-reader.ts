// Reads the primitive types of Kafka messages from one frame. Bounded: nothing beyond the frame is read, and what is
// allocated for decoded values is limited by the frame's size, whatever lengths it claims.
//
// Integers are big-endian; an unsigned varint is little-endian base 128. `string`: length 2 (-1 = null), UTF-8.
// `bytes`, `records`: length 4. Arrays: count 4. In flexible versions lengths and counts are an unsigned varint of
// length + 1 (0 = null). `uuid`: 16 bytes. See Kafka's protocol guide, "Protocol Primitive Types".
import { WireError } from './wire-error.ts'

/** Array elements that every frame may hold, however short it is … */
const elementsFree = 10_000
/**
 * … and one more for each so many bytes. A decoded element takes about 100 bytes of memory, so decoding a frame takes
 * at most about 1 MiB and four times its size.
 */
const bytesPerElement = 32
/** … and of no frame more, for each costs its handler some work: 10,000 partitions with ten things said of each. */
const elementsPerFrameMax = 100_000
/** Bytes of a string, in compact form too (Kafka's generated code has this limit). */
export const stringBytesMax = 0x7fff

export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #text: Buffer
  at: number
  readonly #elementsMax: number
  /** Of arrays, so far. */
  elements = 0

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.#elementsMax = Math.min(elementsPerFrameMax, elementsFree + Math.floor(bytes.length / bytesPerElement))
  }

  get left(): number {
    return this.bytes.length - this.at
  }
  /** Moves on by `size` bytes and returns where they begin. */
  #take(size: number, what: string): number {
    const at = this.at
    if (size < 0 || size > this.bytes.length - at) {
      throw new WireError('INVALID_REQUEST', `${what} of ${size} bytes at byte ${at} of ${this.bytes.length}`)
    }
    this.at = at + size
    return at
  }

  bool(): boolean {
    return this.bytes[this.#take(1, 'bool')] !== 0
  }
  int8(): number {
    return this.#view.getInt8(this.#take(1, 'int8'))
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2, 'int16'))
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4, 'int32'))
  }
  /** Exact within +-2^53, rounded beyond: offsets, sizes and times never are. */
  int64(): number {
    const at = this.#take(8, 'int64')
    return this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
  }
  id64(): bigint {
    return this.#view.getBigInt64(this.#take(8, 'int64'))
  }
  float64(): number {
    return this.#view.getFloat64(this.#take(8, 'float64'))
  }
  /** A slice of the frame. */
  uuid(): Uint8Array {
    const at = this.#take(16, 'uuid')
    return this.bytes.subarray(at, at + 16)
  }
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.#take(1, 'varint')]!
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WireError('INVALID_REQUEST', `a varint of more than 32 bits ends at byte ${this.at}`)
  }
  string(flexible: boolean): string | null {
    const size = flexible ? this.uvarint() - 1 : this.int16()
    if (size === -1) return null
    // What is read may be written back: a string that could not be written is not let in.
    if (size > stringBytesMax) throw new WireError('INVALID_REQUEST', `a string of ${size} bytes at byte ${this.at}`)
    const at = this.#take(size, 'string')
    const text = this.#text.toString('utf8', at, at + size)
    // Broken UTF-8 becomes U+FFFD, which is longer than what it replaces; the character itself may stand there, too.
    if (text.includes('\ufffd') && !Buffer.from(text).equals(this.#text.subarray(at, at + size))) {
      throw new WireError('INVALID_REQUEST', `the string at byte ${at} is not UTF-8`)
    }
    return text
  }
  /** A slice of the frame. */
  blob(flexible: boolean): Uint8Array | null {
    const size = flexible ? this.uvarint() - 1 : this.int32()
    if (size === -1) return null
    const at = this.#take(size, 'bytes')
    return this.bytes.subarray(at, at + size)
  }
  /**
   * How many elements follow, -1 for null. Refuses more than the bytes left, or the budget, could hold: an element takes
   * at least `elementBytesMin`.
   */
  count(flexible: boolean, elementBytesMin: number): number {
    const count = flexible ? this.uvarint() - 1 : this.int32()
    if (count === -1) return -1
    if (count < 0 || count * elementBytesMin > this.left || this.elements + count > this.#elementsMax) {
      throw new WireError(
        'INVALID_REQUEST',
        `an array of ${count} elements at byte ${this.at}, ${this.left} bytes left`,
      )
    }
    this.elements += count
    return count
  }
  skip(size: number): void {
    this.#take(size, 'tagged field')
  }
}
