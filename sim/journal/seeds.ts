// One seed: several lives of one journal on a machine with drawn faults, each ended by a crash, a failure or a close;
// at the end all faults stop, and everything that was promised must be there.
import type { JournalFaults } from '../../src/broker/journal/settings.ts'
import { type Simulation, simulate } from '../world.ts'
import { drawSettings, type LifeResult, type LifeScript, makeFolder, pick, runLife } from './life.ts'
import { Oracle, Violation } from './oracle.ts'

/** What a seed has met: a test asserts that nothing it means to test has stayed away. */
export interface Met {
  promised: number
  keptOpen: number
  lostOpen: number
  kills: number
  powerCuts: number
  syncErrors: number
  refusedStarts: number
  closes: number
}
export function blankMet(): Met {
  return { promised: 0, keptOpen: 0, lostOpen: 0, kills: 0, powerCuts: 0, syncErrors: 0, refusedStarts: 0, closes: 0 }
}

export interface SeedOptions {
  /** Mistakes on purpose. */
  readonly faults?: JournalFaults
  /** Default true: the entries of a group must be marked as such. */
  readonly checkShapes?: boolean
  /** Counts up what was met. */
  readonly met?: Met
  /** Is given the list that every operation will be noted in. */
  readonly trace?: (lines: readonly string[]) => void
}

/** Throws a Violation (or whatever the journal itself throws) if a promise is broken. */
export async function runSeed(seed: string, options: SeedOptions = {}): Promise<void> {
  const { faults = {}, met = blankMet() } = options
  const simulation = simulate({ seed, keepTrace: options.trace !== undefined })
  options.trace?.(simulation.machine.trace ?? [])
  const { machine } = simulation
  await makeFolder(simulation)
  const random = simulation.random.fork('journal')
  const oracle = new Oracle(options.checkShapes ?? true)
  const settings = drawSettings(random, faults)
  const faulty = {
    shortOdds: pick(random, 0, 0.1),
    fullOdds: pick(random, 0, 0, 0.05),
    syncErrorOdds: pick(random, 0, 0, 0.05),
    survival: pick(random, 0, 0.5, 0.9, 1),
  }
  const large = random.below(3) === 0
  const lives = 2 + random.below(4)
  for (let life = 0; life < lives; life++) {
    const isLast = life === lives - 1
    machine.faults = isLast ? { ...faulty, fullOdds: 0, syncErrorOdds: 0 } : faulty
    if (isLast) machine.makeRoom()
    const crash = pick(random, 'kill', 'power', 'power')
    // Early operations are those of the start: recovery has its share of crashes.
    if (!isLast && random.below(5) > 0) machine.plan({ at: 1 + random.below(pick(random, 12, 60, 200)), crash })
    else machine.plan(null)
    const script: LifeScript = {
      random: random.fork(`life-${life}`),
      oracle,
      settings,
      steps: isLast ? 5 : pick(random, 5, 40),
      large,
      mayFailToOpen: !isLast && (faulty.fullOdds > 0 || faulty.syncErrorOdds > 0),
    }
    machine.note(`life ${life}${isLast ? ', the last' : ''}`)
    const result = await simulation.run((world, process) => runLife(world, process, script))
    machine.note(`life ${life} ended: ${result.end === 'returned' ? result.value : result.end}`)
    switch (result.end) {
      case 'threw':
        throw result.error
      case 'stalled':
      case 'hung':
        throw new Violation(`life ${life} ${result.end}`)
      case 'crashed':
        if (result.kind === 'power') met.powerCuts++
        else met.kills++
        if (result.kind === 'power') oracle.powerCut()
        break
      case 'returned':
        count(met, result.value)
        if (result.value === 'left' && random.below(2) === 0) {
          simulation.powerCut()
          oracle.powerCut()
          met.powerCuts++
        }
    }
  }
  met.promised += oracle.groups.filter((group) => group.state === 'promised').length
  met.keptOpen += oracle.keptOpen
  met.lostOpen += oracle.lostOpen
  await lastLook(simulation, { random: random.fork('last'), oracle, settings, steps: 0, large, mayFailToOpen: false })
}

function count(met: Met, result: LifeResult): void {
  if (result === 'failed') met.syncErrors++
  else if (result === 'did not open') met.refusedStarts++
  else if (result === 'closed') met.closes++
}

/** A power cut, then a start without faults, and another: what is promised stays. */
export async function lastLook(simulation: Simulation, script: LifeScript): Promise<void> {
  simulation.machine.plan(null)
  simulation.machine.faults = { ...simulation.machine.faults, fullOdds: 0, syncErrorOdds: 0 }
  simulation.machine.makeRoom()
  for (let look = 0; look < 2; look++) {
    simulation.powerCut()
    script.oracle.powerCut()
    const result = await simulation.run((world, process) => runLife(world, process, script))
    if (result.end === 'threw') throw result.error
    if (result.end !== 'returned') throw new Violation(`the last look ${result.end}`)
  }
}
