// What a `transactions` record promises: one purchase with its items and an address.
import { contract, field, nullable } from '../../query/contract.ts'

/** What became of a payment. */
export const transactionStatuses = Object.freeze(['approved', 'declined'])

export const transactions = contract({
  topic: 'transactions',
  version: 2,
  partitions: 3,
  key: 'user_id',
  eventTime: 'timestamp',
  identity: 'transaction_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    transaction_id: field({ kind: 'string' }, 'Identity of the purchase.'),
    user_id: field({ kind: 'string' }, 'Who bought.'),
    event_type: field({ kind: 'string' }, 'What it is.', {
      default: 'purchase',
      rules: [{ rule: 'one-of', values: ['purchase'] }],
    }),
    timestamp: field({ kind: 'timestamp' }, 'When it was bought: ISO-8601, any offset (none is UTC), any fraction.'),
    payment_method: field({ kind: 'string' }, 'How it was paid.'),
    items: field(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: {
            product_id: field({ kind: 'string' }, 'The product.'),
            product_name: field({ kind: 'string' }, 'Its name.'),
            price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Price of one piece.', {
              rules: [{ rule: 'at-least', bound: 0 }],
            }),
            quantity: field({ kind: 'int64' }, 'Pieces.', { rules: [{ rule: 'above', bound: 0 }] }),
            item_total: field({ kind: 'money', scale: 2, currency: 'USD' }, 'price x quantity.'),
          },
        },
      },
      'What was bought.',
    ),
    total_amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Sum of item_total, plus tax and shipping.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    tax_amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Tax.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    shipping_cost: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Shipping.', {
      default: 0,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    shipping_address: nullable(
      {
        kind: 'struct',
        fields: {
          street: nullable({ kind: 'string' }, 'Street and number. Personal data.'),
          city: nullable({ kind: 'string' }, 'City.'),
          state: nullable({ kind: 'string' }, 'State.'),
          zip: nullable({ kind: 'string' }, 'Postal code.'),
          country: nullable({ kind: 'string' }, 'Country, ISO 3166-1 alpha-2.'),
        },
      },
      'Where it is sent.',
    ),
    session_id: nullable({ kind: 'string' }, 'The visit it was made in; missing when it came without one.'),
    ip_address: nullable({ kind: 'string' }, 'Where from. Personal data.'),
    device_id: nullable({ kind: 'string' }, 'The device, as the store knows it again.'),
    card_fingerprint: nullable(
      { kind: 'string' },
      'The card without its number: six digits of its issuer, a dash, what tells it from others.',
    ),
    status: field({ kind: 'string' }, 'What became of the payment. What was declined is no sale.', {
      default: 'approved',
      rules: [{ rule: 'one-of', values: transactionStatuses }],
    }),
    billing_country: nullable({ kind: 'string' }, 'Country of the card, ISO 3166-1 alpha-2.'),
    shipping_country: nullable({ kind: 'string' }, 'Country it is sent to, ISO 3166-1 alpha-2.'),
    ip_country: nullable({ kind: 'string' }, 'Country of the address it came from, ISO 3166-1 alpha-2.'),
    seller: nullable({ kind: 'string' }, 'Who sells it in the store.'),
  },
  doc: 'Payments in the store, one record each: purchases, and the attempts that were declined.',
})
