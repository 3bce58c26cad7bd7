// What a topic promises: fields with types, units and rules, identity, event time, key. One contract, one file in
// `commerce/contracts/`; decoder, validator, dead-letter reasons and documentation are all read from it. Data only.

/** The types of `semantics.md` §1. Money and decimals are integers at `scale` inside the house. */
export type FieldType =
  | { readonly kind: 'bool' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'float64' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'money'; readonly scale: number; readonly currency: string }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'uuid' }
  /** Milliseconds UTC. On the wire ISO-8601 text with any offset or none (UTC) and any fraction. */
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'date' }
  | { readonly kind: 'struct'; readonly fields: Fields }
  | { readonly kind: 'array'; readonly of: FieldType }

/** Checked after the type; a record that fails goes to the dead letters with the rule's name. */
export type Rule =
  | { readonly rule: 'above'; readonly bound: number }
  | { readonly rule: 'at-least'; readonly bound: number }
  | { readonly rule: 'one-of'; readonly values: readonly string[] }

export interface Field<Type extends FieldType = FieldType, Nullable extends boolean = boolean> {
  readonly type: Type
  /** True: the field may be missing or null and has no default. */
  readonly nullable: Nullable
  /** Stands in when the field is missing or null. In wire form (money as a decimal number, time as text). */
  readonly default?: string | number | boolean
  /** Other names the field may come under. */
  readonly aliases?: readonly string[]
  readonly rules?: readonly Rule[]
  readonly doc: string
}
export type Fields = { readonly [name: string]: Field }

export interface Contract<F extends Fields = Fields> {
  readonly topic: string
  readonly version: number
  readonly partitions: number
  /** The field whose value is the Kafka key. */
  readonly key: keyof F & string
  /** The field that tells when it happened. A Plan reads only topics where it is a `timestamp`. */
  readonly eventTime: keyof F & string
  /** The field that makes two records the same one, for de-duplication. */
  readonly identity?: keyof F & string
  /** How far a record's event time may lie behind the newest of its partition and still be in time. */
  readonly outOfOrderMs: number
  /** A partition silent for so long no longer holds the watermark back. */
  readonly idleTimeoutMs: number
  /** Event times further ahead of the record's arrival than this go to the dead letters and never move a watermark. */
  readonly futureLimitMs: number
  /** How a record's value is written. Default: `json`. `avro`: with the id of its schema in a registry in front. */
  readonly format?: 'json' | 'csv' | 'avro'
  /** Of `csv`, where it is not a line of the contract's fields in their order with commas between them. */
  readonly csv?: { readonly delimiter?: string; readonly columns?: readonly string[] }
  /** `result`: a pipeline writes the topic and makes it, producers do not. Default: `input`. */
  readonly origin?: 'input' | 'result'
  readonly fields: F
  readonly doc: string
}

/** A Contract that is also a plain `Contract`: spelt out as a mapped type because the compiler takes the interface as invariant in F. */
export type ContractOf<F extends Fields> = { readonly [K in keyof Contract<F>]: Contract<F>[K] }

/** Freezes the contract and keeps its literal types, from which rows and columns are inferred. */
export function contract<const F extends Fields>(given: Contract<F>): ContractOf<F> {
  return Object.freeze(given)
}

type Options = Partial<Pick<Field, 'default' | 'aliases' | 'rules'>>
/** Builds one field: `field({ kind: 'string' }, 'the seller\'s name')`. Required unless it has a default or is `nullable`. */
export function field<const T extends FieldType>(type: T, doc: string, options: Options = {}): Field<T, false> {
  return { type, nullable: false, doc, ...options }
}
export function nullable<const T extends FieldType>(type: T, doc: string, options: Options = {}): Field<T, true> {
  return { type, nullable: true, doc, ...options }
}
