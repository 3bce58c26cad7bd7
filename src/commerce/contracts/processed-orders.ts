// What a `processed-orders` record promises: an order that was accepted, with the name of its product.
import { contract, field } from '../../query/contract.ts'
import { orderProducts, orders } from './orders.ts'

export const processedOrders = contract({
  topic: 'processed-orders',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'timestamp',
  identity: 'order_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    ...orders.fields,
    product_name: field({ kind: 'string' }, 'Name of the product, from the table of products.', {
      rules: [{ rule: 'one-of', values: Object.values(orderProducts) }],
    }),
    processed_at: field({ kind: 'timestamp' }, 'When the order processor accepted it.'),
  },
  doc: 'Orders with a known product and an amount above zero, enriched.',
})
