// What the shop promises and computes: contracts, the columns of its pipelines, the rounding of its reports.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../query/query.ts'
import {
  contracts,
  onlineRetail,
  onlineRetailLines,
  orderProducts,
  orders,
  pipelines,
  reports,
  sales,
} from './commerce.ts'

test('contracts: topics, partitions, keys, what is required and what stands in', () => {
  assert.deepEqual(
    [...contracts.values()].map(({ topic, partitions, key, eventTime }) => [topic, partitions, key, eventTime]),
    [
      ['sales', 6, 'seller', 'sale_date'],
      ['sales-events', 1, 'event_id', 'since'],
      ['orders', 3, 'order_id', 'timestamp'],
      ['processed-orders', 3, 'order_id', 'timestamp'],
      ['product-metrics', 3, 'product_id', 'window_end'],
      ['ecommerce_orders', 3, 'order_id', 'order_date'],
      ['ecommerce_customers', 3, 'customer_id', 'updated_at'],
      ['ecommerce_order_items', 3, 'order_id', 'order_date'],
      ['ecommerce_order_status', 3, 'order_id', 'changed_at'],
      ['ecommerce_fraud_alerts', 3, 'order_id', 'detected_at'],
      ['fraud-alerts', 3, 'order_id', 'detected_at'],
      ['funnel', 1, 'funnel_id', 'window_end'],
      ['cart-abandonments', 3, 'session_id', 'abandoned_at'],
      ['traffic-alerts', 3, 'alert_id', 'detected_at'],
      ['user-events', 3, 'user_id', 'timestamp'],
      ['transactions', 3, 'user_id', 'timestamp'],
      ['inventory-updates', 3, 'product_id', 'timestamp'],
      ['chargebacks', 3, 'user_id', 'timestamp'],
      ['returns', 3, 'user_id', 'timestamp'],
      ['price-changes', 3, 'product_id', 'timestamp'],
      ['promotions', 3, 'product_id', 'starts_at'],
      ['marketplace-sales', 3, 'transaction_id', 'transaction_time'],
      ['ground-truth', 1, 'truth_id', 'start'],
      ['online-retail', 3, 'invoice_no', 'invoice_date'],
    ],
  )
  const required = Object.entries(sales.fields).filter(([, field]) => !field.nullable && field.default === undefined)
  assert.deepEqual(
    required.map(([name]) => name),
    ['id_sale', 'id_product', 'seller', 'price', 'sale_date'],
  )
  assert.deepEqual(sales.fields.id_product.aliases, ['asin'])
  const standIns = Object.entries(sales.fields).filter(([, field]) => field.default !== undefined)
  assert.deepEqual(Object.fromEntries(standIns.map(([name, field]) => [name, field.default])), {
    nm_category: 'General Category',
    nm_brand: 'Generic',
    quantity: 1,
    tp_payment: 'Credit Card',
  })
  assert.deepEqual(orders.fields.product_id.rules, [{ rule: 'one-of', values: Object.keys(orderProducts) }])
  assert.deepEqual([sales.fields.price.type.scale, onlineRetail.fields.unit_price.type.scale], [2, 3])
  for (const contract of contracts.values()) {
    assert.ok(contract.key in contract.fields && contract.eventTime in contract.fields)
    assert.ok(contract.identity === undefined || contract.identity in contract.fields)
    for (const [name, field] of Object.entries(contract.fields)) assert.match(name, /^[a-z_]+$/, field.doc)
  }
})

test('pipelines: what they read and the columns of their rows', () => {
  const columns = [...pipelines.values()].map(({ name, reads, plan }) => [
    name,
    reads.join(),
    plan.nodes
      .at(-1)!
      .columns.map((column) => column.name)
      .join(' '),
  ])
  assert.deepEqual(columns, [
    [
      'sales-window',
      'sales',
      'window_start window_end sales revenue avg_ticket active_sellers active_categories active_products biggest_sale',
    ],
    ['sales-per-second', 'sales', 'window_start window_end sales revenue'],
    ['sales-by-minute', 'sales', 'window_start window_end sales revenue'],
    ['sales-by-seller', 'sales', 'window_start window_end seller sales revenue'],
    ['sales-by-category', 'sales', 'window_start window_end nm_category sales revenue'],
    ['sales-by-product', 'sales', 'window_start window_end id_product nm_product sales revenue'],
    ['processed-orders', 'orders', 'order_id user_id product_id amount timestamp product_name'],
    [
      'product-metrics',
      'orders',
      'window_start window_end product_id product_name order_count total_revenue avg_order_value',
    ],
    [
      'order-analytics',
      'processed-orders',
      'window_start window_end product_id product_name order_count total_revenue avg_order_value',
    ],
    [
      'orders-enriched',
      'ecommerce_orders,ecommerce_customers',
      'order_id customer_id order_date status payment_method currency subtotal discount shipping_cost tax_amount total_amount shipping_country shipping_state updated_at customer_name customer_segment customer_country',
    ],
    [
      'order-items-enriched',
      'ecommerce_order_items,ecommerce_orders',
      'order_item_id order_id order_date product_id product_name category unit_price quantity discount item_total ordered_at customer_id order_status payment_method shipping_country',
    ],
    [
      'store-metrics',
      'user-events,transactions',
      'window_start window_end views carts searches purchases active_users cart_rate purchase_rate conversion_rate',
    ],
    ['store-sales', 'transactions', 'window_start window_end purchases buyers revenue tax shipping'],
    ['product-sales', 'transactions', 'window_start window_end product_id product_name purchases units revenue buyers'],
    [
      'trending-products',
      'user-events',
      'window_start window_end category product_id product_name views carts visitors',
    ],
    [
      'marketplace-arrivals',
      'marketplace-sales',
      'transaction_id marketplace transaction_time arrived_at demo_pattern batch_id record_number',
    ],
    ['marketplace-hourly', 'marketplace-sales', 'window_start window_end marketplace sales units revenue avg_sale'],
    ['quality-sales', 'sales', 'window_start window_end records nm_product'],
    ['quality-orders', 'orders', 'window_start window_end records'],
    ['quality-user-events', 'user-events', 'window_start window_end records ip_address user_agent device_id'],
    [
      'quality-transactions',
      'transactions',
      'window_start window_end records session_id ip_address device_id card_fingerprint billing_country shipping_country',
    ],
    ['quality-inventory-updates', 'inventory-updates', 'window_start window_end records'],
    ['quality-marketplace-sales', 'marketplace-sales', 'window_start window_end records product_name'],
    ['quality-ecommerce-orders', 'ecommerce_orders', 'window_start window_end records shipping_state'],
    ['quality-ecommerce-customers', 'ecommerce_customers', 'window_start window_end records email phone'],
    ['quality-prices', 'sales', 'window_start window_end id_product nm_category records lowest highest'],
    [
      'quality-payment-lines',
      'transactions',
      'transaction_id timestamp price quantity item_total total_amount tax_amount shipping_cost',
    ],
    [
      'quality-order-heads',
      'ecommerce_orders',
      'order_id order_date subtotal discount shipping_cost tax_amount total_amount',
    ],
    ['quality-order-items', 'ecommerce_order_items', 'order_id order_date unit_price quantity discount item_total'],
    ['quality-amounts', 'orders', 'window_start window_end records d1 d2 d3 d4 d5 d6 d7 d8 d9'],
    [
      'stock-changes',
      'inventory-updates',
      'timestamp product_id product_name warehouse_location stock_change current_stock',
    ],
    [
      'payment-velocity',
      'transactions',
      'timestamp transaction_id user_id total_amount payment_method status ip_address device_id card_fingerprint billing_country shipping_country ip_country seller street zip user_count_1m user_count_1h user_sum_1h user_declined_1h user_count_24h user_sum_24h user_addresses_24h card_count_1h card_small_1h card_declined_1h card_users_1h device_count_1h device_small_1h device_cards_1h device_cards_24h device_users_24h ip_count_1h ip_users_1h ip_cards_1h address_users_24h user_spent_30d user_paid_30d',
    ],
    ['chargebacks-once', 'chargebacks', 'timestamp transaction_id user_id amount reason'],
    ['returns-once', 'returns', 'timestamp return_id transaction_id user_id refund_amount reason'],
    [
      'order-velocity',
      'ecommerce_orders,ecommerce_customers',
      'order_date order_id customer_id total_amount payment_method status shipping_country shipping_state registered_at customer_country customer_count_1h customer_sum_1h customer_count_24h customer_countries_24h customer_spent_30d customer_ordered_30d',
    ],
    [
      'visitor-acts',
      'user-events,transactions',
      'timestamp event_id user_id session_id event_type product_id category price quantity ip_address session_acts_1m',
    ],
    ['views-by-minute', 'user-events', 'window_start window_end category views'],
    ['bought-together', 'transactions', 'product_id other_id baskets'],
    ['baskets-by-product', 'transactions', 'product_id baskets'],
    ['baskets-in-all', 'transactions', 'baskets'],
    ['seller-volume', 'sales', 'window_start window_end seller units'],
    ['price-by-minute', 'sales', 'window_start window_end id_product nm_category price'],
    ['views-by-product', 'user-events', 'window_start window_end product_id views'],
    ['visitors-by-minute', 'user-events', 'window_start window_end user_id acts last_at'],
    ['purchases-by-product', 'transactions', 'window_start window_end product_id purchases units'],
    ['payments-by-user', 'transactions', 'window_start window_end user_id payments spent'],
    ['payments-by-device', 'transactions', 'window_start window_end device_id payments'],
    ['stock-by-minute', 'inventory-updates', 'window_start window_end product_id warehouse_location stock sold'],
    ['monthly-revenue', 'online-retail', 'window_start window_end gross'],
  ])
  assert.equal(pipelines.get('product-metrics')!.plan.output.finalColumn, 'is_final')
  for (const { name, plan, doc } of pipelines.values()) {
    assert.equal(plan.name, name)
    assert.ok(doc.length > 20)
    // A Plan is data: it survives JSON, and people can read it.
    assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan)
    assert.match(explain(plan), new RegExp(name))
  }
})

test('reports say what they read, in what words they answer and when they run', () => {
  assert.deepEqual(
    reports.get('monthly-revenue')!.columns.map(({ name }) => name),
    ['month', 'gross'],
  )
  for (const { name, doc, reads, columns, sql, schedule } of reports.values()) {
    assert.ok(doc.length > 20, name)
    assert.equal(new Set(columns.map((column) => column.name)).size, columns.length, name)
    for (const { layer, topic } of reads)
      assert.ok(sql.includes(`lake.${layer}_${topic.replaceAll(/[^a-z0-9]/g, '_')}`), `${name} does not read ${topic}`)
    assert.ok(schedule === null || schedule.split(' ').length === 5, name)
  }
})

test('a line of the Online Retail file as a record', () => {
  const fields = ['C1', '85123A', 'A "B"', '-6', '2010-12-01T08:26:00', '2.550', '', 'EIRE']
  assert.equal(onlineRetailLines.columns.length, fields.length)
  assert.equal(onlineRetailLines.key(fields), 'C1')
  assert.deepEqual(JSON.parse(onlineRetailLines.value(fields)), {
    invoice_no: 'C1',
    stock_code: '85123A',
    description: 'A "B"',
    quantity: -6,
    invoice_date: '2010-12-01T08:26:00',
    unit_price: 2.55,
    customer_id: null,
    country: 'EIRE',
  })
  const odd = JSON.parse(onlineRetailLines.value(['1', '2', '', '01', 'x', 'NaN', '', '']))
  assert.deepEqual([odd.quantity, odd.unit_price, odd.description], ['01', 'NaN', null])
})
