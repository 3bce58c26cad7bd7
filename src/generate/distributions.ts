// Draws from the distributions a shop is made of, each from a seeded stream: normal, gamma, weighted choice, shuffle.
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'

/** Standard normal (Box and Muller; one of the two values is used, so that a draw always costs the same). */
export function normal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float())
}

/** Gamma with the given shape and mean 1, shape >= 1 (Marsaglia and Tsang 2000). Its variance is 1/shape. */
export function gammaOfMeanOne(random: RandomStream, shape: number): number {
  assert(shape >= 1, `a gamma shape below 1 is not drawn here: ${shape}`)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const cubeRoot = 1 + c * x
    if (cubeRoot <= 0) continue
    const v = cubeRoot ** 3
    if (Math.log(1 - random.float()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape
  }
}

/** A time until the next of events that come at `rate` per unit. */
export function exponential(random: RandomStream, rate: number): number {
  return -Math.log(1 - random.float()) / rate
}

/** Picks index i with probability weights[i]/sum in constant time (Walker's alias method, tables by Vose 1991). */
export interface WeightedChoice {
  pick(random: RandomStream): number
}
export function weightedChoice(weights: ArrayLike<number>): WeightedChoice {
  const n = weights.length
  assert(n > 0, 'nothing to choose from')
  let sum = 0
  for (let i = 0; i < n; i++) sum += weights[i]!
  const keep = new Float64Array(n)
  const other = new Uint32Array(n)
  const scaled = Float64Array.from(weights, (weight) => (weight * n) / sum)
  const small: number[] = []
  const large: number[] = []
  for (let i = 0; i < n; i++) (scaled[i]! < 1 ? small : large).push(i)
  while (small.length > 0 && large.length > 0) {
    const less = small.pop()!
    const more = large.at(-1)!
    keep[less] = scaled[less]!
    other[less] = more
    scaled[more] = scaled[more]! - (1 - scaled[less]!)
    if (scaled[more]! < 1) small.push(large.pop()!)
  }
  for (const i of [...small, ...large]) keep[i] = 1
  return {
    pick(random) {
      const x = random.float() * n
      const i = Math.floor(x)
      return x - i < keep[i]! ? i : other[i]!
    },
  }
}

/** Fisher and Yates, in place. */
export function shuffle<T>(random: RandomStream, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const item = items[i]!
    items[i] = items[j]!
    items[j] = item
  }
  return items
}
