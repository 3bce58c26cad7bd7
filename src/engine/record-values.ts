// What stands in a record, as JSON would have it: the seam between the formats of records and the contract's checks.
import { unreachable } from '../std/assert.ts'
import { avroValues } from './avro-values.ts'
import { csvValues } from './csv-values.ts'
import type { DecoderSettings, RefusalReason } from './decoder.ts'
import { jsonValues } from './json-values.ts'

export interface RecordObject {
  readonly [name: string]: unknown
}
/** Told why there is no object; gives null. */
export type Refuse = (reason: RefusalReason, message: string, field?: string) => null
/** Of the record's bytes [start, end); null: it was refused. */
export type ReadRecord = (bytes: Uint8Array, start: number, end: number, refuse: Refuse) => RecordObject | null

export function recordReader(settings: DecoderSettings): ReadRecord {
  const { contract } = settings
  const format = contract.format ?? 'json'
  switch (format) {
    case 'json':
      return jsonValues(contract)
    case 'csv':
      return csvValues(contract)
    case 'avro':
      return avroValues(contract.topic, settings.avro ?? null)
    default:
      return unreachable(format)
  }
}
