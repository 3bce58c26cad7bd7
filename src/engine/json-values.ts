// A record of JSON: one object, strictly; not too deep, and none of the contract's fields twice.
import type { Contract } from '../query/contract.ts'
import { isObject } from './field-readers.ts'
import { memberNames, type Structure, structureOf } from './json-structure.ts'
import type { ReadRecord } from './record-values.ts'

/** Deeper nesting is refused: what reads records recursively must not run out of stack. */
export const DEPTH_MAX = 64

export function jsonValues({ fields }: Contract): ReadRecord {
  const knownNames = new Set(Object.entries(fields).flatMap(([name, { aliases = [] }]) => [name, ...aliases]))
  /** `ignoreBOM` keeps a byte order mark, which JSON.parse then refuses. */
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const structure: Structure = { depth: 0, members: 0 }
  return (bytes, start, end, refuse) => {
    structureOf(bytes, start, end, DEPTH_MAX, structure)
    if (structure.depth > DEPTH_MAX) return refuse('too-deep', `nested deeper than ${DEPTH_MAX} levels`)
    let text: string
    try {
      text = utf8.decode(bytes.subarray(start, end))
    } catch {
      return refuse('not-utf8', 'the bytes are not UTF-8')
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return refuse('not-json', `not JSON: ${error instanceof Error ? error.message.slice(0, 120) : ''}`)
    }
    if (!isObject(value)) return refuse('wrong-type', 'the record is not a JSON object')
    if (Object.keys(value).length !== structure.members) {
      const twice = knownTwice(text, knownNames)
      if (twice !== null) return refuse('duplicate-key', `field '${twice}' is there twice`, twice)
    }
    return value
  }
}

/** Doubles of names no contract knows do not matter. */
function knownTwice(text: string, knownNames: ReadonlySet<string>): string | null {
  const seen = new Set<string>()
  for (const name of memberNames(text)) {
    if (seen.has(name) && knownNames.has(name)) return name
    seen.add(name)
  }
  return null
}
