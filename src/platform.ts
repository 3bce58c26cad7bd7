// Opens the house in the order a record goes through it: broker, generator, engine, figures, serving. Every command that
// needs more than one room comes through here; reads top to bottom.
import { checkListener, openBroker } from './broker/broker.ts'
import { contracts, type DelayRules, type ReportRow, sales } from './commerce/commerce.ts'
import { ensureTopic } from './connect/connect.ts'
import type { Profile } from './generate/generate.ts'
import { answerBackups } from './platform/backup-requests.ts'
import { type BrokerSettings, listenOn, type Opened } from './platform/broker-alone.ts'
import { deadLettersOf } from './platform/dead-letters.ts'
import { showLastRows } from './platform/figures.ts'
import { startGenerator } from './platform/generator.ts'
import { components } from './platform/health.ts'
import { openIngest } from './platform/ingest.ts'
import { settledOrWaiting, startJobs } from './platform/jobs.ts'
import { lakePort, openLakeHouse } from './platform/lake.ts'
import { ledgerOf, ledgerRows } from './platform/ledger.ts'
import { liveTables } from './platform/live-tables.ts'
import { deadLetterCount, metricsPort } from './platform/metrics.ts'
import { orderFigures } from './platform/order-figures.ts'
import { startOrderSink } from './platform/order-sink.ts'
import { pipelinesNow } from './platform/pipelines-now.ts'
import { qualityFigures } from './platform/quality.ts'
import { openReconciliation } from './platform/reconcile.ts'
import { startReportSchedule } from './platform/report-schedule.ts'
import { type Interval, reportNamed, reportsPort, runReport as runOver } from './platform/reports.ts'
import { announce } from './platform/running.ts'
import { startServing } from './platform/serving-store.ts'
import { openSql } from './platform/sql.ts'
import { topicsPort } from './platform/topics.ts'
import { type FolderToWatch, startWatching } from './platform/watching.ts'
import { liveFigures } from './serve/live-figures.ts'
import type { Component, ServePorts } from './serve/ports.ts'
import type { ServingPlace } from './stores/serving.ts'
import type { World } from './world/world.ts'

export interface StartSettings extends BrokerSettings {
  /** Of dashboard and API. */
  readonly host: string
  readonly port: number
  /** Sales per second of the generator. */
  readonly rate: number
  readonly seed: string
  readonly generate: boolean
  /** Of the generator; `documents` if not given. */
  readonly profile?: Profile
  /** Folders whose files are taken in. */
  readonly watch?: readonly FolderToWatch[]
  /** The log goes into the lake as it comes; false: only what a report asks for. */
  readonly lake?: boolean
  /** Answers questions in SQL. */
  readonly sql?: boolean
  /** Where the newest figures rest; null: SQLite in the data directory, in memory without one. */
  readonly serving?: ServingPlace | null
  /** Folder of the built screen; null serves the API alone. */
  readonly screen: string | null
  /** Not given: those of the documents. */
  readonly delayRules?: DelayRules
  /** Product metrics are written there, a JSON object a line (O6); null: they stay in their topic. */
  readonly metricsFile?: string | null
  /** Of the package. */
  readonly version: string
}
export interface Progress {
  readonly text: string
}
export interface Platform extends Opened {
  readonly url: string
}

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
    const quality = await qualityFigures(world, broker)
    const jobs = await startJobs(world, broker, {
      ...{ dataDir: settings.dataDir, figures, deadLetters, quality, log: settings.log },
      rules: settings.delayRules === undefined ? {} : { delays: settings.delayRules },
    })
    undo.push(() => Promise.all(jobs.all.map((job) => job.stop())))
    await Promise.all(jobs.all.map((job) => settledOrWaiting(world, job)))
    jobs.started = true
    const orders = await startOrderSink(world, broker, settings.metricsFile ?? null)
    undo.push(() => orders.stop())
    const ordersNow = orderFigures(world, jobs.orders, orders)
    undo.push(() => ordersNow.stop())
    const inputs = [...contracts].filter(([, { origin }]) => origin !== 'result')
    const ingest = await openIngest(world, broker, new Map(inputs))
    const { watch = [] } = settings
    const watching = watch.length === 0 ? null : await startWatching(world, broker, watch)
    if (watching !== null) undo.push(() => watching.stop())

    const house = openLakeHouse(world, broker, {
      dataDir: settings.dataDir,
      follows: settings.dataDir !== null && settings.lake !== false,
    })
    undo.push(() => house.stop())
    const reconciliation = openReconciliation(
      world,
      broker,
      house,
      settings.dataDir !== null && settings.lake !== false,
    )
    undo.push(() => reconciliation.stop())
    if (settings.dataDir !== null && settings.lake !== false) {
      const schedule = startReportSchedule(world, broker, house)
      undo.push(() => schedule.stop())
    }
    const sql = settings.sql === true ? openSql(world, broker, house, liveTables(figures)) : null
    if (sql !== null) undo.push(() => sql.close())
    const place = settings.serving ?? {
      kind: 'sqlite',
      path: settings.dataDir === null ? null : `${settings.dataDir}/serving.sqlite`,
    }
    const serving = startServing(world, broker, place, (line) => settings.log('warn', 'serving', line))
    undo.push(() => serving.sink.stop())

    const parts = (): Component[] => [
      ...components(broker, jobs, generator, watching),
      house.component(),
      serving.component(),
    ]
    const ports: ServePorts = {
      figures: {
        live: figures,
        status: {
          status: () => ({
            startedMs,
            durability:
              settings.dataDir === null ? 'memory' : settings.durability === 'power' ? 'power-cut' : 'process',
            components: parts(),
            ledger: ledgerRows(jobs.all),
            kafka,
            generator: generator === null ? null : { salesPerSecond: settings.rate, seed: settings.seed },
          }),
        },
      },
      health: {
        checks: async () =>
          parts().map(({ name, state, detail }) => ({
            name,
            ok: state === 'ok' || state === 'off',
            needed: name !== 'generator' && name !== 'lake' && name !== 'serving',
            detail,
          })),
      },
      reports: reportsPort(world, house),
      lake: settings.lake === false ? null : lakePort(house),
      sql,
      tables: serving.tables,
      topics: topicsPort(broker),
      reconciliation,
      insights: jobs.detection,
      ingest,
      metrics: metricsPort(world, { broker, ingest, deadLetters, pipelines: jobs.byPipeline }),
      books: { ledger: () => ledgerOf(jobs.all), orders: () => ordersNow.read() },
      deadLetters: deadLettersOf(world, broker),
      quality: quality.port({ jobs, deadLetters }),
      pipelines: pipelinesNow(world, jobs.byPipeline),
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
        orders.failed,
        ...(watching ? [watching.failed] : []),
      ]),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Computes a report from a data directory that nobody holds. */
export async function runReport(
  world: World,
  name: string,
  dataDir: string,
  interval: Interval | null = null,
): Promise<readonly ReportRow[]> {
  const report = reportNamed(name)
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  const house = openLakeHouse(world, broker, { dataDir, follows: false })
  try {
    return (await runOver(world, house, report, { interval, cause: 'command', keep: interval !== null })).rows
  } finally {
    await house.stop()
    await broker.close()
  }
}
