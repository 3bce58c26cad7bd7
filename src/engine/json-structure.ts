// What JSON.parse does not tell: how deep a text nests, and how many members its outermost object is written with.

export interface Structure {
  depth: number
  /** Members of the outermost object, doubles included. */
  members: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** One pass over the bytes; meaningful for valid JSON only. Stops at `depthMax` + 1. */
export function structureOf(bytes: Uint8Array, start: number, end: number, depthMax: number, into: Structure): void {
  let depth = 0
  let deepest = 0
  let members = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      for (i++; i < end && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++
    } else if (byte === COLON) {
      if (depth === 1) members++
    } else if ((byte | 0x20) === 0x7b) {
      // { or [
      depth++
      if (depth > deepest) {
        deepest = depth
        if (depth > depthMax) break
      }
    } else if ((byte | 0x20) === 0x7d) depth--
  }
  into.depth = deepest
  into.members = members
}

/** Names of the outermost object's members in the order written, doubles included. For valid JSON; slow. */
export function memberNames(text: string): string[] {
  const names: string[] = []
  let depth = 0
  let last = ''
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)
  for (const [token] of tokens) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':') {
      if (depth === 1) names.push(String(JSON.parse(last)))
    } else last = token
  }
  return names
}
