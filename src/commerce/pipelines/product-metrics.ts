// Orders by product and minute: running values as they change, then the final one.
import { average, count, from, minutes, staticTable, sum, tumbling } from '../../query/query.ts'
import { orderProducts, orders } from '../contracts/orders.ts'

const products = staticTable({
  name: 'order-products',
  columns: { product_name: { kind: 'string' } },
  rows: Object.fromEntries(Object.entries(orderProducts).map(([id, name]) => [id, { product_name: name }])),
})

export const productMetrics = from(orders)
  .lookup(products, { by: 'product_id', unknown: 'dead-letter' })
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('product_id', 'product_name')
  .aggregate((order) => ({
    order_count: count(),
    total_revenue: sum(order.amount),
    avg_order_value: average(order.amount, { scale: 2 }),
  }))
  .emit('on-change')
  .lateness(minutes(1))
  .output({ topic: 'product-metrics', times: 'epoch-seconds', finalColumn: 'is_final' })
  .named('product-metrics')
