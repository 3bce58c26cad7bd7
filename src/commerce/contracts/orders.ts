// What an `orders` record promises, and the five products an order may name.
import { contract, field } from '../../query/contract.ts'

/** Product names by id: the static table that orders are enriched from, and the ids that are accepted. */
export const orderProducts = Object.freeze({
  'prod-1': 'Laptop',
  'prod-2': 'Phone',
  'prod-3': 'Tablet',
  'prod-4': 'Monitor',
  'prod-5': 'Keyboard',
})

export const orders = contract({
  topic: 'orders',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'timestamp',
  identity: 'order_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    order_id: field({ kind: 'string' }, 'Identity of the order.'),
    user_id: field({ kind: 'string' }, 'Who ordered: user-1 to user-100 in generated traffic.'),
    product_id: field({ kind: 'string' }, 'What was ordered; an unknown product is rejected.', {
      rules: [{ rule: 'one-of', values: Object.keys(orderProducts) }],
    }),
    amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Value of the order; must be above zero.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    timestamp: field({ kind: 'timestamp' }, 'When it was ordered: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'Orders of the small electronics shop.',
})
