// What a `fraud-alerts` record promises: a payment or an order that is worth looking at, with why (E6, M4).
import { contract, field, nullable } from '../../query/contract.ts'
import { fraudSeverities } from './ecommerce-fraud-alerts.ts'

const text = { kind: 'string' } as const
const number = { kind: 'float64' } as const

export const fraudAlerts = contract({
  topic: 'fraud-alerts',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'detected_at',
  identity: 'alert_id',
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    alert_id: field(text, 'Identity of the alert: one for each payment or order.'),
    of: field(text, 'What was scored.', { rules: [{ rule: 'one-of', values: ['transaction', 'order'] }] }),
    order_id: field(text, 'The payment in transactions, or the order in ecommerce_orders.'),
    customer_id: field(text, 'Who paid or ordered.'),
    case_id: field(
      text,
      'The first alert of the last day with the same account, device or card: alerts of one case are one thing to look at.',
    ),
    score: field(number, 'Probability that it is fraud, 0 to 1.', { rules: [{ rule: 'at-least', bound: 0 }] }),
    severity: field(text, 'The expected loss in words.', { rules: [{ rule: 'one-of', values: fraudSeverities }] }),
    reasons: field({ kind: 'array', of: text }, 'Codes of what made it suspicious, the weightiest first.'),
    sentence: field(text, 'The reasons with their values, for people.'),
    values: field(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: {
            reason: field(text, 'Code.'),
            nats: field(number, 'How much it adds to the logit.'),
            of: field(text, 'The values it was made of, as JSON.'),
          },
        },
      },
      'The values behind each reason.',
    ),
    amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Of the payment or order.'),
    expected_loss: field(
      { kind: 'money', scale: 2, currency: 'USD' },
      'Probability times what a fraud of it costs. It is told because this is above the cost of a look.',
    ),
    seller: nullable(text, 'Who sold it, where it is known.'),
    occurred_at: field({ kind: 'timestamp' }, 'When it was paid or ordered.'),
    detected_at: field({ kind: 'timestamp' }, 'Event time at which it was scored: that of the payment or order.'),
    model: field(text, 'What scored it, with how many labels it had learned from.'),
  },
  doc: 'Payments and orders that may be fraud: how likely, why, what it may cost.',
})
