// A snapshot that verifies but does not fit the job (a lateness was changed, a newer release keeps its state otherwise)
// stopped the job at every start. It must be passed over: an older one, or the log itself, makes the state again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { openBroker } from '../../src/broker/broker.ts'
import { startLogJob } from '../../src/connect/connect.ts'
import type { Plan } from '../../src/query/plan.ts'
import { count, from, minutes, tumbling } from '../../src/query/query.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { readTopic } from '../flows/outcome.ts'
import { parcels } from '../flows/plans.ts'

const plan = (latenessMs: number): Plan =>
  from(parcels)
    .window(tumbling({ sizeMs: minutes(1) }))
    .aggregate(() => ({ n: count() }))
    .lateness(latenessMs)
    .named('per-minute')

test('a job starts again with another lateness', async () => {
  const simulation = simulate({ seed: 'snapshot-that-does-not-fit' })
  const life = async (latenessMs: number, seconds: readonly number[]): Promise<string[]> => {
    const ended = await simulation.run(async (world) => {
      const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
      const job = await startLogJob(world, broker, {
        name: 'job',
        plans: [plan(latenessMs)],
        inHouse: new Set(),
        snapshotFolder: '/data/snapshots',
        logIdentity: broker.clusterId,
        tickMs: 1000,
        onOutput: () => {},
      })
      const writer = new BatchWriter()
      for (const second of seconds) {
        const atMs = Date.UTC(2026, 0, 1) + second * 1000
        const value = JSON.stringify({ to: 'rio', at: new Date(atMs).toISOString() })
        writer.append(null, new TextEncoder().encode(value), atMs)
      }
      await broker.append('parcels', partitionId(0), writer.finish())
      await job.settled()
      await world.clock.sleep(3000)
      const rows = await readTopic(broker, 'per-minute')
      await job.stop()
      await broker.close()
      return rows.map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array(0)))
    })
    assert.equal(ended.end, 'returned', ended.end === 'threw' ? String(ended.error) : ended.end)
    return ended.end === 'returned' ? ended.value : []
  }
  const row = (n: number, timing: string): string =>
    `{"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z","n":${n},"timing":"${timing}"}`
  assert.deepEqual(await life(0, [10, 70]), [row(1, 'on-time')])
  // With a lateness the window is kept: a late record of the next life corrects what the first one counted.
  assert.deepEqual(await life(minutes(10), [20]), [row(1, 'on-time'), row(2, 'late')])
  assert.deepEqual(await life(minutes(10), [30]), [row(1, 'on-time'), row(2, 'late'), row(3, 'late')])
  assert.deepEqual(await life(minutes(20), [40]), [row(1, 'on-time'), row(2, 'late'), row(3, 'late'), row(4, 'late')])
})
