// Exact sums of float64 values and of their squares, whatever their order: a sum is a row of limbs in base 2^26 over the
// range of exponents seen so far (Kulisch's accumulator, cut to what is used). What is exact can be subtracted again: a
// sliding window lets go of a pane without losing a bit, and interleaving partitions cannot change a result.
import { assert } from '../std/assert.ts'
import { grownFloats } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

const LIMB_BITS = 26
const BASE = 2 ** LIMB_BITS
/** A limb within this takes any piece, and any other limb, without rounding. */
const LIMB_MAX = 2 ** 52
/** The unit of limb 0 of a sum is 2^-1074, the least float64; of a sum of squares 2^-2148. */
const VALUE_UNIT = -1074
const SQUARE_UNIT = 2 * VALUE_UNIT

const bits = new DataView(new ArrayBuffer(8))
const powers = Float64Array.from({ length: 54 }, (_, i) => 2 ** i)

/** |value| = low + middle * 2^26 + high * 2^52 in units of limb `at`: each below 2^26. */
const pieces = { at: 0, low: 0, middle: 0, high: 0 }

/** The value must be finite and not 0. */
function split(value: number): void {
  bits.setFloat64(0, value)
  const head = bits.getUint32(0)
  const biased = (head >>> 20) & 0x7ff
  const mantissa = ((head & 0xf_ffff) + (biased === 0 ? 0 : 0x10_0000)) * 2 ** 32 + bits.getUint32(4)
  const bit = biased === 0 ? 0 : biased - 1
  const shift = bit % LIMB_BITS
  pieces.at = (bit - shift) / LIMB_BITS
  const [highUnit, middleUnit] = [powers[52 - shift]!, powers[26 - shift]!]
  pieces.high = Math.floor(mantissa / highUnit)
  const rest = mantissa - pieces.high * highUnit
  pieces.middle = Math.floor(rest / middleUnit)
  pieces.low = (rest - pieces.middle * middleUnit) * powers[shift]!
}

/** Rows of limbs by index. */
export class LimbSums {
  /** Position of the first limb that is kept, and how many are. The last is for carries only. */
  #first = 0
  #width = 0
  #length = 0
  #limbs: Float64Array<ArrayBuffer> = new Float64Array(0)

  grow(length: number): void {
    if (length <= this.#length) return
    this.#length = Math.max(length, this.#length * 2, 16)
    this.#limbs = grownFloats(this.#limbs, this.#length * this.#width)
  }
  /** Room for pieces at limbs `from` to `to`. */
  #reach(from: number, to: number): void {
    if (this.#width > 0 && from >= this.#first && to < this.#first + this.#width - 1) return
    const first = this.#width === 0 ? from : Math.min(from, this.#first)
    const end = Math.max(to + 2, this.#width === 0 ? 0 : this.#first + this.#width)
    const width = end - first
    const limbs = new Float64Array(this.#length * width)
    const shift = this.#first - first
    for (let index = 0; index < this.#length; index++)
      for (let i = 0; i < this.#width; i++) limbs[index * width + shift + i] = this.#limbs[index * this.#width + i]!
    this.#first = first
    this.#width = width
    this.#limbs = limbs
  }
  #add(at: number, piece: number): void {
    const limb = this.#limbs[at]! + piece
    this.#limbs[at] = limb
    if (limb > LIMB_MAX || limb < -LIMB_MAX) this.#carry(at)
  }
  /** Moves what is beyond the base to the next limb. The last limb would fill after 2^52 of the greatest values. */
  #carry(at: number): void {
    const limb = this.#limbs[at]!
    const carried = Math.trunc(limb / BASE)
    assert((at + 1) % this.#width !== 0, 'an exact sum has more values than there can be')
    this.#limbs[at] = limb - carried * BASE
    this.#add(at + 1, carried)
  }
  addValue(index: number, value: number): void {
    if (value === 0) return
    split(value)
    const { at, low, middle, high } = pieces
    this.#reach(low === 0 ? (middle === 0 ? at + 2 : at + 1) : at, high === 0 ? (middle === 0 ? at : at + 1) : at + 2)
    const sign = value < 0 ? -1 : 1
    const base = index * this.#width - this.#first + at
    if (low !== 0) this.#add(base, sign * low)
    if (middle !== 0) this.#add(base + 1, sign * middle)
    if (high !== 0) this.#add(base + 2, sign * high)
  }
  addSquare(index: number, value: number): void {
    if (value === 0) return
    split(value)
    const { low, middle, high } = pieces
    const at = pieces.at * 2
    // Each product and each sum with its carry stays below 2^53: the three pieces hold 53 bits together.
    const first = low * low
    const second = 2 * low * middle + Math.floor(first / BASE)
    const third = 2 * low * high + middle * middle + Math.floor(second / BASE)
    const fourth = 2 * middle * high + Math.floor(third / BASE)
    const fifth = high * high + Math.floor(fourth / BASE)
    const from = low !== 0 ? at : middle !== 0 ? at + 2 : at + 4
    const to = fifth >= BASE ? at + 5 : fifth !== 0 ? at + 4 : fourth !== 0 ? at + 3 : third !== 0 ? at + 2 : at + 1
    this.#reach(from, Math.max(from, to))
    const base = index * this.#width - this.#first + at
    if (from === at) {
      this.#add(base, first % BASE)
      if (second !== 0) this.#add(base + 1, second % BASE)
    }
    if (third !== 0) this.#add(base + 2, third % BASE)
    if (fourth !== 0) this.#add(base + 3, fourth % BASE)
    if (fifth !== 0) this.#add(base + 4, fifth % BASE)
    if (fifth >= BASE) this.#add(base + 5, Math.floor(fifth / BASE))
  }
  /** Adds (`sign` 1) or takes away (-1) what another place holds. */
  addFrom(index: number, from: LimbSums, at: number, sign: 1 | -1): void {
    if (from.#width === 0) return
    this.#reach(from.#first, from.#first + from.#width - 2)
    const base = index * this.#width + from.#first - this.#first
    for (let i = 0; i < from.#width; i++) {
      const piece = from.#limbs[at * from.#width + i]!
      if (piece !== 0) this.#add(base + i, sign * piece)
    }
  }
  /** The rows of some indices, for sums of another thread. */
  give(out: StateWriter, indices: Int32Array, count: number): void {
    out.u32(this.#first)
    out.u32(this.#width)
    const rows = new Float64Array(count * this.#width)
    for (let i = 0; i < count; i++) {
      const at = indices[i]! * this.#width
      rows.set(this.#limbs.subarray(at, at + this.#width), i * this.#width)
    }
    out.floats(rows, rows.length)
  }
  takeIn(from: StateReader, indices: Int32Array, count: number): void {
    const [first, width, rows] = [from.u32(), from.u32(), from.floats()]
    if (width === 0) return
    this.#reach(first, first + width - 2)
    for (let i = 0; i < count; i++) {
      const base = indices[i]! * this.#width + first - this.#first
      for (let limb = 0; limb < width; limb++) {
        const piece = rows[i * width + limb]!
        if (piece !== 0) this.#add(base + limb, piece)
      }
    }
  }
  clear(index: number): void {
    this.#limbs.fill(0, index * this.#width, (index + 1) * this.#width)
  }
  /** Becomes as another place is, index by index. */
  copy(from: LimbSums, count: number): void {
    this.#first = from.#first
    this.#width = from.#width
    const limbs = this.#length * this.#width
    if (this.#limbs.length < limbs) this.#limbs = new Float64Array(limbs)
    this.#limbs.set(from.#limbs.subarray(0, count * from.#width))
  }
  /** In units of 2^(26 * `first`). */
  wholeOf(index: number): bigint {
    let whole = 0n
    for (let i = this.#width - 1; i >= 0; i--)
      whole = whole * BigInt(BASE) + BigInt(this.#limbs[index * this.#width + i]!)
    return whole
  }
  get first(): number {
    return this.#first
  }
  write(out: StateWriter, count: number): void {
    out.u32(this.#first)
    out.u32(this.#width)
    out.floats(this.#limbs, count * this.#width)
  }
  restore(from: StateReader): void {
    this.#first = from.u32()
    this.#width = from.u32()
    this.#limbs = from.floats()
    this.#length = this.#width === 0 ? 0 : this.#limbs.length / this.#width
  }
  bytes(): number {
    return this.#limbs.byteLength
  }
}

/** The sum itself, rounded once. */
export function sumOf(sums: LimbSums, index: number): number {
  return roundedRatio(sums.wholeOf(index), 1n, LIMB_BITS * sums.first + VALUE_UNIT)
}

/**
 * Variance (of the population) of `count` values held in units of 10^-scale: (n Σx² - (Σx)²) / n², exact until one
 * rounding to the nearest float64. NaN where there is no value, or the result is beyond a float64.
 */
export function varianceOf(sums: LimbSums, squares: LimbSums, index: number, count: number, scale: number): number {
  if (count === 0) return Number.NaN
  const n = BigInt(count)
  const sum = sums.wholeOf(index)
  const [sumExponent, squareExponent] = [2 * LIMB_BITS * sums.first, LIMB_BITS * squares.first]
  const exponent = Math.min(sumExponent, squareExponent)
  const over =
    ((n * squares.wholeOf(index)) << BigInt(squareExponent - exponent)) -
    ((sum * sum) << BigInt(sumExponent - exponent))
  const variance = roundedRatio(over, n * n * 10n ** BigInt(2 * scale), exponent + SQUARE_UNIT)
  return Number.isFinite(variance) ? variance : Number.NaN
}

/** numerator / denominator * 2^exponent as the nearest float64, ties to even; Infinity beyond them. */
export function roundedRatio(numerator: bigint, denominator: bigint, exponent: number): number {
  if (numerator === 0n) return 0
  const negative = numerator < 0n
  const over = negative ? -numerator : numerator
  // More bits of the quotient than a float64 has: lengths are counted in hexadecimal digits, up to 3 bits too long.
  const unit = bitLength(over) - bitLength(denominator) - 60
  const [scaled, under] = unit >= 0 ? [over, denominator << BigInt(unit)] : [over << BigInt(-unit), denominator]
  const quotient = scaled / under
  const sticky = scaled % under === 0n ? 0n : 1n
  // The last bit tells that something followed: rounded once, by this.
  const rounded = Number((quotient << 1n) | sticky)
  const value = scaledByPower(rounded, unit + exponent - 1)
  return negative ? -value : value
}
function bitLength(value: bigint): number {
  return value.toString(16).length * 4
}
/** In two steps where one power would leave the range. Only a subnormal result is rounded again. */
function scaledByPower(value: number, power: number): number {
  if (power > 900) return value * 2 ** 900 * 2 ** (power - 900)
  if (power < -900) return value * 2 ** (power + 900) * 2 ** -900
  return value * 2 ** power
}
