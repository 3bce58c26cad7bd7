// What the compiler knows of rows: which columns there are, and what becomes of them at each step. Types only.
import type { Fields, FieldType } from './contract.ts'
import type { Aggregate, Of, Row, Value } from './values.ts'

export type RowOf<F extends Fields> = {
  [K in keyof F & string]: { readonly type: F[K]['type']; readonly nullable: F[K]['nullable'] }
}
/** Fields of the contract's objects by their path, `address.city`: null where the object is. */
export type PathRow<F extends Fields> = {
  [K in Paths<F>]: K extends `${infer O}.${infer I}`
    ? F[O]['type'] extends { readonly kind: 'struct'; readonly fields: infer G extends Fields }
      ? { readonly type: G[I]['type']; readonly nullable: true }
      : never
    : never
}
type Paths<F extends Fields> = {
  [K in keyof F & string]: F[K]['type'] extends { readonly kind: 'struct'; readonly fields: infer G extends Fields }
    ? `${K}.${keyof G & string}`
    : never
}[keyof F & string]
export type ColumnsOf<R extends Row> = { readonly [K in keyof R & string]: Of<R[K]['type'], R[K]['nullable']> }
export type Derived = { readonly [name: string]: Value }
export type DerivedRow<D extends Derived> = {
  [K in keyof D & string]: { readonly type: D[K]['type']; readonly nullable: D[K]['nullable'] }
}
export type Aggregates = { readonly [name: string]: Aggregate }
export type AggregatedRow<A extends Aggregates> = {
  [K in keyof A & string]: { readonly type: A[K]['type']; readonly nullable: A[K]['nullable'] }
}
export type Bounds = {
  window_start: { readonly type: { readonly kind: 'timestamp' }; readonly nullable: false }
  window_end: { readonly type: { readonly kind: 'timestamp' }; readonly nullable: false }
}

/** Columns that rows can be grouped by. */
type GroupableKind = 'string' | 'uuid' | 'int64' | 'bool' | 'money' | 'decimal' | 'timestamp' | 'date'
type ColumnsOfKind<R extends Row, Kind extends string> = {
  [K in keyof R & string]: R[K]['type']['kind'] extends Kind ? K : never
}[keyof R & string]
export type Groupable<R extends Row> = ColumnsOfKind<R, GroupableKind>
export type Rankable<R extends Row> = ColumnsOfKind<R, GroupableKind | 'float64'>
export type TextColumns<R extends Row> = ColumnsOfKind<R, 'string' | 'uuid'>
export type ListColumns<R extends Row> = ColumnsOfKind<R, 'array'>

export type Renamed<R extends Row, M> = {
  [K in keyof R & string as K extends keyof M ? (M[K] extends string ? M[K] : K) : K]: R[K]
}
export type LookedUp<T extends Row, U> = {
  [K in keyof T]: { readonly type: T[K]['type']; readonly nullable: U extends 'null' ? true : T[K]['nullable'] }
}

/** Fields of a list's elements; of plain values, one column under the list's name. */
export type ElementRow<R extends Row, K extends keyof R & string> = R[K]['type'] extends {
  readonly kind: 'array'
  readonly of: infer E extends FieldType
}
  ? E extends { readonly kind: 'struct'; readonly fields: infer F extends Fields }
    ? RowOf<F>
    : { [N in K]: { readonly type: E; readonly nullable: false } }
  : never

/** Left column to right column, of the same type. */
export type JoinKeys<L extends Row, R extends Row> = {
  readonly [K in Groupable<L>]?: SameType<R, L[K]['type']>
}
type SameType<R extends Row, T extends FieldType> = {
  [K in keyof R & string]: R[K]['type'] extends T ? (T extends R[K]['type'] ? K : never) : never
}[keyof R & string]
/** Columns that both have are keys under one name: the left's value stands. */
export type JoinedRow<L extends Row, R extends Row, S> = L & {
  [K in Exclude<keyof R & string, keyof L>]: {
    readonly type: R[K]['type']
    readonly nullable: S extends 'left' ? true : R[K]['nullable']
  }
}

/** Rows with columns of these types, and maybe more. */
export type SameTypes<R extends Row> = {
  readonly [K in keyof R & string]: { readonly type: R[K]['type']; readonly nullable: boolean }
}
export type UnitedRow<R extends Row, T extends SameTypes<R>> = {
  [K in keyof R & string]: {
    readonly type: R[K]['type']
    readonly nullable: R[K]['nullable'] extends true ? true : T[K]['nullable']
  }
}
