// The live figures of the marketplace: the last fifteen minutes of sales, once for every second of event time.
import {
  average,
  count,
  countDistinct,
  from,
  hopping,
  max,
  minutes,
  seconds,
  sum,
  tumbling,
} from '../../query/query.ts'
import { sales } from '../contracts/sales.ts'

const sold = from(sales).derive((sale) => ({ value: sale.price.times(sale.quantity) }))

/** Sliding window of 15 minutes, a row per second: how much was sold, by how many, of how many things. */
export const salesWindow = sold
  .window(hopping({ sizeMs: minutes(15), slideMs: seconds(1) }))
  .aggregate((sale) => ({
    sales: count(),
    revenue: sum(sale.value),
    avg_ticket: average(sale.value, { scale: 2 }),
    active_sellers: countDistinct(sale.seller),
    active_categories: countDistinct(sale.nm_category),
    active_products: countDistinct(sale.id_product),
    biggest_sale: max(sale.value),
  }))
  .emit({ everyMs: seconds(1) })
  .lateness(minutes(1))
  .named('sales-window')

/** Sales and revenue of each second of event time: the line on the Live page. */
export const salesPerSecond = sold
  .window(tumbling({ sizeMs: seconds(1) }))
  .aggregate((sale) => ({ sales: count(), revenue: sum(sale.value) }))
  .emit({ everyMs: seconds(1) })
  .lateness(minutes(1))
  .named('sales-per-second')

/** What each product sold in fifteen minutes, each minute: best sellers are its rows by revenue. */
export const salesByProduct = sold
  .window(hopping({ sizeMs: minutes(15), slideMs: minutes(1) }))
  .groupBy('id_product', 'nm_product')
  .aggregate((sale) => ({ sales: count(), revenue: sum(sale.value) }))
  .lateness(minutes(1))
  .named('sales-by-product')
