// The bytes of a snapshot: everything little-endian, written and read in the same order by the owners of the state. What
// is large lies apart from what is small, so that an array which changes in place leaves most of its blocks as they were.
//
//   flat:  magic "MRES" | u32 format version | u32 loose bytes | u32 arrays | loose | each array: u32 byte length, bytes
//   loose: u32, f64 and texts as they come
//          text  = u32 byte length, UTF-8
//          array = u32 count, then its elements (f64, i32 or u8) here if they are below 4 KiB; else they are the next of
//                  the arrays
//
// Changing what any part writes needs a new FORMAT_VERSION: an older snapshot is refused and the log replayed instead.
import { assert } from '../std/assert.ts'
import { IntSet, type TupleIndex } from './int-set.ts'

export const FORMAT_VERSION = 3
const MAGIC = 0x5345524d
const HEADER_BYTES = 16
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
  const total = arrays.reduce((sum, { length }) => sum + 4 + length, HEADER_BYTES + loose.length)
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(8, loose.length, true)
  view.setUint32(12, arrays.length, true)
  bytes.set(loose, HEADER_BYTES)
  let at = HEADER_BYTES + loose.length
  for (const array of arrays) {
    view.setUint32(at, array.length, true)
    bytes.set(array, at + 4)
    at += 4 + array.length
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
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (at + 4 + length > bytes.length)
      throw new SnapshotError(`the snapshot ends at byte ${bytes.length}, in the middle`)
    arrays.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  if (at !== bytes.length) throw new SnapshotError('the snapshot is longer than the state it should hold')
  return { loose: bytes.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint32(8, true)), arrays }
}

export class StateWriter {
  #bytes = new Uint8Array(65_536)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  readonly #arrays: Uint8Array[] = []

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
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
  raw(bytes: Uint8Array): void {
    this.#array(bytes, bytes.length)
  }
  text(text: string): void {
    this.raw(new TextEncoder().encode(text))
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
  finish(): StateParts {
    return { loose: this.#bytes.slice(0, this.#length), arrays: this.#arrays }
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
  /** A copy of the next array's bytes, which are aligned for any element. */
  #array(size: number): { readonly count: number; readonly buffer: ArrayBuffer } {
    const count = this.u32()
    const length = count * size
    if (length < APART_BYTES_MIN) {
      const at = this.#take(length)
      return { count, buffer: copied(this.#bytes, at, length) }
    }
    const array = this.#arrays[this.#nextArray++]
    if (array === undefined || array.length !== length)
      throw new SnapshotError(
        `the snapshot is damaged: an array of ${length} bytes is ${array === undefined ? 'missing' : `${array.length} bytes long`}`,
      )
    return { count, buffer: copied(array, 0, length) }
  }
  raw(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#array(1).buffer)
  }
  text(): string {
    return new TextDecoder().decode(this.raw())
  }
  floats(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#array(8).buffer)
  }
  ints(): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#array(4).buffer)
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

function copied(bytes: Uint8Array, at: number, length: number): ArrayBuffer {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(at, at + length))
  return copy.buffer
}
