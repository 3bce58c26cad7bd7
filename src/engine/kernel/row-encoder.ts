// Result rows to JSON bytes by the encoder's kernel: writes its program for a batch, puts the columns into its memory, and
// answers for the values that are not for it. What it writes is what `result-rows.ts` writes, byte for byte.
import { assert } from '../../std/assert.ts'
import type { RowTexts } from '../columns.ts'
import type { EvidenceSpans } from '../engine.ts'
import {
  CALL,
  COPY_SLACK_BYTES,
  KNOWN_TEXTS,
  KNOWN_TEXTS_END,
  NUMBER_BYTES_MAX,
  PROGRAM,
  PROGRAM_STEPS_MAX,
  S_BASE,
  S_EXTRA,
  S_KIND,
  S_LITERAL,
  S_LITERAL_BYTES,
  S_LITERAL_LENGTH,
  S_OTHER,
  S_TABLE,
  S_VALUES,
  STEP_ASKED,
  STEP_BYTES,
  STEP_CHOICE,
  STEP_END,
  STEP_EVIDENCE,
  STEP_LITERAL,
  STEP_PLAIN_TEXT,
  STEP_TEXT,
  TENS_F64,
  TENS_U64,
} from './encode-layout.ts'

/** One step of a row: the literal first, then the value. */
export type RowStep = { readonly literal: Uint8Array } & (
  | { readonly kind: 'literal' | 'end' }
  /** As JSON; or as it is, and nothing for null. */
  | { readonly kind: 'text' | 'plain-text'; readonly texts: RowTexts }
  /** `step` is one of the kinds in `encode-layout.ts`; what it does not write itself, `slow` does. */
  | {
      readonly kind: 'number'
      readonly step: number
      readonly scale: number
      readonly values: Float64Array
      readonly slow: (row: number) => string
    }
  /** Always written by `slow`. */
  | { readonly kind: 'asked'; readonly slow: (row: number) => string }
  | { readonly kind: 'choice'; readonly values: Uint8Array; readonly of: readonly Uint8Array[] }
  | { readonly kind: 'evidence'; readonly spans: EvidenceSpans; readonly lanes: readonly LaneText[] }
)
/** What stands in front of a lane's offsets, and behind them. */
export interface LaneText {
  readonly before: Uint8Array
  readonly behind: Uint8Array
}

/** As `assembly/encode.ts` exports them. */
interface EncoderFunctions {
  readonly memory: WebAssembly.Memory
  encode(steps: number, count: number, out: number, ends: number): number
  textBytes(steps: number, count: number): number
}

const PAGE_BYTES = 65_536
/** Beyond this a batch is for strings: the memory never shrinks. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
/** A longer text is written to the memory each time. */
const KNOWN_TEXT_BYTES_MAX = 1024
/** Of an offset, the most digits. */
const OFFSET_BYTES = 16

export interface Encoded {
  /** Valid until the next call. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each part of each row ends. */
  readonly ends: Int32Array<ArrayBuffer>
}
type AddressAndLength = readonly [address: number, length: number]

export class RowEncoder {
  readonly #functions: EncoderFunctions
  readonly #encoder = new TextEncoder()
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView<ArrayBuffer>
  /** Texts as JSON, and where they stand. */
  readonly #known = new Map<string, AddressAndLength>()
  #knownAt = KNOWN_TEXTS
  /** Of the call: what is given out so far, and who answers for which step. */
  #at = CALL
  #slow: ((row: number) => string)[] = []

  constructor(module: WebAssembly.Module) {
    const ask = (number: number, row: number, at: number): number => this.#ask(number, row, at)
    // The module is ours and named by its version: these are its exports.
    this.#functions = new WebAssembly.Instance(module, { encode: { ask } }).exports as unknown as EncoderFunctions
    this.#bytes = new Uint8Array(this.#buffer())
    this.#view = new DataView(this.#buffer())
    for (let power = 0; power <= 16; power++) this.#view.setBigUint64(TENS_U64 + power * 8, 10n ** BigInt(power), true)
    for (let power = 0; power <= 22; power++) this.#view.setFloat64(TENS_F64 + power * 8, 10 ** power, true)
  }
  #buffer(): ArrayBuffer {
    const { buffer } = this.#functions.memory
    assert(buffer instanceof ArrayBuffer, "the encoder's memory is its own")
    return buffer
  }

  /** Null where the rows need more memory than there is. */
  encode(steps: readonly RowStep[], count: number): Encoded | null {
    if (steps.length > PROGRAM_STEPS_MAX) return null
    if (this.#knownAt > (KNOWN_TEXTS + KNOWN_TEXTS_END) / 2) {
      this.#known.clear()
      this.#knownAt = KNOWN_TEXTS
    }
    this.#at = CALL
    this.#slow = []
    const stores = new Map<Uint8Array, number>()
    let rowBytes = 0
    let marks = 0
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      const most = this.#write(PROGRAM + i * STEP_BYTES, step, count, stores)
      if (most === null) return null
      rowBytes += step.literal.length + most
      if (step.kind === 'end') marks++
    }
    const room = rowBytes * count + this.#functions.textBytes(steps.length, count)
    const ends = this.#take(marks * count * 4)
    if (ends === null) return null
    const out = this.#take(room + COPY_SLACK_BYTES)
    if (out === null) return null
    const end = this.#functions.encode(steps.length, count, out, ends)
    assert(end - out <= room, `${count} rows take ${end - out} bytes, ${room} were foreseen`)
    return {
      bytes: this.#bytes.subarray(out, end),
      ends: new Int32Array(this.#bytes.buffer, ends, marks * count),
    }
  }
  /** How many bytes a row takes for it at most, but for its literal and texts; null: there is no room. */
  #write(at: number, step: RowStep, count: number, stores: Map<Uint8Array, number>): number | null {
    for (let i = 0; i < STEP_BYTES; i += 4) this.#word(at + i, 0)
    const { literal } = step
    const literalAt = this.#put(literal)
    if (literalAt === null) return null
    this.#word(at + S_LITERAL_LENGTH, literal.length)
    this.#word(at + S_LITERAL, literalAt)
    this.#bytes.set(literal.subarray(0, 16), at + S_LITERAL_BYTES)
    switch (step.kind) {
      case 'literal':
        this.#word(at + S_KIND, STEP_LITERAL)
        return 0
      case 'end':
        this.#word(at + S_KIND, STEP_END)
        return 0
      case 'text':
      case 'plain-text':
        return this.#writeText(at, step.texts, step.kind === 'plain-text', stores)
      case 'number': {
        const values = this.#put(new Uint8Array(step.values.buffer, step.values.byteOffset, count * 8))
        if (values === null) return null
        this.#word(at + S_KIND, step.step)
        this.#word(at + S_VALUES, values)
        this.#word(at + S_BASE, step.scale)
        this.#word(at + S_EXTRA, this.#slow.push(step.slow) - 1)
        return NUMBER_BYTES_MAX
      }
      case 'asked':
        this.#word(at + S_KIND, STEP_ASKED)
        this.#word(at + S_EXTRA, this.#slow.push(step.slow) - 1)
        return NUMBER_BYTES_MAX
      case 'choice': {
        const values = this.#put(step.values.subarray(0, count))
        const table = this.#table(step.of.map((bytes) => this.#place(bytes)))
        if (values === null || table === null) return null
        this.#word(at + S_KIND, STEP_CHOICE)
        this.#word(at + S_VALUES, values)
        this.#word(at + S_OTHER, table)
        return step.of.reduce((most, { length }) => Math.max(most, length), 0)
      }
      case 'evidence':
        return this.#writeEvidence(at, step.spans, step.lanes, count)
    }
  }
  #writeText(at: number, texts: RowTexts, plain: boolean, stores: Map<Uint8Array, number>): number | null {
    const { memory, starts, lengths, strings } = texts
    // Columns share what they are slices of.
    const known = stores.get(memory)
    const base = known ?? this.#put(memory)
    const startsAt = this.#put(bytesOf(starts))
    const lengthsAt = this.#put(bytesOf(lengths))
    const table = this.#table(
      strings.map((text) => (plain ? this.#place(this.#encoder.encode(text)) : this.#text(text))),
    )
    if (base === null || startsAt === null || lengthsAt === null || table === null) return null
    stores.set(memory, base)
    this.#word(at + S_KIND, plain ? STEP_PLAIN_TEXT : STEP_TEXT)
    this.#word(at + S_VALUES, startsAt)
    this.#word(at + S_OTHER, lengthsAt)
    this.#word(at + S_BASE, base)
    this.#word(at + S_TABLE, table)
    return 0
  }
  #writeEvidence(at: number, spans: EvidenceSpans, lanes: readonly LaneText[], count: number): number | null {
    const { rows, records, offsets } = spans
    const rowsAt = this.#put(bytesOf(rows))
    const recordsAt = this.#put(new Uint8Array(records.buffer, records.byteOffset, count * 8))
    const offsetsAt = this.#put(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength))
    const table = this.#table(lanes.flatMap(({ before, behind }) => [this.#place(before), this.#place(behind)]))
    if (rowsAt === null || recordsAt === null || offsetsAt === null || table === null) return null
    this.#word(at + S_KIND, STEP_EVIDENCE)
    this.#word(at + S_VALUES, rowsAt)
    this.#word(at + S_OTHER, recordsAt)
    this.#word(at + S_BASE, offsetsAt)
    this.#word(at + S_TABLE, table)
    this.#word(at + S_EXTRA, lanes.length)
    const laneBytes = lanes.map(({ before, behind }) => before.length + behind.length + 2 * OFFSET_BYTES + 2)
    // Where each row has one record, one lane; else perhaps all.
    return offsets.length === 0 ? Math.max(0, ...laneBytes) : laneBytes.reduce((sum, bytes) => sum + bytes, 0)
  }

  #ask(number: number, row: number, at: number): number {
    const slow = this.#slow[number]
    assert(slow !== undefined, `no step of the encoder's program has number ${number}`)
    const text = slow(row)
    assert(text.length <= NUMBER_BYTES_MAX, `'${text}' is longer than any number`)
    return at + this.#encoder.encodeInto(text, this.#bytes.subarray(at, at + NUMBER_BYTES_MAX)).written
  }
  /** A text as JSON in the memory, kept there if it is short. */
  #text(text: string): AddressAndLength | null {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const json = this.#encoder.encode(JSON.stringify(text))
    const next = this.#knownAt + json.length
    if (json.length > KNOWN_TEXT_BYTES_MAX || next + COPY_SLACK_BYTES > KNOWN_TEXTS_END) return this.#place(json)
    this.#bytes.set(json, this.#knownAt)
    const place: AddressAndLength = [this.#knownAt, json.length]
    this.#known.set(text, place)
    this.#knownAt = next
    return place
  }
  #place(bytes: Uint8Array): AddressAndLength | null {
    const address = this.#put(bytes)
    return address === null ? null : [address, bytes.length]
  }
  #table(places: readonly (AddressAndLength | null)[]): number | null {
    const table = this.#take(places.length * 8)
    if (table === null) return null
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      if (place === null) return null
      this.#word(table + i * 8, place[0])
      this.#word(table + i * 8 + 4, place[1])
    }
    return table
  }
  /** Where the bytes stand now. */
  #put(bytes: Uint8Array): number | null {
    const at = this.#take(bytes.length)
    if (at !== null) this.#bytes.set(bytes, at)
    return at
  }
  /** Room until the end of the call, with what copies may go past its end; null where there is no more. */
  #take(sizeBytes: number): number | null {
    const at = this.#at
    const next = Math.ceil((at + sizeBytes + COPY_SLACK_BYTES) / 16) * 16
    if (next > MEMORY_BYTES_MAX) return null
    const missing = next - this.#bytes.length
    if (missing > 0) {
      this.#functions.memory.grow(Math.ceil(Math.max(missing, this.#bytes.length / 2) / PAGE_BYTES))
      this.#bytes = new Uint8Array(this.#buffer())
      this.#view = new DataView(this.#buffer())
    }
    this.#at = next
    return at
  }
  #word(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }
}

const bytesOf = (ints: Int32Array): Uint8Array => new Uint8Array(ints.buffer, ints.byteOffset, ints.byteLength)
