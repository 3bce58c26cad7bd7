// What is bought together (E7): for every two products how many purchases hold both, for each how many hold it, and how many
// there are. Running, exact.
import { count, from, hours } from '../../query/query.ts'
import { transactions } from '../contracts/transactions.ts'

const bought = from(transactions)
  .filter((payment) => payment.status.equals('approved'))
  .deduplicate({ identity: ['transaction_id'], horizonMs: hours(24) })
/** A shop writes one line for each product of a purchase: where it writes two, each counts. */
const lines = bought.unnest('items').select('timestamp', 'transaction_id', 'product_id')
const others = lines.rename({ timestamp: 'other_at', product_id: 'other_id' })

/** A row for each two products, the one that sorts first as `product_id`. */
export const boughtTogether = lines
  .join(others, { how: 'interval', side: 'inner', on: { transaction_id: 'transaction_id' }, beforeMs: 0, afterMs: 0 })
  .filter((pair) => pair.product_id.below(pair.other_id))
  .groupBy('product_id', 'other_id')
  .aggregate(() => ({ baskets: count() }))
  .named('bought-together')

/** A row for each product. */
export const basketsByProduct = lines
  .groupBy('product_id')
  .aggregate(() => ({ baskets: count() }))
  .named('baskets-by-product')

/** One row. */
export const basketsInAll = bought.aggregate(() => ({ baskets: count() })).named('baskets-in-all')
