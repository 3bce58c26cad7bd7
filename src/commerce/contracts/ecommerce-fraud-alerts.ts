// What an `ecommerce_fraud_alerts` record promises: a suspicion about one order, with its reasons.
import { contract, field } from '../../query/contract.ts'

export const fraudSeverities = Object.freeze(['low', 'medium', 'high', 'critical'])

export const ecommerceFraudAlerts = contract({
  topic: 'ecommerce_fraud_alerts',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'detected_at',
  identity: 'alert_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    alert_id: field({ kind: 'string' }, 'Identity of the alert.'),
    order_id: field({ kind: 'string' }, 'The order, in ecommerce_orders.'),
    customer_id: field({ kind: 'string' }, 'Who ordered.'),
    score: field({ kind: 'float64' }, 'How suspicious, 0 to 1.', { rules: [{ rule: 'at-least', bound: 0 }] }),
    severity: field({ kind: 'string' }, 'The score in words.', {
      rules: [{ rule: 'one-of', values: fraudSeverities }],
    }),
    reasons: field({ kind: 'array', of: { kind: 'string' } }, 'What made it suspicious, the weightiest first.'),
    detected_at: field({ kind: 'timestamp' }, 'When it was noticed.'),
  },
  doc: "Suspicions about orders. Those of generated traffic are the generator's own and serve as labels.",
})
