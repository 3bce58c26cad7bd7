// A Kafka message as data: its fields with versions and types, and the TypeScript types inferred from it.
// The declarations stand in `messages/`, one file each; `message-codec.ts` compiles them.
//
// Names, types, versions, defaults and tags are those of Kafka's own definitions (clients/src/main/resources/common/
// message/*.json in apache/kafka), with the first letter in lower case; a test holds them to a copy of those.

/** Version ranges as Kafka writes them: '3' = that one, '0-5', '9+' = from 9 on. */
export type Versions = `${number}` | `${number}-${number}` | `${number}+`

/**
 * `int64` reads as a number (offsets, times), `id64` as a bigint (producer ids). `uuid`, `bytes` and `records` are slices
 * of the frame: what outlives it must be copied.
 */
interface ScalarTypes {
  bool: boolean
  int8: number
  int16: number
  int32: number
  uint16: number
  int64: number
  id64: bigint
  float64: number
  uuid: Uint8Array
  string: string
  bytes: Uint8Array
  records: Uint8Array
}
export type ScalarName = keyof ScalarTypes

interface FieldBase {
  readonly versions: Versions
  /** Versions in which null may stand. */
  readonly nullable?: Versions
  /** Tagged field of flexible versions (KIP-482) with this number; left out when it has its default. */
  readonly tag?: number
}
export interface ScalarField extends FieldBase {
  readonly type: ScalarName
  /** What is read in versions without the field, and written when the value is left out. */
  readonly default?: number | string | boolean | bigint | null
}
export interface ArrayField extends FieldBase {
  readonly type: 'array'
  readonly of: ScalarName | Fields
  /** The defaults an array may declare; without one it is written as empty when left out. */
  readonly default?: readonly [] | null
}
/** Tagged: null = left out. Otherwise null may stand only where it is nullable, and a byte before it says so. */
export interface StructField extends FieldBase {
  readonly type: 'struct'
  readonly fields: Fields
  readonly default?: null
}
export type Field = ScalarField | ArrayField | StructField
export type Fields = { readonly [name: string]: Field }

export interface MessageDeclaration<F extends Fields = Fields> {
  readonly name: string
  readonly apiKey: number
  readonly versions: Versions
  /** Versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: Versions | 'none'
  readonly fields: F
}
/** Keeps the literal types, from which the message's type is inferred. */
export function message<const F extends Fields>(declaration: MessageDeclaration<F>): MessageDeclaration<F> {
  return declaration
}

type OrNull<F, Value> = F extends { readonly nullable: Versions } ? Value | null : Value
type StructOrNull<F, Value> = F extends { readonly tag: number } ? Value | null : OrNull<F, Value>
type DecodedField<F> = F extends { readonly of: infer Of }
  ? OrNull<F, readonly (Of extends ScalarName ? ScalarTypes[Of] : Of extends Fields ? Decoded<Of> : never)[]>
  : F extends { readonly fields: infer S extends Fields }
    ? StructOrNull<F, Decoded<S>>
    : F extends { readonly type: infer T extends ScalarName }
      ? OrNull<F, ScalarTypes[T]>
      : never
/** A message as it was read. Fields its version does not have are at their defaults. */
export type Decoded<F extends Fields> = { readonly [Name in keyof F]: DecodedField<F[Name]> }

type EncodableField<F> = F extends { readonly of: infer Of }
  ? OrNull<F, readonly (Of extends ScalarName ? ScalarTypes[Of] : Of extends Fields ? Encodable<Of> : never)[]>
  : F extends { readonly fields: infer S extends Fields }
    ? StructOrNull<F, Encodable<S>>
    : F extends { readonly type: 'records' }
      ? OrNull<F, Uint8Array | readonly Uint8Array[]>
      : F extends { readonly type: infer T extends ScalarName }
        ? OrNull<F, ScalarTypes[T]>
        : never
type HasDefault<F extends Fields> = {
  [Name in keyof F]: F[Name] extends { readonly default: unknown } | { readonly tag: number } ? Name : never
}[keyof F]
/** A message to be written: fields with a default may be left out, records may come in parts. */
export type Encodable<F extends Fields> = {
  readonly [Name in Exclude<keyof F, HasDefault<F>>]: EncodableField<F[Name]>
} & { readonly [Name in HasDefault<F>]?: EncodableField<F[Name]> }

/** First and last version of a range; '9+' ends nowhere. */
export function versionRange(versions: Versions): { readonly min: number; readonly max: number } {
  const open = versions.endsWith('+')
  const [first, last] = (open ? versions.slice(0, -1) : versions).split('-')
  const min = Number(first)
  return { min, max: open ? Number.POSITIVE_INFINITY : last === undefined ? min : Number(last) }
}
export function inVersions(versions: Versions | undefined, version: number): boolean {
  if (versions === undefined) return false
  const { min, max } = versionRange(versions)
  return version >= min && version <= max
}
