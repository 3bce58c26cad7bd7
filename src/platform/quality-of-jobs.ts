// Which topics the quality monitor of each job looks at: it runs beside the job's other work, on what is decoded anyway.
import { contracts, qualityMonitor, type Reaction } from '../commerce/commerce.ts'

const versions = Object.fromEntries([...contracts].map(([topic, { version }]) => [topic, version]))

export interface QualityOfJob {
  /** Plans that the job runs for it. */
  readonly plans: readonly string[]
  reaction(): Reaction
}
function qualityOf(name: string, minutes: Readonly<Record<string, string>>, beside: readonly string[]): QualityOfJob {
  return {
    plans: [...beside, ...Object.values(minutes)],
    reaction: () => qualityMonitor({ name, minutes, beside, versions }),
  }
}

export const qualityOfSales = qualityOf('quality-sales', { sales: 'quality-sales' }, ['quality-prices'])
export const qualityOfOrders = qualityOf('quality-orders', { orders: 'quality-orders' }, ['quality-amounts'])
export const qualityOfShop = qualityOf(
  'quality-shop',
  {
    'user-events': 'quality-user-events',
    transactions: 'quality-transactions',
    'inventory-updates': 'quality-inventory-updates',
    'marketplace-sales': 'quality-marketplace-sales',
    ecommerce_orders: 'quality-ecommerce-orders',
    ecommerce_customers: 'quality-ecommerce-customers',
  },
  ['quality-payment-lines', 'quality-order-heads', 'quality-order-items'],
)
