// The owner of a job on a Kafka cluster dies in the middle of a commit: nothing of it is seen, and whoever takes the job
// over does it again; or the cluster has decided, and then all of it is there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { apis } from '../../src/wire/wire.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { recordsIn } from '../files/watching.suite.ts'
import { batchOf, drained, valuesOf } from './log-contract.suite.ts'

const world = nodeWorld()
const child = join(import.meta.dirname, 'killed-committer.ts')
const run = (...args: readonly string[]): Promise<{ readonly signal: string | null; readonly lines: string[] }> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [child, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      const signal = error?.signal ?? null
      if (error !== null && signal !== 'SIGKILL') reject(new Error(`${error.message}\n${stderr}`))
      else resolve({ signal, lines: stdout.trim().split('\n') })
    })
  })

/** Where it dies, by the key of the request that does not go out any more, and which one of them. */
const deaths = [
  { before: 'the partitions join the transaction', api: apis.addPartitionsToTxn, which: 1 },
  { before: 'anything is written', api: apis.produce, which: 1 },
  { before: 'the transaction is ended', api: apis.endTxn, which: 1 },
]

export function killTests(name: string, address: () => string): void {
  test(`${name}: an owner that dies between its records and the end of its commit leaves nothing to be seen`, async () => {
    const log = await openKafkaLog(world, { brokers: [address()] })
    try {
      const topic = `in-${process.pid}-${Date.now()}`
      const job = `killed ${topic}`
      for (const each of [topic, `${topic}.out`]) await log.createTopic({ name: each, partitions: 2 })
      for (let i = 0; i < 6; i++) await log.append(topic, partitionId(i % 2), batchOf(`v${i}`))
      let epoch = 0
      let entries: unknown
      for (const { before: moment, api, which } of deaths) {
        const { signal, lines } = await run(address(), job, topic, String(api.key), String(which))
        assert.equal(signal, 'SIGKILL', `before ${moment}: ${lines}`)
        const said = JSON.parse(lines[0]!)
        assert.equal(said.epoch, ++epoch)
        assert.equal(said.entries.length, 6, 'as much to do as before')
        entries = said.entries
        assert.deepEqual(await recordsIn(log, `${topic}.out`), [], `before ${moment}`)
      }
      const { signal, lines } = await run(address(), job, topic, '-2', '1')
      assert.deepEqual([signal, JSON.parse(lines[1]!)], [null, { committed: epoch + 1 }])
      // A commit is acknowledged when it is decided; its markers, which show it, follow.
      let out = await recordsIn(log, `${topic}.out`)
      for (let tries = 0; out.length < 2 && tries < 200; tries++) {
        await world.clock.sleep(50)
        await log.look()
        out = await recordsIn(log, `${topic}.out`)
      }
      assert.deepEqual(
        out.map(({ value }) => value),
        [`out of ${epoch + 1}`, `out of ${epoch + 1}`],
      )
      assert.ok(entries !== undefined)
      // Aborted records lie before them in the partitions: no follower sees those.
      const follower = log.follow({ job: `reader of ${topic}`, topics: [`${topic}.out`], from: log.origin() })
      const seen = (await drained(follower)).flatMap((entry) => (entry.kind === 'batch' ? valuesOf(entry.bytes) : []))
      assert.deepEqual(seen, [`out of ${epoch + 1}`, `out of ${epoch + 1}`])
      assert.ok((await log.read(`${topic}.out`, partitionId(0), offset(0), 1 << 20)).length > 1)
      follower.close()
      const { cursor } = await log.takeJob(job)
      assert.notEqual(cursor, log.origin())
    } finally {
      await log.close()
    }
  })
}
