// Orders by product and minute (O5): running values as they change, then the final one.
import { average, count, from, minutes, sum, tumbling } from '../../query/query.ts'
import { orders } from '../contracts/orders.ts'
import { processedOrders } from '../contracts/processed-orders.ts'
import { orderProductsTable } from './processed-orders.ts'

const minute = tumbling({ sizeMs: minutes(1) })
const topic = { topic: 'product-metrics', times: 'epoch-seconds', finalColumn: 'is_final' } as const

/** Straight from the orders as they came: for files, and where there is no order processor. */
export const productMetrics = from(orders)
  .lookup(orderProductsTable, { by: 'product_id', unknown: 'dead-letter' })
  .window(minute)
  .groupBy('product_id', 'product_name')
  .aggregate((order) => ({
    order_count: count(),
    total_revenue: sum(order.amount),
    avg_order_value: average(order.amount, { scale: 2 }),
  }))
  .emit('on-change')
  .lateness(minutes(1))
  .output(topic)
  .named('product-metrics')

/** The same of the orders that the order processor let through: each once. What `start` runs. */
export const orderAnalytics = from(processedOrders)
  .window(minute)
  .groupBy('product_id', 'product_name')
  .aggregate((order) => ({
    order_count: count(),
    total_revenue: sum(order.amount),
    avg_order_value: average(order.amount, { scale: 2 }),
  }))
  .emit('on-change')
  .lateness(minutes(1))
  .output(topic)
  .named('order-analytics')
