// Writes one JSON record after another into the same bytes: fragments encoded beforehand, digits and times written in
// place. Nothing is allocated per field, which is what lets one core make hundreds of thousands of records a second.
import { assert } from '../std/assert.ts'
import { instantText } from '../std/instant.ts'
import type { RandomStream } from '../std/random.ts'

/** Records are built from fragments of known size; the largest stays far below this. */
const lineBytesMax = 4_096

const encoder = new TextEncoder()
/** Encodes a fragment once, to be written many times. */
export function fragment(text: string): Uint8Array {
  return encoder.encode(text)
}
/** JSON text of a value, without the quotes around it. */
export function jsonInside(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

const hexDigits = fragment('0123456789abcdef')
const zero = 48

export class LineWriter {
  readonly #bytes = new Uint8Array(lineBytesMax)
  #end = 0
  /** The minute whose text stands in `#timeText`, so that a run of records rewrites seconds only. */
  #minute = Number.NaN
  readonly #timeText = fragment('1970-01-01T00:00:00.000Z')

  start(): void {
    this.#end = 0
  }
  /** The record so far; valid until the next `start`. */
  line(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  bytes(fragment: Uint8Array): void {
    assert(this.#end + fragment.length <= lineBytesMax, `a record of more than ${lineBytesMax} bytes`)
    this.#bytes.set(fragment, this.#end)
    this.#end += fragment.length
  }

  /** A whole number >= 0 in decimal. */
  integer(value: number): void {
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    this.#digits(value, digits)
  }

  /** Hundredths as a JSON number in its shortest form: 12345 -> 123.45, 12340 -> 123.4, 12300 -> 123. */
  hundredths(value: number): void {
    const whole = Math.floor(value / 100)
    const rest = value - whole * 100
    this.integer(whole)
    if (rest === 0) return
    this.#bytes[this.#end++] = 46
    if (rest % 10 === 0) this.#digits(rest / 10, 1)
    else this.#digits(rest, 2)
  }

  /** A random (version 4) UUID of 128 bits drawn from the stream, 122 of which are kept (RFC 9562). */
  uuid(random: RandomStream): void {
    this.#hex(random.u32(), 8)
    this.#dash()
    const middle = random.u32()
    this.#hex(middle >>> 16, 4)
    this.#dash()
    this.#hex((middle & 0x0fff) | 0x4000, 4)
    this.#dash()
    const clock = random.u32()
    this.#hex(((clock >>> 16) & 0x3fff) | 0x8000, 4)
    this.#dash()
    this.#hex(clock & 0xffff, 4)
    this.#hex(random.u32(), 8)
  }

  /** `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
  time(timeMs: number): void {
    const minute = Math.floor(timeMs / 60_000)
    if (minute !== this.#minute) {
      encoder.encodeInto(instantText(minute * 60_000, true), this.#timeText)
      this.#minute = minute
    }
    const inMinuteMs = timeMs - minute * 60_000
    const second = Math.floor(inMinuteMs / 1000)
    const at = this.#end
    this.bytes(this.#timeText)
    this.#end = at + 17
    this.#digits(second, 2)
    this.#end = at + 20
    this.#digits(inMinuteMs - second * 1000, 3)
    this.#end = at + this.#timeText.length
  }

  #digits(value: number, count: number): void {
    let rest = value
    for (let i = this.#end + count - 1; i >= this.#end; i--) {
      const tenth = Math.floor(rest / 10)
      this.#bytes[i] = zero + rest - tenth * 10
      rest = tenth
    }
    this.#end += count
  }
  #hex(value: number, count: number): void {
    for (let shift = (count - 1) * 4; shift >= 0; shift -= 4) {
      this.#bytes[this.#end++] = hexDigits[(value >>> shift) & 15]!
    }
  }
  #dash(): void {
    this.#bytes[this.#end++] = 45
  }
}
