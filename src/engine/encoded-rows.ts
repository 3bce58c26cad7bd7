// Result rows as JSON bytes in one pass over their columns: as `rowJson` writes them, without a string for each value.

import { instantText } from '../std/instant.ts'
import { IN_VALUES, type TextSlices } from './columns.ts'
import type { EncodedRows, ResultBatch, ResultColumn } from './engine.ts'
import { valueJson } from './result-rows.ts'

const encoder = new TextEncoder()
/** Texts that come again and again, with their quotes. */
const knownTextsMax = 4096
const knownTexts = new Map<string, Uint8Array>()

let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 16)
let ends = new Int32Array(1024)
let at = 0
/** Seconds written last, by their low bits, and their texts up to the second: records come a little out of order. */
const SECONDS = 64
const seconds = new Float64Array(SECONDS).fill(Number.NaN)
const secondTexts: Uint8Array[] = []

/** Writes the value of a row. */
type Write = (row: number) => void

export function rowsJson(batch: ResultBatch): EncodedRows {
  const { count, columns, final } = batch
  const { finalColumn } = batch.plan.output
  const writes = columns.map((column) => writerOf(batch, column))
  const names = columns.map(({ name }, i) => encoder.encode(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  const tails = [false, true].map((value) =>
    encoder.encode(
      `${columns.length === 0 ? '{' : ''}${finalColumn === null ? '' : `,${JSON.stringify(finalColumn)}:${value}`}}\n`,
    ),
  )
  if (ends.length < count) ends = new Int32Array(count)
  at = 0
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < writes.length; i++) {
      put(names[i]!)
      writes[i]!(row)
    }
    put(tails[final[row] === 1 ? 1 : 0]!)
    ends[row] = at
  }
  return { bytes: bytes.subarray(0, at), ends: ends.subarray(0, count) }
}

function writerOf(batch: ResultBatch, column: ResultColumn): Write {
  const { output } = batch.plan
  const slow: Write = (row) => put(encoder.encode(valueJson(column, row, output)))
  if (column.kind === 'text') return textWriter(column, slow)
  const { type, values, high } = column
  if (high !== null) return slow
  switch (type.kind) {
    case 'int64':
      return (row) => putDecimal(values[row]!, 0) || slow(row)
    case 'money':
    case 'decimal': {
      const { scale } = type
      return (row) => putDecimal(values[row]!, scale) || slow(row)
    }
    case 'timestamp':
      if (output.times === 'iso-seconds') return (row) => putInstant(values[row]!, false) || slow(row)
      if (output.times === 'iso-milliseconds') return (row) => putInstant(values[row]!, true) || slow(row)
      if (output.times === 'epoch-milliseconds') return (row) => putDecimal(values[row]!, 0) || slow(row)
      return slow
    default:
      return slow
  }
}

function textWriter(column: ResultColumn & { readonly kind: 'text' }, slow: Write): Write {
  const slices = column.utf8 ?? null
  if (slices === null) return (row) => putText(column.values[row] ?? null)
  return (row) => {
    const start = slices.starts[row]!
    if (start >= 0) putSlice(slices, start, slices.lengths[row]!)
    else if (start === IN_VALUES) slow(row)
    else putText(null)
  }
}
function putText(text: string | null): void {
  const key = text === null ? '' : text
  let known = text === null ? NULL : knownTexts.get(key)
  if (known === undefined) {
    known = encoder.encode(JSON.stringify(text))
    if (knownTexts.size >= knownTextsMax) knownTexts.clear()
    knownTexts.set(key, known)
  }
  put(known)
}
const NULL = encoder.encode('null')

/** What a decoder left as a slice needs no escapes. */
function putSlice({ memory }: TextSlices, start: number, length: number): void {
  room(length + 2)
  bytes[at++] = 0x22
  if (length > 48) bytes.set(memory.subarray(start, start + length), at)
  else for (let i = 0; i < length; i++) bytes[at + i] = memory[start + i]!
  at += length
  bytes[at++] = 0x22
}
function put(given: Uint8Array): void {
  const { length } = given
  room(length)
  if (length > 48) bytes.set(given, at)
  else for (let i = 0; i < length; i++) bytes[at + i] = given[i]!
  at += length
}
function room(more: number): void {
  if (at + more <= bytes.length) return
  const grown = new Uint8Array(Math.max(bytes.length * 2, at + more))
  grown.set(bytes.subarray(0, at))
  bytes = grown
}

const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
/** False if it is not for here: null, large, or of another scale. */
function putDecimal(value: number, scale: number): boolean {
  const power = powers[scale]
  if (power === undefined || !(value < 2 ** 31 && value > -(2 ** 31))) return false
  room(24)
  let left = value
  if (left < 0) {
    bytes[at++] = 0x2d
    left = -left
  }
  const whole = scale === 0 ? left : Math.floor(left / power)
  putDigits(whole)
  let rest = left - whole * power
  if (rest === 0) return true
  bytes[at++] = 0x2e
  let unit = power / 10
  // As many as count.
  while (rest > 0) {
    const digit = Math.floor(rest / unit)
    bytes[at++] = 48 + digit
    rest -= digit * unit
    unit /= 10
  }
  return true
}
function putDigits(value: number): void {
  let digits = 1
  for (let limit = 10; value >= limit && digits < 10; limit *= 10) digits++
  let left = value | 0
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (left / 10) | 0
    bytes[i] = 48 + left - next * 10
    left = next
  }
  at += digits
}
function putInstant(ms: number, milliseconds: boolean): boolean {
  if (!Number.isFinite(ms)) return false
  const whole = Math.floor(ms / 1000)
  const slot = whole & (SECONDS - 1)
  if (seconds[slot] !== whole) {
    seconds[slot] = whole
    secondTexts[slot] = encoder.encode(`"${instantText(whole * 1000).slice(0, -1)}`)
  }
  put(secondTexts[slot]!)
  room(8)
  if (milliseconds) {
    const rest = ms - whole * 1000
    bytes[at] = 0x2e
    bytes[at + 1] = 48 + ((rest / 100) | 0)
    bytes[at + 2] = 48 + (((rest / 10) | 0) % 10)
    bytes[at + 3] = 48 + (rest % 10)
    at += 4
  }
  bytes[at++] = 0x5a
  bytes[at++] = 0x22
  return true
}
