// Choosing between values: `when … otherwise`, the least and greatest of several, and literals with a type of their own.
import type { FieldType } from './contract.ts'
import type { Expression } from './plan.ts'
import { type Condition, computed, type Of, type Or, type OrderedType, operand, type Value } from './values.ts'

type Bool = { readonly kind: 'bool' }
type Int64 = { readonly kind: 'int64' }
type Text = { readonly kind: 'string' }
/** How a literal of the type is written: amounts, not minor units; times as ISO-8601. */
type LiteralOf<T extends FieldType> = T['kind'] extends 'bool'
  ? boolean
  : T['kind'] extends 'string' | 'uuid'
    ? string
    : string | number

/** Branches so far. All values are of one type. */
export interface Cases<T extends FieldType, N extends boolean> {
  when(condition: Condition, value: LiteralOf<T>): Cases<T, N>
  when<M extends boolean>(condition: Condition, value: Value<T, M>): Cases<T, Or<N, M>>
  otherwise(value: LiteralOf<T>): Of<T, N>
  otherwise<M extends boolean>(value: Value<T, M>): Of<T, Or<N, M>>
  /** Null where no condition is true. */
  orNull(): Of<T, true>
}

/** The value of the first condition that is true (unknown is not): `when(a, 'few').when(b, 'some').otherwise('many')`. */
export function when<T extends FieldType, N extends boolean>(condition: Condition, value: Value<T, N>): Cases<T, N>
export function when(condition: Condition, value: string): Cases<Text, false>
export function when(condition: Condition, value: number): Cases<Int64, false>
export function when(condition: Condition, value: boolean): Cases<Bool, false>
export function when(condition: Condition, value: Value | string | number | boolean): Cases<FieldType, boolean> {
  const type: FieldType =
    typeof value === 'object'
      ? value.type
      : { kind: typeof value === 'string' ? 'string' : typeof value === 'number' ? 'int64' : 'bool' }
  return casesOf(type, [{ condition, value: operand(value, type) }])
}

function casesOf(
  type: FieldType,
  branches: readonly { readonly condition: Condition; readonly value: Value }[],
): Cases<FieldType, boolean> {
  const made = (otherwise: Expression, nullable: boolean) =>
    computed<FieldType, true>(
      {
        op: 'when',
        branches: branches.map(({ condition, value }) => ({
          condition: condition.expression,
          value: value.expression,
        })),
        otherwise,
        type,
      },
      type,
      nullable || branches.some(({ value }) => value.nullable),
    )
  return {
    when: (condition: Condition, value: Value | string | number | boolean) =>
      casesOf(type, [...branches, { condition, value: operand(value, type) }]),
    otherwise(value: Value | string | number | boolean) {
      const last = operand(value, type)
      return made(last.expression, last.nullable)
    },
    orNull: () => made({ op: 'literal', value: null, type }, true),
  }
}

/** The least of several values; null if any is. */
export function least<T extends OrderedType, N extends boolean>(
  first: Value<T, N>,
  ...others: readonly [Value<T, N>, ...Value<T, N>[]]
): Of<T, N> {
  return extreme('least', [first, ...others])
}
/** The greatest of several values; null if any is. */
export function greatest<T extends OrderedType, N extends boolean>(
  first: Value<T, N>,
  ...others: readonly [Value<T, N>, ...Value<T, N>[]]
): Of<T, N> {
  return extreme('greatest', [first, ...others])
}
function extreme<T extends OrderedType, N extends boolean>(
  op: 'least' | 'greatest',
  values: readonly [Value<T, N>, ...Value<T, N>[]],
): Of<T, N> {
  const { type } = values[0]
  const of = values.map(({ expression }) => expression)
  return computed<T, N>(
    { op, of, type },
    type,
    values.some(({ nullable }) => nullable),
  )
}

/** A literal of any type: `constant({ kind: 'money', scale: 2, currency: 'USD' }, '9.99')`. */
export function constant<const T extends FieldType>(type: T, value: LiteralOf<T>): Of<T, false> {
  return computed<T, false>(operand(value, type).expression, type, false)
}
