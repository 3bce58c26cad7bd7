// Memory of all connections together, and what happens at its limits: reading stops and goes on, answers shrink, and who
// stands in the way of all others is let go of. In virtual time, over the simulated network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { partitionId } from '../../std/units.ts'
import type { World } from '../../world/world.ts'
import { type Broker, openBroker, SlowDiskError } from '../broker.ts'
import { GroupCoordinator } from '../groups/coordinator.ts'
import type { ReadRoom } from '../read-room.ts'
import { Flow, type Holder } from './flow.ts'
import { type KafkaServerLimits, kafkaServerLimits } from './limits.ts'
import { MemoryCore } from './memory-core.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { batch, opened, toFetch, toProduce } from './server.suite.ts'
import { type KafkaServer, serveKafka } from './server.ts'

const KiB = 1024
const MiB = 1024 * KiB
/** What one connection may have brought before it is noticed that there is no room. */
const readBytes = 64 * KiB

interface House {
  readonly world: World
  readonly core: MemoryCore
  readonly server: KafkaServer
  connect(): Promise<RawClient>
}
async function simulated(limits: Partial<KafkaServerLimits>, run: (house: House) => Promise<void>): Promise<void> {
  const ended = await simulate({ seed: 'flow' }).run(async (world) => {
    const core = new MemoryCore()
    await core.createTopic({ name: 't', partitions: 1 })
    const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0, limits })
    await run({ world, core, server, connect: () => RawClient.connect(world, server) })
    await server.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
}
const values = (bytes: number): Uint8Array => batch(['x'.repeat(bytes)])

test('requests of all connections: no socket is read on above the limit; all are answered in the end', () =>
  simulated({ inboundBytesMax: 1 * MiB, pipelinedBytesMax: 512 * KiB }, async ({ world, core, server, connect }) => {
    const releases: (() => void)[] = []
    let open = false
    core.durable = () => (open ? Promise.resolve() : new Promise((resolve) => releases.push(resolve)))
    const clients = await Promise.all(Array.from({ length: 12 }, connect))
    for (const client of clients) {
      for (let i = 0; i < 20; i++) client.send('produce', 9, toProduce('t', 0, values(20 * KiB)))
    }
    let most = 0
    for (let i = 0; i < 100; i++) {
      await world.clock.sleep(50)
      most = Math.max(most, server.inboundBytes)
    }
    assert.ok(most >= 1 * MiB, 'the limit was reached')
    assert.ok(most <= 1 * MiB + clients.length * readBytes, `${most} bytes`)
    open = true
    for (const release of releases) release()
    for (const client of clients) {
      for (let i = 0; i < 20; i++) {
        const { body } = await client.answer('produce', 9)
        assert.equal(body.responses[0]?.partitionResponses[0]?.errorCode, 0)
      }
    }
    assert.equal(server.inboundBytes, 0)
  }))

test('unfinished frames fill the room: after a while the largest go, and others are served', () =>
  simulated({ inboundBytesMax: 1 * MiB, inboundFullMsMax: 3_000 }, async ({ world, server, connect }) => {
    const claim = Buffer.alloc(4)
    claim.writeInt32BE(8 * MiB)
    const hoarders = await Promise.all(Array.from({ length: 6 }, connect))
    for (const { socket } of hoarders) {
      socket.write(claim)
      socket.write(new Uint8Array(300 * KiB))
    }
    await world.clock.sleep(500)
    assert.ok(server.inboundBytes >= 1 * MiB)
    assert.ok(server.inboundBytes <= 2 * (1 * MiB + hoarders.length * readBytes), `${server.inboundBytes} bytes`)
    const honest = await connect()
    const startMs = world.clock.monoMs()
    // What it sends first is read with its connection and served at once; then it waits like all.
    for (let i = 0; i < 3; i++) await honest.ask('produce', 9, toProduce('t', 0, values(100)))
    assert.ok(world.clock.monoMs() - startMs < 6_000)
    const gone = hoarders.filter(({ isClosed }) => isClosed).length
    assert.ok(gone >= 1 && gone < hoarders.length, `${gone} went`)
  }))

test('requests that wait behind a long poll are no way to fill the room either', () =>
  simulated({ inboundBytesMax: 1 * MiB, inboundFullMsMax: 3_000 }, async ({ world, core, server, connect }) => {
    await core.createTopic({ name: 'other', partitions: 1 })
    const hoarder = await connect()
    hoarder.send('fetch', 11, toFetch('t', 0, { maxWaitMs: 60_000 }))
    for (let i = 0; i < 40; i++) hoarder.send('produce', 9, toProduce('t', 0, values(40 * KiB)))
    await world.clock.sleep(500)
    assert.ok(server.inboundBytes >= 1 * MiB && server.inboundBytes <= 1 * MiB + readBytes)
    const honest = await connect()
    for (let i = 0; i < 3; i++) await honest.ask('produce', 9, toProduce('other', 0, values(100)))
    assert.equal(hoarder.isClosed, true)
  }))

test('readers that take nothing: a bounded sum, others are served, and in the end they are let go of', () =>
  simulated(
    { outboundBytesMax: 2 * MiB, fetchBytesMin: 16 * KiB, stillMsMax: 4_000 },
    async ({ world, core, server, connect }) => {
      for (let i = 0; i < 64; i++) await core.append('t', partitionId(0), values(16 * KiB))
      const stalled = await Promise.all(Array.from({ length: 40 }, connect))
      for (const client of stalled) {
        client.socket.pause()
        for (let i = 0; i < 20; i++) client.send('fetch', 11, toFetch('t', 0))
      }
      let most = 0
      const honest = await connect()
      let served = 0
      let waited = 0
      for (let i = 0; i < 60; i++) {
        await world.clock.sleep(20)
        most = Math.max(most, server.outboundBytes)
        const { responses, throttleTimeMs } = await honest.ask('fetch', 11, toFetch('t', 0, { maxBytes: 1 }))
        if (responses.length === 0) assert.equal(throttleTimeMs, 100)
        if (responses.length === 0) waited++
        else served++
      }
      assert.ok(most > 1 * MiB, `${most} bytes: the limit mattered`)
      assert.ok(most <= 2 * MiB + 17 * KiB, `${most} bytes`)
      await world.clock.sleep(10_000)
      const gone = stalled.filter(({ isClosed }) => isClosed).length
      assert.ok(gone > 0, `${gone} let go of`)
      assert.ok(server.outboundBytes < 1 * MiB, `${server.outboundBytes} bytes are left`)
      const after = await honest.ask('fetch', 11, toFetch('t', 0))
      assert.ok((after.responses[0]?.partitions[0]?.records?.length ?? 0) > 0, `${served} served, ${waited} waited`)
    },
  ))

test('one reader that takes nothing holds no more than its queue and one answer', () =>
  simulated(
    { connectionOutboundBytesMax: 256 * KiB, fetchBytesMax: 512 * KiB },
    async ({ world, core, server, connect }) => {
      for (let i = 0; i < 64; i++) await core.append('t', partitionId(0), values(16 * KiB))
      const stalled = await connect()
      stalled.socket.pause()
      for (let i = 0; i < 60; i++) stalled.send('fetch', 11, toFetch('t', 0))
      for (let i = 0; i < 40; i++) {
        await world.clock.sleep(50)
        assert.ok(server.outboundBytes <= (256 + 512 + 17) * KiB, `${server.outboundBytes} bytes`)
      }
      assert.ok(server.outboundBytes >= 256 * KiB)
      stalled.socket.destroy()
      await world.clock.sleep(1_000)
      assert.equal(server.outboundBytes, 0)
    },
  ))

test('small answers that a reader does not take do not keep the large memory they were read into', () =>
  simulated({}, async ({ world, core, connect }) => {
    const batches = Array.from({ length: 60 }, (_, i) => batch([`${i} `.repeat(1_500)]))
    for (const each of batches) await core.append('t', partitionId(0), each)
    const reads = core.read.bind(core)
    const memory = new Set<ArrayBufferLike>()
    core.read = async (topic, partition, from, _, room?: ReadRoom) => {
      const [found] = await reads(topic, partition, from, 1)
      const all = room?.take(1_000 * KiB)
      assert.ok(found !== undefined && all !== undefined)
      memory.add(all.buffer)
      all.fill(0xee)
      all.set(found)
      return [all.subarray(0, found.length)]
    }
    const client = await connect()
    client.socket.pause()
    for (let i = 0; i < batches.length; i++) client.send('fetch', 11, toFetch('t', i))
    await world.clock.sleep(3_000)
    assert.ok(memory.size <= 30, `${memory.size} answers, each a megabyte`)
    client.socket.resume()
    for (let i = 0; i < batches.length; i++) {
      const { body } = await client.answer('fetch', 11)
      const records = body.responses[0]!.partitions[0]!.records!
      assert.ok(Buffer.from(records.subarray(61)).equals(batches[i]!.subarray(61)), `answer ${i}`)
    }
    // What was in the way when it began to be slow, and the one that is filled.
    assert.ok(memory.size <= 30, `${memory.size} in the end`)
  }))

test('twice the limit of answers: who stood still longest goes at once', () => {
  const flow = new Flow({ ...kafkaServerLimits, outboundBytesMax: 1_000 })
  const gone: string[] = []
  const holder = (name: string, stillSinceMs: number, queuedBytes: number): Holder => {
    const each: Holder = {
      idleInboundBytes: 0,
      queuedBytes,
      stillSinceMs,
      readOn() {},
      letGo() {
        gone.push(name)
        flow.countOutbound(-queuedBytes)
      },
    }
    flow.add(each)
    flow.countOutbound(queuedBytes)
    return each
  }
  holder('young', 30, 600)
  holder('old', 10, 500)
  holder('older but empty', 0, 0)
  holder('middle', 20, 900)
  assert.deepEqual(gone, [])
  holder('last', 40, 1)
  assert.deepEqual(gone, ['old'])
  assert.equal(flow.outboundBytes, 1_501)
  assert.equal(flow.fetchBytes(0), 0)
})

test('a large request takes several turns, and what follows it on its connection comes after it in the log', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 'many', partitions: 8 })
  const partitionData = Array.from({ length: 8 }, (_, index) => ({ index, records: values(900 * KiB) }))
  partitionData.push({ index: 7, records: values(5 * MiB) })
  // Damage inside a batch that is larger than a turn.
  const damaged = values(3 * MiB)
  damaged[2 * MiB] = 0
  partitionData.push({ index: 0, records: damaged })
  const topicId = new Uint8Array(16)
  client.send('produce', 9, { acks: -1, timeoutMs: 1, topicData: [{ name: 'many', topicId, partitionData }] })
  client.send('produce', 9, toProduce('many', 7, values(10)))
  const large = (await client.answer('produce', 9)).body.responses[0]!.partitionResponses
  assert.deepEqual(
    large.map(({ index, errorCode, baseOffset }) => [index, errorCode, baseOffset]),
    [...Array.from({ length: 8 }, (_, index) => [index, 0, 0]), [7, 0, 1], [0, 2, -1]],
  )
  const small = (await client.answer('produce', 9)).body.responses[0]!.partitionResponses
  assert.equal(small[0]?.baseOffset, 2)
})

/** A disk whose syncs take so long from now on. */
function slowDisk(world: World): { readonly world: World; syncMs: number } {
  const slow = {
    syncMs: 0,
    world: {
      ...world,
      fs: {
        list: (path: string) => world.fs.list(path),
        mkdir: (path: string) => world.fs.mkdir(path),
        rename: (from: string, to: string) => world.fs.rename(from, to),
        link: (from: string, to: string) => world.fs.link(from, to),
        removeTree: (path: string) => world.fs.removeTree(path),
        space: (path: string) => world.fs.space(path),
        stat: (path: string) => world.fs.stat(path),
        syncFolder: (path: string) => world.fs.syncFolder(path),
        unlink: (path: string) => world.fs.unlink(path),
        open: (path: string, mode: 'read' | 'write' | 'create') => {
          const file = world.fs.open(path, mode)
          return {
            path: file.path,
            write: (bytes: Uint8Array, position: number) => file.write(bytes, position),
            read: (into: Uint8Array, position: number) => file.read(into, position),
            sizeBytes: () => file.sizeBytes(),
            truncate: (sizeBytes: number) => file.truncate(sizeBytes),
            close: () => file.close(),
            async sync() {
              if (slow.syncMs > 0) await world.clock.sleep(slow.syncMs)
              await file.sync()
            },
          }
        },
      },
    },
  }
  return slow
}
async function withSlowDisk(syncMs: number, run: (world: World, broker: Broker, server: KafkaServer) => Promise<void>) {
  const ended = await simulate({ seed: `slow disk ${syncMs}` }).run(async (world) => {
    const disk = slowDisk(world)
    const broker = await openBroker(disk.world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
    await broker.createTopic({ name: 't', partitions: 1 })
    const limits = { inboundBytesMax: 1 * MiB, pipelinedBytesMax: 256 * KiB }
    const server = await serveKafka(world, broker, new GroupCoordinator(world, broker), { port: 0, limits })
    disk.syncMs = syncMs
    await run(world, broker, server)
    disk.syncMs = 0
    await server.close()
    await broker.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
}
for (const syncMs of [200, 2_000, 30_000]) {
  test(`a sync takes ${syncMs} ms: bounded memory, honest readiness, every batch is answered and there`, () =>
    withSlowDisk(syncMs, async (world, broker, server) => {
      const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(world, server)))
      const each = 15
      for (const client of clients) {
        for (let i = 0; i < each; i++) client.send('produce', 9, toProduce('t', 0, values(30 * KiB)))
      }
      let most = 0
      let longestMs = 0
      let done = false
      const watching = (async () => {
        while (!done) {
          await world.clock.sleep(100)
          const { pendingBytes, waitingMs } = broker.stats().journal
          most = Math.max(most, server.inboundBytes + pendingBytes)
          longestMs = Math.max(longestMs, waitingMs)
          assert.equal(broker.trouble() instanceof SlowDiskError, waitingMs >= 5_000)
          assert.equal(broker.isPaused(), waitingMs >= 5_000)
        }
      })()
      let throttled = 0
      for (const client of clients) {
        for (let i = 0; i < each; i++) {
          const { body } = await client.answer('produce', 9)
          assert.equal(body.responses[0]?.partitionResponses[0]?.errorCode, 0)
          if (body.throttleTimeMs > 0) throttled++
        }
      }
      done = true
      await watching
      // Frames, and the journal's copies of their batches.
      assert.ok(most <= 2 * (1 * MiB + clients.length * readBytes) + 64 * KiB, `${most} bytes`)
      assert.ok(longestMs >= syncMs && (syncMs < 5_000 || longestMs > 5_000))
      assert.equal(throttled > 0, syncMs >= 2_000, `${throttled} were asked to come more slowly`)
      assert.equal(broker.trouble(), null)
      assert.equal(broker.offsets('t', partitionId(0)).end, clients.length * each)
    }))
}

test('a frame of exactly the limit is read, one byte more closes the connection', () =>
  simulated({ frameBytesMax: 1_000 }, async ({ connect }) => {
    const frameOf = (size: number): Buffer => {
      const topics = 'a'.repeat(size - 14 - 2)
      const body = Buffer.from('0003000100000001ffff00000001', 'hex')
      const length = Buffer.alloc(4)
      length.writeInt32BE(size)
      const name = Buffer.alloc(2)
      name.writeInt16BE(topics.length)
      return Buffer.concat([length, body, name, Buffer.from(topics)])
    }
    const client = await connect()
    client.socket.write(frameOf(1_000))
    assert.equal((await client.answer('metadata', 1)).body.topics.length, 1)
    client.socket.write(frameOf(1_001))
    assert.equal(await client.frame(), null)
  }))

test('a long poll is answered at its limit, whatever the client asks for', () =>
  simulated({ fetchWaitMsMax: 5_000 }, async ({ world, connect }) => {
    const client = await connect()
    const startMs = world.clock.monoMs()
    await client.ask('fetch', 11, toFetch('t', 0, { maxWaitMs: 0x7fff_ffff }))
    const tookMs = world.clock.monoMs() - startMs
    assert.ok(tookMs >= 5_000 && tookMs < 5_100, `${tookMs} ms`)
  }))
