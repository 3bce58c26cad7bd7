// Brokers with a fault built in, under the same clients and kills: each has to be found out by what the clients saw.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { randomStream } from '../../src/std/random.ts'
import { ourBroker } from './brokers.ts'
import { recordRun, usualRun } from './run.ts'

const script = fileURLToPath(new URL('./faulty-broker.ts', import.meta.url))
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const runsMax = 4

const cases: readonly (readonly [fault: string, shows: RegExp])[] = [
  ['acks-before-writing', /lost-write|unseen|inconsistent-offsets/],
  ['forgets-sequences', /duplicate/],
  ['skips-batches', /poll-skip|lost-write|unseen/],
  ['loses-commits', /was committed and acknowledged, \S+ is found|went back/],
]
for (const [fault, shows] of cases) {
  test(`a broker that ${fault.replaceAll('-', ' ')} is found out`, { timeout: 180_000 }, async (t) => {
    t.diagnostic(`seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- tests/history/faulty`)
    // A fault that only a kill at the right moment brings out may need another run.
    for (let run = 0; run < runsMax; run++) {
      const runSeed = `${seed}/${fault}/${run}`
      const broker = await ourBroker(randomStream(runSeed).fork('port'), [script, fault])
      try {
        const report = await recordRun(broker, { ...usualRun, seed: runSeed, kills: 4 })
        const told = report.faults.join('\n')
        t.diagnostic(`${report.summary}\n${told.split('\n').slice(0, 3).join('\n')}`)
        if (shows.test(told)) return
      } finally {
        await broker.close()
      }
    }
    assert.fail(`not found out in ${runsMax} runs`)
  })
}
