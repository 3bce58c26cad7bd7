// What an `ecommerce_order_items` record promises: one line of an order.
import { contract, field } from '../../query/contract.ts'

export const ecommerceOrderItems = contract({
  topic: 'ecommerce_order_items',
  version: 1,
  partitions: 3,
  // The order, so that its lines stay together and in order.
  key: 'order_id',
  eventTime: 'order_date',
  identity: 'order_item_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    order_item_id: field({ kind: 'string' }, 'Identity of the line.'),
    order_id: field({ kind: 'string' }, 'The order, in ecommerce_orders.'),
    order_date: field({ kind: 'timestamp' }, "The order's time, so that a line knows when it happened."),
    product_id: field({ kind: 'string' }, 'The product.'),
    product_name: field({ kind: 'string' }, 'Its title.'),
    category: field({ kind: 'string' }, 'Its category.'),
    unit_price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Price of one piece.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    quantity: field({ kind: 'int64' }, 'Pieces.', { rules: [{ rule: 'above', bound: 0 }] }),
    discount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Taken off the line.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    item_total: field({ kind: 'money', scale: 2, currency: 'USD' }, 'unit_price x quantity - discount.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
  },
  doc: 'Lines of the orders of the store.',
})
