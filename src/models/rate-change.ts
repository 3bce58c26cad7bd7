// Has a rate changed? Two cumulative sums of log-likelihood ratios (CUSUM, Page 1954), one for more than usual and one for
// less, over counts that are Poisson with a gamma-distributed rate (negative binomial). Plain data, no clock.

/** Kept from minute to minute. */
export interface RateChange {
  up: ChangeSide
  down: ChangeSide
}
export interface ChangeSide {
  /** Evidence for the change, in nats: the higher, the rarer by chance. */
  score: number
  /** Minutes since the evidence began, and what came and was expected in them. */
  minutes: number
  seen: number
  meant: number
}

/** A change is looked for as if it were to these multiples of the usual: weaker ones are found later, stronger ones sooner. */
const UP_TO = 1.9
const DOWN_TO = 0.4

export function newRateChange(): RateChange {
  return { up: quiet(), down: quiet() }
}
function quiet(): ChangeSide {
  return { score: 0, minutes: 0, seen: 0, meant: 0 }
}

/** Takes a minute in. `scoreMax` bounds the evidence, so that it is also forgotten in bounded time. */
export function changeAfter(change: RateChange, count: number, mean: number, shape: number, scoreMax: number): void {
  take(change.up, logRatio(count, mean, shape, UP_TO), count, mean, scoreMax)
  take(change.down, logRatio(count, mean, shape, DOWN_TO), count, mean, scoreMax)
}
export function resetSide(side: ChangeSide): void {
  Object.assign(side, quiet())
}
function take(side: ChangeSide, nats: number, count: number, mean: number, scoreMax: number): void {
  const score = side.score + nats
  if (score <= 0) {
    resetSide(side)
    return
  }
  side.score = Math.min(score, scoreMax)
  side.minutes++
  side.seen += count
  side.meant += mean
}

/** ln P(count | factor * mean) - ln P(count | mean) of the negative binomial with this shape. */
export function logRatio(count: number, mean: number, shape: number, factor: number): number {
  if (mean <= 0) return 0
  return count * Math.log(factor) - (count + shape) * Math.log((shape + factor * mean) / (shape + mean))
}

/** Standardised distance of a count from its mean: Anscombe's transform, for overdispersed counts. */
export function anscombe(count: number, mean: number, shape: number): number {
  return (2 * Math.sqrt(count + 3 / 8) - 2 * Math.sqrt(mean + 3 / 8)) / Math.sqrt(1 + mean / shape)
}
