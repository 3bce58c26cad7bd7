// What a `user-events` record promises: one thing a visitor of the store did.
import { contract, field, nullable } from '../../query/contract.ts'

/** The default profile has the first three only. */
export const userEventTypes = Object.freeze(['product_view', 'add_to_cart', 'search', 'login', 'login_failed'])

export const userEvents = contract({
  topic: 'user-events',
  version: 2,
  partitions: 3,
  // The visitor, so that the steps of a session stay in order.
  key: 'user_id',
  eventTime: 'timestamp',
  identity: 'event_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    event_id: field({ kind: 'string' }, 'Identity of the event.'),
    user_id: field({ kind: 'string' }, 'Who: U0001 to U1000 in generated traffic.'),
    event_type: field({ kind: 'string' }, 'What was done.', { rules: [{ rule: 'one-of', values: userEventTypes }] }),
    timestamp: field({ kind: 'timestamp' }, 'When it was done: ISO-8601, any offset (none is UTC), any fraction.'),
    product_id: nullable({ kind: 'string' }, 'The product; product events only.'),
    product_name: nullable({ kind: 'string' }, 'Its name; product events only.'),
    category: nullable({ kind: 'string' }, 'Its category; product events only.'),
    price: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'Its price; product events only.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    search_query: nullable({ kind: 'string' }, 'What was looked for; searches only.'),
    session_id: field({ kind: 'string' }, 'The visit.'),
    ip_address: nullable({ kind: 'string' }, 'Where from. Personal data.'),
    user_agent: nullable({ kind: 'string' }, 'The browser, as it names itself.'),
    device_id: nullable({ kind: 'string' }, 'The device, as the store knows it again.'),
  },
  doc: 'What visitors of the store look at, search for and put into the cart.',
})
