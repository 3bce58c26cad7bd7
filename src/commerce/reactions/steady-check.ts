// A figure that should keep near what is usual: fires after some minutes in a row far away from it, and is over after
// quiet. For figures that are no counts: the average ticket, the number of active sellers.
import type { Direction, Firing } from './detector.ts'

export interface SteadyRules {
  readonly fireZ: number
  readonly fireMinutes: number
  readonly quietZ: number
  readonly quietMinutes: number
}
export const steadyRules: SteadyRules = Object.freeze({ fireZ: 4, fireMinutes: 3, quietZ: 2, quietMinutes: 20 })

/** Plain data. */
export interface SteadyCheck {
  /** Minutes in a row beyond `fireZ`, up to now; of the direction. */
  minutes: number
  direction: Direction
  firing: (Firing & { readonly direction: Direction }) | null
}
export interface Seen {
  readonly atMs: number
  readonly value: number
  readonly usual: number
  /** Standardised distance of the value from the usual. */
  readonly z: number
  /** May it fire (gates, threshold of growth)? */
  readonly allowed: boolean
}
export interface SteadyTransition {
  readonly state: 'fires' | 'lasts' | 'resolves'
  readonly direction: Direction
  readonly firing: Firing
}

const MINUTE_MS = 60_000

export function newSteadyCheck(): SteadyCheck {
  return { minutes: 0, direction: 'up', firing: null }
}

export function checkSteady(check: SteadyCheck, seen: Seen, rules: SteadyRules = steadyRules): SteadyTransition | null {
  const { atMs, value, usual, z, allowed } = seen
  const { firing } = check
  if (firing !== null) {
    firing.quietMinutes = Math.abs(z) < rules.quietZ ? firing.quietMinutes + 1 : 0
    if (firing.quietMinutes >= rules.quietMinutes) {
      check.firing = null
      check.minutes = 0
      return { state: 'resolves', direction: firing.direction, firing }
    }
    if (firing.quietMinutes === 0) {
      firing.detections++
      firing.seen = value
      firing.meant = usual
    }
    return { state: 'lasts', direction: firing.direction, firing }
  }
  const direction: Direction = z > 0 ? 'up' : 'down'
  check.minutes = !allowed || Math.abs(z) <= rules.fireZ ? 0 : direction === check.direction ? check.minutes + 1 : 1
  check.direction = direction
  if (check.minutes < rules.fireMinutes) return null
  const sinceMs = atMs - (check.minutes - 1) * MINUTE_MS
  const begun = { sinceMs, quietMinutes: 0, detections: 1, seen: value, meant: usual, direction }
  check.firing = begun
  return { state: 'fires', direction, firing: begun }
}
