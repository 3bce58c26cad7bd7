// What a `marketplace-sales` record promises: a sale on a marketplace that may be told late.
import { contract, field, nullable } from '../../query/contract.ts'

/** What a record of the delay demonstration was made to be. */
export const delayPatterns = Object.freeze(['immediate', 'short_delay', 'medium_delay', 'long_delay'])

export const marketplaceSales = contract({
  topic: 'marketplace-sales',
  version: 1,
  partitions: 3,
  key: 'transaction_id',
  // When it was sold, not when it was told: the delay is arrival minus this.
  eventTime: 'transaction_time',
  identity: 'transaction_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    transaction_id: field(
      { kind: 'string' },
      'Identity of the sale: TXN-, three letters of the marketplace, eight digits.',
    ),
    marketplace: field({ kind: 'string' }, 'Where it was sold: Amazon, Etsy, eBay …'),
    product_id: field({ kind: 'string' }, 'The product.'),
    product_name: nullable({ kind: 'string' }, 'Its title.'),
    amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'What was paid for all pieces.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    quantity: field({ kind: 'int64' }, 'Pieces.', { default: 1, rules: [{ rule: 'above', bound: 0 }] }),
    transaction_time: field(
      { kind: 'timestamp' },
      'When it was sold: ISO-8601, any offset (none is UTC), any fraction.',
    ),
    demo: nullable(
      {
        kind: 'struct',
        fields: {
          pattern: field({ kind: 'string' }, 'The delay that was asked for.', {
            rules: [{ rule: 'one-of', values: delayPatterns }],
          }),
        },
      },
      'Only in the delay demonstration.',
    ),
    batch_id: nullable({ kind: 'string' }, 'Only in a late batch: LATE_BATCH_ and the epoch second of its release.'),
    record_number: nullable({ kind: 'int64' }, 'Only in a late batch: place in it, from 1.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
  },
  doc: 'Sales on marketplaces, which report them at once, hours or days later.',
})
