// Texts of result rows as UTF-8, one behind the other: strings are made of them only if somebody asks.
import type { FieldType } from '../query/contract.ts'
import { IN_VALUES, type TextSlices, textAt } from './columns.ts'
import type { ResultColumn } from './engine.ts'
import { grownBytes, grownInts } from './int-set.ts'

export class GatheredTexts {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096)
  #used = 0
  #starts: Int32Array<ArrayBuffer>
  #lengths: Int32Array<ArrayBuffer>

  /** Rows before `first` are strings. */
  constructor(first: number) {
    this.#starts = new Int32Array(Math.max(64, first)).fill(IN_VALUES, 0, first)
    this.#lengths = new Int32Array(this.#starts.length)
  }
  inValues(row: number): void {
    this.#starts = grownInts(this.#starts, row + 1)
    this.#starts[row] = IN_VALUES
  }
  /** Copies the texts of the listed rows; the first becomes row `first`. */
  add({ memory, starts, lengths }: TextSlices, rows: Int32Array, count: number, first: number): void {
    let total = 0
    for (let i = 0; i < count; i++) if (starts[rows[i]!]! >= 0) total += lengths[rows[i]!]!
    this.#bytes = grownBytes(this.#bytes, this.#used + total)
    this.#starts = grownInts(this.#starts, first + count)
    this.#lengths = grownInts(this.#lengths, first + count)
    const [bytes, intoStarts, intoLengths] = [this.#bytes, this.#starts, this.#lengths]
    let at = this.#used
    for (let i = 0; i < count; i++) {
      const start = starts[rows[i]!]!
      intoStarts[first + i] = start
      if (start < 0) continue
      const length = lengths[rows[i]!]!
      intoStarts[first + i] = at
      intoLengths[first + i] = length
      if (length > 48) bytes.set(memory.subarray(start, start + length), at)
      else for (let k = 0; k < length; k++) bytes[at + k] = memory[start + k]!
      at += length
    }
    this.#used = at
  }
  asColumn(name: string, type: FieldType, strings: (string | null)[], count: number): ResultColumn {
    const slices: TextSlices = { memory: this.#bytes, starts: this.#starts, lengths: this.#lengths }
    let made: (string | null)[] | null = null
    return {
      kind: 'text',
      name,
      type,
      utf8: slices,
      // Seldom asked for.
      get values() {
        made ??= Array.from({ length: count }, (_, row) => textAt({ kind: 'text', values: strings, slices }, row))
        return made
      },
    }
  }
}
