// Sales by the minute: in all, by seller and by category. What the event tracker looks at.
import { count, from, minutes, sum, tumbling } from '../../query/query.ts'
import { sales } from '../contracts/sales.ts'

const sold = from(sales).derive((sale) => ({ value: sale.price.times(sale.quantity) }))
const perMinute = tumbling({ sizeMs: minutes(1) })

export const salesByMinute = sold
  .window(perMinute)
  .aggregate((sale) => ({ sales: count(), revenue: sum(sale.value) }))
  .lateness(minutes(1))
  .named('sales-by-minute')

export const salesBySeller = sold
  .window(perMinute)
  .groupBy('seller')
  .aggregate((sale) => ({ sales: count(), revenue: sum(sale.value) }))
  .lateness(minutes(1))
  .named('sales-by-seller')

export const salesByCategory = sold
  .window(perMinute)
  .groupBy('nm_category')
  .aggregate((sale) => ({ sales: count(), revenue: sum(sale.value) }))
  .lateness(minutes(1))
  .named('sales-by-category')
