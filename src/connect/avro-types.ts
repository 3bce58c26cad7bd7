// Readers of Avro records by avsc, one for each schema. What they give is as JSON would have it: times and dates as ISO text,
// decimals as numbers, bytes as base64, unions without their wrapping.
//
// avsc believes the counts of arrays that records tell, and reads on behind their end: so a record is walked through first, by
// its schema, and refused where it does not fill its bytes exactly.
import avro from 'avsc'
import type { AvroReader } from '../engine/engine.ts'
import { decimalText } from '../std/decimal.ts'
import { dateText, instantText } from '../std/instant.ts'
import { fillsRecord } from './avro-walk.ts'

type Schema = avro.Schema
interface LogicalSchema {
  readonly scale?: number
}

const perMilli = { 'timestamp-millis': 1, 'timestamp-micros': 1_000, 'timestamp-nanos': 1_000_000 } as const
/** Of time or date: avsc reads the number, this makes text of it. Nothing is written here. */
function textType(text: (value: number) => string): typeof avro.types.LogicalType {
  return class extends avro.types.LogicalType {
    override _fromValue(value: number): string {
      return text(value)
    }
    override _toValue(): undefined {
      return undefined
    }
  }
}
class DecimalType extends avro.types.LogicalType {
  readonly #scale: number
  constructor(schema: Schema, options?: ConstructorParameters<typeof avro.types.LogicalType>[1]) {
    super(schema, options)
    this.#scale = (schema as LogicalSchema).scale ?? 0
  }
  /** Two's complement, big-endian. The nearest number, as that of a decimal in JSON. */
  override _fromValue(bytes: Uint8Array): number {
    const unsigned = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
    return Number(decimalText(BigInt.asIntN(8 * bytes.length, unsigned), this.#scale))
  }
  override _toValue(): undefined {
    return undefined
  }
}
const dividedInstant =
  (per: number) =>
  (value: number): string =>
    instantText(Math.floor(value / per), true)
const logicalTypes = {
  date: textType(dateText),
  decimal: DecimalType,
  ...Object.fromEntries(
    Object.entries(perMilli).flatMap(([name, per]) => [
      [name, textType(dividedInstant(per))],
      [`local-${name}`, textType(dividedInstant(per))],
    ]),
  ),
}

/** Throws an Error for what is no schema. */
export function avroReader(schemaText: string): AvroReader {
  const schema = JSON.parse(schemaText) as Schema
  const type = avro.Type.forSchema(schema, { logicalTypes, wrapUnions: 'never' as never })
  // The walk is along the plain encoding.
  const plain = avro.Type.forSchema(schema, { wrapUnions: 'never' as never })
  return {
    read(record) {
      if (!fillsRecord(plain, record)) {
        return { fault: 'not-avro', message: 'its bytes are not those of its schema' }
      }
      try {
        return { value: plainValue(type.fromBuffer(Buffer.from(record.buffer, record.byteOffset, record.length))) }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        return { fault: /precision/.test(message) ? 'range' : 'not-avro', message }
      }
    },
  }
}
function plainValue(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, plainValue(inside)]))
}
