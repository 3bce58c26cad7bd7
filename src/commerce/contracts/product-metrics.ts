// What a `product-metrics` record promises: the orders of one product in one minute, so far or finally.
import { contract, field } from '../../query/contract.ts'

export const productMetricsRows = contract({
  topic: 'product-metrics',
  version: 1,
  partitions: 3,
  key: 'product_id',
  // In epoch seconds, as its readers expect it; a Plan that wants event time cannot start from it (`from` refuses).
  eventTime: 'window_end',
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  origin: 'result',
  fields: {
    window_start: field({ kind: 'int64' }, 'First second of the minute, seconds since the epoch.'),
    window_end: field({ kind: 'int64' }, 'First second after the minute, seconds since the epoch.'),
    product_id: field({ kind: 'string' }, 'The product.'),
    product_name: field({ kind: 'string' }, 'Its name.'),
    order_count: field({ kind: 'int64' }, 'Orders of the product in the minute.', {
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    total_revenue: field({ kind: 'money', scale: 2, currency: 'USD' }, 'Their amounts, added up.'),
    avg_order_value: field(
      { kind: 'money', scale: 2, currency: 'USD' },
      'Revenue by orders, rounded half away from zero.',
    ),
    is_final: field({ kind: 'bool' }, 'False while the minute may still change, true for its last row.'),
  },
  doc: 'Orders by product and minute of event time: a row at each change and a final one. The newest row of a key counts.',
})
