// A quantile sketch: counts by bucket, where a bucket is a float64's sign, exponent and first 7 bits of mantissa. Two
// values of one bucket differ by less than 1/128 of the lesser, so what stands for a bucket (its middle) is within 1/256
// (0.4 %) of any value in it; whole numbers below 256 have buckets of their own. Counts add and subtract, so sketches
// merge and slide without loss, and no order of records changes them. At most 2^19 buckets, in practice some hundred.

/** Buckets in the order of values; 0 is the one that holds 0. */
export function bucketOf(value: number): number {
  bits.setFloat64(0, value)
  const head = bits.getUint32(0)
  return head >= 0x8000_0000 ? -1 - ((head - 0x8000_0000) >>> DROPPED_BITS) : head >>> DROPPED_BITS
}
/** The middle of a bucket's values; of its whole numbers where values are such. */
export function middleOf(bucket: number, whole: boolean): number {
  const rank = bucket < 0 ? -1 - bucket : bucket
  // Only numbers nearer to 0 than the least normal one are beside it.
  if (rank < 2 ** (20 - DROPPED_BITS)) return 0
  const [least, next] = [startOf(rank), startOf(rank + 1)]
  const middle = whole
    ? Math.ceil(least) + Math.floor((Math.ceil(next) - 1 - Math.ceil(least)) / 2)
    : least + (next - least) / 2
  return bucket < 0 ? -middle : middle
}

const DROPPED_BITS = 13
const bits = new DataView(new ArrayBuffer(8))

function startOf(rank: number): number {
  bits.setUint32(0, rank << DROPPED_BITS)
  bits.setUint32(4, 0)
  const start = bits.getFloat64(0)
  return Number.isFinite(start) ? start : Number.MAX_VALUE
}

/** Fractions are held to six decimals, so that ranks are whole arithmetic. */
export const FRACTION_UNIT = 1_000_000

/** The value of this rank (from 1) is the quantile: the least with at least `fraction` of all values up to it. */
export function rankOf(fraction: number, count: number): number {
  return Math.max(1, Math.ceil((Math.round(fraction * FRACTION_UNIT) * count) / FRACTION_UNIT))
}
