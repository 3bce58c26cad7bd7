// What a `price-changes` record promises: from now on a product of the store costs this.
import { contract, field, nullable } from '../../query/contract.ts'

/** Why a price changes. */
export const priceChangeReasons = Object.freeze(['regular', 'promotion', 'promotion_end'])

export const priceChanges = contract({
  topic: 'price-changes',
  version: 1,
  partitions: 3,
  key: 'product_id',
  eventTime: 'timestamp',
  identity: 'price_change_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    price_change_id: field({ kind: 'string' }, 'Identity of the change.'),
    product_id: field({ kind: 'string' }, 'The product.'),
    old_price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Price of one piece until now.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    new_price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Price of one piece from now on.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    reason: field({ kind: 'string' }, 'Why.', { rules: [{ rule: 'one-of', values: priceChangeReasons }] }),
    promotion_id: nullable({ kind: 'string' }, 'The promotion that it belongs to, in promotions.'),
    timestamp: field({ kind: 'timestamp' }, 'When it changed: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'Changes of the prices of the store.',
})
