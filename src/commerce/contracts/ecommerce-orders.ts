// What an `ecommerce_orders` record promises: the head of one order, with the sums of its items.
import { contract, field, nullable } from '../../query/contract.ts'

export const orderStatuses = Object.freeze(['pending', 'paid', 'shipped', 'delivered', 'cancelled'])

export const ecommerceOrders = contract({
  topic: 'ecommerce_orders',
  version: 1,
  partitions: 3,
  key: 'order_id',
  eventTime: 'order_date',
  identity: 'order_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    order_id: field({ kind: 'string' }, 'Identity of the order.'),
    customer_id: field({ kind: 'string' }, 'Who ordered; the customer is in ecommerce_customers.'),
    order_date: field({ kind: 'timestamp' }, 'When it was ordered: ISO-8601, any offset (none is UTC), any fraction.'),
    status: field({ kind: 'string' }, 'Where the order stands.', {
      rules: [{ rule: 'one-of', values: orderStatuses }],
    }),
    payment_method: field({ kind: 'string' }, 'How it is paid.'),
    currency: field({ kind: 'string' }, 'Currency of all amounts of the order.', {
      default: 'USD',
      rules: [{ rule: 'one-of', values: ['USD'] }],
    }),
    subtotal: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Sum of item_total over the items of the order.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    discount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Taken off the subtotal.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    shipping_cost: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Shipping.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    tax_amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Tax.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    total_amount: field(
      { kind: 'money', scale: 2, currency: 'USD' },
      'subtotal - discount + shipping_cost + tax_amount.',
      {
        rules: [{ rule: 'at-least', bound: 0 }],
      },
    ),
    shipping_country: field({ kind: 'string' }, 'Country it is sent to, ISO 3166-1 alpha-2.'),
    shipping_state: nullable({ kind: 'string' }, 'State or province it is sent to, where the country has such.'),
  },
  doc: 'Orders of the store, one record per order.',
})
