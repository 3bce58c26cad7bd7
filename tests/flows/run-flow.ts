// Runs one flow the way a ride says, through the real chain in the simulated world: broker, doorway, engine, commits,
// result topics. A life ends by a crash, a kill or a restart; the next one goes on where the producer had come to.
import type { Simulation } from '../../sim/world.ts'
import { type SimProcess, simulate } from '../../sim/world.ts'
import { openBroker } from '../../src/broker/broker.ts'
import { type LogJob, runOverLog, startLogJob } from '../../src/connect/connect.ts'
import { encodeTick } from '../../src/connect/job-ticks.ts'
import type { ResultBatch } from '../../src/engine/engine.ts'
import { type Commit, FencedError, type Log, LogError } from '../../src/log/log.ts'
import type { Plan } from '../../src/query/plan.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import type { World } from '../../src/world/world.ts'
import type { Directive, Flow, SentRecord } from './flow-file.ts'
import { type Outcome, readOutcome } from './outcome.ts'
import { type Action, actionsOf, type Ride } from './ride.ts'
import { parseTime, timeText } from './times.ts'

/** A promise of the house was broken. */
export class Violation extends Error {
  override name = 'Violation'
}

/** A wrong way to keep the promises, put between the job and the log; one per run, told of each life. */
export type Mutation = () => (log: Log, world: World) => Log

export interface RideResult {
  readonly outcome: Outcome
  /** Commits that the log was asked for, and operations of its disk. */
  readonly commits: number
  readonly operations: number
  /** Did the harm come to pass? */
  readonly harmed: boolean
}

const job = 'flow'
const livesMax = 40
/** A broker for a few records: many are opened. Its journal is settled all the time: jobs read across both. */
const small = { freeBytesMin: 0, segmentBytes: 3_000, cacheBytes: 1 << 20 }
/** More than the distance of the job's snapshots. */
const snapshotPauseMs = 5100

interface Driver {
  readonly flow: Flow
  readonly ride: Ride
  readonly simulation: Simulation
  readonly actions: readonly Action[]
  /** What the job is started with. */
  plans: readonly Plan[]
  /** The first action that is not known to be done. */
  next: number
  /** By topic/partition: records that were acknowledged. */
  readonly acknowledged: Map<string, number>
  commits: number
  commitHarmed: boolean
}
type LifeEnd = { readonly kind: 'again' } | { readonly kind: 'done'; readonly outcome: Outcome }

export async function runFlow(flow: Flow, ride: Ride, mutation?: Mutation): Promise<RideResult> {
  const simulation = simulate({ seed: `flow ${flow.name}`, crashOutcome: ride.outcome })
  const driver: Driver = {
    flow,
    ride,
    simulation,
    actions: actionsOf(flow, ride),
    plans: flow.firstPlans,
    next: 0,
    acknowledged: new Map(),
    commits: 0,
    commitHarmed: false,
  }
  const { machine } = simulation
  const { harm } = ride
  const planned = harm !== null && harm.kind !== 'commit' && harm.kind !== 'refuse'
  if (planned)
    machine.plan(
      harm.kind === 'kill' || harm.kind === 'power'
        ? { at: harm.at, crash: harm.kind }
        : { at: harm.at, fail: harm.kind === 'full' ? 'ENOSPC' : 'EIO', forEver: false },
    )
  const mutate = mutation?.() ?? ((log: Log): Log => log)
  // A disk that fails ends a life with an error, once: the process is gone, the next one finds the disk well.
  let excuses = harm?.kind === 'full' || harm?.kind === 'error' || harm?.kind === 'refuse' ? 1 : 0
  const harmed = (): boolean => (planned ? machine.planned : driver.commitHarmed)
  for (let life = 0; life < livesMax; life++) {
    const ended = await simulation.run((world, process) => live(driver, world, process, mutate))
    switch (ended.end) {
      case 'returned':
        if (ended.value.kind === 'again') break
        return {
          outcome: ended.value.outcome,
          commits: driver.commits,
          operations: machine.operations,
          harmed: harmed(),
        }
      case 'threw':
        if (!harmed() || excuses-- <= 0) throw ended.error
        break
      case 'crashed':
        break
      default:
        throw new Violation(`the flow ${ended.end} at step ${driver.next} of life ${life}`)
    }
  }
  throw new Violation(`the flow was not done after ${livesMax} lives`)
}

const never = (): Promise<never> => new Promise<never>(() => {})

async function live(
  driver: Driver,
  world: World,
  process: SimProcess,
  mutate: (log: Log, world: World) => Log,
): Promise<LifeEnd> {
  const { flow, ride, actions } = driver
  const broker = await openBroker(world, { dataDir: '/data', durability: 'power', ...small })
  for (const [key, count] of driver.acknowledged) {
    const [topic = '', partition = ''] = key.split('/')
    const end = broker.topic(topic) === null ? 0 : broker.offsets(topic, partitionId(Number(partition))).end
    if (end < count) throw new Violation(`${key} ends at ${end}, but ${count} records were acknowledged`)
  }
  const log = mutate({ ...broker, commit: (commit) => watchedCommit(driver, broker, process, commit) }, world)
  const start = (): Promise<LogJob> =>
    startLogJob(world, log, {
      name: job,
      plans: driver.plans,
      inHouse: new Set(),
      snapshotFolder: '/data/snapshots',
      logIdentity: broker.clusterId,
      tickMs: flow.clock ? 1000 : 3_600_000,
      shardsMax: ride.shards,
      shardsAlways: ride.shards > 0,
      onOutput: () => {},
    })
  let running = await start()
  if (flow.steps.some(({ kind }) => kind === 'upgrade')) {
    const failure = await Promise.race([running.upgraded(), running.failed])
    if (failure instanceof Error) throw failure
  }
  const replaced: LogJob[] = []

  /** Everything in the log has been processed, and what became due is committed. */
  const settle = async (): Promise<void> => {
    const failure = await Promise.race([running.settled(), running.failed])
    if (!(failure instanceof Error)) return
    // What it still does on its way out must do no harm.
    await world.clock.sleep(50)
    throw failure
  }
  const waiting: Promise<void>[] = []
  const joined = async (): Promise<void> => {
    await Promise.all(waiting.splice(0))
  }

  while (driver.next < actions.length) {
    const index = driver.next
    const action = actions[index]!
    if (ride.snapshots) {
      await settle()
      await world.clock.sleep(snapshotPauseMs)
    }
    if (action.kind === 'batch') {
      const sent = append(driver, log, action.records)
      if (ride.shuffle === null) {
        await sent
        driver.next++
        await settle()
        continue
      }
      // Several are under way at once; where they stand in the log is decided by the order of the calls.
      waiting.push(sent)
      for (let at = index + 1; at < actions.length; at++) {
        const following = actions[at]!
        if (following.kind !== 'batch') break
        waiting.push(append(driver, log, following.records))
        driver.next = at
      }
      await joined()
      driver.next++
      continue
    }
    const { directive } = action
    switch (directive.kind) {
      case 'kill':
      case 'crash':
        driver.next++
        process.crash(directive.kind === 'kill' ? 'kill' : 'power')
        return never()
      case 'restart':
        driver.next++
        await running.stop()
        await broker.close()
        return { kind: 'again' }
      case 'upgrade':
        driver.next++
        driver.plans = directive.plans
        await running.stop()
        await broker.close()
        return { kind: 'again' }
      case 'takeover':
        driver.next++
        replaced.push(running)
        running = await start()
        break
      default:
        await follow(directive, { flow, world, log, running, settle, atMs: clockAt(actions, index) })
        driver.next++
    }
  }
  await settle()
  // Whatever is still on its way has the time to come.
  await world.clock.sleep(1000)
  await checkReplaced(world, replaced)
  const bounded = new Map<string, readonly ResultBatch[]>()
  for (const plan of flow.plans) bounded.set(plan.name, (await runOverLog(world, log, plan, null)).results)
  const outcome = await readOutcome(log, flow, running.ledger(), bounded)
  await running.stop()
  await broker.close()
  return { kind: 'done', outcome }
}

/** The flow's own wall clock once this action is done: a tick is a second, `advance` what it says. */
function clockAt(actions: readonly Action[], index: number): number {
  let ms = parseTime('00:00:00')!
  for (const action of actions.slice(0, index + 1)) {
    if (action.kind !== 'directive') continue
    if (action.directive.kind === 'tick') ms += 1000
    else if (action.directive.kind === 'advance') ms += action.directive.ms
  }
  return ms
}

interface Place {
  readonly flow: Flow
  readonly world: World
  readonly log: Log
  readonly running: LogJob
  readonly settle: () => Promise<void>
  readonly atMs: number
}
type Followed = Exclude<Directive, { readonly kind: 'kill' | 'crash' | 'restart' | 'takeover' | 'upgrade' }>

async function follow(directive: Directive, { flow, world, log, running, settle, atMs }: Place): Promise<void> {
  const done = directive as Followed
  switch (done.kind) {
    // What the job's clock would have recorded. Recorded again after a crash, neither tells anything new.
    case 'tick':
      return log.tick(job, encodeTick({ atMs, interval: true, idle: [] }))
    case 'idle': {
      const { topic, partition } = done
      return log.tick(job, encodeTick({ atMs, interval: false, idle: [{ topic, partition }] }))
    }
    case 'advance':
      await settle()
      await world.clock.sleep(done.ms)
      return settle()
    case 'snapshot':
      await settle()
      await world.clock.sleep(snapshotPauseMs)
      await settle()
      // The snapshot is saved beside the job's work.
      return world.clock.sleep(2000)
    case 'watermark': {
      await settle()
      const found = running.watermarkMs(Object.keys(flow.plans[0]!.contracts)[0]!)
      if (found !== (done.ms ?? Number.NEGATIVE_INFINITY))
        throw new Violation(
          `${flow.name}.flow:${done.line}: the watermark is ${timeText(found)}, not ${done.ms === null ? 'none' : timeText(done.ms)}`,
        )
      return
    }
    default:
      throw new Violation(`${directive.kind} is no directive to follow`)
  }
}

/** Appends what is not in the log yet: after a crash the producer does not know. */
async function append(driver: Driver, log: Log, records: readonly [SentRecord, ...SentRecord[]]): Promise<void> {
  const { topic, partition, offset } = records[0]
  const key = `${topic}/${partition}`
  // The end is where the log stands at the call or behind it: only after a crash does it lie past the batch.
  const { end } = log.offsets(topic, partitionId(partition))
  const after = offset + records.length
  if (end >= after) return
  if (end > offset) throw new Violation(`${key} ends at ${end}, inside a batch of ${offset} to ${after - 1}`)
  const writer = new BatchWriter()
  for (const { value, arrivalMs } of records) writer.append(null, value, arrivalMs)
  const { baseOffset } = await log.append(topic, partitionId(partition), writer.finish())
  if (baseOffset !== offset) throw new Violation(`${key}: a batch for offset ${offset} went to ${baseOffset}`)
  driver.acknowledged.set(key, Math.max(driver.acknowledged.get(key) ?? 0, after))
}

async function watchedCommit(driver: Driver, log: Log, process: SimProcess, commit: Commit): ReturnType<Log['commit']> {
  const { harm } = driver.ride
  const at = ++driver.commits
  if (harm?.kind === 'refuse' && harm.at === at) {
    driver.commitHarmed = true
    throw new LogError('KAFKA_STORAGE_ERROR', 'no room for this commit, for once')
  }
  if (harm?.kind !== 'commit' || harm.at !== at) return log.commit(commit)
  driver.commitHarmed = true
  if (harm.when === 'before') {
    process.crash('kill')
    return never()
  }
  const made = log.commit(commit)
  if (harm.when === 'after') await made
  // Whether it was refused, nobody will know.
  else made.catch(() => {})
  process.crash('kill')
  return never()
}

/** Whoever was replaced could commit nothing any more, and says so if it tried. */
async function checkReplaced(world: World, replaced: readonly LogJob[]): Promise<void> {
  for (const old of replaced) {
    const failure = await Promise.race([old.failed, world.clock.sleep(2000).then(() => null)])
    if (failure !== null && !(failure instanceof FencedError))
      throw new Violation(`a job that was taken over failed otherwise: ${failure.stack}`)
  }
}
