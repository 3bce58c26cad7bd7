// Frames come whole however the bytes are cut, and no claimed length costs memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { FrameAssembler, FrameError } from './frames.ts'

function stream(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(frame.length)
      return [length, frame]
    }),
  )
}

test('any cut gives the same frames', () => {
  const seed = 'frames'
  const random = randomStream(seed)
  for (let round = 0; round < 200; round++) {
    const frames = Array.from({ length: 1 + random.below(6) }, () =>
      random.fill(new Uint8Array(8 + random.below(random.below(2) === 0 ? 60 : 20_000))),
    )
    const bytes = stream(frames)
    const assembler = new FrameAssembler(1 << 20)
    const got: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(random.below(2) === 0 ? 7 : 30_000))
      assembler.push(bytes.subarray(at, end), (frame) => got.push(Buffer.from(frame)))
      at = end
    }
    assert.deepEqual(
      got,
      frames.map((frame) => Buffer.from(frame)),
      `seed ${seed}, round ${round}`,
    )
    assert.equal(assembler.half, false)
  }
})

test('byte by byte; half until the last byte', () => {
  const bytes = stream([new Uint8Array(9).fill(5)])
  const assembler = new FrameAssembler(100)
  let frames = 0
  for (let i = 0; i < bytes.length; i++) {
    assembler.push(bytes.subarray(i, i + 1), () => frames++)
    assert.equal(assembler.half, i < bytes.length - 1)
  }
  assert.equal(frames, 1)
})

test('a frame in one piece is a copy: the piece is its socket’s', () => {
  const bytes = stream([new Uint8Array(5_000).fill(7)])
  let got: Uint8Array = new Uint8Array(0)
  new FrameAssembler(10_000).push(bytes, (frame) => {
    got = frame
  })
  bytes.fill(0)
  assert.deepEqual(got, new Uint8Array(5_000).fill(7))
})

for (const size of [0, -1, 7, 101, 0x7fffffff, 100 * 1024 * 1024, -0x80000000]) {
  test(`a length of ${size} is refused at its fourth byte`, () => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(size)
    const assembler = new FrameAssembler(100)
    assembler.push(length.subarray(0, 3), () => assert.fail('no frame'))
    assert.throws(() => assembler.push(length.subarray(3), () => assert.fail('no frame')), FrameError)
  })
}
for (const size of [8, 100]) {
  test(`a length of ${size} is allowed`, () => {
    let got = 0
    new FrameAssembler(100).push(stream([new Uint8Array(size)]), (frame) => {
      got = frame.length
    })
    assert.equal(got, size)
  })
}

test('16 MiB claimed, 10 bytes sent: no more than 4 KiB are held', () => {
  const assembler = new FrameAssembler(16 << 20)
  const length = Buffer.alloc(4)
  length.writeInt32BE(16 << 20)
  const before = process.memoryUsage().arrayBuffers
  const many = Array.from({ length: 200 }, () => {
    const each = new FrameAssembler(16 << 20)
    each.push(length, () => assert.fail('no frame'))
    each.push(new Uint8Array(10), () => assert.fail('no frame'))
    return each
  })
  assert.ok(process.memoryUsage().arrayBuffers - before < 200 * 16 * 1024)
  assert.ok(many.every((each) => each.half) && !assembler.half)
})

test('after a whole frame the next one of that size gets its buffer at once, up to 1 MiB', () => {
  const assembler = new FrameAssembler(16 << 20)
  const begin = (size: number): void => {
    const length = Buffer.alloc(14)
    length.writeInt32BE(size)
    assembler.push(length, () => assert.fail('no frame'))
  }
  const finish = (size: number): void => assembler.push(new Uint8Array(size - 10), () => {})
  begin(100_000)
  assert.equal(assembler.bufferBytes, 4 * 1024)
  finish(100_000)
  begin(100_000)
  assert.equal(assembler.bufferBytes, 100_000)
  finish(100_000)
  begin(50_000)
  assert.equal(assembler.bufferBytes, 50_000)
  finish(50_000)
  begin(4 << 20)
  assert.equal(assembler.bufferBytes, 50_000)
  finish(4 << 20)
  begin(8 << 20)
  assert.equal(assembler.bufferBytes, 1 << 20)
})
