// What a `traffic-alerts` record promises: visits that are no person's, and times in which far more or less is looked at (E4).
import { contract, field, nullable } from '../../query/contract.ts'

const text = { kind: 'string' } as const
const number = { kind: 'float64' } as const
const time = { kind: 'timestamp' } as const

export const botKinds = Object.freeze(['scraper', 'price-watcher', 'carter', 'credential-stuffer'])
export const trafficAlertKinds = Object.freeze([...botKinds, 'spike', 'drop'])

export const trafficAlerts = contract({
  topic: 'traffic-alerts',
  version: 1,
  partitions: 3,
  key: 'alert_id',
  eventTime: 'detected_at',
  identity: 'alert_id',
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    alert_id: field(text, 'Identity: later records of it replace earlier ones.'),
    kind: field(text, 'What it is.', { rules: [{ rule: 'one-of', values: trafficAlertKinds }] }),
    status: field(text, 'Whether it goes on.', { rules: [{ rule: 'one-of', values: ['firing', 'resolved'] }] }),
    score: field(number, 'How sure, 0 to 1.', { rules: [{ rule: 'at-least', bound: 0 }] }),
    session_id: nullable(text, 'The visit; null of spikes.'),
    ip_address: nullable(text, 'Where from. Personal data.'),
    user_id: nullable(text, 'The account, where it is one.'),
    category: nullable(text, 'Of spikes: the category; null: the whole store.'),
    reasons: field({ kind: 'array', of: text }, 'Codes of what gave it away.'),
    sentence: field(text, 'The same for people, with the values.'),
    acts: field({ kind: 'int64' }, 'What it did so far; of spikes the views of the last minutes.'),
    expected: nullable(number, 'Of spikes: the views that are usual then.'),
    acts_per_second: nullable(number, 'Its pace.'),
    gap_variation: nullable(number, 'Standard deviation by mean of the times between its acts: 0 is a clock.'),
    since: field(time, 'When it began.'),
    detected_at: field(time, 'When it was clear.'),
    updated_at: field(time, 'What this record tells of.'),
  },
  doc: 'Unusual traffic: bots among the visitors by what gave them away, and spikes and drops of views.',
})
