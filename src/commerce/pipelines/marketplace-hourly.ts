// Sales of the marketplaces by the hour in which they were sold, however late they are told (D5): a sale corrects its hour
// for two days after the hour has closed, in the topic and in every store behind it.
import { average, count, days, from, hours, sum, tumbling } from '../../query/query.ts'
import { marketplaceSales } from '../contracts/marketplace-sales.ts'

export const marketplaceHourly = from(marketplaceSales)
  // A marketplace that sends a sale again sends it late.
  .deduplicate({ identity: ['transaction_id'], horizonMs: days(4) })
  .window(tumbling({ sizeMs: hours(1) }))
  .groupBy('marketplace')
  .aggregate((sale) => ({
    sales: count(),
    units: sum(sale.quantity),
    revenue: sum(sale.amount),
    avg_sale: average(sale.amount, { scale: 2 }),
  }))
  .emit({ everyMs: 1_000 })
  .lateness(hours(48))
  .named('marketplace-hourly')
