// Items of orders on their way to silver (M5): each once, with what is known of its order when it comes.
import { from, hours, newestOf } from '../../query/query.ts'
import { ecommerceOrderItems } from '../contracts/ecommerce-order-items.ts'
import { ecommerceOrders } from '../contracts/ecommerce-orders.ts'

const orders = newestOf(
  from(ecommerceOrders)
    .select('order_id', 'order_date', 'customer_id', 'status', 'payment_method', 'shipping_country')
    .rename({ order_date: 'ordered_at', status: 'order_status' }),
  { key: 'order_id' },
)

export const orderItemsEnriched = from(ecommerceOrderItems)
  .deduplicate({ identity: ['order_item_id'], horizonMs: hours(24) })
  .lookup(orders, { by: 'order_id', unknown: 'null' })
  .named('order-items-enriched')
