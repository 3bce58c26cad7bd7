// W1, W2, W7 to W9, E1 to E7 and M1 to M5 through the embedded broker: what is generated keeps its contracts, and each
// figure of the shop equals a plain recomputation of what was sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fraudAlerts, orderStatuses, stockAlertsTopic } from '../../src/commerce/commerce.ts'
import { ecommerceBurst, salesTraffic, storeTraffic, type Traffic } from '../../src/generate/generate.ts'
import { startPlatform } from '../../src/platform.ts'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { type House, type Json, openHouse, until } from './house.suite.ts'

const minuteMs = 60_000
// Long ago, so that each run is the same: what counts is the arrival that is sent.
const startMs = Date.UTC(2026, 0, 5, 12)
const cents = (value: unknown): number => Math.round(Number(value) * 100)

function made(traffic: Traffic, untilMs: number): Map<string, { json: Json; key: string }[]> {
  const all = new Map<string, { json: Json; key: string }[]>()
  traffic.produceUntil(untilMs, {
    record(topic, key, value) {
      const list = all.get(topic) ?? []
      all.set(topic, list)
      list.push({ json: JSON.parse(new TextDecoder().decode(value)), key: new TextDecoder().decode(key) })
    },
  })
  return all
}
async function sendAll(house: House, all: Map<string, { json: Json }[]>, atMs: number): Promise<void> {
  for (const [topic, list] of all)
    if (house.broker.topic(topic) !== null)
      await house.send(
        topic,
        list.map(({ json }) => json),
        atMs,
      )
  await house.settled()
}
/** Nothing of it is refused: what is generated is what the contracts say. */
async function nothingRefused(house: House, topics: Iterable<string>): Promise<void> {
  for (const topic of topics) {
    const line = house.ledger().topics.find((one) => one.topic === topic)
    if (line !== undefined) assert.deepEqual([line.deadLettered, line.imbalance], [0, 0], topic)
    assert.equal((await house.deadLetters.list({ topic }, 1)).matching, 0, topic)
  }
}

test('W1, W2: sales are as the documents say, and the sliding window is what a naive pass over them makes it', async () => {
  const house = await openHouse()
  const all = made(salesTraffic('w1', { ratePerSecond: 20, startMs, steady: true }), startMs + 3 * minuteMs)
  const sales = (all.get('sales') ?? []).map(({ json }) => json)
  for (const { json, key } of all.get('sales') ?? []) {
    assert.equal(key, json.seller)
    assert.match(String(json.id_sale), /^[0-9a-f-]{36}$/)
    for (const field of [
      'id_product',
      'nm_category',
      'nm_brand',
      'seller',
      'price',
      'quantity',
      'tp_payment',
      'sale_date',
    ])
      assert.ok(field in json, field)
  }
  await sendAll(house, all, startMs + 3 * minuteMs)
  await nothingRefused(house, ['sales'])
  assert.equal(new Set((await house.rows('sales')).map(({ partition }) => partition)).size, 6)
  const rows = await until('window rows', async () => {
    const found = [...(await house.table('sales-window')).values()].filter(({ timing }) => timing === 'on-time')
    return found.length > 60 ? found : null
  })
  for (const row of rows.slice(-40)) {
    const [from, to] = [Date.parse(String(row.window_start)), Date.parse(String(row.window_end))]
    assert.equal(to - from, 15 * minuteMs)
    const inside = sales.filter(
      ({ sale_date }) => Date.parse(String(sale_date)) >= from && Date.parse(String(sale_date)) < to,
    )
    const revenue = inside.reduce((sum, { price, quantity }) => sum + cents(price) * Number(quantity), 0)
    const distinct = (field: string): number => new Set(inside.map((one) => one[field])).size
    assert.deepEqual(
      [
        row.sales,
        cents(row.revenue),
        row.active_sellers,
        row.active_categories,
        row.active_products,
        cents(row.biggest_sale),
        cents(row.avg_ticket),
      ],
      [
        ...[inside.length, revenue, distinct('seller'), distinct('nm_category'), distinct('id_product')],
        ...[
          Math.max(...inside.map(({ price, quantity }) => cents(price) * Number(quantity))),
          Math.round(revenue / inside.length),
        ],
      ],
    )
  }
  await house.close()
})

test('W7, W8: the house says how each of its parts is, and a sale that is sent becomes a figure', async () => {
  const world = nodeWorld({ seed: 'w7' })
  const house = await startPlatform(
    world,
    {
      ...{
        dataDir: null,
        durability: 'process',
        listeners: [{ host: '127.0.0.1', port: 0 }],
        users: [],
        superUsers: [],
      },
      ...{ host: '127.0.0.1', port: 0, rate: 50, seed: 'w7', generate: false, lake: false, screen: null, version: '0' },
      log: () => {},
    },
    () => {},
  )
  try {
    const ready = await (await fetch(`${house.url}/readyz?format=json`)).json()
    assert.equal(ready.ready, true)
    const checks: readonly { readonly name: string; readonly ok: boolean }[] = ready.checks
    for (const name of ['broker', 'engine'])
      assert.ok(
        checks.some((one) => one.name === name && one.ok),
        name,
      )
    // One for each partition: none holds the watermark.
    const sellers = Array.from({ length: 6 }, (_, partition) => {
      const names = Array.from({ length: 100 }, (_, i) => `s${i}`)
      return names.find((name) => partitionOfKey(new TextEncoder().encode(name), 6) === partition)
    })
    let sent = 0
    const kpis = await until('the figure', async () => {
      const lines = sellers.map((seller) => {
        const sale = { id_sale: `s${sent++}`, id_product: 'p', nm_category: 'c', seller, price: 12.5, quantity: 2 }
        return JSON.stringify({ ...sale, sale_date: new Date().toISOString() })
      })
      const taken = await fetch(`${house.url}/api/v1/ingest/sales`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/x-ndjson' } },
        body: `${lines.join('\n')}\n`,
      })
      assert.equal((await taken.json()).accepted, sellers.length)
      const { current } = await (await fetch(`${house.url}/api/v1/kpis`)).json()
      return current !== null && current.sales >= sellers.length ? current : null
    })
    assert.equal(kpis.revenueMinor, kpis.sales * 2_500)
  } finally {
    await house.stop()
  }
})

test('E1, E2, E3, E4, E5: visits, payments and stock keep their contracts; figures of each half minute and the stock equal a naive pass', async () => {
  const house = await openHouse()
  const endMs = startMs + 6 * minuteMs
  const all = made(storeTraffic('e1', { ratePerSecond: 20, startMs, steady: true }), endMs)
  for (const { json, key } of all.get('user-events') ?? []) {
    assert.equal(key, json.user_id)
    assert.match(String(json.user_id), /^U\d{4}$/)
    assert.equal('search_query' in json && json.search_query !== null, json.event_type === 'search')
  }
  for (const { json } of all.get('transactions') ?? []) {
    const items = json.items as readonly Json[]
    for (const { price, quantity, item_total } of items)
      assert.equal(cents(item_total), cents(price) * Number(quantity))
    const sum = items.reduce((total, { item_total }) => total + cents(item_total), 0)
    assert.equal(cents(json.total_amount), sum + cents(json.tax_amount) + cents(json.shipping_cost))
  }
  for (const { json } of all.get('inventory-updates') ?? []) assert.ok(Number(json.current_stock) >= 0)
  await sendAll(house, all, endMs)
  await nothingRefused(house, all.keys())

  const acts = (all.get('user-events') ?? []).map(({ json }) => json)
  const halves = await until('store metrics', async () => {
    const found = [...(await house.table('store-metrics')).values()]
    return found.length >= 8 ? found : null
  })
  for (const row of halves) {
    const from = Date.parse(String(row.window_start))
    const inside = acts.filter(({ timestamp }) => Math.floor(Date.parse(String(timestamp)) / 30_000) * 30_000 === from)
    const of = (type: string): number => inside.filter(({ event_type }) => event_type === type).length
    assert.deepEqual(
      [row.views, row.carts, row.searches],
      [of('product_view'), of('add_to_cart'), of('search')],
      String(row.window_start),
    )
  }
  assert.ok((await house.rows('trending-products')).length > 0)

  // E5: an alert says what the last update of its shelf said.
  const updates = all.get('inventory-updates') ?? []
  for (const [key, alert] of await house.table(stockAlertsTopic)) {
    const [product, ...warehouse] = key.split('/')
    const last = updates.filter(
      ({ json }) =>
        json.product_id === product &&
        json.warehouse_location === warehouse.join('/') &&
        Date.parse(String(json.timestamp)) <= Date.parse(String(alert.updated_at)),
    )
    assert.equal(alert.current_stock, last.at(-1)?.json.current_stock)
  }
  assert.equal(house.ledger().imbalance, 0)
  await house.close()
})

test('E6, E7, W9: payments are scored with reasons, a visitor is shown what goes with what was looked at, features are there', async () => {
  const house = await openHouse()
  const endMs = startMs + 15 * minuteMs
  const all = made(storeTraffic('e6', { ratePerSecond: 20, startMs, steady: true, fraudShare: 0.05 }), endMs)
  // Arrivals in order, as they would come.
  for (let from = startMs; from < endMs; from += minuteMs) {
    for (const [topic, list] of all) {
      const some = list.filter(({ json }) => {
        const atMs = Date.parse(String(json.timestamp ?? json.returned_at ?? json.changed_at ?? json.start))
        return atMs >= from && atMs < from + minuteMs
      })
      if (some.length > 0 && house.broker.topic(topic) !== null)
        await house.send(
          topic,
          some.map(({ json }) => json),
          from + minuteMs,
        )
    }
  }
  await house.settled()
  const scores = await house.rows('fraud-scores')
  const payments = all.get('transactions') ?? []
  assert.ok(
    scores.length > 0 && scores.length <= payments.length,
    `${scores.length} scores of ${payments.length} payments`,
  )
  for (const { value } of await house.rows(fraudAlerts.topic)) {
    if (value === null) continue
    assert.ok((value.reasons as unknown[]).length > 0)
    assert.ok(Number(value.score) >= 0 && Number(value.score) <= 1)
  }
  const users = new Map<string, number>()
  for (const { json } of all.get('user-events') ?? [])
    users.set(String(json.user_id), (users.get(String(json.user_id)) ?? 0) + 1)
  const [busiest = ['', 0]] = [...users].sort((a, b) => b[1] - a[1])
  const shown = house.jobs.detection.recommendations(busiest[0], endMs, 5)
  assert.ok(shown.known && shown.items.length > 0)
  const sales = made(salesTraffic('w9', { ratePerSecond: 20, startMs, steady: true }), startMs + 5 * minuteMs)
  await sendAll(house, sales, startMs + 5 * minuteMs)
  const seller = String(sales.get('sales')?.[0]?.json.seller)
  const features = house.jobs.detection.features('seller', seller, startMs + 5 * minuteMs)
  const volume = (sales.get('sales') ?? [])
    .filter(({ json }) => json.seller === seller)
    .reduce((sum, { json }) => sum + Number(json.quantity), 0)
  assert.ok('seller_volume_1h' in features, JSON.stringify(features))
  assert.ok(Number(features.seller_volume_1h) > 0 && Number(features.seller_volume_1h) <= volume)
  await house.close()
})

test('M1, M2, M3, M4, M5: orders, customers, items and suspicions of a burst keep their contracts; enriched orders and items are complete', async () => {
  const house = await openHouse()
  const all = new Map<string, { json: Json; key: string }[]>()
  ecommerceBurst(
    'm1',
    { atMs: startMs, cycles: 40 },
    {
      record(topic, key, value) {
        const list = all.get(topic) ?? []
        all.set(topic, list)
        list.push({ json: JSON.parse(new TextDecoder().decode(value)), key: new TextDecoder().decode(key) })
      },
    },
  )
  const of = (topic: string): Json[] => (all.get(topic) ?? []).map(({ json }) => json)
  const [orders, items] = [of('ecommerce_orders'), of('ecommerce_order_items')]
  for (const order of orders) {
    assert.ok(orderStatuses.includes(String(order.status)))
    const own = items.filter(({ order_id }) => order_id === order.order_id)
    assert.ok(own.length >= 2 && own.length <= 5)
    assert.equal(
      cents(order.subtotal),
      own.reduce((sum, { item_total }) => sum + cents(item_total), 0),
    )
  }
  for (const { score, order_id } of of('ecommerce_fraud_alerts')) {
    assert.ok(Number(score) >= 0 && Number(score) <= 1)
    assert.ok(orders.some((order) => order.order_id === order_id))
  }
  // Customers are known before they order, orders before their items; one order is told twice.
  for (const topic of ['ecommerce_customers', 'ecommerce_orders', 'ecommerce_order_items']) {
    await house.send(topic, topic === 'ecommerce_orders' ? [...orders, ...orders.slice(0, 3)] : of(topic), startMs)
    await house.settled()
  }
  await nothingRefused(house, ['ecommerce_orders', 'ecommerce_customers', 'ecommerce_order_items'])
  const enriched = (await house.rows('orders-enriched')).map(({ value }) => value)
  assert.deepEqual(enriched.map((row) => row?.order_id).sort(), orders.map(({ order_id }) => order_id).sort())
  const customers = new Map(of('ecommerce_customers').map((customer) => [customer.customer_id, customer]))
  for (const row of enriched) assert.equal(row?.customer_name ?? null, customers.get(row?.customer_id)?.name ?? null)
  const lines = (await house.rows('order-items-enriched')).map(({ value }) => value)
  assert.equal(lines.length, items.length)
  for (const line of lines) {
    const order = orders.find(({ order_id }) => order_id === line?.order_id)
    assert.deepEqual([line?.customer_id, line?.order_status], [order?.customer_id, order?.status])
  }
  assert.ok(partitionOfKey(new TextEncoder().encode(String(orders[0]?.order_id)), 3) < 3)
  await house.close()
})
