// Texts of result rows without a string for each: slices of what the decoder read, copied once per batch for all columns;
// ids as codes into a list of the texts that occur. Strings are made of slices only if somebody asks.
import { assert } from '../std/assert.ts'
import { FIRST_CODE, type IdColumn, type RowTexts, type TextSlices } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import { grownBytes, grownInts } from './int-set.ts'

const STORE_BYTES_MAX = 2 ** 31 - 1
/** Codes begin anew at the latest here: with what is added to tell batches apart they stay below 2^31. */
const CODES_END = 2 ** 30
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The bytes of all text columns of some result rows. */
export class TextStore {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  used = 0
  /** Where the batch at hand stands here, less where it stood; null: not here yet. */
  #shift: number | null = null

  /** Another batch follows. */
  next(): void {
    this.#shift = null
  }
  /** Copies all bytes of the batch's records; what to add to a place in its memory. */
  whole({ memory, low, high }: TextSlices): number {
    if (this.#shift === null) {
      this.#reserve(high - low)
      this.bytes.set(memory.subarray(low, high), this.used)
      this.#shift = this.used - low
      this.used += high - low
    }
    return this.#shift
  }
  /** Copies one text; where it stands. */
  put(memory: Uint8Array, start: number, length: number): number {
    this.#reserve(length)
    const { bytes, used } = this
    if (length > 48) bytes.set(memory.subarray(start, start + length), used)
    else for (let i = 0; i < length; i++) bytes[used + i] = memory[start + i]!
    this.used += length
    return used
  }
  #reserve(more: number): void {
    assert(this.used + more <= STORE_BYTES_MAX, 'the texts of result rows are taken before they are 2 GiB')
    this.bytes = grownBytes(this.bytes, this.used + more)
  }
  /** What it writes to now, to be written to again. */
  kept(): () => void {
    const { bytes } = this
    return () => {
      this.bytes = bytes
    }
  }
  /** All of it; the store begins anew. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.used)
    this.bytes = new Uint8Array(0)
    this.used = 0
    this.#shift = null
    return taken
  }
}

/** One text column. */
export class GatheredTexts {
  readonly #store: TextStore
  #starts = new Int32Array(0)
  #lengths = new Int32Array(0)
  #strings: string[] = []
  /** Codes by id of the dictionary seen last: those below `#base` are of another one, or of rows that were taken. */
  #codes = new Int32Array(0)
  #base = 1
  #dictionary: Dictionary<string> | null = null
  #generation = 0

  constructor(store: TextStore) {
    this.#store = store
  }
  set(row: number, text: string | null): void {
    this.#starts = grownInts(this.#starts, row + 1)
    this.#starts[row] = text === null ? -1 : FIRST_CODE - this.#strings.length
    if (text !== null) this.#strings.push(text)
  }
  setId(row: number, id: number, dictionary: Dictionary<string>): void {
    this.#starts = grownInts(this.#starts, row + 1)
    if (id >= 0) this.#follow(dictionary)
    this.#starts[row] = id < 0 ? -1 : FIRST_CODE - this.#codeOf(id)
  }
  /** Of the listed rows; the first becomes row `first`. */
  addIds({ values, dictionary }: IdColumn, rows: Int32Array, count: number, first: number): void {
    this.#starts = grownInts(this.#starts, first + count)
    this.#follow(dictionary)
    const starts = this.#starts
    for (let i = 0; i < count; i++) {
      const id = values[rows[i]!]!
      starts[first + i] = id < 0 ? -1 : FIRST_CODE - this.#codeOf(id)
    }
  }
  /** Of the listed rows; strings among them are set after. `all`: most rows of the batch are listed. */
  addSlices(slices: TextSlices, rows: Int32Array, count: number, first: number, all: boolean): void {
    this.#starts = grownInts(this.#starts, first + count)
    this.#lengths = grownInts(this.#lengths, first + count)
    const shift = all ? this.#store.whole(slices) : 0
    const { memory, low, high } = slices
    const [intoStarts, intoLengths, starts, lengths] = [this.#starts, this.#lengths, slices.starts, slices.lengths]
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const start = starts[row]!
      if (start < 0) {
        intoStarts[first + i] = -1
        continue
      }
      const length = lengths[row]!
      intoLengths[first + i] = length
      // What stands in for a missing value lies elsewhere.
      const isCopied = all && start >= low && start < high
      intoStarts[first + i] = isCopied ? start + shift : this.#store.put(memory, start, length)
    }
  }
  #follow(dictionary: Dictionary<string>): void {
    if (dictionary !== this.#dictionary || dictionary.generation !== this.#generation) {
      this.#dictionary = dictionary
      this.#generation = dictionary.generation
      this.#forgetCodes()
    }
    this.#codes = grownInts(this.#codes, dictionary.high)
  }
  #forgetCodes(): void {
    this.#base += this.#strings.length
    if (this.#base < CODES_END) return
    this.#base = 1
    this.#codes.fill(0)
  }
  #codeOf(id: number): number {
    const code = this.#codes[id]! - this.#base
    if (code >= 0) return code
    assert(this.#dictionary !== null, 'ids are of a dictionary')
    this.#codes[id] = this.#base + this.#strings.length
    return this.#strings.push(this.#dictionary.valueOf(id)) - 1
  }

  /** What it writes to now, to be written to again. */
  kept(): () => void {
    const [starts, lengths] = [this.#starts, this.#lengths]
    return () => {
      this.#starts = starts
      this.#lengths = lengths
    }
  }
  /** The first rows, and the store's bytes with them; the column begins anew. */
  take(count: number, memory: Uint8Array): RowTexts {
    const taken = {
      memory,
      starts: this.#starts.subarray(0, count),
      lengths: this.#lengths.subarray(0, count),
      strings: this.#strings,
    }
    this.#forgetCodes()
    this.#starts = new Int32Array(0)
    this.#lengths = new Int32Array(0)
    this.#strings = []
    return taken
  }
}

export function rowText({ memory, starts, lengths, strings }: RowTexts, row: number): string | null {
  const start = starts[row]!
  if (start >= 0) return decoder.decode(memory.subarray(start, start + lengths[row]!))
  return start === -1 ? null : strings[FIRST_CODE - start]!
}
