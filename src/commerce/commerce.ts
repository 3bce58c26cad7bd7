// The shop's door: what its topics promise (contracts), what is computed from them (pipelines: Plans, which no engine
// is named in) and what is reported (a Plan over all of a topic, and how its rows read).
import type { Contract } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import { type ContractChange, contractChanges, isBreaking } from './contract-changes.ts'
import { earlierVersions } from './contract-versions.ts'
import { cartAbandonments } from './contracts/cart-abandonments.ts'
import { chargebacks } from './contracts/chargebacks.ts'
import { customerSegments, ecommerceCustomers } from './contracts/ecommerce-customers.ts'
import { ecommerceFraudAlerts } from './contracts/ecommerce-fraud-alerts.ts'
import { ecommerceOrderItems } from './contracts/ecommerce-order-items.ts'
import { ecommerceOrderStatus } from './contracts/ecommerce-order-status.ts'
import { ecommerceOrders, orderStatuses } from './contracts/ecommerce-orders.ts'
import { fraudAlerts } from './contracts/fraud-alerts.ts'
import { funnel } from './contracts/funnel.ts'
import { groundTruth } from './contracts/ground-truth.ts'
import { inventoryUpdates } from './contracts/inventory-updates.ts'
import { delayPatterns, marketplaceSales } from './contracts/marketplace-sales.ts'
import { onlineRetail } from './contracts/online-retail.ts'
import { orderProducts, orders } from './contracts/orders.ts'
import { priceChanges } from './contracts/price-changes.ts'
import { processedOrders } from './contracts/processed-orders.ts'
import { productMetricsRows } from './contracts/product-metrics.ts'
import { promotions } from './contracts/promotions.ts'
import { returns } from './contracts/returns.ts'
import { sales } from './contracts/sales.ts'
import { salesEvents } from './contracts/sales-events.ts'
import { trafficAlerts } from './contracts/traffic-alerts.ts'
import { transactions } from './contracts/transactions.ts'
import { userEvents } from './contracts/user-events.ts'
import {
  type EntityKind,
  type FeatureDefinition,
  type FeaturesState,
  featureDefinitions,
  featureStore,
  featuresOf,
  salesFeaturePlans,
  storeFeaturePlans,
} from './features/features.ts'
import { type OdcsContract, odcs } from './odcs.ts'
import { onlineRetailLines } from './online-retail.ts'
import { viewsByMinute, visitorActs } from './pipelines/behaviour.ts'
import { basketsByProduct, basketsInAll, boughtTogether } from './pipelines/bought-together.ts'
import {
  paymentsByDevice,
  paymentsByUser,
  priceByMinute,
  purchasesByProduct,
  sellerVolume,
  stockByMinute,
  viewsByProduct,
  visitorsByMinute,
} from './pipelines/features.ts'
import { chargebacksOnce, orderVelocity, paymentVelocity, returnsOnce } from './pipelines/fraud.ts'
import { marketplaceArrivals } from './pipelines/marketplace-arrivals.ts'
import { marketplaceHourly } from './pipelines/marketplace-hourly.ts'
import { monthlyRevenue } from './pipelines/monthly-revenue.ts'
import { orderItemsEnriched } from './pipelines/order-items-enriched.ts'
import { ordersEnriched } from './pipelines/orders-enriched.ts'
import { processedOrdersPlan } from './pipelines/processed-orders.ts'
import { orderAnalytics, productMetrics } from './pipelines/product-metrics.ts'
import {
  qualityAmounts,
  qualityEcommerceCustomers,
  qualityEcommerceOrders,
  qualityInventoryUpdates,
  qualityMarketplaceSales,
  qualityOrderHeads,
  qualityOrderItems,
  qualityOrders,
  qualityPaymentLines,
  qualityPrices,
  qualitySales,
  qualityTransactions,
  qualityUserEvents,
} from './pipelines/quality.ts'
import { salesByCategory, salesByMinute, salesBySeller } from './pipelines/sales-minutes.ts'
import { salesByProduct, salesPerSecond, salesWindow } from './pipelines/sales-window.ts'
import { stockChanges } from './pipelines/stock-changes.ts'
import { productSales, storeMetrics, storeSales, trendingProducts } from './pipelines/store.ts'
import { abandonedCarts } from './reactions/abandoned-carts.ts'
import { type DelayRules, parseDelayRules } from './reactions/delay-rules.ts'
import { delayMonitor, delayTopics } from './reactions/delays.ts'
import { fraudMonitor, fraudScoresTopic } from './reactions/fraud.ts'
import { funnelMonitor } from './reactions/funnel.ts'
import { orderFraudMonitor } from './reactions/order-fraud.ts'
import {
  type PersonalisationState,
  personalisation,
  type Recommendations,
  recommend,
} from './reactions/personalisation.ts'
import { type QualitySettings, qualityMonitor, qualityTopics } from './reactions/quality.ts'
import { salesEventTracker } from './reactions/sales-events.ts'
import { stockAlertsTopic, stockMonitor } from './reactions/stock.ts'
import { trafficMonitor } from './reactions/traffic.ts'
import { dataQualityReport, lateArrivalsReport } from './reports/arrivals.ts'
import { cohortsReport, segmentsReport } from './reports/customers.ts'
import { monthlyRevenueReport, retailRevenueReport } from './reports/monthly-revenue.ts'
import type { Report, ReportColumn, ReportRow } from './reports/report.ts'
import { hourlySalesReport, sellerConcentrationReport } from './reports/sales.ts'
import { dailyEngagementReport, inventoryTurnoverReport } from './reports/store.ts'
import { topicPage, topicsPage } from './topics-page.ts'

export type {
  ContractChange,
  DelayRules,
  EntityKind,
  FeatureDefinition,
  FeaturesState,
  OdcsContract,
  PersonalisationState,
  QualitySettings,
  Reaction,
  Recommendations,
  Report,
  ReportColumn,
  ReportRow,
}
export {
  abandonedCarts,
  cartAbandonments,
  chargebacks,
  contractChanges,
  customerSegments,
  delayMonitor,
  delayPatterns,
  delayTopics,
  ecommerceCustomers,
  ecommerceFraudAlerts,
  ecommerceOrderItems,
  ecommerceOrderStatus,
  ecommerceOrders,
  featureDefinitions,
  featureStore,
  featuresOf,
  fraudAlerts,
  fraudMonitor,
  fraudScoresTopic,
  funnel,
  funnelMonitor,
  groundTruth,
  inventoryUpdates,
  isBreaking,
  marketplaceSales,
  odcs,
  onlineRetail,
  onlineRetailLines,
  orderFraudMonitor,
  orderProducts,
  orderStatuses,
  orders,
  parseDelayRules,
  personalisation,
  priceChanges,
  processedOrders,
  productMetricsRows,
  promotions,
  qualityMonitor,
  qualityTopics,
  recommend,
  returns,
  sales,
  salesEvents,
  salesEventTracker,
  salesFeaturePlans,
  stockAlertsTopic,
  stockMonitor,
  storeFeaturePlans,
  topicPage,
  topicsPage,
  trafficAlerts,
  trafficMonitor,
  transactions,
  userEvents,
}

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
  [
    sales,
    salesEvents,
    orders,
    processedOrders,
    productMetricsRows,
    ecommerceOrders,
    ecommerceCustomers,
    ecommerceOrderItems,
    ecommerceOrderStatus,
    ecommerceFraudAlerts,
    fraudAlerts,
    funnel,
    cartAbandonments,
    trafficAlerts,
    userEvents,
    transactions,
    inventoryUpdates,
    chargebacks,
    returns,
    priceChanges,
    promotions,
    marketplaceSales,
    groundTruth,
    onlineRetail,
  ],
  ({ topic }) => topic,
)

/** All versions of a topic's contract, side by side: the oldest first, the current one last. */
export function contractVersions(topic: string): readonly Contract[] {
  const current = contracts.get(topic)
  return current === undefined ? [] : [...(earlierVersions.get(topic) ?? []), current]
}

/** Pipelines by name. */
export const pipelines: ReadonlyMap<string, Pipeline> = byKey(
  [
    pipeline(
      salesWindow,
      'The last 15 minutes of sales, each second: count, revenue, average ticket, what was active.',
    ),
    pipeline(salesPerSecond, 'Sales and revenue of each second.'),
    pipeline(salesByMinute, 'Sales and revenue of each minute.'),
    pipeline(salesBySeller, 'Sales and revenue of each seller and minute.'),
    pipeline(salesByCategory, 'Sales and revenue of each category and minute.'),
    pipeline(salesByProduct, 'What each product sold in 15 minutes, each minute.'),
    pipeline(processedOrdersPlan, 'The order processor: valid orders, each once, with the name of the product.'),
    pipeline(productMetrics, 'Orders by product and minute: count, revenue, average.'),
    pipeline(orderAnalytics, 'Processed orders by product and minute: what the running shop makes product-metrics of.'),
    pipeline(ordersEnriched, 'Orders, each once, with what is known of the customer.'),
    pipeline(orderItemsEnriched, 'Items of orders, each once, with what is known of the order.'),
    pipeline(storeMetrics, 'Each half minute: views, carts, searches, purchases, and how many views end in one.'),
    pipeline(storeSales, 'Each half minute: purchases, buyers, revenue.'),
    pipeline(productSales, 'Pieces and revenue of each product and minute.'),
    pipeline(trendingProducts, 'Five products of each category most put into carts in ten minutes.'),
    pipeline(marketplaceArrivals, 'Sales of the marketplaces with the moment they came: what the delay monitor reads.'),
    pipeline(marketplaceHourly, 'Sales and revenue of each marketplace and hour, corrected for 48 hours.'),
    ...[
      qualitySales,
      qualityOrders,
      qualityUserEvents,
      qualityTransactions,
      qualityInventoryUpdates,
      qualityMarketplaceSales,
      qualityEcommerceOrders,
      qualityEcommerceCustomers,
    ].map((plan) =>
      pipeline(plan, `Records of ${Object.keys(plan.contracts)[0]} by minute, and how many have what they may lack.`),
    ),
    pipeline(qualityPrices, 'Lowest and highest price of each product and minute: what price spikes are seen by.'),
    pipeline(qualityPaymentLines, 'The lines of payments, which must add up to them.'),
    pipeline(qualityOrderHeads, 'Orders, each once, to be held against their items.'),
    pipeline(qualityOrderItems, 'Items of orders, each once, to be held against their orders.'),
    pipeline(qualityAmounts, 'Deciles of what is ordered in an hour: its drift is seen by them.'),
    pipeline(stockChanges, 'Changes of stock, each once: what the stock monitor reads.'),
    pipeline(
      paymentVelocity,
      'Payments, each with how fast its user, card, device and address go: fraud scoring reads it.',
    ),
    pipeline(chargebacksOnce, 'Chargebacks, each once: what fraud scoring learns from.'),
    pipeline(returnsOnce, 'Returns, each once: what fraud scoring knows of refunds.'),
    pipeline(orderVelocity, 'Orders, each with how fast its customer orders and what is known of the customer.'),
    pipeline(
      visitorActs,
      'What visitors do and buy, in the order of time: sessions, funnel, bots and recommendations read it.',
    ),
    pipeline(viewsByMinute, 'Views of each category and minute: what spikes of views are found in.'),
    pipeline(boughtTogether, 'For every two products, how many purchases hold both.'),
    pipeline(basketsByProduct, 'For each product, how many purchases hold it.'),
    pipeline(basketsInAll, 'How many purchases there are.'),
    pipeline(sellerVolume, 'Pieces each seller sold in ten seconds: features of models.'),
    pipeline(priceByMinute, 'What each product cost in a minute, in the mean: features of models.'),
    pipeline(viewsByProduct, 'Views of each product and minute: features of models.'),
    pipeline(visitorsByMinute, 'What each visitor did in a minute: features of models.'),
    pipeline(purchasesByProduct, 'Purchases of each product and minute: features of models.'),
    pipeline(paymentsByUser, 'Payments each account tried in a minute: features of models.'),
    pipeline(paymentsByDevice, 'Payments each device tried in a minute: features of models.'),
    pipeline(stockByMinute, 'Stock of each product and warehouse by the minute: features of models.'),
    pipeline(monthlyRevenue, 'Gross sales of the online-retail wholesaler per calendar month, in thousandths.'),
  ],
  ({ name }) => name,
)

/** Reports by name. */
export const reports: ReadonlyMap<string, Report> = byKey<Report>(
  [
    monthlyRevenueReport,
    retailRevenueReport,
    cohortsReport,
    segmentsReport,
    hourlySalesReport,
    sellerConcentrationReport,
    dailyEngagementReport,
    inventoryTurnoverReport,
    lateArrivalsReport,
    dataQualityReport(contracts.values()),
  ],
  ({ name }) => name,
)
