// The order processor (O4): orders with a known product and an amount above zero, each once, with the name of the product.
// What is rejected is kept with its reason in the dead letters of `orders`.
import { from, hours, staticTable } from '../../query/query.ts'
import { orderProducts, orders } from '../contracts/orders.ts'

export const orderProductsTable = staticTable({
  name: 'order-products',
  columns: { product_name: { kind: 'string' } },
  rows: Object.fromEntries(Object.entries(orderProducts).map(([id, name]) => [id, { product_name: name }])),
})

export const processedOrdersPlan = from(orders)
  .lookup(orderProductsTable, { by: 'product_id', unknown: 'dead-letter' })
  // A producer that tries again sends an order twice.
  .deduplicate({ identity: ['order_id'], horizonMs: hours(1) })
  .output({ topic: 'processed-orders', times: 'iso-milliseconds', key: 'order_id', writtenAtColumn: 'processed_at' })
  .named('processed-orders')
