// Where each record lies in the body of a request: the value of a JSON document, the elements of its array, or lines.
// The bytes of a record are passed on as they came; whether they are good JSON is for the contract's check to say.

/** Some records in one piece of memory. Record i is bytes[starts[i] .. ends[i]). */
export interface RecordSlices {
  readonly bytes: Uint8Array
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
}
export type Division =
  | { readonly kind: 'records'; readonly records: RecordSlices; readonly alone: boolean }
  /** Not a JSON object, not an array: `detail` is a sentence. */
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'too-many' }

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

/** One object, or an array of records: each element exactly as it stands between its commas, without the space around. */
export function sliceDocument(bytes: Uint8Array, recordsMax: number): Division {
  let start = 0
  let end = bytes.length
  while (start < end && isSpace(bytes[start])) start++
  while (end > start && isSpace(bytes[end - 1])) end--
  const first = bytes[start]
  if (first === openBrace) return { kind: 'records', alone: true, records: slices(bytes, [start], [end]) }
  if (first !== openBracket) return malformed('The body is neither a JSON object nor an array of them.')
  if (bytes[end - 1] !== closeBracket || end - start < 2) return malformed('The array does not end.')

  const starts: number[] = []
  const ends: number[] = []
  const last = end - 1
  let at = start + 1
  while (at < last && isSpace(bytes[at])) at++
  if (at === last) return { kind: 'records', alone: false, records: slices(bytes, [], []) }
  for (;;) {
    if (starts.length >= recordsMax) return { kind: 'too-many' }
    const from = at
    at = elementEnd(bytes, at, last)
    if (at < 0) return malformed(`Element ${starts.length} of the array does not end.`)
    let to = at
    while (to > from && isSpace(bytes[to - 1])) to--
    if (to === from) return malformed(`Element ${starts.length} of the array is missing.`)
    starts.push(from)
    ends.push(to)
    if (at === last) return { kind: 'records', alone: false, records: slices(bytes, starts, ends) }
    at++
    while (at < last && isSpace(bytes[at])) at++
  }
}

/** Where the comma after the element stands, or `last`; -1 when its brackets or quotes do not close before that. */
function elementEnd(bytes: Uint8Array, from: number, last: number): number {
  let depth = 0
  for (let at = from; at < last; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      at++
      while (at < last && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
      if (at >= last) return -1
    } else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth < 0) return -1
    } else if (byte === comma && depth === 0) return at
  }
  return depth === 0 ? last : -1
}

/** One record a line (NDJSON). Blank lines are no records; a carriage return before the line's end is space. */
export function sliceLines(bytes: Uint8Array, recordsMax: number): Division {
  const starts: number[] = []
  const ends: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at)
    let to = newline < 0 ? bytes.length : newline
    let from = at
    at = to + 1
    while (from < to && isSpace(bytes[from])) from++
    while (to > from && isSpace(bytes[to - 1])) to--
    if (from === to) continue
    if (starts.length >= recordsMax) return { kind: 'too-many' }
    starts.push(from)
    ends.push(to)
  }
  return { kind: 'records', alone: false, records: slices(bytes, starts, ends) }
}

/** Records that were made here, one after the other in memory of their own. */
export function slicesOf(records: readonly string[]): RecordSlices {
  const starts: number[] = []
  const ends: number[] = []
  let length = 0
  const parts = records.map((text) => {
    const part = new TextEncoder().encode(text)
    starts.push(length)
    length += part.length
    ends.push(length)
    return part
  })
  const bytes = new Uint8Array(length)
  for (const [i, part] of parts.entries()) bytes.set(part, starts[i])
  return slices(bytes, starts, ends)
}

function slices(bytes: Uint8Array, starts: readonly number[], ends: readonly number[]): RecordSlices {
  return { bytes, count: starts.length, starts: Int32Array.from(starts), ends: Int32Array.from(ends) }
}
function malformed(detail: string): Division {
  return { kind: 'malformed', detail }
}
