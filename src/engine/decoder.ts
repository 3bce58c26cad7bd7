// The seam between record bytes and columns: the kernel for JSON, and one record after the other for JSON, CSV and Avro. All of
// them give the same rows for the same values, and the same refusals where a value is not what the contract says.
import type { Contract } from '../query/contract.ts'
import type { Batch } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { AvroReaders, DecoderMemory, SourceBatch } from './engine.ts'

/** How a column is wanted: text as ids where values are grouped, counted, compared or looked up. */
export interface Projection {
  /** A field of the contract; inside an object with its path, `address.city`. */
  readonly name: string
  readonly as: 'number' | 'id' | 'text' | 'list'
  /** Of a list: what is wanted of each element, by its path there; '' is the element itself. */
  readonly elements?: readonly Projection[]
}
/** Names that dictionaries go by, in the order of the projections: `city`, `items[].sku`, `tags[]`. */
export function idColumnsOf(projections: readonly Projection[]): string[] {
  return projections.flatMap(({ name, as, elements = [] }) => {
    if (as === 'id') return [name]
    return elements.filter((element) => element.as === 'id').map((element) => elementName(name, element.name))
  })
}
export function elementName(list: string, path: string): string {
  return path === '' ? `${list}[]` : `${list}[].${path}`
}

export interface DecoderSettings {
  readonly contract: Contract
  /** Column i of the batches is projection i. */
  readonly projections: readonly Projection[]
  /** By `idColumnsOf`. */
  readonly dictionaries: { readonly [column: string]: Dictionary<string> }
  /** Compare event times with arrivals; a file has no arrivals to compare with. */
  readonly futureLimit: boolean
  /** For topics in Avro. */
  readonly avro?: AvroReaders
}
/** Why a record was refused. The names are part of the dead letters' contract. */
export const refusalReasons = [
  'tombstone',
  'not-utf8',
  'not-json',
  'too-deep',
  'duplicate-key',
  'missing',
  'wrong-type',
  'range',
  'scale',
  'rule',
  'future',
  'unknown-key',
  'overflow',
  'not-csv',
  'not-avro',
  'unknown-schema',
] as const
export type RefusalReason = (typeof refusalReasons)[number]
export interface Refusal {
  /** Position of the record in its batch. */
  readonly record: number
  readonly reason: RefusalReason
  readonly field: string
  readonly message: string
}

export interface Decoder {
  /** The accepted rows, validated in every field of the contract. Valid until the next call. */
  decode(batch: SourceBatch, refuse: (refusal: Refusal) => void): Batch
  /** Where batches may be put that it then decodes in place; null where it takes any memory alike. */
  memory(): DecoderMemory | null
}
