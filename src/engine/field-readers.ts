// One reader per field of a contract: takes a parsed JSON value, checks type and rules, gives the number or text inside.
import type { Contract, Field, FieldType, Rule } from '../query/contract.ts'
import { unreachable } from '../std/assert.ts'
import { minorFromNumber, minorFromText } from '../std/decimal.ts'
import { parseDate, parseInstant } from '../std/instant.ts'
import type { RefusalReason } from './decoder.ts'

export interface Fault {
  readonly reason: RefusalReason
  readonly field: string
  readonly message: string
}
/** What is inside: a number (units of `NumberColumn`), text, true for a checked struct or array, null; or a fault. */
export type Inside = number | string | true | null | Fault

export interface FieldReader {
  readonly name: string
  readonly names: readonly string[]
  /** Fields of the object, or of the objects in the list. */
  readonly inner: readonly FieldReader[]
  /** Reads an element of a list of anything else. */
  readonly element: ((value: unknown) => Inside) | null
  /** `undefined` for a missing field. */
  read(value: unknown): Inside
}

export function isFault(inside: Inside): inside is Fault {
  return typeof inside === 'object' && inside !== null
}

export function fieldReaders(contract: Contract): readonly FieldReader[] {
  return Object.entries(contract.fields).map(([name, field]) => fieldReader(name, name, field))
}

function fieldReader(path: string, name: string, field: Field): FieldReader {
  const inside = typeReader(path, field.type)
  const rules = (field.rules ?? []).map((rule) => ruleCheck(path, rule, field.type))
  const ruled = (value: unknown): Inside => {
    const read = inside(value)
    if (isFault(read)) return read
    for (const rule of rules) {
      const broken = rule(read)
      if (broken !== null) return broken
    }
    return read
  }
  const missing: Fault = { reason: 'missing', field: path, message: `field '${path}' is missing` }
  const absent = field.default !== undefined ? ruled(field.default) : field.nullable ? null : missing
  return {
    name: path,
    names: [name, ...(field.aliases ?? [])],
    ...partsOf(path, field.type),
    read: (value) => (value === undefined || value === null ? absent : ruled(value)),
  }
}

function partsOf(path: string, type: FieldType): Pick<FieldReader, 'inner' | 'element'> {
  if (type.kind === 'struct')
    return {
      inner: Object.entries(type.fields).map(([name, field]) => fieldReader(`${path}.${name}`, name, field)),
      element: null,
    }
  if (type.kind !== 'array') return { inner: [], element: null }
  return { inner: partsOf(`${path}[]`, type.of).inner, element: typeReader(`${path}[]`, type.of) }
}

function typeReader(path: string, type: FieldType): (value: unknown) => Inside {
  const wrong = (value: unknown, expected: string): Fault => ({
    reason: 'wrong-type',
    field: path,
    message: `field '${path}': ${shown(value)} is not ${expected}`,
  })
  switch (type.kind) {
    case 'bool':
      return (value) => (typeof value === 'boolean' ? (value ? 1 : 0) : wrong(value, 'true or false'))
    case 'int64':
      return (value) => {
        if (typeof value !== 'number' || !Number.isInteger(value)) return wrong(value, 'a whole number')
        return Number.isSafeInteger(value) ? value + 0 : range(path, value)
      }
    case 'float64':
      return (value) => {
        if (typeof value !== 'number') return wrong(value, 'a number')
        return Number.isFinite(value) ? value + 0 : range(path, value)
      }
    case 'decimal':
    case 'money': {
      const { scale } = type
      return (value) => {
        if (typeof value !== 'number') return wrong(value, type.kind === 'money' ? 'an amount' : 'a number')
        if (!Number.isFinite(value)) return range(path, value)
        const minor = minorFromNumber(value, scale)
        if (typeof minor === 'number') return minor
        if (minor !== 'scale') return range(path, value)
        return {
          reason: 'scale',
          field: path,
          message: `field '${path}': ${shown(value)} has more than ${scale} decimals`,
        }
      }
    }
    case 'string':
    case 'bytes':
      return (value) => (typeof value === 'string' && value.isWellFormed() ? value : wrong(value, 'text'))
    case 'uuid':
      return (value) => (typeof value === 'string' && uuidForm.test(value) ? value : wrong(value, 'a UUID'))
    case 'timestamp':
      return (value) => {
        const ms = typeof value === 'string' ? parseInstant(value) : Number.NaN
        return Number.isNaN(ms) ? wrong(value, 'an ISO-8601 time such as 2026-01-31T12:00:00Z') : ms
      }
    case 'date':
      return (value) => {
        const days = typeof value === 'string' && value.length === 10 ? parseDate(value) : Number.NaN
        return Number.isNaN(days) ? wrong(value, 'a date such as 2026-01-31') : days
      }
    case 'struct': {
      const readers = Object.entries(type.fields).map(([name, field]) => fieldReader(`${path}.${name}`, name, field))
      return (value) => {
        if (!isObject(value)) return wrong(value, 'an object')
        for (const reader of readers) {
          const inside = reader.read(memberOf(value, reader.names))
          if (isFault(inside)) return inside
        }
        return true
      }
    }
    case 'array': {
      const element = typeReader(`${path}[]`, type.of)
      return (value) => {
        if (!Array.isArray(value)) return wrong(value, 'a list')
        for (const one of value) {
          const inside = element(one)
          if (isFault(inside)) return inside
        }
        return true
      }
    }
    default:
      return unreachable(type)
  }
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
/** The first of the names that is there and not null; functions are what Object.prototype answers, not data. */
export function memberOf(object: { readonly [name: string]: unknown }, names: readonly string[]): unknown {
  for (let i = 0; i < names.length; i++) {
    const value = object[names[i]!]
    if (value !== undefined && value !== null && typeof value !== 'function') return value
  }
  return undefined
}

function ruleCheck(path: string, rule: Rule, type: FieldType): (inside: Inside) => Fault | null {
  const broken = (inside: Inside, must: string): Fault => ({
    reason: 'rule',
    field: path,
    message: `field '${path}': ${shown(typeof inside === 'number' && 'scale' in type ? inside / 10 ** type.scale : inside)} must be ${must}`,
  })
  switch (rule.rule) {
    case 'above':
    case 'at-least': {
      const scale = type.kind === 'money' || type.kind === 'decimal' ? type.scale : 0
      const exact = type.kind === 'float64' ? rule.bound : minorFromText(String(rule.bound), scale)
      // A bound finer than the scale still cuts between two of its values.
      const bound = typeof exact === 'number' ? exact : rule.bound * 10 ** scale
      if (rule.rule === 'above')
        return (inside) =>
          typeof inside === 'number' && !(inside > bound) ? broken(inside, `above ${rule.bound}`) : null
      return (inside) =>
        typeof inside === 'number' && !(inside >= bound) ? broken(inside, `at least ${rule.bound}`) : null
    }
    case 'one-of': {
      const values = new Set(rule.values)
      return (inside) =>
        typeof inside === 'string' && !values.has(inside) ? broken(inside, `one of ${rule.values.join(', ')}`) : null
    }
    default:
      return unreachable(rule)
  }
}

function range(path: string, value: number): Fault {
  return { reason: 'range', field: path, message: `field '${path}': ${value} is beyond what is exact (2^53)` }
}
/** The value for a message: short, whatever it is. */
function shown(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'a list'
        : 'an object'
      : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
