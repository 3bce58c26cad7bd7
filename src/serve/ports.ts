// What serving needs from the rest of the house, as plain data and functions. `platform.ts` supplies it from log and
// engine; tests supply it from arrays. Times are milliseconds since the epoch (UTC), money is integer minor units.

import type { z } from 'zod'
import type { BooksPort, DeadLettersPort, QualityPort } from './books-ports.ts'
import type { InsightsPort } from './insights-port.ts'
import type { LakePort, ReconciliationPort, ReportsPort, SqlPort } from './lake-ports.ts'
import type { pipeline } from './pipelines-contract.ts'
import type { RecordSlices } from './record-slices.ts'
import type { TablesPort, TopicsPort } from './store-ports.ts'

export type { TableInfo, TablesPort, TopicLine, TopicRecord, TopicsPort } from './store-ports.ts'

/** Where the live figures come from: tables the engine keeps in memory. */
export interface LivePort {
  /**
   * The newest state. Called at most some times a second, never per request of a stream. The arrays belong to the
   * port and are not changed by serve; the port may hand out the same arrays again and change them in between.
   */
  snapshot(): LiveState
  /** `listener` is called synchronously after each change (as often as changes come; it only sets a mark). Returns the way out. */
  subscribe(listener: () => void): () => void
}

export interface LiveState {
  /** Owner number of the job behind the figures: a new one replaces everything shown before. */
  readonly epoch: number
  /** ISO 4217 code and number of decimals of every `…Minor` below. */
  readonly currency: string
  readonly scale: number
  /** Size of the window and distance between its ends (W2: 900_000 and 1_000). */
  readonly windowMs: number
  readonly slideMs: number
  /** Newest event time less the out-of-order bound, over the partitions that are not idle; null before the first sale. */
  readonly watermarkMs: number | null
  /** The newest event time seen on any partition; null before the first sale. */
  readonly eventTimeMaxMs: number | null
  /** The newest row of the window (early or closed); null before the first. */
  readonly current: KpiRow | null
  /**
   * The row of the window that ended one window size before `current` does; null when it is not known, or when the
   * data do not go back to its start: against a window that is only partly covered every change would look huge.
   */
  readonly previous: KpiRow | null
  /** Rows by ascending `windowEndMs`, one per slide, newest last (= `current`): at least the last 60 when they exist. */
  readonly history: readonly KpiRow[]
  /** Event-time seconds by ascending `secondMs`, about the last five minutes. A missing second had no sale. */
  readonly series: readonly SecondRow[]
  /** Best sellers of the window by revenue, rank 1 first, at most 10 are shown; null when no plan keeps them. */
  readonly topProducts: readonly ProductRow[] | null
  /** Events of the marketplace: what lasts first, then newest first, at most 50; null when nothing looks for them. */
  readonly salesEvents: readonly SalesEventRow[] | null
}

/** One event, as its last record tells it. */
export interface SalesEventRow {
  readonly id: string
  readonly kind: 'volume' | 'average-ticket' | 'active-sellers'
  readonly direction: 'up' | 'down'
  /** Null: the whole marketplace. */
  readonly of: { readonly type: 'seller' | 'category'; readonly name: string } | null
  readonly status: 'firing' | 'resolved'
  readonly severity: 'medium' | 'high' | 'critical'
  readonly sinceMs: number
  readonly detectedMs: number
  readonly updatedMs: number
  readonly resolvedMs: number | null
  readonly observed: number
  readonly expected: number
  /** 0.47 is +47 %. */
  readonly growth: number
  readonly confidence: number
  readonly sentence: string
  readonly recommendation: string
  readonly detections: number
  readonly notified: boolean
  readonly rule: string
}

/** One row of W2 over `[windowStartMs, windowEndMs)`. */
export interface KpiRow {
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly sales: number
  readonly revenueMinor: number
  /** revenue / sales, rounded once, half away from zero. */
  readonly averageTicketMinor: number
  readonly activeSellers: number
  readonly activeCategories: number
  readonly activeProducts: number
  readonly biggestSaleMinor: number
  readonly timing: Timing
}
/** `early`: the watermark has not passed the window's end. `late`: corrected after it had closed. */
export type Timing = 'early' | 'on-time' | 'late'

/** Sales whose event time lies in `[secondMs, secondMs + 1000)`. */
export interface SecondRow {
  readonly secondMs: number
  readonly sales: number
  readonly revenueMinor: number
}

export interface ProductRow {
  readonly rank: number
  readonly product: string
  readonly sales: number
  readonly revenueMinor: number
}

/** How the house is doing: cheap to ask (memory only), asked about once a second while someone watches. */
export interface StatusPort {
  status(): StatusState
}
export interface StatusState {
  readonly startedMs: number
  /** What an acknowledged record survives: a power cut (synced), the death of the process, or nothing (`--ephemeral`). */
  readonly durability: 'power-cut' | 'process' | 'memory'
  /** The parts people should know about, in the order records take: broker, engine, generator … At most 12. */
  readonly components: readonly Component[]
  /** One line per source topic; empty when nothing is counted. At most 40. */
  readonly ledger: readonly LedgerRow[]
  /** Where Kafka clients connect (`127.0.0.1:9092`), null without a listener. */
  readonly kafka: string | null
  /** The generator's settings while it runs, else null: what is on the page is then not demo data. */
  readonly generator: { readonly salesPerSecond: number; readonly seed: string } | null
}
export interface Component {
  readonly name: string
  /** `off`: not wanted in this run. `starting`: not there yet. `degraded`: works, but not as it should. */
  readonly state: 'ok' | 'starting' | 'degraded' | 'down' | 'off'
  /** A few words: `3 topics, 18 partitions`, `caught up`, `disk full: writes refused` … */
  readonly detail: string
}
/** in = processed + duplicates + late + dead-lettered + in flight, in records since the topic was created. */
export interface LedgerRow {
  readonly topic: string
  readonly in: number
  readonly processed: number
  readonly duplicates: number
  readonly late: number
  readonly deadLettered: number
  readonly inFlight: number
}

/** What `/readyz` asks. */
export interface HealthPort {
  /** Must answer within two seconds; serve then answers 503 by itself. */
  checks(): Promise<readonly Check[]>
}
export interface Check {
  /** Lower case, no spaces: `broker`, `engine`, `generator`. */
  readonly name: string
  readonly ok: boolean
  /** False: shown, but does not make the service unready. */
  readonly needed: boolean
  /** What was found; when not ok also the cause and the cure. */
  readonly detail: string
}

/** The way in for records. */
export interface IngestPort {
  /** The topics that take records: those with a contract. */
  readonly topics: readonly string[]
  /**
   * Checks each record by the topic's contract and appends those that stand, all of them or none; resolves when they
   * are durable. Rejects only with faults of the house.
   */
  take(request: IngestRequest): Promise<IngestOutcome>
}
export interface IngestRequest {
  /** One of `topics`. */
  readonly topic: string
  /** The memory may not change before `take` has resolved. */
  readonly records: RecordSlices
  /** The caller's name for this request, and what tells two requests under the same name apart; null: no name. */
  readonly once: { readonly key: string; readonly fingerprint: string } | null
}
export type IngestOutcome =
  /** `repeated`: nothing was appended, this is what became of the first request under this name. */
  | { readonly kind: 'taken'; readonly repeated: boolean; readonly results: readonly IngestResult[] }
  /** The name stood for another request. */
  | { readonly kind: 'key-reused' }
  /** So much waits for the disk that nothing was taken: later. */
  | { readonly kind: 'no-room' }
  /** The log did not take it: disk full, topic damaged … */
  | { readonly kind: 'refused'; readonly detail: string }
/** Of each record, in the order of the request. */
export type IngestResult =
  /** `offset` is null only for a request whose first answer was never sent: the process died in between. */
  | { readonly accepted: true; readonly partition: number; readonly offset: number | null }
  /** `field` is dotted, '' for the whole record; `reason` as in the dead letters. */
  | { readonly accepted: false; readonly reason: string; readonly field: string; readonly message: string }

/** Figures for monitoring that serving does not have itself. Read at each scrape: memory only. Counts are since the start. */
export interface MetricsPort {
  read(): MetricsState
  /** Looks into the log for the age of what waits. */
  groupLags(): Promise<readonly GroupLagLine[]>
}
export interface MetricsState {
  /** Records in each topic with a contract, since it was created. */
  readonly ingested: readonly { readonly topic: string; readonly records: number }[]
  /** Dead-lettered by the engine or turned away at the door. */
  readonly rejected: readonly { readonly topic: string; readonly reason: string; readonly records: number }[]
  /** Wall time less watermark; pipelines without a watermark are left out. */
  readonly watermarkLags: readonly { readonly pipeline: string; readonly lagMs: number }[]
  readonly journal: {
    readonly fileBytes: number
    readonly segments: number
    readonly pendingBytes: number
    readonly writes: number
    readonly syncs: number
  }
  readonly broker: BrokerMetrics
  readonly engine: EngineMetrics
}
/** Counts are since the start. */
export interface EngineMetrics {
  readonly operators: readonly OperatorLine[]
  readonly jobs: readonly JobLine[]
}
/** What each pipeline does now. */
export interface PipelinesPort {
  pipelines(): readonly PipelineNow[]
}
export type PipelineNow = z.infer<typeof pipeline>

export interface OperatorLine {
  readonly pipeline: string
  /** The id of its node in the Plan, and the kind of that. */
  readonly operator: string
  readonly kind: string
  readonly rowsIn: number
  readonly busyMs: number
  readonly stateBytes: number
  /** Null before there is a watermark. */
  readonly lagMs: number | null
}
export interface JobLine {
  readonly job: string
  readonly batchBytes: number
  readonly busyMs: number
  readonly shards: number
  readonly queuedBytes: number
  readonly pendingOutputBytes: number
  readonly stateBytes: number
}
/** Counts are since the start. */
export interface BrokerMetrics {
  readonly connections: number
  readonly refusedConnections: number
  readonly brokenConnections: number
  readonly failedLogins: number
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Upper bounds of the buckets below, which each stand alone; one more bucket is above them all. */
  readonly durationBoundsSeconds: readonly number[]
  readonly apis: readonly {
    readonly api: string
    readonly requests: number
    readonly seconds: number
    readonly buckets: readonly number[]
  }[]
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[]
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly start: number
    readonly end: number
  }[]
}
export interface GroupLagLine {
  readonly group: string
  readonly members: number
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly committed: number
    readonly lagRecords: number
    /** Null: not known. */
    readonly lagMs: number | null
  }[]
}

/** The live tables of the shop, and what is said beside them. */
export interface FiguresPorts {
  readonly live: LivePort
  readonly status: StatusPort
}
/** Everything together. A port that is null leaves its routes and channels out. */
export interface ServePorts {
  /** Null where no shop runs: a broker alone. */
  readonly figures: FiguresPorts | null
  readonly health: HealthPort
  readonly reports: ReportsPort | null
  readonly lake?: LakePort | null
  readonly sql?: SqlPort | null
  readonly reconciliation?: ReconciliationPort | null
  readonly tables: TablesPort | null
  readonly insights: InsightsPort | null
  readonly topics?: TopicsPort
  readonly ingest: IngestPort | null
  readonly metrics: MetricsPort | null
  readonly books?: BooksPort
  readonly deadLetters?: DeadLettersPort
  readonly quality?: QualityPort
  readonly pipelines?: PipelinesPort
  /** Told of every fault that a handler did not expect (the caller got a 500 without details). */
  readonly fault: (error: Error, where: string) => void
}
