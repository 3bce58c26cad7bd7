// What the features of models are made of (W9): closed windows of sales, prices, views, payments and stock by whom or what
// they are about. A window counts once the watermark has passed it, so nothing in it came later than it is used.
import { average, count, from, hours, last, max, minutes, seconds, sum, tumbling } from '../../query/query.ts'
import { inventoryUpdates } from '../contracts/inventory-updates.ts'
import { sales } from '../contracts/sales.ts'
import { transactions } from '../contracts/transactions.ts'
import { userEvents } from '../contracts/user-events.ts'

const perMinute = tumbling({ sizeMs: minutes(1) })

/** Pieces of each seller in ten seconds. */
export const sellerVolume = from(sales)
  .window(tumbling({ sizeMs: seconds(10) }))
  .groupBy('seller')
  .aggregate((sale) => ({ units: sum(sale.quantity) }))
  .named('seller-volume')

/** What was paid for a piece of each product in a minute, in the mean. */
export const priceByMinute = from(sales)
  .window(perMinute)
  .groupBy('id_product', 'nm_category')
  .aggregate((sale) => ({ price: average(sale.price, { scale: 2 }) }))
  .named('price-by-minute')

export const viewsByProduct = from(userEvents)
  .filter((act) => act.event_type.equals('product_view').and(act.product_id.isNull().not()))
  .window(perMinute)
  .groupBy('product_id')
  .aggregate(() => ({ views: count() }))
  .named('views-by-product')

export const visitorsByMinute = from(userEvents)
  .window(perMinute)
  .groupBy('user_id')
  .aggregate((act) => ({ acts: count(), last_at: max(act.timestamp) }))
  .named('visitors-by-minute')

const approved = from(transactions)
  .filter((payment) => payment.status.equals('approved'))
  .deduplicate({ identity: ['transaction_id'], horizonMs: hours(1) })

export const purchasesByProduct = approved
  .unnest('items')
  .window(perMinute)
  .groupBy('product_id')
  .aggregate((item) => ({ purchases: count(), units: sum(item.quantity) }))
  .named('purchases-by-product')

export const paymentsByUser = from(transactions)
  .window(perMinute)
  .groupBy('user_id')
  .aggregate((payment) => ({ payments: count(), spent: sum(payment.total_amount) }))
  .named('payments-by-user')

export const paymentsByDevice = from(transactions)
  .filter((payment) => payment.device_id.isNull().not())
  .window(perMinute)
  .groupBy('device_id')
  .aggregate(() => ({ payments: count() }))
  .named('payments-by-device')

export const stockByMinute = from(inventoryUpdates)
  .window(perMinute)
  .groupBy('product_id', 'warehouse_location')
  .aggregate((change) => ({
    stock: last(change.current_stock),
    sold: sum(change.stock_change, { where: change.stock_change.below(0) }),
  }))
  .named('stock-by-minute')
