// From the ports' plain data to the contract's answers: times become RFC 3339, arrays become bounded copies.
import type { KpiRowJson, Kpis, SalesEvents, SecondRowJson, Series, Status, TopProducts } from './contract.ts'
import type { KpiRow, LiveState, SecondRow, StatusState } from './ports.ts'

/** What an answer shows at most; older rows are left out. */
export const historyRowsMax = 120
export const seriesPointsMax = 300
export const topProductsMax = 10
export const salesEventsMax = 50
export const componentsMax = 12
export const ledgerRowsMax = 40

export type Stamp = Pick<Kpis, 'asOf' | 'watermark' | 'eventTimeMax' | 'epoch'>

export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
function timeOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : timeText(timeMs)
}

/** `run` tells apart two lives of this process that own the job under the same number. */
export function stamp(state: LiveState, nowMs: number, run: string): Stamp {
  return {
    asOf: timeText(nowMs),
    watermark: timeOrNull(state.watermarkMs),
    eventTimeMax: timeOrNull(state.eventTimeMaxMs),
    epoch: `${run}.${state.epoch}`,
  }
}

function kpiRowJson(row: KpiRow): KpiRowJson {
  return {
    windowStart: timeText(row.windowStartMs),
    windowEnd: timeText(row.windowEndMs),
    timing: row.timing,
    sales: row.sales,
    revenueMinor: row.revenueMinor,
    averageTicketMinor: row.averageTicketMinor,
    activeSellers: row.activeSellers,
    activeCategories: row.activeCategories,
    activeProducts: row.activeProducts,
    biggestSaleMinor: row.biggestSaleMinor,
  }
}
function secondRowJson(row: SecondRow): SecondRowJson {
  return { second: timeText(row.secondMs), sales: row.sales, revenueMinor: row.revenueMinor }
}

export function kpisAnswer(state: LiveState, at: Stamp): Kpis {
  return {
    ...at,
    currency: state.currency,
    scale: state.scale,
    windowSeconds: state.windowMs / 1000,
    current: state.current && kpiRowJson(state.current),
    previous: state.previous && kpiRowJson(state.previous),
    history: state.history.slice(-historyRowsMax).map(kpiRowJson),
  }
}

export function seriesAnswer(state: LiveState, at: Stamp): Series {
  const points = state.series.slice(-seriesPointsMax).map(secondRowJson)
  return { ...at, currency: state.currency, scale: state.scale, points }
}

/** Null when no plan keeps the best sellers. */
export function topProductsAnswer(state: LiveState, at: Stamp): TopProducts | null {
  if (state.topProducts === null) return null
  return {
    ...at,
    currency: state.currency,
    scale: state.scale,
    windowSeconds: state.windowMs / 1000,
    products: state.topProducts
      .slice(0, topProductsMax)
      .map(({ rank, product, sales, revenueMinor }) => ({ rank, product, sales, revenueMinor })),
  }
}

/** Null when nothing looks for events. */
export function salesEventsAnswer(state: LiveState, at: Stamp): SalesEvents | null {
  if (state.salesEvents === null) return null
  return {
    ...at,
    events: state.salesEvents.slice(0, salesEventsMax).map((row) => ({
      id: row.id,
      kind: row.kind,
      direction: row.direction,
      of: row.of,
      status: row.status,
      severity: row.severity,
      since: timeText(row.sinceMs),
      detectedAt: timeText(row.detectedMs),
      updatedAt: timeText(row.updatedMs),
      resolvedAt: timeOrNull(row.resolvedMs),
      observed: row.observed,
      expected: row.expected,
      growth: row.growth,
      confidence: row.confidence,
      sentence: row.sentence,
      recommendation: row.recommendation,
      detections: row.detections,
      notified: row.notified,
      rule: row.rule,
    })),
  }
}

export function statusAnswer(state: StatusState, at: Stamp, version: string): Status {
  return {
    ...at,
    version,
    startedAt: timeText(state.startedMs),
    durability: state.durability,
    components: state.components.slice(0, componentsMax).map(({ name, state, detail }) => ({ name, state, detail })),
    ledger: state.ledger.slice(0, ledgerRowsMax).map((row) => ({
      topic: row.topic,
      in: row.in,
      processed: row.processed,
      duplicates: row.duplicates,
      late: row.late,
      deadLettered: row.deadLettered,
      inFlight: row.inFlight,
    })),
    kafka: state.kafka,
    generator: state.generator && { salesPerSecond: state.generator.salesPerSecond, seed: state.generator.seed },
  }
}

/** The rows of `now` that are not in `before`, or not the same there. Both ascending by `key`; rows are flat. */
export function changedRows<Row extends object>(before: readonly Row[], now: readonly Row[], key: keyof Row): Row[] {
  const changed: Row[] = []
  let at = 0
  for (const row of now) {
    while (at < before.length && before[at]![key] < row[key]) at++
    const old = before[at]
    if (old === undefined || !sameRow(old, row)) changed.push(row)
  }
  return changed
}
/** Two flat rows with the same fields, or two absent ones. */
export function sameRow<Row extends object>(a: Row | null, b: Row | null): boolean {
  if (a === null || b === null) return a === b
  for (const name in a) if (a[name] !== b[name]) return false
  return true
}
