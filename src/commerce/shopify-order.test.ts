// A Shopify order becomes sales: a whole one as webhooks carry it, and the orders that are none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { salesOfShopifyOrder, shopifyOrderTopic } from './shopify-order.ts'

/** Written by hand after the documented shape: more fields than are used, amounts as text, ids beyond 32 bits. */
const order = {
  id: 5678901234567,
  admin_graphql_api_id: 'gid://shopify/Order/5678901234567',
  name: '#1042',
  email: 'ana@example.com',
  created_at: '2026-11-21T06:29:58-03:00',
  processed_at: '2026-11-21T06:30:01-03:00',
  cancelled_at: null,
  test: false,
  currency: 'BRL',
  presentment_currency: 'BRL',
  financial_status: 'paid',
  payment_gateway_names: ['shopify_payments'],
  subtotal_price: '358.70',
  total_discounts: '0.00',
  total_tax: '0.00',
  total_price: '378.60',
  customer: { id: 7012345678901, first_name: 'Ana', last_name: 'Souza', email: 'ana@example.com' },
  shipping_address: { address1: 'Rua das Flores 10', city: 'São Paulo', zip: '01001-000', country_code: 'BR' },
  shipping_lines: [{ id: 4412345678901, title: 'Correios', price: '19.90' }],
  line_items: [
    {
      id: 14012345678901,
      variant_id: 45012345678901,
      product_id: 8012345678901,
      sku: 'CAFE-500',
      title: 'Café especial 500 g',
      name: 'Café especial 500 g',
      vendor: 'Torrefação Serra',
      price: '59.90',
      quantity: 3,
      total_discount: '0.00',
      taxable: true,
      gift_card: false,
    },
    {
      id: 14012345678902,
      variant_id: null,
      product_id: 8012345678902,
      sku: '',
      title: 'Moedor manual',
      vendor: null,
      price: '179.00',
      quantity: 1,
    },
  ],
}

test('one record a line, in the words of the sales contract', () => {
  const mapped = salesOfShopifyOrder(order)
  assert.equal(shopifyOrderTopic, 'sales')
  assert.ok(mapped.kind === 'records')
  assert.deepEqual(
    mapped.records.map((text) => JSON.parse(text)),
    [
      {
        id_sale: '5678901234567-14012345678901',
        id_product: 'CAFE-500',
        nm_product: 'Café especial 500 g',
        nm_brand: 'Torrefação Serra',
        seller: 'Torrefação Serra',
        price: 59.9,
        quantity: 3,
        tp_payment: 'shopify_payments',
        sale_date: '2026-11-21T06:30:01-03:00',
      },
      {
        id_sale: '5678901234567-14012345678902',
        id_product: '8012345678902',
        nm_product: 'Moedor manual',
        seller: 'Shop',
        price: 179,
        quantity: 1,
        tp_payment: 'shopify_payments',
        sale_date: '2026-11-21T06:30:01-03:00',
      },
    ],
  )
})

const refusals: [name: string, order: unknown, field: string, message: RegExp][] = [
  ['no object', 'x', '', /expected object/],
  ['no lines', { ...order, line_items: [] }, 'line_items', /Too small/],
  ['lines left out', { ...order, line_items: undefined }, 'line_items', /expected array/],
  [
    'a price that is no amount',
    { ...order, line_items: [{ ...order.line_items[0], price: '1e3' }] },
    'line_items.0.price',
    /decimal/,
  ],
  [
    'a price below zero',
    { ...order, line_items: [{ ...order.line_items[0], price: '-1.00' }] },
    'line_items.0.price',
    /decimal/,
  ],
  ['another currency', { ...order, currency: 'USD' }, 'currency', /holds BRL, the order is in USD/],
  ['a test order', { ...order, test: true }, 'test', /test order/],
  ['a cancelled order', { ...order, cancelled_at: '2026-11-21T06:31:00-03:00' }, 'cancelled_at', /cancelled/],
]
test('what is no sale is refused, with the field', () => {
  for (const [name, value, field, message] of refusals) {
    const mapped = salesOfShopifyOrder(value)
    assert.ok(mapped.kind === 'refused', name)
    assert.equal(mapped.field, field, name)
    assert.match(mapped.message, message, name)
  }
})
