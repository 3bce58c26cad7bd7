// Unusual volumes (Q3): records of each minute against what this hour of this day usually brings; evidence gathers, so one
// incident is one alert.
import { expectedRate, learnMinute, newRateBaseline, type RateBaseline } from '../../models/models.ts'
import { type Detector, type Direction, detect, newDetector, recentZ, sum } from './detector.ts'
import { mayLearn } from './sales-parts.ts'

export interface VolumeState {
  readonly baseline: RateBaseline
  readonly detector: Detector
  minutes: number
}
export interface VolumeNews {
  readonly direction: Direction
  readonly sinceMs: number
  readonly over: boolean
  readonly seen: number
  readonly usual: number
}

const minuteMs = 60_000
const silentMinutesMax = 24 * 60
/** Before so many minutes nothing is usual. */
const minutesMin = 30

export function newVolume(): VolumeState {
  return { baseline: newRateBaseline(), detector: newDetector(), minutes: 0 }
}

/** A minute, and the empty ones before it: those have no rows. */
export function takeVolume(state: VolumeState, atMs: number, count: number, lastMs: number | null): VolumeNews[] {
  const news: VolumeNews[] = []
  const first = lastMs === null ? atMs : Math.max(lastMs + minuteMs, atMs - silentMinutesMax * minuteMs)
  for (let each = first; each < atMs; each += minuteMs) news.push(...look(state, each, 0))
  news.push(...look(state, atMs, count))
  return news
}
function look(state: VolumeState, atMs: number, count: number): VolumeNews[] {
  const { baseline, detector } = state
  state.minutes++
  const usual = expectedRate(baseline, atMs)
  const known = state.minutes > minutesMin
  const minute = { atMs, count, mean: Math.max(usual.mean, 1e-3), shape: usual.shape }
  const news: VolumeNews[] = []
  if (known)
    for (const { direction, state: change, firing } of detect(
      detector,
      minute,
      () => Math.abs(recentZ(detector, usual.shape)) > 3,
    )) {
      if (change === 'lasts') continue
      const over = change === 'resolves'
      news.push({ direction, sinceMs: firing.sinceMs, over, seen: sum(detector.counts), usual: sum(detector.means) })
    }
  learnMinute(baseline, atMs, count, mayLearn(detector, atMs, usual.learning))
  return news
}
