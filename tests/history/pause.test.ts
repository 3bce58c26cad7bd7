// The broker stopped with SIGSTOP under load, long enough for clients to send again what it has in its hands already; a
// second instance on the same data directory is refused; after SIGCONT nothing is there twice.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import { millrace, ourBroker } from './brokers.ts'
import { pausedRun, recordRun } from './run.ts'

const seed = process.env.MILLRACE_SEED ?? String(Date.now())

test('stopped and continued under load, with a second instance at the door: 0 anomalies', {
  timeout: 180_000,
}, async (t) => {
  t.diagnostic(`seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- tests/history/pause`)
  const broker = await ourBroker(randomStream(seed).fork('port'))
  t.after(() => broker.close())
  let refused = 0
  const whilePaused = (): void => {
    const before = readdirSync(broker.dataDir, { recursive: true }).sort()
    const second = spawnSync(
      process.execPath,
      [millrace, 'broker', '--json', '--data-dir', broker.dataDir, '--kafka-port', '0'],
      { encoding: 'utf8', timeout: 30_000 },
    )
    assert.notEqual(second.status, 0, 'a stopped process is still the owner of its data')
    assert.notEqual(second.status, null, 'the second instance has to give up by itself')
    assert.match(second.stderr, /in use|already/i)
    assert.doesNotMatch(second.stdout, /"ready":true/)
    assert.deepEqual(readdirSync(broker.dataDir, { recursive: true }).sort(), before, 'nothing was changed')
    refused++
  }
  const report = await recordRun(broker, { ...pausedRun, seed, kills: 4, whilePaused })
  t.diagnostic(report.summary)
  assert.deepEqual(report.faults, [], `${report.faults.join('\n')}\n${broker.complaints()}`)
  assert.equal(refused, 4)
  assert.ok(report.killsUnderLoad >= 3, `the stops must have landed: ${report.summary}`)
})
