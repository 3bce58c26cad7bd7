// The server under bad treatment: broken and unfinished frames, too many connections, slow readers, a sudden end.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { type ApiName, apis } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { GroupCoordinator } from '../groups/coordinator.ts'
import type { KafkaServerLimits } from './limits.ts'
import { MemoryCore } from './memory-core.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { serveKafka } from './server.ts'

const world = nodeWorld()
const cleanUps: (() => Promise<unknown>)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})
async function opened(limits: Partial<KafkaServerLimits> = {}) {
  const core = new MemoryCore()
  const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0, limits })
  cleanUps.push(() => server.close())
  return { core, server, client: await RawClient.connect(world, server) }
}
const lengthOf = (size: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  return bytes
}
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (holds()) return
    await world.clock.sleep(5)
  }
  assert.fail(what)
}

for (const size of [0, -1, 0x7fffffff, 100 << 20, (16 << 20) + 1]) {
  test(`a frame length of ${size} closes the connection at once`, async () => {
    const { client } = await opened()
    client.socket.write(lengthOf(size))
    await client.closed
  })
}

test('a frame byte by byte is a frame', async () => {
  const { client } = await opened()
  const request = Buffer.from('0000000c' + '0012' + '0000' + '00000007' + '0002' + '6162', 'hex')
  for (const byte of request) {
    client.socket.write(Buffer.of(byte))
    await world.clock.sleep(1)
  }
  const { correlationId, body } = await client.answer('apiVersions', 0)
  assert.equal(correlationId, 7)
  assert.equal(body.errorCode, 0)
})

test('bytes that are no message close the connection', async () => {
  for (const body of ['0003' + '0001' + '00000001' + 'ffff' + '7fffffff', '0012' + '0003' + '00000001' + '0005']) {
    const { client } = await opened()
    client.socket.write(Buffer.concat([lengthOf(body.length / 2), Buffer.from(body, 'hex')]))
    await client.closed
  }
})

test('half a frame is waited for only so long; whole ones in between are answered', async () => {
  const { client } = await opened({ halfFrameMsMax: 100 })
  await client.ask('metadata', 1, { topics: [] })
  client.socket.write(Buffer.from('0000000c0012', 'hex'))
  await client.closed
})

test('a silent connection is closed, one that waits in a long poll is not', async () => {
  const { core, server, client } = await opened({ idleMsMax: 100 })
  await core.createTopic({ name: 't', partitions: 1 })
  const polling = await RawClient.connect(world, server)
  const topics = [
    {
      topic: 't',
      topicId: new Uint8Array(16),
      partitions: [
        {
          partition: 0,
          fetchOffset: 0,
          partitionMaxBytes: 1,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          replicaDirectoryId: new Uint8Array(16),
          highWatermark: 0,
        },
      ],
    },
  ]
  polling.send('fetch', 11, { maxWaitMs: 2_500, minBytes: 1, topics })
  await client.closed
  assert.equal(polling.isClosed, false)
  assert.equal((await polling.answer('fetch', 11)).body.errorCode, 0)
})

test('connections are limited in all, and freed when one ends', async () => {
  const { server, client } = await opened({ connectionsMax: 2 })
  const second = await RawClient.connect(world, server)
  await second.ask('metadata', 1, { topics: [] })
  const third = await RawClient.connect(world, server)
  await third.closed
  assert.equal(server.connections, 2)
  second.socket.destroy()
  await until(() => server.connections === 1, 'the second is gone')
  const fourth = await RawClient.connect(world, server)
  await fourth.ask('metadata', 1, { topics: [] })
  await client.ask('metadata', 1, { topics: [] })
})

test('connections are limited per address', async () => {
  const { server } = await opened({ connectionsPerAddressMax: 1 })
  const second = await RawClient.connect(world, server)
  await second.closed
})

test('300 connections: each is answered, and all are closed with the server', async () => {
  const { server } = await opened()
  const clients = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(world, server)))
  const answers = await Promise.all(clients.map((client) => client.ask('metadata', 9, { topics: [] })))
  assert.equal(answers.filter(({ brokers }) => brokers.length === 1).length, 300)
  assert.equal(server.connections, 301)
  await server.close()
  await Promise.all(clients.map((client) => client.closed))
  assert.equal(server.connections, 0)
})

test('a long poll whose client is gone is given up', async () => {
  const { core, server, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  client.send('fetch', 11, {
    maxWaitMs: 60_000,
    minBytes: 1,
    topics: [{ topic: 't', topicId: new Uint8Array(16), partitions: [fetchPartition(0, 1)] }],
  })
  await world.clock.sleep(20)
  client.socket.destroy()
  await until(() => server.connections === 0, 'gone')
  await server.close()
  assert.equal(core.listeners, 0)
})

function fetchPartition(fetchOffset: number, partitionMaxBytes: number) {
  return {
    partition: 0,
    fetchOffset,
    partitionMaxBytes,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    replicaDirectoryId: new Uint8Array(16),
    highWatermark: 0,
  }
}

test('a reader that does not read gets no more than its share, and others are served meanwhile', async () => {
  const { core, server, client } = await opened({ fetchBytesMax: 4 << 20 })
  await core.createTopic({ name: 'big', partitions: 1 })
  const writer = new BatchWriter()
  for (let i = 0; i < 8; i++) {
    writer.append(null, new Uint8Array(1 << 20).fill(i), i)
    await core.append('big', partitionId(0), writer.finish())
  }
  const topics = [{ topic: 'big', topicId: new Uint8Array(16), partitions: [fetchPartition(0, 8 << 20)] }]
  client.socket.pause()
  for (let i = 0; i < 40; i++) client.send('fetch', 11, { maxWaitMs: 0, minBytes: 1, maxBytes: 8 << 20, topics })
  await until(() => server.outboundBytes > 0, 'answers pile up')
  await world.clock.sleep(100)
  assert.ok(server.outboundBytes <= 5 << 20, `${server.outboundBytes} bytes for one reader`)
  const other = await RawClient.connect(world, server)
  await other.ask('metadata', 1, { topics: [] })
  client.socket.resume()
  for (let i = 0; i < 40; i++) {
    const { body } = await client.answer('fetch', 11)
    assert.ok(body.responses[0]!.partitions[0]!.records!.length >= 1 << 20)
  }
  await until(() => server.outboundBytes === 0, 'all is taken')
})

test('many slow readers together: answers shrink to one batch each', async () => {
  const { core, server } = await opened({ outboundBytesMax: 1 << 20, fetchBytesMin: 64 * 1024 })
  await core.createTopic({ name: 'big', partitions: 1 })
  const writer = new BatchWriter()
  for (let i = 0; i < 64; i++) {
    writer.append(null, new Uint8Array(64 * 1024).fill(i), i)
    await core.append('big', partitionId(0), writer.finish())
  }
  const topics = [{ topic: 'big', topicId: new Uint8Array(16), partitions: [fetchPartition(0, 4 << 20)] }]
  const readers = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(world, server)))
  for (const reader of readers) {
    reader.socket.pause()
    for (let i = 0; i < 100; i++) reader.send('fetch', 11, { maxWaitMs: 0, minBytes: 1, maxBytes: 4 << 20, topics })
  }
  await world.clock.sleep(500)
  // Each may have about 1 MiB queued before its next request waits; without shrinking it would be 4 MiB and more.
  assert.ok(server.outboundBytes < 60 * (1.3 * (1 << 20)), `${server.outboundBytes} bytes`)
  for (const reader of readers) reader.socket.destroy()
  await until(() => server.outboundBytes === 0, 'nothing is owed to those who left')
})

test('more requests than may be held: the socket is not read on, and each is answered in the end', async () => {
  const { core, client } = await opened({ pipelinedRequestsMax: 4, pipelinedBytesMax: 100_000 })
  await core.createTopic({ name: 't', partitions: 1 })
  const releases: (() => void)[] = []
  let open = false
  core.durable = () => (open ? Promise.resolve() : new Promise((resolve) => releases.push(resolve)))
  const writer = new BatchWriter()
  for (let i = 0; i < 50; i++) {
    writer.append(null, new Uint8Array(50_000), i)
    const partitionData = [{ index: 0, records: writer.finish() }]
    client.send('produce', 9, {
      acks: -1,
      timeoutMs: 1,
      topicData: [{ name: 't', topicId: new Uint8Array(16), partitionData }],
    })
  }
  await world.clock.sleep(150)
  assert.ok(releases.length <= 4, `${releases.length} under way`)
  open = true
  for (const release of releases) release()
  for (let i = 0; i < 50; i++) {
    const { body } = await client.answer('produce', 9)
    assert.equal(body.responses[0]?.partitionResponses[0]?.baseOffset, i)
  }
})

test('close: what is under way is answered first', async () => {
  const { core, server, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  let release = (): void => {}
  core.durable = () =>
    new Promise((resolve) => {
      release = resolve
    })
  const writer = new BatchWriter()
  writer.append(null, new Uint8Array(3), 0)
  client.send('produce', 9, {
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 't', topicId: new Uint8Array(16), partitionData: [{ index: 0, records: writer.finish() }] }],
  })
  await world.clock.sleep(30)
  const closed = server.close()
  await world.clock.sleep(30)
  release()
  const { body } = await client.answer('produce', 9)
  assert.equal(body.responses[0]?.partitionResponses[0]?.errorCode, 0)
  await Promise.all([closed, client.closed])
})

test('frames with random bytes in them are answered or close the connection; the server lives on', async () => {
  const { core, server } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  const seed = 'server-fuzz'
  const random = randomStream(seed)
  const names = Object.keys(apis) as ApiName[]
  for (let round = 0; round < 400; round++) {
    const client = await RawClient.connect(world, server)
    const api = apis[names[random.below(names.length)]!]
    const version = api.versions.min + random.below(api.versions.max - api.versions.min + 1)
    const frame = Buffer.alloc(16 + random.below(100))
    random.fill(frame)
    frame.writeInt32BE(frame.length - 4)
    frame.writeInt16BE(api.key, 4)
    frame.writeInt16BE(version, 6)
    // An empty client id, and tags where they belong, so that bodies are reached too.
    frame.fill(0, 12, 15)
    client.socket.write(frame)
    const answered = await Promise.race([client.frame(), world.clock.sleep(2_000).then(() => 'silence')])
    // A Produce with acks=0 and a Fetch with a long wait are rightly silent.
    assert.ok(answered !== 'silence' || api.key <= 1, `seed ${seed}, round ${round}: ${frame.toString('hex')}`)
    client.socket.destroy()
  }
  const client = await RawClient.connect(world, server)
  assert.equal((await client.ask('metadata', 1, { topics: [] })).brokers.length, 1)
})
