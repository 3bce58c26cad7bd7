// Drift of a spread: the population stability index of an hour's deciles against those of the day before, over ten bins.
// PSI = sum (p - q) ln(p / q); 0.1 is worth a look, 0.25 acts.

export interface DriftState {
  /** Deciles of the last hours, oldest first. */
  readonly hours: number[][]
}

const hoursKept = 24
const hoursMin = 3
/** Fewer say little about ten bins. */
const recordsMin = 200
const least = 1e-4

export function newDrift(): DriftState {
  return { hours: [] }
}

/** Null: too little is known. */
export function psiOf(state: DriftState, values: Readonly<Record<string, unknown>>): number | null {
  const deciles = Array.from({ length: 9 }, (_, i) => Number(values[`d${i + 1}`]))
  if (Number(values.records) < recordsMin || deciles.some((one) => !Number.isFinite(one))) return null
  const { hours } = state
  const known = hours.length >= hoursMin
  const usual = deciles.map((_, i) => middle(hours.map((hour) => hour[i] ?? 0)))
  hours.push(deciles)
  if (hours.length > hoursKept) hours.shift()
  return known ? psi(usual, deciles) : null
}

/** Of the shares that `deciles` puts into the bins between the usual ones, each of which usually has a tenth. */
export function psi(usual: readonly number[], deciles: readonly number[]): number {
  let sum = 0
  let before = 0
  for (let bin = 0; bin <= usual.length; bin++) {
    const upTo = bin === usual.length ? 1 : shareBelow(deciles, usual[bin] ?? 0)
    const p = Math.max(least, upTo - before)
    before = upTo
    sum += (p - 0.1) * Math.log(p / 0.1)
  }
  return sum
}
/** Straight lines between the deciles; beyond the last ones the next tenth is as wide as the one beside it. */
function shareBelow(deciles: readonly number[], value: number): number {
  const [first = 0, second = 0] = deciles
  const [last = 0, beforeLast = 0] = [deciles.at(-1), deciles.at(-2)]
  const all = [first - Math.max(second - first, 1e-9), ...deciles, last + Math.max(last - beforeLast, 1e-9)]
  for (let i = 1; i < all.length; i++) {
    const [from = 0, to = 0] = [all[i - 1], all[i]]
    if (value < to) return Math.max(0, (i - 1 + Math.max(0, (value - from) / Math.max(to - from, 1e-9))) / 10)
  }
  return 1
}
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
