// What a `chargebacks` record promises: a payment that the holder of the card took back, days after it was made.
import { contract, field } from '../../query/contract.ts'

export const chargebacks = contract({
  topic: 'chargebacks',
  version: 1,
  partitions: 3,
  // The buyer, as in transactions.
  key: 'user_id',
  eventTime: 'timestamp',
  identity: 'chargeback_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    chargeback_id: field({ kind: 'string' }, 'Identity of the chargeback.'),
    transaction_id: field({ kind: 'string' }, 'The payment, in transactions.'),
    user_id: field({ kind: 'string' }, 'Whose account it was made with.'),
    amount: field({ kind: 'money', scale: 2, currency: 'USD' }, 'What is taken back.', {
      rules: [{ rule: 'above', bound: 0 }],
    }),
    reason: field({ kind: 'string' }, 'What the holder of the card says, e.g. fraudulent.'),
    transaction_timestamp: field({ kind: 'timestamp' }, 'When the payment was made.'),
    timestamp: field(
      { kind: 'timestamp' },
      'When it was taken back: ISO-8601, any offset (none is UTC), any fraction.',
    ),
  },
  doc: 'Payments of the store that were taken back, one to seven days after they were made.',
})
