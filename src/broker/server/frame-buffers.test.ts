// Memory of frames is used again, never while somebody looks at it, and is let go of when it is not needed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { FrameBuffers, pooledBytesMin } from './frame-buffers.ts'
import { FrameAssembler } from './frames.ts'
import { kafkaServerLimits } from './limits.ts'
import { RawClient } from './raw-client.suite.ts'
import { opened, toProduce, world } from './server.suite.ts'
import { sharedOf } from './server.ts'

const KiB = 1024

test('what was given back is taken again, once; other memory is nobody’s business', () => {
  const buffers = new FrameBuffers(1 << 20)
  const first = buffers.take(65_600)
  assert.equal(first.length, 80 * KiB)
  buffers.giveBack(first.subarray(0, 65_600))
  buffers.giveBack(first)
  assert.equal(buffers.idleBytes, 80 * KiB)
  assert.equal(buffers.take(70_000), first)
  assert.notEqual(buffers.take(70_000), first)
  buffers.giveBack(new Uint8Array(80 * KiB))
  assert.equal(buffers.idleBytes, 0)
  for (const bytes of [pooledBytesMin - 1, (2 << 20) + 1]) {
    const alone = buffers.take(bytes)
    assert.equal(alone.length, bytes)
    buffers.giveBack(alone)
  }
  assert.equal(buffers.idleBytes, 0)
})

test('a size is rounded up by less than a quarter', () => {
  const buffers = new FrameBuffers(1 << 20)
  for (const bytes of [pooledBytesMin, pooledBytesMin + 1, 20_480, 20_481, 32_768, 65_536, 65_537, 1 << 20, 2 << 20]) {
    const { length } = buffers.take(bytes)
    assert.ok(length >= bytes && length < bytes * 1.25, `${bytes}: ${length}`)
  }
})

test('no more is kept than may be, and what was not needed for a while goes', () => {
  const buffers = new FrameBuffers(100 * KiB)
  const taken = Array.from({ length: 10 }, () => buffers.take(20 * KiB))
  for (const each of taken) buffers.giveBack(each)
  assert.equal(buffers.idleBytes, 100 * KiB)
  buffers.look()
  // Two of five are needed.
  const again = [buffers.take(20 * KiB), buffers.take(20 * KiB)]
  for (const each of again) buffers.giveBack(each)
  buffers.look()
  assert.equal(buffers.idleBytes, 40 * KiB)
  buffers.look()
  assert.equal(buffers.idleBytes, 0)
})

test('any cut gives the same frames in memory that others have used', () => {
  const seed = 'frames in used memory'
  const random = randomStream(seed)
  const buffers = new FrameBuffers(1 << 20, true)
  const assembler = new FrameAssembler(1 << 20, undefined, buffers)
  for (let round = 0; round < 200; round++) {
    const frame = random.fill(new Uint8Array(8 + random.below(random.below(2) === 0 ? 60 : 200_000)))
    const bytes = new Uint8Array(4 + frame.length)
    new DataView(bytes.buffer).setInt32(0, frame.length)
    bytes.set(frame, 4)
    let frames = 0
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(100_000))
      assembler.push(bytes.slice(at, end), (got) => {
        frames++
        assert.ok(Buffer.from(frame).equals(got), `seed ${seed}, round ${round}`)
        buffers.giveBack(got)
      })
      at = end
    }
    assert.equal(frames, 1)
  }
  assert.ok(buffers.idleBytes > 0)
})

test('memory of answered requests is overwritten, and the log still holds what was sent', async () => {
  const seed = 'answered'
  const random = randomStream(seed)
  const frames = new FrameBuffers(kafkaServerLimits.idleFramesBytesMax, true)
  const { core, server, client } = await opened({}, [], (core) => ({ ...sharedOf(world, core), frames }))
  await core.createTopic({ name: 't', partitions: 3 })
  const clients = [client, await RawClient.connect(world, server), await RawClient.connect(world, server)]
  const sent: Uint8Array[][] = [[], [], []]
  for (let round = 0; round < 40; round++) {
    for (const [partition, each] of clients.entries()) {
      const writer = new BatchWriter()
      const records = 1 + random.below(3)
      for (let i = 0; i < records; i++) writer.append(null, random.fill(new Uint8Array(random.below(60_000))), 1_000)
      const batch = writer.finish()
      sent[partition]!.push(batch.slice(61))
      // To a topic that is there, and to one that the first of them makes.
      const acks = round % 7 === 0 ? 0 : -1
      each.send('produce', 9, { ...toProduce('t', partition, batch), acks })
      each.send('produce', 9, { ...toProduce(`new-${round % 2}`, 0, batch), acks: -1 })
    }
    for (const each of clients) {
      for (let answers = round % 7 === 0 ? 1 : 2; answers > 0; answers--) await each.answer('produce', 9)
    }
  }
  assert.ok(frames.idleBytes > 0, 'memory was given back')
  for (const [partition, batches] of sent.entries()) {
    const { end } = core.offsets('t', partitionId(partition))
    const held: Uint8Array[] = []
    for (let from = 0; from < end; ) {
      const read = await core.read('t', partitionId(partition), from as never, 1 << 20)
      for (const batch of read) {
        held.push(batch.slice(61))
        from += new DataView(batch.buffer, batch.byteOffset).getInt32(23) + 1
      }
    }
    assert.equal(held.length, batches.length)
    for (const [i, batch] of batches.entries()) assert.ok(Buffer.from(batch).equals(held[i]!), `seed ${seed}, ${i}`)
  }
})
