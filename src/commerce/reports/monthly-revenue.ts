// Gross sales of the online-retail wholesaler per calendar month, and what revenue means: gross, identified, net.
import { integer, money, type Report, text, within } from './report.ts'

export const monthlyRevenueReport: Report = {
  name: 'monthly-revenue',
  doc: 'Gross sales of the online-retail wholesaler per calendar month, pounds: no cancellation, quantity and price above zero.',
  reads: [{ layer: 'silver', topic: 'online-retail' }],
  columns: [text('month'), money('gross', 'GBP')],
  // Summed exactly in thousandths, rounded once, half away from zero.
  sql: `SELECT strftime(invoice_date, '%Y-%m') AS month, round(sum(quantity * unit_price), 2) AS gross
FROM lake.silver_online_retail
WHERE NOT starts_with(invoice_no, 'C') AND quantity > 0 AND unit_price > 0 AND ${within('invoice_date')}
GROUP BY month ORDER BY month`,
  period: 'month',
  schedule: '20 3 * * *',
}

export const retailRevenueReport: Report = {
  name: 'retail-revenue',
  doc: 'The three revenues of the online-retail wholesaler: gross sales, those of known customers, and net of everything.',
  reads: [{ layer: 'silver', topic: 'online-retail' }],
  columns: [
    text('definition'),
    integer('lines'),
    integer('invoices'),
    integer('customers'),
    money('revenue', 'GBP', 3),
  ],
  sql: `WITH lines AS (
  SELECT *, quantity * unit_price AS value, NOT starts_with(invoice_no, 'C') AND quantity > 0 AND unit_price > 0 AS is_sale
  FROM lake.silver_online_retail WHERE ${within('invoice_date')}
), defined AS (
  SELECT 1 AS place, 'gross sales' AS definition, * FROM lines WHERE is_sale
  UNION ALL SELECT 2, 'identified sales', * FROM lines WHERE is_sale AND customer_id IS NOT NULL
  UNION ALL SELECT 3, 'net', * FROM lines
)
SELECT definition, count(*), count(DISTINCT invoice_no), count(DISTINCT customer_id), sum(value)
FROM defined GROUP BY place, definition ORDER BY place`,
  period: 'all',
  schedule: null,
}
