// Sets and maps of non-negative integers (and pairs of them) in typed arrays: open addressing, members kept in the
// order they came. The engine's hot structures; no objects per member.

const SLOTS_MIN = 16

/** Spreads a 32-bit key over the high bits (Knuth's multiplicative hash). */
const spread = (key: number): number => Math.imul(key, 0x9e3779b1)

/** A set of int32 keys; `keys[0..count)` are its members in order of insertion. */
export class IntSet {
  keys: Int32Array<ArrayBuffer>
  count = 0
  /** Index into `keys` plus one; 0 is empty. */
  #table: Int32Array<ArrayBuffer>
  #shift: number

  /** Made for so many keys; takes any number. */
  constructor(expected = 0) {
    const bits = Math.max(Math.log2(SLOTS_MIN), 33 - Math.clz32(Math.max(expected, 1) - 1))
    this.keys = new Int32Array(2 ** (bits - 1))
    this.#table = new Int32Array(2 ** bits)
    this.#shift = 32 - bits
  }
  /** True if the key was not there. */
  add(key: number): boolean {
    const table = this.#table
    const mask = table.length - 1
    let slot = spread(key) >>> this.#shift
    for (let at = table[slot]!; at !== 0; at = table[slot]!) {
      if (this.keys[at - 1] === key) return false
      slot = (slot + 1) & mask
    }
    if (this.count === this.keys.length) {
      this.#grow()
      return this.add(key)
    }
    this.keys[this.count++] = key
    table[slot] = this.count
    return true
  }
  /** Index of the key in `keys`, or -1. */
  indexOf(key: number): number {
    const table = this.#table
    const mask = table.length - 1
    let slot = spread(key) >>> this.#shift
    for (let at = table[slot]!; at !== 0; at = table[slot]!) {
      if (this.keys[at - 1] === key) return at - 1
      slot = (slot + 1) & mask
    }
    return -1
  }
  clear(): void {
    this.count = 0
    this.#table.fill(0)
  }
  get bytes(): number {
    return this.keys.byteLength + this.#table.byteLength
  }
  #grow(): void {
    const keys = new Int32Array(this.keys.length * 2)
    keys.set(this.keys)
    this.keys = keys
    const size = this.#table.length * 2
    this.#shift--
    this.#table = new Int32Array(size)
    for (let i = 0; i < this.count; i++) {
      let slot = spread(keys[i]!) >>> this.#shift
      while (this.#table[slot] !== 0) slot = (slot + 1) & (size - 1)
      this.#table[slot] = i + 1
    }
  }
}

/** An int32 to int32 map on an `IntSet`. */
export class IntMap {
  readonly set = new IntSet()
  values = new Int32Array(SLOTS_MIN / 2)
  /** The value, or -1. */
  get(key: number): number {
    const at = this.set.indexOf(key)
    return at < 0 ? -1 : this.values[at]!
  }
  /** The key must not be there. */
  insert(key: number, value: number): void {
    this.set.add(key)
    if (this.values.length < this.set.keys.length) {
      const values = new Int32Array(this.set.keys.length)
      values.set(this.values)
      this.values = values
    }
    this.values[this.set.count - 1] = value
  }
  clear(): void {
    this.set.clear()
  }
  get bytes(): number {
    return this.set.bytes + this.values.byteLength
  }
}

/** Maps given back, for those who need new ones all the time. Large ones are let go. */
export class SpareMaps {
  readonly #spare: IntMap[] = []
  take(): IntMap {
    return this.#spare.pop() ?? new IntMap()
  }
  give(map: IntMap): void {
    if (this.#spare.length >= SPARE_MAX || map.values.length > SPARE_VALUES_MAX) return
    map.clear()
    this.#spare.push(map)
  }
}
const SPARE_MAX = 64
const SPARE_VALUES_MAX = 64

/**
 * Tuples of int32 to small dense numbers that are given back when removed. `keys[number * width + i]` are the parts.
 * Deletion shifts later members of the probe run back, so there are no tombstones.
 */
export class TupleIndex {
  readonly width: number
  keys: Int32Array
  /** Numbers ever given out: arrays indexed by them need this length. */
  high = 0
  /** Numbers in use. */
  count = 0
  #table = new Int32Array(SLOTS_MIN)
  #shift = 32 - Math.log2(SLOTS_MIN)
  #free: number[] = []

  constructor(width: number) {
    this.width = width
    this.keys = new Int32Array(width * SLOTS_MIN)
  }
  #hash(keys: Int32Array, from: number): number {
    let hash = 0
    for (let i = 0; i < this.width; i++) hash = Math.imul(hash ^ keys[from + i]!, 0x9e3779b1) ^ (hash >>> 15)
    return spread(hash) >>> this.#shift
  }
  #same(number: number, keys: Int32Array, from: number): boolean {
    const base = number * this.width
    for (let i = 0; i < this.width; i++) if (this.keys[base + i] !== keys[from + i]) return false
    return true
  }
  /** The number of the tuple at keys[from ..]; a new one if it was not there. */
  add(keys: Int32Array, from: number): number {
    const table = this.#table
    const mask = table.length - 1
    let slot = this.#hash(keys, from)
    for (let at = table[slot]!; at !== 0; at = table[slot]!) {
      if (this.#same(at - 1, keys, from)) return at - 1
      slot = (slot + 1) & mask
    }
    if (this.count * 2 >= table.length) {
      this.#rehash(table.length * 2)
      return this.add(keys, from)
    }
    const number = this.#free.pop() ?? this.high++
    const base = number * this.width
    if (base + this.width > this.keys.length) {
      const grown = new Int32Array(this.keys.length * 2)
      grown.set(this.keys)
      this.keys = grown
    }
    for (let i = 0; i < this.width; i++) this.keys[base + i] = keys[from + i]!
    table[slot] = number + 1
    this.count++
    return number
  }
  remove(number: number): void {
    const table = this.#table
    const mask = table.length - 1
    let hole = this.#hash(this.keys, number * this.width)
    while (table[hole] !== number + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hash(this.keys, (table[slot]! - 1) * this.width)
      // Move it back if its home does not lie in the cyclic range (hole, slot].
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        table[hole] = table[slot]!
        hole = slot
      }
    }
    table[hole] = 0
    this.count--
    this.#free.push(number)
  }
  /** Is the number in use? Linear in what is free: for snapshots and sweeps. */
  inUse(): Uint8Array {
    const used = new Uint8Array(this.high).fill(1)
    for (const number of this.#free) used[number] = 0
    return used
  }
  get freeNumbers(): readonly number[] {
    return this.#free
  }
  /** Takes over what a snapshot held. */
  load(keys: Int32Array, high: number, free: readonly number[]): void {
    this.high = high
    this.#free = [...free]
    this.count = high - free.length
    this.keys = new Int32Array(Math.max(SLOTS_MIN * this.width, keys.length))
    this.keys.set(keys)
    let size = SLOTS_MIN
    while (size < this.count * 2 + 2) size *= 2
    this.#rehash(size)
  }
  get bytes(): number {
    return this.keys.byteLength + this.#table.byteLength + this.#free.length * 8
  }
  #rehash(size: number): void {
    this.#table = new Int32Array(size)
    this.#shift = 32 - Math.log2(size)
    const used = this.inUse()
    for (let number = 0; number < this.high; number++) {
      if (used[number] === 0) continue
      let slot = this.#hash(this.keys, number * this.width)
      while (this.#table[slot] !== 0) slot = (slot + 1) & (size - 1)
      this.#table[slot] = number + 1
    }
  }
}

/** A longer copy of an array, at least `length`, growing by doubling; the same array if it is long enough. */
export function grownFloats(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  if (array.length >= length) return array
  const grown = new Float64Array(Math.max(length, array.length * 2, 16))
  grown.set(array)
  return grown
}
export function grownInts(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (array.length >= length) return array
  const grown = new Int32Array(Math.max(length, array.length * 2, 16))
  grown.set(array)
  return grown
}
export function grownBytes(array: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (array.length >= length) return array
  const grown = new Uint8Array(Math.max(length, array.length * 2, 16))
  grown.set(array)
  return grown
}
