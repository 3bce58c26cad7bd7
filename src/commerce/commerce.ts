// The shop's door: what its topics promise (contracts), what is computed from them (pipelines: Plans, which no engine
// is named in) and what is reported (a Plan over all of a topic, and how its rows read).
import type { Contract } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { onlineRetail } from './contracts/online-retail.ts'
import { orderProducts, orders } from './contracts/orders.ts'
import { sales } from './contracts/sales.ts'
import { onlineRetailLines } from './online-retail.ts'
import { monthlyRevenue } from './pipelines/monthly-revenue.ts'
import { productMetrics } from './pipelines/product-metrics.ts'
import { salesByProduct, salesPerSecond, salesWindow } from './pipelines/sales-window.ts'
import { monthlyRevenueReport, type Report, type ReportRow } from './reports.ts'

export type { Report, ReportRow }
export { onlineRetail, onlineRetailLines, orderProducts, orders, sales }

/** What is computed from a topic as records come. */
export interface Pipeline {
  readonly name: string
  /** The topics it reads. */
  readonly reads: readonly string[]
  readonly plan: Plan
  /** A sentence for people. */
  readonly doc: string
}

const byKey = <T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> =>
  new Map(items.map((item) => [key(item), item]))
const pipeline = (plan: Plan, doc: string): Pipeline => ({
  name: plan.name,
  reads: Object.keys(plan.contracts),
  plan,
  doc,
})

/** Contracts by topic. */
export const contracts: ReadonlyMap<string, Contract> = byKey<Contract>(
  [sales, orders, onlineRetail],
  ({ topic }) => topic,
)

/** Pipelines by name. */
export const pipelines: ReadonlyMap<string, Pipeline> = byKey(
  [
    pipeline(
      salesWindow,
      'The last 15 minutes of sales, each second: count, revenue, average ticket, what was active.',
    ),
    pipeline(salesPerSecond, 'Sales and revenue of each second.'),
    pipeline(salesByProduct, 'What each product sold in 15 minutes, each minute.'),
    pipeline(productMetrics, 'Orders by product and minute: count, revenue, average.'),
    pipeline(monthlyRevenue, 'Gross sales of the online-retail wholesaler per calendar month, in thousandths.'),
  ],
  ({ name }) => name,
)

/** Reports by name. */
export const reports: ReadonlyMap<string, Report> = byKey<Report>([monthlyRevenueReport], ({ name }) => name)
