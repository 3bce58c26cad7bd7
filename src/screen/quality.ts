// The answer of /api/v1/quality, as far as pages show it.
import type { DataRow } from './data-table.ts'

export interface QualityJson {
  readonly checks: readonly (DataRow & { readonly topic: string; readonly refused: number })[]
  readonly alerts: readonly DataRow[]
  readonly freshness: readonly {
    readonly topic: string
    readonly partition: number
    readonly ageSeconds: number | null
  }[]
  readonly delays: {
    readonly total: number
    readonly delayedPercent: number
    readonly breakdown: Readonly<Record<string, number>>
    readonly marketplaces: readonly { readonly marketplace: string; readonly sales: number; readonly hours: number }[]
    readonly patterns: readonly DataRow[]
  } | null
  readonly unknownFields: readonly DataRow[]
}

/** Of each topic the age of its newest record: of the freshest partition, as idle ones say nothing. */
export function freshestByTopic(freshness: QualityJson['freshness']): ReadonlyMap<string, number> {
  const ages = new Map<string, number>()
  for (const { topic, ageSeconds } of freshness) {
    if (ageSeconds !== null) ages.set(topic, Math.min(ageSeconds, ages.get(topic) ?? Number.POSITIVE_INFINITY))
  }
  return ages
}
