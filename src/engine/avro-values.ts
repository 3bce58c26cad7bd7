// A record of Avro as registries have them: a zero, the id of the schema it was written with, the record.
//
//   magic 1 = 0 | schema id 4, big-endian | the record in Avro's binary encoding
import { assert } from '../std/assert.ts'
import type { AvroReaders } from './engine.ts'
import { isObject } from './field-readers.ts'
import type { ReadRecord } from './record-values.ts'

const headBytes = 5

/** The id of the schema of the value [start, end); null: it does not begin as such records do. */
export function schemaIdOf(bytes: Uint8Array, start: number, end: number): number | null {
  if (start < 0 || end - start < headBytes || bytes[start] !== 0) return null
  const [a, b, c, d] = [bytes[start + 1]!, bytes[start + 2]!, bytes[start + 3]!, bytes[start + 4]!]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

export function avroValues(topic: string, readers: AvroReaders | null): ReadRecord {
  assert(readers !== null, `topic '${topic}' is in Avro, and the job was given nothing to read it with`)
  return (bytes, start, end, refuse) => {
    const id = schemaIdOf(bytes, start, end)
    if (id === null) return refuse('not-avro', 'the record does not begin with a zero and the id of a schema')
    const reader = readers.reader(id)
    if (reader === null) return refuse('unknown-schema', `the registry has no schema ${id}`)
    const read = reader.read(bytes.subarray(start + headBytes, end))
    if ('fault' in read) return refuse(read.fault, `not a record of schema ${id}: ${read.message.slice(0, 120)}`)
    return isObject(read.value) ? read.value : refuse('wrong-type', `schema ${id} is not that of a record`)
  }
}
