// What all records of one producer have in common: the bytes around their values, and the names of their fields.

export interface RecordShape {
  /** For each field in the order written: its name, and the bytes [from, to) between the value before and its own. */
  readonly fields: readonly { readonly name: string; readonly from: number; readonly to: number }[]
  /** Where the last value ends. */
  readonly tailFrom: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const SPACE = 0x20

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The shape of a record that JSON and the contract accept (so no name that counts is there twice); null where a value is
 * nested or a name escaped.
 */
export function shapeOf(bytes: Uint8Array, start: number, end: number): RecordShape | null {
  const fields: { name: string; from: number; to: number }[] = []
  let from = start
  let at = afterSpace(bytes, start, end)
  if (bytes[at] !== OPEN) return null
  at = afterSpace(bytes, at + 1, end)
  if (bytes[at] === CLOSE) return { fields, tailFrom: start }
  for (;;) {
    const nameEnd = textEnd(bytes, at, end)
    if (nameEnd === -1) return null
    const name = utf8.decode(bytes.subarray(at + 1, nameEnd))
    // Behind the name come the colon and perhaps space.
    at = afterSpace(bytes, afterSpace(bytes, nameEnd + 1, end) + 1, end)
    fields.push({ name, from, to: at })
    const valueEnd = scalarEnd(bytes, at, end)
    if (valueEnd === -1) return null
    from = valueEnd
    at = afterSpace(bytes, valueEnd, end)
    if (bytes[at] === CLOSE) return { fields, tailFrom: from }
    if (bytes[at] !== COMMA) return null
    at = afterSpace(bytes, at + 1, end)
  }
}

function afterSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at]! <= SPACE) at++
  return at
}
/** Position of the closing quote; -1 if there is an escape before it. */
function textEnd(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== QUOTE) return -1
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === QUOTE) return at
    if (bytes[at] === BACKSLASH) return -1
  }
  return -1
}
/** Behind a text (escapes and all), a number, true, false or null; -1 for what is nested. */
function scalarEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const first = bytes[at]!
  if (first === OPEN || first === 0x5b) return -1
  if (first !== QUOTE) {
    while (at < end && bytes[at]! > SPACE && bytes[at] !== COMMA && bytes[at] !== CLOSE) at++
    return at
  }
  for (at++; at < end; at++) {
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] === BACKSLASH) at++
  }
  return -1
}
