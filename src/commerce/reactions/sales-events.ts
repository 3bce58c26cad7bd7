// The event tracker of the marketplace (W3 to W6): looks at each minute of sales, in all, by seller and by category, and
// tells what left its usual. One incident is one event, however long it lasts.
import { type ExpectedRate, expectedRate, learnMinute, newRateBaseline } from '../../models/models.ts'
import type { Emit, Reaction, ReactionInput, ReactionRow } from '../../query/reaction.ts'
import { salesEvents } from '../contracts/sales-events.ts'
import { detect, newDetector, RECENT_MINUTES, sum } from './detector.ts'
import { learnParts, lookAtParts, mayLearn, type PartNow, partsNow } from './sales-parts.ts'
import { tell } from './sales-telling.ts'
import {
  type Minute,
  mayFire,
  type Pair,
  type SalesEventRules,
  type SalesEventsState,
  salesEventRules,
  type View,
  viewOf,
} from './sales-view.ts'
import { checkSteady, newSteadyCheck, type SteadyRules, steadyRules } from './steady-check.ts'

const MINUTE_MS = 60_000
/** A minute without any sale has no row: it is known to be empty when a later one has come, or by the clock after so long. */
const SILENCE_MS = 3 * MINUTE_MS
/** The clock says nothing about data this old: it is being imported or replayed. */
const LIVE_MS = 6 * 3_600_000
const SILENT_MINUTES_MAX = 24 * 60
/** Before its share is known a part is not judged. */
const PART_MINUTES_MIN = 30
const TICKET_KEEP = 2 ** (-1 / 20_000)
const TICKET_SALES_MIN = 500
const TICKET_MINUTES = 24 * 60
/** Fewer sales have no average worth telling. */
const TICKET_WINDOW_SALES_MIN = 30
const ticketRules: SteadyRules = { ...steadyRules, fireZ: 5 }

export function salesEventTracker(rules: SalesEventRules = salesEventRules): Reaction<SalesEventsState> {
  return {
    name: 'sales-events',
    version: 1,
    reads: ['sales-by-seller', 'sales-by-category', 'sales-by-minute'],
    writes: [{ topic: salesEvents.topic, partitions: salesEvents.partitions, compacted: true }],
    initial: () => ({
      lastMs: null,
      silentSinceMs: null,
      waiting: {},
      recent: [],
      usual: [],
      baseline: newRateBaseline(),
      volume: newDetector(),
      parts: {},
      ticket: { check: newSteadyCheck(), weight: 0, mean: 0, square: 0, minutes: 0 },
      active: newSteadyCheck(),
      cooldowns: {},
      open: {},
      counts: { told: 0, heldBack: 0, detections: 0 },
    }),
    step(state, input, emit) {
      takeIn(state, input, rules, emit)
    },
  }
}

function takeIn(state: SalesEventsState, input: ReactionInput, rules: SalesEventRules, emit: Emit): void {
  if (input.kind === 'tick') {
    // Silence has no rows: the clock tells of it, where the data is of now.
    const { lastMs } = state
    state.silentSinceMs ??= input.atMs
    if (lastMs === null || input.atMs - lastMs > LIVE_MS) return
    // While rows come, old ones being caught up with perhaps, they tell themselves what there was.
    if (input.atMs - state.silentSinceMs < SILENCE_MS) return
    silence(state, input.atMs - SILENCE_MS, rules, emit)
    return
  }
  state.silentSinceMs = null
  const atMs = Number(input.values.window_start)
  // A correction of a minute that was looked at changes nothing that was told.
  if (!input.final || input.weight < 0 || (state.lastMs !== null && atMs <= state.lastMs)) return
  const parts = state.waiting[atMs] ?? { sellers: {}, categories: {} }
  state.waiting[atMs] = parts
  const pair: Pair = [Number(input.values.sales), Number(input.values.revenue)]
  switch (input.plan) {
    case 'sales-by-seller':
      parts.sellers[nameOf(input, 'seller')] = pair
      break
    case 'sales-by-category':
      parts.categories[nameOf(input, 'nm_category')] = pair
      break
    default:
      silence(state, atMs, rules, emit)
      delete state.waiting[atMs]
      look(state, { atMs, sales: pair[0], revenueMinor: pair[1], ...parts }, rules, emit)
  }
}
function nameOf({ values }: ReactionRow, column: string): string {
  return String(values[column] ?? '')
}
/** Empty minutes up to the one that starts at `untilMs`. */
function silence(state: SalesEventsState, untilMs: number, rules: SalesEventRules, emit: Emit): void {
  if (state.lastMs === null) return
  const firstMs = Math.max(state.lastMs + MINUTE_MS, untilMs - SILENT_MINUTES_MAX * MINUTE_MS)
  for (let atMs = firstMs; atMs + MINUTE_MS <= untilMs; atMs += MINUTE_MS)
    look(state, { atMs, sales: 0, revenueMinor: 0, sellers: {}, categories: {} }, rules, emit)
}

function look(state: SalesEventsState, minute: Minute, rules: SalesEventRules, emit: Emit): void {
  const { recent } = state
  recent.push(minute)
  if (recent.length > 2 * RECENT_MINUTES) recent.shift()
  state.lastMs = minute.atMs
  const localMs = minute.atMs + rules.zoneMs
  const usual = expectedRate(state.baseline, localMs)
  // Never on the first window: there is nothing to compare it with.
  const isFirst = recent.length <= RECENT_MINUTES
  state.usual.push(usual.mean)
  if (state.usual.length > RECENT_MINUTES) state.usual.shift()
  const view = viewOf(state, minute, usual.learning, rules, emit)
  if (!isFirst) {
    const parts = partsNow(view)
    lookAtParts(view, parts, usual)
    lookAtVolume(view, parts, usual)
    lookAtTicket(view)
    lookAtActive(view)
  }
  learnMinute(state.baseline, localMs, minute.sales, mayLearn(state.volume, minute.atMs, usual.learning))
  learnParts(state, minute, usual.learning)
}

function lookAtVolume(view: View, parts: readonly PartNow[], usual: ExpectedRate): void {
  const { state, minute } = view
  const { volume } = state
  // What a seller's own event tells already is no news about the shop.
  let count = minute.sales
  let mean = usual.mean
  for (const { type, part, share, count: own } of parts) {
    const { up, down } = part.detector.firing
    if (type !== 'seller' || (up === null && down === null)) continue
    count -= own
    mean -= usual.mean * share
  }
  const transitions = detect(
    volume,
    { atMs: minute.atMs, count, mean: Math.max(mean, 0), shape: usual.shape },
    (direction, { seen, meant }) => mayFire(view, direction, seen / meant - 1, sum(volume.means)),
  )
  for (const { direction, state: change, firing, nats } of transitions)
    tell(view, {
      kind: 'volume',
      direction,
      of: null,
      change,
      firing,
      nats,
      observed: sum(volume.counts),
      expected: sum(volume.means),
    })
}

function lookAtTicket(view: View): void {
  const { state, minute, now, rules } = view
  const { ticket } = state
  const value = now.sales === 0 ? ticket.mean : now.revenueMinor / now.sales
  if (ticket.weight >= TICKET_SALES_MIN && ticket.square > 0) {
    // In logarithms: values of sales are skewed, and a few large ones are no rise.
    const z = (Math.log(value / ticket.mean) * ticket.mean) / Math.sqrt(ticket.square / Math.max(1, now.sales))
    const growth = value / ticket.mean - 1
    const allowed =
      Math.abs(growth) >= rules.growthMin && now.sales >= TICKET_WINDOW_SALES_MIN && mayFire(view, 'up', growth, 0)
    const change = checkSteady(ticket.check, { atMs: minute.atMs, value, usual: ticket.mean, z, allowed }, ticketRules)
    if (change !== null)
      tell(view, {
        kind: 'average-ticket',
        direction: change.direction,
        of: null,
        change: change.state,
        firing: change.firing,
        nats: (z * z) / 2,
        observed: value / 100,
        expected: ticket.mean / 100,
      })
  }
  if (ticket.check.firing !== null || minute.sales === 0) return
  const mean = minute.revenueMinor / minute.sales
  // A minute's mean over n sales strays by the variance of one sale / n.
  const stray = ticket.weight === 0 ? 0 : (mean - ticket.mean) ** 2 * minute.sales
  ticket.minutes++
  ticket.square += (stray - ticket.square) / Math.min(ticket.minutes, TICKET_MINUTES)
  const weight = ticket.weight * TICKET_KEEP ** minute.sales
  ticket.mean = (ticket.mean * weight + minute.revenueMinor) / (weight + minute.sales)
  ticket.weight = weight + minute.sales
}

function lookAtActive(view: View): void {
  const { state, minute, now, sellers, rules } = view
  let usual = 0
  let variance = 0.5
  for (const [fingerprint, part] of Object.entries(state.parts)) {
    if (!fingerprint.startsWith('seller/') || part.minutes < PART_MINUTES_MIN) continue
    // With so many sales in all, how likely is one of this seller's at least?
    const chance = 1 - Math.exp((-part.sales / (part.sales + part.others)) * now.sales)
    usual += chance
    variance += chance * (1 - chance)
  }
  if (usual === 0) return
  const value = sellers.active
  const z = (value - usual) / Math.sqrt(variance)
  const allowed =
    Math.abs(value / usual - 1) >= rules.growthMin && Math.abs(value - usual) >= 2 && now.sales >= rules.salesMin
  const change = checkSteady(state.active, { atMs: minute.atMs, value, usual, z, allowed })
  if (change !== null)
    tell(view, {
      kind: 'active-sellers',
      direction: change.direction,
      of: null,
      change: change.state,
      firing: change.firing,
      nats: (z * z) / 2,
      observed: value,
      expected: usual,
    })
}
