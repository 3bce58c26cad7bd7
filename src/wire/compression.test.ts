// Codecs against an independent implementation (the one inside @platformatic/kafka), limits at their edge, hostile bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { randomStream } from '../std/random.ts'
import { xxhash32 as xx } from '../std/xxhash32.ts'
import { type Compression, compress, decompress, decompressedBytesMax } from './compression.ts'
import { lz4Decompress } from './lz4.ts'
import { snappyDecompress } from './snappy.ts'
import { WireError } from './wire-error.ts'

const compressions = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const random = randomStream('compression')
const repeated = (text: string, times: number): Uint8Array => new TextEncoder().encode(text.repeat(times))

const inputs: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(7)],
  ['13 bytes', repeated('abcabcabcabca', 1)],
  ['61 distinct bytes', Uint8Array.from({ length: 61 }, (_, i) => i)],
  ['random bytes', random.fill(new Uint8Array(200_000))],
  ['zeros', new Uint8Array(60_000)],
  ['text over several blocks', repeated('{"id_sale":"a","price":12.50,"seller":"Loja"}\n', 9_000)],
  ['a period of 3', repeated('xyz', 40_000)],
  ['random with repeats', mixed(300_000)],
]
function mixed(size: number): Uint8Array {
  const bytes = random.fill(new Uint8Array(size))
  for (let at = 1_000; at + 500 < size; at += 1 + random.below(900)) {
    const length = random.below(400)
    bytes.copyWithin(at, at - 1 - random.below(900), at - 1 - random.below(900) + length)
  }
  return bytes
}

for (const compression of compressions) {
  for (const [name, bytes] of inputs) {
    test(`${compression}: ${name} comes back, through our own and the other implementation`, () => {
      const packed = compress(compression, bytes)
      assert.deepEqual(Buffer.from(decompress(compression, packed)), Buffer.from(bytes))
      const other = compressionsAlgorithms[compression]
      assert.deepEqual(Buffer.from(other.decompressSync(Buffer.from(packed))), Buffer.from(bytes), 'read by the other')
      const theirs = other.compressSync(Buffer.from(bytes))
      assert.deepEqual(Buffer.from(decompress(compression, theirs)), Buffer.from(bytes), 'written by the other')
    })
  }
  test(`${compression}: text shrinks`, () => {
    const bytes = repeated('{"id_sale":"a","price":12.50}\n', 9_000)
    assert.ok(compress(compression, bytes).length < bytes.length / 4)
  })
  test(`${compression}: cut, flipped or random bytes give a typed error or some bytes within the limit, never a crash`, () => {
    const packed = Buffer.from(compress(compression, repeated('hello, hello, hello, shop. ', 400)))
    const tries: Uint8Array[] = [random.fill(new Uint8Array(64))]
    for (let length = 0; length < packed.length; length += 1 + (length >> 3)) tries.push(packed.subarray(0, length))
    for (let i = 0; i < 2_000; i++) {
      const flipped = new Uint8Array(packed)
      for (let k = random.below(3); k >= 0; k--) flipped[random.below(flipped.length)] = random.below(256)
      tries.push(flipped)
    }
    for (const bytes of tries) refusesOrStays(compression, bytes)
  })
}

function refusesOrStays(compression: Compression, bytes: Uint8Array): void {
  try {
    assert.ok(decompress(compression, bytes).length <= Math.max(1 << 20, bytes.length * 1_000))
  } catch (error) {
    assert.ok(error instanceof WireError, `${compression} of ${Buffer.from(bytes).toString('hex')}: ${error}`)
  }
}
const refusal = (code: string) => (error: unknown) => error instanceof WireError && error.code === code

test('bombs: above 64 MiB is refused, 64 MiB comes through', () => {
  const limit = random.fill(new Uint8Array(1 << 20))
  const parts = Array.from({ length: 64 }, () => limit)
  const full = zstdCompressSync(Buffer.concat(parts))
  assert.equal(decompress('zstd', full).length, decompressedBytesMax)
  const over = zstdCompressSync(Buffer.concat([...parts, Uint8Array.of(1)]))
  assert.throws(() => decompress('zstd', over), refusal('MESSAGE_TOO_LARGE'))
})

test('bombs: more than 1,000 times the size is refused, in each codec that can do it', () => {
  const zeros = new Uint8Array(8 << 20)
  assert.throws(() => decompress('zstd', zstdCompressSync(zeros)), refusal('MESSAGE_TOO_LARGE'))
  // Deflate's own limit is about 1,030 to 1; members one after the other are one stream.
  const member = gzipSync(new Uint8Array(4 << 20), { level: 9 })
  assert.ok(member.length * 1_000 < 4 << 20)
  assert.throws(() => decompress('gzip', Buffer.concat([member, member])), refusal('MESSAGE_TOO_LARGE'))
  assert.equal(decompress('zstd', zstdCompressSync(new Uint8Array(1 << 20))).length, 1 << 20, 'small ones may')
})

test('snappy: a length that the bytes cannot hold is refused before anything is allocated', () => {
  assert.throws(
    () => snappyDecompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00), 1 << 30),
    refusal('CORRUPT_MESSAGE'),
  )
})
test("snappy: the caller's limit holds for raw and framed streams", () => {
  const packed = compress('snappy', new Uint8Array(40_000))
  assert.equal(snappyDecompress(packed, 40_000).length, 40_000)
  assert.throws(() => snappyDecompress(packed, 39_999), refusal('MESSAGE_TOO_LARGE'))
  const raw = compressionsAlgorithms.snappy.compressSync(Buffer.alloc(40_000))
  assert.equal(snappyDecompress(raw, 40_000).length, 40_000)
  assert.throws(() => snappyDecompress(raw, 39_999), refusal('MESSAGE_TOO_LARGE'))
})
test("lz4: the caller's limit holds, and each checksum is verified", () => {
  const packed = compress('lz4', new Uint8Array(40_000))
  assert.equal(lz4Decompress(packed, 40_000).length, 40_000)
  assert.throws(() => lz4Decompress(packed, 39_999), refusal('MESSAGE_TOO_LARGE'))
  const header = new Uint8Array(packed)
  header[6]! ^= 1
  assert.throws(() => lz4Decompress(header, 40_000), /header checksum/)
})
test('lz4: a frame with content size, block and content checksums, linked blocks, as the reference tool writes it', () => {
  // `printf 'millrace millrace millrace millrace millrace\n' | lz4 -1 -BX -BD --content-size -c`, by the frame specification.
  const text = 'millrace millrace millrace millrace millrace\n'
  const block = compress('lz4', Buffer.from(text)).subarray(11)
  const body = block.subarray(0, block.length - 4)
  assert.ok(body.length < text.length)
  const frame = Buffer.alloc(15 + 4 + body.length + 4 + 4 + 4)
  frame.writeUInt32LE(0x184d2204, 0)
  frame[4] = 0b01_0_1_1_1_0_0
  frame[5] = 0x40
  frame.writeBigUInt64LE(BigInt(text.length), 6)
  frame[14] = xx(frame.subarray(4, 14)) >>> 8
  frame.writeUInt32LE(body.length, 15)
  frame.set(body, 19)
  frame.writeUInt32LE(xx(body), 19 + body.length)
  frame.writeUInt32LE(xx(Buffer.from(text)), 19 + body.length + 8)
  assert.equal(Buffer.from(lz4Decompress(frame, 1_000)).toString(), text)
  for (const [at, what] of [
    [19 + body.length, /block checksum/],
    [frame.length - 1, /content checksum/],
  ] as const) {
    const bad = Buffer.from(frame)
    bad[at]! ^= 1
    assert.throws(() => lz4Decompress(bad, 1_000), what)
  }
})
