// The quality of the data: the newest check of each topic, what is not as it should be, how fresh each partition is.
import { timeText } from './answers.ts'
import * as contract from './books-contract.ts'
import type { QualityPort } from './books-ports.ts'
import type { App, Serving } from './serving.ts'

export function qualityRoute(app: App, { world }: Serving, quality: QualityPort): void {
  app.get(
    '/api/v1/quality',
    {
      schema: {
        tags: ['books'],
        summary: 'Completeness, validity and freshness of each topic, alerts, what was refused and why',
        response: { 200: contract.quality },
      },
    },
    async () => {
      const { checks, alerts, freshness, delays, refused, unknownFields } = await quality.read()
      return {
        asOf: timeText(world.clock.nowMs()),
        checks: checks.map(({ windowStartMs, ...check }) => ({
          ...check,
          windowStart: timeText(windowStartMs),
          completeness: { ...check.completeness },
          refusedBy: { ...check.refusedBy },
        })),
        alerts: alerts.map(({ sinceMs, updatedMs, ...alert }) => ({
          ...alert,
          since: timeText(sinceMs),
          updatedAt: timeText(updatedMs),
        })),
        freshness: freshness.map(({ topic, partition, newestMs, ageMs }) => ({
          ...{ topic, partition },
          newest: newestMs === null ? null : timeText(newestMs),
          ageSeconds: ageMs === null ? null : ageMs / 1_000,
        })),
        delays:
          delays === null
            ? null
            : {
                at: timeText(delays.atMs),
                total: delays.total,
                delayedPercent: delays.delayedPercent,
                demo: delays.demo,
                batches: delays.batches,
                breakdown: { ...delays.breakdown },
                marketplaces: delays.marketplaces.map((one) => ({ ...one })),
                patterns: delays.patterns.map((one) => ({ ...one })),
              },
        refused: refused.map((line) => ({ ...line })),
        unknownFields: unknownFields.map((field) => ({ ...field })),
      }
    },
  )
}
