// Known answers of CRC-32C (RFC 3720 B.4 and the common check value), and that any split gives the same sum.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, crc32cPlain } from './crc32c.ts'
import { randomStream } from './random.ts'

const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const known: readonly (readonly [string, Uint8Array, number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['"123456789"', text('123456789'), 0xe3069283],
  ['"a"', text('a'), 0xc1d04330],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['the quick brown fox', text('The quick brown fox jumps over the lazy dog'), 0x22620404],
]
for (const [name, bytes, sum] of known) {
  test(`crc32c of ${name}`, () => assert.equal(crc32c(bytes), sum))
}

const bitwise = (part: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of part) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('crc32c: every split and every offset gives the sum of a plain bitwise loop', () => {
  const random = randomStream('crc32c')
  const bytes = random.fill(new Uint8Array(200))
  for (let start = 0; start < 40; start++) {
    for (let end = start; end <= bytes.length; end += 7) {
      const sum = bitwise(bytes.subarray(start, end))
      assert.equal(crc32c(bytes, start, end), sum, `bytes ${start} to ${end}`)
      const middle = start + random.below(end - start + 1)
      assert.equal(crc32c(bytes, middle, end, crc32c(bytes, start, middle)), sum, `split at ${middle}`)
    }
  }
})

test('crc32c: long stretches, wherever they begin in memory', () => {
  const random = randomStream('long')
  const memory = random.fill(new Uint8Array(3_000))
  for (let begin = 0; begin < 9; begin++) {
    const bytes = memory.subarray(begin)
    for (let start = 0; start < 7; start++) {
      for (const length of [511, 512, 513, 514, 515, 527, 528, 529, 1_023, 1_024, 2_000 + random.below(900)]) {
        const sum = bitwise(bytes.subarray(start, start + length))
        assert.equal(crc32c(bytes, start, start + length), sum, `${length} bytes from ${begin} + ${start}`)
        const middle = start + random.below(length + 1)
        assert.equal(crc32c(bytes, middle, start + length, crc32c(bytes, start, middle)), sum, `split at ${middle}`)
      }
    }
  }
})

test('crc32c: the native sum and the plain one are the same, at the border and beyond, split anywhere', () => {
  const random = randomStream('native')
  const memory = random.fill(new Uint8Array(20_000))
  for (const length of [2_047, 2_048, 2_049, 4_095, 10_000 + random.below(9_000)]) {
    const start = random.below(9)
    const end = start + length
    const sum = crc32cPlain(memory, start, end)
    assert.equal(crc32c(memory, start, end), sum, `${length} bytes`)
    const middle = start + random.below(length)
    assert.equal(crc32c(memory, middle, end, crc32c(memory, start, middle)), sum, `${length} bytes, split at ${middle}`)
  }
})
