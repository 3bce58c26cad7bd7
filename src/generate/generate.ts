// The seeded shop's door: a seed in, a catalogue and believable traffic out, as bytes, the same bytes every time. It has
// no clock and knows no broker: the caller says until when, and hands in a sink.
import { type Catalogue, type CategoryRange, catalogue, catalogueProducts, type Product } from './catalogue.ts'
import {
  type BurstSettings,
  type EcommerceSettings,
  ecommerceBurst,
  ecommerceTopics,
  ecommerceTraffic,
} from './ecommerce-traffic.ts'
import { type Fault, type FaultSettings, type FaultShares, faultSharesDefault, faults, withFaults } from './faults.ts'
import {
  type LateBatchSettings,
  lateBatch,
  type MarketplaceSettings,
  marketplaceTraffic,
} from './marketplace-traffic.ts'
import { ordersTraffic } from './orders-traffic.ts'
import { salesTraffic } from './sales-traffic.ts'
import { type Seller, sellers } from './sellers.ts'
import type { Profile } from './store-funnel.ts'
import { storeTopics } from './store-records.ts'
import { type StoreSettings, storeTraffic } from './store-traffic.ts'
import type { Traffic, TrafficSettings } from './traffic.ts'

export type {
  BurstSettings,
  Catalogue,
  CategoryRange,
  EcommerceSettings,
  Fault,
  FaultSettings,
  FaultShares,
  LateBatchSettings,
  MarketplaceSettings,
  Product,
  Profile,
  Seller,
  StoreSettings,
  Traffic,
  TrafficSettings,
}
export {
  catalogue,
  catalogueProducts,
  ecommerceBurst,
  ecommerceTopics,
  ecommerceTraffic,
  faultSharesDefault,
  faults,
  lateBatch,
  marketplaceTraffic,
  ordersTraffic,
  salesTraffic,
  sellers,
  storeTopics,
  storeTraffic,
  withFaults,
}

type Generator = (seed: string, settings: TrafficSettings) => Traffic

/** Traffic by topic: what `produce <topic>` can make up. */
export const generators: ReadonlyMap<string, Generator> = new Map<string, Generator>([
  ['sales', salesTraffic],
  ['orders', ordersTraffic],
  ['marketplace-sales', marketplaceTraffic],
  ...ecommerceTopics.map((topic): [string, Generator] => [
    topic,
    (seed, settings) => ecommerceTraffic(seed, { ...settings, topics: [topic] }),
  ]),
  ...storeTopics.map((topic): [string, Generator] => [
    topic,
    (seed, settings) => storeTraffic(seed, { ...settings, topics: [topic] }),
  ]),
])

/** Records a second where nothing else is asked for: how busy the shop is by default. */
export const ratesDefault: ReadonlyMap<string, number> = new Map([
  ['sales', 50],
  ['orders', 30],
  ['marketplace-sales', 200 / 3_600],
  ['ecommerce_orders', 1],
  ['ecommerce_customers', 0.2],
  ['ecommerce_order_items', 3.5],
  ['ecommerce_fraud_alerts', 0.306],
  ['user-events', 20],
  ['transactions', 1],
  ['inventory-updates', 0.67],
])
