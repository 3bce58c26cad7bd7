// A broker that was closed under a running job left the job's follower closed and for ever ready: the job turned in circles
// and let nothing else in. It must end with the reason.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { openBroker } from '../../src/broker/broker.ts'
import { startLogJob } from '../../src/connect/connect.ts'
import { count, from, minutes, tumbling } from '../../src/query/query.ts'
import { parcels } from '../flows/plans.ts'

test('a job whose log is closed says so and ends', async () => {
  const ended = await simulate({ seed: 'log-closed-under-a-job' }).run(async (world) => {
    const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
    const job = await startLogJob(world, broker, {
      name: 'job',
      plans: [
        from(parcels)
          .window(tumbling({ sizeMs: minutes(1) }))
          .aggregate(() => ({ n: count() }))
          .named('per-minute'),
      ],
      inHouse: new Set(),
      snapshotFolder: null,
      logIdentity: broker.clusterId,
      tickMs: 1000,
      onOutput: () => {},
    })
    await job.settled()
    await broker.close()
    const failure = await job.failed
    await job.stop()
    return failure.message
  })
  assert.equal(ended.end, 'returned', ended.end === 'threw' ? String(ended.error) : ended.end)
  assert.match(ended.end === 'returned' ? ended.value : '', /the log is closed/)
})
