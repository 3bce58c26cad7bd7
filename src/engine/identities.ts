// The identities a deduplication remembers: 128 bits each in a ring in the order they came, found by an open hash table
// over the ring. The clock never falls, so the ring's old end is always what to forget next, be it for age or for want
// of room: exact to the record, with no object per identity.
//
// One identity costs 24 bytes in the ring (four 32-bit words, the clock as f64) and at most 16 in the table.
import { SnapshotError, type StateReader, type StateWriter } from './state-bytes.ts'

const BYTES_EACH = 40
const RING_MIN = 1024

export class Identities {
  /** Identities it may hold at once. */
  readonly countMax: number
  /** Identities forgotten before their horizon, for want of room. */
  forgottenEarly = 0
  #words = new Int32Array(0)
  #clocks = new Float64Array(0)
  /** Index into the ring plus one; 0 is empty. */
  #table = new Int32Array(0)
  #oldest = 0
  #count = 0

  constructor(bytesMax: number) {
    this.countMax = Math.floor(bytesMax / BYTES_EACH)
    this.#resize(Math.min(RING_MIN, this.countMax))
  }
  get count(): number {
    return this.#count
  }
  /** Clock of the oldest identity held; Infinity where there is none. */
  get oldestClockMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#clocks[this.#oldest]!
  }
  /** Forgets what came before `clockMs`. */
  forgetBefore(clockMs: number): void {
    while (this.#count > 0 && this.#clocks[this.#oldest]! < clockMs) this.#forgetOldest()
  }
  /** True if the identity was not there: it is now, as of this clock, which must not be below that of any before. */
  add(a: number, b: number, c: number, d: number, clockMs: number): boolean {
    const words = this.#words
    const mask = this.#table.length - 1
    for (let slot = a & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      const at = (this.#table[slot]! - 1) * 4
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return false
    }
    if (this.#count === this.countMax) {
      this.#forgetOldest()
      this.forgottenEarly++
    } else if (this.#count === this.#clocks.length) this.#resize(Math.min(this.#count * 2, this.countMax))
    this.#append(a, b, c, d, clockMs)
    return true
  }
  #append(a: number, b: number, c: number, d: number, clockMs: number): void {
    let index = this.#oldest + this.#count
    if (index >= this.#clocks.length) index -= this.#clocks.length
    const at = index * 4
    this.#words[at] = a
    this.#words[at + 1] = b
    this.#words[at + 2] = c
    this.#words[at + 3] = d
    this.#clocks[index] = clockMs
    this.#count++
    const mask = this.#table.length - 1
    let slot = a & mask
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask
    this.#table[slot] = index + 1
  }
  /** Deletion moves later members of the probe run back, so there are no tombstones. */
  #forgetOldest(): void {
    const table = this.#table
    const mask = table.length - 1
    let hole = this.#words[this.#oldest * 4]! & mask
    while (table[hole] !== this.#oldest + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#words[(table[slot]! - 1) * 4]! & mask
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        table[hole] = table[slot]!
        hole = slot
      }
    }
    table[hole] = 0
    this.#oldest = this.#oldest + 1 === this.#clocks.length ? 0 : this.#oldest + 1
    this.#count--
  }
  #resize(length: number): void {
    const [words, clocks, oldest, count] = [this.#words, this.#clocks, this.#oldest, this.#count]
    this.#words = new Int32Array(length * 4)
    this.#clocks = new Float64Array(length)
    this.#table = new Int32Array(tableLength(length))
    this.#oldest = 0
    this.#count = 0
    for (let i = 0; i < count; i++) {
      const index = (oldest + i) % clocks.length
      const at = index * 4
      this.#append(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, clocks[index]!)
    }
  }
  /** The ring as it lies: what was not overwritten since the last snapshot is the same bytes again. */
  write(out: StateWriter): void {
    out.f64(this.forgottenEarly)
    out.u32(this.#oldest)
    out.u32(this.#count)
    out.ints(this.#words, this.#words.length)
    out.floats(this.#clocks, this.#clocks.length)
  }
  restore(from: StateReader): void {
    this.forgottenEarly = from.f64()
    this.#oldest = from.u32()
    this.#count = from.u32()
    this.#words = from.ints()
    this.#clocks = from.floats()
    const ring = this.#clocks.length
    if (
      ring < 1 ||
      ring > this.countMax ||
      this.#words.length !== ring * 4 ||
      this.#oldest >= ring ||
      this.#count > ring
    )
      throw new SnapshotError(`the snapshot is damaged: a ring of ${ring} identities holds ${this.#count}`)
    this.#table = new Int32Array(tableLength(ring))
    const mask = this.#table.length - 1
    for (let i = 0, index = this.#oldest; i < this.#count; i++, index = index + 1 === ring ? 0 : index + 1) {
      let slot = this.#words[index * 4]! & mask
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask
      this.#table[slot] = index + 1
    }
  }
  get bytes(): number {
    return this.#words.byteLength + this.#clocks.byteLength + this.#table.byteLength
  }
}

/** At most half full, and below four words for each. */
function tableLength(ring: number): number {
  return 2 ** Math.ceil(Math.log2(ring * 2))
}
