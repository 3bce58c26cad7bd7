// What the quality monitor reads (Q1, Q3): records of each topic and minute and how many of them have what they may lack,
// prices of each product and minute, the lines that must add up, the spread of amounts by the hour. Mergeable states, per
// window; nothing is scanned again.
import { count, from, hours, max, min, minutes, quantile, tumbling } from '../../query/query.ts'
import { ecommerceCustomers } from '../contracts/ecommerce-customers.ts'
import { ecommerceOrderItems } from '../contracts/ecommerce-order-items.ts'
import { ecommerceOrders } from '../contracts/ecommerce-orders.ts'
import { inventoryUpdates } from '../contracts/inventory-updates.ts'
import { marketplaceSales } from '../contracts/marketplace-sales.ts'
import { orders } from '../contracts/orders.ts'
import { sales } from '../contracts/sales.ts'
import { transactions } from '../contracts/transactions.ts'
import { userEvents } from '../contracts/user-events.ts'

const minute = tumbling({ sizeMs: minutes(1) })

/** Columns beside `records` count the values that are there. */
export const qualitySales = from(sales)
  .window(minute)
  .aggregate((row) => ({ records: count(), nm_product: count(row.nm_product) }))
  .lateness(minutes(1))
  .named('quality-sales')
export const qualityOrders = from(orders)
  .window(minute)
  .aggregate(() => ({ records: count() }))
  .lateness(minutes(1))
  .named('quality-orders')
export const qualityUserEvents = from(userEvents)
  .window(minute)
  .aggregate((row) => ({
    records: count(),
    ip_address: count(row.ip_address),
    user_agent: count(row.user_agent),
    device_id: count(row.device_id),
  }))
  .lateness(minutes(1))
  .named('quality-user-events')
export const qualityTransactions = from(transactions)
  .window(minute)
  .aggregate((row) => ({
    records: count(),
    session_id: count(row.session_id),
    ip_address: count(row.ip_address),
    device_id: count(row.device_id),
    card_fingerprint: count(row.card_fingerprint),
    billing_country: count(row.billing_country),
    shipping_country: count(row.shipping_country),
  }))
  .lateness(minutes(1))
  .named('quality-transactions')
export const qualityInventoryUpdates = from(inventoryUpdates)
  .window(minute)
  .aggregate(() => ({ records: count() }))
  .lateness(minutes(1))
  .named('quality-inventory-updates')
export const qualityMarketplaceSales = from(marketplaceSales)
  .window(minute)
  .aggregate((row) => ({ records: count(), product_name: count(row.product_name) }))
  // As marketplace-hourly: what is told late is no late record.
  .lateness(hours(48))
  .named('quality-marketplace-sales')
export const qualityEcommerceOrders = from(ecommerceOrders)
  .window(minute)
  .aggregate((row) => ({ records: count(), shipping_state: count(row.shipping_state) }))
  .lateness(minutes(1))
  .named('quality-ecommerce-orders')
export const qualityEcommerceCustomers = from(ecommerceCustomers)
  .window(minute)
  .aggregate((row) => ({ records: count(), email: count(row.email), phone: count(row.phone) }))
  .lateness(minutes(1))
  .named('quality-ecommerce-customers')

/** Lowest and highest price of each product. */
export const qualityPrices = from(sales)
  .window(minute)
  .groupBy('id_product', 'nm_category')
  .aggregate((sale) => ({ records: count(), lowest: min(sale.price), highest: max(sale.price) }))
  .lateness(minutes(1))
  .named('quality-prices')

/** What payments are made of: price x quantity is each line's total, and they add up to the payment. */
export const qualityPaymentLines = from(transactions)
  .deduplicate({ identity: ['transaction_id'], horizonMs: hours(1) })
  .select('transaction_id', 'timestamp', 'items', 'total_amount', 'tax_amount', 'shipping_cost')
  .unnest('items')
  .select(
    'transaction_id',
    'timestamp',
    'price',
    'quantity',
    'item_total',
    'total_amount',
    'tax_amount',
    'shipping_cost',
  )
  .named('quality-payment-lines')

/** Orders and their items, which must add up to them. */
export const qualityOrderHeads = from(ecommerceOrders)
  .deduplicate({ identity: ['order_id'], horizonMs: hours(1) })
  .select('order_id', 'order_date', 'subtotal', 'discount', 'shipping_cost', 'tax_amount', 'total_amount')
  .named('quality-order-heads')
export const qualityOrderItems = from(ecommerceOrderItems)
  .deduplicate({ identity: ['order_item_id'], horizonMs: hours(1) })
  .select('order_id', 'order_date', 'unit_price', 'quantity', 'discount', 'item_total')
  .named('quality-order-items')

/** Nine deciles of what is ordered in an hour: their drift is seen by it. */
export const qualityAmounts = from(orders)
  .window(tumbling({ sizeMs: hours(1) }))
  .aggregate((order) => ({
    records: count(),
    d1: quantile(order.amount, 0.1),
    d2: quantile(order.amount, 0.2),
    d3: quantile(order.amount, 0.3),
    d4: quantile(order.amount, 0.4),
    d5: quantile(order.amount, 0.5),
    d6: quantile(order.amount, 0.6),
    d7: quantile(order.amount, 0.7),
    d8: quantile(order.amount, 0.8),
    d9: quantile(order.amount, 0.9),
  }))
  .lateness(minutes(1))
  .named('quality-amounts')
