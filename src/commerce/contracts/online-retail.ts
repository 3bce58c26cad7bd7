// What an `online-retail` record promises: one line of an invoice of a real wholesaler (UCI data set 352, CC BY 4.0),
// with all its quirks: every one of its 541,909 lines is valid here, what counts as a sale is the pipelines' business.
import { contract, field, nullable } from '../../query/contract.ts'

export const onlineRetail = contract({
  topic: 'online-retail',
  version: 1,
  partitions: 3,
  // The invoice, so that the lines of one order stay together and in order, a cancellation's as well.
  key: 'invoice_no',
  eventTime: 'invoice_date',
  // No identity: 5,268 lines are exact copies of another line, and the published totals count them.
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    invoice_no: field({ kind: 'string' }, 'Invoice; C… is a cancellation, A… a bad-debt adjustment.'),
    stock_code: field({ kind: 'string' }, 'Article as written (case varies), or a code such as POST or BANK CHARGES.'),
    description: nullable({ kind: 'string' }, 'Title of the article; missing in 1,454 lines.'),
    quantity: field({ kind: 'int64' }, 'Pieces; negative for cancellations, returns and stock corrections.'),
    invoice_date: field(
      { kind: 'timestamp' },
      'When it was invoiced, to the minute; written without a zone, read as UTC.',
    ),
    // Thousandths: four prices are 0.001, and the published totals count them.
    unit_price: field({ kind: 'money', scale: 3, currency: 'GBP' }, 'Price of one piece; may be zero or negative.'),
    customer_id: nullable({ kind: 'string' }, 'Customer; missing in 135,080 lines.'),
    country: field({ kind: 'string' }, "The customer's country."),
  },
  doc: 'Invoice lines of a UK gift wholesaler, December 2010 to December 2011.',
})
