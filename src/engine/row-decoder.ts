// The reference decoder: each record through its format's reader and the contract's readers into columns. Whatever decodes
// faster is held to its rows and refusals by fuzzing.
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn } from './columns.ts'
import type { Decoder, DecoderSettings, Refusal, RefusalReason } from './decoder.ts'
import type { SourceBatch } from './engine.ts'
import { type Fault, type FieldReader, fieldReaders, isFault, memberOf } from './field-readers.ts'
import { grownFloats, grownInts } from './int-set.ts'
import { columnsFor, growColumn, type NestedTarget, nestedTargets, put } from './nested-columns.ts'
import { pseudoFiller } from './pseudo-columns.ts'
import { type ReadRecord, type RecordObject, recordReader } from './record-values.ts'

/** Of JSON, CSV or Avro, as the contract says. */
export function rowDecoder(settings: DecoderSettings): Decoder {
  return new RowDecoder(settings)
}

class RowDecoder implements Decoder {
  readonly #readers: readonly FieldReader[]
  /** Column of each reader's field, or null if no plan wants it. */
  readonly #targets: readonly (BatchColumn | null)[]
  /** What is wanted from inside each reader's field. */
  readonly #nested: readonly (readonly NestedTarget[])[]
  readonly #fillPseudo: ReturnType<typeof pseudoFiller>
  readonly #eventTime: number
  readonly #futureLimitMs: number
  readonly #batch: Batch
  readonly #readRecord: ReadRecord
  #fault: Fault | null = null
  readonly #refuse = (reason: RefusalReason, message: string, field = ''): null => {
    this.#fault = { reason, field, message }
    return null
  }

  constructor(settings: DecoderSettings) {
    const { contract, projections } = settings
    this.#readers = fieldReaders(contract)
    const columns = columnsFor(projections, settings.dictionaries)
    this.#targets = this.#readers.map(({ name }) => columns[projections.findIndex((one) => one.name === name)] ?? null)
    this.#fillPseudo = pseudoFiller(contract, projections)
    this.#nested = nestedTargets(contract, this.#readers, projections, columns)
    this.#eventTime = this.#readers.findIndex(({ name }) => name === contract.eventTime)
    assert(this.#eventTime >= 0, `contract ${contract.topic} has no event time ${contract.eventTime}`)
    this.#futureLimitMs = settings.futureLimit ? contract.futureLimitMs : Number.POSITIVE_INFINITY
    this.#readRecord = recordReader(settings)
    const empty = (): Float64Array<ArrayBuffer> => new Float64Array(0)
    this.#batch = {
      topic: contract.topic,
      partition: 0,
      rows: 0,
      columns,
      times: empty(),
      watermarks: empty(),
      records: new Int32Array(0),
      offsets: empty(),
    }
  }

  decode(source: SourceBatch, refuse: (refusal: Refusal) => void): Batch {
    const batch = this.#batch
    batch.partition = source.partition
    this.#makeRoom(source.count)
    let row = 0
    for (let record = 0; record < source.count; record++) {
      const fault = this.#read(source, record, row)
      if (fault !== null) {
        refuse({ record, ...fault })
        continue
      }
      batch.records[row] = record
      batch.offsets[row] = source.offsets[record]!
      row++
    }
    batch.rows = row
    this.#fillPseudo(batch, source)
    for (const column of batch.columns) if (column.kind === 'list') column.count = column.first[row]!
    return batch
  }

  memory(): null {
    return null
  }

  #read(source: SourceBatch, record: number, row: number): Fault | null {
    const start = source.starts[record]!
    if (start < 0) return whole('tombstone', 'the record has no value')
    const value = this.#readRecord(source.bytes, start, source.ends[record]!, this.#refuse)
    return value === null ? this.#fault : this.#readFields(value, source.arrivals[record]!, row)
  }

  #readFields(value: RecordObject, arrivalMs: number, row: number): Fault | null {
    for (let i = 0; i < this.#readers.length; i++) {
      const reader = this.#readers[i]!
      const given = memberOf(value, reader.names)
      const inside = reader.read(given)
      if (isFault(inside)) return inside
      if (i === this.#eventTime && typeof inside === 'number') {
        if (arrivalMs >= 0 && inside > arrivalMs + this.#futureLimitMs) {
          const aheadS = Math.round((inside - arrivalMs) / 1000)
          return {
            reason: 'future',
            field: reader.name,
            message: `field '${reader.name}' lies ${aheadS} s ahead of the arrival`,
          }
        }
        this.#batch.times[row] = inside
      }
      const column = this.#targets[i]!
      if (column !== null && column.kind !== 'list') put(column, row, inside)
      for (const nested of this.#nested[i]!) nested.take(given, row)
    }
    return null
  }

  #makeRoom(rows: number): void {
    const batch = this.#batch
    batch.times = grownFloats(batch.times, rows)
    batch.watermarks = grownFloats(batch.watermarks, rows)
    batch.offsets = grownFloats(batch.offsets, rows)
    batch.records = grownInts(batch.records, rows)
    for (const column of batch.columns) growColumn(column, rows)
  }
}

function whole(reason: RefusalReason, message: string): Fault {
  return { reason, field: '', message }
}
