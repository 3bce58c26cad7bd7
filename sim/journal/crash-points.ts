// Every crash point of one script: at each operation of it a kill and power cuts with several outcomes, a failing or full
// disk once and for ever; and again at each operation of the recovery that follows.
import type { JournalFaults } from '../../src/broker/journal/settings.ts'
import { type CrashKind, noFaults, type Plan } from '../machine.ts'
import { type Simulation, simulate } from '../world.ts'
import { drawSettings, type LifeScript, makeFolder, runLife } from './life.ts'
import { Oracle, Violation } from './oracle.ts'
import { lastLook } from './seeds.ts'

/** Steps of the script: enough for more than 200 operations. */
const steps = 100
const survivals = [0, 0.5, 0.9, 1]

interface Stage {
  readonly simulation: Simulation
  readonly script: LifeScript
}

/** The same run for every outcome, up to its first crash. */
async function stage(outcome: number, faults: JournalFaults): Promise<Stage> {
  const simulation = simulate({
    seed: 'crash-points',
    sectorBytes: 512,
    crashOutcome: outcome,
    faults: { ...noFaults, survival: survivals[outcome % survivals.length]! },
  })
  const random = simulation.random.fork('journal')
  const settings = {
    ...drawSettings(random, faults),
    durability: 'power' as const,
    segmentBytes: 70_000,
    flushBytesMax: 2_000,
    pendingBytesMax: 1_000_000,
    witnessAfterMs: 30,
    lingerMs: 0,
    recopyBytesMax: 3_000,
  }
  await makeFolder(simulation)
  const script: LifeScript = {
    random: random.fork('life'),
    oracle: new Oracle(),
    settings,
    steps,
    large: true,
    mayFailToOpen: false,
  }
  return { simulation, script }
}

/** One life, perhaps with a plan. Answers whether the plan came to pass. */
async function live({ simulation, script }: Stage, plan: Plan | null, mayFailToOpen = false): Promise<boolean> {
  simulation.machine.plan(plan)
  const result = await simulation.run((world, process) => runLife(world, process, { ...script, mayFailToOpen }))
  if (result.end === 'threw') throw result.error
  if (result.end === 'stalled' || result.end === 'hung') throw new Violation(`the life ${result.end}`)
  if (result.end === 'crashed' && result.kind === 'power') script.oracle.powerCut()
  const came = simulation.machine.planned
  simulation.machine.plan(null)
  return came
}

/** Throws what the first broken promise says, with the point at which it was broken. Answers how many runs were made. */
export async function crashAtEveryPoint(
  outcomes: number,
  faults: JournalFaults = {},
): Promise<{ points: number; runs: number }> {
  let runs = 0
  for (let at = 1; ; at++) {
    let came = false
    for (const crash of ['kill', 'power'] as const satisfies CrashKind[]) {
      for (let outcome = 0; outcome < (crash === 'kill' ? 1 : outcomes); outcome++) {
        await pointed(`${crash} at operation ${at}, outcome ${outcome}`, async () => {
          const at1 = await stage(outcome, faults)
          came = await live(at1, { at, crash })
          await live({ ...at1, script: { ...at1.script, steps: 5 } }, null)
          await lastLook(at1.simulation, { ...at1.script, steps: 3 })
        })
        runs++
      }
    }
    if (!came) return { points: at - 1, runs }
  }
}

/** Crashes at every operation of the recovery from a power cut at every `stride`-th operation. */
export async function crashInEveryRecovery(
  stride: number,
  faults: JournalFaults = {},
): Promise<{ points: number; runs: number }> {
  let runs = 0
  let points = 0
  for (let at = 1; ; at += stride) {
    let came = false
    for (let again = 1, cameAgain = true; cameAgain; again++) {
      const crash: CrashKind = (at + again) % 2 === 0 ? 'kill' : 'power'
      await pointed(`power at operation ${at}, then ${crash} at operation ${again} of the recovery`, async () => {
        const at2 = await stage(at + again, faults)
        came = await live(at2, { at, crash: 'power' })
        const recovery = { simulation: at2.simulation, script: { ...at2.script, steps: 0 } }
        cameAgain = came && (await live(recovery, { at: again, crash }))
        await live({ ...recovery, script: { ...at2.script, steps: 5 } }, null)
        await lastLook(at2.simulation, recovery.script)
      })
      runs++
      if (cameAgain) points++
    }
    if (!came) return { points, runs }
  }
}

/** EIO or ENOSPC at every `stride`-th operation, once and for ever. */
export async function failAtEveryPoint(
  stride: number,
  faults: JournalFaults = {},
): Promise<{ points: number; runs: number }> {
  let runs = 0
  let points = 0
  for (let at = 1; ; at += stride) {
    let came = false
    for (const fail of ['EIO', 'ENOSPC'] as const) {
      for (const forEver of [false, true]) {
        await pointed(`${fail} ${forEver ? 'from' : 'at'} operation ${at}`, async () => {
          const at1 = await stage(at, faults)
          const hit = await live(at1, { at, fail, forEver }, true)
          came ||= hit
          await lastLook(at1.simulation, { ...at1.script, steps: 3 })
        })
        runs++
      }
    }
    if (came) points++
    else return { points, runs }
  }
}

async function pointed(where: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
