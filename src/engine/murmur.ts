// 128 bits of a sequence of texts and numbers: MurmurHash3 x86_128 (Austin Appleby, public domain) over 32-bit words.
// Texts go in as their length and UTF-16 units, two to a word; numbers as the two words of their double. Words that fill
// no block of four are padded with zeros, the count of words closes the hash. Snapshots hold these bits: changing them
// needs a new snapshot format.

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

const turned = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))
function mixed(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

export class Murmur128 {
  /** The four words, after `end`. */
  a = 0
  b = 0
  c = 0
  d = 0
  readonly #block = new Int32Array(4)
  readonly #double = new Float64Array(1)
  readonly #halves = new Int32Array(this.#double.buffer)
  #words = 0

  begin(): void {
    this.a = 0
    this.b = 0
    this.c = 0
    this.d = 0
    this.#words = 0
  }
  addNumber(value: number): void {
    this.#double[0] = value
    this.#add(this.#halves[0]!)
    this.#add(this.#halves[1]!)
  }
  addText(text: string): void {
    const { length } = text
    this.#add(length)
    const pairs = length & ~1
    for (let i = 0; i < pairs; i += 2) this.#add(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
    if (pairs < length) this.#add(text.charCodeAt(pairs))
  }
  #add(word: number): void {
    const at = this.#words & 3
    this.#block[at] = word
    this.#words++
    if (at === 3) this.#take()
  }
  #take(): void {
    const block = this.#block
    this.a ^= Math.imul(turned(Math.imul(block[0]!, C1), 15), C2)
    this.a = (Math.imul((turned(this.a, 19) + this.b) | 0, 5) + 0x561ccd1b) | 0
    this.b ^= Math.imul(turned(Math.imul(block[1]!, C2), 16), C3)
    this.b = (Math.imul((turned(this.b, 17) + this.c) | 0, 5) + 0x0bcaa747) | 0
    this.c ^= Math.imul(turned(Math.imul(block[2]!, C3), 17), C4)
    this.c = (Math.imul((turned(this.c, 15) + this.d) | 0, 5) + 0x96cd1c35) | 0
    this.d ^= Math.imul(turned(Math.imul(block[3]!, C4), 18), C1)
    this.d = (Math.imul((turned(this.d, 13) + this.a) | 0, 5) + 0x32ac3b17) | 0
  }
  end(): void {
    const words = this.#words
    while ((this.#words & 3) !== 0) this.#add(0)
    this.a ^= words
    this.b ^= words
    this.c ^= words
    this.d ^= words
    this.#spread()
    this.a = mixed(this.a)
    this.b = mixed(this.b)
    this.c = mixed(this.c)
    this.d = mixed(this.d)
    this.#spread()
  }
  #spread(): void {
    this.a = (this.a + this.b + this.c + this.d) | 0
    this.b = (this.b + this.a) | 0
    this.c = (this.c + this.a) | 0
    this.d = (this.d + this.a) | 0
  }
}
