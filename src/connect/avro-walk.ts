// Walks through a record of Avro by its schema without making anything of it: are its bytes exactly one record? Every count is held
// to the bytes that are left, so that whatever reads the record afterwards makes no more than it has bytes.
import avro from 'avsc'

/** Records within records; deeper is refused. */
const depthMax = 64
const bad = -1

export function fillsRecord(type: avro.Type, bytes: Uint8Array): boolean {
  return new Walk(bytes).skip(type, 0, 0) === bytes.length
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}

class Walk {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #next = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  /** Zigzag; NaN: it is not whole, or larger than any count may be. Where it ends is `#next`. */
  #long(at: number): number {
    let value = 0
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[at + i]
      if (byte === undefined) return Number.NaN
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) {
        this.#next = at + i + 1
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
    }
    return Number.NaN
  }
  #sized(at: number): number {
    const size = this.#long(at)
    return size >= 0 && size <= this.#bytes.length - this.#next ? this.#next + size : bad
  }

  /** Where the value ends; `bad`: it does not. */
  skip(type: avro.Type, at: number, depth: number): number {
    if (at < 0 || at > this.#bytes.length || depth > depthMax) return bad
    const left = this.#bytes.length - at
    if (type instanceof avro.types.RecordType) {
      let end = at
      for (const field of type.fields) {
        end = this.skip(field.type, end, depth + 1)
        if (end === bad) return bad
      }
      return end
    }
    if (type instanceof avro.types.ArrayType)
      return this.#blocks(at, depth, (from) => this.skip(type.itemsType, from, depth + 1))
    if (type instanceof avro.types.MapType) {
      return this.#blocks(at, depth, (from) => {
        const key = this.#sized(from)
        return key === bad ? bad : this.skip(type.valuesType, key, depth + 1)
      })
    }
    if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType) {
      const branch = type.types[this.#long(at)]
      return branch === undefined ? bad : this.skip(branch, this.#next, depth + 1)
    }
    if (type instanceof avro.types.FixedType) return type.size <= left ? at + type.size : bad
    if (type instanceof avro.types.LogicalType) return this.skip(type.underlyingType, at, depth + 1)
    switch (type.typeName) {
      case 'null':
        return at
      case 'boolean':
        return left >= 1 && this.#bytes[at]! <= 1 ? at + 1 : bad
      case 'float':
        return left >= 4 ? at + 4 : bad
      case 'double':
        return left >= 8 && Number.isFinite(this.#view.getFloat64(at, true)) ? at + 8 : bad
      case 'bytes':
        return this.#sized(at)
      case 'string': {
        const end = this.#sized(at)
        return end !== bad && isUtf8(this.#bytes.subarray(this.#next, end)) ? end : bad
      }
      case 'enum':
      case 'int':
      case 'long':
        return Number.isNaN(this.#long(at)) ? bad : this.#next
      default:
        return bad
    }
  }
  /** Of an array or a map. What takes no bytes could be any number of times there: refused. */
  #blocks(from: number, depth: number, skipOne: (at: number) => number): number {
    let at = from
    for (;;) {
      let count = this.#long(at)
      if (Number.isNaN(count)) return bad
      at = this.#next
      if (count === 0) return at
      if (count < 0) {
        count = -count
        if (Number.isNaN(this.#long(at))) return bad
        at = this.#next
      }
      if (count > this.#bytes.length - at || depth > depthMax) return bad
      for (; count > 0; count--) {
        const end = skipOne(at)
        if (end === bad || end === at) return bad
        at = end
      }
    }
  }
}
