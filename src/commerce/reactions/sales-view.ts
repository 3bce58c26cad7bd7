// The event tracker's state, and what it sees in one minute: the last fifteen minutes, those before them, who sold.
import type { RateBaseline } from '../../models/models.ts'
import type { Emit } from '../../query/reaction.ts'
import type { Cooldown } from './cooldown.ts'
import { type Detector, type Direction, RECENT_MINUTES, sum } from './detector.ts'
import { type Concentration, concentration, type EventKind } from './insight.ts'
import type { SteadyCheck } from './steady-check.ts'

export interface SalesEventRules {
  /** Growth below it is no event, whatever its evidence (W3). */
  readonly growthMin: number
  /** While the hours of the day are not known yet, so much is asked. */
  readonly growthMinLearning: number
  /** Quality gates (W6) on the 15 minutes looked at; for a drop on what is usual in them. */
  readonly salesMin: number
  readonly revenueMinorMin: number
  readonly sellersMin: number
  /** The shop's clock minus UTC. */
  readonly zoneMs: number
}
export const salesEventRules: SalesEventRules = Object.freeze({
  growthMin: 0.15,
  growthMinLearning: 0.5,
  salesMin: 5,
  revenueMinorMin: 100_00,
  sellersMin: 2,
  zoneMs: -3 * 3_600_000,
})

export type Pair = [sales: number, revenueMinor: number]
export interface Parts {
  readonly sellers: { [name: string]: Pair }
  readonly categories: { [name: string]: Pair }
}
export interface Minute extends Parts {
  readonly atMs: number
  sales: number
  revenueMinor: number
}
/** A seller or a category: its share of all sales tells what is usual for it. */
export interface Part {
  /** Exponentially forgotten. */
  sales: number
  others: number
  minutes: number
  readonly detector: Detector
}
export interface Open {
  readonly kind: EventKind
  readonly direction: Direction
  readonly of: { readonly type: 'seller' | 'category'; readonly name: string } | null
  readonly sinceMs: number
  readonly detectedMs: number
  readonly notified: boolean
  /** Of the last record about it. */
  toldMs: number
  severity: Severity
}
export type Severity = 'medium' | 'high' | 'critical'
export const severities: readonly Severity[] = ['medium', 'high', 'critical']

/** Plain data. */
export interface SalesEventsState {
  /** Start of the last minute looked at. */
  lastMs: number | null
  /** Of the first tick since the last row; null after a row. */
  silentSinceMs: number | null
  /** Parts of minutes whose total has not come yet, by start. */
  readonly waiting: { [atMs: string]: Parts }
  /** The last 30 minutes, oldest first: the 15 looked at and the 15 before them. */
  readonly recent: Minute[]
  /** Sales that were usual in each of the last 15. */
  readonly usual: number[]
  readonly baseline: RateBaseline
  readonly volume: Detector
  readonly parts: { [typeAndName: string]: Part }
  /** Value of one sale: mean and variance, exponentially forgotten by sales. */
  readonly ticket: { readonly check: SteadyCheck; weight: number; mean: number; square: number; minutes: number }
  readonly active: SteadyCheck
  readonly cooldowns: { [kind: string]: Cooldown }
  readonly open: { [fingerprint: string]: Open }
  /** Events told and not told so far, minutes seen again: how much grouping saved. */
  readonly counts: { told: number; heldBack: number; detections: number }
}

/** One minute's look: the state, what the last minutes held, and how to tell. */
export interface View {
  readonly state: SalesEventsState
  readonly minute: Minute
  readonly learning: boolean
  readonly rules: SalesEventRules
  readonly emit: Emit
  readonly sellers: Concentration
  readonly categories: Concentration
  readonly now: { readonly sales: number; readonly revenueMinor: number }
  readonly before: { readonly sales: number; readonly revenueMinor: number; readonly minutes: number }
}
export function viewOf(
  state: SalesEventsState,
  minute: Minute,
  learning: boolean,
  rules: SalesEventRules,
  emit: Emit,
): View {
  const now = state.recent.slice(-RECENT_MINUTES)
  const before = state.recent.slice(0, -RECENT_MINUTES)
  const total = (minutes: readonly Minute[]) => ({
    sales: sum(minutes.map(({ sales }) => sales)),
    revenueMinor: sum(minutes.map(({ revenueMinor }) => revenueMinor)),
  })
  return {
    state,
    minute,
    learning,
    rules,
    emit,
    sellers: concentration(sumsOf(now, 'sellers')),
    categories: concentration(sumsOf(now, 'categories')),
    now: total(now),
    before: { ...total(before), minutes: before.length },
  }
}
export function sumsOf(minutes: readonly Minute[], of: 'sellers' | 'categories') {
  const sums = new Map<string, { sales: number; revenueMinor: number }>()
  for (const minute of minutes)
    for (const [name, [sales, revenueMinor]] of Object.entries(minute[of])) {
      const known = sums.get(name) ?? { sales: 0, revenueMinor: 0 }
      known.sales += sales
      known.revenueMinor += revenueMinor
      sums.set(name, known)
    }
  return sums
}

/** Gates (W6) and threshold (W3). A drop is judged by what is usual: there is little left to look at. */
export function mayFire(view: View, direction: Direction, growth: number, expectedSales: number): boolean {
  const { rules, now, before, sellers, learning } = view
  if (!(Math.abs(growth) >= (learning ? rules.growthMinLearning : rules.growthMin))) return false
  if (direction === 'up')
    return (
      now.sales >= rules.salesMin && now.revenueMinor >= rules.revenueMinorMin && sellers.active >= rules.sellersMin
    )
  const usualRevenue = before.sales === 0 ? now.revenueMinor : (before.revenueMinor / before.sales) * expectedSales
  return expectedSales >= rules.salesMin && (before.sales === 0 || usualRevenue >= rules.revenueMinorMin)
}
