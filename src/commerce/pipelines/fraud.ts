// What fraud scoring reads: each payment with how fast its user, card, device, address and seller go (E6), each chargeback
// and return, and each order of the store with how fast its customer orders.
import { constant, count, countDistinct, days, from, hours, minutes, newestOf, sum } from '../../query/query.ts'
import { chargebacks } from '../contracts/chargebacks.ts'
import { ecommerceCustomers } from '../contracts/ecommerce-customers.ts'
import { ecommerceOrders } from '../contracts/ecommerce-orders.ts'
import { returns } from '../contracts/returns.ts'
import { transactions } from '../contracts/transactions.ts'

/** Weights of a mean over about thirty days: a half-life of 30 days times ln 2. */
const monthHalfLifeMs = Math.round(days(30) * Math.LN2)

/** Each counts as one. */
const one = constant({ kind: 'int64' }, 1)

const payments = from(transactions, { with: ['shipping_address.street', 'shipping_address.zip'] })
  .select(
    'timestamp',
    'transaction_id',
    'user_id',
    'total_amount',
    'payment_method',
    'status',
    'ip_address',
    'device_id',
    'card_fingerprint',
    'billing_country',
    'shipping_country',
    'ip_country',
    'seller',
    'shipping_address.street',
    'shipping_address.zip',
  )
  .rename({ 'shipping_address.street': 'street', 'shipping_address.zip': 'zip' })
  .deduplicate({ identity: ['transaction_id'], horizonMs: hours(24) })

/**
 * A row for each payment, in the order of event time, once nothing can come between. A null device, card or address is
 * a group of its own: whoever reads its figures looks at the column first.
 */
export const paymentVelocity = payments
  .over({ by: ['user_id'], rangeMs: minutes(1) }, () => ({ user_count_1m: count() }))
  .over({ by: ['user_id'], rangeMs: hours(1) }, (p) => ({
    user_count_1h: count(),
    user_sum_1h: sum(p.total_amount),
    user_declined_1h: count(null, { where: p.status.equals('declined') }),
  }))
  .over({ by: ['user_id'], rangeMs: hours(24) }, (p) => ({
    user_count_24h: count(),
    user_sum_24h: sum(p.total_amount),
    user_addresses_24h: countDistinct(p.street),
  }))
  .over({ by: ['card_fingerprint'], rangeMs: hours(1) }, (p) => ({
    card_count_1h: count(),
    card_small_1h: count(null, { where: p.total_amount.atMost(10) }),
    card_declined_1h: count(null, { where: p.status.equals('declined') }),
    card_users_1h: countDistinct(p.user_id),
  }))
  .over({ by: ['device_id'], rangeMs: hours(1) }, (p) => ({
    device_count_1h: count(),
    device_small_1h: count(null, { where: p.total_amount.atMost(10) }),
    device_cards_1h: countDistinct(p.card_fingerprint),
  }))
  .over({ by: ['device_id'], rangeMs: hours(24) }, (p) => ({
    device_cards_24h: countDistinct(p.card_fingerprint),
    device_users_24h: countDistinct(p.user_id),
  }))
  .over({ by: ['ip_address'], rangeMs: hours(1) }, (p) => ({
    ip_count_1h: count(),
    ip_users_1h: countDistinct(p.user_id),
    ip_cards_1h: countDistinct(p.card_fingerprint),
  }))
  .over({ by: ['street', 'zip'], rangeMs: hours(24) }, (p) => ({ address_users_24h: countDistinct(p.user_id) }))
  .decayedSum('user_spent_30d', { by: ['user_id'], of: (p) => p.total_amount, halfLifeMs: monthHalfLifeMs })
  .decayedSum('user_paid_30d', { by: ['user_id'], of: () => one, halfLifeMs: monthHalfLifeMs })
  .named('payment-velocity')

export const chargebacksOnce = from(chargebacks)
  .deduplicate({ identity: ['chargeback_id'], horizonMs: hours(24) })
  .select('timestamp', 'transaction_id', 'user_id', 'amount', 'reason')
  .named('chargebacks-once')

export const returnsOnce = from(returns)
  .deduplicate({ identity: ['return_id'], horizonMs: hours(24) })
  .select('timestamp', 'return_id', 'transaction_id', 'user_id', 'refund_amount', 'reason')
  .named('returns-once')

const accounts = newestOf(
  from(ecommerceCustomers)
    .select('customer_id', 'updated_at', 'registered_at', 'country', 'segment')
    .rename({ country: 'customer_country', segment: 'customer_segment' }),
  { key: 'customer_id' },
)

/** A row for each order, in the order of event time, with what was known of its customer when it came. */
export const orderVelocity = from(ecommerceOrders)
  .deduplicate({ identity: ['order_id'], horizonMs: hours(24) })
  .lookup(accounts, { by: 'customer_id', unknown: 'null' })
  .select(
    'order_date',
    'order_id',
    'customer_id',
    'total_amount',
    'payment_method',
    'status',
    'shipping_country',
    'shipping_state',
    'registered_at',
    'customer_country',
  )
  .over({ by: ['customer_id'], rangeMs: hours(1) }, (order) => ({
    customer_count_1h: count(),
    customer_sum_1h: sum(order.total_amount),
  }))
  .over({ by: ['customer_id'], rangeMs: hours(24) }, (order) => ({
    customer_count_24h: count(),
    customer_countries_24h: countDistinct(order.shipping_country),
  }))
  .decayedSum('customer_spent_30d', {
    by: ['customer_id'],
    of: (order) => order.total_amount,
    halfLifeMs: monthHalfLifeMs,
  })
  .decayedSum('customer_ordered_30d', { by: ['customer_id'], of: () => one, halfLifeMs: monthHalfLifeMs })
  .named('order-velocity')
