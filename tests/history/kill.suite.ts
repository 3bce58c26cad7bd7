// Strangers' producers, copiers and consumers while the broker is killed with SIGKILL, also while it recovers: no anomaly in
// what the clients saw, no committed offset lost, every record copied once. Two test files share the runs, so that each is
// done in time; `npm run history` does more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import { ourBroker } from './brokers.ts'
import { check } from './checker.ts'
import { faults } from './faults.suite.ts'
import { recordRun, usualRun } from './run.ts'

const kills = 10
const killsMin = 3
const seed = process.env.MILLRACE_SEED ?? String(Date.now())

export function killRuns(runs: readonly number[]): void {
  for (const run of runs) {
    test(`run ${run}: up to ${kills} kills, 0 anomalies`, { timeout: 200_000 }, async (t) => {
      const runSeed = `${seed}/${run}`
      t.diagnostic(`seed ${runSeed}; replay: npm run history -- --runs 1 --seed ${runSeed}`)
      const broker = await ourBroker(randomStream(runSeed).fork('port'))
      t.after(() => broker.close())
      const report = await recordRun(broker, { ...usualRun, seed: runSeed, kills })
      t.diagnostic(report.summary)
      assert.deepEqual(report.faults, [], `${report.faults.join('\n')}\n${broker.complaints()}`)
      const { killsUnderLoad, killsWhileStarting, history, verdict } = report
      // A machine that is slow to start ten brokers has fewer of them to kill.
      assert.ok(report.kills >= killsMin, `too few kills: ${report.summary}`)
      assert.ok(
        killsUnderLoad > 0 && killsUnderLoad + killsWhileStarting > report.kills / 2,
        `the kills must have landed: ${report.summary}`,
      )
      assert.ok(
        verdict.read > 10 * report.kills && report.transactions > 0,
        `enough was done to mean something: ${report.summary}`,
      )
      if (run > 0) return

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
}
