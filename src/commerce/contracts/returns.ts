// What a `returns` record promises: pieces of one product of a purchase that came back, and what was paid for them.
import { contract, field } from '../../query/contract.ts'

export const returns = contract({
  topic: 'returns',
  version: 1,
  partitions: 3,
  // The buyer, as in transactions.
  key: 'user_id',
  eventTime: 'timestamp',
  identity: 'return_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    return_id: field({ kind: 'string' }, 'Identity of the return.'),
    transaction_id: field({ kind: 'string' }, 'The purchase, in transactions.'),
    user_id: field({ kind: 'string' }, 'Who bought it.'),
    product_id: field({ kind: 'string' }, 'The product.'),
    quantity: field({ kind: 'int64' }, 'Pieces.', { rules: [{ rule: 'above', bound: 0 }] }),
    refund_amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'What the buyer gets back, tax included.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    reason: field({ kind: 'string' }, 'Why, as the buyer says.'),
    timestamp: field({ kind: 'timestamp' }, 'When it came back: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'What buyers of the store send back, days after they bought it.',
})
