// The sink of the serving store over a broker in memory: what it does when the database is away, went back or is shared.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { type ServingSink, startServingSink } from '../../src/connect/serving-sink.ts'
import { openServing, type ServingPlace } from '../../src/stores/serving.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { temporaryFolder } from '../files/watching.suite.ts'
import { postgresServer } from './postgres-server.ts'
import { appendMore, expectedPlaces, partitions, placesIn, tables } from './sink-work.ts'

const world = nodeWorld()
const { path: folder, remove } = temporaryFolder()
after(remove)

async function withBroker(work: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = await openBroker(world, { dataDir: null, durability: 'power' })
  try {
    for (const { topic } of tables) await broker.createTopic({ name: topic, partitions })
    await work(broker)
  } finally {
    await broker.close()
  }
}
const sinkTo = (broker: Broker, place: ServingPlace): ServingSink =>
  startServingSink(world, broker, () => openServing(world, place, () => undefined), tables)

async function assertSame(broker: Broker, sink: ServingSink): Promise<void> {
  await sink.settled()
  const store = sink.store()
  assert.ok(store !== null)
  for (const table of tables) {
    const expected = await expectedPlaces(broker, table)
    const found = await placesIn(store, table)
    assert.equal(found.size, expected.size, table.name)
    for (const [key, at] of expected) assert.equal(found.get(key), at, `${table.name} ${key}`)
  }
}

test('sink: rows follow the topics; what is no row is counted and left; a table that was emptied fills again', () =>
  withBroker(async (broker) => {
    const sink = sinkTo(broker, { kind: 'sqlite', path: null })
    await appendMore(broker, 'follow', 300)
    await assertSame(broker, sink)
    assert.ok(sink.counts().refused > 10)
    await appendMore(broker, 'follow', 100)
    await assertSame(broker, sink)
    const before = sink.counts().applied
    const appending = tables.find(({ appends }) => appends)
    assert.ok(appending !== undefined)
    await sink.store()?.clear(appending)
    await appendMore(broker, 'follow', 10)
    await assertSame(broker, sink)
    assert.ok(sink.counts().applied - before >= 700, 'all of its rows came again')
    assert.equal(sink.behind(), 0)
    assert.equal(sink.trouble(), null)
    await sink.stop()
  }))

test('sink: a log that is behind its tables (it was put back, or is another one) replaces them', async () => {
  const place: ServingPlace = { kind: 'sqlite', path: `${folder}/back.sqlite` }
  await withBroker(async (broker) => {
    await appendMore(broker, 'one', 200)
    const sink = sinkTo(broker, place)
    await assertSame(broker, sink)
    await sink.stop()
  })
  await withBroker(async (broker) => {
    await appendMore(broker, 'two', 50)
    const sink = sinkTo(broker, place)
    await assertSame(broker, sink)
    await sink.stop()
  })
})

test('sink: two that write the same tables: the later one has them, the earlier one says so and ends', () =>
  withBroker(async (broker) => {
    const place: ServingPlace = { kind: 'sqlite', path: `${folder}/shared.sqlite` }
    await appendMore(broker, 'two', 20)
    const first = sinkTo(broker, place)
    await first.settled()
    const second = sinkTo(broker, place)
    await second.settled()
    await appendMore(broker, 'two', 20)
    assert.match((await first.failed).message, /another Millrace fills this database/)
    await assertSame(broker, second)
    await first.stop()
    await second.stop()
  }))

const server = await postgresServer()
test(
  'sink: PostgreSQL killed again and again, and away at the start',
  {
    skip: typeof server === 'string' ? server : false,
  },
  () =>
    withBroker(async (broker) => {
      assert.ok(typeof server !== 'string')
      try {
        server.stopAtOnce()
        const sink = sinkTo(broker, { kind: 'postgres', url: server.url, allowUnsynced: false })
        await appendMore(broker, 'away', 100)
        while (sink.trouble() === null) await world.clock.sleep(20)
        assert.match(String(sink.trouble()?.message), /PostgreSQL/)
        server.start()
        await assertSame(broker, sink)
        for (let round = 0; round < 5; round++) {
          for (let more = 0; more < 10; more++) await appendMore(broker, 'away', 20)
          server.stopAtOnce()
          await appendMore(broker, 'away', 20)
          server.start()
        }
        await assertSame(broker, sink)
        assert.equal(sink.trouble(), null)
        await sink.stop()
      } finally {
        server.remove()
      }
    }),
)
