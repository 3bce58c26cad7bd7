// The cluster goes away and comes back while a log on it appends and commits: what was under way is there once, or the log
// says that it is not; and orders that no snapshot needs are let go.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { openBroker } from '../../src/broker/broker.ts'
import { recordsWithin } from '../../src/connect/kafka/reading.ts'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { type Commit, type Cursor, LogError } from '../../src/log/log.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { isControl } from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { clientsFolder } from '../../tools/clients.ts'
import { freePorts, libsIn, missingForKafka, startKafka } from '../../tools/kafka-node.ts'
import { recordsIn, temporaryFolder } from '../files/watching.suite.ts'
import { batchOf, bytesOf, drained, textOf } from './log-contract.suite.ts'

const world = nodeWorld()
/** One that the tests may kill: not that of TEST_KAFKA. */
const ownKafkaIsMissing: string | null = existsSync(libsIn(clientsFolder))
  ? missingForKafka(clientsFolder)
  : 'the jars of Apache Kafka are not prepared on this machine: npm run clients'
const p0 = partitionId(0)

interface RestartedCluster {
  readonly address: string
  /** It goes away, and is there again at the same address. */
  restart(): Promise<void>
  close(): Promise<void>
}
async function ours(): Promise<RestartedCluster> {
  const { path: dataDir, remove } = temporaryFolder()
  const open = async (port: number) => {
    const broker = await openBroker(world, { dataDir, durability: 'process', freeBytesMin: 0 })
    return { broker, port: (await broker.listen({ host: '127.0.0.1', port })).port }
  }
  let cluster = await open(0)
  const { port } = cluster
  return {
    address: `127.0.0.1:${port}`,
    async restart() {
      await cluster.broker.close()
      await world.clock.sleep(100)
      cluster = await open(port)
    },
    async close() {
      await cluster.broker.close()
      remove()
    },
  }
}
/** Killed with SIGKILL under the appends and commits. */
async function apacheKafka(): Promise<RestartedCluster> {
  const { path: dataDir, remove } = temporaryFolder()
  const [port, controllerPort] = await freePorts(2)
  const start = () => startKafka({ libs: libsIn(clientsFolder), dataDir, port: port!, controllerPort: controllerPort! })
  let node = await start()
  return {
    address: node.address,
    async restart() {
      await node.kill()
      node = await start()
    },
    async close() {
      await node.kill()
      remove()
    },
  }
}

restartsTest('a cluster of ours that restarts again and again', ours, { restarts: 6, lifeMs: 300, patienceMs: 20_000 })
if (ownKafkaIsMissing === null) {
  restartsTest('Apache Kafka that is killed twice', apacheKafka, { restarts: 2, lifeMs: 2_000, patienceMs: 90_000 })
} else test('Apache Kafka that is killed twice', { skip: ownKafkaIsMissing }, () => {})

function restartsTest(
  name: string,
  open: () => Promise<RestartedCluster>,
  settings: { readonly restarts: number; readonly lifeMs: number; readonly patienceMs: number },
): void {
  test(`${name}: appends and commits are there once, in order`, { timeout: 300_000 }, () => run(open, settings))
}
async function run(
  open: () => Promise<RestartedCluster>,
  { restarts, lifeMs, patienceMs }: { readonly restarts: number; readonly lifeMs: number; readonly patienceMs: number },
): Promise<void> {
  const cluster = await open()
  const log = await openKafkaLog(world, { brokers: [cluster.address], patienceMs, lookEveryMs: 200 })
  let isOver = false
  try {
    for (const name of ['appended', 'committed']) await log.createTopic({ name, partitions: 1 })
    const job = await log.takeJob('job')
    let appends = 0
    let commits = 0
    const restarting = (async () => {
      try {
        for (let restart = 0; restart < restarts; restart++) {
          // Work has to have begun, or nothing is under way when it goes.
          const [before, committed] = [appends, commits]
          await world.clock.sleep(lifeMs)
          while (appends < before + 5 || commits === committed) await world.clock.sleep(20)
          await cluster.restart()
        }
      } finally {
        isOver = true
      }
    })()
    const appending = (async () => {
      while (!isOver) {
        const results = await Promise.all(
          Array.from({ length: 5 }, () => log.append('appended', p0, batchOf(String(appends++)))),
        )
        assert.ok(results.every(({ baseOffset }, i) => i === 0 || baseOffset === results[i - 1]!.baseOffset + 1))
      }
    })()
    let refusals = 0
    const committing = (async () => {
      while (!isOver) {
        const appends: Commit['appends'] = [{ topic: 'committed', partition: p0, batch: batchOf(String(commits)) }]
        const commit: Commit = { job: 'job', epoch: job.epoch, previous: job.cursor, cursor: job.cursor, appends }
        for (;;) {
          try {
            await log.commit(commit)
            break
          } catch (error) {
            if (!(error instanceof LogError && error.isTransient)) throw error
            refusals++
            // The test has failed elsewhere: this must not go round for ever.
            if (isOver) return
            await world.clock.sleep(20)
          }
        }
        commits++
      }
    })()
    await Promise.all([restarting, appending, committing])
    await log.look()
    const numbers = async (topic: string) => (await recordsIn(log, topic)).map(({ value }) => Number(value))
    for (let tries = 0; (await numbers('committed')).length < commits && tries < 100; tries++)
      await world.clock.sleep(50)
    assert.deepEqual(
      await numbers('appended'),
      Array.from({ length: appends }, (_, i) => i),
    )
    assert.deepEqual(
      await numbers('committed'),
      Array.from({ length: commits }, (_, i) => i),
      `${refusals} commits were refused and given again`,
    )
    assert.ok(appends > 20 && commits > 5)
    await log.look()
    assert.equal(log.trouble(), null)
  } finally {
    isOver = true
    await log.close()
    await cluster.close()
  }
}

test('orders and ticks behind the oldest snapshot are let go; following from before it is refused, not guessed', async () => {
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  const { port } = await broker.listen({ host: '127.0.0.1', port: 0 })
  const open = () => openKafkaLog(world, { brokers: [`127.0.0.1:${port}`] })
  let log = await open()
  try {
    await log.createTopic({ name: 'in', partitions: 2 })
    const { epoch, cursor } = await log.takeJob('job')
    const follower = log.follow({ job: 'job', topics: ['in'], from: cursor })
    const cursors: Cursor[] = [cursor]
    const texts: string[][] = []
    for (let i = 0; i < 6; i++) {
      await log.append('in', partitionId(i % 2), batchOf(`v${i}`))
      await log.tick('job', bytesOf(`t${i}`))
      const entries = await drained(follower, 2)
      texts.push(entries.map(textOf))
      const next = entries.at(-1)!.after
      const keepsFrom = cursors.length > 3 ? cursors.at(-3)! : null
      await log.commit({ job: 'job', epoch, previous: cursors.at(-1)!, cursor: next, appends: [], keepsFrom })
      cursors.push(next)
    }
    const kept = await recordsIn(log, 'millrace.job.job')
    assert.ok(kept.filter(({ value }) => value === '').length >= 4, 'orders and ticks were deleted')
    // As compaction would, some day.
    const stored = await broker.read('millrace.job.job', p0, offset(0), 1 << 20)
    const records = stored.filter((batch) => !isControl(batch)).flatMap(recordsWithin)
    const fourth = records.find(({ key }) => key === 'order/4/0')
    await broker.deleteRecords('millrace.job.job', p0, offset(fourth!.offset))
    await log.close()
    log = await open()
    assert.deepEqual(await log.takeJob('job'), { epoch: 2, cursor: cursors.at(-1) })
    const again = log.follow({ job: 'job', topics: ['in'], from: cursors[4]! })
    assert.deepEqual((await drained(again, 4)).map(textOf), texts.slice(4).flat())
    const tooFar = log.follow({ job: 'job', topics: ['in'], from: cursors[0]! })
    await tooFar.ready()
    const isRefused = (error: unknown): boolean => error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE'
    assert.throws(() => tooFar.poll(1), isRefused)
  } finally {
    await log.close()
    await broker.close()
  }
})
