// Strangers' producers, copiers and consumers while the broker is killed with SIGKILL, also while it recovers: no anomaly in
// what the clients saw, no committed offset lost, every record copied once. Two test files share the kills, so that both
// processors have one; `npm run history` does more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import { ourBroker } from './brokers.ts'
import { check } from './checker.ts'
import { faults } from './faults.suite.ts'
import { briskRun, recordRun, usualRun } from './run.ts'

const seed = process.env.MILLRACE_SEED ?? String(Date.now())

/** One history with so many kills that landed. */
export function killRun(run: number, kills: number, pace: 'brisk' | 'usual', hasFaultsPut = false): void {
  test(`run ${run}: ${kills} kills, 0 anomalies`, { timeout: 400_000 }, async (t) => {
    const runSeed = `${seed}/${run}`
    t.diagnostic(`seed ${runSeed}; replay: npm run history -- --kills ${kills} --pace ${pace} --seed ${runSeed}`)
    const broker = await ourBroker(randomStream(runSeed).fork('port'))
    t.after(() => broker.close())
    const report = await recordRun(broker, { ...(pace === 'brisk' ? briskRun : usualRun), seed: runSeed, kills })
    t.diagnostic(report.summary)
    assert.deepEqual(report.faults, [], `${report.faults.join('\n')}\n${broker.complaints()}`)
    const { killsUnderLoad, killsWhileStarting, history, verdict } = report
    assert.equal(killsUnderLoad + killsWhileStarting, kills, `the kills must have landed: ${report.summary}`)
    assert.ok(killsUnderLoad > kills / 2, `most of them under load: ${report.summary}`)
    assert.ok(
      verdict.read > 10 * kills && report.transactions > 0,
      `enough was done to mean something: ${report.summary}`,
    )
    if (!hasFaultsPut) return

    // The same history with a fault put into it: had the broker been broken, this run would have said so.
    const random = randomStream(runSeed)
    const missed = faults.flatMap(({ name, shows, put }) => {
      const broken = put(history, random.fork(name))
      if (broken === null) return []
      const found = check(broken).findings.faults()
      return found.some((each) => shows.includes(each)) ? [] : [`${name}: found ${found.join(', ') || 'nothing'}`]
    })
    assert.deepEqual(missed, [])
  })
}
