// What a `sales-events` record promises: one event of the marketplace, from when it fires until it is over (W3 to W6).
import { contract, field, nullable } from '../../query/contract.ts'

const number = { kind: 'float64' } as const
const text = { kind: 'string' } as const
const time = { kind: 'timestamp' } as const

export const salesEvents = contract({
  topic: 'sales-events',
  version: 1,
  partitions: 1,
  key: 'event_id',
  eventTime: 'since',
  identity: 'event_id',
  outOfOrderMs: 86_400_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    event_id: field(text, 'Identity: what, of whom, which way, since when. Later records of it replace earlier ones.'),
    kind: field(text, 'What left its usual.', {
      rules: [{ rule: 'one-of', values: ['volume', 'average-ticket', 'active-sellers'] }],
    }),
    direction: field(text, 'More or less than usual.', { rules: [{ rule: 'one-of', values: ['up', 'down'] }] }),
    of_type: nullable(text, 'seller or category; null: the whole marketplace.'),
    of_name: nullable(text, 'Which seller or category.'),
    status: field(text, 'Whether it lasts.', { rules: [{ rule: 'one-of', values: ['firing', 'resolved'] }] }),
    severity: field(text, 'How grave it is.', { rules: [{ rule: 'one-of', values: ['medium', 'high', 'critical'] }] }),
    since: field(time, 'Minute in which it began.'),
    detected_at: field(time, 'End of the minute after which it fired.'),
    updated_at: field(time, 'End of the minute this record tells of.'),
    resolved_at: nullable(time, 'End of the minute after which it was over.'),
    observed: field(number, 'What was seen in the last minutes (sales in 15 minutes, average ticket, active sellers).'),
    expected: field(number, 'What is usual then.'),
    growth: field(number, 'observed / expected - 1.'),
    growth_previous: nullable(number, 'Against the 15 minutes before the last 15; null where there were none.'),
    confidence: field(number, 'How sure: 1 less the chance that a usual week brings this by itself.'),
    sentence: field(text, 'What happened, for people.'),
    recommendation: field(text, 'What to do.'),
    dominant_seller: nullable(text, 'The seller with most revenue in the last 15 minutes.'),
    dominant_share: nullable(number, 'Its share, 0 to 1.'),
    seller_hhi: field(number, 'Concentration of the sellers: sum of (100 share)^2, 0 to 10,000.'),
    active_sellers: field({ kind: 'int64' }, 'Sellers that sold in the last 15 minutes.'),
    top_category: nullable(text, 'The category with most revenue in the last 15 minutes.'),
    top_category_share: nullable(number, 'Its share, 0 to 1.'),
    detections: field(
      { kind: 'int64' },
      'Minutes in which it was seen again: what an ungrouped tracker would have told.',
    ),
    notified: field(
      { kind: 'bool' },
      'False: a cooldown held the notification back; the event is counted all the same.',
    ),
    rule: field(text, 'The rule that fired, with its version.'),
    window_start: field(time, 'Of the 15 minutes looked at.'),
    window_end: field(time, 'Of the 15 minutes looked at.'),
  },
  doc: 'Events of the marketplace: what left its usual, by how much, since when, because of whom, and what to do.',
})
