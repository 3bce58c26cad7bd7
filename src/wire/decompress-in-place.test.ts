// lz4 and snappy by the kernel: what comes out is what the decompressors in TypeScript give, and no byte outside the room
// is touched, whatever goes in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compileBlocks } from '../../tools/kernel.ts'
import { randomStream } from '../std/random.ts'
import { blockFunctions } from './block-kernel.ts'
import { compress, decompress } from './compression.ts'
import { lz4InPlace, type PlaceForBytes, snappyInPlace } from './decompress-in-place.ts'

const seed = process.env.MILLRACE_SEED ?? 'decompress-in-place'
const mutations = Number(process.env.MILLRACE_FUZZ_RECORDS ?? 4_000)
const replay = `MILLRACE_SEED=${seed} MILLRACE_FUZZ_RECORDS=${mutations} npm test -- decompress-in-place`

const memory = new WebAssembly.Memory({ initial: 64 })
const functions = blockFunctions(
  new WebAssembly.Module(await compileBlocks(fileURLToPath(new URL('../../', import.meta.url)))),
  memory,
)
const guard = 0xa5
const roomAt = 65_536
const guarded = 4_096

/** A room with guards on both sides. */
function openPlace(sizeBytesMax = 2 ** 21): PlaceForBytes & { check(): void } {
  let size = 0
  return {
    memory,
    sizeBytesMax,
    room(sizeBytes) {
      size = sizeBytes
      const all = new Uint8Array(memory.buffer)
      all.fill(guard, roomAt - guarded, roomAt)
      all.fill(guard, roomAt + size, roomAt + size + guarded)
      return all.subarray(roomAt, roomAt + size)
    },
    check() {
      const all = new Uint8Array(memory.buffer)
      const outside = [
        ...all.subarray(roomAt - guarded, roomAt),
        ...all.subarray(roomAt + size, roomAt + size + guarded),
      ]
      assert.ok(
        size === 0 || outside.every((byte) => byte === guard),
        `bytes outside the room were written; replay: ${replay}`,
      )
    },
  }
}
const codecs = [
  ['lz4', lz4InPlace],
  ['snappy', snappyInPlace],
] as const
const random = randomStream(seed)

function sample(): Uint8Array {
  const size = random.below([40, 3_000, 80_000, 200_000][random.below(4)]!)
  const bytes = new Uint8Array(size)
  const kind = random.below(3)
  const words = Array.from({ length: 20 }, () => Array.from({ length: 1 + random.below(40) }, () => random.below(256)))
  for (let at = 0; at < size; ) {
    if (kind === 0) bytes[at++] = random.below(256)
    else if (kind === 1) {
      const word = words[random.below(words.length)]!
      bytes.set(word.slice(0, size - at), at)
      at += word.length
    } else {
      const run = 1 + random.below(300)
      bytes.fill(random.below(4), at, at + run)
      at += run
    }
  }
  return bytes
}

for (const [codec, inPlace] of codecs) {
  test(`${codec}: whatever was compressed comes out`, () => {
    for (let i = 0; i < 60; i++) {
      const plain = sample()
      const place = openPlace()
      const found = inPlace(functions, place, compress(codec, plain), 2 ** 26)
      assert.ok(found !== null, replay)
      assert.equal(Buffer.compare(found, plain), 0, replay)
      place.check()
    }
  })

  test(`${codec}: ${mutations} broken streams give what TypeScript gives, or nothing, and touch nothing else`, () => {
    const streams = Array.from({ length: 12 }, () => compress(codec, sample().subarray(0, 5_000)))
    let right = 0
    for (let i = 0; i < mutations; i++) {
      const stream = streams[random.below(streams.length)]!
      let broken = stream.slice(0, random.below(3) === 0 ? random.below(stream.length + 1) : stream.length)
      for (let k = random.below(4); k >= 0 && broken.length > 0; k--) {
        const at = random.below(broken.length)
        if (random.below(4) === 0)
          broken = Buffer.concat([broken.subarray(0, at), broken.subarray(random.below(broken.length))])
        else broken[at] = [0, 255, random.below(256), broken[at]! ^ (1 << random.below(8))][random.below(4)]!
      }
      const place = openPlace()
      const found = inPlace(functions, place, broken, 2 ** 20)
      place.check()
      if (found === null) continue
      right++
      assert.equal(
        Buffer.compare(found, decompress(codec, broken)),
        0,
        `${replay}: ${Buffer.from(broken).toString('hex')}`,
      )
    }
    assert.ok(right > 0, 'some mutations change nothing that matters')
  })
}

test('a raw snappy block, as librdkafka writes it, and one that claims nothing', () => {
  const place = openPlace()
  assert.deepEqual([...snappyInPlace(functions, place, Uint8Array.of(3, 8, 1, 2, 3), 100)!], [1, 2, 3])
  assert.deepEqual([...snappyInPlace(functions, place, Uint8Array.of(0), 100)!], [])
  assert.equal(snappyInPlace(functions, place, Uint8Array.of(0, 0, 7), 100), null)
})

test('more than is allowed, or than the place takes, is left to others', () => {
  const plain = new Uint8Array(50_000)
  for (const [codec, inPlace] of codecs) {
    assert.equal(inPlace(functions, openPlace(), compress(codec, plain), 40_000), null)
    assert.equal(inPlace(functions, openPlace(40_000), compress(codec, plain), 2 ** 20), null)
  }
})
