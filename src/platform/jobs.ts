// The shop's jobs on the broker's log: which pipelines and reactions run together, and where their rows go besides topics.
import type { Broker } from '../broker/broker.ts'
import {
  abandonedCarts,
  type DelayRules,
  delayMonitor,
  fraudMonitor,
  funnelMonitor,
  orderFraudMonitor,
  pipelines,
  sales,
  salesEventTracker,
  stockMonitor,
  trafficMonitor,
} from '../commerce/commerce.ts'
import { type LogJob, type LogJobSettings, startLogJob } from '../connect/connect.ts'
import type { Plan } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import type { InsightsPort } from '../serve/insights-port.ts'
import type { LiveFigures } from '../serve/live-figures.ts'
import { assert } from '../std/assert.ts'
import { noLog, type WriteLog } from '../std/log-line.ts'
import type { World } from '../world/world.ts'
import { delayLog } from './delay-log.ts'
import { type Detection, openDetection } from './detection.ts'
import { show } from './figures.ts'
import { groupProgress } from './group-progress.ts'
import type { DeadLetterCount } from './metrics.ts'
import type { QualityFigures } from './quality.ts'
import { qualityOfOrders, qualityOfSales, qualityOfShop } from './quality-of-jobs.ts'

/** What whoever starts the house may say. */
export interface JobRules {
  /** Not given: those of the documents. */
  readonly delays?: DelayRules
  /** Reactions whose state somebody asks. Not given: nobody does. */
  readonly detection?: Detection
}

/** What runs together: one decode of each topic, one commit, one snapshot. */
interface JobDefinition {
  readonly name: string
  /** Pipelines whose rows become a topic. */
  readonly published: readonly string[]
  /** Pipelines whose rows only reactions and the screen see: as topics they would outgrow their sources. */
  readonly inHouse: readonly string[]
  readonly reactions: (rules: JobRules) => readonly Reaction[]
  /** Its progress is shown as that of a consumer group of this name. */
  readonly group?: string
}

/** O4: valid orders, each once, with the name of their product. */
const orderProcessor: JobDefinition = {
  name: 'order-processors',
  published: ['processed-orders'],
  inHouse: [...qualityOfOrders.plans],
  reactions: () => [qualityOfOrders.reaction()],
  group: 'order-processors',
}
/** O5: what they come to, by product and minute. */
const analyticsEngine: JobDefinition = {
  name: 'analytics-engine',
  published: ['order-analytics'],
  inHouse: [],
  reactions: () => [],
  group: 'analytics-engine',
}

const salesJob: JobDefinition = {
  name: 'sales',
  published: ['sales-window', 'sales-per-second'],
  inHouse: [
    'sales-by-product',
    'sales-by-seller',
    'sales-by-category',
    'sales-by-minute',
    'seller-volume',
    'price-by-minute',
    ...qualityOfSales.plans,
  ],
  reactions: ({ detection = openDetection() }) => [
    salesEventTracker(),
    ...detection.ofSales,
    qualityOfSales.reaction(),
  ],
}
const shopJob: JobDefinition = {
  name: 'shop',
  published: [
    'marketplace-hourly',
    'orders-enriched',
    'order-items-enriched',
    'store-metrics',
    'store-sales',
    'product-sales',
    'trending-products',
    'bought-together',
  ],
  inHouse: [
    'stock-changes',
    'marketplace-arrivals',
    'payment-velocity',
    'chargebacks-once',
    'returns-once',
    'order-velocity',
    'visitor-acts',
    'views-by-minute',
    'baskets-by-product',
    'baskets-in-all',
    'views-by-product',
    'visitors-by-minute',
    'purchases-by-product',
    'payments-by-user',
    'payments-by-device',
    'stock-by-minute',
    ...qualityOfShop.plans,
  ],
  reactions: ({ delays, detection = openDetection() }) => [
    stockMonitor(),
    delayMonitor(delays),
    fraudMonitor(),
    orderFraudMonitor(),
    funnelMonitor(),
    abandonedCarts(),
    trafficMonitor(),
    ...detection.ofShop,
    qualityOfShop.reaction(),
  ],
}

/** The plans whose rows become topics. */
export function publishedPlans(): readonly Plan[] {
  return definitions.flatMap(({ published }) => published.map(planOf))
}

export interface Jobs {
  readonly all: readonly LogJob[]
  /** All have caught up once: from then on being behind is the load of the moment, not a start. */
  started: boolean
  readonly sales: LogJob
  readonly orders: LogJob
  readonly byPipeline: ReadonlyMap<string, LogJob>
  /** What the API asks the jobs' reactions. */
  readonly detection: InsightsPort
}

interface JobPlaces {
  /** Null keeps snapshots in memory. */
  readonly dataDir: string | null
  readonly figures: LiveFigures
  readonly deadLetters: DeadLetterCount
  readonly rules?: JobRules
  readonly quality?: QualityFigures
  /** Told what the reactions say in words. Default: nobody. */
  readonly log?: WriteLog
}

const tickMs = 1_000
/** More threads than this find nothing to do: the job's own takes in what they made. */
const shardsMaxOfJob = 4

/** In the order in which they start; the first that reads a topic keeps its dead letters and accounts for it. */
const definitions = [salesJob, shopJob, orderProcessor, analyticsEngine]

/** Where the jobs of a data directory stand, without going on: stop them when they were looked at. */
export async function jobsAtRest(world: World, broker: Broker, dataDir: string): Promise<readonly LogJob[]> {
  const jobs: LogJob[] = []
  for (const definition of definitions)
    jobs.push(
      await startLogJob(world, broker, {
        name: definition.name,
        ...settingsOf(definition, broker.clusterId, dataDir),
        onOutput: () => {},
        atRest: true,
      }),
    )
  return jobs
}
function settingsOf(definition: JobDefinition, logIdentity: string, dataDir: string | null, rules: JobRules = {}) {
  return {
    plans: [...definition.published, ...definition.inHouse].map(planOf),
    inHouse: new Set(definition.inHouse),
    reactions: definition.reactions(rules),
    logIdentity,
    tickMs,
    snapshotFolder: dataDir === null ? null : `${dataDir}/jobs/${definition.name}`,
  }
}

/** Resolves when the jobs follow the log; they have not caught up yet. */
export async function startJobs(world: World, broker: Broker, places: JobPlaces): Promise<Jobs> {
  const { dataDir, figures, deadLetters } = places
  const tellDelays = delayLog(world, places.log ?? noLog)
  const detection = openDetection()
  /** Topics whose dead letters a job before keeps. */
  const judged = new Set<string>()
  const start = async (definition: JobDefinition, onOutput: LogJobSettings['onOutput']): Promise<LogJob> => {
    const progress = definition.group === undefined ? null : groupProgress(world, broker, definition.group)
    const settings = settingsOf(definition, broker.clusterId, dataDir, { ...places.rules, detection })
    const job = await startLogJob(world, broker, {
      name: definition.name,
      ...settings,
      judgedElsewhere: new Set(judged),
      // One core is left for the sockets and the journal.
      shardsMax: Math.min(shardsMaxOfJob, world.host.cores - 1),
      onOutput,
      ...(progress === null ? {} : { onCommitted: (moved) => progress.moved(moved) }),
    })
    for (const plan of settings.plans) for (const topic of Object.keys(plan.contracts)) judged.add(topic)
    if (progress === null) return job
    const stop = async (): Promise<void> => {
      await job.stop()
      await progress.stop()
    }
    return {
      ...job,
      // It changes when other plans take over.
      get epoch() {
        return job.epoch
      },
      stop,
    }
  }

  let progress: LogJob | null = null
  const ofSales = await start(salesJob, (output, { epoch }) => {
    show(output, figures)
    deadLetters.add(output)
    places.quality?.add(output)
    if (progress !== null) figures.moved(progressOf(progress, epoch))
  })
  progress = ofSales
  figures.moved(progressOf(ofSales, ofSales.epoch))
  const running: [JobDefinition, LogJob][] = [[salesJob, ofSales]]
  for (const definition of definitions.filter((one) => one !== salesJob))
    running.push([
      definition,
      await start(definition, (output) => {
        deadLetters.add(output)
        tellDelays(output)
        places.quality?.add(output)
      }),
    ])
  const byPipeline = new Map(
    running.flatMap(([{ published, inHouse }, job]) => [...published, ...inHouse].map((name) => [name, job] as const)),
  )
  return {
    all: running.map(([, job]) => job),
    started: false,
    sales: ofSales,
    orders: jobOf(running, orderProcessor),
    byPipeline,
    detection,
  }
}

function jobOf(running: readonly (readonly [JobDefinition, LogJob])[], wanted: JobDefinition): LogJob {
  const found = running.find(([definition]) => definition === wanted)
  assert(found !== undefined, `job ${wanted.name} runs`)
  return found[1]
}

/** Until the job has caught up, or waits for room on the disk: then the page is there to say so. */
export async function settledOrWaiting(world: World, job: LogJob): Promise<void> {
  let over = false
  const waits = async (): Promise<void> => {
    while (!over && job.trouble() === null) await world.clock.sleep(200)
  }
  await Promise.race([job.settled(), waits()]).finally(() => {
    over = true
  })
}

function progressOf(job: LogJob, epoch: number): Parameters<LiveFigures['moved']>[0] {
  const watermarkMs = job.watermarkMs(sales.topic)
  const newestMs = Math.max(...job.partitions(sales.topic).map(({ eventTimeMsMax }) => eventTimeMsMax))
  return {
    epoch,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : null,
    eventTimeMaxMs: Number.isFinite(newestMs) ? newestMs : null,
  }
}

function planOf(pipeline: string): Plan {
  const found = pipelines.get(pipeline)
  assert(found !== undefined, `there is no pipeline ${pipeline}`)
  return found.plan
}
