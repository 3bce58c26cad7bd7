// What an `ecommerce_customers` record promises: a customer as of now. The newest record of a customer counts.
import { contract, field, nullable } from '../../query/contract.ts'

export const customerSegments = Object.freeze(['new', 'regular', 'loyal', 'business'])

export const ecommerceCustomers = contract({
  topic: 'ecommerce_customers',
  version: 1,
  partitions: 3,
  key: 'customer_id',
  eventTime: 'updated_at',
  // No identity: a customer comes again with each change.
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    customer_id: field({ kind: 'string' }, 'The customer.'),
    name: field({ kind: 'string' }, 'Full name. Personal data.'),
    email: nullable({ kind: 'string' }, 'E-mail address. Personal data.'),
    phone: nullable({ kind: 'string' }, 'Telephone number. Personal data.'),
    country: field({ kind: 'string' }, 'Country, ISO 3166-1 alpha-2.'),
    state: nullable({ kind: 'string' }, 'State or province, where the country has such.'),
    segment: field({ kind: 'string' }, 'Kind of customer.', {
      default: 'regular',
      rules: [{ rule: 'one-of', values: customerSegments }],
    }),
    registered_at: field({ kind: 'timestamp' }, 'When the customer registered.'),
    updated_at: field({ kind: 'timestamp' }, 'When the customer was created or changed: the time of this record.'),
  },
  doc: 'Customers of the store, created or changed.',
})
