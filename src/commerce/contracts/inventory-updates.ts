// What an `inventory-updates` record promises: one change of the stock of a product in a warehouse.
import { contract, field } from '../../query/contract.ts'

export const inventoryUpdates = contract({
  topic: 'inventory-updates',
  version: 1,
  partitions: 3,
  // The product, so that the changes of its stock stay in order.
  key: 'product_id',
  eventTime: 'timestamp',
  identity: 'event_id',
  outOfOrderMs: 5_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    event_id: field({ kind: 'string' }, 'Identity of the change.'),
    event_type: field({ kind: 'string' }, 'What it is.', {
      default: 'inventory_update',
      rules: [{ rule: 'one-of', values: ['inventory_update'] }],
    }),
    product_id: field({ kind: 'string' }, 'The product.'),
    product_name: field({ kind: 'string' }, 'Its name.'),
    stock_change: field({ kind: 'int64' }, 'Pieces: negative when sold, positive when restocked.'),
    current_stock: field({ kind: 'int64' }, 'Pieces in the warehouse after the change.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    warehouse_location: field({ kind: 'string' }, 'The warehouse.'),
    timestamp: field(
      { kind: 'timestamp' },
      'When the stock changed: ISO-8601, any offset (none is UTC), any fraction.',
    ),
  },
  doc: 'Changes of stock by product and warehouse: sales and deliveries.',
})
