// What a `promotions` record promises: a product is cheaper for a while.
import { contract, field } from '../../query/contract.ts'

/** `flash`: half the price for an hour or so. `sale`: some percent off for days. */
export const promotionKinds = Object.freeze(['sale', 'flash'])

export const promotions = contract({
  topic: 'promotions',
  version: 1,
  partitions: 3,
  key: 'product_id',
  eventTime: 'starts_at',
  identity: 'promotion_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    promotion_id: field({ kind: 'string' }, 'Identity of the promotion.'),
    product_id: field({ kind: 'string' }, 'The product.'),
    kind: field({ kind: 'string' }, 'A sale of days or a flash sale.', {
      rules: [{ rule: 'one-of', values: promotionKinds }],
    }),
    discount_percent: field({ kind: 'int64' }, 'Taken off the price, percent.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    starts_at: field({ kind: 'timestamp' }, 'When it begins: ISO-8601, any offset (none is UTC), any fraction.'),
    ends_at: field({ kind: 'timestamp' }, 'When it ends: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'Promotions of the store, told when they begin.',
})
