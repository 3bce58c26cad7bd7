// What the house knows of the quality of its data: the newest check of each topic, alerts, freshness, what was refused.
import { contracts, delayTopics, qualityTopics } from '../commerce/commerce.ts'
import { lastRows } from '../connect/connect.ts'
import type { JobOutput } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import type { DelayFigures, QualityAlertRow, QualityCheckRow, QualityPort } from '../serve/books-ports.ts'
import { parseInstant } from '../std/instant.ts'
import type { World } from '../world/world.ts'
import type { Jobs } from './jobs.ts'
import type { DeadLetterCount } from './metrics.ts'
import { unknownFields } from './schema-samples.ts'

const told: readonly string[] = [qualityTopics.checks, qualityTopics.alerts, delayTopics.statistics]
const alertsKept = 500
const readBack = 2_000
/** Sampling reads the log: not for every question. */
const sampleEveryMs = 10_000

export interface QualityFigures {
  add(output: JobOutput): void
  port(parts: { readonly jobs: Jobs; readonly deadLetters: DeadLetterCount }): QualityPort
}

/** Reads back what the last life knew. */
export async function qualityFigures(world: World, log: Log): Promise<QualityFigures> {
  const checks = new Map<string, QualityCheckRow>()
  const alerts = new Map<string, QualityAlertRow>()
  let delays: DelayFigures | null = null
  const take = (topic: string, key: string, value: Readonly<Record<string, unknown>> | null): void => {
    if (topic === qualityTopics.checks && value !== null) {
      const check = checkOf(value)
      if (check !== null) checks.set(check.topic, check)
    } else if (topic === delayTopics.statistics && value !== null) delays = delaysOf(value) ?? delays
    else if (topic === qualityTopics.alerts) {
      const alert = value === null ? null : alertOf(value)
      alerts.delete(key)
      if (alert !== null) alerts.set(key, alert)
      const [oldest] = alerts.keys()
      if (alerts.size > alertsKept && oldest !== undefined) alerts.delete(oldest)
    }
  }
  for (const topic of told)
    for (const value of await lastRows(log, topic, readBack)) take(topic, String(value.alert_id ?? ''), value)
  let sampled: { readonly atMs: number; readonly fields: ReturnType<typeof unknownFields> } | null = null
  return {
    add({ emitted }) {
      for (const { topic, key, value } of emitted)
        if (told.includes(topic)) take(topic, key, value === null ? null : JSON.parse(value))
    },
    port: ({ jobs, deadLetters }) => ({
      async read() {
        const nowMs = world.clock.nowMs()
        if (sampled === null || nowMs - sampled.atMs > sampleEveryMs)
          sampled = { atMs: nowMs, fields: unknownFields(log) }
        const newest = new Map<string, Map<number, number>>()
        for (const job of jobs.all)
          for (const topic of new Set(job.ledger().map((line) => line.topic)))
            for (const { partition, eventTimeMsMax } of job.partitions(topic)) {
              const of = newest.get(topic) ?? new Map<number, number>()
              newest.set(topic, of)
              of.set(partition, Math.max(eventTimeMsMax, of.get(partition) ?? Number.NEGATIVE_INFINITY))
            }
        return {
          checks: [...checks.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1)),
          alerts: [...alerts.values()].toReversed(),
          freshness: [...newest].flatMap(([topic, partitions]) =>
            [...partitions].map(([partition, eventTimeMs]) => ({
              topic,
              partition,
              newestMs: Number.isFinite(eventTimeMs) ? eventTimeMs : null,
              ageMs: Number.isFinite(eventTimeMs) ? nowMs - eventTimeMs : null,
            })),
          ),
          delays,
          refused: deadLetters.byRule().map((line) => ({ ...line, version: contracts.get(line.topic)?.version ?? 0 })),
          unknownFields: await sampled.fields,
        }
      },
    }),
  }
}

function checkOf(value: Readonly<Record<string, unknown>>): QualityCheckRow | null {
  const startMs = parseInstant(String(value.window_start))
  if (typeof value.topic !== 'string' || Number.isNaN(startMs)) return null
  const shares = Object.entries(Object(value.completeness)).map(([field, share]) => [field, Number(share)] as const)
  const refused = Object.entries(Object(value.refused_by)).map(([rule, records]) => [rule, Number(records)] as const)
  return {
    topic: value.topic,
    windowStartMs: startMs,
    records: Number(value.records),
    refused: Number(value.refused),
    validity: Number(value.validity),
    completeness: Object.fromEntries(shares),
    refusedBy: Object.fromEntries(refused),
    version: Number(value.contract_version),
  }
}
function alertOf(value: Readonly<Record<string, unknown>>): QualityAlertRow | null {
  const [sinceMs, updatedMs] = [parseInstant(String(value.since)), parseInstant(String(value.updated_at))]
  if (typeof value.alert_id !== 'string' || Number.isNaN(sinceMs) || Number.isNaN(updatedMs)) return null
  return {
    id: value.alert_id,
    kind: String(value.kind),
    topic: String(value.topic),
    status: value.status === 'resolved' ? 'resolved' : 'firing',
    severity: String(value.severity),
    sinceMs,
    updatedMs,
    times: Number(value.times),
    sentence: String(value.sentence),
  }
}

function delaysOf(value: Readonly<Record<string, unknown>>): DelayFigures | null {
  const atMs = parseInstant(String(value.at))
  if (Number.isNaN(atMs)) return null
  const lines = (name: string): readonly Readonly<Record<string, unknown>>[] => {
    const found = value[name]
    return Array.isArray(found) ? found.map((one: unknown) => Object(one)) : []
  }
  return {
    atMs,
    total: Number(value.total),
    delayedPercent: Number(value.delayed_percent),
    demo: Number(value.demo),
    batches: Number(value.batches),
    breakdown: Object.fromEntries(
      Object.entries(Object(value.breakdown)).map(([band, sales]) => [band, Number(sales)]),
    ),
    marketplaces: lines('average_hours_by_marketplace').map(({ marketplace, sales, hours }) => ({
      ...{ marketplace: String(marketplace), sales: Number(sales), hours: Number(hours) },
    })),
    patterns: lines('demo_effectiveness').map(({ pattern, asked_percent, seen_percent, difference_points }) => ({
      pattern: String(pattern),
      askedPercent: Number(asked_percent),
      seenPercent: Number(seen_percent),
      differencePoints: Number(difference_points),
    })),
  }
}
