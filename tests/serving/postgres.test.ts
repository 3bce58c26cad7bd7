// The contract of serving stores on a real PostgreSQL, restarted under the sink that fills it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openServing, ServingError } from '../../src/stores/serving.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { postgresServer } from './postgres-server.ts'
import { storeSuite, table } from './store.suite.ts'

const world = nodeWorld()
const server = await postgresServer()

if (typeof server === 'string') test('PostgreSQL as serving store', { skip: server }, () => undefined)
else {
  after(() => server.remove())
  storeSuite('PostgreSQL', () =>
    openServing(world, { kind: 'postgres', url: server.url, allowUnsynced: false }, () => undefined),
  )

  test('PostgreSQL: away is told as such and may be tried again', async () => {
    const store = await openServing(world, { kind: 'postgres', url: server.url, allowUnsynced: false }, () => undefined)
    server.stopAtOnce()
    const away = (error: unknown): boolean => error instanceof ServingError && error.isTransient
    await assert.rejects(store.takeOver(table, 'topic'), away)
    await assert.rejects(
      openServing(world, { kind: 'postgres', url: server.url, allowUnsynced: false }, () => undefined),
      away,
    )
    server.start()
    await store.takeOver(table, 'topic')
    await store.close()
  })

  test('PostgreSQL that does not sync is refused unless it is wanted', async () => {
    const unsynced = await postgresServer(['fsync=off'])
    assert.ok(typeof unsynced !== 'string')
    try {
      const open = (allowUnsynced: boolean) =>
        openServing(world, { kind: 'postgres', url: unsynced.url, allowUnsynced }, () => undefined)
      await assert.rejects(open(false), /fsync = off.*MILLRACE_SERVING_ALLOW_UNSYNCED/s)
      await (await open(true)).close()
    } finally {
      unsynced.remove()
    }
  })
}
