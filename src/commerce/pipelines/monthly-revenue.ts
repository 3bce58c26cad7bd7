// Gross sales of the wholesaler per calendar month. Gross: no cancellation, pieces and price above zero.
import { calendar, from, sum } from '../../query/query.ts'
import { onlineRetail } from '../contracts/online-retail.ts'

/** `gross` is exact, in thousandths of a pound; the report rounds it once. */
export const monthlyRevenue = from(onlineRetail)
  .filter((line) => line.invoice_no.startsWith('C').not().and(line.quantity.above(0)).and(line.unit_price.above(0)))
  .derive((line) => ({ value: line.unit_price.times(line.quantity) }))
  .window(calendar('month'))
  .aggregate((line) => ({ gross: sum(line.value) }))
  .named('monthly-revenue')
