// `npm run soak -- [--kills N] [--seed S]`: the kill test round after round, 20 kills and a fresh seed each, until N kills
// (default 1,000) are done or a round fails; says which seed to replay. About four seconds a kill.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const killsPerRound = 20

const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } })
const kills = Number(values.kills ?? 1_000)
if (!Number.isInteger(kills) || kills < 1) {
  process.stderr.write(`soak: --kills is a whole number above 0, not ${values.kills}\n`)
  process.exit(2)
}
const firstSeed = values.seed ?? String(Date.now())
const killTest = fileURLToPath(new URL('kill.test.ts', import.meta.url))

for (let done = 0, round = 0; done < kills; round++) {
  const now = Math.min(killsPerRound, kills - done)
  const seed = round === 0 ? firstSeed : `${firstSeed}/${round}`
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', killTest], {
    encoding: 'utf8',
    env: { ...process.env, MILLRACE_KILLS: String(now), MILLRACE_SEED: seed },
  })
  if (run.status !== 0) {
    process.stdout.write(run.stdout + run.stderr)
    process.stdout.write(
      `soak: failed after ${done} kills; replay: MILLRACE_SEED=${seed} MILLRACE_KILLS=${now} npm test -- tests/crash/kill\n`,
    )
    process.exit(1)
  }
  done += now
  const told = run.stdout.split('\n').find((line) => line.includes('windows closed once')) ?? ''
  process.stdout.write(`${done} of ${kills} kills, nothing lost, nothing doubled; ${told.replace('ℹ', '').trim()}\n`)
}
