// Every ride a flow is taken on: whole, in other batches, with snapshots, killed at every commit, its power cut and its
// disk filled or failing at points of its I/O. All points with MILLRACE_FLOWS=all, else some drawn by the seed.
import { randomStream } from '../../src/std/random.ts'
import { checkAccounts, checkAgainst, checkSections } from './check.ts'
import type { Flow } from './flow-file.ts'
import { ride } from './ride.ts'
import { type Mutation, type RideResult, runFlow, Violation } from './run-flow.ts'

export interface SuiteSettings {
  /** Draws the shuffles and the sampled points. */
  readonly seed: string
  /** Every point, and several outcomes of each power cut. */
  readonly all: boolean
}
/** What came to pass over all flows: faults that never came would prove nothing. */
export interface Met {
  rides: number
  shuffles: number
  commitKills: number
  refusedCommits: number
  kills: number
  powerCuts: number
  fullDisks: number
  failedSyncs: number
}
export const blankMet = (): Met => ({
  rides: 0,
  shuffles: 0,
  commitKills: 0,
  refusedCommits: 0,
  kills: 0,
  powerCuts: 0,
  fullDisks: 0,
  failedSyncs: 0,
})

/** The whole ride: what the file says must come out. */
export async function takeWhole(flow: Flow): Promise<RideResult> {
  const whole = await runFlow(flow, ride('whole'))
  checkSections(flow, whole.outcome)
  checkAccounts(flow, whole.outcome)
  return whole
}

/** One ride by its name, held against the whole one. */
export async function takeRide(flow: Flow, name: string, whole: RideResult, mutation?: Mutation): Promise<RideResult> {
  const taken = ride(name)
  const result = await runFlow(flow, taken, mutation)
  checkAgainst(flow, taken, whole.outcome, result.outcome)
  checkAccounts(flow, result.outcome)
  return result
}

/** Names of the rides after the whole one. */
export async function ridesOf(flow: Flow, whole: RideResult, settings: SuiteSettings): Promise<string[]> {
  const random = randomStream(`${settings.seed}/${flow.name}`)
  const { all } = settings
  const names: string[] = []
  for (let i = 0; i < (all ? 20 : 2); i++) names.push(`shuffle:${all ? i : random.below(1_000_000)}`)
  const moments = ['before', 'during', 'after'] as const
  /** All of 1 to `count`, or so many of them. */
  const drawn = (count: number, wanted: number): number[] => {
    const every = Array.from({ length: count }, (_, i) => i + 1)
    while (!all && every.length > wanted) every.splice(random.below(every.length), 1)
    return every
  }
  for (const at of drawn(whole.commits, 3))
    for (const when of all ? moments : (['during', random.below(2) === 0 ? 'before' : 'after'] as const))
      names.push(`commit:${at}:${when}`)
  for (const at of all ? Array.from({ length: whole.commits }, (_, i) => i + 1) : [1 + random.below(whole.commits + 1)])
    names.push(`refuse:${at}`)
  const points = (operations: number, wanted: number): number[] =>
    all
      ? Array.from({ length: operations }, (_, i) => i + 1)
      : Array.from({ length: wanted }, () => 1 + random.below(operations))
  for (const at of points(whole.operations, 2)) {
    for (let outcome = 0; outcome < (all ? 3 : 1); outcome++) names.push(`power:${at}:${outcome}`)
    if (all) names.push(`kill:${at}`)
  }
  for (const at of points(whole.operations, 1)) names.push(`full:${at}`, `error:${at}`)
  // The same work on three threads, and through a crash of them.
  names.push('shards:3', `shards:${1 + random.below(3)}+commit:${1 + random.below(whole.commits)}:during`)
  // Time passes for the snapshots: a job with a clock of its own would find other partitions idle.
  if (flow.clock) return names
  names.push('snapshots', 'shards:2+snapshots')
  const { commits, operations } = await takeRide(flow, 'snapshots', whole)
  for (const at of drawn(commits, 2))
    for (const when of all ? moments : [moments[random.below(3)]!]) names.push(`snapshots+commit:${at}:${when}`)
  for (const at of points(operations, 2))
    names.push(`snapshots+${random.below(3) === 0 ? 'kill' : 'power'}:${at}:${at % 4}`)
  return names
}

function count(met: Met, name: string, harmed: boolean): void {
  met.rides++
  if (name.startsWith('shuffle')) met.shuffles++
  if (!harmed) return
  if (name.includes('commit:')) met.commitKills++
  if (name.includes('refuse:')) met.refusedCommits++
  if (name.includes('kill:')) met.kills++
  if (name.includes('power:')) met.powerCuts++
  if (name.includes('full:')) met.fullDisks++
  if (name.includes('error:')) met.failedSyncs++
}

export function addMet(to: Met, more: Met): void {
  for (const what of Object.keys(to) as (keyof Met)[]) to[what] += more[what]
}

/** All rides of a flow; throws what the first broken one says, with the command that takes it again. */
export async function takeAllRides(flow: Flow, settings: SuiteSettings, met: Met): Promise<void> {
  const whole = await takeWhole(flow)
  for (const name of await ridesOf(flow, whole, settings)) {
    try {
      count(met, name, (await takeRide(flow, name, whole)).harmed)
    } catch (error) {
      const again = `MILLRACE_FLOW=${flow.name} MILLRACE_RIDE=${name} npm test -- tests/flows/flows.test.ts`
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
      throw new Violation(`${said}\nagain with: ${again}`)
    }
  }
}
