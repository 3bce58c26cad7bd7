// The server in the simulated world: bytes cut anew on every connection, delayed, connections that break; and its
// real limits in virtual time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { GroupCoordinator } from '../../src/broker/groups/coordinator.ts'
import { MemoryCore } from '../../src/broker/server/memory-core.suite.ts'
import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import { serveKafka } from '../../src/broker/server/server.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { batchBytes, recordCount } from '../../src/wire/record-batch.ts'
import type { World } from '../../src/world/world.ts'

const topicId = new Uint8Array(16)
function batch(value: string): Uint8Array {
  const writer = new BatchWriter()
  writer.append(null, Buffer.from(value), 0)
  return writer.finish()
}
const toProduce = (value: string) => ({
  acks: -1,
  timeoutMs: 1,
  topicData: [{ name: 't', topicId, partitionData: [{ index: 0, records: batch(value) }] }],
})
const toFetch = (fetchOffset: number, maxWaitMs: number) => ({
  maxWaitMs,
  minBytes: 1,
  maxBytes: 1 << 20,
  topics: [
    {
      topic: 't',
      topicId,
      partitions: [
        {
          partition: 0,
          fetchOffset,
          partitionMaxBytes: 1 << 20,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          replicaDirectoryId: topicId,
          highWatermark: 0,
        },
      ],
    },
  ],
})
async function life<T>(seed: number, main: (world: World, core: MemoryCore) => Promise<T>, resetOdds = 0): Promise<T> {
  const simulation = simulate({ seed, network: { resetOdds, delayMsMax: 5 } })
  const ended = await simulation.run(async (world) => {
    const core = new MemoryCore()
    await core.createTopic({ name: 't', partitions: 1 })
    return main(world, core)
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned', `seed ${seed} ${ended.end}`)
  return ended.end === 'returned' ? ended.value : assert.fail()
}

for (let seed = 1; seed <= 30; seed++) {
  test(`pipelined producer and waiting consumer, bytes cut and delayed (seed ${seed})`, async () => {
    await life(seed, async (world, core) => {
      core.durable = () => world.clock.sleep(world.random.float() * 3)
      const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0 })
      const producer = await RawClient.connect(world, server)
      const consumer = await RawClient.connect(world, server)
      const records = 40
      const produced = (async () => {
        for (let i = 0; i < records; i++) producer.send('produce', 9, toProduce(`value ${i} ${'x'.repeat(i * 97)}`))
        for (let i = 0; i < records; i++) {
          const { body } = await producer.answer('produce', 9)
          assert.equal(body.responses[0]?.partitionResponses[0]?.baseOffset, i)
        }
      })()
      let next = 0
      while (next < records) {
        const { responses } = await consumer.ask('fetch', 11, toFetch(next, 500))
        const bytes = responses[0]?.partitions[0]?.records ?? new Uint8Array(0)
        for (let at = 0; at < bytes.length; at += batchBytes(bytes, at)) next += recordCount(bytes, at)
      }
      await produced
      await server.close()
      assert.equal(server.connections, 0)
    })
  })
}

test('connections that break leave nothing behind, and what was acknowledged stays', async () => {
  for (let seed = 100; seed < 130; seed++) {
    await life(
      seed,
      async (world, core) => {
        const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0 })
        let acknowledged = 0
        let broke = 0
        for (let round = 0; round < 30; round++) {
          const client = await RawClient.connect(world, server)
          client.send('produce', 9, toProduce(`round ${round}`))
          client.send('fetch', 11, toFetch(1_000_000, 20))
          const answer = await client.frame()
          if (answer === null) broke++
          else acknowledged++
          client.socket.destroy()
        }
        await world.clock.sleep(1_000)
        assert.equal(server.connections, 0, `seed ${seed}`)
        assert.equal(server.outboundBytes, 0, `seed ${seed}`)
        assert.ok(core.offsets('t', partitionId(0)).end >= acknowledged)
        assert.ok(broke > 0 && acknowledged > 0, `seed ${seed}: ${broke} broke, ${acknowledged} did not`)
      },
      0.2,
    )
  }
})

test('half a frame is closed after 30 s, silence after 10 minutes, a long poll ends after a minute', async () => {
  await life(7, async (world, core) => {
    const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0 })
    const startMs = world.clock.monoMs()
    const elapsedS = () => (world.clock.monoMs() - startMs) / 1_000
    const half = await RawClient.connect(world, server)
    half.socket.write(Buffer.from('00000010', 'hex'))
    const silent = await RawClient.connect(world, server)
    const patient = await RawClient.connect(world, server)
    patient.send('fetch', 11, toFetch(0, 1 << 30))
    await half.closed
    assert.ok(elapsedS() >= 30 && elapsedS() < 33, `half a frame: ${elapsedS()} s`)
    await patient.answer('fetch', 11)
    assert.ok(elapsedS() >= 60 && elapsedS() < 63, `long poll: ${elapsedS()} s`)
    await silent.closed
    assert.ok(elapsedS() >= 600 && elapsedS() < 603, `silence: ${elapsedS()} s`)
    await server.close()
  })
})
