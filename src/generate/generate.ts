// The seeded shop's door: a seed in, a catalogue and believable traffic out, as bytes, the same bytes every time. It has
// no clock and knows no broker: the caller says until when, and hands in a sink.
import { type Catalogue, type CategoryRange, catalogue, catalogueProducts, type Product } from './catalogue.ts'
import { ordersTraffic } from './orders-traffic.ts'
import { salesTraffic } from './sales-traffic.ts'
import { type Seller, sellers } from './sellers.ts'
import type { Traffic, TrafficSettings } from './traffic.ts'

export type { Catalogue, CategoryRange, Product, Seller, Traffic, TrafficSettings }
export { catalogue, catalogueProducts, ordersTraffic, salesTraffic, sellers }

/** Traffic by topic: what `produce <topic>` can make up. */
export const generators: ReadonlyMap<string, (seed: string, settings: TrafficSettings) => Traffic> = new Map([
  ['sales', salesTraffic],
  ['orders', ordersTraffic],
])
