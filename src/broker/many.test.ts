// A thousand connections and a thousand partitions: all of them work.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import { batchOf } from './broker.suite.ts'
import { openBroker } from './broker.ts'
import { RawClient } from './server/raw-client.suite.ts'
import { fetchDefaults, toProduce } from './server/server.suite.ts'

test('1,000 connections write to 1,000 partitions, and read them all in one session', async () => {
  const world = nodeWorld()
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  const address = await broker.listen({ host: '127.0.0.1', port: 0 })
  try {
    const first = await RawClient.connect(world, address)
    const topic = { name: 'wide', numPartitions: 1_000, replicationFactor: 1, assignments: [], configs: [] }
    const created = await first.ask('createTopics', 4, { topics: [topic], timeoutMs: 10_000 })
    assert.equal(created.topics[0]?.errorCode, 0)
    const clients: RawClient[] = [first]
    // A listener's queue is not endless: some at a time.
    while (clients.length < 1_000) {
      const some = Array.from({ length: Math.min(100, 1_000 - clients.length) }, () =>
        RawClient.connect(world, address),
      )
      clients.push(...(await Promise.all(some)))
    }
    const written = await Promise.all(
      clients.map((client, partition) =>
        client.ask('produce', 9, toProduce('wide', partition, batchOf([`p${partition}`]))),
      ),
    )
    for (const { responses } of written) {
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
      assert.deepEqual([errorCode, baseOffset], [0, 0])
    }
    assert.equal(broker.stats().connections, 1_000)
    const metadata = await Promise.all(
      clients.slice(0, 50).map((client) => client.ask('metadata', 12, { topics: null })),
    )
    for (const { topics } of metadata) assert.equal(topics[0]?.partitions.length, 1_000)

    const partitions = Array.from({ length: 1_000 }, (_, partition) => ({
      ...fetchDefaults,
      partition,
      fetchOffset: 0,
      partitionMaxBytes: 1 << 20,
    }))
    const wanted = { maxWaitMs: 0, minBytes: 1, maxBytes: 16 << 20, sessionId: 0, sessionEpoch: 0 }
    const topics = [{ topic: 'wide', topicId: new Uint8Array(16), partitions }]
    const all = await first.ask('fetch', 12, { ...wanted, topics })
    assert.equal(all.responses[0]?.partitions.filter(({ records }) => (records?.length ?? 0) > 0).length, 1_000)

    // All of them wait for one partition each; each is woken by its own.
    const { sessionId } = all
    const moved = partitions.map((each) => ({ ...each, fetchOffset: 1 }))
    const nothing = await first.ask('fetch', 12, {
      ...wanted,
      sessionId,
      sessionEpoch: 1,
      topics: [{ ...topics[0]!, partitions: moved }],
    })
    assert.deepEqual(nothing.responses, [])
    const waiting = clients.slice(1).map((client, i) =>
      client.ask('fetch', 12, {
        ...wanted,
        sessionEpoch: -1,
        maxWaitMs: 60_000,
        topics: [{ ...topics[0]!, partitions: [moved[i + 1]!] }],
      }),
    )
    for (let partition = 1; partition < 1_000; partition++) {
      first.send('produce', 9, toProduce('wide', partition, batchOf(['more'])))
    }
    for (let partition = 1; partition < 1_000; partition++) await first.answer('produce', 9)
    for (const [i, { responses }] of (await Promise.all(waiting)).entries()) {
      const answer = responses[0]!.partitions[0]!
      assert.deepEqual([answer.partitionIndex, answer.errorCode], [i + 1, 0])
      assert.ok((answer.records?.length ?? 0) > 0)
    }
    for (const client of clients) client.socket.destroy()
  } finally {
    await broker.close()
  }
})
