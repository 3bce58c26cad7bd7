// Frames in memory that others have used: any cut gives the same, and what the log keeps is its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { MemoryPool } from '../memory-pool.ts'
import { FrameAssembler } from './frames.ts'
import { kafkaServerLimits } from './limits.ts'
import { RawClient } from './raw-client.suite.ts'
import { opened, toProduce, world } from './server.suite.ts'
import { sharedOf } from './server.ts'

test('any cut gives the same frames in memory that others have used', () => {
  const seed = 'frames in used memory'
  const random = randomStream(seed)
  const memory = new MemoryPool(1 << 20, true)
  const assembler = new FrameAssembler(1 << 20, undefined, memory)
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
        memory.giveBack(got)
      })
      at = end
    }
    assert.equal(frames, 1)
  }
  assert.ok(memory.idleBytes > 0)
})

test('memory of answered requests is overwritten, and the log still holds what was sent', async () => {
  const seed = 'answered'
  const random = randomStream(seed)
  const memory = new MemoryPool(kafkaServerLimits.idleMemoryBytesMax, true)
  const { core, server, client } = await opened({}, [], (core) => ({ ...sharedOf(world, core), memory }))
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
  assert.ok(memory.idleBytes > 0, 'memory was given back')
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
