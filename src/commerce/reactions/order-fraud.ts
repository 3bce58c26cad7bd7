// Fraud scoring of the store's orders (E6, M4): what is known of orders as weights, no labels come for them; alerts are
// those of payments, in the form of M4.
import { newOnlineLogistic, probability } from '../../models/models.ts'
import type { Reaction } from '../../query/reaction.ts'
import { newRecent } from '../../std/recent.ts'
import { fraudAlerts } from '../contracts/fraud-alerts.ts'
import { clip, type Feature, type Figure, rising, type Values } from './fraud-features.ts'
import { type Cases, type FraudCosts, fraudCosts, tellSuspicion } from './fraud-telling.ts'

export const orderVelocityPlan = 'order-velocity'

/** What orders of this shop are like: a high amount for one shop is an ordinary one for another. Plain data. */
export interface UsualOrders {
  orders: number
  /** Of the amounts' logarithms. */
  meanLogAmount: number
  /** Orders of the same customer within an hour, and a day. */
  meanCount1h: number
  meanCount24h: number
}
/** Plain data. */
export interface OrderFraudState {
  readonly cases: Cases
  readonly usual: UsualOrders
  tickMs: number | null
}
/** So many orders are a shop that is known; before, the amounts and counts below are meant as they stand. */
const USUAL_ORDERS_MIN = 50
const USUAL_ORDERS_MAX = 10_000
/** The ordinary order that the amounts below were written for. */
const ORDINARY_AMOUNT = 150
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const KNOWN_ORDERS_MIN = 3
/** One look in thirty should find something. */
const CHANCE_MIN = 1 / 30

export const orderFeatures: readonly Feature[] = Object.freeze([
  { name: 'high_value', prior: 2, text: 'a high amount' },
  { name: 'amount_above_mean', prior: 2, text: 'far above what this customer orders' },
  { name: 'shipping_country_differs', prior: 2.2, text: 'sent to another country than the customer lives in' },
  { name: 'countries', prior: 2, text: 'sent to several countries within a day' },
  { name: 'customer_velocity', prior: 2.5, text: 'many orders of one customer' },
  { name: 'new_account', prior: 1, text: 'an account of less than a day' },
  { name: 'unknown_customer', prior: 0.7, text: 'nothing is known of the customer' },
  { name: 'hard_to_trace', prior: 0.6, text: 'paid by gift card' },
  { name: 'night', prior: 0.2, text: 'at night' },
])
export const orderIntercept = -7.5

export function orderFraudMonitor(costs: FraudCosts = fraudCosts): Reaction<OrderFraudState> {
  const model = newOnlineLogistic([orderIntercept, ...orderFeatures.map(({ prior }) => prior)])
  return {
    name: 'order-fraud',
    version: 2,
    reads: [orderVelocityPlan],
    writes: [{ topic: fraudAlerts.topic, partitions: fraudAlerts.partitions, compacted: true }],
    initial: () => ({
      cases: newRecent(),
      usual: { orders: 0, meanLogAmount: 0, meanCount1h: 0, meanCount24h: 0 },
      tickMs: null,
    }),
    step(state, input, emit) {
      if (input.kind === 'tick') {
        state.tickMs = input.atMs
        return
      }
      if (input.weight < 0) return
      const { values } = input
      const figures = orderFigures(values, state.usual)
      learn(state.usual, values)
      const chance = probability(
        model,
        figures.map(({ x }) => x),
      )
      // Rules without labels are no calibrated chance: of dear orders a small one is a great loss already, and all would be told.
      if (chance < CHANCE_MIN) return
      const atMs = Number(values.order_date)
      const who = String(values.customer_id)
      const { tickMs } = state
      tellSuspicion(
        {
          of: 'order',
          id: String(values.order_id),
          who,
          amount: Number(values.total_amount) / 100,
          seller: null,
          atMs,
          detectedMs: tickMs !== null && tickMs > atMs && tickMs - atMs < HOUR_MS ? tickMs : atMs,
          probability: chance,
          features: orderFeatures,
          figures,
          weights: model.weights.slice(1),
          model: 'orders@1, rules',
          ties: [`user/${who}`],
        },
        state.cases,
        costs,
        emit,
      )
    },
  }
}

function learn(usual: UsualOrders, values: Values): void {
  usual.orders = Math.min(usual.orders + 1, USUAL_ORDERS_MAX)
  const share = 1 / usual.orders
  usual.meanLogAmount +=
    (Math.log(Math.max(0.01, Number(values.total_amount ?? 0) / 100)) - usual.meanLogAmount) * share
  usual.meanCount1h += (Number(values.customer_count_1h ?? 0) - usual.meanCount1h) * share
  usual.meanCount24h += (Number(values.customer_count_24h ?? 0) - usual.meanCount24h) * share
}

/** The figures of an order, in the order of `orderFeatures`. */
function orderFigures(values: Values, usual: UsualOrders): readonly Figure[] {
  const n = (name: string): number => Number(values[name] ?? 0)
  const amount = n('total_amount') / 100
  const isKnownShop = usual.orders >= USUAL_ORDERS_MIN
  const times = (mean: number): number => (isKnownShop ? Math.max(1, mean) : 1)
  /** The amount as it would be in a shop of ordinary orders. */
  const weighed = amount / times(Math.exp(usual.meanLogAmount) / ORDINARY_AMOUNT)
  const [count1h, count24h] = [
    n('customer_count_1h') / times(usual.meanCount1h),
    n('customer_count_24h') / times(usual.meanCount24h),
  ]
  const earlier = Math.max(0, n('customer_ordered_30d') - 1)
  const mean = earlier < KNOWN_ORDERS_MIN ? null : (n('customer_spent_30d') - amount) / earlier
  const ratio = mean === null || mean <= 0 ? 1 : amount / mean
  const isKnown = values.registered_at !== null && values.registered_at !== undefined
  const ageMs = isKnown ? n('order_date') - n('registered_at') : 0
  const home = values.customer_country ?? null
  const country = values.shipping_country ?? null
  const hour = new Date(n('order_date')).getUTCHours()
  const figure = (x: number, of: Figure['values']): Figure => ({ x: clip(x), values: of })
  return [
    figure(rising(weighed, 300, 4_000), { amount }),
    figure(rising(ratio, 1.5, 8), { amount, mean_30d: mean ?? 0 }),
    figure(home !== null && home !== country ? 1 : 0, { lives: String(home), sent_to: String(country) }),
    figure(rising(n('customer_countries_24h'), 1, 3), { countries_24h: n('customer_countries_24h') }),
    figure(Math.max(rising(count1h, 2, 10), rising(count24h, 5, 30)), {
      count_1h: n('customer_count_1h'),
      count_24h: n('customer_count_24h'),
      sum_1h: n('customer_sum_1h') / 100,
    }),
    figure(isKnown && ageMs < DAY_MS ? rising(weighed, 200, 2_000) : 0, { hours: Math.round(ageMs / HOUR_MS), amount }),
    figure(isKnown ? 0 : 1, {}),
    figure(values.payment_method === 'gift_card' ? rising(weighed, 100, 1_000) : 0, { amount }),
    figure(hour <= 6 ? 1 : 0, { hour }),
  ]
}
