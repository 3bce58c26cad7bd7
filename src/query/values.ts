// Typed values of the query language: a column or a computation, with the operations its type has. Each holds the
// expression it stands for; methods only build larger expressions.
import { minorFromNumber, minorFromText } from '../std/decimal.ts'
import { parseInstant } from '../std/instant.ts'
import type { FieldType } from './contract.ts'
import { type Aggregation, type Column, type Comparison, type Expression, PlanError } from './plan.ts'

export type Row = { readonly [name: string]: { readonly type: FieldType; readonly nullable: boolean } }

type Int64 = { readonly kind: 'int64' }
type Float64 = { readonly kind: 'float64' }
type Bool = { readonly kind: 'bool' }
/** Exact numbers: integers at a scale. Sums, products with integers and ratios of them are exact. */
export type ExactType = Extract<FieldType, { kind: 'int64' | 'decimal' | 'money' }>
export type NumericType = ExactType | Float64
export type OrderedType = NumericType | Extract<FieldType, { kind: 'timestamp' | 'date' }>
export type ScalarType = Exclude<FieldType, { kind: 'struct' | 'array' | 'bytes' | 'float64' }>

export interface Value<T extends FieldType = FieldType, N extends boolean = boolean> {
  readonly type: T
  readonly nullable: N
  readonly expression: Expression
}
/** True, false or unknown (null), as in SQL. */
export interface Condition extends Value<Bool, boolean> {
  and(other: Condition): Condition
  or(other: Condition): Condition
  not(): Condition
}
interface Comparable<T extends FieldType, N extends boolean, Literal> extends Value<T, N> {
  isNull(): Condition
  equals(other: Literal | Value<T, boolean>): Condition
  differs(other: Literal | Value<T, boolean>): Condition
  below(other: Literal | Value<T, boolean>): Condition
  atMost(other: Literal | Value<T, boolean>): Condition
  above(other: Literal | Value<T, boolean>): Condition
  atLeast(other: Literal | Value<T, boolean>): Condition
  oneOf(...values: Literal[]): Condition
}
/** Literals of money and decimals are amounts (`above(10.5)` or `above('10.50')`), not minor units. */
export interface NumberValue<T extends NumericType, N extends boolean> extends Comparable<T, N, number | string> {
  plus<M extends boolean>(other: Value<T, M>): NumberValue<T, Or<N, M>>
  minus<M extends boolean>(other: Value<T, M>): NumberValue<T, Or<N, M>>
  /** By a whole number, or by an int64 column (money x int64 = money). */
  times(other: number): NumberValue<T, N>
  times<B extends FactorOf<T>, M extends boolean>(other: Value<B, M>): NumberValue<Product<T, B>, Or<N, M>>
}
/** Text compares by UTF-8 bytes. */
export interface TextValue<T extends FieldType, N extends boolean> extends Comparable<T, N, string> {
  startsWith(prefix: string): Condition
}
/** Literals are ISO-8601 text or milliseconds since the epoch. */
export interface TimeValue<T extends FieldType, N extends boolean> extends Comparable<T, N, string | number> {}
export interface BoolValue<N extends boolean> extends Condition {
  readonly nullable: N
  isNull(): Condition
}

type Or<N extends boolean, M extends boolean> = N extends true ? true : M
export type FactorOf<T> = T extends Int64 ? NumericType : T extends Float64 ? Int64 | Float64 : Int64
type Product<T extends NumericType, B extends NumericType> = T extends Int64 ? B : T

/** The operations a type has. */
export type Of<T extends FieldType, N extends boolean> = T extends NumericType
  ? NumberValue<T, N>
  : T['kind'] extends 'string' | 'uuid'
    ? TextValue<T, N>
    : T['kind'] extends 'timestamp' | 'date'
      ? TimeValue<T, N>
      : T['kind'] extends 'bool'
        ? BoolValue<N>
        : Value<T, N>

export interface Aggregate<T extends FieldType = FieldType, N extends boolean = boolean> {
  readonly type: T
  readonly nullable: N
  readonly aggregation: Aggregation
}

/** All operations at once; the types above show each value only those its type has. */
class AnyValue {
  readonly type: FieldType
  readonly nullable: boolean
  readonly expression: Expression
  constructor(expression: Expression, type: FieldType, nullable: boolean) {
    this.expression = expression
    this.type = type
    this.nullable = nullable
  }
  #arithmetic(op: 'plus' | 'minus' | 'times', other: Value | number): AnyValue {
    const right: Value =
      typeof other === 'number' ? new AnyValue(literal(other, { kind: 'int64' }), { kind: 'int64' }, false) : other
    const type = op === 'times' && this.type.kind === 'int64' ? right.type : this.type
    const expression: Expression = { op, left: this.expression, right: right.expression, type }
    return new AnyValue(expression, type, this.nullable || right.nullable)
  }
  plus(other: Value): AnyValue {
    return this.#arithmetic('plus', other)
  }
  minus(other: Value): AnyValue {
    return this.#arithmetic('minus', other)
  }
  times(other: Value | number): AnyValue {
    return this.#arithmetic('times', other)
  }
  #compare(by: Comparison, other: Value | string | number): AnyValue {
    const right = typeof other === 'object' ? other.expression : literal(other, this.type)
    return truth({ op: 'compare', by, left: this.expression, right })
  }
  equals(other: Value | string | number): AnyValue {
    return this.#compare('=', other)
  }
  differs(other: Value | string | number): AnyValue {
    return this.#compare('!=', other)
  }
  below(other: Value | string | number): AnyValue {
    return this.#compare('<', other)
  }
  atMost(other: Value | string | number): AnyValue {
    return this.#compare('<=', other)
  }
  above(other: Value | string | number): AnyValue {
    return this.#compare('>', other)
  }
  atLeast(other: Value | string | number): AnyValue {
    return this.#compare('>=', other)
  }
  oneOf(...values: (string | number)[]): AnyValue {
    const of = this.expression
    return truth({ op: 'one-of', of, values: values.map((value) => literalValue(value, this.type)) })
  }
  isNull(): AnyValue {
    return truth({ op: 'is-null', of: this.expression })
  }
  startsWith(prefix: string): AnyValue {
    return truth({ op: 'starts-with', of: this.expression, prefix })
  }
  and(other: Value): AnyValue {
    return truth({ op: 'and', left: this.expression, right: other.expression })
  }
  or(other: Value): AnyValue {
    return truth({ op: 'or', left: this.expression, right: other.expression })
  }
  not(): AnyValue {
    return truth({ op: 'not', of: this.expression })
  }
}
const truth = (expression: Expression): AnyValue => new AnyValue(expression, { kind: 'bool' }, true)

/** A value per column, by name. A name that is not there throws, for callers that escaped the compiler. */
export function columnValues<C>(columns: readonly Column[]): C {
  const values: { [name: string]: AnyValue } = Object.create(null)
  for (const { name, type, nullable } of columns)
    values[name] = new AnyValue({ op: 'column', name, type }, type, nullable)
  // The builder computed C from these very columns.
  return values as C
}

function literal(value: string | number, type: FieldType): Expression {
  return { op: 'literal', value: literalValue(value, type), type }
}
function literalValue(value: string | number, type: FieldType): string | number {
  switch (type.kind) {
    case 'money':
    case 'decimal':
    case 'int64': {
      const scale = type.kind === 'int64' ? 0 : type.scale
      const minor = typeof value === 'number' ? minorFromNumber(value, scale) : minorFromText(value, scale)
      if (typeof minor === 'number') return minor
      throw new PlanError(
        '',
        `literal ${JSON.stringify(value)}`,
        `not exact at ${scale} decimals`,
        'Write it with no more decimals than the column has',
      )
    }
    case 'timestamp': {
      const ms = typeof value === 'number' ? value : parseInstant(value)
      if (Number.isSafeInteger(ms)) return ms
      throw new PlanError('', `literal ${JSON.stringify(value)}`, 'not a time', 'Write it as 2026-01-31T12:00:00Z')
    }
    default:
      return value
  }
}
