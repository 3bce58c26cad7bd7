// What an `ecommerce_order_status` record promises: an order of the store got somewhere. The order itself stays one record.
import { contract, field, nullable } from '../../query/contract.ts'
import { orderStatuses } from './ecommerce-orders.ts'

export const ecommerceOrderStatus = contract({
  topic: 'ecommerce_order_status',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'changed_at',
  identity: 'status_change_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    status_change_id: field({ kind: 'string' }, 'Identity of the change.'),
    order_id: field({ kind: 'string' }, 'The order, in ecommerce_orders.'),
    customer_id: field({ kind: 'string' }, 'Who ordered.'),
    previous_status: field({ kind: 'string' }, 'Where the order stood.', {
      rules: [{ rule: 'one-of', values: orderStatuses }],
    }),
    status: field({ kind: 'string' }, 'Where it stands now.', { rules: [{ rule: 'one-of', values: orderStatuses }] }),
    reason: nullable({ kind: 'string' }, 'Of a cancelled order: by the customer, or because it is unavailable.'),
    promised_at: nullable({ kind: 'timestamp' }, 'Of a shipped or delivered order: until when it was promised.'),
    changed_at: field({ kind: 'timestamp' }, 'When it got there: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'The life of the orders of the store after they were made: paid, shipped, delivered, or cancelled.',
})
