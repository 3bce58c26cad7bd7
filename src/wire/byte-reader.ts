// Reads the primitive types of Kafka messages from one frame. Bounded: nothing beyond the frame is read, and what is
// allocated for decoded values is limited by the frame's size, whatever lengths it claims.
//
// Integers are big-endian; an unsigned varint is little-endian base 128. `string`: length 2 (-1 = null), UTF-8.
// `bytes`, `records`: length 4. Arrays: count 4. In flexible versions lengths and counts are an unsigned varint of
// length + 1 (0 = null). `uuid`: 16 bytes. See Kafka's protocol guide, "Protocol Primitive Types".
import { WireError } from './wire-error.ts'

/**
 * What decoded values may take in memory: four times the frame, and so much more for every frame, however short it is. Why
 * there is such a floor: docs/decisions/0026-what-a-frame-may-allocate.md.
 */
const decodedBytesPerByte = 4
export const decodedBytesFree = 64 * 1024
/** … and so much for each partition there is: what may be asked of each of them at once. */
export const decodedBytesPerPartition = 128
/** Of V8 on 64 bits without compressed pointers; tests/fuzz/decoded-memory.test.ts compares them with its heap. */
export const memory = {
  /** Of a field of an object, or an element of an array. */
  slot: 8,
  object: 24,
  /** Nothing in it. */
  array: 32,
  arrayElements: 16,
  text: 16,
  /** A view into the frame. */
  slice: 104,
  bigint: 24,
  /** A number that is not an integer of 32 bits. */
  largeNumber: 16,
} as const
/** Array elements of a frame, for each costs its handler some work: 10,000 partitions with ten things said of each. */
const elementsPerFrameMax = 100_000
/** Bytes of a string, in compact form too (Kafka's generated code has this limit). */
export const stringBytesMax = 0x7fff

export const zeroUuid = new Uint8Array(16)

export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #text: Buffer
  at: number
  #decodedBytesLeft: number
  /** Of arrays, so far. */
  #elements = 0

  /** `decodedBytesExtra`: what decoded values may take beside four times these bytes. */
  constructor(bytes: Uint8Array, at = 0, decodedBytesExtra = decodedBytesFree) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.#decodedBytesLeft = decodedBytesExtra + decodedBytesPerByte * bytes.length
  }

  get left(): number {
    return this.bytes.length - this.at
  }
  /** Before memory is taken for something decoded: refuses what would be more than the frame may have. */
  hold(bytes: number): void {
    this.#decodedBytesLeft -= bytes
    if (this.#decodedBytesLeft < 0) {
      throw new WireError(
        'INVALID_REQUEST',
        `what stands before byte ${this.at} of ${this.bytes.length} would take too much memory`,
      )
    }
  }
  /** What `hold` would still allow. */
  get decodedBytesLeft(): number {
    return this.#decodedBytesLeft
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
    const value = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
    if ((value | 0) !== value) this.hold(memory.largeNumber)
    return value
  }
  id64(): bigint {
    this.hold(memory.bigint)
    return this.#view.getBigInt64(this.#take(8, 'int64'))
  }
  float64(): number {
    this.hold(memory.largeNumber)
    return this.#view.getFloat64(this.#take(8, 'float64'))
  }
  /** A slice of the frame, or the one of zeros. */
  uuid(): Uint8Array {
    const at = this.#take(16, 'uuid')
    const view = this.#view
    if ((view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0)
      return zeroUuid
    this.hold(memory.slice)
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
    // A byte a character; two as soon as one of them is not of Latin-1, and most that are not of ASCII are not.
    this.hold(memory.text + ((size + 7) & ~7))
    const text = this.#text.toString('utf8', at, at + size)
    // Broken UTF-8 becomes U+FFFD, which is longer than what it replaces; the character itself may stand there, too.
    if (text.length < size) this.hold(Math.max(0, 2 * text.length - size))
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
    this.hold(memory.slice)
    return this.bytes.subarray(at, at + size)
  }
  /** How many elements follow, -1 for null. Refuses more than the bytes left hold: an element takes `elementBytesMin`. */
  count(flexible: boolean, elementBytesMin: number): number {
    const count = flexible ? this.uvarint() - 1 : this.int32()
    if (count === -1) return -1
    if (count < 0 || count * elementBytesMin > this.left || this.#elements + count > elementsPerFrameMax) {
      throw new WireError(
        'INVALID_REQUEST',
        `an array of ${count} elements at byte ${this.at}, ${this.left} bytes left`,
      )
    }
    this.hold(memory.array + (count > 0 ? memory.arrayElements + count * memory.slot : 0))
    this.#elements += count
    return count
  }
  skip(size: number): void {
    this.#take(size, 'tagged field')
  }
}
