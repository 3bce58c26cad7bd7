// Customers of the online-retail wholesaler: who comes back (cohorts), and who is worth what (segments by recency, frequency
// and money).
import { integer, money, number, type Report, text, within } from './report.ts'

/** Sales of known customers: what both reports count. */
const identified = `NOT starts_with(invoice_no, 'C') AND quantity > 0 AND unit_price > 0 AND customer_id IS NOT NULL AND ${within('invoice_date')}`

export const cohortsReport: Report = {
  name: 'cohorts',
  doc: 'Customers of the online-retail wholesaler by the month of their first purchase, and how many buy again in each later month.',
  reads: [{ layer: 'silver', topic: 'online-retail' }],
  columns: [text('cohort'), integer('customers'), integer('month'), integer('active'), number('retention')],
  sql: `WITH months AS (
  SELECT DISTINCT customer_id, date_trunc('month', invoice_date) AS month FROM lake.silver_online_retail WHERE ${identified}
), firsts AS (
  SELECT customer_id, min(month) AS cohort FROM months GROUP BY customer_id
), sizes AS (
  SELECT cohort, count(*) AS customers FROM firsts GROUP BY cohort
)
SELECT strftime(cohort, '%Y-%m'), any_value(customers), datediff('month', cohort, month) AS since, count(*),
  count(*) / any_value(customers)
FROM months JOIN firsts USING (customer_id) JOIN sizes USING (cohort)
GROUP BY cohort, since ORDER BY cohort, since`,
  period: 'all',
  schedule: '30 3 * * *',
}

export const segmentsReport: Report = {
  name: 'segments',
  doc: 'Customers of the online-retail wholesaler by recency, frequency and money: quintiles 1 to 5 (5 is best) and a name.',
  reads: [{ layer: 'silver', topic: 'online-retail' }],
  columns: [
    text('customer'),
    integer('recency_days'),
    integer('orders'),
    money('revenue', 'GBP', 3),
    integer('recency'),
    integer('frequency'),
    integer('money'),
    text('segment'),
  ],
  // The day after the newest sale is day 0. Quintiles by rank; ties go by the customer's number.
  sql: `WITH sales AS (SELECT * FROM lake.silver_online_retail WHERE ${identified}),
measured AS (
  SELECT customer_id, datediff('day', max(invoice_date)::DATE, (SELECT max(invoice_date)::DATE FROM sales) + 1) AS days,
    count(DISTINCT invoice_no) AS orders, sum(quantity * unit_price) AS revenue
  FROM sales GROUP BY customer_id
), scored AS (
  SELECT *, 6 - ntile(5) OVER (ORDER BY days, customer_id) AS r, ntile(5) OVER (ORDER BY orders, customer_id) AS f,
    ntile(5) OVER (ORDER BY revenue, customer_id) AS m
  FROM measured
)
SELECT customer_id, days, orders, revenue, r, f, m,
  CASE WHEN r >= 4 AND f >= 4 THEN 'champions' WHEN f >= 4 AND r = 3 THEN 'loyal' WHEN r >= 4 AND f <= 2 THEN 'new'
    WHEN r >= 3 THEN 'promising' WHEN f >= 4 THEN 'at risk' WHEN f = 3 OR m >= 4 THEN 'needs attention' ELSE 'hibernating' END
FROM scored ORDER BY revenue DESC, customer_id`,
  period: 'all',
  schedule: '40 3 * * *',
}
