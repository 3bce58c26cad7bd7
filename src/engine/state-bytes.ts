// The bytes of a snapshot: everything little-endian, written and read in the same order by the owners of the state. What
// is large lies apart from what is small, so that an array which changes in place leaves most of its blocks as they were.
//
//   flat:  magic "MRES" | u32 format version | u32 loose bytes | u32 arrays | loose
//          | each array, from the next multiple of 8 on: u32 byte length, u32 zero, bytes
//   loose: u32, f64 and texts as they come
//          text  = array of UTF-8
//          array = u32 count, then its elements (f64, i32 or u8), from the next multiple of 8 on, if they are below 4 KiB;
//                  else they are the next of the arrays
//
// Changing what any part writes needs a new FORMAT_VERSION: an older snapshot is refused and the log replayed instead.
import { assert } from '../std/assert.ts'
import { IntSet, type TupleIndex } from './int-set.ts'

export const FORMAT_VERSION = 4
const MAGIC = 0x5345524d
const HEADER_BYTES = 16
const ARRAY_HEADER_BYTES = 8
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const aligned = (at: number): number => (at + 7) & ~7
/** Arrays from this size on lie apart. */
export const APART_BYTES_MIN = 4096

assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'arrays are written as they lie: little-endian')

/** A snapshot of other Plans, of another version, or a damaged one. Cure: recover from the log without it. */
export class SnapshotError extends Error {
  override name = 'SnapshotError'
}

/** A state as its owner handed it over. The arrays are the owner's own: valid until it changes. */
export interface StateParts {
  readonly loose: Uint8Array
  readonly arrays: readonly Uint8Array[]
}

export function flatten({ loose, arrays }: StateParts): Uint8Array<ArrayBuffer> {
  let total = HEADER_BYTES + loose.length
  for (const { length } of arrays) total = aligned(total) + ARRAY_HEADER_BYTES + length
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(8, loose.length, true)
  view.setUint32(12, arrays.length, true)
  bytes.set(loose, HEADER_BYTES)
  let at = HEADER_BYTES + loose.length
  for (const array of arrays) {
    at = aligned(at)
    view.setUint32(at, array.length, true)
    bytes.set(array, at + ARRAY_HEADER_BYTES)
    at += ARRAY_HEADER_BYTES + array.length
  }
  return bytes
}

export function unflatten(bytes: Uint8Array): StateParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC)
    throw new SnapshotError('not a snapshot of the engine')
  const version = view.getUint32(4, true)
  if (version !== FORMAT_VERSION)
    throw new SnapshotError(`snapshot format ${version}; this engine reads ${FORMAT_VERSION}. Replay the log instead`)
  let at = HEADER_BYTES + view.getUint32(8, true)
  const count = view.getUint32(12, true)
  const arrays: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const begin = aligned(at) + ARRAY_HEADER_BYTES
    const length = begin <= bytes.length ? view.getUint32(begin - ARRAY_HEADER_BYTES, true) : Number.POSITIVE_INFINITY
    if (begin + length > bytes.length)
      throw new SnapshotError(`the snapshot ends at byte ${bytes.length}, in the middle`)
    arrays.push(bytes.subarray(begin, begin + length))
    at = begin + length
  }
  if (at !== bytes.length) throw new SnapshotError('the snapshot is longer than the state it should hold')
  return { loose: bytes.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint32(8, true)), arrays }
}

export class StateWriter {
  #bytes = new Uint8Array(65_536)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #arrays: Uint8Array[] = []

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
  u32(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }
  f64(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }
  #array(array: Float64Array | Int32Array | Uint8Array, count: number): void {
    assert(count <= array.length, `${count} elements of an array of ${array.length}`)
    this.u32(count)
    const bytes = new Uint8Array(array.buffer, array.byteOffset, count * array.BYTES_PER_ELEMENT)
    if (bytes.length >= APART_BYTES_MIN) {
      this.#arrays.push(bytes)
      return
    }
    this.#room(bytes.length + 7)
    this.#length = aligned(this.#length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
  raw(bytes: Uint8Array): void {
    this.#array(bytes, bytes.length)
  }
  text(text: string): void {
    this.raw(encoder.encode(text))
  }
  /** The first `count` of the array. Large ones leave by reference: they must not change until the snapshot is kept. */
  floats(array: Float64Array, count: number): void {
    this.#array(array, count)
  }
  ints(array: Int32Array, count: number): void {
    this.#array(array, count)
  }
  numbers(array: readonly number[]): void {
    this.#array(Float64Array.from(array), array.length)
  }
  set(set: IntSet): void {
    this.ints(set.keys, set.count)
  }
  tuples(index: TupleIndex): void {
    this.ints(index.keys, index.high * index.width)
    this.u32(index.high)
    this.numbers(index.freeNumbers)
  }
  /** What was written; the writer is empty again. What lies between elements is of no matter, but the same each time. */
  finish(): StateParts {
    const parts = { loose: this.#bytes.slice(0, this.#length), arrays: this.#arrays }
    this.#bytes.fill(0, 0, this.#length)
    this.#length = 0
    this.#arrays = []
    return parts
  }
}

export class StateReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #arrays: readonly Uint8Array[]
  #at = 0
  #nextArray = 0

  constructor({ loose, arrays }: StateParts) {
    this.#bytes = loose
    this.#view = new DataView(loose.buffer, loose.byteOffset, loose.byteLength)
    this.#arrays = arrays
  }
  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#bytes.length)
      throw new SnapshotError(`the snapshot ends at byte ${this.#bytes.length}, in the middle`)
    this.#at += count
    return at
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }
  /** The next array's bytes, where they lie. */
  #array(size: number): Uint8Array {
    const length = this.u32() * size
    if (length < APART_BYTES_MIN) {
      this.#at = Math.min(aligned(this.#at), this.#bytes.length)
      const at = this.#take(length)
      return this.#bytes.subarray(at, at + length)
    }
    const array = this.#arrays[this.#nextArray++]
    if (array === undefined || array.length !== length)
      throw new SnapshotError(
        `the snapshot is damaged: an array of ${length} bytes is ${array === undefined ? 'missing' : `${array.length} bytes long`}`,
      )
    return array
  }
  raw(): Uint8Array<ArrayBuffer> {
    return copied(this.#array(1))
  }
  text(): string {
    return decoder.decode(this.#array(1))
  }
  floats(): Float64Array<ArrayBuffer> {
    return new Float64Array(copied(this.#array(8)).buffer)
  }
  ints(): Int32Array<ArrayBuffer> {
    return new Int32Array(copied(this.#array(4)).buffer)
  }
  /** As they lie, where they are aligned: only to be read, and as long as the bytes are there. */
  lentFloats(): Float64Array {
    const bytes = this.#array(8)
    const { buffer, byteOffset, length } = bytes.byteOffset % 8 === 0 ? bytes : copied(bytes)
    return new Float64Array(buffer, byteOffset, length / 8)
  }
  lentInts(): Int32Array {
    const bytes = this.#array(4)
    const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : copied(bytes)
    return new Int32Array(buffer, byteOffset, length / 4)
  }
  numbers(): number[] {
    return Array.from(this.floats())
  }
  set(): IntSet {
    const keys = this.ints()
    const set = new IntSet(keys.length)
    for (let i = 0; i < keys.length; i++) set.add(keys[i]!)
    return set
  }
  tuples(into: TupleIndex): void {
    const keys = this.ints()
    const high = this.u32()
    into.load(keys, high, this.numbers())
  }
  end(): void {
    if (this.#at !== this.#bytes.length || this.#nextArray !== this.#arrays.length)
      throw new SnapshotError('the snapshot is longer than the state it should hold')
  }
}

function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}
