// The API contract: every answer and every live frame, as schemas. All that the screen (and any client) may know.
// Money: integer minor units, with `currency` and `scale` beside it. Time: RFC 3339, UTC. Additive changes only.
import { z } from 'zod'

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
const count = z.int().min(0)
const minor = z.int().meta({ description: 'integer minor units of `currency`, at `scale` decimals' })

/** Beside every live figure: when it was true, up to where event time is complete, and who computed it. */
const stamp = z.object({
  asOf: time.meta({ description: 'when this answer was made' }),
  watermark: time
    .nullable()
    .meta({ description: 'event time up to which the figures are complete; null before the first record' }),
  eventTimeMax: time.nullable().meta({ description: 'the newest event time seen; null before the first record' }),
  epoch: z.string().meta({ description: 'changes when figures may have been recomputed: drop what was shown before' }),
})
const money = z.object({
  currency: z.string().length(3).meta({ description: 'ISO 4217' }),
  scale: z.int().min(0).max(6).meta({ description: 'decimals of every minor-unit figure' }),
})

export const kpiRow = z
  .object({
    windowStart: time,
    windowEnd: time.meta({ description: 'exclusive' }),
    timing: z
      .enum(['early', 'on-time', 'late'])
      .meta({ description: 'early: the watermark has not passed the end; late: corrected after it closed' }),
    sales: count,
    revenueMinor: minor,
    averageTicketMinor: minor,
    activeSellers: count,
    activeCategories: count,
    activeProducts: count,
    biggestSaleMinor: minor,
  })
  .meta({ id: 'KpiRow' })
export const secondRow = z.object({ second: time, sales: count, revenueMinor: minor }).meta({ id: 'SecondRow' })
export const productRow = z
  .object({ rank: z.int().min(1), product: z.string(), sales: count, revenueMinor: minor })
  .meta({ id: 'ProductRow' })

/** One event of the marketplace, as its last record tells it. */
export const salesEvent = z
  .object({
    id: z.string(),
    kind: z.enum(['volume', 'average-ticket', 'active-sellers']),
    direction: z.enum(['up', 'down']),
    of: z
      .object({ type: z.enum(['seller', 'category']), name: z.string() })
      .nullable()
      .meta({ description: 'null: the whole marketplace' }),
    status: z.enum(['firing', 'resolved']),
    severity: z.enum(['medium', 'high', 'critical']),
    since: time,
    detectedAt: time,
    updatedAt: time,
    resolvedAt: time.nullable(),
    observed: z.number(),
    expected: z.number(),
    growth: z.number().meta({ description: 'observed against expected since it began: 0.47 is +47 %' }),
    confidence: z.number().min(0).max(1).meta({ description: '1 less the chance that a usual week brings this' }),
    sentence: z.string(),
    recommendation: z.string(),
    detections: count.meta({ description: 'minutes in which it was seen again' }),
    notified: z.boolean().meta({ description: 'false: held back by the cooldown, counted all the same' }),
    rule: z.string(),
  })
  .meta({ id: 'SalesEvent' })

const component = z.object({
  name: z.string(),
  state: z.enum(['ok', 'starting', 'degraded', 'down', 'off']),
  detail: z.string(),
})
const ledgerRow = z.object({
  topic: z.string(),
  in: count,
  processed: count,
  duplicates: count,
  late: count,
  deadLettered: count,
  inFlight: count,
})

/** `GET /api/v1/kpis`, and the `kpis` frames. In a frame, `history` holds only the rows that are new or changed. */
export const kpis = stamp
  .extend(money.shape)
  .extend({
    windowSeconds: z.int().min(1),
    current: kpiRow.nullable().meta({ description: 'the newest window; null until there is one' }),
    previous: kpiRow.nullable().meta({ description: 'the window just before it, not overlapping; null until known' }),
    history: z.array(kpiRow).meta({ description: 'ascending by windowEnd, newest last' }),
  })
  .meta({ id: 'Kpis' })

/** `GET /api/v1/series`, and the `series` frames. In a frame, `points` holds only the seconds that are new or changed. */
export const series = stamp
  .extend(money.shape)
  .extend({ points: z.array(secondRow).meta({ description: 'ascending; a missing second had no sale' }) })
  .meta({ id: 'Series' })

/** `GET /api/v1/top-products`, and the `topProducts` frames (always whole). */
export const topProducts = stamp
  .extend(money.shape)
  .extend({ windowSeconds: z.int().min(1), products: z.array(productRow) })
  .meta({ id: 'TopProducts' })

/** `GET /api/v1/sales-events`, and the `salesEvents` frames (always whole). */
export const salesEvents = stamp
  .extend({ events: z.array(salesEvent).meta({ description: 'what lasts first, then newest first; at most 50' }) })
  .meta({ id: 'SalesEvents' })

/** `GET /api/v1/status`, and the `status` frames (always whole, about once a second). */
export const status = stamp
  .extend({
    version: z.string(),
    startedAt: time,
    durability: z
      .enum(['power-cut', 'process', 'memory'])
      .meta({ description: 'what an acknowledged record survives' }),
    components: z.array(component),
    ledger: z.array(ledgerRow),
    kafka: z.string().nullable().meta({ description: 'where Kafka clients connect' }),
    generator: z.object({ salesPerSecond: z.number(), seed: z.string() }).nullable(),
  })
  .meta({ id: 'Status' })

/** What a frame adds to its channel's answer: `snapshot` replaces what the client holds, `delta` is laid over it. */
const framed = { kind: z.enum(['snapshot', 'delta']) }
export const kpisFrame = kpis.extend(framed).meta({ id: 'KpisFrame' })
export const seriesFrame = series.extend(framed).meta({ id: 'SeriesFrame' })
export const topProductsFrame = topProducts.extend(framed).meta({ id: 'TopProductsFrame' })
export const salesEventsFrame = salesEvents.extend(framed).meta({ id: 'SalesEventsFrame' })
export const statusFrame = status.extend(framed).meta({ id: 'StatusFrame' })

export const channels = ['kpis', 'series', 'topProducts', 'salesEvents', 'status'] as const
export type Channel = (typeof channels)[number]

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    cure: z.string().optional().meta({ description: 'what to do about it' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

const check = z.object({ name: z.string(), ok: z.boolean(), needed: z.boolean(), detail: z.string() })
export const readiness = z.object({ ready: z.boolean(), asOf: time, checks: z.array(check) }).meta({ id: 'Readiness' })
export const version = z.object({ name: z.string(), version: z.string() }).meta({ id: 'Version' })

export const reportInfo = z.object({
  name: z.string(),
  doc: z.string(),
  period: z.enum(['day', 'week', 'month', 'all']).meta({ description: 'what a backfill asks for one by one' }),
  schedule: z.string().nullable().meta({ description: 'as cron has it, UTC; null: only when asked' }),
})
export const reportRequest = z
  .strictObject({ interval: z.object({ from: time, to: time.meta({ description: 'exclusive' }) }).optional() })
  .meta({ id: 'ReportRequest' })
export const reportRuns = z
  .object({
    runs: z.array(
      z.object({
        report: z.string(),
        cause: z.enum(['command', 'api', 'schedule', 'backfill']),
        from: time.nullable(),
        to: time.nullable(),
        startedAt: time,
        durationMs: z.number(),
        rows: count.nullable().meta({ description: 'null: it failed' }),
        failure: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ReportRuns' })
/** Pages of the screen besides `/`: each is the same document, which knows its address. */
export const pagePaths = [
  '/events',
  '/fraud',
  '/store',
  '/marketplaces',
  '/reports',
  '/topics',
  '/groups',
  '/quality',
] as const

export const reportList = z.object({ reports: z.array(reportInfo) }).meta({ id: 'ReportList' })
const reportColumn = z.discriminatedUnion('type', [
  z.object({ name: z.string(), type: z.enum(['text', 'integer', 'number', 'boolean', 'time']) }),
  z.object({ name: z.string(), type: z.literal('money') }).extend(money.shape),
])
export const reportRun = z
  .object({
    report: z.string(),
    asOf: time,
    watermark: time.nullable(),
    records: count.meta({ description: 'records read' }),
    durationMs: z.number(),
    columns: z.array(reportColumn),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
  })
  .meta({ id: 'ReportRun' })

/** `GET /api/v1/lake`. */
export const lakeStatus = z
  .object({
    version: count.meta({ description: 'of the manifest' }),
    recordsBehind: count.meta({ description: 'records of the log that are not in the lake yet' }),
    layers: z.array(
      z.object({
        layer: z.enum(['bronze', 'silver', 'gold']),
        topic: z.string(),
        files: count,
        rows: count,
        bytes: count,
        from: z.string().meta({ description: 'first event date' }),
        to: z.string().meta({ description: 'last event date' }),
      }),
    ),
  })
  .meta({ id: 'LakeStatus' })
export const compaction = z.object({ before: count, after: count }).meta({ id: 'Compaction' })

/** `POST /api/v1/sql`. */
export const sqlRequest = z.strictObject({ sql: z.string().min(1).max(100_000) }).meta({ id: 'SqlRequest' })
export const sqlAnswer = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z
      .array(z.array(z.unknown()))
      .meta({ description: 'whole numbers beyond 32 bits, decimals and times are text' }),
    truncated: z.boolean().meta({ description: 'there are more rows than are handed out' }),
    durationMs: count,
  })
  .meta({ id: 'SqlAnswer' })

/** `GET` and `POST /api/v1/reconciliation`. */
export const reconciliation = z
  .object({
    asOf: time,
    figures: z.array(
      z.object({
        figure: z.string(),
        state: z
          .enum(['waiting', 'equal', 'different', 'failed'])
          .meta({ description: 'waiting: no window has closed that both sides know' }),
        checkedAt: time.nullable(),
        from: time.nullable(),
        to: time.nullable(),
        rows: count.meta({ description: 'rows of closed windows that were compared' }),
        differences: count,
        examples: z.array(z.object({ key: z.string(), engine: z.string().nullable(), batch: z.string().nullable() })),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Reconciliation' })

const ingestResult = z.discriminatedUnion('status', [
  z.object({
    index: count.meta({ description: 'position in the request' }),
    status: z.literal('accepted'),
    partition: count,
    offset: count.nullable().meta({
      description: 'null only when a request is repeated whose first answer was never sent',
    }),
  }),
  z.object({
    index: count,
    status: z.literal('rejected'),
    reason: z.string().meta({ description: 'missing, wrong-type, not-json, rule, future … as in the dead letters' }),
    field: z.string().meta({ description: 'the field at fault, dotted; empty for the whole record' }),
    message: z.string(),
  }),
])
/** `POST /api/v1/ingest/{topic}`. */
export const ingested = z
  .object({
    topic: z.string(),
    accepted: count,
    rejected: count,
    repeated: z
      .boolean()
      .meta({ description: 'true: this answers the first request under the key, nothing was added' }),
    results: z.array(ingestResult).meta({ description: 'one for each record, in their order' }),
  })
  .meta({ id: 'Ingested' })
/** A problem of ingest; where records were judged and none was accepted, with what is wrong with each. */
export const ingestProblem = problem
  .extend({ results: z.array(ingestResult).optional() })
  .meta({ id: 'IngestProblem', description: 'RFC 9457' })

export type IngestResultJson = z.infer<typeof ingestResult>
export type Ingested = z.infer<typeof ingested>
export type KpiRowJson = z.infer<typeof kpiRow>
export type SecondRowJson = z.infer<typeof secondRow>
export type ProductRowJson = z.infer<typeof productRow>
export type Kpis = z.infer<typeof kpis>
export type Series = z.infer<typeof series>
export type TopProducts = z.infer<typeof topProducts>
export type SalesEventJson = z.infer<typeof salesEvent>
export type SalesEvents = z.infer<typeof salesEvents>
export type SalesEventsFrame = z.infer<typeof salesEventsFrame>
export type Status = z.infer<typeof status>
export type KpisFrame = z.infer<typeof kpisFrame>
export type SeriesFrame = z.infer<typeof seriesFrame>
export type TopProductsFrame = z.infer<typeof topProductsFrame>
export type StatusFrame = z.infer<typeof statusFrame>
export type Problem = z.infer<typeof problem>
export type Readiness = z.infer<typeof readiness>
export type ReportList = z.infer<typeof reportList>
export type ReportRun = z.infer<typeof reportRun>
export type LakeStatus = z.infer<typeof lakeStatus>
export type Reconciliation = z.infer<typeof reconciliation>
