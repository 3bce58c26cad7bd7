// What is said of a handful of runs: least, median, most; percentiles of many latencies; how many times better.

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
  readonly runs: number
}

/** Needs at least one finite number; order does not matter. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = ascending(values)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
  return { min: sorted[0]!, median, max: sorted.at(-1)!, runs: sorted.length }
}

/**
 * The nearest-rank percentile: the least value that at least `share` (0 to 1) of the values do not exceed. Always one of
 * the values, so a p99 of 50 is their maximum.
 */
export function percentile(values: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`a share lies between 0 and 1: ${share}`)
  const sorted = ascending(values)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/** How many times better ours is, median to median: above 1 ours is better, whether more or less is wanted. */
export function timesBetter(ours: Spread, peer: Spread, better: 'more' | 'less'): number {
  return better === 'more' ? ours.median / peer.median : peer.median / ours.median
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('nothing was measured')
  const strange = values.find((value) => !Number.isFinite(value))
  if (strange !== undefined) throw new RangeError(`not a measurement: ${strange}`)
  return [...values].sort((a, b) => a - b)
}
