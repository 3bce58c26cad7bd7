// The aggregates of the query language: each skips nulls, as in SQL; counts, sums and ratios are exact.
import type { FieldType } from './contract.ts'
import { type Aggregation, PlanError } from './plan.ts'
import {
  type Aggregate,
  type Condition,
  checkScale,
  type ExactType,
  type NumericType,
  type OrderedType,
  type Rescaled,
  rescaled,
  type ScalarType,
  type Value,
} from './values.ts'

type Float64 = { readonly kind: 'float64' }
/** What `min` and `max` take: everything that has an order. */
export type RankedType = OrderedType | Extract<FieldType, { kind: 'string' | 'uuid' | 'bool' }>
type Int64 = { readonly kind: 'int64' }
interface Filter {
  /** Only rows for which this is true. */
  readonly where?: Condition
}
const whereOf = (filter: Filter | undefined) => filter?.where?.expression ?? null

/** Records, or records in which the value is not null. */
export function count(value?: Value | null, filter?: Filter): Aggregate<Int64, false> {
  const aggregation: Aggregation = { function: 'count', of: value?.expression ?? null, where: whereOf(filter) }
  return { type: { kind: 'int64' }, nullable: false, aggregation }
}
/** Exact; null where no value was added. */
export function sum<T extends ExactType, N extends boolean>(value: Value<T, N>): Aggregate<T, N>
export function sum<T extends ExactType>(value: Value<T>, filter: Filter): Aggregate<T, true>
export function sum<T extends ExactType>(value: Value<T>, filter?: Filter): Aggregate<T> {
  return plain('sum', value, filter)
}
/** The least; text by its UTF-8 bytes, false before true. */
export function min<T extends RankedType, N extends boolean>(value: Value<T, N>): Aggregate<T, N>
export function min<T extends RankedType>(value: Value<T>, filter: Filter): Aggregate<T, true>
export function min<T extends RankedType>(value: Value<T>, filter?: Filter): Aggregate<T> {
  return plain('min', value, filter)
}
/** The greatest; text by its UTF-8 bytes, true after false. */
export function max<T extends RankedType, N extends boolean>(value: Value<T, N>): Aggregate<T, N>
export function max<T extends RankedType>(value: Value<T>, filter: Filter): Aggregate<T, true>
export function max<T extends RankedType>(value: Value<T>, filter?: Filter): Aggregate<T> {
  return plain('max', value, filter)
}
/** The value of the record first in event time (then by partition and offset) that has one. */
export function first<T extends ScalarType, N extends boolean>(value: Value<T, N>): Aggregate<T, N>
export function first<T extends ScalarType>(value: Value<T>, filter: Filter): Aggregate<T, true>
export function first<T extends ScalarType>(value: Value<T>, filter?: Filter): Aggregate<T> {
  return plain('first', value, filter)
}
/** The value of the record last in event time (then by partition and offset) that has one. */
export function last<T extends ScalarType, N extends boolean>(value: Value<T, N>): Aggregate<T, N>
export function last<T extends ScalarType>(value: Value<T>, filter: Filter): Aggregate<T, true>
export function last<T extends ScalarType>(value: Value<T>, filter?: Filter): Aggregate<T> {
  return plain('last', value, filter)
}
/** The value where `by` is greatest (text by its UTF-8 bytes); the first in event time of several. Records without one or the other do not count. */
export function argmax<T extends ScalarType, N extends boolean, M extends boolean>(
  value: Value<T, N>,
  by: Value<RankedType, M>,
): Aggregate<T, N extends true ? true : M>
export function argmax<T extends ScalarType>(value: Value<T>, by: Value<RankedType>, filter: Filter): Aggregate<T, true>
export function argmax<T extends ScalarType>(value: Value<T>, by: Value<RankedType>, filter?: Filter): Aggregate<T> {
  const { type, expression: of } = value
  const aggregation: Aggregation = { function: 'argmax', of, by: by.expression, where: whereOf(filter) }
  return { type, nullable: value.nullable || by.nullable || filter?.where !== undefined, aggregation }
}
/** How many different values there are; exact, nulls not counted. */
export function countDistinct(value: Value<ScalarType>, filter?: Filter): Aggregate<Int64, false> {
  const aggregation: Aggregation = { function: 'count-distinct', of: value.expression, where: whereOf(filter) }
  return { type: { kind: 'int64' }, nullable: false, aggregation }
}
/** sum / count, rounded once to `scale` decimals, half away from zero. */
export function average<T extends ExactType, N extends boolean, const S extends number>(
  value: Value<T, N>,
  how: { readonly scale: S; readonly where?: Condition },
): Aggregate<Rescaled<T, S>, N> {
  const filter = how.where === undefined ? {} : { where: how.where }
  const counted = count(value, filter)
  const made = ratio(plain('sum', value, filter), counted, { scale: how.scale })
  const nullable = (how.where === undefined ? value.nullable : true) as N
  return { ...made, nullable, type: made.type as Rescaled<T, S> }
}
/** One exact aggregate divided by another, rounded once to `scale` decimals, half away from zero; null where dividing by 0. */
export function ratio<T extends ExactType, const S extends number>(
  numerator: Aggregate<T>,
  denominator: Aggregate<ExactType>,
  how: { readonly scale: S },
): Aggregate<Rescaled<T, S>, true> {
  const { scale } = how
  for (const part of [numerator.aggregation, denominator.aggregation])
    if (!dividable.includes(part.function))
      throw new PlanError(
        'ratio',
        part.function,
        'a ratio divides counts, sums, distinct counts, minima and maxima',
        part.function === 'ratio' ? 'Divide what it is made of' : 'Put both out, and divide where the rows are read',
      )
  checkScale(scale)
  const type = rescaled(numerator.type, scale)
  const aggregation: Aggregation = {
    function: 'ratio',
    numerator: numerator.aggregation,
    denominator: denominator.aggregation,
    scale,
    type,
  }
  return { type: type as Rescaled<T, S>, nullable: true, aggregation }
}

const dividable: readonly Aggregation['function'][] = ['count', 'sum', 'count-distinct', 'min', 'max']

/**
 * Of the population: the mean squared distance from the mean, in squared units (not minor ones). The float64 nearest to
 * the true value, whatever the order of records and however long the window slides; null where there is no value,
 * or where it is beyond what a float64 holds.
 */
export function variance<N extends boolean>(value: Value<NumericType, N>): Aggregate<Float64, N>
export function variance(value: Value<NumericType>, filter: Filter): Aggregate<Float64, true>
export function variance(value: Value<NumericType>, filter?: Filter): Aggregate<Float64> {
  const aggregation: Aggregation = { function: 'variance', of: value.expression, where: whereOf(filter) }
  return { type: { kind: 'float64' }, nullable: value.nullable || filter?.where !== undefined, aggregation }
}
/**
 * The least value that at least `fraction` (0 to 1, six decimals at most) of all values do not exceed, in units (not minor
 * ones), from a sketch: within 1/256 (0.4 %) of it, exact for whole numbers of minor units below 256. Null where there
 * is no value.
 */
export function quantile<N extends boolean>(value: Value<NumericType, N>, fraction: number): Aggregate<Float64, N>
export function quantile(value: Value<NumericType>, fraction: number, filter: Filter): Aggregate<Float64, true>
export function quantile(value: Value<NumericType>, fraction: number, filter?: Filter): Aggregate<Float64> {
  if (!(fraction >= 0 && fraction <= 1) || Math.round(fraction * 1e6) / 1e6 !== fraction)
    throw new PlanError(
      'quantile',
      'fraction',
      `${fraction} is no fraction of six decimals at most`,
      'Use 0.5 for the median, 0.95 for what 95 % stay below',
    )
  const aggregation: Aggregation = { function: 'quantile', of: value.expression, fraction, where: whereOf(filter) }
  return { type: { kind: 'float64' }, nullable: value.nullable || filter?.where !== undefined, aggregation }
}

function plain<T extends FieldType>(
  name: 'sum' | 'min' | 'max' | 'first' | 'last',
  value: Value<T>,
  filter?: Filter,
): Aggregate<T> {
  const aggregation: Aggregation = { function: name, of: value.expression, where: whereOf(filter) }
  return { type: value.type, nullable: value.nullable || filter?.where !== undefined, aggregation }
}
