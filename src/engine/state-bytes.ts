// The bytes of a snapshot: everything little-endian, written and read in the same order by the owners of the state.
//
//   magic "MRES" | u32 format version | sections of the job
//   text  = u32 byte length, UTF-8      array = u32 count, elements (f64, i32 or u8)
//
// Changing what any part writes needs a new FORMAT_VERSION: an older snapshot is refused and the log replayed instead.
import { IntSet, type TupleIndex } from './int-set.ts'

export const FORMAT_VERSION = 1
const MAGIC = 0x5345524d

/** A snapshot of other Plans, of another version, or a damaged one. Cure: recover from the log without it. */
export class SnapshotError extends Error {
  override name = 'SnapshotError'
}

export class StateWriter {
  #bytes = new Uint8Array(65_536)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  constructor() {
    this.u32(MAGIC)
    this.u32(FORMAT_VERSION)
  }
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
  raw(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
  text(text: string): void {
    this.raw(new TextEncoder().encode(text))
  }
  floats(array: Float64Array, count: number): void {
    this.u32(count)
    for (let i = 0; i < count; i++) this.f64(array[i]!)
  }
  ints(array: Int32Array, count: number): void {
    this.u32(count)
    for (let i = 0; i < count; i++) this.u32(array[i]! >>> 0)
  }
  numbers(array: readonly number[]): void {
    this.u32(array.length)
    for (const value of array) this.f64(value)
  }
  set(set: IntSet): void {
    this.ints(set.keys, set.count)
  }
  tuples(index: TupleIndex): void {
    this.ints(index.keys, index.high * index.width)
    this.u32(index.high)
    this.numbers(index.freeNumbers)
  }
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

export class StateReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < 8 || this.u32() !== MAGIC) throw new SnapshotError('not a snapshot of the engine')
    const version = this.u32()
    if (version !== FORMAT_VERSION)
      throw new SnapshotError(`snapshot format ${version}; this engine reads ${FORMAT_VERSION}. Replay the log instead`)
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
  raw(): Uint8Array {
    const length = this.u32()
    const at = this.#take(length)
    return this.#bytes.slice(at, at + length)
  }
  text(): string {
    return new TextDecoder().decode(this.raw())
  }
  floats(): Float64Array<ArrayBuffer> {
    const count = this.u32()
    this.#fits(count, 8)
    const array = new Float64Array(count)
    for (let i = 0; i < count; i++) array[i] = this.f64()
    return array
  }
  ints(): Int32Array<ArrayBuffer> {
    const count = this.u32()
    this.#fits(count, 4)
    const array = new Int32Array(count)
    for (let i = 0; i < count; i++) array[i] = this.u32() | 0
    return array
  }
  numbers(): number[] {
    const count = this.u32()
    this.#fits(count, 8)
    return Array.from({ length: count }, () => this.f64())
  }
  set(): IntSet {
    const set = new IntSet()
    const count = this.u32()
    this.#fits(count, 4)
    for (let i = 0; i < count; i++) set.add(this.u32() | 0)
    return set
  }
  tuples(into: TupleIndex): void {
    const keys = this.ints()
    const high = this.u32()
    into.load(keys, high, this.numbers())
  }
  /** Refuses a count that the rest of the snapshot cannot hold before anything is allocated for it. */
  #fits(count: number, size: number): void {
    if (this.#at + count * size > this.#bytes.length)
      throw new SnapshotError('the snapshot is damaged: an array is longer than it')
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw new SnapshotError('the snapshot is longer than the state it should hold')
  }
}
