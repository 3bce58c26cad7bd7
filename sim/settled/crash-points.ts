// Every crash point of a script that settles and drops: a kill and power cuts at each operation, a failing or full disk.
import { JournalError } from '../../src/broker/journal/journal-error.ts'
import type { SettledFaults } from '../../src/broker/settled/keeping.ts'
import { LogError } from '../../src/log/log.ts'
import { FsError } from '../../src/world/world.ts'
import { Violation } from '../journal/oracle.ts'
import { type CrashKind, noFaults, type Plan } from '../machine.ts'
import { type Simulation, simulate } from '../world.ts'
import { nothingPromised, type Promised, runSettledLife, type SettledMet } from './life.ts'

const survivals = [0, 0.5, 0.9, 1]
export interface PointSettings {
  readonly script?: string
  readonly steps?: number
  readonly faults?: SettledFaults
}
interface Stage {
  readonly simulation: Simulation
  readonly promised: Promised
  readonly settings: PointSettings
}
function stage(outcome: number, settings: PointSettings, keepTrace = false): Stage {
  const simulation = simulate({
    seed: settings.script ?? 'settled-points',
    sectorBytes: 512,
    crashOutcome: outcome,
    keepTrace,
    faults: { ...noFaults, survival: survivals[outcome % survivals.length]! },
  })
  return { simulation, promised: nothingPromised(), settings }
}

type Lived = { readonly came: boolean; readonly met: SettledMet | null }
let lives = 0
async function live(at: Stage, plan: Plan | null, steps: number, mayFail = false): Promise<Lived> {
  const { simulation, promised, settings } = at
  simulation.machine.plan(plan)
  const random = simulation.random.fork(`life ${steps}`)
  const script = { random, promised, faults: settings.faults ?? {}, steps, mayStayFull: mayFail }
  lives++
  const result = await simulation.run((world, process) => runSettledLife(world, process, script))
  const came = simulation.machine.planned
  simulation.machine.plan(null)
  if (result.end === 'returned') return { came, met: result.value }
  if (result.end === 'crashed') return { came, met: null }
  if (result.end === 'threw') {
    const { error } = result
    const ofTheDisk = error instanceof FsError || error instanceof JournalError || error instanceof LogError
    if (mayFail && ofTheDisk) return { came, met: null }
    throw error
  }
  throw new Violation(`the life ${result.end}`)
}
/** A calm life, a power cut, and another look. */
async function lastLook(at: Stage): Promise<void> {
  await live(at, null, 6)
  at.simulation.powerCut()
  await live(at, null, 0)
}

async function pointed(where: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Without any crash: what the script meets, so that a test can see that there is something to crash in. */
export async function calmly(settings: PointSettings = {}): Promise<SettledMet & { readonly operations: number }> {
  const at = stage(0, settings)
  const { met } = await live(at, null, settings.steps ?? 60)
  return { ...met!, operations: at.simulation.machine.operations }
}

/** The operations of the script whose line in the trace fits, counted from 1: where a certain mistake would show. */
export async function operationsLike(pattern: RegExp, settings: PointSettings = {}): Promise<number[]> {
  const at = stage(0, settings, true)
  await live(at, null, settings.steps ?? 60)
  return (at.simulation.machine.trace ?? []).flatMap((line, i) => (pattern.test(line) ? [i + 1] : []))
}

/** A kill and power cuts at this operation. False: there is none. Throws what the first broken promise says. */
export async function crashAt(at: number, outcomes: number, settings: PointSettings): Promise<boolean> {
  let came = false
  for (const crash of ['kill', 'power'] as const satisfies CrashKind[]) {
    for (let outcome = 0; outcome < (crash === 'kill' ? 1 : outcomes); outcome++) {
      await pointed(`${crash} at operation ${at}, outcome ${outcome}`, async () => {
        const one = stage(outcome, settings)
        came = (await live(one, { at, crash }, settings.steps ?? 60)).came
        // And once more on the way up, now and then.
        if (at % 3 === 0) await live(one, { at: 1 + (at % 25), crash: crash === 'kill' ? 'power' : 'kill' }, 4)
        await lastLook(one)
      })
    }
  }
  return came
}
/** From the `first`-th operation on, every `stride`-th. Throws what the first broken promise says. */
export async function settledCrashes(
  first: number,
  stride: number,
  outcomes: number,
  settings: PointSettings = {},
): Promise<{ readonly points: number; readonly lives: number }> {
  lives = 0
  let points = 0
  for (let at = first; await crashAt(at, outcomes, settings); at += stride) points++
  return { points, lives }
}

/** EIO or ENOSPC at every `stride`-th operation, once and for ever; then a start on a disk that is well. */
export async function settledFailures(
  first: number,
  stride: number,
  settings: PointSettings = {},
): Promise<{ readonly points: number; readonly lives: number }> {
  lives = 0
  let points = 0
  for (let at = first; ; at += stride) {
    let came = false
    for (const fail of ['EIO', 'ENOSPC'] as const) {
      for (const forEver of [false, true]) {
        await pointed(`${fail} ${forEver ? 'from' : 'at'} operation ${at}`, async () => {
          const one = stage(at, settings)
          came = (await live(one, { at, fail, forEver }, settings.steps ?? 60, true)).came || came
          one.simulation.machine.makeRoom()
          await lastLook(one)
        })
      }
    }
    if (!came) return { points, lives }
    points++
  }
}
