// The reference decoder: each record through JSON.parse and the contract's readers into columns. Whatever decodes
// faster is held to its rows and refusals by fuzzing.
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn } from './columns.ts'
import type { Decoder, DecoderSettings, Refusal, RefusalReason } from './decoder.ts'
import type { SourceBatch } from './engine.ts'
import { type Fault, type FieldReader, fieldReaders, isFault, isObject, memberOf } from './field-readers.ts'
import { grownFloats, grownInts } from './int-set.ts'
import { memberNames, type Structure, structureOf } from './json-structure.ts'
import { columnsFor, growColumn, type NestedTarget, nestedTargets, put } from './nested-columns.ts'
import { pseudoFiller } from './pseudo-columns.ts'

/** Deeper nesting is refused: what reads records recursively must not run out of stack. */
export const DEPTH_MAX = 64

export function jsonDecoder(settings: DecoderSettings): Decoder {
  return new JsonDecoder(settings)
}

class JsonDecoder implements Decoder {
  readonly #readers: readonly FieldReader[]
  /** Column of each reader's field, or null if no plan wants it. */
  readonly #targets: readonly (BatchColumn | null)[]
  /** What is wanted from inside each reader's field. */
  readonly #nested: readonly (readonly NestedTarget[])[]
  readonly #fillPseudo: ReturnType<typeof pseudoFiller>
  readonly #eventTime: number
  readonly #futureLimitMs: number
  readonly #knownNames: ReadonlySet<string>
  readonly #batch: Batch
  /** `ignoreBOM` keeps a byte order mark, which JSON.parse then refuses. */
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #structure: Structure = { depth: 0, members: 0 }

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
    this.#knownNames = new Set(this.#readers.flatMap(({ names }) => names))
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
    const end = source.ends[record]!
    if (start < 0) return whole('tombstone', 'the record has no value')
    structureOf(source.bytes, start, end, DEPTH_MAX, this.#structure)
    if (this.#structure.depth > DEPTH_MAX) return whole('too-deep', `nested deeper than ${DEPTH_MAX} levels`)
    let text: string
    try {
      text = this.#utf8.decode(source.bytes.subarray(start, end))
    } catch {
      return whole('not-utf8', 'the bytes are not UTF-8')
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return whole('not-json', `not JSON: ${error instanceof Error ? error.message.slice(0, 120) : ''}`)
    }
    if (!isObject(value)) return whole('wrong-type', 'the record is not a JSON object')
    if (Object.keys(value).length !== this.#structure.members) {
      const twice = this.#knownTwice(text)
      if (twice !== null) return { reason: 'duplicate-key', field: twice, message: `field '${twice}' is there twice` }
    }
    return this.#readFields(value, source.arrivals[record]!, row)
  }

  #readFields(value: { readonly [name: string]: unknown }, arrivalMs: number, row: number): Fault | null {
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

  /** Doubles of names no contract knows do not matter. */
  #knownTwice(text: string): string | null {
    const seen = new Set<string>()
    for (const name of memberNames(text)) {
      if (seen.has(name) && this.#knownNames.has(name)) return name
      seen.add(name)
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
