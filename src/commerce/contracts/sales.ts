// What a `sales` record promises: one line sold by one seller of the marketplace.
import { contract, field, nullable } from '../../query/contract.ts'

export const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: 6,
  key: 'seller',
  eventTime: 'sale_date',
  identity: 'id_sale',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    // Text, not uuid: ours are UUIDs, but a shop that numbers its sales must not be turned away for it.
    id_sale: field({ kind: 'string' }, 'Identity of the sale. Ours are UUIDs; any unique text is accepted.'),
    id_product: field({ kind: 'string' }, 'Identity of the product.', { aliases: ['asin'] }),
    nm_product: nullable({ kind: 'string' }, 'Title of the product; may be missing.'),
    nm_category: field({ kind: 'string' }, 'Category of the product.', { default: 'General Category' }),
    nm_brand: field({ kind: 'string' }, 'Brand of the product.', { default: 'Generic' }),
    seller: field({ kind: 'string' }, 'Who sold it; the partition key.'),
    price: field({ kind: 'money', scale: 2, currency: 'BRL' }, 'Price of one piece.'),
    quantity: field({ kind: 'int64' }, 'Pieces sold.', { default: 1 }),
    tp_payment: field({ kind: 'string' }, 'How it was paid.', { default: 'Credit Card' }),
    sale_date: field({ kind: 'timestamp' }, 'When it was sold: ISO-8601, any offset (none is UTC), any fraction.'),
  },
  doc: 'Sales of the marketplace, one record per line sold.',
})
