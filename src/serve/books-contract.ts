// The API contract of the books: the account of every record, dead letters, the orders pipeline, the quality of the data.
// Time: RFC 3339, UTC. Additive changes only.
import { z } from 'zod'

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
const count = z.int().min(0)

const ledgerLine = z.object({
  in: count.meta({ description: 'records in the topic since it was created' }),
  processed: count,
  duplicates: count,
  late: count.meta({ description: 'beyond the allowed lateness: kept in the late topic' }),
  deadLettered: count,
  inFlight: count,
  imbalance: count.meta({ description: 'records that are nowhere: 0, or there is a fault' }),
})
export const ledger = z
  .object({
    asOf: time,
    imbalance: count,
    topics: z.record(z.string(), ledgerLine.extend({ partitions: z.array(ledgerLine.extend({ partition: count })) })),
  })
  .meta({ id: 'Ledger' })

export const orders = z
  .object({
    asOf: time,
    received: count,
    processed: count,
    duplicates: count,
    rejected: count.meta({ description: 'in the dead letters, with their reasons' }),
    inFlight: count,
    perSecond: z.number().meta({ description: 'processed a second, over the last ten' }),
    errorRate: z.number().meta({ description: 'valid orders that are nowhere, of all that are through' }),
    metricsLines: count.meta({ description: 'written since the start' }),
    metricsFile: z.string().nullable(),
  })
  .meta({ id: 'Orders' })

const share = z.number().min(0).max(1)
export const quality = z
  .object({
    asOf: time,
    checks: z.array(
      z.object({
        topic: z.string(),
        windowStart: time,
        records: count,
        refused: count,
        validity: share,
        completeness: z.record(z.string(), share).meta({ description: 'by field that may be missing' }),
        refusedBy: z.record(z.string(), count).meta({ description: 'by reason and field' }),
        version: z.int(),
      }),
    ),
    alerts: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        topic: z.string(),
        status: z.enum(['firing', 'resolved']),
        severity: z.string(),
        since: time,
        updatedAt: time,
        times: count,
        sentence: z.string(),
      }),
    ),
    freshness: z.array(
      z.object({ topic: z.string(), partition: count, newest: time.nullable(), ageSeconds: z.number().nullable() }),
    ),
    delays: z
      .object({
        at: time,
        total: count,
        delayedPercent: z.number(),
        demo: count,
        batches: count,
        breakdown: z.record(z.string(), count).meta({ description: 'sales by severity' }),
        marketplaces: z.array(z.object({ marketplace: z.string(), sales: count, hours: z.number() })),
        patterns: z.array(
          z.object({
            pattern: z.string(),
            askedPercent: z.number(),
            seenPercent: z.number(),
            differencePoints: z.number(),
          }),
        ),
      })
      .nullable(),
    refused: z
      .array(z.object({ topic: z.string(), reason: z.string(), rule: z.string(), version: z.int(), records: count }))
      .meta({ description: 'since the start' }),
    unknownFields: z.array(z.object({ topic: z.string(), field: z.string(), version: z.int(), share })),
  })
  .meta({ id: 'Quality' })

export const deadLetterQuery = z.object({
  topic: z.string().optional().meta({ description: 'in which the record was' }),
  reason: z.string().optional(),
  rule: z.string().optional().meta({ description: 'the field at fault' }),
  since: time.optional(),
  until: time.optional(),
})
export const deadLetter = z
  .object({
    topic: z.string(),
    partition: count,
    offset: count.meta({ description: 'among the dead letters of the topic' }),
    keptAt: time,
    bytes: count,
    reason: z.string(),
    rule: z.string().meta({ description: "the field at fault, '' for the whole record" }),
    message: z.string(),
    original: z.object({ partition: z.int(), offset: z.int() }),
    version: z.int().meta({ description: 'of the contract' }),
    attempt: z.int().min(1),
    replayed: z.boolean(),
  })
  .meta({ id: 'DeadLetter' })
export const deadLetterWhole = deadLetter.extend({
  value: z.object({ text: z.string(), encoding: z.enum(['utf-8', 'base64']) }),
})
export const deadLetterList = z
  .object({
    asOf: time,
    matching: count,
    counts: z.array(
      z.object({ topic: z.string(), reason: z.string(), rule: z.string(), version: z.int(), records: count }),
    ),
    letters: z.array(deadLetter),
  })
  .meta({ id: 'DeadLetters' })
export const deadLetterReplay = z.strictObject({
  ...deadLetterQuery.shape,
  dryRun: z.boolean().default(false),
  all: z.boolean().default(false).meta({ description: 'those too that would fail again' }),
  set: z.record(z.string(), z.unknown()).optional().meta({ description: 'fields to set before' }),
})
export const replayOutcome = z
  .object({
    dryRun: z.boolean(),
    found: count,
    sent: count,
    already: count,
    stillBad: count,
    topics: z.array(z.object({ topic: z.string(), records: count })),
  })
  .meta({ id: 'ReplayOutcome' })
