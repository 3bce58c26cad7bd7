// The store: what its visitors do each day, and how often its stock is sold in a week.
import { integer, money, number, type Report, text, within } from './report.ts'

export const dailyEngagementReport: Report = {
  name: 'daily-engagement',
  doc: 'Visitors of the store by day (UTC): how many, how often, what they do, and how many buy.',
  reads: [
    { layer: 'silver', topic: 'user-events' },
    { layer: 'silver', topic: 'transactions' },
  ],
  columns: [
    text('day'),
    integer('users'),
    integer('sessions'),
    integer('events'),
    integer('views'),
    integer('carts'),
    integer('searches'),
    integer('buyers'),
    number('events_per_user'),
    number('buyer_share'),
  ],
  sql: `WITH acts AS (
  SELECT timestamp::DATE AS day, * FROM lake.silver_user_events WHERE ${within('timestamp')}
), bought AS (
  SELECT timestamp::DATE AS day, count(DISTINCT user_id) AS buyers FROM lake.silver_transactions
  WHERE ${within('timestamp')} GROUP BY day
), daily AS (
  SELECT day, count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions, count(*) AS events,
    count(*) FILTER (event_type = 'product_view') AS views, count(*) FILTER (event_type = 'add_to_cart') AS carts,
    count(*) FILTER (event_type = 'search') AS searches
  FROM acts GROUP BY day
)
SELECT strftime(day, '%Y-%m-%d'), users, sessions, events, views, carts, searches, coalesce(buyers, 0), events / users,
  coalesce(buyers, 0) / users
FROM daily LEFT JOIN bought USING (day) ORDER BY day`,
  period: 'day',
  schedule: '10 * * * *',
}

/** No topic tells what the store paid for its goods: so much of the mean price that was asked for them. */
const costShareOfPrice = '0.60'

export const inventoryTurnoverReport: Report = {
  name: 'inventory-turnover',
  doc: `Stock of the store by week (from Monday, UTC): cost of goods sold over the mean stock at cost. Cost is taken as ${costShareOfPrice} of the mean price.`,
  reads: [
    { layer: 'silver', topic: 'inventory-updates' },
    { layer: 'silver', topic: 'transactions' },
  ],
  columns: [
    text('week'),
    text('product'),
    integer('sold'),
    money('cost_of_goods_sold', 'USD'),
    money('mean_stock_at_cost', 'USD'),
    number('turnover'),
    number('days_of_stock'),
  ],
  // The mean stock: that at the end of each day of the week on which anything is known, over all warehouses.
  sql: `WITH costs AS (
  SELECT item.product_id AS product_id, avg(item.price)::DECIMAL(18, 4) * ${costShareOfPrice} AS cost
  FROM (SELECT unnest(items) AS item FROM lake.silver_transactions) GROUP BY 1
), changes AS (
  SELECT product_id, warehouse_location AS warehouse, timestamp, stock_change, current_stock, _arrival, _offset
  FROM lake.silver_inventory_updates WHERE ${within('timestamp')}
), days AS (
  SELECT unnest(generate_series(min(timestamp)::DATE, max(timestamp)::DATE, INTERVAL 1 DAY))::DATE AS day FROM changes
), ends AS (
  SELECT product_id, warehouse, timestamp::DATE AS day, arg_max(current_stock, (timestamp, _arrival, _offset)) AS stock
  FROM changes GROUP BY ALL
), kept AS (
  SELECT place.product_id, place.warehouse, days.day, ends.stock
  FROM (SELECT DISTINCT product_id, warehouse FROM ends) AS place CROSS JOIN days
  ASOF JOIN ends ON place.product_id = ends.product_id AND place.warehouse = ends.warehouse AND days.day >= ends.day
), stock AS (
  SELECT date_trunc('week', day) AS week, product_id, avg(stock) AS pieces
  FROM (SELECT day, product_id, sum(stock) AS stock FROM kept GROUP BY ALL) GROUP BY ALL
), sold AS (
  SELECT date_trunc('week', timestamp) AS week, product_id, -sum(stock_change) FILTER (stock_change < 0) AS pieces
  FROM changes GROUP BY ALL
), valued AS (
  SELECT week, product_id, coalesce(sold.pieces, 0)::BIGINT AS pieces, coalesce(sold.pieces, 0) * cost AS cogs,
    stock.pieces * cost AS held
  FROM stock JOIN costs USING (product_id) LEFT JOIN sold USING (week, product_id)
)
SELECT strftime(week, '%Y-%m-%d'), product_id, pieces, round(cogs::DECIMAL(18, 4), 2), round(held::DECIMAL(18, 4), 2),
  CASE WHEN held > 0 THEN cogs / held END, CASE WHEN cogs > 0 THEN 7 * held / cogs END
FROM valued ORDER BY week, product_id`,
  period: 'week',
  schedule: '15 4 * * 1',
}
