// A contract's fields as the kernel reads them: what each value must be and where it goes. Made once per decoder.
import type { Contract, Field, FieldType } from '../../query/contract.ts'
import { assert, unreachable } from '../../std/assert.ts'
import { minorFromText } from '../../std/decimal.ts'
import type { Projection } from '../decoder.ts'
import { fieldReaders, type Inside, isFault } from '../field-readers.ts'
import { pseudoName } from '../pseudo-columns.ts'
import type { KernelMemory } from './kernel-memory.ts'
import {
  ABSENT_FAULT,
  ABSENT_NULL,
  ABSENT_NUMBER,
  ABSENT_TEXT,
  CHECK_BOUNDS,
  CHECK_EVENT_TIME,
  COLUMNS_MAX,
  D_INDEX,
  D_MASK,
  D_NUMBER,
  DICTIONARIES,
  DICTIONARIES_MAX,
  DICTIONARY_BYTES,
  ENTRY_HEAD_BYTES,
  F_ABOVE,
  F_ABSENT,
  F_AT_LEAST,
  F_CHECKS,
  F_COLUMN,
  F_CONSTANT,
  F_CONSTANT_LENGTH,
  F_CONSTANT_TEXT,
  F_DICTIONARY,
  F_KIND,
  F_LITERAL,
  F_LITERAL_BYTES,
  F_LITERAL_LENGTH,
  F_LITERAL_MASK,
  F_ONE_OF,
  F_OUTPUT,
  F_SCALE,
  F_TEXTS,
  FIELD_BYTES,
  FIELDS_MAX,
  I_COLUMN,
  I_DICTIONARY,
  I_ONE_OF,
  I_TEXTS,
  ID_COLUMN_BYTES,
  ID_COLUMNS,
  ID_COUNT,
  KIND_ANY,
  KIND_BOOL,
  KIND_DATE,
  KIND_DECIMAL,
  KIND_FLOAT,
  KIND_ID,
  KIND_INT,
  KIND_NESTED,
  KIND_PASSED_OVER,
  KIND_TEXT,
  KIND_TIMESTAMP,
  KIND_UUID,
  OUTPUT_ID,
  OUTPUT_NONE,
  OUTPUT_NUMBER,
  OUTPUT_TEXT,
  TEXTS,
  TEXTS_BYTES,
} from './layout.ts'

/** One field of the contract, or one the contract does not know. */
export interface KernelField {
  readonly kind: number
  readonly output: number
  readonly column: number
  readonly absent: Inside
  /** Address of a default text, else 0. */
  readonly constantText: number
  readonly constantLength: number
  readonly oneOf: number
  readonly scale: number
  readonly dictionary: number
  readonly isEventTime: boolean
  readonly above: number
  readonly atLeast: number
}
export interface FieldTable {
  /** By every name a field may come under. */
  readonly byName: ReadonlyMap<string, KernelField>
  readonly fields: readonly KernelField[]
}

/** A field that no contract knows: any value that is not nested. */
export const unknownField: KernelField = {
  kind: KIND_ANY,
  output: OUTPUT_NONE,
  column: 0,
  absent: null,
  constantText: 0,
  constantLength: 0,
  oneOf: 0,
  scale: 0,
  dictionary: 0,
  isEventTime: false,
  above: Number.NEGATIVE_INFINITY,
  atLeast: Number.NEGATIVE_INFINITY,
}

/** Can the kernel take this contract? The odd ones stay with JSON. */
export function kernelTakes(contract: Contract, projections: readonly Projection[]): boolean {
  const readers = fieldReaders(contract)
  const names = readers.flatMap((reader) => reader.names)
  const ids = projections.filter(({ as }) => as === 'id').length
  return (
    (contract.format ?? 'json') === 'json' &&
    readers.length <= FIELDS_MAX &&
    projections.length * 2 <= COLUMNS_MAX &&
    ids + readers.length <= DICTIONARIES_MAX &&
    new Set(names).size === names.length &&
    // What Object.prototype answers under these names takes the JSON path by its own rules.
    names.every((name) => !(name in Object.prototype)) &&
    // Slices of memory are written out as they are: a default must need no escapes for that.
    readers.every((reader) => {
      const absent = reader.read(undefined)
      return typeof absent !== 'string' || JSON.stringify(absent).length === absent.length + 2
    }) &&
    projections.every(({ name, as }) => {
      if (as === 'list') return false
      if (pseudoName(contract, name) !== null) return as === 'number'
      const type = contract.fields[name]?.type
      return type !== undefined && (isNested(type) || isText(type) === (as !== 'number'))
    })
  )
}

/** Null when the contract's texts do not fit the kernel's memory. */
export function fieldTable(
  memory: KernelMemory,
  contract: Contract,
  projections: readonly Projection[],
): FieldTable | null {
  const idColumns = projections.filter(({ as }) => as === 'id').map(({ name }) => name)
  let heads = idColumns.length
  const fields: KernelField[] = []
  const byName = new Map<string, KernelField>()
  for (const reader of fieldReaders(contract)) {
    const field = contract.fields[reader.name]
    assert(field !== undefined, `field ${reader.name} is in the contract`)
    const { type, rules = [] } = field
    const column = projections.findIndex(({ name }) => name === reader.name)
    const absent = reader.read(undefined)
    const text = typeof absent === 'string' ? constantText(memory, absent) : { address: 0, length: 0 }
    const allowed = rules.flatMap((rule) => (rule.rule === 'one-of' && isText(type) ? [rule.values] : []))
    let oneOf = 0
    if (allowed.length > 0) {
      oneOf = DICTIONARIES + heads++ * DICTIONARY_BYTES
      const values = allowed.reduce((left, right) => left.filter((value) => right.includes(value)))
      if (!writeOneOf(memory, oneOf, values)) return null
    }
    if (text === null) return null
    const kernelField: KernelField = {
      kind: kindOf(type, outputOf(projections[column]), oneOf),
      output: outputOf(projections[column]),
      column: Math.max(0, column) * 2,
      absent,
      constantText: text.address,
      constantLength: text.length,
      oneOf,
      scale: 'scale' in type ? type.scale : 0,
      dictionary: DICTIONARIES + Math.max(0, idColumns.indexOf(reader.name)) * DICTIONARY_BYTES,
      isEventTime: reader.name === contract.eventTime,
      ...boundsOf(field),
    }
    fields.push(kernelField)
    for (const name of reader.names) byName.set(name, kernelField)
  }
  idColumns.forEach((_, number) => {
    memory.view.setUint32(DICTIONARIES + number * DICTIONARY_BYTES + D_NUMBER, number, true)
  })
  memory.functions.forgetAll(idColumns.length)
  const ids = fields.filter(({ output }) => output === OUTPUT_ID)
  memory.view.setUint32(ID_COUNT, ids.length, true)
  ids.forEach((field, i) => {
    const at = ID_COLUMNS + i * ID_COLUMN_BYTES
    memory.view.setUint32(at + I_DICTIONARY, field.dictionary, true)
    memory.view.setUint32(at + I_COLUMN, field.column, true)
    memory.view.setUint32(at + I_ONE_OF, field.oneOf, true)
    memory.view.setUint32(at + I_TEXTS, textsOf(field), true)
  })
  return { byName, fields }
}

const textsOf = ({ dictionary }: KernelField): number =>
  TEXTS + Math.max(0, (dictionary - DICTIONARIES) / DICTIONARY_BYTES) * TEXTS_BYTES

function constantText(memory: KernelMemory, text: string): { address: number; length: number } | null {
  const bytes = new TextEncoder().encode(text)
  const address = memory.constant(bytes.length)
  if (address === null) return null
  memory.bytes.set(bytes, address)
  return { address, length: bytes.length }
}
/** A table that is never forgotten; false if it does not fit. */
function writeOneOf(memory: KernelMemory, head: number, values: readonly string[]): boolean {
  let words = 16
  while (words < values.length * 4) words *= 2
  const index = memory.constant(words * 4)
  if (index === null) return false
  memory.view.setUint32(head + D_INDEX, index, true)
  memory.view.setUint32(head + D_MASK, words - 1, true)
  return [...new Set(values)].every((value, i) => {
    // Text that has no UTF-8 form equals no text of a record.
    if (!value.isWellFormed()) return true
    const text = constantText(memory, value)
    if (text === null) return false
    const entry = memory.constant(ENTRY_HEAD_BYTES + text.length)
    if (entry === null) return false
    const hash = memory.functions.hashOf(text.address, text.length)
    return memory.functions.put(head, entry, text.address, text.length, hash, i) !== 0
  })
}

export function writeField(view: DataView, at: number, field: KernelField, literal: number, length: number): void {
  const { absent } = field
  const word = (offset: number, value: number): void => view.setUint32(at + offset, value, true)
  const float = (offset: number, value: number): void => view.setFloat64(at + offset, value, true)
  for (let i = 0; i < FIELD_BYTES; i += 4) word(i, 0)
  word(F_LITERAL, literal)
  word(F_LITERAL_LENGTH, length)
  word(F_KIND, field.kind)
  word(F_OUTPUT, field.output)
  word(F_COLUMN, field.column)
  word(F_ABSENT, absentKind(absent))
  word(F_ONE_OF, field.oneOf)
  word(F_SCALE, field.scale)
  word(F_DICTIONARY, field.dictionary)
  word(F_TEXTS, textsOf(field))
  const isBounded = Number.isFinite(field.above) || Number.isFinite(field.atLeast)
  word(F_CHECKS, (isBounded ? CHECK_BOUNDS : 0) | (field.isEventTime ? CHECK_EVENT_TIME : 0))
  word(F_CONSTANT_TEXT, field.constantText)
  word(F_CONSTANT_LENGTH, field.constantLength)
  float(F_CONSTANT, typeof absent === 'number' ? absent : 0)
  float(F_ABOVE, field.above)
  float(F_AT_LEAST, field.atLeast)
  for (let i = 0; i < Math.min(length, 16); i++) {
    view.setUint8(at + F_LITERAL_BYTES + i, view.getUint8(literal + i))
    view.setUint8(at + F_LITERAL_MASK + i, 0xff)
  }
}

function absentKind(absent: Inside): number {
  if (absent === null) return ABSENT_NULL
  if (typeof absent === 'number') return ABSENT_NUMBER
  if (typeof absent === 'string') return ABSENT_TEXT
  assert(absent === true || isFault(absent), 'what is absent is a value or a fault')
  return ABSENT_FAULT
}

/** The largest of the bounds of each kind; they mean what the JSON decoder's rules mean. */
function boundsOf(field: Field): { above: number; atLeast: number } {
  const { type } = field
  const scale = 'scale' in type ? type.scale : 0
  let above = Number.NEGATIVE_INFINITY
  let atLeast = Number.NEGATIVE_INFINITY
  for (const rule of field.rules ?? []) {
    if (rule.rule === 'one-of') continue
    const exact = type.kind === 'float64' ? rule.bound : minorFromText(String(rule.bound), scale)
    const bound = typeof exact === 'number' ? exact : rule.bound * 10 ** scale
    if (rule.rule === 'above') above = Math.max(above, bound)
    else atLeast = Math.max(atLeast, bound)
  }
  return { above, atLeast }
}

function outputOf(projection: Projection | undefined): number {
  if (projection === undefined) return OUTPUT_NONE
  return projection.as === 'number' ? OUTPUT_NUMBER : projection.as === 'id' ? OUTPUT_ID : OUTPUT_TEXT
}
const isNested = (type: FieldType): boolean => type.kind === 'struct' || type.kind === 'array'
const isText = (type: FieldType): boolean => type.kind === 'string' || type.kind === 'bytes' || type.kind === 'uuid'

function kindOf(type: FieldType, output: number, oneOf: number): number {
  switch (type.kind) {
    case 'bool':
      return KIND_BOOL
    case 'int64':
      return KIND_INT
    case 'float64':
      return KIND_FLOAT
    case 'decimal':
    case 'money':
      return KIND_DECIMAL
    case 'string':
    case 'bytes':
      if (output === OUTPUT_ID) return KIND_ID
      return output === OUTPUT_NONE && oneOf === 0 ? KIND_PASSED_OVER : KIND_TEXT
    case 'uuid':
      return KIND_UUID
    case 'timestamp':
      return KIND_TIMESTAMP
    case 'date':
      return KIND_DATE
    case 'struct':
    case 'array':
      return KIND_NESTED
    default:
      return unreachable(type)
  }
}
