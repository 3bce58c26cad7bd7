// `npm run sim -- --seeds N [--seed S] [--only lives|rot|points|mutants]`: the journal in the lying world, until it
// breaks a promise. Prints each failing seed with the command that replays it; exit code 1 if there was one.
import { parseArgs } from 'node:util'
import { crashAtEveryPoint, crashInEveryRecovery, failAtEveryPoint } from './journal/crash-points.ts'
import { catchMutant, mutants } from './journal/mutants.ts'
import { blankRotMet, runRotSeed } from './journal/rotting.ts'
import { blankMet, runSeed } from './journal/seeds.ts'
import { settledCrashes, settledFailures } from './settled/crash-points.ts'
import { catchSettledMutant, settledMutants } from './settled/mutants.ts'

const usage = `npm run sim -- [options]
  --seeds N     how many seeds of lives and of rot (default 3000)
  --from S      the first seed (default 0)
  --seed S      one seed, with everything that happened in it
  --only WHAT   lives: crashes, failing and full disks over several lives of a journal
                rot: bytes that change at rest
                points: a crash or failure at every operation of one script, and of its recoveries
                settled: the same of a script whose journal is settled and dropped from, and its mutants
                mutants: every known mistake must be caught`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const only = values.only
const seeds = Number(values.seeds)
const from = Number(values.from)
const known = only === undefined || ['lives', 'rot', 'points', 'settled', 'mutants'].includes(only)
if (values.help || !known || !Number.isInteger(seeds) || !Number.isInteger(from)) {
  process.stderr.write(`${usage}\n`)
  process.exit(values.help ? 0 : 2)
}

let failures = 0
/** A promise nobody waited for: told of the seed that was running. */
let stray: unknown = null
process.on('unhandledRejection', (error) => {
  stray ??= error
})
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Runs one check; says what broke and how to see it again. */
async function attempt(name: string, replay: string, run: () => Promise<unknown>): Promise<void> {
  stray = null
  try {
    await run()
    await new Promise((resolve) => setImmediate(resolve))
    if (stray !== null) throw stray
  } catch (error) {
    failures++
    say(`FAILED ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    say(`  again: npm run sim -- ${replay}`)
  }
}

async function lives(): Promise<void> {
  const met = blankMet()
  for (let seed = from; seed < from + seeds; seed++)
    await attempt(`lives, seed ${seed}`, `--only lives --seed ${seed}`, () => runSeed(String(seed), { met }))
  say(`lives: ${seeds} seeds from ${from}; ${JSON.stringify(met)}`)
}

async function rot(): Promise<void> {
  const met = blankRotMet()
  for (let seed = from; seed < from + seeds; seed++)
    await attempt(`rot, seed ${seed}`, `--only rot --seed ${seed}`, () => runRotSeed(String(seed), {}, met))
  say(`rot: ${seeds} seeds from ${from}; ${JSON.stringify(met)}`)
}

async function points(): Promise<void> {
  const again = '--only points'
  await attempt('crash points', again, async () => say(`crashes: ${JSON.stringify(await crashAtEveryPoint(8))}`))
  await attempt('recoveries', again, async () =>
    say(`crashes in recovery: ${JSON.stringify(await crashInEveryRecovery(1))}`),
  )
  await attempt('failures', again, async () => say(`failing disk: ${JSON.stringify(await failAtEveryPoint(1))}`))
}

async function settled(): Promise<void> {
  const again = '--only settled'
  await attempt('settling, crashes', again, async () =>
    say(`settled: ${JSON.stringify(await settledCrashes(1, 1, 4))}`),
  )
  await attempt('settling, failures', again, async () =>
    say(`settled, failing disk: ${JSON.stringify(await settledFailures(1, 1))}`),
  )
  for (const mutant of settledMutants) {
    await attempt(`mutant "${mutant.name}"`, again, async () => {
      const caught = await catchSettledMutant(mutant, 5)
      if (caught === null) throw new Error('it was not caught')
      say(`mutant "${mutant.name}": caught by ${caught}`)
    })
  }
}

async function gate(): Promise<void> {
  for (const mutant of mutants) {
    await attempt(`mutant "${mutant.name}"`, '--only mutants', async () => {
      const caught = await catchMutant(mutant, Math.max(seeds, 1))
      if (caught === null) throw new Error('it was not caught')
      say(`mutant "${mutant.name}": caught by seed ${caught.seed} of ${mutant.by}`)
    })
  }
}

async function replay(seed: string): Promise<void> {
  if (only === 'rot') {
    const met = blankRotMet()
    await attempt(`rot, seed ${seed}`, `--only rot --seed ${seed}`, () => runRotSeed(seed, {}, met))
    say(JSON.stringify(met))
    return
  }
  let trace: readonly string[] = []
  const met = blankMet()
  const keep = (lines: readonly string[]): void => {
    trace = lines
  }
  await attempt(`lives, seed ${seed}`, `--only lives --seed ${seed}`, () => runSeed(seed, { met, trace: keep }))
  for (const line of trace) say(line)
  say(JSON.stringify(met))
}

const startedMs = performance.now()
if (values.seed !== undefined) await replay(values.seed)
else {
  if (only === undefined || only === 'lives') await lives()
  if (only === undefined || only === 'rot') await rot()
  if (only === undefined || only === 'points') await points()
  if (only === undefined || only === 'settled') await settled()
  if (only === undefined || only === 'mutants') await gate()
}
say(
  `${failures === 0 ? 'nothing broke' : `${failures} failures`}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
)
process.exitCode = failures === 0 ? 0 : 1
