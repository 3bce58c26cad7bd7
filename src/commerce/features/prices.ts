// How far a price lies from what is usual for its product: mean and spread of ln price, older ones worth half after a week.
// Where a product is hardly known, its category stands for it. Plain data.

/** Decayed sums as of `atMs`, of ln price less `base`, so that squares keep their digits. */
export interface PriceMemory {
  base: number
  atMs: number
  weight: number
  sum: number
  squares: number
  /** The newest price, in logarithms, and how it stood to those before. */
  newest: number
  z: number | null
}
const HALF_LIFE_MS = 7 * 86_400_000
const WEIGHT_MIN = 3
/** Prices are in cents: closer than half a percent is the same. */
const SIGMA_MIN = 0.005

export function newPriceMemory(): PriceMemory {
  return { base: 0, atMs: 0, weight: 0, sum: 0, squares: 0, newest: 0, z: null }
}
/** Standardised distance; null while too little is known. */
export function priceZ({ base, weight, sum, squares }: PriceMemory, logPrice: number): number | null {
  if (weight < WEIGHT_MIN) return null
  const mean = sum / weight
  const sigma = Math.max(SIGMA_MIN, Math.sqrt(Math.max(0, squares / weight - mean * mean)))
  return (logPrice - base - mean) / sigma
}
/** Takes the price of a window that ended at `endMs` in. `z` is how it stood before. */
export function rememberPrice(memory: PriceMemory, logPrice: number, endMs: number, z: number | null): void {
  if (memory.weight === 0) memory.base = logPrice
  const keep = memory.weight === 0 ? 0 : 2 ** (-Math.max(0, endMs - memory.atMs) / HALF_LIFE_MS)
  const x = logPrice - memory.base
  memory.weight = memory.weight * keep + 1
  memory.sum = memory.sum * keep + x
  memory.squares = memory.squares * keep + x * x
  memory.atMs = Math.max(memory.atMs, endMs)
  memory.newest = logPrice
  memory.z = z
}
