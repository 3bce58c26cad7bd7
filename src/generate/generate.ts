// The seeded shop's door: a seed in, a catalogue and believable traffic out, as bytes, the same bytes every time. It has
// no clock and knows no broker: the caller says until when, and hands in a sink.
import { type Catalogue, type CategoryRange, catalogue, catalogueProducts, type Product } from './catalogue.ts'
import { type DriftSettings, withDrift } from './drift.ts'
import {
  type BurstSettings,
  type EcommerceSettings,
  ecommerceBurst,
  ecommerceTopics,
  ecommerceTopicsBeside,
  ecommerceTraffic,
} from './ecommerce-traffic.ts'
import { type Fault, type FaultSettings, type FaultShares, faultSharesDefault, faults, withFaults } from './faults.ts'
import {
  type LabelledMinute,
  type LabelledStream,
  labelledStream,
  type MinuteLabel,
  type Suite,
  suites,
} from './labelled-minutes.ts'
import { type LabelledAct, labelledVisits } from './labelled-visits.ts'
import {
  type LateBatchSettings,
  lateBatch,
  type MarketplaceSettings,
  marketplaceTraffic,
} from './marketplace-traffic.ts'
import { ordersTraffic } from './orders-traffic.ts'
import { type SalesSettings, salesAnomalies, salesTraffic } from './sales-traffic.ts'
import { type Seller, sellers } from './sellers.ts'
import { botKinds } from './store-bots.ts'
import { fraudKinds } from './store-campaigns.ts'
import type { Profile } from './store-funnel.ts'
import { storeTopics } from './store-records.ts'
import { type StoreSettings, storeTopicsBeside, storeTraffic } from './store-traffic.ts'
import { merged, type Traffic, type TrafficSettings } from './traffic.ts'

export type {
  BurstSettings,
  Catalogue,
  CategoryRange,
  DriftSettings,
  EcommerceSettings,
  Fault,
  FaultSettings,
  FaultShares,
  LabelledAct,
  LabelledMinute,
  LabelledStream,
  LateBatchSettings,
  MarketplaceSettings,
  MinuteLabel,
  Product,
  Profile,
  SalesSettings,
  Seller,
  StoreSettings,
  Suite,
  Traffic,
  TrafficSettings,
}
export {
  botKinds,
  catalogue,
  catalogueProducts,
  ecommerceBurst,
  ecommerceTopics,
  ecommerceTraffic,
  faultSharesDefault,
  faults,
  fraudKinds,
  labelledStream,
  labelledVisits,
  lateBatch,
  marketplaceTraffic,
  merged,
  ordersTraffic,
  salesAnomalies,
  salesTraffic,
  sellers,
  storeTopics,
  storeTopicsBeside,
  storeTraffic,
  suites,
  withDrift,
  withFaults,
}

type Generator = (seed: string, settings: TrafficSettings) => Traffic

/** Traffic by topic. */
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

/** Something that can be generated: one topic, or several that tell of the same facts. */
export interface Scenario {
  readonly name: string
  /** A sentence for people. */
  readonly doc: string
  readonly topics: readonly string[]
  /** Topics that get a record now and then, which the rate does not count. */
  readonly beside: readonly string[]
  /** Records of all topics together, per second, where nothing else is asked for. */
  readonly ratePerSecond: number
  readonly traffic: Generator
}
const rateOf = (topics: readonly string[]): number =>
  topics.reduce((sum, topic) => sum + (ratesDefault.get(topic) ?? 0), 0)
const scenario = (
  name: string,
  doc: string,
  topics: readonly string[],
  traffic: Generator,
  beside: readonly string[] = [],
): Scenario => ({
  name,
  doc,
  topics,
  beside,
  ratePerSecond: rateOf(topics),
  traffic,
})

/** The parts of the shop, each a world of its own; together they are the shop. */
const parts: readonly Scenario[] = [
  scenario('sales', 'the marketplace', ['sales'], salesTraffic),
  scenario('orders', 'the small shop', ['orders'], ordersTraffic),
  scenario('marketplace-sales', 'sales that marketplaces tell late', ['marketplace-sales'], marketplaceTraffic),
  scenario(
    'ecommerce',
    'orders with their customers, items and suspicions',
    ecommerceTopics,
    wholeEcommerce,
    ecommerceTopicsBeside,
  ),
  scenario('store', 'visits, purchases and stock', storeTopics, wholeStore, storeTopicsBeside),
]

/** What can be generated, by name: each topic, some topics that belong together, and the whole shop. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    ...parts,
    scenario(
      'shop',
      'everything',
      parts.flatMap(({ topics }) => topics),
      shopTraffic,
      parts.flatMap(({ beside }) => beside),
    ),
    ...[...generators].map(([topic, traffic]) => scenario(topic, `${topic} alone`, [topic], traffic)),
  ].map((one) => [one.name, one]),
)

function wholeEcommerce(seed: string, settings: TrafficSettings): Traffic {
  return ecommerceTraffic(seed, { ...settings, topics: [...ecommerceTopics, ...ecommerceTopicsBeside] })
}
/** The store with all it tells, returns and chargebacks and labels as well. */
function wholeStore(seed: string, settings: TrafficSettings): Traffic {
  return storeTraffic(seed, { ...settings, topics: [...storeTopics, ...storeTopicsBeside] })
}

/** The whole shop. The parts keep their shares, whatever the rate of all. */
export function shopTraffic(seed: string, settings: TrafficSettings): Traffic {
  const scale = settings.ratePerSecond / rateOf(parts.flatMap(({ topics }) => topics))
  return partsTraffic(seed, settings, parts, scale)
}
/** The shop without the marketplace's sales, as busy as by default. */
export function shopBesideSales(seed: string, settings: Omit<TrafficSettings, 'ratePerSecond'>): Traffic {
  return partsTraffic(seed, settings, parts.slice(1), 1)
}
function partsTraffic(
  seed: string,
  settings: Omit<TrafficSettings, 'ratePerSecond'>,
  some: readonly Scenario[],
  scale: number,
): Traffic {
  return merged(
    some.map(({ ratePerSecond, traffic }) => traffic(seed, { ...settings, ratePerSecond: ratePerSecond * scale })),
  )
}
