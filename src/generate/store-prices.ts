// What the products of the store cost now, and how demand answers: prices change by a little, sales take some percent off
// for days, flash sales half for an hour. Each change and each promotion is a fact that the store tells.
import type { RandomStream } from '../std/random.ts'
import type { Agenda } from './agenda.ts'
import { exponential } from './distributions.ts'
import type { RecordSink } from './sink.ts'
import { storeProducts, storeProductWeights } from './store-data.ts'

const dayMs = 86_400_000
const weekMs = 7 * dayMs
/** Two to four promotions a week, one of four a flash sale. */
const promotionsPerWeek = 3
const flashShare = 0.25
const flashPercent = 50
/** A regular price is looked at so often, and moves by up to so many percent, never further from the first one than that. */
const changesPerWeek = 5
const changePercentMax = 6
const awayPercentMax = 20
/** What is on offer is seen more. */
const visibility = 1.5

export interface PriceChange {
  readonly product: number
  readonly oldMinor: number
  readonly newMinor: number
  readonly reason: 'regular' | 'promotion' | 'promotion_end'
  readonly promotion: Promotion | null
}
export interface Promotion {
  readonly number: number
  readonly product: number
  readonly kind: 'sale' | 'flash'
  readonly percent: number
  readonly startMs: number
  readonly endMs: number
}
export interface PricesTell {
  price(change: PriceChange, atMs: number): void
  promotion(promotion: Promotion, atMs: number): void
}

export interface StorePrices {
  /** Cents for one piece, by product. */
  readonly minor: readonly number[]
  /** Demand for each product now, as a multiple of the usual. */
  readonly demand: readonly number[]
  /** How much more than the usual all demand is; >= 0. */
  readonly extra: number
  /** Called when demand has changed. */
  onDemand: () => void
}

/** Prices that never change. */
export function fixedPrices(): StorePrices {
  return {
    minor: storeProducts.map(({ priceMinor }) => priceMinor),
    demand: storeProducts.map(() => 1),
    extra: 0,
    onDemand: () => {},
  }
}

/** Prices that change from `startMs` on, on the given agenda. */
export function movingPrices(
  random: RandomStream,
  agenda: Agenda<RecordSink>,
  startMs: number,
  tell: PricesTell,
): StorePrices {
  const draw = random.fork('prices')
  const regular = storeProducts.map(({ priceMinor }) => priceMinor)
  const minor = [...regular]
  const demand = storeProducts.map(() => 1)
  const running: (Promotion | null)[] = storeProducts.map(() => null)
  const weights = storeProductWeights.reduce((sum, weight) => sum + weight, 0)
  let extra = 0
  let promotions = 0

  const set = (product: number, reason: PriceChange['reason'], promotion: Promotion | null, atMs: number): void => {
    const oldMinor = minor[product]!
    const now = running[product]
    const newMinor = now ? Math.round((regular[product]! * (100 - now.percent)) / 100) : regular[product]!
    minor[product] = newMinor
    const { priceMinor, elasticity } = storeProducts[product]!
    demand[product] = (newMinor / priceMinor) ** elasticity * (now ? visibility : 1)
    extra = 0
    demand.forEach((times, i) => {
      extra += ((times - 1) * storeProductWeights[i]!) / weights
    })
    extra = Math.max(0, extra)
    prices.onDemand()
    if (newMinor !== oldMinor) tell.price({ product, oldMinor, newMinor, reason, promotion }, atMs)
  }

  const promote = (_sink: RecordSink, atMs: number): boolean => {
    agenda.put(atMs + exponential(draw, promotionsPerWeek / weekMs), promote)
    const product = draw.below(storeProducts.length)
    const isFlash = draw.float() < flashShare
    const percent = isFlash ? flashPercent : 10 + 5 * draw.below(7)
    const lengthMs = isFlash ? (30 + 90 * draw.float()) * 60_000 : (1 + 2 * draw.float()) * dayMs
    // One offer at a time.
    if (running[product]) return false
    const startsMs = Math.floor(atMs)
    const endMs = startsMs + Math.floor(lengthMs)
    const kind = isFlash ? 'flash' : 'sale'
    const promotion: Promotion = { number: ++promotions, product, kind, percent, startMs: startsMs, endMs }
    running[product] = promotion
    tell.promotion(promotion, startsMs)
    set(product, 'promotion', promotion, startsMs)
    agenda.put(endMs, (_later, nowMs) => {
      running[product] = null
      set(product, 'promotion_end', promotion, nowMs)
      return false
    })
    return false
  }
  const change = (_sink: RecordSink, atMs: number): boolean => {
    agenda.put(atMs + exponential(draw, changesPerWeek / weekMs), change)
    const product = draw.below(storeProducts.length)
    const percent = 100 + (draw.float() * 2 - 1) * changePercentMax
    const { priceMinor } = storeProducts[product]!
    const wanted = Math.round((regular[product]! * percent) / 100)
    const within = (bound: number): number => Math.round((priceMinor * bound) / 100)
    regular[product] = Math.min(within(100 + awayPercentMax), Math.max(within(100 - awayPercentMax), wanted))
    // What is on offer keeps its price until the offer ends.
    if (!running[product]) set(product, 'regular', null, Math.floor(atMs))
    return false
  }
  agenda.put(startMs + exponential(draw, promotionsPerWeek / weekMs), promote)
  agenda.put(startMs + exponential(draw, changesPerWeek / weekMs), change)

  const prices = {
    minor,
    demand,
    get extra() {
      return extra
    },
    onDemand: () => {},
  }
  return prices
}
