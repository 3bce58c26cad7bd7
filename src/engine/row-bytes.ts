// Decoded rows from one thread to another: the columns one after the other. Ids are those of the sender's dictionaries;
// the receiver maps them to its own.
//
//   u32 partition | rows | times | watermarks | records | offsets | each column: its values
//   text = i32 byte lengths (-1: null), then the UTF-8 of all; number = f64; id = i32
import { assert } from '../std/assert.ts'
import { type Batch, type BatchColumn, textAt } from './columns.ts'
import type { ForeignIds } from './foreign-ids.ts'
import { grownBytes } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Can rows of these columns be sent? */
export function canSend(columns: readonly BatchColumn[]): boolean {
  return columns.every(({ kind }) => kind === 'number' || kind === 'id' || kind === 'text')
}

/** All rows, or the listed ones. What is large leaves by reference: flatten it before the batch changes. */
export function writeRows(out: StateWriter, batch: Batch, rows: Int32Array | null, count: number): void {
  const floats = (values: Float64Array): void => {
    out.floats(rows === null ? values : Float64Array.from({ length: count }, (_, i) => values[rows[i]!]!), count)
  }
  const ints = (values: Int32Array): void => {
    out.ints(rows === null ? values : Int32Array.from({ length: count }, (_, i) => values[rows[i]!]!), count)
  }
  out.u32(batch.partition)
  out.u32(count)
  floats(batch.times)
  floats(batch.watermarks)
  ints(batch.records)
  floats(batch.offsets)
  for (const column of batch.columns) {
    if (column.kind === 'number') floats(column.values)
    else if (column.kind === 'id') ints(column.values)
    else writeTexts(out, column, rows, count)
  }
}
function writeTexts(out: StateWriter, column: BatchColumn, rows: Int32Array | null, count: number): void {
  assert(column.kind === 'text', `columns of kind '${column.kind}' stay on their thread`)
  const lengths = new Int32Array(count)
  let bytes = new Uint8Array(1024)
  let at = 0
  for (let i = 0; i < count; i++) {
    const text = textAt(column, rows === null ? i : rows[i]!)
    if (text === null) {
      lengths[i] = -1
      continue
    }
    bytes = grownBytes(bytes, at + text.length * 3)
    lengths[i] = encoder.encodeInto(text, bytes.subarray(at)).written
    at += lengths[i]!
  }
  out.ints(lengths, count)
  out.raw(bytes.subarray(0, at))
}

/** Into a batch of the same columns. `idsOf` of each column by id. */
export function readRows(from: StateReader, into: Batch, idsOf: readonly (ForeignIds<string> | null)[]): void {
  into.partition = from.u32()
  into.rows = from.u32()
  into.times = from.floats()
  into.watermarks = from.floats()
  into.records = from.ints()
  into.offsets = from.floats()
  into.columns.forEach((column, i) => {
    if (column.kind === 'number') column.values = from.floats()
    else if (column.kind === 'id') {
      column.values = from.ints()
      idsOf[i]?.mapAll(column.values, into.rows)
    } else {
      assert(column.kind === 'text', `columns of kind '${column.kind}' stay on their thread`)
      const lengths = from.ints()
      const bytes = from.raw()
      let at = 0
      for (let row = 0; row < into.rows; row++) {
        const length = lengths[row]!
        column.values[row] = length < 0 ? null : decoder.decode(bytes.subarray(at, at + length))
        at += Math.max(0, length)
      }
    }
  })
}
