// The work of the window benches, said once for both sides: the Plan, what its rows look like, and the same in SQL.
import { orderProducts, orders, pipelines, sales } from '../src/commerce/commerce.ts'
import type { Plan } from '../src/query/plan.ts'
import {
  average,
  count,
  countDistinct,
  from,
  hopping,
  max,
  minutes,
  seconds,
  staticTable,
  sum,
} from '../src/query/query.ts'
import type { Column } from './compare.ts'
import { enrichedOrdersSql, productMetricsSql, salesWindowSql } from './duckdb-sql.ts'
import type { InputKind } from './inputs.ts'

export const workNames = ['sales-window', 'sales-window-60s', 'product-metrics', 'enriched-orders'] as const
export type WorkName = (typeof workNames)[number]

export interface Work {
  readonly plan: Plan
  readonly input: InputKind
  readonly columns: readonly Column[]
  /** Reads the file, leaves the final rows in a table `result`, money in minor units. */
  readonly sql: (file: string) => readonly string[]
}

/** W2 with another distance between its windows; with 1 s it is the Plan of the shop. */
export function salesWindowSliding(slideSeconds: number): Plan {
  return from(sales)
    .derive((sale) => ({ value: sale.price.times(sale.quantity) }))
    .window(hopping({ sizeMs: minutes(15), slideMs: seconds(slideSeconds) }))
    .aggregate((sale) => ({
      sales: count(),
      revenue: sum(sale.value),
      avg_ticket: average(sale.value, { scale: 2 }),
      active_sellers: countDistinct(sale.seller),
      active_categories: countDistinct(sale.nm_category),
      active_products: countDistinct(sale.id_product),
      biggest_sale: max(sale.value),
    }))
    .emit({ everyMs: seconds(1) })
    .lateness(minutes(1))
    .named('sales-window')
}

/** O4: each order validated, with the name of its product. */
export const enrichedOrders: Plan = from(orders)
  .lookup(
    staticTable({
      name: 'order-products',
      columns: { product_name: { kind: 'string' } },
      rows: Object.fromEntries(Object.entries(orderProducts).map(([id, name]) => [id, { product_name: name }])),
    }),
    { by: 'product_id', unknown: 'dead-letter' },
  )
  .output({ times: 'iso-milliseconds' })
  .named('enriched-orders')

const salesColumns: readonly Column[] = [
  { name: 'window_start', kind: 'text' },
  { name: 'window_end', kind: 'text', key: true },
  { name: 'sales', kind: 'integer' },
  { name: 'revenue', kind: 'money' },
  { name: 'avg_ticket', kind: 'money' },
  { name: 'active_sellers', kind: 'integer' },
  { name: 'active_categories', kind: 'integer' },
  { name: 'active_products', kind: 'integer' },
  { name: 'biggest_sale', kind: 'money' },
]
const productColumns: readonly Column[] = [
  { name: 'window_start', kind: 'integer', key: true },
  { name: 'window_end', kind: 'integer' },
  { name: 'product_id', kind: 'text', key: true },
  { name: 'product_name', kind: 'text' },
  { name: 'order_count', kind: 'integer' },
  { name: 'total_revenue', kind: 'money' },
  { name: 'avg_order_value', kind: 'money' },
]

const orderColumns: readonly Column[] = [
  { name: 'order_id', kind: 'text', key: true },
  { name: 'user_id', kind: 'text' },
  { name: 'product_id', kind: 'text' },
  { name: 'amount', kind: 'money' },
  { name: 'timestamp', kind: 'text' },
  { name: 'product_name', kind: 'text' },
]

function shopPlan(name: string): Plan {
  const pipeline = pipelines.get(name)
  if (pipeline === undefined) throw new Error(`the shop has no pipeline ${name}`)
  return pipeline.plan
}

export function workOf(name: WorkName): Work {
  switch (name) {
    case 'sales-window':
      return {
        plan: shopPlan('sales-window'),
        input: 'sales',
        columns: salesColumns,
        sql: (file) => salesWindowSql(file, 1),
      }
    case 'sales-window-60s':
      return {
        plan: salesWindowSliding(60),
        input: 'sales',
        columns: salesColumns,
        sql: (file) => salesWindowSql(file, 60),
      }
    case 'product-metrics':
      return { plan: shopPlan('product-metrics'), input: 'orders', columns: productColumns, sql: productMetricsSql }
    case 'enriched-orders':
      return { plan: enrichedOrders, input: 'orders', columns: orderColumns, sql: enrichedOrdersSql }
  }
}
