// 100,000 mutated frames, and as many others as one likes by command (`npm run fuzz`): nothing thrown, nothing long, answers that can be read,
// and never more decoded than a frame of its size may hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import { ByteReader } from '../../src/wire/byte-reader.ts'
import { apis } from '../../src/wire/wire.ts'
import { WireError } from '../../src/wire/wire-error.ts'
import { fuzz } from './fuzzing.ts'
import { mutated, recordedFrames } from './mutations.ts'

test('the recorded frames are of three clients, and whole', () => {
  const frames = recordedFrames()
  assert.deepEqual([...new Set(frames.map(({ client }) => client))].sort(), ['kafkajs', 'kcat', 'platformatic'])
  for (const { apiKey, version, bytes } of frames) {
    const api = Object.values(apis).find(({ key }) => key === apiKey)
    assert.ok(api !== undefined && version >= api.versions.min && version <= api.versions.max)
    const reader = new ByteReader(bytes, 8)
    reader.string(false)
    if (api.request.isFlexible(version)) reader.uvarint()
    api.request.read(reader, version)
    assert.equal(reader.left, 0)
  }
})

test('100,000 mutated frames: answered, disconnected, or rightly waiting', async () => {
  const { answered, closed, silent } = await fuzz('frames', 100_000)
  assert.equal(answered + closed + silent, 100_000)
  // Mutations that reach nothing would prove nothing.
  assert.ok(answered > 15_000 && closed > 15_000, `${answered} answered, ${closed} closed, ${silent} silent`)
})

test('30,000 mutated frames: what is decoded is four times the frame and 64 KiB, as it is accounted for', () => {
  const frames = recordedFrames()
  const random = randomStream('decoded')
  let read = 0
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < 30_000; i++) {
    const frame = mutated(frames, random)
    if (frame.length < 8) continue
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
    const [apiKey, version] = [view.getInt16(0), view.getInt16(2)]
    const api = Object.values(apis).find(({ key }) => key === apiKey)
    if (api === undefined || version < api.versions.min || version > api.versions.max) continue
    const reader = new ByteReader(frame, 8)
    try {
      reader.string(false)
      if (api.request.isFlexible(version)) reader.uvarint()
      api.request.read(reader, version)
      read++
    } catch (error) {
      if (!(error instanceof WireError)) throw new Error(Buffer.from(frame).toString('hex'), { cause: error })
    }
    assert.ok(reader.at <= frame.length)
    const taken = 64 * 1024 + 4 * frame.length - reader.decodedBytesLeft
    if (reader.decodedBytesLeft >= 0) most = Math.max(most, taken - 4 * frame.length)
  }
  assert.ok(
    read > 5_000 && most > 0 && most <= 64 * 1024,
    `${read} were read to their end, ${most} bytes above the four`,
  )
})
