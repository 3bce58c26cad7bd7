// Exact division in Flink SQL.

/**
 * numerator * 10^shift / denominator in whole numbers, half away from zero; null where the denominator is 0. BIGINT
 * divides towards zero, which is what this needs; DECIMAL would round at six digits. Exact while twice the numerator fits
 * 18 digits (a window of 9 * 10^15 in money of two decimals); null beyond, never wrong.
 */
export function ratioSql(numerator: string, denominator: string, shift: number): string {
  const times = (value: string, power: number): string =>
    power > 0 ? `ABS(CAST(${value} AS BIGINT)) * ${10n ** BigInt(power)}` : `ABS(CAST(${value} AS BIGINT))`
  const [over, under] = [times(numerator, shift), times(denominator, -shift)]
  const limit = (power: number): string => `${10n ** BigInt(17 - Math.max(0, power))}`
  const sign = `CASE WHEN (${numerator} < 0) <> (${denominator} < 0) THEN -1 ELSE 1 END`
  return (
    `CASE WHEN ${denominator} <> 0 AND ABS(${numerator}) < ${limit(shift)} AND ABS(${denominator}) < ${limit(-shift)}\n` +
    `    THEN ${sign} * ((2 * ${over} + ${under}) / (2 * ${under})) END`
  )
}
