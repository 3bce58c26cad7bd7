// Compiles a message declaration, once per version on first use, into closures that read and write it. No eval.
import { assert, unreachable } from '../std/assert.ts'
import { type ByteReader, memory, zeroUuid } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import {
  type Decoded,
  type Encodable,
  type Field,
  type Fields,
  inVersions,
  type MessageDeclaration,
  type ScalarName,
  versionRange,
} from './message.ts'
import { WireError } from './wire-error.ts'

export interface MessageCodec<F extends Fields> {
  readonly name: string
  readonly versions: { readonly min: number; readonly max: number }
  isFlexible(version: number): boolean
  /** Throws a WireError INVALID_REQUEST for bytes that are not this message. The version must be in range. */
  read(reader: ByteReader, version: number): Decoded<F>
  write(writer: ByteWriter, version: number, value: Encodable<F>): void
}

type Read = (reader: ByteReader) => unknown
type Write = (writer: ByteWriter, value: unknown) => void
interface Compiled {
  /** Of the shortest value. */
  readonly bytesMin: number
  readonly read: Read
  readonly write: Write
}
type Values = Record<string, unknown>

export function messageCodec<F extends Fields>(declaration: MessageDeclaration<F>): MessageCodec<F> {
  const { min, max } = versionRange(declaration.versions)
  const flexible = declaration.flexible === 'none' ? null : versionRange(declaration.flexible)
  const isFlexible = (version: number): boolean =>
    flexible !== null && version >= flexible.min && version <= flexible.max
  const compiled: (Compiled | undefined)[] = []
  const at = (version: number): Compiled => {
    const known = compiled[version]
    if (known !== undefined) return known
    assert(version >= min && version <= max, `${declaration.name} has no version ${version}`)
    const made = struct(declaration.fields, version, isFlexible(version), declaration.name)
    compiled[version] = made
    return made
  }
  return {
    name: declaration.name,
    versions: { min, max },
    isFlexible,
    read: (reader, version) => at(version).read(reader) as Decoded<F>,
    write: (writer, version, value) => at(version).write(writer, value),
  }
}

function struct(fields: Fields, version: number, flexible: boolean, path: string): Compiled {
  // All fields in the declaration's order, so that every value of a version has the same shape.
  const names: string[] = []
  const reads: (Read | null)[] = []
  // A flexible one counts its tags.
  let bytesMin = flexible ? 1 : 0
  const absent: unknown[] = []
  const writes: { readonly name: string; readonly write: Write; readonly default: unknown }[] = []
  const tagged = new Map<number, { readonly name: string; readonly codec: Compiled; readonly default: unknown }>()
  for (const [name, field] of Object.entries(fields)) {
    const missing = defaultOf(field)
    const present = inVersions(field.versions, version) && (field.tag === undefined || flexible)
    names.push(name)
    absent.push(missing)
    if (!present) {
      reads.push(null)
      continue
    }
    const codec = fieldCodec(field, version, flexible, `${path}.${name}`)
    if (field.tag !== undefined) {
      reads.push(null)
      tagged.set(field.tag, { name, codec, default: missing })
    } else {
      bytesMin += codec.bytesMin
      reads.push(codec.read)
      writes.push({ name, write: codec.write, default: missing })
    }
  }
  const blank = template(names, absent)
  const present = names.flatMap((name, i) => (reads[i] === null ? [] : [{ name, read: reads[i]! }]))
  const objectBytes = memory.object + memory.slot * names.length
  return {
    bytesMin,
    read(reader) {
      reader.hold(objectBytes)
      const value: Values = { ...blank }
      for (let i = 0; i < present.length; i++) {
        const { name, read } = present[i]!
        value[name] = read(reader)
      }
      if (flexible) {
        for (let left = reader.uvarint(); left > 0; left--) {
          const tag = reader.uvarint()
          const size = reader.uvarint()
          const known = tagged.get(tag)
          if (known === undefined) reader.skip(size)
          else {
            const end = reader.at + size
            value[known.name] = known.codec.read(reader)
            if (reader.at !== end) {
              throw new WireError('INVALID_REQUEST', `${path}: tag ${tag} says ${size} bytes and does not fill them`)
            }
          }
        }
      }
      return value
    },
    write(writer, value) {
      const values = value as Values
      for (const { name, write, default: missing } of writes) {
        const given = values[name]
        write(writer, given === undefined ? missing : given)
      }
      if (flexible) writeTagged(writer, values, tagged)
    },
  }
}

/**
 * An object with these fields, to be copied. What is parsed has room for its fields and no more, and so has each copy; one
 * to which they are added one by one takes half as much again, and three times as long.
 */
function template(names: readonly string[], values: readonly unknown[]): Values {
  const blank: Values = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, 0]))))
  for (const [i, name] of names.entries()) blank[name] = values[i]
  return blank
}

function writeTagged(
  writer: ByteWriter,
  values: Values,
  tagged: ReadonlyMap<number, { readonly name: string; readonly codec: Compiled; readonly default: unknown }>,
): void {
  const present: { readonly tag: number; readonly chunks: Uint8Array[]; readonly sizeBytes: number }[] = []
  for (const [tag, { name, codec, default: missing }] of tagged) {
    const value = values[name]
    if (value === undefined || value === missing || (Array.isArray(value) && value.length === 0)) continue
    const inner = new ByteWriter()
    codec.write(inner, value)
    present.push({ tag, sizeBytes: inner.sizeBytes, chunks: inner.finish() })
  }
  writer.uvarint(present.length)
  // Kafka's rule: ascending by tag.
  for (const { tag, chunks, sizeBytes } of present.sort((a, b) => a.tag - b.tag)) {
    writer.uvarint(tag)
    writer.uvarint(sizeBytes)
    for (const chunk of chunks) writer.raw(chunk)
  }
}

const noBytes = new Uint8Array(0)
function defaultOf(field: Field): unknown {
  if (field.type === 'struct') return null
  if (field.default !== undefined) return field.default
  if (field.type === 'array') return []
  return zeroOf(field.type)
}
function zeroOf(type: ScalarName): unknown {
  switch (type) {
    case 'bool':
      return false
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'int64':
    case 'float64':
      return 0
    case 'id64':
      return 0n
    case 'uuid':
      return zeroUuid
    case 'string':
      return ''
    case 'bytes':
      return noBytes
    case 'records':
      return null
    default:
      return unreachable(type)
  }
}

function fieldCodec(field: Field, version: number, flexible: boolean, path: string): Compiled {
  const nullable = inVersions(field.nullable, version)
  if (field.type === 'struct') {
    const whole = struct(field.fields, version, flexible, path)
    return nullable && field.tag === undefined ? orNull(whole) : whole
  }
  if (field.type === 'array') {
    const element =
      typeof field.of === 'string' ? scalar(field.of, false, flexible, path) : struct(field.of, version, flexible, path)
    return array(element, nullable, flexible, path)
  }
  return scalar(field.type, nullable, flexible, path)
}

/** A struct that may be null: a byte before it, -1 for null, else 1 (any other than -1 is read as there). */
function orNull(whole: Compiled): Compiled {
  return {
    bytesMin: 1,
    read: (reader) => (reader.int8() < 0 ? null : whole.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) whole.write(writer, value)
    },
  }
}

function array(element: Compiled, nullable: boolean, flexible: boolean, path: string): Compiled {
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const count = reader.count(flexible, element.bytesMin)
      if (count < 0) return nullable ? null : refuseNull(path)
      // Not pushed one by one, for that takes room for half as many more.
      const values: unknown[] = new Array(count)
      for (let i = 0; i < count; i++) values[i] = element.read(reader)
      return values
    },
    write(writer, value) {
      const values = value as readonly unknown[] | null
      assert(values !== null || nullable, `${path} may not be null in this version`)
      writer.count(values?.length ?? -1, flexible)
      for (const one of values ?? []) element.write(writer, one)
    },
  }
}

function scalar(type: ScalarName, nullable: boolean, flexible: boolean, path: string): Compiled {
  switch (type) {
    case 'bool':
      return { bytesMin: 1, read: (r) => r.bool(), write: (w, v) => w.bool(v as boolean) }
    case 'int8':
      return { bytesMin: 1, read: (r) => r.int8(), write: (w, v) => w.int8(v as number) }
    case 'int16':
      return { bytesMin: 2, read: (r) => r.int16(), write: (w, v) => w.int16(v as number) }
    case 'uint16':
      return { bytesMin: 2, read: (r) => r.int16() & 0xffff, write: (w, v) => w.int16(v as number) }
    case 'int32':
      return { bytesMin: 4, read: (r) => r.int32(), write: (w, v) => w.int32(v as number) }
    case 'int64':
      return { bytesMin: 8, read: (r) => r.int64(), write: (w, v) => w.int64(v as number) }
    case 'float64':
      return { bytesMin: 8, read: (r) => r.float64(), write: (w, v) => w.float64(v as number) }
    case 'id64':
      return { bytesMin: 8, read: (r) => r.id64(), write: (w, v) => w.id64(v as bigint) }
    case 'uuid':
      return { bytesMin: 16, read: (r) => r.uuid(), write: (w, v) => w.uuid(v as Uint8Array) }
    case 'string':
      return {
        bytesMin: flexible ? 1 : 2,
        read: (r) => r.string(flexible) ?? (nullable ? null : refuseNull(path)),
        write(w, v) {
          assert(v !== null || nullable, `${path} may not be null in this version`)
          w.string(v as string | null, flexible)
        },
      }
    case 'bytes':
    case 'records':
      return {
        bytesMin: flexible ? 1 : 4,
        read: (r) => r.blob(flexible) ?? (nullable ? null : refuseNull(path)),
        write(w, v) {
          assert(v !== null || nullable, `${path} may not be null in this version`)
          w.blob(v as Uint8Array | readonly Uint8Array[] | null, flexible)
        },
      }
    default:
      return unreachable(type)
  }
}

function refuseNull(path: string): never {
  throw new WireError('INVALID_REQUEST', `${path} is null`)
}
