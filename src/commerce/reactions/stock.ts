// Stock by product and warehouse (E5): who is about to run out, judged by how fast it sells and how long an order takes;
// one alert while it lasts, closed when there is clearly enough again.
import type { Emit, Reaction, ReactionInput } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'

export interface StockRules {
  /** At or below so many pieces stock is low, however slowly it sells. */
  readonly unitsMin: number
  /** From ordering to arrival: mean and standard deviation. */
  readonly leadMs: number
  readonly leadSpreadMs: number
  /** Safety factor: 1.64 keeps stock through 95 of 100 lead times. */
  readonly serviceZ: number
  /** An alert is over only above the reorder point times this. */
  readonly hysteresis: number
  /** Sales count half as much after so long. */
  readonly halfLifeMs: number
  /** An order brings so much cover. */
  readonly coverMs: number
}
export const stockRules: StockRules = Object.freeze({
  unitsMin: 10,
  leadMs: 1_200_000,
  leadSpreadMs: 600_000,
  serviceZ: 1.64,
  hysteresis: 1.25,
  halfLifeMs: 3_600_000,
  coverMs: 4 * 3_600_000,
})

export const stockAlertsTopic = 'stock-alerts'
export const stockPlanName = 'stock-changes'

type Status = 'ok' | 'low' | 'out'
interface Shelf {
  readonly productId: string
  productName: string
  readonly warehouse: string
  /** After the newest change by event time. */
  stock: number
  stockMs: number
  /** Stock before the first change seen, and the sum of all changes since: together the stock by the books. */
  openingStock: number
  changed: number
  /** Pieces sold, exponentially forgotten, as of `soldMs`; and the pieces of a sale in the mean. */
  sold: number
  sales: number
  soldMs: number
  firstMs: number
  status: Status
  /** What was told last: a few pieces that come back between are no news. */
  told: Status
  sinceMs: number
}
/** Plain data. */
export interface StockState {
  readonly shelves: { [productAndWarehouse: string]: Shelf }
}

const HOUR_MS = 3_600_000

export function stockMonitor(rules: StockRules = stockRules): Reaction<StockState> {
  return {
    name: 'stock',
    version: 1,
    reads: [stockPlanName],
    writes: [{ topic: stockAlertsTopic, partitions: 1, compacted: true }],
    initial: () => ({ shelves: {} }),
    step(state, input, emit) {
      if (input.kind === 'row') take(state, input.values, rules, emit)
    },
  }
}

type Values = Extract<ReactionInput, { kind: 'row' }>['values']
function take(state: StockState, values: Values, rules: StockRules, emit: Emit): void {
  const [productId, warehouse] = [String(values.product_id), String(values.warehouse_location)]
  const [atMs, change, stock] = [Number(values.timestamp), Number(values.stock_change), Number(values.current_stock)]
  const key = `${productId}/${warehouse}`
  const shelf = state.shelves[key] ?? newShelf(productId, warehouse, stock - change, atMs)
  state.shelves[key] = shelf
  shelf.productName = String(values.product_name)
  // Changes add up in any order; the level is that of the newest.
  shelf.changed += change
  if (atMs >= shelf.stockMs) {
    shelf.stock = stock
    shelf.stockMs = atMs
  }
  if (change < 0) learn(shelf, -change, atMs, rules)
  judge(shelf, key, rules, emit)
}
function newShelf(productId: string, warehouse: string, openingStock: number, atMs: number): Shelf {
  return {
    productId,
    productName: productId,
    warehouse,
    stock: openingStock,
    stockMs: Number.NEGATIVE_INFINITY,
    openingStock,
    changed: 0,
    sold: 0,
    sales: 0,
    soldMs: atMs,
    firstMs: atMs,
    status: 'ok',
    told: 'ok',
    sinceMs: atMs,
  }
}
function learn(shelf: Shelf, units: number, atMs: number, { halfLifeMs }: StockRules): void {
  const keep = 2 ** (-Math.max(0, atMs - shelf.soldMs) / halfLifeMs)
  shelf.sold = shelf.sold * keep + units
  shelf.sales = shelf.sales * keep + 1
  shelf.soldMs = Math.max(shelf.soldMs, atMs)
}

/** Pieces a millisecond, by what was sold in the time that was seen. */
export function demandPerMs(
  shelf: { readonly sold: number; readonly soldMs: number; readonly firstMs: number },
  { halfLifeMs }: StockRules = stockRules,
): number {
  // The weights of a time t back add up to halfLife / ln 2 * (1 - 2^(-t / halfLife)).
  const seenMs = (halfLifeMs / Math.LN2) * (1 - 2 ** (-Math.max(60_000, shelf.soldMs - shelf.firstMs) / halfLifeMs))
  return shelf.sold / seenMs
}
/**
 * Stock at which to order: d L + z sqrt(L s_d^2 + d^2 s_L^2), demand of a lead time and safety against demand and lead time
 * that vary. Sales come at random moments, so the variance of demand in a lead time is its mean times the pieces of a sale.
 */
export function reorderPoint(demand: number, unitsPerSale: number, rules: StockRules = stockRules): number {
  const inLead = demand * rules.leadMs
  const spread = Math.sqrt(inLead * unitsPerSale + (demand * rules.leadSpreadMs) ** 2)
  return Math.max(rules.unitsMin, Math.ceil(inLead + rules.serviceZ * spread))
}

function judge(shelf: Shelf, key: string, rules: StockRules, emit: Emit): void {
  const demand = demandPerMs(shelf, rules)
  const threshold = reorderPoint(demand, shelf.sales === 0 ? 1 : shelf.sold / shelf.sales, rules)
  const { stock, status } = shelf
  const enough = status === 'ok' ? stock > threshold : stock > threshold * rules.hysteresis
  const next: Status = stock <= 0 ? 'out' : enough ? 'ok' : 'low'
  if (next === status) return
  if (status === 'ok') shelf.sinceMs = shelf.stockMs
  shelf.status = next
  if (next === shelf.told || (shelf.told === 'out' && next === 'low')) return
  shelf.told = next
  const coverHours = demand === 0 ? null : Math.round((stock / demand / HOUR_MS) * 100) / 100
  const orderUnits = Math.max(0, Math.ceil(threshold + demand * rules.coverMs - stock))
  const what = `${shelf.productName} in ${shelf.warehouse}`
  const cover = coverHours === null ? '' : `, ${coverHours.toFixed(1)} h at the present pace`
  emit(stockAlertsTopic, key, {
    product_id: shelf.productId,
    product_name: shelf.productName,
    warehouse: shelf.warehouse,
    status: next,
    severity: next === 'out' ? 'critical' : next === 'low' ? 'high' : 'resolved',
    current_stock: stock,
    by_the_books: shelf.openingStock + shelf.changed,
    threshold,
    demand_per_hour: Math.round(demand * HOUR_MS * 100) / 100,
    hours_of_cover: coverHours,
    days_of_cover: coverHours === null ? null : Math.round((coverHours / 24) * 1_000) / 1_000,
    reorder_point: threshold,
    order_up_to: Math.ceil(threshold + demand * rules.coverMs),
    service_z: rules.serviceZ,
    order_units: next === 'ok' ? 0 : orderUnits,
    since: instantText(shelf.sinceMs, true),
    updated_at: instantText(shelf.stockMs, true),
    sentence:
      next === 'out'
        ? `OUT OF STOCK: ${what}`
        : next === 'low'
          ? `LOW STOCK: ${what}: ${stock} left, ${threshold} is the reorder point${cover}`
          : `STOCK BACK: ${what}: ${stock}`,
    recommendation: next === 'ok' ? '' : `Order ${orderUnits} pieces for ${shelf.warehouse} now.`,
  })
}
