// When things happen in the shop: a Poisson process whose rate follows the hour, the weekday and a mood per minute, made
// by thinning. Hour and weekday weights are those of a public Brazilian marketplace data set.
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import { exponential, gammaOfMeanOne } from './distributions.ts'

/** Weight of each hour of the day, mean 1, local time. */
export const hourWeights: readonly number[] = [
  0.58, 0.29, 0.12, 0.07, 0.05, 0.05, 0.11, 0.3, 0.71, 1.17, 1.56, 1.61, 1.47, 1.61, 1.56, 1.53, 1.58, 1.49, 1.38, 1.37,
  1.47, 1.53, 1.39, 1.01,
]
/** Monday to Sunday. */
export const weekdayWeights: readonly number[] = [1.14, 1.09, 1.07, 1.05, 1.03, 0.76, 0.86]

/** Brasília has kept UTC-3 all year since 2019. */
export const localOffsetMs = -3 * 3_600_000
const minuteMs = 60_000

/** Gamma shape of the minute's mood: 20 as seen in real shops; a steady run keeps 2 % so that it is no metronome. */
const overdispersionShape = 20
const steadyShape = 2_500

export interface ArrivalSettings {
  /** Mean over a week; over any minute when `steady`. */
  readonly ratePerSecond: number
  readonly startMs: number
  /** True: hour and weekday do not matter and the mood is mild, so that a short run has the rate that was asked for. */
  readonly steady: boolean
  /** What the rate is multiplied by in a minute, given by its start; 1 if not given. */
  readonly factor?: (minuteStartMs: number) => number
}

export interface Arrivals {
  /** Time of the next arrival, ms with fractions, >= the one before. Taken by `advance`. */
  readonly nextMs: number
  advance(): void
}

export function arrivals(random: RandomStream, settings: ArrivalSettings): Arrivals {
  const { ratePerSecond, startMs, steady, factor } = settings
  assert(ratePerSecond > 0 && Number.isFinite(ratePerSecond), `not a rate: ${ratePerSecond}`)
  const moods = random.fork('moods')
  const times = random.fork('times')
  const season = steady ? () => 1 : seasonAt
  const shape = steady ? steadyShape : overdispersionShape
  let minuteEndMs = -Infinity
  let boundPerMs = 0
  let moodPerMs = 0
  let nowMs = startMs

  const enterMinute = (atMs: number): void => {
    const minuteStartMs = Math.floor(atMs / minuteMs) * minuteMs
    minuteEndMs = minuteStartMs + minuteMs
    moodPerMs = (ratePerSecond / 1000) * gammaOfMeanOne(moods, shape) * (factor?.(minuteStartMs) ?? 1)
    // The season is linear inside a minute (its corners lie on half hours), so its ends bound it.
    boundPerMs = moodPerMs * Math.max(season(minuteStartMs), season(minuteEndMs - 1e-6))
  }
  const draw = (): number => {
    for (;;) {
      if (nowMs >= minuteEndMs) enterMinute(nowMs)
      const candidateMs = nowMs + exponential(times, boundPerMs)
      if (candidateMs >= minuteEndMs) {
        // The process has no memory: what was not reached in this minute is drawn anew in the next.
        nowMs = minuteEndMs
        continue
      }
      nowMs = candidateMs
      if (steady || times.float() * boundPerMs < moodPerMs * season(candidateMs)) return candidateMs
    }
  }

  let nextMs = draw()
  return {
    get nextMs() {
      return nextMs
    },
    advance() {
      nextMs = draw()
    },
  }
}

/** Hour weight (a straight line from the middle of one hour to the middle of the next) times weekday weight. */
export function seasonAt(timeMs: number): number {
  const hours = (timeMs + localOffsetMs) / 3_600_000
  const before = Math.floor(hours - 0.5)
  const part = hours - 0.5 - before
  const hour = ((before % 24) + 24) % 24
  const weight = hourWeights[hour]! * (1 - part) + hourWeights[(hour + 1) % 24]! * part
  // Day 0 of the epoch was a Thursday.
  const weekday = (((Math.floor(hours / 24) + 3) % 7) + 7) % 7
  return weight * weekdayWeights[weekday]!
}

const jitterShare = 0.03
/** Below the contracts' bound of 5 s, so that no record is ever late by the watermark of its own partition. */
const jitterMsMax = 4_900

/** How long before its arrival a record's event happened, whole ms: mostly no time at all, for 3 % up to 4.9 s. */
export function jitterMs(random: RandomStream): number {
  return random.float() < jitterShare ? random.below(jitterMsMax) + 1 : 0
}
