// Lines of a file's content, a portion at a time, with where each stands. A line that is not finished stays where it is,
// unless nothing can follow it any more or it is a whole JSON object already.
import type { Content } from './content.ts'
import type { Fingerprint } from './taken-content.ts'

/** A longer line is put aside by its beginning: a record around it would be more than a topic takes by default. */
export const lineBytesMax = 900 * 1024

export interface LinePortion {
  /** Holds the lines; valid until the next portion. */
  readonly bytes: Uint8Array
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  /** From 1, of each line that is not blank. */
  readonly numbers: readonly number[]
  /** Too long: their first bytes, and how many they have. */
  readonly overlong: readonly { readonly number: number; readonly beginning: Uint8Array; readonly sizeBytes: number }[]
  /** There is no more at the moment. */
  readonly isEnd: boolean
}

const newline = 10
const carriageReturn = 13
const space = 32
const tab = 9
const byteOrderMark = [0xef, 0xbb, 0xbf]
const shownBytes = 64 * 1024

export class LineReader {
  readonly content: Content
  /** Up to where its lines were handed out: what is kept when they are. */
  place: { readonly fingerprint: Fingerprint; readonly lines: number }
  readonly #bytes = new Uint8Array(lineBytesMax + 1)
  #end = 0
  #lines: number
  /** What comes next still belongs to a line that was counted: it was whole, and had no end yet. */
  #isRest: boolean
  /** Of a line that is too long: what was dropped of it, and its beginning. */
  #dropped: { readonly beginning: Uint8Array; sizeBytes: number } | null = null

  /** `lines`: those that were taken of it already. */
  constructor(content: Content, lines: number) {
    this.content = content
    this.#lines = lines
    this.#isRest = content.taken.isInLine
    this.place = { fingerprint: content.taken.fingerprint(), lines }
  }

  /** `mayTakeLast`: the file has not grown for a while, so a last line without an end may be looked at. */
  async portion(mayTakeLast: boolean): Promise<LinePortion> {
    let isEnd = false
    while (this.#end < this.#bytes.length) {
      const got = await this.content.read(this.#bytes.subarray(this.#end))
      if (got === 0) {
        isEnd = true
        break
      }
      this.#end += got
    }
    const starts: number[] = []
    const ends: number[] = []
    const numbers: number[] = []
    const overlong: LinePortion['overlong'][number][] = []
    let at = 0
    const take = (to: number): void => {
      const number = this.#isRest ? this.#lines : ++this.#lines
      this.#isRest = false
      const last = to > at && this.#bytes[to - 1] === carriageReturn ? to - 1 : to
      const first = number === 1 && byteOrderMark.every((byte, i) => this.#bytes[at + i] === byte) ? at + 3 : at
      if (isBlank(this.#bytes, first, last)) return
      starts.push(first)
      ends.push(last)
      numbers.push(number)
    }
    for (;;) {
      const found = this.#bytes.subarray(0, this.#end).indexOf(newline, at)
      if (found < 0) break
      if (this.#dropped !== null) {
        overlong.push({ number: ++this.#lines, ...this.#dropped, sizeBytes: this.#dropped.sizeBytes + found - at })
        this.#dropped = null
      } else take(found)
      at = found + 1
    }
    const isOver = isEnd && this.content.isClosed
    if (this.#dropped !== null) {
      this.#dropped.sizeBytes += this.#end - at
      at = this.#end
      if (isOver) {
        overlong.push({ number: ++this.#lines, ...this.#dropped })
        this.#dropped = null
      }
    } else if (at < this.#end && isEnd && (isOver || (mayTakeLast && isObject(this.#bytes.subarray(at, this.#end))))) {
      take(this.#end)
      at = this.#end
    } else if (at === 0 && this.#end === this.#bytes.length) {
      this.#dropped = { beginning: this.#bytes.slice(0, shownBytes), sizeBytes: this.#end }
      at = this.#end
    }
    const bytes = this.#bytes.slice(0, at)
    this.content.taken.take(bytes)
    // A line that is being dropped counts as taken when its end is found: until then the place stays before it.
    if (this.#dropped === null) this.place = { fingerprint: this.content.taken.fingerprint(), lines: this.#lines }
    this.#bytes.copyWithin(0, at, this.#end)
    this.#end -= at
    return { bytes, starts, ends, numbers, overlong, isEnd }
  }
  /** Something follows the last line that was handed out: the beginning of one. */
  get isUnfinished(): boolean {
    return this.#end > 0 || this.#dropped !== null
  }
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte !== space && byte !== tab && byte !== carriageReturn) return false
  }
  return true
}
/** No beginning of a JSON object is one itself: what is, is whole. */
function isObject(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}
