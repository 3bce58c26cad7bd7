// Typed values of the query language: a column or a computation, with the operations its type has. Each holds the
// expression it stands for; methods only build larger expressions.
import { minorFromNumber, minorFromText } from '../std/decimal.ts'
import { parseInstant } from '../std/instant.ts'
import { checkZone } from './checks.ts'
import type { FieldType } from './contract.ts'
import { type Aggregation, type Column, type Comparison, type Expression, PlanError, type TimePart } from './plan.ts'

export type Row = { readonly [name: string]: { readonly type: FieldType; readonly nullable: boolean } }

type Int64 = { readonly kind: 'int64' }
type Float64 = { readonly kind: 'float64' }
type Bool = { readonly kind: 'bool' }
type Timestamp = { readonly kind: 'timestamp' }
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
  /** This, or the other where this is null. */
  orElse(other: Literal): Of<T, false>
  orElse<M extends boolean>(other: Value<T, M>): Of<T, And<N, M>>
}
/** Literals of money and decimals are amounts (`above(10.5)` or `above('10.50')`), not minor units. */
export interface NumberValue<T extends NumericType, N extends boolean> extends Comparable<T, N, number | string> {
  plus(other: number | string): Of<T, N>
  plus<M extends boolean>(other: Value<T, M>): Of<T, Or<N, M>>
  minus(other: number | string): Of<T, N>
  minus<M extends boolean>(other: Value<T, M>): Of<T, Or<N, M>>
  /** By a whole number (a float by any), or by an int64 column (money x int64 = money). */
  times(other: number): Of<T, N>
  times<B extends FactorOf<T>, M extends boolean>(other: Value<B, M>): Of<Product<T, B>, Or<N, M>>
  absolute(): Of<T, N>
}
export interface ExactValue<T extends ExactType, N extends boolean> extends NumberValue<T, N> {
  /** Rounded once to `scale` decimals, half away from zero; null where the divisor is 0. */
  dividedBy<const S extends number>(
    other: number | Value<ExactType, boolean>,
    how: { readonly scale: S },
  ): Of<Rescaled<T, S>, true>
  /** What dividing leaves, with the sign of the dividend; null where the divisor is 0. */
  modulo(other: number | string | Value<T, boolean>): Of<T, true>
  /** The nearest float64, in units (not minor ones). */
  toFloat(): Of<Float64, N>
}
export interface FloatValue<N extends boolean> extends NumberValue<Float64, N> {
  /** Null where the divisor is 0. */
  dividedBy(other: number | Value<Float64, boolean>): Of<Float64, true>
  /** Null for 0 and below. */
  ln(): Of<Float64, true>
  /** Null below 0. */
  sqrt(): Of<Float64, true>
  exp(): Of<Float64, N>
}
/** Text compares by UTF-8 bytes. */
export interface TextValue<T extends FieldType, N extends boolean> extends Comparable<T, N, string> {
  startsWith(prefix: string): Condition
}
/** Literals are ISO-8601 text or milliseconds since the epoch (days, for dates). */
export interface TimeValue<T extends FieldType, N extends boolean> extends Comparable<T, N, string | number> {
  /** A part of the civil time in a zone of the IANA database (UTC unless told otherwise); of a date, which has none. */
  part(part: PartOf<T>, where?: T extends Timestamp ? { readonly zone: string } : never): Of<Int64, N>
}
export interface InstantValue<N extends boolean> extends TimeValue<Timestamp, N> {
  /** Milliseconds from the other time to this one. */
  since<M extends boolean>(other: Value<Timestamp, M>): Of<Int64, Or<N, M>>
  plusMs(ms: number): Of<Timestamp, N>
  plusMs<M extends boolean>(ms: Value<Int64, M>): Of<Timestamp, Or<N, M>>
}
type PartOf<T extends FieldType> = T extends Timestamp
  ? TimePart
  : Exclude<TimePart, 'hour' | 'minute' | 'second' | 'hour-of-week'>
export interface BoolValue<N extends boolean> extends Condition {
  readonly nullable: N
  isNull(): Condition
}

export type Or<N extends boolean, M extends boolean> = N extends true ? true : M
type And<N extends boolean, M extends boolean> = N extends true ? M : false
/** Money keeps its currency; everything else becomes a decimal at the scale asked for. */
export type Rescaled<T extends FieldType, S extends number> = T extends {
  readonly kind: 'money'
  readonly currency: infer C extends string
}
  ? { readonly kind: 'money'; readonly scale: S; readonly currency: C }
  : { readonly kind: 'decimal'; readonly scale: S }
export type FactorOf<T> = T extends Int64 ? NumericType : T extends Float64 ? Int64 | Float64 : Int64
type Product<T extends NumericType, B extends NumericType> = T extends Int64 ? B : T

/** The operations a type has. */
export type Of<T extends FieldType, N extends boolean> = T extends ExactType
  ? ExactValue<T, N>
  : T extends Float64
    ? FloatValue<N>
    : T['kind'] extends 'string' | 'uuid'
      ? TextValue<T, N>
      : T extends Timestamp
        ? InstantValue<N>
        : T['kind'] extends 'date'
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
  #arithmetic(op: 'plus' | 'minus' | 'times', right: Value, type: FieldType): AnyValue {
    const expression: Expression = { op, left: this.expression, right: right.expression, type }
    return new AnyValue(expression, type, this.nullable || right.nullable)
  }
  plus(other: Value | number | string): AnyValue {
    return this.#arithmetic('plus', operand(other, this.type), this.type)
  }
  minus(other: Value | number | string): AnyValue {
    return this.#arithmetic('minus', operand(other, this.type), this.type)
  }
  times(other: Value | number): AnyValue {
    const right = operand(other, this.type.kind === 'float64' ? this.type : { kind: 'int64' })
    return this.#arithmetic('times', right, this.type.kind === 'int64' ? right.type : this.type)
  }
  absolute(): AnyValue {
    return new AnyValue({ op: 'absolute', of: this.expression, type: this.type }, this.type, this.nullable)
  }
  dividedBy(other: Value | number, how?: { readonly scale: number }): AnyValue {
    const left = this.expression
    if (how === undefined)
      return new AnyValue(
        { op: 'divide', left, right: operand(other, this.type).expression, type: this.type },
        this.type,
        true,
      )
    checkScale(how.scale)
    const type = rescaled(this.type, how.scale)
    return new AnyValue({ op: 'ratio', left, right: operand(other, { kind: 'int64' }).expression, type }, type, true)
  }
  modulo(other: Value | number | string): AnyValue {
    const right = operand(other, this.type).expression
    return new AnyValue({ op: 'modulo', left: this.expression, right, type: this.type }, this.type, true)
  }
  #float(op: 'to-float' | 'ln' | 'sqrt' | 'exp', nullable: boolean): AnyValue {
    const type = { kind: 'float64' } as const
    return new AnyValue({ op, of: this.expression, type }, type, nullable)
  }
  toFloat(): AnyValue {
    return this.#float('to-float', this.nullable)
  }
  ln(): AnyValue {
    return this.#float('ln', true)
  }
  sqrt(): AnyValue {
    return this.#float('sqrt', true)
  }
  exp(): AnyValue {
    return this.#float('exp', this.nullable)
  }
  part(part: TimePart, where: { readonly zone: string } = { zone: 'UTC' }): AnyValue {
    checkZone(`part '${part}'`, where.zone)
    const expression: Expression = { op: 'time-part', part, of: this.expression, zone: where.zone }
    return new AnyValue(expression, { kind: 'int64' }, this.nullable)
  }
  since(other: Value): AnyValue {
    return this.#arithmetic('minus', other, { kind: 'int64' })
  }
  plusMs(ms: Value | number): AnyValue {
    return this.#arithmetic('plus', operand(ms, { kind: 'int64' }), this.type)
  }
  orElse(other: Value | string | number): AnyValue {
    const right = operand(other, this.type)
    const expression: Expression = { op: 'coalesce', of: [this.expression, right.expression], type: this.type }
    return new AnyValue(expression, this.type, this.nullable && right.nullable)
  }
  #compare(by: Comparison, other: Value | string | number): AnyValue {
    const right = operand(other, this.type).expression
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
/** A literal as a value of the type; a value as it is. */
export function operand(other: Value | string | number | boolean, type: FieldType): Value {
  return typeof other === 'object' ? other : new AnyValue(literal(other, type), type, false)
}
/** A value with the operations of its type. */
export function computed<T extends FieldType, N extends boolean>(
  expression: Expression,
  type: FieldType,
  nullable: boolean,
): Of<T, N> {
  const value: unknown = new AnyValue(expression, type, nullable)
  // The callers' types say what they pass: it has all operations.
  return value as Of<T, N>
}
export function rescaled(type: FieldType, scale: number): FieldType {
  return type.kind === 'money' ? { kind: 'money', scale, currency: type.currency } : { kind: 'decimal', scale }
}
/** More decimals than this leave no room for anything before them. */
const SCALE_MAX = 15
export function checkScale(scale: number): void {
  if (!(Number.isInteger(scale) && scale >= 0 && scale <= SCALE_MAX))
    throw new PlanError('', 'scale', `${scale} is no number of decimals`, `Use a whole number from 0 to ${SCALE_MAX}`)
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

function literal(value: string | number | boolean, type: FieldType): Expression {
  return { op: 'literal', value: typeof value === 'boolean' ? value : literalValue(value, type), type }
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
