// The engine's rows as the page knows them, as they become due and, at a restart, read back from the log.
import { sales, salesEvents } from '../commerce/commerce.ts'
import { lastRows } from '../connect/connect.ts'
import { type JobOutput, type ResultBatch, resultRow, timings } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import type { LiveFigures } from '../serve/live-figures.ts'
import type { ProductRow, SalesEventRow } from '../serve/ports.ts'
import { assert } from '../std/assert.ts'
import { minorFromNumber } from '../std/decimal.ts'
import { parseInstant } from '../std/instant.ts'

/** Result rows read back at a restart: two windows' worth of seconds, early and final ones. */
const rowsReadBackMax = 8_000
const eventsReadBackMax = 1_000
const topProductsShown = 10

export function show(output: JobOutput, figures: LiveFigures): void {
  for (const { topic, value } of output.emitted)
    if (topic === salesEvents.topic && value !== null) showSalesEvent(JSON.parse(value), figures)
  for (const batch of output.results) {
    if (batch.plan.name === 'sales-by-product') showProducts(batch, figures)
    else {
      for (let row = 0; row < batch.count; row++) {
        showRow(batch.plan.name, { ...resultRow(batch, row), timing: timings[batch.timing[row]!]! }, figures)
      }
    }
  }
}

/** A record of `sales-events` as the page knows it; null for what is none: any client may write to any topic. */
function salesEventRow(value: Readonly<Record<string, unknown>>): SalesEventRow | null {
  const text = (name: string): string => String(value[name] ?? '')
  const one = <const T extends string>(name: string, known: readonly T[]): T | null =>
    known.find((each) => each === value[name]) ?? null
  const kind = one('kind', ['volume', 'average-ticket', 'active-sellers'])
  const direction = one('direction', ['up', 'down'])
  const status = one('status', ['firing', 'resolved'])
  const severity = one('severity', ['medium', 'high', 'critical'])
  const ofType = one('of_type', ['seller', 'category'])
  const [sinceMs, detectedMs, updatedMs] = ['since', 'detected_at', 'updated_at'].map((name) =>
    parseInstant(text(name)),
  )
  const isWhole = kind !== null && direction !== null && status !== null && severity !== null
  if (!isWhole || !sinceMs || !detectedMs || !updatedMs) return null
  return {
    id: text('event_id'),
    kind,
    direction,
    of: ofType === null ? null : { type: ofType, name: text('of_name') },
    status,
    severity,
    sinceMs,
    detectedMs,
    updatedMs,
    resolvedMs: status === 'firing' ? null : parseInstant(text('resolved_at')),
    observed: Number(value.observed),
    expected: Number(value.expected),
    growth: Number(value.growth),
    confidence: Number(value.confidence),
    sentence: text('sentence'),
    recommendation: text('recommendation'),
    detections: Number(value.detections),
    notified: value.notified === true,
    rule: text('rule'),
  }
}
function showSalesEvent(value: Readonly<Record<string, unknown>>, figures: LiveFigures): void {
  const row = salesEventRow(value)
  if (row !== null) figures.salesEvent(row)
}

function showRow(plan: string, row: Readonly<Record<string, unknown>>, figures: LiveFigures): void {
  const at = (name: string): number => Number(row[name])
  if (plan === 'sales-window') {
    const { timing } = row
    assert(timing === 'early' || timing === 'on-time' || timing === 'late', `timing ${String(timing)}`)
    figures.window({
      windowStartMs: at('window_start'),
      windowEndMs: at('window_end'),
      sales: at('sales'),
      revenueMinor: at('revenue'),
      averageTicketMinor: at('avg_ticket'),
      activeSellers: at('active_sellers'),
      activeCategories: at('active_categories'),
      activeProducts: at('active_products'),
      biggestSaleMinor: at('biggest_sale'),
      timing,
    })
  } else if (plan === 'sales-per-second') {
    figures.second({ secondMs: at('window_start'), sales: at('sales'), revenueMinor: at('revenue') })
  }
}

/** A minute has thousands of products: only the ten best of the newest window become rows. */
function showProducts(batch: ResultBatch, figures: LiveFigures): void {
  const ends = numbersOf(batch, 'window_end')
  const revenue = numbersOf(batch, 'revenue')
  const newestMs = ends.reduce((newest, end) => Math.max(newest, end), 0)
  const best: number[] = []
  for (let row = 0; row < batch.count; row++) {
    if (ends[row] !== newestMs) continue
    const at = best.findIndex((other) => revenue[other]! < revenue[row]!)
    if (at < 0 && best.length >= topProductsShown) continue
    best.splice(at < 0 ? best.length : at, 0, row)
    if (best.length > topProductsShown) best.pop()
  }
  if (best.length === 0) return
  figures.products(
    best.map((row, i): ProductRow => {
      const { nm_product, id_product, sales: count } = resultRow(batch, row)
      return {
        rank: i + 1,
        product: String(nm_product ?? id_product),
        sales: Number(count),
        revenueMinor: revenue[row]!,
      }
    }),
  )
}

function numbersOf(batch: ResultBatch, name: string): Float64Array {
  const column = batch.columns.find((each) => each.name === name)
  assert(column?.kind === 'number', `plan ${batch.plan.name} has no numbers in ${name}`)
  return column.values
}

/** At a restart the last figures are read back from the log, so that the page shows them before anything new comes. */
export async function showLastRows(log: Log, figures: LiveFigures): Promise<void> {
  for (const plan of ['sales-window', 'sales-per-second']) {
    for (const row of await lastRows(log, plan, rowsReadBackMax)) showRow(plan, inMinorUnits(row), figures)
  }
  for (const row of await lastRows(log, salesEvents.topic, eventsReadBackMax)) showSalesEvent(row, figures)
}

/** A row as topics carry it (decimals, ISO times) as the engine holds it (minor units, milliseconds). */
function inMinorUnits(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { scale } = sales.fields.price.type
  const held = new Map<string, unknown>(Object.entries(row))
  for (const name of ['window_start', 'window_end']) held.set(name, parseInstant(String(row[name])))
  for (const name of ['revenue', 'avg_ticket', 'biggest_sale']) {
    if (row[name] !== undefined) held.set(name, minorFromNumber(Number(row[name]), scale))
  }
  return Object.fromEntries(held)
}
