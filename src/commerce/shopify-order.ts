// One order as Shopify sends it to webhooks (topic `orders/create`, REST Admin API) as `sales` records, one a line item.
// Source of the names: shopify.dev, "Order" resource. What a sale does not need is not looked at.
import { z } from 'zod'
import { sales } from './contracts/sales.ts'

const identity = z.union([z.int().positive(), z.string().min(1).max(64)])
const amount = z
  .string()
  .max(20)
  .regex(/^\d+(\.\d+)?$/, 'must be a decimal number in quotes')
const line = z.object({
  id: identity,
  product_id: identity.nullish(),
  sku: z.string().nullish(),
  title: z.string().nullish(),
  name: z.string().nullish(),
  vendor: z.string().nullish(),
  price: amount,
  quantity: z.int().min(1),
})
const order = z.object({
  id: identity,
  currency: z.string(),
  created_at: z.string(),
  processed_at: z.string().nullish(),
  cancelled_at: z.string().nullish(),
  test: z.boolean().nullish(),
  payment_gateway_names: z.array(z.string()).nullish(),
  line_items: z.array(line).min(1).max(1_000),
})

export type MappedOrder =
  | { readonly kind: 'records'; readonly records: readonly string[] }
  /** Why there is nothing to record; `field` is dotted, '' for the whole order. */
  | { readonly kind: 'refused'; readonly field: string; readonly message: string }

/** The topic the records are for. */
export const shopifyOrderTopic = sales.topic

/**
 * The JSON text of each line's record. A line's identity is `<order>-<line>`, so an order sent twice is the same sales.
 * The price is that of one piece before discounts; the vendor is both seller and brand (`Shop` when there is none);
 * Shopify's lines have no category, so the contract's default stands in.
 */
export function salesOfShopifyOrder(value: unknown): MappedOrder {
  const parsed = order.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refused((issue?.path ?? []).join('.'), issue?.message ?? 'not an order')
  }
  const { id, currency, line_items, ...rest } = parsed.data
  const { currency: ours } = sales.fields.price.type
  if (currency !== ours) return refused('currency', `the topic holds ${ours}, the order is in ${currency.slice(0, 10)}`)
  if (rest.test === true) return refused('test', 'a test order is no sale')
  if (rest.cancelled_at) return refused('cancelled_at', 'a cancelled order is no sale')
  const payment = rest.payment_gateway_names?.[0]
  return {
    kind: 'records',
    records: line_items.map((item) =>
      JSON.stringify({
        id_sale: `${id}-${item.id}`,
        id_product: item.sku || String(item.product_id ?? item.id),
        nm_product: item.title ?? item.name ?? null,
        ...(item.vendor && { nm_brand: item.vendor }),
        seller: item.vendor || 'Shop',
        price: Number(item.price),
        quantity: item.quantity,
        ...(payment && { tp_payment: payment }),
        sale_date: rest.processed_at ?? rest.created_at,
      }),
    ),
  }
}

function refused(field: string, message: string): MappedOrder {
  return { kind: 'refused', field, message }
}
