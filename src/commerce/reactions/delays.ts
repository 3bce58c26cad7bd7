// Late sales of the marketplaces (D2 to D4): how late each came, what to say about it, and every half minute the figures.
import type { Emit, Reaction, ReactionInput } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { delayPatterns } from '../contracts/marketplace-sales.ts'
import { type DelayRules, delayRules, versionOfDelayRules } from './delay-rules.ts'

export const delayTopics = Object.freeze({ events: 'marketplace-delays', statistics: 'delay-statistics' })

/** Plain data: counts since the start. */
export interface DelaysState {
  total: number
  delayed: number
  demo: number
  batches: number
  readonly byBand: { [band: string]: number }
  readonly byMarketplace: { [marketplace: string]: { count: number; hours: number } }
  /** Of the demonstration: what was asked for, and in which band it was seen. */
  readonly patterns: { [pattern: string]: { asked: number; seen: number } }
  changed: boolean
  nextStatisticsMs: number
}

const HOUR_MS = 3_600_000
/** The plan that brings the sales with their arrival. */
export const delaysPlanName = 'marketplace-arrivals'

/** Negative delays are clocks that disagree: they came at once. */
export function bandOf(hours: number, { bands }: DelayRules = delayRules): string {
  let found = bands[0]?.name ?? ''
  for (const { name, fromHours } of bands) if (hours >= fromHours) found = name
  return found
}

export function delayMonitor(rules: DelayRules = delayRules): Reaction<DelaysState> {
  return {
    name: 'delays',
    version: versionOfDelayRules(rules),
    reads: [delaysPlanName],
    writes: [
      { topic: delayTopics.events, partitions: 3, compacted: false },
      { topic: delayTopics.statistics, partitions: 1, compacted: false },
    ],
    initial: () => ({
      total: 0,
      delayed: 0,
      demo: 0,
      batches: 0,
      byBand: Object.fromEntries(rules.bands.map(({ name }) => [name, 0])),
      byMarketplace: {},
      patterns: {},
      changed: false,
      nextStatisticsMs: 0,
    }),
    step(state, input, emit) {
      if (input.kind === 'row') take(state, input.values, rules, emit)
      else tick(state, input.atMs, rules, emit)
    },
  }
}

type Values = Extract<ReactionInput, { kind: 'row' }>['values']
function take(state: DelaysState, values: Values, rules: DelayRules, emit: Emit): void {
  const text = (name: string): string => String(values[name] ?? '')
  const [soldMs, arrivedMs] = [Number(values.transaction_time), Number(values.arrived_at)]
  const hours = Math.max(0, arrivedMs - soldMs) / HOUR_MS
  const band = bandOf(hours, rules)
  const [id, marketplace, pattern] = [text('transaction_id'), text('marketplace'), text('demo_pattern')]
  state.changed = true
  state.total++
  state.byBand[band] = (state.byBand[band] ?? 0) + 1
  const of = state.byMarketplace[marketplace] ?? { count: 0, hours: 0 }
  of.count++
  of.hours += hours
  state.byMarketplace[marketplace] = of
  const isDelayed = order(band, rules) >= order(rules.delayedFrom, rules)
  if (isDelayed) state.delayed++
  const lines: string[] = []
  const shown = `${hours.toFixed(2)}h`
  if (isDelayed)
    lines.push(`DELAYED SALE DETECTED: ${id} | Delay: ${shown} | Severity: ${band} | Marketplace: ${marketplace}`)
  if (values.batch_id != null) {
    state.batches++
    const severity = order(band, rules) >= rules.bands.length - 1 ? 'critical' : 'high'
    lines.push(
      `LATE BATCH: ${id} | Batch: ${text('batch_id')} | Record: ${text('record_number')} | Severity: ${severity}`,
    )
  }
  if (hours > rules.highHours) lines.push(`HIGH DELAY DETECTED: ${id} | Delay: ${shown} | Category: ${band}`)
  if (pattern !== '') {
    state.demo++
    lines.push(`DEMO PATTERN: ${pattern} | Delay: ${shown}`)
    count(state, pattern, 'asked')
    const seen = delayPatterns[order(band, rules)]
    if (seen !== undefined) count(state, seen, 'seen')
  }
  if (lines.length === 0) return
  emit(delayTopics.events, id, {
    transaction_id: id,
    marketplace,
    transaction_time: instantText(soldMs, true),
    arrived_at: instantText(arrivedMs, true),
    delay_hours: Math.round(hours * 100) / 100,
    severity: band,
    batch_id: values.batch_id ?? null,
    record_number: values.record_number ?? null,
    demo_pattern: pattern === '' ? null : pattern,
    lines,
  })
}
function order(band: string, { bands }: DelayRules): number {
  return bands.findIndex(({ name }) => name === band)
}
function count(state: DelaysState, pattern: string, what: 'asked' | 'seen'): void {
  const known = state.patterns[pattern] ?? { asked: 0, seen: 0 }
  known[what]++
  state.patterns[pattern] = known
}

function tick(state: DelaysState, atMs: number, rules: DelayRules, emit: Emit): void {
  if (atMs < state.nextStatisticsMs) return
  state.nextStatisticsMs = Math.floor(atMs / rules.statisticsMs + 1) * rules.statisticsMs
  if (!state.changed) return
  state.changed = false
  emit(delayTopics.statistics, 'marketplace-sales', { at: instantText(atMs), ...delayStatistics(state, rules) })
}

/** The figures of D4, with the two lines as the documents word them. */
export function delayStatistics(state: DelaysState, rules: DelayRules = delayRules) {
  const { total, delayed, demo, batches } = state
  const percent = (part: number, of: number): number => (of === 0 ? 0 : Math.round((part / of) * 1_000) / 10)
  const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
  const averages = Object.entries(state.byMarketplace)
    .map(([marketplace, of]) => ({
      marketplace,
      sales: of.count,
      hours: Math.round((of.hours / of.count) * 100) / 100,
    }))
    .sort((a, b) => (a.marketplace < b.marketplace ? -1 : 1))
  const patterns = delayPatterns.map((pattern) => {
    const { asked, seen } = state.patterns[pattern] ?? { asked: 0, seen: 0 }
    const [asked_percent, seen_percent] = [percent(asked, demo), percent(seen, demo)]
    // In percentage points.
    return {
      pattern,
      asked_percent,
      seen_percent,
      difference_points: Math.round((seen_percent - asked_percent) * 10) / 10,
    }
  })
  return {
    total,
    delayed_percent: percent(delayed, total),
    demo,
    batches,
    breakdown: { ...state.byBand },
    average_hours_by_marketplace: averages,
    demo_effectiveness: patterns,
    lines: [
      `Marketplace Sales Stats: ${total} total | ${percent(delayed, total).toFixed(1)}% delayed | Demo: ${demo} | Batches: ${batches}`,
      `Delay Breakdown: ${rules.bands.map(({ name }) => `${title(name)}: ${state.byBand[name] ?? 0}`).join(' | ')}`,
    ],
  }
}
