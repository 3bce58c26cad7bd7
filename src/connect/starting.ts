// Starts a job with the plans that are wanted: at once where they are those that ran, else beside those that ran, which are
// switched from when the new ones have been computed from the log. Seen from outside it is one job.
import { type JobOutput, openJob, openUpgrade, type Upgrade } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import { PlanError } from '../query/plan.ts'
import type { World } from '../world/world.ts'
import { accountOf } from './account.ts'
import type { LogJob, LogJobSettings } from './connect.ts'
import { identityOfPlan, type JobPlans, jobPlansRecord, plansTopicSpec, readJobPlans, samePlans } from './job-plans.ts'
import { startJob } from './job-runner.ts'
import { jobTopics, madeTopic, type TopicsOfJob } from './job-topics.ts'
import type { OutputTopics } from './outputs.ts'
import { Rebuilding } from './rebuilding.ts'
import { type SchemaRegistry, schemaRegistry } from './schema-registry.ts'
import { openSnapshots, type Snapshot, type SnapshotStore } from './snapshots.ts'
import { Switching } from './switching.ts'

type Started = Awaited<ReturnType<typeof startJob>> & { readonly plans: readonly string[] }

interface Parts {
  readonly world: World
  readonly log: Log
  readonly settings: LogJobSettings
  /** Of the wanted plans and of those that ran. */
  readonly topics: TopicsOfJob
}

export async function startWithPlans(world: World, log: Log, settings: LogJobSettings): Promise<LogJob> {
  const { name, plans, reactions = [] } = settings
  await madeTopic(log, plansTopicSpec)
  const known = await readJobPlans(log, name)
  const wanted: JobPlans = {
    generation: (known?.generation ?? 0) + 1,
    plans,
    inHouse: plans.map((plan) => plan.name).filter((plan) => settings.inHouse.has(plan)),
    reactions: reactions.map(({ name, version }) => ({ name, version })),
  }
  const topics = await jobTopics(log, wanted, reactions)
  const parts = { world, log, settings, topics }
  if (known !== null && samePlans(known, wanted)) return asJob(parts, await startPlain(parts, known), null)
  const upgrade = known === null ? null : upgradeFrom(parts, known)
  if (known === null || upgrade === null) {
    const started = await startPlain(parts, wanted)
    if (settings.atRest) return asJob(parts, started, null)
    // Written down once it runs: a start that is refused changes nothing.
    const { topic, partition, batch } = jobPlansRecord(world.clock, name, wanted)
    await log.append(topic, partition, batch)
    return asJob(parts, started, null)
  }
  if (settings.atRest) return asJob(parts, await startBefore(parts, known, upgrade, null), null)
  const switching = await switchingTo(parts, wanted, upgrade)
  const before = await startBefore(parts, known, upgrade, switching)
  return asJob(parts, before, () =>
    switching.done.then((made) => (made === null ? null : startPlain(parts, wanted, made))),
  )
}

/** Null: what ran cannot be run by this release, so nothing goes on meanwhile and the log is replayed. */
function upgradeFrom({ world, settings, topics }: Parts, known: JobPlans): Upgrade | null {
  const { plans, reactions = [] } = settings
  // Two jobs beside each other would wait for schemas at two places of the log.
  if (settings.schemas !== undefined) return null
  try {
    return openUpgrade({
      running: known,
      wanted: { plans, reactions },
      job: { bounded: false, partitions: topics.partitions, monoMs: () => world.clock.monoMs() },
    })
  } catch (error) {
    if (error instanceof PlanError) return null
    throw error
  }
}

function snapshotsOf({ world, settings }: Parts, { generation, plans, reactions }: JobPlans): SnapshotStore | null {
  const { snapshotFolder, logIdentity } = settings
  if (snapshotFolder === null) return null
  const identity = [...plans.map(identityOfPlan), ...reactions.map(({ name, version }) => `${name}@${version}`)]
  return openSnapshots(world, `${snapshotFolder}/g${generation}`, `${logIdentity}/${identity.join('+')}`)
}
/** Snapshots of plans that are not the job's any more, or of a switch that never came. */
function clearOthers({ world, settings }: Parts, generation: number): void {
  const { snapshotFolder } = settings
  if (snapshotFolder === null || world.fs.stat(snapshotFolder) === null) return
  for (const name of world.fs.list(snapshotFolder))
    if (name !== `g${generation}` && /^(?:g|chk-|blocks-)\d+/.test(name))
      world.fs.removeTree(`${snapshotFolder}/${name}`)
}

async function startPlain(parts: Parts, of: JobPlans, given: Snapshot | null = null): Promise<Started> {
  const { world, log, settings, topics } = parts
  const { name, plans, reactions = [] } = settings
  if (!settings.atRest) clearOthers(parts, of.generation)
  const { partitions } = topics
  const avro = registryOf(parts)
  const jobSettings = {
    bounded: false,
    partitions,
    monoMs: () => world.clock.monoMs(),
    ...(avro === null ? {} : { avro }),
  }
  const open = () => openJob(plans, jobSettings, reactions)
  const started = await startJob(
    world,
    log,
    open,
    {
      name,
      outputs: outputsOf(parts, topics.outputs),
      contracts: topics.contracts,
      snapshots: snapshotsOf(parts, of),
      tickMs: settings.tickMs,
      onOutput: settings.onOutput,
      onCommitted: settings.onCommitted,
      atRest: settings.atRest ?? false,
      sharding: {
        plans,
        settings: { bounded: false, partitions },
        partitionsOf: (topic) => partitions[topic] ?? 0,
        shardsMax: settings.shardsMax ?? 0,
        always: settings.shardsAlways ?? false,
      },
      switching: null,
      schemas: avro,
    },
    given,
  )
  return { ...started, plans: plans.map((plan) => plan.name) }
}

/** Null: none of the topics is in Avro. */
function registryOf({ world, settings, topics }: Parts): SchemaRegistry | null {
  const inAvro = [...topics.contracts].flatMap(([topic, { format }]) => (format === 'avro' ? [topic] : []))
  if (settings.schemas === undefined || inAvro.length === 0) return null
  return schemaRegistry(world.clock, settings.schemas, new Set(inAvro))
}

function outputsOf({ settings: { judgedElsewhere } }: Parts, outputs: OutputTopics): OutputTopics {
  return judgedElsewhere === undefined ? outputs : { ...outputs, judgedElsewhere }
}

/** What ran goes on, on one thread: the new plans are computed on it too. */
async function startBefore(
  parts: Parts,
  known: JobPlans,
  upgrade: Upgrade,
  switching: Switching | null,
): Promise<Started> {
  const { world, log, settings, topics } = parts
  const before = await jobTopics(log, known, [])
  const contracts = new Map<string, Contract>([...topics.contracts, ...before.contracts])
  // Who reads the wanted plans' rows in the house need not understand those of others.
  const alike = new Set(settings.plans.map(identityOfPlan))
  const started = await startJob(world, log, () => upgrade.job, {
    name: settings.name,
    outputs: outputsOf(parts, { results: before.outputs.results, emitted: topics.outputs.emitted }),
    contracts,
    snapshots: snapshotsOf(parts, known),
    tickMs: settings.tickMs,
    onOutput: (output: JobOutput, at) =>
      settings.onOutput(
        { ...output, results: output.results.filter(({ plan }) => alike.has(identityOfPlan(plan))) },
        at,
      ),
    onCommitted: settings.onCommitted,
    atRest: settings.atRest ?? false,
    sharding: {
      plans: [],
      settings: { bounded: false },
      partitionsOf: () => 0,
      shardsMax: 0,
      always: false,
    },
    switching,
    schemas: null,
  })
  return { ...started, plans: known.plans.map((plan) => plan.name) }
}

async function switchingTo(parts: Parts, wanted: JobPlans, upgrade: Upgrade): Promise<Switching> {
  const { world, log, settings, topics } = parts
  const { name, plans } = settings
  const rebuilding = new Rebuilding({
    log,
    clock: world.clock,
    follower: log.follow({ job: name, topics: upgrade.job.topics, from: log.origin() }),
    upgrade,
    plans,
    outputs: topics.outputs,
    contracts: topics.contracts,
    fromMs: settings.rebuildFromMs ?? null,
  })
  clearOthers(parts, wanted.generation - 1)
  return new Switching(world, upgrade, rebuilding, snapshotsOf(parts, wanted), () =>
    jobPlansRecord(world.clock, name, wanted),
  )
}

/** `next`: what follows the first, once it is over; null where nothing does. */
function asJob(
  { log, settings: { name } }: Parts,
  first: Started,
  next: (() => Promise<Started | null>) | null,
): LogJob {
  let now = first
  let stopping = false
  const upgraded =
    next === null
      ? Promise.resolve()
      : next().then(async (started) => {
          if (started === null) return
          now = started
          if (stopping) await started.running.stop()
        })
  // Whoever asks hears of it; `failed` tells the others.
  const fault = upgraded.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
  const failed = Promise.race([
    first.running.failed,
    fault.then((error) => error ?? (now === first ? first.running.failed : now.running.failed)),
  ])
  return {
    name,
    get epoch() {
      return now.running.epoch
    },
    failed,
    caughtUp: () => now.running.caughtUp(),
    async settled() {
      const asked = now
      await asked.running.settled()
      if (asked !== now) await now.running.settled()
    },
    trouble: () => now.running.trouble(),
    async stop() {
      stopping = true
      await now.running.stop()
      await fault
      await now.running.stop()
    },
    // A plan that is still being computed has none.
    watermarkMs: (name) =>
      now.plans.includes(name) || now.job.topics.includes(name) ? now.job.watermarkMs(name) : Number.NEGATIVE_INFINITY,
    partitions: (topic) => now.job.partitions(topic),
    ledger: () => now.job.ledger().map((line) => accountOf(log, line, now.running)),
    handed: (topic, partition) => now.running.handed(topic, partition),
    stateBytes: () => now.job.stateBytes(),
    operators: () => now.job.operators(),
    load: () => now.running.load(),
    upgraded: () => upgraded,
    plans: () => now.plans,
  }
}
