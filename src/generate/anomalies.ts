// What goes wrong with the figures of a busy topic, by plan: two a day are spikes and drops, the others come now and then.
// A seed gives the plan of every day; days do not depend on each other, so a run may begin at any.
import type { RandomStream } from '../std/random.ts'

export const anomalyKinds = Object.freeze([
  'spike',
  'drop',
  'level-shift',
  'slow-trend',
  'missing-partition',
  'price-error',
  'duplicate-storm',
  'clock-skew',
] as const)
export type AnomalyKind = (typeof anomalyKinds)[number]

export interface Anomaly {
  readonly id: string
  readonly kind: AnomalyKind
  /** Whole minutes: inside one nothing changes. */
  readonly startMs: number
  readonly endMs: number
  /** Of the rate (of a trend: at its end), of the price, or of the records that come twice. 1 where it is none of these. */
  readonly factor: number
  /** How far the clock is ahead; behind if < 0. */
  readonly skewMs: number
  /** The partition that is silent, or the seller whose prices or clock are wrong; -1: everybody. */
  readonly part: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** Spikes and drops in a day. */
const burstsPerDay = 2
/** So much quiet between two of them. */
const apartMs = hourMs
/** How many of each of the others there are in a day. */
const perDay: readonly (readonly [AnomalyKind, number])[] = [
  ['level-shift', 0.15],
  ['slow-trend', 0.15],
  ['missing-partition', 0.3],
  ['price-error', 0.4],
  ['duplicate-storm', 0.3],
  ['clock-skew', 0.3],
]
/** A day's anomalies end at most so long after it. */
export const anomalyMsMax = 2 * dayMs

export interface AnomalyPlan {
  /** All that are going on in the minute, in order of their ids; the same array for the same minute. */
  at(minuteStartMs: number): readonly Anomaly[]
  /** What begins on the day (number since the epoch, UTC). */
  ofDay(day: number): readonly Anomaly[]
  /** What the rate is multiplied by in the minute. */
  rate(minuteStartMs: number): number
}

/** Nothing begins before `startMs`. `partitions` and `sellers`: how many there are to choose from. */
export function anomalyPlan(random: RandomStream, startMs: number, partitions: number, sellers: number): AnomalyPlan {
  const days = new Map<number, readonly Anomaly[]>()
  const ofDay = (day: number): readonly Anomaly[] => {
    const known = days.get(day)
    if (known !== undefined) return known
    const made = drawDay(random.fork(`day/${day}`), day, partitions, sellers).filter((one) => one.startMs >= startMs)
    // Only what may still be going on is kept.
    for (const old of days.keys()) if (old < day - 4) days.delete(old)
    days.set(day, made)
    return made
  }
  let minute = Number.NaN
  let now: readonly Anomaly[] = []
  const at = (minuteStartMs: number): readonly Anomaly[] => {
    if (minuteStartMs === minute) return now
    minute = minuteStartMs
    const day = Math.floor(minuteStartMs / dayMs)
    const going = [-2, -1, 0].flatMap((back) =>
      ofDay(day + back).filter((one) => one.startMs <= minuteStartMs && minuteStartMs < one.endMs),
    )
    now = going.length === 0 ? none : going
    return now
  }
  return {
    at,
    ofDay,
    rate(minuteStartMs) {
      let factor = 1
      for (const one of at(minuteStartMs)) {
        if (one.kind === 'spike' || one.kind === 'drop' || one.kind === 'level-shift') factor *= one.factor
        else if (one.kind === 'slow-trend')
          factor *= 1 + ((one.factor - 1) * (minuteStartMs - one.startMs)) / (one.endMs - one.startMs)
      }
      return factor
    },
  }
}
const none: readonly Anomaly[] = []

function drawDay(random: RandomStream, day: number, partitions: number, sellers: number): Anomaly[] {
  const all: Anomaly[] = []
  const minutes = (from: number, to: number): number => from + random.below(to - from + 1)
  const add = (kind: AnomalyKind, startMs: number, lengthMinutes: number, what: Partial<Anomaly>): void => {
    const id = `anomaly/${day}/${all.length + 1}`
    const endMs = startMs + lengthMinutes * minuteMs
    all.push({ id, kind, startMs, endMs, factor: 1, skewMs: 0, part: -1, ...what })
  }
  const anyMinute = (): number => day * dayMs + random.below(1_440) * minuteMs
  // Spike and drop by turns; each in its own part of the day, so that they do not touch.
  const roomMs = dayMs / burstsPerDay
  for (let i = 0; i < burstsPerDay; i++) {
    const isSpike = (day + i) % 2 === 0
    const length = minutes(15, 90)
    const freeMinutes = (roomMs - apartMs) / minuteMs - length
    const startMs = day * dayMs + i * roomMs + random.below(freeMinutes) * minuteMs
    const factor = isSpike ? 1.8 + 3.2 * random.float() : 0.02 + 0.33 * random.float()
    add(isSpike ? 'spike' : 'drop', startMs, length, { factor })
  }
  for (const [kind, share] of perDay) {
    if (random.float() >= share) continue
    const startMs = anyMinute()
    const strength = random.float()
    const isUp = random.below(2) === 0
    const seller = random.below(sellers)
    if (kind === 'level-shift')
      add(kind, startMs, minutes(360, 1_440), { factor: isUp ? 1.4 + 0.6 * strength : 0.5 + 0.2 * strength })
    else if (kind === 'slow-trend')
      add(kind, startMs, minutes(720, 2_879), { factor: isUp ? 1.4 + 0.6 * strength : 0.5 + 0.2 * strength })
    else if (kind === 'missing-partition') add(kind, startMs, minutes(15, 60), { part: random.below(partitions) })
    else if (kind === 'price-error') add(kind, startMs, minutes(10, 40), { factor: isUp ? 10 : 0.1, part: seller })
    else if (kind === 'duplicate-storm') add(kind, startMs, minutes(3, 10), { factor: 0.2 + 0.4 * strength })
    else if (kind === 'clock-skew')
      // Ahead it stays below what contracts refuse (10 minutes), behind it is late.
      add(kind, startMs, minutes(20, 60), {
        skewMs: Math.round((isUp ? 120 + 360 * strength : -60 - 1_740 * strength) * 1_000),
        part: seller,
      })
  }
  return all
}
