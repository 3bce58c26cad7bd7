// The adaptive cooldown of an event type (W4): a shop that is busy is told a little less often, a quiet one a little more;
// what repeats itself backs off in steps and comes back after quiet. What is held back is counted, never lost.

/** Plain data, in milliseconds of event time. */
export interface Cooldown {
  /** Least distance between two events of the type now. */
  spacingMs: number
  lastMs: number | null
  /** By key: when it last passed, and how often it has repeated itself. Keys quiet for long are forgotten. */
  readonly keys: { [key: string]: { lastMs: number; repeated: number } }
  passed: number
  blocked: number
}
export interface CooldownRules {
  readonly spacingMsMin: number
  readonly spacingMsMax: number
  readonly spacingMsFirst: number
  /** Factor under high and under low activity. */
  readonly slower: number
  readonly faster: number
  /** The same event again waits so long, then so long, … */
  readonly backOffMs: readonly number[]
  /** After so much quiet the spacing is the least again and nothing counts as a repetition. */
  readonly quietMs: number
}
export const cooldownRules: CooldownRules = Object.freeze({
  spacingMsMin: 800,
  spacingMsMax: 4_000,
  spacingMsFirst: 1_500,
  slower: 1.2,
  faster: 0.9,
  backOffMs: Object.freeze([30_000, 60_000, 120_000]),
  quietMs: 600_000,
})

export function newCooldown(rules: CooldownRules = cooldownRules): Cooldown {
  return { spacingMs: rules.spacingMsFirst, lastMs: null, keys: {}, passed: 0, blocked: 0 }
}

export type Activity = 'high' | 'usual' | 'low'

/**
 * May this event pass now? The same key again backs off; another key says something new, so only the spacing of the type
 * holds it back. Times never go back.
 */
export function passes(
  cooldown: Cooldown,
  event: { readonly key: string; readonly atMs: number; readonly activity: Activity },
  rules: CooldownRules = cooldownRules,
): boolean {
  const { key, atMs, activity } = event
  for (const [known, { lastMs }] of Object.entries(cooldown.keys))
    if (atMs - lastMs >= rules.quietMs) delete cooldown.keys[known]
  const sinceMs = cooldown.lastMs === null ? Number.POSITIVE_INFINITY : atMs - cooldown.lastMs
  if (cooldown.lastMs !== null && sinceMs >= rules.quietMs) cooldown.spacingMs = rules.spacingMsMin
  const factor = activity === 'high' ? rules.slower : activity === 'low' ? rules.faster : 1
  cooldown.spacingMs = Math.min(rules.spacingMsMax, Math.max(rules.spacingMsMin, cooldown.spacingMs * factor))
  const own = cooldown.keys[key]
  const waitMs = own === undefined ? 0 : (rules.backOffMs[Math.min(own.repeated, rules.backOffMs.length - 1)] ?? 0)
  if (sinceMs < cooldown.spacingMs || (own !== undefined && atMs - own.lastMs < waitMs)) {
    cooldown.blocked++
    return false
  }
  cooldown.keys[key] = { lastMs: atMs, repeated: own === undefined ? 0 : own.repeated + 1 }
  cooldown.lastMs = atMs
  cooldown.passed++
  return true
}
