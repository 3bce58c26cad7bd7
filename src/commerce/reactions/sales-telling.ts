// Telling of an event: opened once, updated now and then and when it grows graver, closed after quiet.
import { instantText } from '../../std/instant.ts'
import { salesEvents } from '../contracts/sales-events.ts'
import { type Activity, newCooldown, passes } from './cooldown.ts'
import { type Direction, type Firing, RECENT_MINUTES } from './detector.ts'
import { type EventKind, recommendation, sentence } from './insight.ts'
import { type Open, type Severity, severities, type View } from './sales-view.ts'

const MINUTE_MS = 60_000
const UPDATE_MS = 10 * MINUTE_MS
const WEEK_MINUTES = 7 * 24 * 60

interface Told {
  readonly kind: EventKind
  readonly direction: Direction
  readonly of: Open['of']
  readonly change: 'fires' | 'lasts' | 'resolves'
  readonly firing: Firing
  readonly nats: number
  readonly observed: number
  readonly expected: number
}

/** Opens, updates or closes the event; while it lasts it is told again only when it grows graver, and now and then. */
export function tell(view: View, told: Told): void {
  const { state, minute, sellers, categories, now, before, emit } = view
  const { kind, direction, of, change, firing, observed, expected } = told
  const fingerprint = `${kind}/${of === null ? 'all' : `${of.type}/${of.name}`}/${direction}`
  const endMs = minute.atMs + MINUTE_MS
  const growth = firing.meant > 0 ? firing.seen / firing.meant - 1 : 0
  const severity = severityOf(growth)
  let open = state.open[fingerprint]
  if (change === 'fires') {
    const activity: Activity = direction === 'up' ? 'high' : 'low'
    const cooldown = state.cooldowns[kind] ?? newCooldown()
    state.cooldowns[kind] = cooldown
    const notified = passes(cooldown, { key: fingerprint, atMs: endMs, activity })
    state.counts[notified ? 'told' : 'heldBack']++
    open = { kind, direction, of, sinceMs: firing.sinceMs, detectedMs: endMs, notified, toldMs: endMs, severity }
    state.open[fingerprint] = open
  }
  if (open === undefined) return
  state.counts.detections++
  const graver = severities.indexOf(severity) > severities.indexOf(open.severity)
  if (change === 'lasts' && !graver && endMs - open.toldMs < UPDATE_MS) return
  if (graver) open.severity = severity
  open.toldMs = endMs
  if (change === 'resolves') delete state.open[fingerprint]
  const growthPrevious = before.minutes < RECENT_MINUTES || before.sales === 0 ? null : now.sales / before.sales - 1
  const sellersKnown = Object.keys(state.parts).filter((name) => name.startsWith('seller/')).length
  const words = { kind, direction, of, growth, growthPrevious, sellers, categories, sellersKnown }
  const id = `${fingerprint}/${instantText(open.sinceMs)}`
  emit(salesEvents.topic, id, {
    event_id: id,
    kind,
    direction,
    of_type: of?.type ?? null,
    of_name: of?.name ?? null,
    status: change === 'resolves' ? 'resolved' : 'firing',
    severity: open.severity,
    since: instantText(open.sinceMs),
    detected_at: instantText(open.detectedMs),
    updated_at: instantText(endMs),
    resolved_at: change === 'resolves' ? instantText(endMs) : null,
    observed: rounded(observed),
    expected: rounded(expected),
    growth: rounded(growth),
    growth_previous: growthPrevious === null ? null : rounded(growthPrevious),
    confidence: rounded(1 - Math.min(1, WEEK_MINUTES * Math.exp(-told.nats))),
    sentence: sentence(words),
    recommendation: recommendation(words),
    dominant_seller: sellers.dominant?.name ?? null,
    dominant_share: sellers.dominant === null ? null : rounded(sellers.dominant.share),
    seller_hhi: rounded(sellers.hhi),
    active_sellers: sellers.active,
    top_category: categories.dominant?.name ?? null,
    top_category_share: categories.dominant === null ? null : rounded(categories.dominant.share),
    detections: firing.detections,
    notified: open.notified,
    rule: `sales-events/${kind}@1`,
    window_start: instantText(endMs - RECENT_MINUTES * MINUTE_MS),
    window_end: instantText(endMs),
  })
}
function severityOf(growth: number): Severity {
  return growth >= 3 || growth <= -0.8 ? 'critical' : growth >= 1 || growth <= -0.5 ? 'high' : 'medium'
}
/** Six decimals: enough for people, and the same text on every machine. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
