// Figures of pipelines: rates between two questions, and what is said of a job that failed or is still being computed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import type { LogJob } from '../connect/connect.ts'
import { pipelines } from '../serve/pipelines-contract.ts'
import { pipelinesNow } from './pipelines-now.ts'

test('rates are those between two questions; a failed job says why, a plan that is not there yet is being computed', async () => {
  const ended = await simulate({ seed: 'pipelines-now' }).run(async (world) => {
    let [rowsIn, busyMs] = [0, 0]
    const { promise: failed, resolve: fail } = Promise.withResolvers<Error>()
    const job: Pick<LogJob, 'name' | 'failed' | 'load' | 'plans' | 'trouble' | 'operators'> = {
      name: 'sales',
      failed,
      plans: () => ['sales-window'],
      trouble: () => null,
      load: () => ({
        batchBytes: 0,
        busyMs,
        shards: 0,
        queuedBytes: 1,
        pendingOutputBytes: 2,
        stateBytes: 3,
        committedAtMs: world.clock.nowMs(),
        snapshotAtMs: null,
      }),
      operators: () => [
        {
          plan: 'sales-window',
          operator: 'abc',
          kind: 'window-aggregate',
          rowsIn,
          busyMs,
          stateBytes: 7,
          watermarkMs: world.clock.nowMs() - 1500,
        },
      ],
    }
    const jobs = new Map([
      ['sales-window', job as LogJob],
      ['sales-per-second', job as LogJob],
    ])
    const port = pipelinesNow(world, jobs)
    const near = (found: number | undefined, wanted: number): void =>
      assert.ok(Math.abs((found ?? 0) - wanted) < wanted * 0.01, `${found} is not ${wanted}`)
    const ask = () =>
      pipelines.parse({ asOf: '2026-01-01T00:00:00Z', pipelines: [...port.pipelines()] }).pipelines.map((one) => one)
    rowsIn = 5000
    await world.clock.sleep(5000)
    near(ask()[0]?.operators[0]?.rowsPerSecond, 1000)
    rowsIn += 8000
    busyMs += 400
    await world.clock.sleep(4000)
    const [first, second] = ask()
    near(first?.operators[0]?.rowsPerSecond, 2000)
    near(first?.operators[0]?.busyShare, 0.1)
    assert.equal(first?.operators[0]?.lagSeconds, 1.5)
    assert.deepEqual([first?.state, second?.state, second?.operators], ['running', 'being-computed', []])
    assert.equal(first?.writes, 'sales-window')
    // Asked again at once: the same, not a rate over no time.
    near(ask()[0]?.operators[0]?.rowsPerSecond, 2000)
    fail(new Error('the disk is gone'))
    await world.clock.sleep(1)
    assert.deepEqual([ask()[0]?.state, ask()[0]?.job.failure], ['failed', 'the disk is gone'])
  })
  assert.equal(ended.end, 'returned', ended.end === 'threw' ? (ended.error as Error).stack : ended.end)
})
