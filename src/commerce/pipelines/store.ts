// The small store's figures of each half minute: what visitors do, what they buy, and what is on its way up (E4).
import { count, countDistinct, from, hopping, minutes, ratio, seconds, sum, tumbling } from '../../query/query.ts'
import { transactions } from '../contracts/transactions.ts'
import { userEvents } from '../contracts/user-events.ts'

const halfMinute = tumbling({ sizeMs: seconds(30) })

const acts = from(userEvents).select('timestamp', 'user_id', 'event_type')
/** What was declined is no purchase. */
const approved = from(transactions).filter((payment) => payment.status.equals('approved'))
const purchases = approved.select('timestamp', 'user_id', 'event_type')

/** Views, carts, searches and purchases of all visitors, and how many views end in a purchase. */
export const storeMetrics = acts
  .union(purchases)
  .window(halfMinute)
  .aggregate((act) => {
    const of = (type: string) => count(null, { where: act.event_type.equals(type) })
    return {
      views: of('product_view'),
      carts: of('add_to_cart'),
      searches: of('search'),
      purchases: of('purchase'),
      active_users: countDistinct(act.user_id),
      cart_rate: ratio(of('add_to_cart'), of('product_view'), { scale: 4 }),
      purchase_rate: ratio(of('purchase'), of('add_to_cart'), { scale: 4 }),
      conversion_rate: ratio(of('purchase'), of('product_view'), { scale: 4 }),
    }
  })
  .lateness(minutes(1))
  .named('store-metrics')

/** What was paid: purchases, revenue, tax, shipping, pieces' value. */
export const storeSales = approved
  .window(halfMinute)
  .aggregate((purchase) => ({
    purchases: count(),
    buyers: countDistinct(purchase.user_id),
    revenue: sum(purchase.total_amount),
    tax: sum(purchase.tax_amount),
    shipping: sum(purchase.shipping_cost),
  }))
  .lateness(minutes(1))
  .named('store-sales')

/** The products most looked at and put into carts in the last ten minutes, five of each category, each half minute. */
export const trendingProducts = from(userEvents)
  .filter((act) => act.product_id.isNull().not().and(act.category.isNull().not()))
  .window(hopping({ sizeMs: minutes(10), slideMs: seconds(30) }))
  .groupBy('category', 'product_id', 'product_name')
  .aggregate((act) => ({
    views: count(null, { where: act.event_type.equals('product_view') }),
    carts: count(null, { where: act.event_type.equals('add_to_cart') }),
    visitors: countDistinct(act.user_id),
  }))
  .top({
    rows: 5,
    within: ['category'],
    by: [
      { column: 'carts', descending: true },
      { column: 'views', descending: true },
    ],
  })
  .lateness(minutes(1))
  .named('trending-products')

/** Pieces and revenue of each product and minute: the items of the purchases, one by one. */
export const productSales = approved
  .unnest('items')
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('product_id', 'product_name')
  .aggregate((item) => ({
    purchases: count(),
    units: sum(item.quantity),
    revenue: sum(item.item_total),
    buyers: countDistinct(item.user_id),
  }))
  .lateness(minutes(1))
  .named('product-sales')
