// Scores the event tracker on shops whose incidents are known: precision, recall, duplicates, delay. The protocol: the
// first notification inside [start, end + 15 min] is a hit, further ones are duplicates, all others are false.
import { type Reaction, salesEventTracker } from '../commerce/commerce.ts'
import { type LabelledStream, labelledStream, type Suite } from '../generate/generate.ts'

export interface Score {
  readonly suite: Suite
  readonly streams: number
  readonly incidents: number
  readonly found: number
  readonly falseAlerts: number
  readonly duplicates: number
  /** Minutes in which a detector without grouping would have told of an incident again. */
  readonly ungroupedDuplicates: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly notificationsPerIncident: number
  readonly duplicateReduction: number
  readonly falsePerStreamWeek: number
  readonly delayMinutesMedian: number | null
  readonly delayMinutesP95: number | null
}

const GRACE_MS = 15 * 60_000

interface Tally {
  found: number
  falseAlerts: number
  duplicates: number
  ungroupedDuplicates: number
  incidents: number
  readonly delaysMs: number[]
}

/** One suite over some seeds, `streams` of each; pooled. */
export function scoreSuite(suite: Suite, seeds: readonly string[], streams: number): Score {
  const tally: Tally = { found: 0, falseAlerts: 0, duplicates: 0, ungroupedDuplicates: 0, incidents: 0, delaysMs: [] }
  for (const seed of seeds)
    for (let number = 0; number < streams; number++) scoreStream(labelledStream(seed, suite, number), tally)
  const { found, falseAlerts, duplicates, ungroupedDuplicates, incidents, delaysMs } = tally
  delaysMs.sort((a, b) => a - b)
  const delay = (part: number): number | null =>
    delaysMs.length === 0 ? null : delaysMs[Math.min(delaysMs.length - 1, Math.floor(part * delaysMs.length))]! / 60_000
  const precision = found + falseAlerts === 0 ? 1 : found / (found + falseAlerts)
  const recall = incidents === 0 ? 1 : found / incidents
  return {
    suite,
    streams: seeds.length * streams,
    incidents,
    found,
    falseAlerts,
    duplicates,
    ungroupedDuplicates,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    notificationsPerIncident: found === 0 ? 0 : (found + duplicates) / found,
    duplicateReduction: ungroupedDuplicates === 0 ? 1 : 1 - duplicates / ungroupedDuplicates,
    falsePerStreamWeek: falseAlerts / (seeds.length * streams),
    delayMinutesMedian: delay(0.5),
    delayMinutesP95: delay(0.95),
  }
}

function scoreStream(stream: LabelledStream, tally: Tally): void {
  const labels = stream.labels.map((label) => ({ ...label, found: false }))
  tally.incidents += labels.length
  const seen = new Set<string>()
  const take = (value: Readonly<Record<string, unknown>>): void => {
    const atMs = Date.parse(String(value.updated_at))
    if (atMs <= stream.scoredFromMs || value.notified !== true || seen.has(String(value.event_id))) return
    seen.add(String(value.event_id))
    const label = labels.find(
      ({ startMs, endMs, direction, seller }) =>
        atMs > startMs &&
        atMs <= endMs + GRACE_MS &&
        direction === value.direction &&
        (seller === null || value.of_name === null || value.of_name === seller),
    )
    if (label === undefined) tally.falseAlerts++
    else if (label.found) tally.duplicates++
    else {
      label.found = true
      tally.found++
      tally.delaysMs.push(atMs - label.startMs)
    }
  }
  const tracker = salesEventTracker()
  const state = tracker.initial()
  run(tracker, state, stream, take)
  tally.ungroupedDuplicates += Math.max(0, state.counts.detections - labels.filter(({ found }) => found).length)
}

/** Feeds the minutes as the rows of the tracker's plans. */
function run<State>(
  tracker: Reaction<State>,
  state: State,
  stream: LabelledStream,
  take: (value: Readonly<Record<string, unknown>>) => void,
): void {
  const emit = (_topic: string, _key: string, value: Readonly<Record<string, unknown>> | null): void => {
    if (value !== null) take(value)
  }
  for (const { atMs, sales, revenueMinor, sellers, categories } of stream.minutes()) {
    const row = (plan: string, values: Readonly<Record<string, string | number>>): void =>
      tracker.step(
        state,
        {
          kind: 'row',
          plan,
          values: { window_start: atMs, window_end: atMs + 60_000, ...values },
          timing: 'on-time',
          final: true,
          weight: 1,
          evidence: [],
        },
        emit,
      )
    for (const [seller, count, revenue] of sellers) row('sales-by-seller', { seller, sales: count, revenue })
    for (const [nm_category, count, revenue] of categories)
      row('sales-by-category', { nm_category, sales: count, revenue })
    if (sales > 0) row('sales-by-minute', { sales, revenue: revenueMinor })
  }
}
