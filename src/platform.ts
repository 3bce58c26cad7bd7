// Opens the house in the order a record goes through it: broker, generator, engine, figures, serving. Every command that
// needs more than one room comes through here; reads top to bottom.
import { type Broker, checkListener, openBroker } from './broker/broker.ts'
import {
  contracts,
  delayMonitor,
  pipelines,
  type ReportRow,
  reports,
  sales,
  salesEventTracker,
  stockMonitor,
} from './commerce/commerce.ts'
import { ensureTopic, type LogJob, startLogJob } from './connect/connect.ts'
import type { Log } from './log/log.ts'
import { answerBackups } from './platform/backup-requests.ts'
import { type BrokerSettings, listenOn, type Opened } from './platform/broker-alone.ts'
import { brokerComponent } from './platform/broker-metrics.ts'
import { show, showLastRows } from './platform/figures.ts'
import { type Generator, startGenerator } from './platform/generator.ts'
import { openIngest } from './platform/ingest.ts'
import { type DeadLetterCount, deadLetterCount, metricsPort } from './platform/metrics.ts'
import { reportRows, reportsPort } from './platform/reports.ts'
import { announce } from './platform/running.ts'
import { type FolderToWatch, startWatching, type Watching } from './platform/watching.ts'
import type { Plan } from './query/plan.ts'
import { type LiveFigures, liveFigures } from './serve/live-figures.ts'
import type { Component, LedgerRow, ServePorts } from './serve/ports.ts'
import { assert } from './std/assert.ts'
import { partitionId } from './std/units.ts'
import type { World } from './world/world.ts'

export interface StartSettings extends BrokerSettings {
  /** Of dashboard and API. */
  readonly host: string
  readonly port: number
  /** Sales per second of the generator. */
  readonly rate: number
  readonly seed: string
  readonly generate: boolean
  /** Folders whose files are taken in. */
  readonly watch?: readonly FolderToWatch[]
  /** Folder of the built screen; null serves the API alone. */
  readonly screen: string | null
  /** Of the package. */
  readonly version: string
}
export interface Progress {
  readonly text: string
}
export interface Platform extends Opened {
  readonly url: string
}

const tickMs = 1_000
const salesPlans = [
  'sales-window',
  'sales-per-second',
  'sales-by-product',
  'sales-by-seller',
  'sales-by-category',
  'sales-by-minute',
].map((name) => planOf(name))
const shopPlans = [
  'product-metrics',
  'orders-enriched',
  'store-metrics',
  'store-sales',
  'product-sales',
  'trending-products',
  'stock-changes',
  'marketplace-arrivals',
].map((name) => planOf(name))

/** Resolves when Kafka and HTTP listen and the first figures are there. */
export async function startPlatform(
  world: World,
  settings: StartSettings,
  tell: (line: Progress) => void,
): Promise<Platform> {
  const startedMs = world.clock.nowMs()
  const undo: (() => Promise<unknown> | unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    // Serving has the heaviest modules: they load while the broker reads its disk.
    const servingModule = import('./serve/serve.ts')
    for (const listener of settings.listeners) checkListener(listener)
    tell({ text: 'opening the broker' })
    const broker = await openBroker(world, settings)
    undo.push(() => broker.close())
    const kafka = await listenOn(broker, settings.listeners)
    for (const contract of contracts.values()) {
      // What a pipeline writes it makes itself, with the settings of a result.
      if (contract.origin === 'result') continue
      await ensureTopic(broker, { name: contract.topic, partitions: contract.partitions })
    }

    const generator = settings.generate ? await startGenerator(world, broker, settings, tell) : null
    if (generator !== null) undo.push(() => generator.stop())

    tell({ text: 'starting the pipelines' })
    const figures = liveFigures({
      currency: sales.fields.price.type.currency,
      scale: sales.fields.price.type.scale,
      windowMs: 15 * 60_000,
      slideMs: 1_000,
    })
    await showLastRows(broker, figures)
    const deadLetters = deadLetterCount()
    const jobs = await startJobs(world, broker, settings, figures, deadLetters)
    undo.push(() => Promise.all(jobs.all.map((job) => job.stop())))
    await Promise.all(jobs.all.map((job) => settledOrWaiting(world, job)))
    jobs.started = true
    const inputs = [...contracts].filter(([, { origin }]) => origin !== 'result')
    const ingest = await openIngest(world, broker, new Map(inputs))
    const { watch = [] } = settings
    const watching = watch.length === 0 ? null : await startWatching(world, broker, watch)
    if (watching !== null) undo.push(() => watching.stop())

    const ports: ServePorts = {
      figures: {
        live: figures,
        status: {
          status: () => ({
            startedMs,
            durability:
              settings.dataDir === null ? 'memory' : settings.durability === 'power' ? 'power-cut' : 'process',
            components: components(broker, jobs, generator, watching),
            ledger: ledger(broker, jobs.all),
            kafka,
            generator: generator === null ? null : { salesPerSecond: settings.rate, seed: settings.seed },
          }),
        },
      },
      health: {
        checks: async () =>
          components(broker, jobs, generator, watching).map(({ name, state, detail }) => ({
            name,
            ok: state === 'ok' || state === 'off',
            needed: name !== 'generator',
            detail,
          })),
      },
      reports: reportsPort(world, broker),
      ingest,
      metrics: metricsPort(world, { broker, ingest, deadLetters, pipelines: jobs.byPipeline }),
      fault: (error, where) => settings.log('error', 'serve', `a fault in ${where}`, { err: error }),
    }
    const { serve } = await servingModule
    const served = await serve(world, ports, {
      host: settings.host,
      port: settings.port,
      screenFolder: settings.screen,
      version: settings.version,
    })
    undo.push(() => served.close())
    undo.push(announce(world, settings.dataDir, { url: served.url, kafka }))
    undo.push(answerBackups(world, settings.dataDir, broker))
    generator?.start()
    return {
      url: served.url,
      kafka,
      stop,
      failed: Promise.race([
        broker.failed,
        ...jobs.all.map((job) => job.failed),
        ...(generator ? [generator.failed] : []),
        ...(watching ? [watching.failed] : []),
      ]),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

// --- The engine: the shop's pipelines on the broker's log ---

interface Jobs {
  readonly all: readonly LogJob[]
  /** All have caught up once: from then on being behind is the load of the moment, not a start. */
  started: boolean
  readonly sales: LogJob
  readonly byPipeline: ReadonlyMap<string, LogJob>
}

/** More threads than this find nothing to do: the job's own takes in what they made. */
const shardsMaxOfJob = 4

async function startJobs(
  world: World,
  broker: Broker,
  settings: StartSettings,
  figures: LiveFigures,
  deadLetters: DeadLetterCount,
): Promise<Jobs> {
  const folder = (name: string): string | null =>
    settings.dataDir === null ? null : `${settings.dataDir}/jobs/${name}`
  // One core is left for the sockets and the journal.
  const shardsMax = Math.min(shardsMaxOfJob, world.host.cores - 1)
  const common = { logIdentity: broker.clusterId, tickMs, shardsMax }
  let progress: LogJob | null = null
  const salesJob = await startLogJob(world, broker, {
    ...common,
    name: 'sales',
    plans: salesPlans,
    // A row for each product, seller and category of each minute would outgrow the sales themselves.
    inHouse: new Set(['sales-by-product', 'sales-by-seller', 'sales-by-category', 'sales-by-minute']),
    reactions: [salesEventTracker()],
    snapshotFolder: folder('sales'),
    onOutput: (output, { epoch }) => {
      show(output, figures)
      deadLetters.add(output)
      if (progress !== null) figures.moved(progressOf(progress, epoch))
    },
  })
  progress = salesJob
  const shopJob = await startLogJob(world, broker, {
    ...common,
    name: 'shop',
    plans: shopPlans,
    // What only a reaction reads.
    inHouse: new Set(['stock-changes', 'marketplace-arrivals']),
    reactions: [stockMonitor(), delayMonitor()],
    snapshotFolder: folder('shop'),
    onOutput: (output) => deadLetters.add(output),
  })
  figures.moved(progressOf(salesJob, salesJob.epoch))
  const byPipeline = new Map([
    ...salesPlans.map(({ name }) => [name, salesJob] as const),
    ...shopPlans.map(({ name }) => [name, shopJob] as const),
  ])
  return { all: [salesJob, shopJob], started: false, sales: salesJob, byPipeline }
}

/** Until the job has caught up, or waits for room on the disk: then the page is there to say so. */
async function settledOrWaiting(world: World, job: LogJob): Promise<void> {
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

// --- Health: what people should know about ---

function components(broker: Broker, jobs: Jobs, generator: Generator | null, watching: Watching | null): Component[] {
  const paused = jobs.all.map((job) => job.trouble()?.message).find((message) => message !== undefined)
  const behind = jobs.all.filter((job) => !job.caughtUp())
  return [
    brokerComponent(broker),
    {
      name: 'engine',
      state: paused !== undefined ? 'degraded' : behind.length === 0 || jobs.started ? 'ok' : 'starting',
      detail: paused ?? (behind.length === 0 ? 'caught up' : 'catching up with the log'),
    },
    generator === null
      ? { name: 'generator', state: 'off', detail: 'not wanted in this run' }
      : {
          name: 'generator',
          state: generator.trouble() !== null ? 'down' : generator.pause() !== null ? 'degraded' : 'ok',
          detail: (generator.trouble() ?? generator.pause())?.message ?? 'selling',
        },
    ...(watching === null ? [] : [watching.component()]),
  ]
}

function ledger(log: Log, jobs: readonly LogJob[]): LedgerRow[] {
  const lines = new Map<string, LedgerRow>()
  for (const line of jobs.flatMap((job) => job.ledger())) {
    const sum = lines.get(line.topic) ?? {
      topic: line.topic,
      in: 0,
      processed: 0,
      duplicates: 0,
      late: 0,
      deadLettered: 0,
      inFlight: 0,
    }
    const inLog = endOf(log, line.topic, line.partition)
    lines.set(line.topic, {
      topic: line.topic,
      in: sum.in + inLog,
      processed: sum.processed + line.processed,
      duplicates: sum.duplicates + line.duplicates,
      late: sum.late + line.late,
      deadLettered: sum.deadLettered + line.deadLettered,
      inFlight: sum.inFlight + inLog - line.in,
    })
  }
  return [...lines.values()]
}

function endOf(log: Log, topic: string, partition: number): number {
  return log.offsets(topic, partitionId(partition)).end
}

function planOf(pipeline: string): Plan {
  const found = pipelines.get(pipeline)
  assert(found !== undefined, `there is no pipeline ${pipeline}`)
  return found.plan
}

/** Computes a report from a data directory that nobody holds. */
export async function runReport(world: World, name: string, dataDir: string): Promise<readonly ReportRow[]> {
  const report = reports.get(name)
  assert(report !== undefined, `there is no report ${name}`)
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  try {
    return (await reportRows(world, broker, report, null)).rows
  } finally {
    await broker.close()
  }
}
