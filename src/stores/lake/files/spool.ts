// Records on their way into the lake, as lines that DuckDB reads: their bytes as they came, nothing is parsed here.
//
//   <name>.tsv      partition TAB offset TAB arrival ms TAB key TAB value LF      (\N: null)
//   <name>.odd.tsv  partition TAB offset TAB arrival ms TAB key TAB is text TAB value TAB is text TAB headers LF
//                   key, value and headers (JSON) in hex: of records with headers, control characters or no UTF-8
import { isUtf8 } from 'node:buffer'
import type { File, World } from '../../../world/world.ts'
import { writeAll } from './durable-files.ts'

export interface SpoolRecord {
  readonly partition: number
  readonly offset: number
  readonly arrivalMs: number
  /** Key and value lie in here; start -1: null. */
  readonly bytes: Uint8Array
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** `[["name","text"],["name",{"base64":"…"}]…]`, or null. */
  readonly headers: string | null
}
export interface Spool {
  readonly path: string
  readonly oddPath: string
  readonly records: number
  readonly oddRecords: number
  /** Of values, about. */
  readonly sizeBytes: number
}

const chunkBytes = 1 << 20
const TAB = 9
const LF = 10
const FIRST_PRINTABLE = 32
const BACKSLASH = 92
const UPPER_N = 78
const encoder = new TextEncoder()

export class SpoolWriter {
  readonly #path: string
  readonly #oddPath: string
  readonly #file: File
  readonly #odd: File
  #chunk = new Uint8Array(chunkBytes)
  #at = 0
  #written = 0
  #oddWritten = 0
  #oddLines = ''
  /** Of the records in the chunk: where their lines begin, and what they are. */
  #starts: number[] = []
  #records: SpoolRecord[] = []
  #count = 0
  #oddCount = 0
  #sizeBytes = 0

  constructor(world: World, path: string) {
    this.#path = `${path}.tsv`
    this.#oddPath = `${path}.odd.tsv`
    for (const each of [this.#path, this.#oddPath]) if (world.fs.stat(each) !== null) world.fs.unlink(each)
    this.#file = world.fs.open(this.#path, 'create')
    this.#odd = world.fs.open(this.#oddPath, 'create')
  }

  get records(): number {
    return this.#count
  }
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The bytes must not change before `flush`, or until a megabyte more has come. */
  add(record: SpoolRecord): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record
    const wanted = keyEnd - keyStart + (valueEnd - valueStart) + 64
    this.#count++
    this.#sizeBytes += wanted
    if (record.headers !== null) {
      this.#addOdd(record)
      return
    }
    if (this.#at + wanted > this.#chunk.length) {
      this.flush()
      if (wanted > this.#chunk.length) this.#chunk = new Uint8Array(wanted * 2)
    }
    const start = this.#at
    this.#number(record.partition, TAB)
    this.#number(record.offset, TAB)
    this.#number(record.arrivalMs, TAB)
    if (this.#text(bytes, keyStart, keyEnd, TAB) && this.#text(bytes, valueStart, valueEnd, LF)) {
      this.#starts.push(start)
      this.#records.push(record)
    } else {
      this.#at = start
      this.#addOdd(record)
    }
  }

  #number(value: number, end: number): void {
    const chunk = this.#chunk
    if (value === 0) chunk[this.#at++] = 48
    else if (value < 0) {
      const { written } = encoder.encodeInto(String(value), chunk.subarray(this.#at))
      this.#at += written
    } else {
      let digits = 0
      for (let rest = value; rest >= 1; rest = Math.floor(rest / 10)) digits++
      let at = this.#at + digits
      this.#at = at
      for (let rest = value; rest >= 1; rest = Math.floor(rest / 10)) chunk[--at] = 48 + (rest % 10)
    }
    chunk[this.#at++] = end
  }
  /** False for what a line cannot hold. */
  #text(bytes: Uint8Array, start: number, end: number, lineEnd: number): boolean {
    const chunk = this.#chunk
    let at = this.#at
    if (start < 0) {
      chunk[at++] = BACKSLASH
      chunk[at++] = UPPER_N
    } else {
      if (end - start === 2 && bytes[start] === BACKSLASH && bytes[start + 1] === UPPER_N) return false
      for (let i = start; i < end; i++) {
        const byte = bytes[i]!
        if (byte < FIRST_PRINTABLE) return false
        chunk[at++] = byte
      }
    }
    chunk[at++] = lineEnd
    this.#at = at
    return true
  }

  #addOdd({ partition, offset, arrivalMs, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }: SpoolRecord): void {
    this.#oddCount++
    const field = (start: number, end: number): string => {
      if (start < 0) return '\\N\ttrue'
      const piece = Buffer.from(bytes.subarray(start, end))
      return `${piece.toString('hex')}\t${isUtf8(piece)}`
    }
    const head = headers === null ? '\\N' : Buffer.from(headers).toString('hex')
    const line = `${partition}\t${offset}\t${arrivalMs}\t${field(keyStart, keyEnd)}\t${field(valueStart, valueEnd)}\t${head}\n`
    this.#oddLines += line
    if (this.#oddLines.length > chunkBytes) this.#flushOdd()
  }

  /** After this the bytes of all records so far may change. */
  flush(): void {
    if (isUtf8(this.#chunk.subarray(0, this.#at))) this.#put(0, this.#at)
    else this.#putSound()
    this.#at = 0
    this.#starts = []
    this.#records = []
    this.#flushOdd()
  }
  #putSound(): void {
    for (const [i, record] of this.#records.entries()) {
      const start = this.#starts[i]!
      const end = this.#starts[i + 1] ?? this.#at
      if (isUtf8(this.#chunk.subarray(start, end))) this.#put(start, end)
      else this.#addOdd(record)
    }
  }
  #put(start: number, end: number): void {
    writeAll(this.#file, this.#chunk.subarray(start, end), this.#written)
    this.#written += end - start
  }
  #flushOdd(): void {
    if (this.#oddLines === '') return
    const bytes = encoder.encode(this.#oddLines)
    writeAll(this.#odd, bytes, this.#oddWritten)
    this.#oddWritten += bytes.length
    this.#oddLines = ''
  }

  end(): Spool {
    this.flush()
    this.#file.close()
    this.#odd.close()
    return {
      path: this.#path,
      oddPath: this.#oddPath,
      records: this.#count,
      oddRecords: this.#oddCount,
      sizeBytes: this.#sizeBytes,
    }
  }
}
