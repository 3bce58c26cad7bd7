// Orders on their way to silver (M5): each once, with what is known of its customer when it comes.
import { from, hours, newestOf } from '../../query/query.ts'
import { ecommerceCustomers } from '../contracts/ecommerce-customers.ts'
import { ecommerceOrders } from '../contracts/ecommerce-orders.ts'

const customers = newestOf(
  from(ecommerceCustomers)
    .select('customer_id', 'updated_at', 'name', 'segment', 'country')
    .rename({ name: 'customer_name', segment: 'customer_segment', country: 'customer_country' }),
  { key: 'customer_id' },
)

export const ordersEnriched = from(ecommerceOrders)
  .deduplicate({ identity: ['order_id'], horizonMs: hours(24) })
  .lookup(customers, { by: 'customer_id', unknown: 'null' })
  .named('orders-enriched')
