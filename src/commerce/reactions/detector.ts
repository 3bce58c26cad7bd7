// Has one stream of counts left its usual? Evidence gathers minute by minute; it fires once, stays while it lasts, and is
// over only after quiet (hysteresis), so one incident is one event.
import {
  anscombe,
  type ChangeSide,
  changeAfter,
  newRateChange,
  type RateChange,
  resetSide,
} from '../../models/models.ts'

export type Direction = 'up' | 'down'
export const directions: readonly Direction[] = Object.freeze(['up', 'down'])

export interface DetectorRules {
  /** Evidence that fires, in nats: chance alone gives so much about once in e^nats minutes. */
  readonly fireNats: number
  /** It is over when the last minutes together lie within so many standard deviations … */
  readonly quietZ: number
  /** … for so many minutes. */
  readonly quietMinutes: number
}
/** Once by chance in about eight weeks of one stream, on generated shops; resolves as an operator would. */
export const detectorRules: DetectorRules = Object.freeze({ fireNats: 11, quietZ: 2, quietMinutes: 20 })

/** Plain data. */
export interface Detector {
  readonly change: RateChange
  /** The last minutes, oldest first: what came and what was usual. */
  readonly counts: number[]
  readonly means: number[]
  readonly firing: { up: Firing | null; down: Firing | null }
}
export interface Firing {
  readonly sinceMs: number
  quietMinutes: number
  /** Minutes in which it was seen again. */
  detections: number
  /** Over all of it: what came and what was usual. */
  seen: number
  meant: number
}
export interface Minute {
  /** Start of the minute, ms. */
  readonly atMs: number
  readonly count: number
  /** Usual count, and the gamma shape of its rate. */
  readonly mean: number
  readonly shape: number
}
export interface Transition {
  readonly direction: Direction
  readonly state: 'fires' | 'lasts' | 'resolves'
  readonly firing: Firing
  readonly nats: number
}

/** Looked at together, so that one odd minute neither hides nor keeps an incident. */
export const RECENT_MINUTES = 15
const SCORE_MAX = 40
const MINUTE_MS = 60_000

export function newDetector(): Detector {
  return { change: newRateChange(), counts: [], means: [], firing: { up: null, down: null } }
}
/** Takes a minute in; `mayFire` is asked before anything fires. */
export function detect(
  detector: Detector,
  minute: Minute,
  mayFire: (direction: Direction, evidence: ChangeSide) => boolean,
  rules: DetectorRules = detectorRules,
): readonly Transition[] {
  const { change, counts, means, firing } = detector
  const { atMs, count, mean, shape } = minute
  counts.push(count)
  means.push(mean)
  if (counts.length > RECENT_MINUTES) {
    counts.shift()
    means.shift()
  }
  changeAfter(change, count, mean, shape, SCORE_MAX)
  const z = recentZ(detector, shape)
  const transitions: Transition[] = []
  for (const direction of directions) {
    const evidence = change[direction]
    const lasting = firing[direction]
    if (lasting === null) {
      if (evidence.score < rules.fireNats || !mayFire(direction, evidence)) continue
      const { seen, meant, minutes } = evidence
      const begun: Firing = { sinceMs: atMs - (minutes - 1) * MINUTE_MS, quietMinutes: 0, detections: 1, seen, meant }
      firing[direction] = begun
      transitions.push({ direction, state: 'fires', firing: begun, nats: evidence.score })
      continue
    }
    lasting.quietMinutes = Math.abs(z) < rules.quietZ ? lasting.quietMinutes + 1 : 0
    if (lasting.quietMinutes >= rules.quietMinutes) {
      firing[direction] = null
      resetSide(evidence)
      transitions.push({ direction, state: 'resolves', firing: lasting, nats: evidence.score })
      continue
    }
    if (lasting.quietMinutes === 0) {
      lasting.detections++
      lasting.seen += count
      lasting.meant += mean
    }
    transitions.push({ direction, state: 'lasts', firing: lasting, nats: evidence.score })
  }
  return transitions
}

/** How far the recent minutes together lie from the usual, in standard deviations. */
export function recentZ({ counts, means }: Detector, shape: number): number {
  return anscombe(sum(counts), sum(means), shape * counts.length)
}
export function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
