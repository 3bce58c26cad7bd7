// E4, E5, E6, E7, W9 and M4 through the embedded broker with the shop's jobs on it: a thief, a program among the visitors, a
// cart that is left, a shelf that runs empty, what to show whom, features of models.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sellers } from '../../src/generate/generate.ts'
import { type House, openHouse, until } from './house.suite.ts'

const minuteMs = 60_000
/** Ninety minutes ago, on a whole minute: all that happens lies between then and now. */
const fromMs = Math.floor(Date.now() / minuteMs) * minuteMs - 90 * minuteMs
const time = (ms: number): string => new Date(ms).toISOString()

interface Line {
  readonly atMs: number
  readonly value: object
}
function act(atMs: number, session: string, user: string, type: string, product: number | null): Line {
  const of = {
    product_id: `P00${product}`,
    product_name: `Thing ${product}`,
    category: product === 1 ? 'Shoes' : 'Home',
    price: 20,
  }
  return {
    atMs,
    value: {
      event_id: `${session}/${atMs}/${type}`,
      user_id: user,
      event_type: type,
      timestamp: time(atMs),
      session_id: session,
      ip_address: `10.0.0.${user.length}`,
      ...(product === null ? { search_query: 'things' } : of),
    },
  }
}
function payment(atMs: number, id: string, user: string, amount: number, more: object = {}): Line {
  const items = [1, 2].map((n) => ({
    product_id: `P00${n}`,
    product_name: `Thing ${n}`,
    price: amount / 2,
    quantity: 1,
    item_total: amount / 2,
  }))
  const address = { street: `${user} street`, city: 'A', state: 'B', zip: '1', country: 'US' }
  const known = {
    device_id: `device-${user}`,
    card_fingerprint: `400000-${user}`,
    ip_address: `10.1.0.${user.length}`,
    billing_country: 'US',
    shipping_country: 'US',
    ip_country: 'US',
    seller: 'S1',
  }
  return {
    atMs,
    value: {
      transaction_id: id,
      user_id: user,
      event_type: 'purchase',
      timestamp: time(atMs),
      payment_method: 'credit_card',
      items,
      total_amount: amount,
      tax_amount: 0,
      shipping_cost: 0,
      shipping_address: address,
      ...known,
      ...more,
    },
  }
}

const events: Line[] = []
const payments: Line[] = []
const stock: Line[] = []
const orders: Line[] = []
const sold: Line[] = []
// People: twelve sessions that look, fill a cart and pay; two that look and fill a cart only.
for (let i = 0; i < 14; i++) {
  const [atMs, session, user] = [fromMs + i * minuteMs, `visit-${i}`, `U${1000 + i}`]
  events.push(act(atMs, session, user, 'product_view', 1), act(atMs + 25_000, session, user, 'product_view', 2))
  events.push(act(atMs + 50_000, session, user, 'add_to_cart', 1))
  if (i < 12) payments.push(payment(atMs + 120_000, `paid-${i}`, user, 40, { session_id: session }))
}
// A scraper, far faster than anybody reads.
for (let i = 0; i < 40; i++)
  events.push(act(fromMs + 20 * minuteMs + i * 400, 'scraper', 'U9', 'product_view', (i % 9) + 1))
// A card that is tested, then used.
for (let i = 0; i < 12; i++)
  payments.push(
    payment(fromMs + 30 * minuteMs + i * 20_000, `test-${i}`, 'U5', 2, {
      device_id: 'thief',
      card_fingerprint: `411111-${i % 3}`,
      status: i % 3 === 0 ? 'approved' : 'declined',
    }),
  )
payments.push(
  payment(fromMs + 35 * minuteMs, 'the-big-one', 'U5', 900, {
    device_id: 'thief',
    card_fingerprint: '411111-0',
    ip_country: 'RU',
  }),
)
// Something later on each topic, so that event time goes on.
for (let i = 40; i < 90; i += 2) {
  // Of many users, so that no partition holds the time back.
  for (let user = 70; user < 90; user++) {
    events.push(act(fromMs + i * minuteMs, `later-${i}-${user}`, `U${user}`, 'search', null))
    payments.push(payment(fromMs + i * minuteMs, `later-${i}-${user}`, `U${user}`, 30, { session_id: `later-${user}` }))
  }
}
for (let other = 2; other < 12; other++)
  stock.push({
    atMs: fromMs + 80 * minuteMs,
    value: {
      event_id: `other-${other}`,
      event_type: 'inventory_update',
      product_id: `P1${other}`,
      product_name: 'Other',
      stock_change: 500,
      current_stock: 500,
      warehouse_location: 'NYC',
      timestamp: time(fromMs + 80 * minuteMs),
    },
  })
for (let i = 0; i < 60; i++)
  stock.push({
    atMs: fromMs + i * minuteMs,
    value: {
      event_id: `s${i}`,
      event_type: 'inventory_update',
      product_id: 'P001',
      product_name: 'Thing 1',
      stock_change: -2,
      current_stock: 118 - 2 * i,
      warehouse_location: 'NYC',
      timestamp: time(fromMs + i * minuteMs),
    },
  })
for (let i = 0; i < 30; i++) {
  const isOdd = i === 20
  const total = isOdd ? 4_800 : 60
  orders.push({
    atMs: fromMs + i * minuteMs,
    value: {
      order_id: `o${i}`,
      customer_id: isOdd ? 'c-odd' : `c${i % 5}`,
      order_date: time(fromMs + i * minuteMs),
      status: 'paid',
      payment_method: isOdd ? 'gift_card' : 'paypal',
      currency: 'USD',
      subtotal: total,
      discount: 0,
      shipping_cost: 0,
      tax_amount: 0,
      total_amount: total,
      shipping_country: isOdd ? 'NG' : 'US',
      shipping_state: null,
    },
  })
}
for (let minute = 0; minute < 90; minute++)
  sellers.forEach(({ name }, s) => {
    const atMs = fromMs + minute * minuteMs + s * 3_000
    sold.push({
      atMs,
      value: {
        id_sale: `${minute}/${s}`,
        id_product: 'X1',
        nm_category: 'Books',
        seller: name,
        price: 40 + (minute % 3),
        quantity: 2,
        sale_date: time(atMs),
      },
    })
  })

let house: House
const ordered = (lines: readonly Line[]) => lines.toSorted((a, b) => a.atMs - b.atMs).map(({ value }) => ({ ...value }))

before(async () => {
  house = await openHouse()
  await house.send(
    'ecommerce_customers',
    ['c0', 'c1', 'c2', 'c3', 'c4', 'c-odd'].map((id) => ({
      customer_id: id,
      name: id,
      country: 'US',
      segment: 'regular',
      registered_at: time(fromMs - 1_000),
      updated_at: time(fromMs),
    })),
  )
  await house.settled()
  await house.send('user-events', ordered(events))
  await house.send('transactions', ordered(payments))
  await house.send('inventory-updates', ordered(stock))
  await house.send('ecommerce_orders', ordered(orders))
  await house.send('sales', ordered(sold))
  await house.settled()
})
after(() => house.close())

/** The newest record of each key of a topic, once `isThere` says that what must come has come. */
const told = (topic: string, isThere: (rows: readonly Record<string, unknown>[]) => boolean) =>
  until(`rows of ${topic}`, async () => {
    const rows = [...(await house.table(topic)).values()]
    return isThere(rows) ? rows : null
  })

describe('what is noticed in the store', () => {
  test('E6: the card that is tested and used is told, with reasons; nobody else', async () => {
    const alerts = await told('fraud-alerts', (rows) => rows.some(({ order_id }) => order_id === 'the-big-one'))
    const big = alerts.find(({ order_id }) => order_id === 'the-big-one')
    assert.ok(Array.isArray(big?.reasons) && big.reasons.includes('ladder'), JSON.stringify(big))
    for (const { of, customer_id } of alerts) if (of === 'transaction') assert.equal(customer_id, 'U5')
    assert.match(String(big?.sentence), /small charges or declines, then a big one/)
  })
  test('E6, M4: the order that stands out is told in the form of M4', async () => {
    const alerts = await told('fraud-alerts', (rows) => rows.some(({ order_id }) => order_id === 'o20'))
    const orderAlerts = alerts.filter(({ of }) => of === 'order')
    assert.deepEqual(
      orderAlerts.map(({ order_id, customer_id }) => [order_id, customer_id]),
      [['o20', 'c-odd']],
    )
    const [alert] = orderAlerts
    assert.ok(Number(alert?.score) > 0 && Number(alert?.score) <= 1)
    assert.ok(Array.isArray(alert?.reasons) && alert.reasons.includes('shipping_country_differs'))
    for (const name of ['alert_id', 'severity', 'detected_at']) assert.equal(typeof alert?.[name], 'string')
  })
  test('E4: the scraper is told, once; the people are not', async () => {
    const alerts = await told('traffic-alerts', (rows) => rows.length > 0)
    assert.deepEqual(
      alerts.map(({ kind, session_id }) => [kind, session_id]),
      [['scraper', 'scraper']],
    )
  })
  test('E4: the funnel of the hour counts views, carts and purchases of visits; the carts that were left are told', async () => {
    const rows = await told('funnel', (some) => some.some(({ purchased }) => Number(purchased) > 0))
    const hours = rows.filter(({ size_seconds, category }) => size_seconds === 3_600 && category === null)
    const sum = (name: string): number => hours.reduce((all, row) => all + Number(row[name]), 0)
    assert.deepEqual([sum('entered'), sum('carted'), sum('purchased')], [15, 14, 12])
    const carts = await told('cart-abandonments', (some) => some.length >= 2)
    assert.deepEqual(carts.map(({ session_id }) => session_id).sort(), ['visit-12', 'visit-13'])
  })
  test('E5: the shelf is told before it is empty', async () => {
    const [alert] = await told('stock-alerts', (rows) => rows.length > 0)
    assert.deepEqual([alert?.product_id, alert?.warehouse], ['P001', 'NYC'])
  })
  test('E7: who looked at one thing is shown what goes with it; what is bought together has its figures', async () => {
    const { detection } = house.jobs
    // Figures of pairs come with their next window, behind what was looked at.
    for (
      let tries = 0;
      tries < 300 && detection.recommendations('U1000', Date.now(), 5).boughtTogether.length === 0;
      tries++
    )
      await new Promise((resolve) => setTimeout(resolve, 100))
    const shown = detection.recommendations('U1000', Date.now(), 5)
    assert.equal(shown.known, true)
    assert.ok(shown.items.length >= 3, JSON.stringify(shown))
    const [pair] = shown.boughtTogether
    assert.equal(pair?.confidence, 1, JSON.stringify(shown))
    assert.ok(pair.lift > 0 && pair.jaccard > 0.9)
    assert.equal(detection.recommendations('nobody', Date.now(), 5).known, false)
  })
  test('W9: features of a seller, a category, a product and a visitor', () => {
    const nowMs = Date.now()
    const features = (kind: 'seller' | 'category' | 'product' | 'user', id: string, name: string): number => {
      const value = house.jobs.detection.features(kind, id, nowMs)[name]
      assert.equal(typeof value, 'number', `${name} of ${id}`)
      return value ?? Number.NaN
    }
    // Two pieces a minute over the hour before now, as far as the records and the watermark go.
    const volume = features('seller', sellers[0]!.name, 'seller_volume_1h')
    assert.ok(volume >= 2 * 55 && volume <= 120, String(volume))
    assert.ok(features('seller', sellers[0]!.name, 'seasonality_score') > 0)
    assert.ok(Math.abs(features('category', 'Books', 'category_trend_30m')) < 0.3)
    assert.ok(Math.abs(features('product', 'X1', 'price_zscore')) < 5)
    assert.ok(features('user', 'U71', 'customer_velocity_1h') > 10)
    assert.ok(features('user', 'U71', 'user_recency_hours') < 0.2)
  })
})
