// The features of models (W9), defined once: live they are read from the state of a job, in batch from that of the same job
// over records that were kept. A feature at t is made of windows that ended by t and were closed when it was asked for, so it
// holds nothing that happened or came later.
import type { Reaction, ReactionRow } from '../../query/reaction.ts'
import { newRecent, peek, put, type Recent, use } from '../../std/recent.ts'
import { newPriceMemory, type PriceMemory, priceZ, rememberPrice } from './prices.ts'
import { gatherSeason, hourOfWeek, newSeason, type Season, seasonality } from './seasons.ts'
import { gather, newSeriesTable, type SeriesTable, sumBetween, type TableRules } from './series.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TEN_MINUTES_MS = 10 * MINUTE_MS

interface SeriesSource extends TableRules {
  readonly plan: string
  readonly entity: string
  readonly value: string
}
const hourly = { binMs: MINUTE_MS, horizonMs: 65 * MINUTE_MS, entitiesMax: 4_000 }
const daily = { binMs: TEN_MINUTES_MS, horizonMs: DAY_MS + HOUR_MS, entitiesMax: 4_000 }

/** By name of the series: which plan's rows it gathers. */
export const seriesSources = {
  seller_units: {
    plan: 'seller-volume',
    entity: 'seller',
    value: 'units',
    binMs: 10 * SECOND_MS,
    horizonMs: 65 * MINUTE_MS,
    entitiesMax: 500,
  },
  category_sales: { ...hourly, plan: 'sales-by-category', entity: 'nm_category', value: 'sales', entitiesMax: 1_000 },
  product_views: { ...daily, plan: 'views-by-product', entity: 'product_id', value: 'views' },
  product_purchases: { ...daily, plan: 'purchases-by-product', entity: 'product_id', value: 'purchases' },
  product_units: { ...daily, plan: 'purchases-by-product', entity: 'product_id', value: 'units' },
  user_payments: { ...hourly, plan: 'payments-by-user', entity: 'user_id', value: 'payments' },
  user_payments_day: { ...daily, plan: 'payments-by-user', entity: 'user_id', value: 'payments' },
  device_payments: { ...hourly, plan: 'payments-by-device', entity: 'device_id', value: 'payments' },
  device_payments_day: { ...daily, plan: 'payments-by-device', entity: 'device_id', value: 'payments' },
} satisfies { readonly [name: string]: SeriesSource }
export type SeriesName = keyof typeof seriesSources

const seriesEntries: readonly (readonly [string, SeriesSource])[] = Object.entries(seriesSources)
export const salesFeaturePlans = Object.freeze([
  'seller-volume',
  'price-by-minute',
  'sales-by-category',
  'sales-by-seller',
])
export const storeFeaturePlans = Object.freeze([
  'views-by-product',
  'purchases-by-product',
  'payments-by-user',
  'payments-by-device',
  'visitors-by-minute',
  'stock-by-minute',
])
const pricesMax = 10_000
const usersMax = 20_000
const sellersMax = 500
const shelvesMax = 10_000

/** Plain data. */
export interface FeaturesState {
  readonly series: { [name: string]: SeriesTable }
  readonly prices: Recent<PriceMemory>
  readonly categoryPrices: Recent<PriceMemory>
  readonly seasons: Recent<Season>
  /** End of the newest window of sales by seller. */
  seasonsToMs: number
  readonly lastActs: Recent<number>
  /** By product: newest stock of each warehouse, and where its first window began. */
  readonly shelves: Recent<Shelves>
}
interface Shelves {
  readonly stock: { [warehouse: string]: number }
  readonly firstMs: number
}

/** Keeps what the features of these plans' rows need. Nothing is written: the state is asked. */
export function featureStore(name: string, plans: readonly string[]): Reaction<FeaturesState> {
  return {
    name,
    version: 1,
    reads: plans,
    writes: [],
    initial: () => ({
      series: Object.fromEntries(
        seriesEntries.flatMap(([series, { plan }]) => (plans.includes(plan) ? [[series, newSeriesTable()]] : [])),
      ),
      prices: newRecent(),
      categoryPrices: newRecent(),
      seasons: newRecent(),
      seasonsToMs: 0,
      lastActs: newRecent(),
      shelves: newRecent(),
    }),
    step(state, input) {
      // A correction of a closed window came after it was used: it stays out, as it would have in time.
      if (input.kind === 'row' && input.final && input.weight > 0 && input.timing !== 'late') take(state, input)
    },
  }
}

function take(state: FeaturesState, { plan, values }: ReactionRow): void {
  const [startMs, endMs] = [Number(values.window_start), Number(values.window_end)]
  for (const [name, source] of seriesEntries) {
    const table = state.series[name]
    if (source.plan !== plan || table === undefined) continue
    const entity = values[source.entity]
    if (typeof entity === 'string') gather(table, entity, endMs, Number(values[source.value] ?? 0), source)
  }
  switch (plan) {
    case 'price-by-minute':
      takePrice(state, values, endMs)
      break
    case 'sales-by-seller': {
      const seller = String(values.seller)
      gatherSeason(
        use(state.seasons, seller, sellersMax, () => newSeason(startMs)),
        startMs,
        Number(values.sales),
      )
      state.seasonsToMs = Math.max(state.seasonsToMs, endMs)
      break
    }
    case 'visitors-by-minute':
      put(state.lastActs, String(values.user_id), Number(values.last_at), usersMax)
      break
    case 'stock-by-minute': {
      const shelf = use(
        state.shelves,
        String(values.product_id),
        shelvesMax,
        (): Shelves => ({ stock: {}, firstMs: startMs }),
      )
      shelf.stock[`~${String(values.warehouse_location)}`] = Number(values.stock)
      break
    }
    default:
  }
}
function takePrice({ prices, categoryPrices }: FeaturesState, values: ReactionRow['values'], endMs: number): void {
  const cents = Number(values.price)
  if (!(cents > 0)) return
  const logPrice = Math.log(cents)
  const own = use(prices, String(values.id_product), pricesMax, newPriceMemory)
  const ofCategory = use(categoryPrices, String(values.nm_category), pricesMax, newPriceMemory)
  rememberPrice(own, logPrice, endMs, priceZ(own, logPrice) ?? priceZ(ofCategory, logPrice))
  rememberPrice(ofCategory, logPrice, endMs, null)
}

export type EntityKind = 'seller' | 'category' | 'product' | 'user' | 'device'
export interface FeatureDefinition {
  readonly name: string
  readonly of: EntityKind
  readonly doc: string
  /** Null: nothing is known. */
  value(state: FeaturesState, entity: string, atMs: number): number | null
}
const total = (state: FeaturesState, name: SeriesName, entity: string, atMs: number, rangeMs: number): number => {
  const table = state.series[name]
  return table === undefined ? 0 : sumBetween(table, entity, atMs - rangeMs, atMs)
}
const has = (state: FeaturesState, name: SeriesName): boolean => state.series[name] !== undefined
const windowed =
  (name: SeriesName, rangeMs: number): FeatureDefinition['value'] =>
  (state, entity, atMs) =>
    has(state, name) ? total(state, name, entity, atMs, rangeMs) : null

export const featureDefinitions: readonly FeatureDefinition[] = Object.freeze([
  {
    name: 'seller_volume_1h',
    of: 'seller',
    doc: 'Pieces the seller sold in the hour up to t, in steps of ten seconds.',
    value: windowed('seller_units', HOUR_MS),
  },
  {
    name: 'seasonality_score',
    of: 'seller',
    doc: 'How busy this hour of the week usually is for the seller beside all hours, shrunk to 1.',
    value: (state, entity, atMs) => {
      const season = peek(state.seasons, entity)
      return season === undefined
        ? null
        : seasonality(season, hourOfWeek(atMs), Math.min(state.seasonsToMs, Math.floor(atMs / MINUTE_MS) * MINUTE_MS))
    },
  },
  {
    name: 'category_trend_30m',
    of: 'category',
    doc: 'ln((N + 1) / (M + 1)): sales of the category in the last 30 minutes and in the 30 before.',
    value: (state, entity, atMs) => {
      if (!has(state, 'category_sales')) return null
      const half = HOUR_MS / 2
      const recent = total(state, 'category_sales', entity, atMs, half)
      return Math.log((recent + 1) / (total(state, 'category_sales', entity, atMs - half, half) + 1))
    },
  },
  {
    name: 'price_zscore',
    of: 'product',
    doc: 'How far the newest price lies from the usual, in standard deviations of ln price with a half-life of a week; by its category while the product is hardly known.',
    value: (state, entity) => peek(state.prices, entity)?.z ?? null,
  },
  {
    name: 'conversion_24h',
    of: 'product',
    doc: 'Purchases by views of the product, 24 hours, in steps of ten minutes.',
    value: (state, entity, atMs) => {
      const views = total(state, 'product_views', entity, atMs, DAY_MS)
      return views === 0 ? null : total(state, 'product_purchases', entity, atMs, DAY_MS) / views
    },
  },
  {
    name: 'stock_cover_days',
    of: 'product',
    doc: 'Stock of all warehouses by what is sold in a day, as of the last 24 hours.',
    value: (state, entity, atMs) => {
      const shelf = peek(state.shelves, entity)
      const units = total(state, 'product_units', entity, atMs, DAY_MS)
      if (shelf === undefined || units === 0) return null
      const days = Math.min(1, Math.max(TEN_MINUTES_MS, atMs - shelf.firstMs) / DAY_MS)
      return Object.values(shelf.stock).reduce((sum, stock) => sum + stock, 0) / (units / days)
    },
  },
  {
    name: 'user_recency_hours',
    of: 'user',
    doc: 'Hours since the visitor last did anything.',
    value: (state, entity, atMs) => {
      const lastMs = peek(state.lastActs, entity)
      return lastMs === undefined ? null : Math.max(0, atMs - lastMs) / HOUR_MS
    },
  },
  {
    name: 'customer_velocity_1h',
    of: 'user',
    doc: 'Payments the account tried in an hour.',
    value: windowed('user_payments', HOUR_MS),
  },
  {
    name: 'customer_velocity_24h',
    of: 'user',
    doc: 'The same in 24 hours, in steps of ten minutes.',
    value: windowed('user_payments_day', DAY_MS),
  },
  {
    name: 'device_velocity_1h',
    of: 'device',
    doc: 'Payments tried with the device in an hour.',
    value: windowed('device_payments', HOUR_MS),
  },
  {
    name: 'device_velocity_24h',
    of: 'device',
    doc: 'The same in 24 hours, in steps of ten minutes.',
    value: windowed('device_payments_day', DAY_MS),
  },
])

/** The features of an entity at a moment, by name. States of several stores give what each knows. */
export function featuresOf(
  states: readonly FeaturesState[],
  kind: EntityKind,
  entity: string,
  atMs: number,
): Readonly<Record<string, number | null>> {
  const found: Record<string, number | null> = {}
  for (const { name, of, value } of featureDefinitions) {
    if (of !== kind) continue
    found[name] = null
    for (const state of states) found[name] ??= value(state, entity, atMs)
  }
  return found
}
