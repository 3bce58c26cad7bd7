// The seam between record bytes and columns. Now: JSON.parse per record behind strict checks; a faster kernel takes the
// same seat later and must give the same rows and the same refusals.
import type { Contract } from '../query/contract.ts'
import type { Batch } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { DecoderMemory, SourceBatch } from './engine.ts'

/** How a column is wanted: text as ids where values are grouped, counted, compared or looked up. */
export interface Projection {
  readonly name: string
  readonly as: 'number' | 'id' | 'text'
}
export interface DecoderSettings {
  readonly contract: Contract
  /** Column i of the batches is projection i. */
  readonly projections: readonly Projection[]
  readonly dictionaries: { readonly [column: string]: Dictionary<string> }
  /** Compare event times with arrivals; a file has no arrivals to compare with. */
  readonly futureLimit: boolean
}

/** Why a record was refused. The names are part of the dead letters' contract. */
export type RefusalReason =
  | 'tombstone'
  | 'not-utf8'
  | 'not-json'
  | 'too-deep'
  | 'duplicate-key'
  | 'missing'
  | 'wrong-type'
  | 'range'
  | 'scale'
  | 'rule'
  | 'future'
  | 'unknown-key'
  | 'overflow'
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
