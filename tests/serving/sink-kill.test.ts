// The sinks of both serving stores, killed with SIGKILL again and again while they write: each offset is in every table
// exactly once, and the tables hold of each key the newest.
//
//   MILLRACE_KILLS=1000 npm test -- tests/serving/sink-kill
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '../../src/broker/broker.ts'
import { startServingSink } from '../../src/connect/serving-sink.ts'
import { randomStream } from '../../src/std/random.ts'
import { partitionId } from '../../src/std/units.ts'
import { openServing, type ServingPlace } from '../../src/stores/serving.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { temporaryFolder } from '../files/watching.suite.ts'
import { postgresServer } from './postgres-server.ts'
import { expectedPlaces, partitions, placesIn, tables } from './sink-work.ts'

const kills = Number(process.env.MILLRACE_KILLS ?? 25)
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const child = fileURLToPath(new URL('sink-child.ts', import.meta.url))
const world = nodeWorld()

test(`${kills} kills over the sinks of SQLite and PostgreSQL: each offset once`, {
  timeout: 60_000 + kills * 8_000,
}, async (t) => {
  const again = `MILLRACE_SEED=${seed} MILLRACE_KILLS=${kills} npm test -- tests/serving/sink-kill`
  t.diagnostic(`replay: ${again}`)
  const random = randomStream(`sink-kill/${seed}`)
  const { path: dataDir, remove } = temporaryFolder()
  const server = await postgresServer()
  if (typeof server === 'string') t.diagnostic(`SQLite alone: ${server}`)
  const url = typeof server === 'string' ? '' : server.url
  try {
    for (let kill = 0; kill < kills; kill++) {
      // One in five dies while it still opens, the others while rows go in.
      const word = random.below(5) === 0 ? 'begun' : 'up'
      const { complaints } = await live(dataDir, url, word, random.below(250))
      assert.equal(complaints, '', `life ${kill}; ${again}`)
    }
    const broker = await openBroker(world, { dataDir, durability: 'power', freeBytesMin: 0 })
    const places: ServingPlace[] = [{ kind: 'sqlite', path: join(dataDir, 'serving.sqlite') }]
    if (url !== '') places.push({ kind: 'postgres', url, allowUnsynced: true })
    for (const place of places) {
      const sink = startServingSink(world, broker, () => openServing(world, place, () => undefined), tables)
      await sink.settled()
      const store = sink.store()
      assert.ok(store !== null)
      const { applied } = sink.counts()
      let sent = 0
      for (const table of tables) {
        const expected = await expectedPlaces(broker, table)
        for (let p = 0; p < partitions; p++) sent += broker.offsets(table.topic, partitionId(p)).end
        const found = await placesIn(store, table)
        assert.ok(expected.size > 30, `${expected.size} rows mean little`)
        assert.equal(found.size, expected.size, `${place.kind} ${table.name}; ${again}`)
        for (const [key, at] of expected)
          assert.equal(found.get(key), at, `${place.kind} ${table.name} ${key}; ${again}`)
      }
      // The lives before have done most of it: else their deaths would mean little.
      assert.ok(applied < sent / 2, `${applied} of ${sent} records by the last life`)
      t.diagnostic(`${place.kind}: ${sent} records, ${applied} of them by the last life`)
      await sink.stop()
    }
    await broker.close()
  } finally {
    if (typeof server !== 'string') server.remove()
    remove()
  }
})

/** Killed so long after it has said the word. */
function live(dataDir: string, url: string, word: string, afterMs: number): Promise<{ readonly complaints: string }> {
  const running = spawn(process.execPath, [child, dataDir, seed, url], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  let said = ''
  running.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    if (said.includes(word)) setTimeout(() => running.kill('SIGKILL'), afterMs)
  })
  running.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString()
  })
  return new Promise((resolve) => running.on('close', () => resolve({ complaints })))
}
