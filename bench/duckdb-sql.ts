// B1, B2 and B3 as DuckDB does them best: one scan of the file, then running sums over panes instead of 900 panes a window.
import { orderProducts } from '../src/commerce/commerce.ts'

const windowSeconds = 900

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * W2. An id is there in the windows of [its pane, its pane + window size), cut short where its next pane begins: those
 * spans do not overlap, so +1 where one begins, -1 where it ends, and a running sum count exactly what is distinct.
 * Counts and sums run over the panes of the window, the maximum is a window function.
 */
export function salesWindowSql(file: string, slideSeconds: number): readonly string[] {
  const panes = windowSeconds / slideSeconds
  const distinct = (name: string, column: string): string => `
    ${name}_present AS (SELECT DISTINCT pane, ${column} AS id FROM sale),
    ${name}_spans AS (
      SELECT pane, least(pane + ${panes}, coalesce(lead(pane) OVER (PARTITION BY id ORDER BY pane), pane + ${panes})) AS until
      FROM ${name}_present),
    ${name}_edges AS (
      SELECT edge, sum(change) AS change
      FROM (SELECT pane AS edge, 1 AS change FROM ${name}_spans UNION ALL SELECT until, -1 FROM ${name}_spans)
      GROUP BY edge)`
  return [
    `CREATE OR REPLACE TEMP TABLE sale AS
    SELECT epoch_ms(sale_date) // ${slideSeconds * 1000} AS pane, seller, coalesce(nm_category, 'General Category') AS category,
      id_product AS product, (price * 100)::BIGINT * coalesce(quantity, 1) AS value
    FROM read_json(${quoted(file)}, format = 'newline_delimited', columns = {
      id_product: 'VARCHAR', nm_category: 'VARCHAR', seller: 'VARCHAR', price: 'DECIMAL(18,2)', quantity: 'BIGINT',
      sale_date: 'TIMESTAMP'})`,
    `CREATE OR REPLACE TEMP TABLE result AS
    WITH ${distinct('seller', 'seller')},${distinct('category', 'category')},${distinct('product', 'product')},
    summed AS (SELECT pane, count(*) AS n, sum(value) AS total, max(value) AS most FROM sale GROUP BY pane),
    spine AS (SELECT unnest(generate_series(min(pane), max(pane) + ${panes - 1})) AS pane FROM summed),
    slid AS (
      SELECT pane,
        sum(n) OVER recent AS n, sum(total) OVER recent AS total, max(most) OVER recent AS most,
        sum(s.change) OVER past AS sellers, sum(c.change) OVER past AS categories, sum(p.change) OVER past AS products
      FROM spine LEFT JOIN summed USING (pane)
        LEFT JOIN seller_edges s ON s.edge = pane
        LEFT JOIN category_edges c ON c.edge = pane
        LEFT JOIN product_edges p ON p.edge = pane
      WINDOW recent AS (ORDER BY pane RANGE BETWEEN ${panes - 1} PRECEDING AND CURRENT ROW), past AS (ORDER BY pane))
    SELECT
      strftime(make_timestamp((pane + ${1 - panes}) * ${slideSeconds}000000), '%Y-%m-%dT%H:%M:%SZ') AS window_start,
      strftime(make_timestamp((pane + 1) * ${slideSeconds}000000), '%Y-%m-%dT%H:%M:%SZ') AS window_end,
      n::BIGINT AS sales, total::BIGINT AS revenue, ((2 * total + n) // (2 * n))::BIGINT AS avg_ticket,
      sellers::BIGINT AS active_sellers, categories::BIGINT AS active_categories, products::BIGINT AS active_products,
      most AS biggest_sale
    FROM slid WHERE n > 0 ORDER BY pane`,
  ]
}

/** O5: only orders of a known product with an amount above zero count. Averages are rounded half up: amounts are above 0. */
export function productMetricsSql(file: string): readonly string[] {
  const products = Object.entries(orderProducts).map(([id, name]) => `(${quoted(id)}, ${quoted(name)})`)
  return [
    `CREATE OR REPLACE TEMP TABLE result AS
    WITH known(product_id, product_name) AS (VALUES ${products.join(', ')}),
    counted AS (
      SELECT epoch_ms("timestamp") // 60000 AS minute, product_id, count(*) AS n, sum((amount * 100)::BIGINT) AS total
      FROM read_json(${quoted(file)}, format = 'newline_delimited', columns = {
        product_id: 'VARCHAR', amount: 'DECIMAL(18,2)', "timestamp": 'TIMESTAMP'})
      WHERE amount > 0 GROUP BY ALL)
    SELECT minute * 60 AS window_start, minute * 60 + 60 AS window_end, product_id, product_name, n AS order_count,
      total::BIGINT AS total_revenue, ((2 * total + n) // (2 * n))::BIGINT AS avg_order_value
    FROM counted JOIN known USING (product_id) ORDER BY window_start, product_id`,
  ]
}

/** O4: the valid orders with the names of their products. */
export function enrichedOrdersSql(file: string): readonly string[] {
  const products = Object.entries(orderProducts).map(([id, name]) => `(${quoted(id)}, ${quoted(name)})`)
  return [
    `CREATE OR REPLACE TEMP TABLE result AS
    WITH known(product_id, product_name) AS (VALUES ${products.join(', ')})
    SELECT order_id, user_id, product_id, (amount * 100)::BIGINT AS amount,
      strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') AS "timestamp", product_name
    FROM read_json(${quoted(file)}, format = 'newline_delimited', columns = {
        order_id: 'VARCHAR', user_id: 'VARCHAR', product_id: 'VARCHAR', amount: 'DECIMAL(18,2)', "timestamp": 'TIMESTAMP'})
      JOIN known USING (product_id)
    WHERE amount > 0`,
  ]
}
