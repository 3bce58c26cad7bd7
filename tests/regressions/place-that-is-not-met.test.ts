// A job whose plans read another topic than before, without a snapshot that fits, died by a broken invariant at every
// start: the place it had committed is on the old topic, and is not met. Where the log knows the plans that ran, they are
// switched from; where it does not, the start must say so, with a cure, and change nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { openBroker } from '../../src/broker/broker.ts'
import { exitCodes, explain } from '../../src/cli/errors.ts'
import { startLogJob } from '../../src/connect/connect.ts'
import { plansTopic } from '../../src/connect/job-plans.ts'
import { contract, field } from '../../src/query/contract.ts'
import { count, from, minutes, tumbling } from '../../src/query/query.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { parcels } from '../flows/plans.ts'

const letters = contract({
  topic: 'letters',
  version: 1,
  partitions: 1,
  key: 'to',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 30_000,
  futureLimitMs: minutes(60 * 24 * 3650),
  doc: 'As parcels, and not yet read by anybody.',
  fields: { to: field({ kind: 'string' }, 'where it goes'), at: field({ kind: 'timestamp' }, 'when') },
})
const perMinute = (of: typeof letters | typeof parcels) =>
  from(of)
    .window(tumbling({ sizeMs: minutes(1) }))
    .aggregate(() => ({ n: count() }))
    .named('per-minute')

test('a job that reads other topics than it did, and has no snapshot that fits, is refused by name', async () => {
  const life = lives()
  assert.equal(await life(parcels), null)
  for (let again = 0; again < 2; again++) {
    const error = await life(letters, true)
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'ReplayError')
    const { exitCode, explanation } = explain(error)
    assert.equal(exitCode, exitCodes.refused)
    assert.match(explanation.what, /^job job: the log was read from its beginning, for no snapshot fits/)
    assert.match(explanation.cure ?? '', /give the job another name/)
  }
  assert.equal(await life(parcels), null, 'and goes on with the plans of before')
})

test('where the log knows the plans that ran, they are switched from', async () => {
  const life = lives()
  assert.equal(await life(parcels), null)
  assert.equal(await life(letters), null)
  assert.equal(await life(letters), null)
  assert.equal(await life(parcels), null)
})

function lives() {
  const simulation = simulate({ seed: 'place-that-is-not-met' })
  return async (of: typeof letters | typeof parcels, forgets = false): Promise<unknown> => {
    const ended = await simulation.run(async (world) => {
      const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
      if (forgets) await broker.deleteTopic(plansTopic)
      try {
        const job = await startLogJob(world, broker, {
          name: 'job',
          plans: [perMinute(of)],
          inHouse: new Set(),
          snapshotFolder: null,
          logIdentity: broker.clusterId,
          // No tick: the place is that of a record.
          tickMs: 3_600_000,
          onOutput: () => {},
        })
        const writer = new BatchWriter()
        for (const second of [10, 70, 130]) {
          const atMs = Date.UTC(2026, 0, 1) + second * 1000
          const value = JSON.stringify({ to: 'rio', at: new Date(atMs).toISOString() })
          writer.append(null, new TextEncoder().encode(value), atMs)
        }
        await broker.append(of.topic, partitionId(0), writer.finish())
        await job.settled()
        await world.clock.sleep(20_000)
        await job.stop()
        return null
      } catch (error) {
        return error
      } finally {
        await broker.close()
      }
    })
    assert.equal(ended.end, 'returned', ended.end === 'threw' ? String(ended.error) : ended.end)
    return ended.end === 'returned' ? ended.value : null
  }
}
