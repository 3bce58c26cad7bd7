// Exact division: numerator * 10^shift / denominator, rounded once, half away from zero.
import { dividedHalfAway } from '../std/decimal.ts'

/** In doubles where every step is exact, else NaN. Half away from zero. */
export function quickRatio(numerator: number, denominator: number, shift: number): number {
  let over = Math.abs(numerator)
  let under = Math.abs(denominator)
  if (shift >= 0) over *= 10 ** shift
  else under *= 10 ** -shift
  if (!(over <= Number.MAX_SAFE_INTEGER && under <= Number.MAX_SAFE_INTEGER / 2)) return Number.NaN
  const rest = over % under
  let quotient = (over - rest) / under
  if (rest * 2 >= under) quotient++
  return numerator < 0 === denominator < 0 ? quotient : 0 - quotient
}
export function exactRatio(numerator: bigint, denominator: bigint, shift: number): bigint {
  const negative = denominator < 0n
  return dividedHalfAway(negative ? -numerator : numerator, negative ? -denominator : denominator, shift)
}
