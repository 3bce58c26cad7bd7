// What a count per minute usually is: a level, a day's shape in half hours and a week's shape in days, learned as minutes
// pass and fitted as a product. Plain data in, plain data out; no clock, no I/O.

/** How far the learned shapes reach; numbers only, so it can be kept as JSON. */
export interface RateBaseline {
  /** Counts and minutes seen, by day of the week (0 = Monday) and half hour: index day * 48 + half hour, local time. */
  readonly counts: number[]
  readonly minutes: number[]
  /** Fitted at the last half hour: rate per minute by half hour, factor by day. */
  readonly slotRates: number[]
  readonly dayFactors: number[]
  fittedSlot: number
  /** Exponentially forgotten sums of what came and of what the shapes expected, for slow trends. */
  seen: number
  meant: number
  /** The same over an hour, without any shape: what is expected in the first day. */
  recent: number
  recentMinutes: number
  /** Sum of ((x - mean)^2 - mean) / mean^2 and how many minutes went into it: the reciprocal of the gamma shape. */
  dispersion: number
  dispersionMinutes: number
}
/** What is usual in a minute. */
export interface ExpectedRate {
  /** Mean count. */
  readonly mean: number
  /** Shape of the gamma that the minute's rate is drawn from: variance = mean + mean^2 / shape. */
  readonly shape: number
  /** True in the first day: nothing is known of the hours yet. */
  readonly learning: boolean
}

const DAYS = 7
const SLOTS = 48
const MINUTE_MS = 60_000
const SLOT_MS = 30 * MINUTE_MS
const LEARNING_MINUTES = 24 * 60
/** Older weeks fade: a minute counts half as much after two weeks. */
const FADE_PER_SLOT = 2 ** (-1 / (14 * 48))
const TREND_KEEP = 2 ** (-1 / (24 * 60))
const RECENT_KEEP = 2 ** (-1 / 30)
/** Sales that a day's factor starts with, all as usual: a quiet week says little about its days. */
const DAY_PRIOR = 30
const TREND_PRIOR = 60
/** Believed before anything is seen; so many minutes of evidence stand for it. */
const SHAPE_PRIOR = 20
const SHAPE_PRIOR_MINUTES = 600
const SHAPE_MIN = 5
const SHAPE_MAX = 5_000

export function newRateBaseline(): RateBaseline {
  return {
    counts: new Array(DAYS * SLOTS).fill(0),
    minutes: new Array(DAYS * SLOTS).fill(0),
    slotRates: new Array(SLOTS).fill(0),
    dayFactors: new Array(DAYS).fill(1),
    fittedSlot: -1,
    seen: 0,
    meant: 0,
    recent: 0,
    recentMinutes: 0,
    dispersion: 0,
    dispersionMinutes: 0,
  }
}

/** What the minute that starts at `minuteMs` (local time, ms) should hold by all that was learned before it. */
export function expectedRate(baseline: RateBaseline, minuteMs: number): ExpectedRate {
  const shape = shapeOf(baseline)
  if (minutesSeen(baseline) < LEARNING_MINUTES)
    return { mean: baseline.recentMinutes === 0 ? 0 : baseline.recent / baseline.recentMinutes, shape, learning: true }
  const trend = (baseline.seen + TREND_PRIOR) / (baseline.meant + TREND_PRIOR)
  return { mean: shapedRate(baseline, minuteMs) * trend, shape, learning: false }
}

/** Takes a minute in. Of an incident only the first day's hours are learned: it is not what is usual. */
export function learnMinute(baseline: RateBaseline, minuteMs: number, count: number, isUsual = true): void {
  const slot = Math.floor(minuteMs / SLOT_MS)
  if (slot !== baseline.fittedSlot) {
    if (baseline.fittedSlot >= 0) fade(baseline, FADE_PER_SLOT ** Math.min(slot - baseline.fittedSlot, 10_000))
    fit(baseline)
    baseline.fittedSlot = slot
  }
  const { mean, learning } = expectedRate(baseline, minuteMs)
  if (!isUsual && !learning) return
  if (!learning && mean > 0) {
    const shaped = shapedRate(baseline, minuteMs)
    baseline.seen = baseline.seen * TREND_KEEP + count
    baseline.meant = baseline.meant * TREND_KEEP + shaped
    // Very quiet minutes say nothing of the spread; a single wild one must not say everything.
    if (mean >= 1) {
      baseline.dispersion += Math.min(((count - mean) ** 2 - mean) / mean ** 2, 4)
      baseline.dispersionMinutes++
    }
  }
  const index = cellOf(minuteMs)
  baseline.counts[index]! += count
  baseline.minutes[index]! += 1
  if (!isUsual) return
  baseline.recent = baseline.recent * RECENT_KEEP + count
  baseline.recentMinutes = baseline.recentMinutes * RECENT_KEEP + 1
}

function minutesSeen({ minutes }: RateBaseline): number {
  let sum = 0
  for (const one of minutes) sum += one
  return sum
}
function shapeOf({ dispersion, dispersionMinutes }: RateBaseline): number {
  const reciprocal = (dispersion + SHAPE_PRIOR_MINUTES / SHAPE_PRIOR) / (dispersionMinutes + SHAPE_PRIOR_MINUTES)
  return Math.min(SHAPE_MAX, Math.max(SHAPE_MIN, 1 / Math.max(reciprocal, 1 / SHAPE_MAX)))
}

/** The day of the week from Monday: day 0 of the epoch was a Thursday. */
function dayOf(ms: number): number {
  return (((Math.floor(ms / 86_400_000) + 3) % DAYS) + DAYS) % DAYS
}
function cellOf(ms: number): number {
  return dayOf(ms) * SLOTS + (((Math.floor(ms / SLOT_MS) % SLOTS) + SLOTS) % SLOTS)
}
/** A straight line from the middle of one half hour to the middle of the next, times the day's factor. */
function shapedRate({ slotRates, dayFactors }: RateBaseline, minuteMs: number): number {
  const at = (minuteMs + MINUTE_MS / 2) / SLOT_MS - 0.5
  const before = Math.floor(at)
  const part = at - before
  const slot = ((before % SLOTS) + SLOTS) % SLOTS
  const rate = slotRates[slot]! * (1 - part) + slotRates[(slot + 1) % SLOTS]! * part
  return rate * dayFactors[dayOf(minuteMs)]!
}

function fade(baseline: RateBaseline, by: number): void {
  for (let i = 0; i < baseline.counts.length; i++) {
    baseline.counts[i]! *= by
    baseline.minutes[i]! *= by
  }
  baseline.dispersion *= by
  baseline.dispersionMinutes *= by
}

/** Fits rate(day, slot) = slotRates[slot] * dayFactors[day] to the cells by turns: it settles in a few. */
function fit({ counts, minutes, slotRates, dayFactors }: RateBaseline): void {
  dayFactors.fill(1)
  for (let turn = 0; turn < 3; turn++) {
    for (let slot = 0; slot < SLOTS; slot++) {
      let count = 0
      let weight = 0
      for (let day = 0; day < DAYS; day++) {
        count += counts[day * SLOTS + slot]!
        weight += minutes[day * SLOTS + slot]! * dayFactors[day]!
      }
      // A half hour that was never seen takes the rate of the one before it.
      slotRates[slot] = weight > 0 ? count / weight : (slotRates[(slot + SLOTS - 1) % SLOTS] ?? 0)
    }
    for (let day = 0; day < DAYS; day++) {
      let count = DAY_PRIOR
      let meant = DAY_PRIOR
      for (let slot = 0; slot < SLOTS; slot++) {
        count += counts[day * SLOTS + slot]!
        meant += minutes[day * SLOTS + slot]! * slotRates[slot]!
      }
      dayFactors[day] = count / meant
    }
  }
}
