// What a `cart-abandonments` record promises: a cart that nobody paid for within half an hour (E4).
import { contract, field, nullable } from '../../query/contract.ts'

const text = { kind: 'string' } as const

export const cartAbandonments = contract({
  topic: 'cart-abandonments',
  version: 1,
  partitions: 3,
  key: 'session_id',
  eventTime: 'abandoned_at',
  identity: 'session_id',
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    session_id: field(text, 'The visit.'),
    user_id: field(text, 'Whose cart.'),
    product_ids: field({ kind: 'array', of: text }, 'What lies in it, each once, in the order it was put there.'),
    value: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'Prices of what lies in it, as they were shown.'),
    last_cart_at: field({ kind: 'timestamp' }, 'When something was last put into it.'),
    abandoned_at: field({ kind: 'timestamp' }, 'Half an hour later.'),
  },
  doc: 'Carts that were left: nothing was bought within half an hour of the last thing put into them.',
})
