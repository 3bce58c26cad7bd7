// What becomes of an order: paid within minutes, shipped within days, delivered after about ten, or cancelled.
import type { RandomStream } from '../std/random.ts'
import { normal } from './distributions.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
export const cancelledShare = 0.006
export const unavailableShare = 0.006
/** Days from order to delivery: log-normal, median 10. */
const deliveryMu = 2.305
const deliverySigma = 0.679
/** Promised for so many days after the order, so that 8 of 100 come too late: the 92nd percentile. */
const promisedDays = Math.exp(deliveryMu + deliverySigma * 1.405)
const paidMedianMs = 4 * minuteMs

export interface OrderStep {
  readonly atMs: number
  readonly from: 'pending' | 'paid' | 'shipped'
  readonly to: 'paid' | 'shipped' | 'delivered' | 'cancelled'
  readonly reason: 'customer' | 'unavailable' | null
  readonly promisedMs: number | null
}

/** All that will happen to an order made at `orderedMs`, in order of time. */
export function orderLife(random: RandomStream, orderedMs: number): readonly OrderStep[] {
  const fate = random.float()
  const paidMs = orderedMs + Math.floor(paidMedianMs * Math.exp(0.9 * normal(random)))
  const deliveredMs = orderedMs + Math.floor(dayMs * Math.exp(deliveryMu + deliverySigma * normal(random)))
  // Some time before it comes, and not before it is paid.
  const shippedMs = Math.max(
    paidMs + 1,
    orderedMs + Math.floor((deliveredMs - orderedMs) * (0.15 + 0.25 * random.float())),
  )
  const step = (
    atMs: number,
    from: OrderStep['from'],
    to: OrderStep['to'],
    more: Partial<OrderStep> = {},
  ): OrderStep => ({
    atMs,
    from,
    to,
    reason: null,
    promisedMs: null,
    ...more,
  })
  if (fate < cancelledShare) return [step(paidMs, 'pending', 'cancelled', { reason: 'customer' })]
  const paid = step(paidMs, 'pending', 'paid')
  if (fate < cancelledShare + unavailableShare)
    return [paid, step(shippedMs, 'paid', 'cancelled', { reason: 'unavailable' })]
  const promisedMs = orderedMs + Math.floor(promisedDays * dayMs)
  return [
    paid,
    step(shippedMs, 'paid', 'shipped', { promisedMs }),
    step(Math.max(deliveredMs, shippedMs + 1), 'shipped', 'delivered', { promisedMs }),
  ]
}
