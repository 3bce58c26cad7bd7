// Sales of the marketplace by the hour, and how much of them few sellers make.
import { integer, money, number, type Report, text, within } from './report.ts'

export const hourlySalesReport: Report = {
  name: 'hourly-sales',
  doc: 'Sales of the marketplace by hour (UTC) and category: how many, pieces, revenue.',
  reads: [{ layer: 'silver', topic: 'sales' }],
  columns: [text('hour'), text('category'), integer('sales'), integer('pieces'), money('revenue', 'BRL')],
  sql: `SELECT strftime(sale_date, '%Y-%m-%dT%H:00Z') AS hour, nm_category AS category, count(*), sum(quantity)::BIGINT,
  sum(price * quantity)
FROM lake.silver_sales WHERE ${within('sale_date')}
GROUP BY hour, category ORDER BY hour, category`,
  period: 'day',
  schedule: '5 * * * *',
}

export const sellerConcentrationReport: Report = {
  name: 'seller-concentration',
  doc: 'How much of a day’s revenue few sellers of the marketplace make: share of the first and of the first five, Herfindahl index.',
  reads: [{ layer: 'silver', topic: 'sales' }],
  columns: [
    text('day'),
    integer('sellers'),
    money('revenue', 'BRL'),
    text('first_seller'),
    number('first_share'),
    number('first_five_share'),
    number('herfindahl'),
  ],
  sql: `WITH sold AS (
  SELECT sale_date::DATE AS day, seller, sum(price * quantity) AS revenue
  FROM lake.silver_sales WHERE ${within('sale_date')} GROUP BY day, seller HAVING sum(price * quantity) > 0
), shared AS (
  SELECT *, revenue::DOUBLE / sum(revenue::DOUBLE) OVER (PARTITION BY day) AS share,
    row_number() OVER (PARTITION BY day ORDER BY revenue DESC, seller) AS place
  FROM sold
)
SELECT strftime(day, '%Y-%m-%d'), count(*), sum(revenue), any_value(seller) FILTER (place = 1), sum(share) FILTER (place = 1),
  sum(share) FILTER (place <= 5), sum(share * share)
FROM shared GROUP BY day ORDER BY day`,
  period: 'day',
  schedule: '50 * * * *',
}
