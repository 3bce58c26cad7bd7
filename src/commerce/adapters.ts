// What other systems send, as records of our topics. A door of its own, so that the schema library is loaded by those
// who take such things in, not by all who ask the shop for a contract.
import { type MappedOrder, salesOfShopifyOrder, shopifyOrderTopic } from './shopify-order.ts'

export type { MappedOrder }

export interface Adapter {
  readonly name: string
  /** The topic its records are for. */
  readonly topic: string
  /** Of one JSON document, as parsed. */
  map(value: unknown): MappedOrder
}

/** Adapters by name. */
export const adapters: ReadonlyMap<string, Adapter> = new Map(
  [{ name: 'shopify-order', topic: shopifyOrderTopic, map: salesOfShopifyOrder }].map((adapter) => [
    adapter.name,
    adapter,
  ]),
)
