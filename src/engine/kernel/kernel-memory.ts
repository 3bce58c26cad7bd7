// One instance of the kernel with its memory: constants, and room for a batch that grows when a larger one comes.
import { assert } from '../../std/assert.ts'
import type { BatchColumn } from '../columns.ts'
import type { DecoderMemory } from '../engine.ts'
import {
  BATCH,
  COLUMN_BASES,
  CONSTANTS,
  CONSTANTS_END,
  FIRST_BYTES,
  LAST_MINUTE,
  LAST_MINUTE_MS,
  POWERS_F64,
  POWERS_I64,
  POWERS_MAX,
  SAFE_LIMITS,
  SLACK_BYTES,
} from './layout.ts'

/** What the kernel asks its owner. */
export interface KernelCalls {
  fallback(record: number, row: number): number
  newId(dictionary: number, text: number, length: number): number
}
/** As `assembly/decode.ts` exports them. */
export interface KernelFunctions {
  readonly memory: WebAssembly.Memory
  decode(
    count: number,
    starts: number,
    ends: number,
    shift: number,
    arrivals: number,
    futureLimitMs: number,
    times: number,
    records: number,
  ): number
  forgetAll(dictionaries: number): void
  forget(dictionary: number): void
  hashOf(text: number, length: number): number
  newlines(from: number, end: number, base: number, into: number, max: number): number
  put(head: number, entry: number, text: number, length: number, hash: number, id: number): number
}

const PAGE_BYTES = 65_536
const INPUT_BYTES_AT_FIRST = 256 * 1024
const ROWS_AT_FIRST = 4096
/** Newlines that are looked for at once. */
const NEWLINES_MAX = 4096

export class KernelMemory implements DecoderMemory {
  readonly functions: KernelFunctions
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  arrivals = new Float64Array(0)
  records = new Int32Array(0)
  times = new Float64Array(0)
  #found = new Int32Array(0)
  readonly #columns: readonly BatchColumn[]
  /** Of each text column: addresses (-1: null) and lengths. */
  texts: (readonly [Int32Array<ArrayBuffer>, Int32Array<ArrayBuffer>] | null)[] = []
  #inputBytes = 0
  #rows = 0
  #constantsAt = CONSTANTS

  constructor(module: WebAssembly.Module, calls: KernelCalls, columns: readonly BatchColumn[]) {
    this.#columns = columns
    const { exports } = new WebAssembly.Instance(module, { decode: { ...calls }, ids: { ...calls } })
    // The module is ours and named by its version: these are its exports.
    this.functions = exports as unknown as KernelFunctions
    this.bytes = new Uint8Array(this.#buffer())
    this.view = new DataView(this.#buffer())
    const limit = BigInt(Number.MAX_SAFE_INTEGER)
    for (let power = 0; power <= 22; power++) this.view.setFloat64(POWERS_F64 + power * 8, 10 ** power, true)
    for (let power = 0; power <= POWERS_MAX; power++) {
      this.view.setBigInt64(POWERS_I64 + power * 8, 10n ** BigInt(power), true)
      this.view.setBigInt64(SAFE_LIMITS + power * 8, limit / 10n ** BigInt(power), true)
    }
    new TextEncoder().encodeInto('1970-01-01T00:00', this.bytes.subarray(LAST_MINUTE))
    this.view.setFloat64(LAST_MINUTE_MS, 0, true)
    this.bytes.fill(0xff, FIRST_BYTES, FIRST_BYTES + 32)
  }
  #buffer(): ArrayBuffer {
    const { buffer } = this.functions.memory
    assert(buffer instanceof ArrayBuffer, "the kernel's memory is its own")
    return buffer
  }

  /** Room that stays, 16 bytes of it readable past its end; null when there is none left. */
  constant(sizeBytes: number): number | null {
    const at = this.#constantsAt
    const next = (at + sizeBytes + 31) & ~15
    if (next > CONSTANTS_END) return null
    this.#constantsAt = next
    return at
  }

  get memory(): WebAssembly.Memory {
    return this.functions.memory
  }
  get rowsMax(): number {
    return this.#rows
  }
  room(sizeBytes: number, records: number): Uint8Array<ArrayBuffer> {
    this.makeRoom(sizeBytes, records)
    return this.bytes.subarray(this.input, this.input + sizeBytes)
  }
  /** Do the bytes lie where a batch is decoded from? */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.bytes.buffer && bytes.byteOffset >= this.input
  }
  newlines(from: number, to: number): Int32Array {
    assert(from >= 0 && to <= this.#inputBytes, 'newlines are looked for in the room that was given')
    const { input, functions } = this
    const count = functions.newlines(input + from, input + to, input, this.#found.byteOffset, NEWLINES_MAX)
    return this.#found.subarray(0, count)
  }

  /** Where a batch begins. */
  readonly input = BATCH
  /** Makes room for a batch; all views into it, the columns' as well, may be new. */
  makeRoom(inputBytes: number, rows: number): void {
    if (inputBytes <= this.#inputBytes && rows <= this.#rows) return
    const columns = this.#columns
    this.#inputBytes = enlarged(this.#inputBytes, inputBytes, INPUT_BYTES_AT_FIRST)
    this.#rows = enlarged(this.#rows, rows, ROWS_AT_FIRST)
    const count = this.#rows
    let at = BATCH + this.#inputBytes + SLACK_BYTES
    const take = (sizeBytes: number): number => {
      at = (at + 15) & ~15
      const address = at
      at += sizeBytes
      return address
    }
    const common = [count * 4, count * 4, count * 8, count * 4, count * 8, NEWLINES_MAX * 4].map(take)
    const bases = columns.map(({ kind }) =>
      kind === 'number' ? [take(count * 8)] : kind === 'id' ? [take(count * 4)] : [take(count * 4), take(count * 4)],
    )
    const { memory } = this.functions
    const missing = at + PAGE_BYTES - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    const buffer = this.#buffer()
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.starts = new Int32Array(buffer, common[0]!, count)
    this.ends = new Int32Array(buffer, common[1]!, count)
    this.arrivals = new Float64Array(buffer, common[2]!, count)
    this.records = new Int32Array(buffer, common[3]!, count)
    this.times = new Float64Array(buffer, common[4]!, count)
    this.#found = new Int32Array(buffer, common[5]!, NEWLINES_MAX)
    this.texts = columns.map((column, i) => {
      const [first = 0, second = 0] = bases[i]!
      this.view.setUint32(COLUMN_BASES + i * 8, first, true)
      this.view.setUint32(COLUMN_BASES + i * 8 + 4, second, true)
      if (column.kind === 'text') return [new Int32Array(buffer, first, count), new Int32Array(buffer, second, count)]
      if (column.kind === 'number') column.values = new Float64Array(buffer, first, count)
      else if (column.kind === 'id') column.values = new Int32Array(buffer, first, count)
      return null
    })
  }
}

function enlarged(now: number, wanted: number, least: number): number {
  return wanted <= now ? now : Math.max(wanted, now * 2, least)
}
