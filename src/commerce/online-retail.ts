// The Online Retail file (UCI data set 352) as events: one line of its CSV becomes the JSON of one `online-retail` record.
// Nothing is judged here: a number that is none goes out as text, so that the contract rejects it with a reason.
import { onlineRetail } from './contracts/online-retail.ts'

/** How the rows of a CSV file become the records of a topic. */
export interface CsvRecords {
  readonly topic: string
  /** Header names the file must have; `key` and `value` get their fields in this order. */
  readonly columns: readonly string[]
  /** The Kafka key of a row. */
  key(row: readonly string[]): string
  /** The JSON text of a row. */
  value(row: readonly string[]): string
  /** Index in `columns` of the event time: ISO-8601, so that texts of one shape compare as times do. */
  readonly timeColumn: number
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const numberOrText = (text: string): string => (jsonNumber.test(text) ? text : JSON.stringify(text))
/** An empty field is a missing one. */
const textOrNull = (text: string): string => (text === '' ? 'null' : JSON.stringify(text))

export const onlineRetailLines: CsvRecords = {
  topic: onlineRetail.topic,
  columns: ['InvoiceNo', 'StockCode', 'Description', 'Quantity', 'InvoiceDate', 'UnitPrice', 'CustomerID', 'Country'],
  timeColumn: 4,
  key: (row) => row[0] ?? '',
  value([
    invoice = '',
    stock = '',
    description = '',
    quantity = '',
    date = '',
    price = '',
    customer = '',
    country = '',
  ]) {
    return (
      `{"invoice_no":${textOrNull(invoice)},"stock_code":${textOrNull(stock)},"description":${textOrNull(description)},` +
      `"quantity":${numberOrText(quantity)},"invoice_date":${textOrNull(date)},"unit_price":${numberOrText(price)},` +
      `"customer_id":${textOrNull(customer)},"country":${textOrNull(country)}}`
    )
  },
}
