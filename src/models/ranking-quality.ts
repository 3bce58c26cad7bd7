// How good scores are at telling true from false: area under precision-recall, precision and recall at a threshold, Brier,
// and how far probabilities stray from what happens. Plain data, no clock.

export interface Scored {
  /** Higher is more suspicious. */
  readonly score: number
  readonly positive: boolean
}

/** Sum of (R_n - R_(n-1)) P_n over the thresholds; equal scores are one threshold. NaN without positives. */
export function averagePrecision(scored: readonly Scored[]): number {
  const sorted = scored.toSorted((a, b) => b.score - a.score)
  const positives = scored.reduce((sum, { positive }) => sum + (positive ? 1 : 0), 0)
  let area = 0
  let hits = 0
  for (let i = 0; i < sorted.length; ) {
    let end = i
    let more = 0
    while (end < sorted.length && sorted[end]!.score === sorted[i]!.score) more += sorted[end++]!.positive ? 1 : 0
    hits += more
    area += (more / positives) * (hits / end)
    i = end
  }
  return area
}

/** Mean squared distance between probability and what happened. */
export function brier(scored: readonly Scored[]): number {
  return scored.reduce((sum, { score, positive }) => sum + (score - (positive ? 1 : 0)) ** 2, 0) / scored.length
}

/** Expected calibration error: mean distance between said and seen over tenths of the logit's range that were used. */
export function calibrationError(scored: readonly Scored[], bins = 10): number {
  const sums = Array.from({ length: bins }, () => ({ count: 0, said: 0, seen: 0 }))
  for (const { score, positive } of scored) {
    const bin = sums[Math.min(bins - 1, Math.floor(score * bins))]!
    bin.count++
    bin.said += score
    bin.seen += positive ? 1 : 0
  }
  return sums.reduce((sum, { said, seen }) => sum + Math.abs(said - seen), 0) / scored.length
}
