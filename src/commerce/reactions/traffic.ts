// Unusual traffic (E4): visits that are no person's, by session and by network address, and spikes and drops of views, of
// the whole store and by category. One visit is one alert, one spike is one alert.
import { expectedRate, learnMinute, newRateBaseline, type RateBaseline } from '../../models/models.ts'
import type { Emit, Reaction, ReactionRow } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { newRecent, type Recent, use } from '../../std/recent.ts'
import { trafficAlerts } from '../contracts/traffic-alerts.ts'
import { type Detector, detect, detectorRules, newDetector, sum, type Transition } from './detector.ts'
import { actsPlan } from './funnel.ts'
import { actsPerSecond, gapVariation, judge, newVisit, observe, type Verdict, type Visit } from './visit-habits.ts'

export const viewsPlan = 'views-by-minute'
/** Visits remembered; about 500 bytes each. */
export const visitsMax = 8_000
/** Series of views: the store and its categories. */
export const seriesMax = 40
const QUIET_MS = 1_800_000
/** An address that acted for several visits is looked at like one, after more. */
const ADDRESS_ACTS_MIN = 40
const ADDRESS_SESSIONS_MIN = 3
const MINUTE_MS = 60_000
const SILENT_MINUTES_MAX = 240
/** Fewer views than usual are no drop, nor more a spike, where hardly any are usual. */
const VIEWS_MIN = 20
const GROWTH_MIN = 0.5
const STORE = ''

interface Series {
  readonly baseline: RateBaseline
  readonly detector: Detector
}
/** Plain data. */
export interface TrafficState {
  readonly visits: Recent<Visit>
  readonly addresses: Recent<Visit>
  readonly series: { [category: string]: Series }
  /** Minute whose rows are coming, and its views. */
  minuteMs: number | null
  views: { [category: string]: number }
  readonly counts: { bots: number; spikes: number }
}

export function trafficMonitor(): Reaction<TrafficState> {
  return {
    name: 'traffic',
    version: 1,
    reads: [viewsPlan, actsPlan],
    writes: [{ topic: trafficAlerts.topic, partitions: trafficAlerts.partitions, compacted: true }],
    initial: () => ({
      visits: newRecent(),
      addresses: newRecent(),
      series: {},
      minuteMs: null,
      views: {},
      counts: { bots: 0, spikes: 0 },
    }),
    step(state, input, emit) {
      if (input.kind === 'tick' || input.weight < 0) return
      if (input.plan === actsPlan) takeAct(state, input, emit)
      else if (input.final) takeViews(state, input, emit)
    },
  }
}

// --- visits ---

function takeAct(state: TrafficState, { values }: ReactionRow, emit: Emit): void {
  const atMs = Number(values.timestamp)
  const { session_id: session, ip_address: address } = values
  if (typeof session !== 'string') return
  const visit = use(state.visits, session, visitsMax, () => newVisit(atMs))
  if (atMs - visit.lastMs > QUIET_MS) Object.assign(visit, newVisit(atMs))
  observe(visit, values)
  const told = visit.told
  const verdict = judge(visit)
  if (verdict !== null && told === null) {
    visit.told = verdict.kind
    state.counts.bots++
    tellVisit(session, visit, verdict, values, emit)
  }
  if (typeof address !== 'string') return
  const all = use(state.addresses, address, visitsMax, () => newVisit(atMs))
  if (atMs - all.lastMs > QUIET_MS) Object.assign(all, newVisit(atMs))
  observe(all, values)
  // What a visit's own alert tells is no news about its address.
  if (visit.told !== null) all.told ??= visit.told
  if (all.told !== null || all.acts < ADDRESS_ACTS_MIN || all.sessions.length < ADDRESS_SESSIONS_MIN) return
  const ofAll = judge(all)
  if (ofAll === null) return
  all.told = ofAll.kind
  state.counts.bots++
  tellVisit(null, all, ofAll, values, emit)
}
function tellVisit(
  session: string | null,
  visit: Visit,
  verdict: Verdict,
  values: ReactionRow['values'],
  emit: Emit,
): void {
  const { kind, score, reasons } = verdict
  const address = String(values.ip_address ?? '')
  const pace = actsPerSecond(visit)
  const variation = gapVariation(visit)
  const round = (value: number | null): number | null => (value === null ? null : Math.round(value * 1_000) / 1_000)
  const id = session === null ? `address/${address}/${visit.firstMs}` : `visit/${session}/${visit.firstMs}`
  const who = session === null ? `address ${address}` : `visit ${session}`
  emit(trafficAlerts.topic, id, {
    alert_id: id,
    kind,
    status: 'firing',
    score,
    session_id: session,
    ip_address: address === '' ? null : address,
    user_id: visit.users.length === 1 ? (visit.users[0] ?? null) : null,
    category: null,
    reasons,
    sentence: `BOT: ${who} is no person (${kind}): ${visit.acts} acts, ${(pace ?? 0).toFixed(2)}/s, ${visit.views} views of ${visit.products.length} products, ${visit.carts} into the cart, ${visit.purchases} bought, ${visit.failedLogins} failed logins, ${visit.users.length} accounts`,
    acts: visit.acts,
    expected: null,
    acts_per_second: round(pace),
    gap_variation: round(variation),
    since: instantText(visit.firstMs, true),
    detected_at: instantText(visit.lastMs, true),
    updated_at: instantText(visit.lastMs, true),
  })
}

// --- views ---

function takeViews(state: TrafficState, { values }: ReactionRow, emit: Emit): void {
  const atMs = Number(values.window_start)
  const { minuteMs } = state
  // A correction of a minute that was looked at changes nothing that was told.
  if (minuteMs !== null && atMs < minuteMs) return
  if (minuteMs !== null && atMs > minuteMs) {
    look(state, minuteMs, emit)
    const firstMs = Math.max(minuteMs + MINUTE_MS, atMs - SILENT_MINUTES_MAX * MINUTE_MS)
    state.views = {}
    for (let emptyMs = firstMs; emptyMs < atMs; emptyMs += MINUTE_MS) look(state, emptyMs, emit)
  }
  state.minuteMs = atMs
  const views = Number(values.views)
  const category = String(values.category)
  for (const name of [STORE, category]) {
    if (name === '__proto__') continue
    if (state.series[name] === undefined) {
      if (Object.keys(state.series).length >= seriesMax) continue
      state.series[name] = { baseline: newRateBaseline(), detector: newDetector() }
    }
    state.views[name] = (state.views[name] ?? 0) + views
  }
}
function look(state: TrafficState, atMs: number, emit: Emit): void {
  const names = Object.keys(state.series)
  const fireNats = detectorRules.fireNats + Math.log(Math.max(1, names.length))
  const store = state.series[STORE]?.detector.firing
  for (const [name, { baseline, detector }] of Object.entries(state.series)) {
    const count = state.views[name] ?? 0
    const usual = expectedRate(baseline, atMs)
    const minute = { atMs, count, mean: Math.max(usual.mean, 1e-3), shape: usual.shape }
    // What the whole store does is no news about each of its categories.
    const isTold = name !== STORE && store !== undefined && (store.up !== null || store.down !== null)
    const mayFire = (_direction: string, { seen, meant }: { readonly seen: number; readonly meant: number }): boolean =>
      !isTold && !usual.learning && Math.max(seen, meant) >= VIEWS_MIN && Math.abs(seen / meant - 1) >= GROWTH_MIN
    for (const transition of detect(detector, minute, mayFire, { ...detectorRules, fireNats }))
      if (transition.state !== 'lasts') tellViews(state, name, atMs, detector, transition, emit)
    const { up, down } = detector.firing
    learnMinute(baseline, atMs, count, up === null && down === null)
  }
}
function tellViews(
  state: TrafficState,
  name: string,
  atMs: number,
  detector: Detector,
  { direction, state: change, firing, nats }: Transition,
  emit: Emit,
): void {
  const [seen, expected] = [sum(detector.counts), sum(detector.means)]
  const kind = direction === 'up' ? 'spike' : 'drop'
  const id = `views/${name === STORE ? 'store' : name}/${kind}/${firing.sinceMs}`
  if (change === 'fires') state.counts.spikes++
  const what = name === STORE ? 'the store' : name
  const growth = expected === 0 ? 0 : seen / expected - 1
  emit(trafficAlerts.topic, id, {
    alert_id: id,
    kind,
    status: change === 'fires' ? 'firing' : 'resolved',
    score: Math.round((1 - Math.exp(-Math.max(0, nats))) * 1_000) / 1_000,
    session_id: null,
    ip_address: null,
    user_id: null,
    category: name === STORE ? null : name,
    reasons: [direction === 'up' ? 'more_than_usual' : 'less_than_usual'],
    sentence: `VIEW ${kind.toUpperCase()}${change === 'fires' ? '' : ' OVER'}: ${what}: ${seen} views in 15 minutes, ${expected.toFixed(0)} are usual (${growth >= 0 ? '+' : ''}${(growth * 100).toFixed(1)}%)`,
    acts: seen,
    expected: Math.round(expected * 10) / 10,
    acts_per_second: null,
    gap_variation: null,
    since: instantText(firing.sinceMs),
    detected_at: instantText(change === 'fires' ? atMs + MINUTE_MS : firing.sinceMs),
    updated_at: instantText(atMs + MINUTE_MS),
  })
}
