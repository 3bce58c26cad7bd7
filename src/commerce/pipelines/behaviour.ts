// What visitors of the store do, in the order of event time: what sessions, funnels, bots and recommendations are made of
// (E4, E7), and views by the minute, whose spikes are told.
import { constant, count, from, hours, minutes, tumbling, when } from '../../query/query.ts'
import { transactions } from '../contracts/transactions.ts'
import { userEvents } from '../contracts/user-events.ts'

const acts = from(userEvents)
  .deduplicate({ identity: ['event_id'], horizonMs: hours(1) })
  .derive(() => ({ quantity: constant({ kind: 'int64' }, 1) }))
  .select(
    'timestamp',
    'event_id',
    'user_id',
    'session_id',
    'event_type',
    'product_id',
    'category',
    'price',
    'quantity',
    'ip_address',
  )

/** A purchase is a row for each of its items; what was declined is none. */
const purchases = from(transactions)
  .select('timestamp', 'transaction_id', 'user_id', 'session_id', 'event_type', 'ip_address', 'status', 'items')
  .filter((payment) => payment.status.equals('approved'))
  .deduplicate({ identity: ['transaction_id'], horizonMs: hours(1) })
  .unnest('items')
  .rename({ transaction_id: 'event_id' })
  .derive((item) => ({
    // The items do not say it: whoever needs it knows it from views.
    category: when(item.quantity.below(0), item.product_id).orNull(),
  }))
  .select(
    'timestamp',
    'event_id',
    'user_id',
    'session_id',
    'event_type',
    'product_id',
    'category',
    'price',
    'quantity',
    'ip_address',
  )

/** A row for each act and each item bought, once nothing can come between, with how many the session made in a minute. */
export const visitorActs = acts
  .union(purchases)
  .over({ by: ['session_id'], rangeMs: minutes(1) }, () => ({ session_acts_1m: count() }))
  .named('visitor-acts')

/** Views of each category and minute. */
export const viewsByMinute = from(userEvents)
  .filter((act) => act.event_type.equals('product_view').and(act.category.isNull().not()))
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('category')
  .aggregate(() => ({ views: count() }))
  .lateness(minutes(1))
  .named('views-by-minute')
