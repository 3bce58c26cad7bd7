// The ecommerce cycles: shares, sums to the cent, nobody and nothing named that was not told before, and what a burst holds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInstant } from '../std/instant.ts'
import { ecommerceBurst, ecommerceTopics, ecommerceTraffic, scenarios } from './generate.ts'
import type { RecordSink } from './sink.ts'

const startMs = Date.UTC(2026, 0, 5, 15)
const decoder = new TextDecoder()
const cents = (value: number): number => Math.round(value * 100)

interface Made {
  readonly topic: string
  readonly key: string
  // A parsed record, looked at field by field.
  readonly value: ReturnType<typeof JSON.parse>
  readonly arrivalMs: number
}
function gathering(): { readonly made: Made[]; readonly sink: RecordSink } {
  const made: Made[] = []
  return {
    made,
    sink: {
      record: (topic, key, value, arrivalMs) =>
        made.push({ topic, key: decoder.decode(key), value: JSON.parse(decoder.decode(value)), arrivalMs }),
    },
  }
}
const countOf = (made: readonly Made[], topic: string): number => made.filter((one) => one.topic === topic).length

test('M1-M4: orders of known customers, items that add up, alerts that rise with the value of the order', () => {
  const { made, sink } = gathering()
  ecommerceTraffic('4', { ratePerSecond: 500, startMs, steady: true }).produceUntil(startMs + 60_000, sink)
  assert.ok(Math.abs(made.length / 30_000 - 1) < 0.1, `${made.length}`)
  const customers = new Map<string, number>()
  const orders = new Map<string, Made>()
  const sums = new Map<string, { items: number; total: number }>()
  const alerted = new Set<string>()
  let changed = 0
  for (const one of made) {
    const { topic, key, value, arrivalMs } = one
    if (topic === 'ecommerce_customers') {
      assert.equal(key, value.customer_id)
      assert.ok(parseInstant(value.registered_at) <= parseInstant(value.updated_at))
      assert.equal(parseInstant(value.updated_at), arrivalMs)
      if (customers.has(key)) changed++
      customers.set(key, parseInstant(value.registered_at))
    } else if (topic === 'ecommerce_orders') {
      assert.equal(key, value.order_id)
      assert.ok(!orders.has(key))
      const orderedMs = parseInstant(value.order_date)
      assert.ok(orderedMs <= arrivalMs && orderedMs > arrivalMs - 5_000)
      assert.ok(customers.get(value.customer_id)! <= orderedMs, 'the customer was told before')
      const { subtotal, discount, shipping_cost, tax_amount, total_amount } = value
      assert.equal(cents(total_amount), cents(subtotal) - cents(discount) + cents(shipping_cost) + cents(tax_amount))
      orders.set(key, one)
    } else if (topic === 'ecommerce_order_items') {
      assert.equal(key, value.order_id)
      assert.equal(cents(value.item_total), cents(value.unit_price) * value.quantity - cents(value.discount))
      const sum = sums.get(key) ?? { items: 0, total: 0 }
      sums.set(key, { items: sum.items + 1, total: sum.total + cents(value.item_total) })
    } else {
      assert.equal(value.customer_id, orders.get(key)!.value.customer_id)
      assert.ok(value.score >= 0 && value.score <= 1 && value.reasons.length > 0)
      assert.ok(parseInstant(value.detected_at) >= parseInstant(orders.get(key)!.value.order_date))
      assert.ok(!alerted.has(key))
      alerted.add(key)
    }
  }
  for (const [id, { value }] of [...orders].slice(0, -1)) {
    const sum = sums.get(id)!
    assert.equal(sum.total, cents(value.subtotal), id)
    assert.ok(sum.items >= 2 && sum.items <= 5)
  }
  const perOrder = (topic: string): number => countOf(made, topic) / orders.size
  assert.ok(Math.abs(perOrder('ecommerce_customers') - 0.2) < 0.001)
  assert.ok(Math.abs(perOrder('ecommerce_order_items') - 3.5) < 0.1)
  assert.ok(Math.abs(perOrder('ecommerce_fraud_alerts') - 0.306) < 0.02, `${perOrder('ecommerce_fraud_alerts')}`)
  assert.ok(changed > 0)
  const byValue = [...orders.values()].sort((a, b) => a.value.total_amount - b.value.total_amount)
  const alerts = (part: readonly Made[]): number => part.filter(({ key }) => alerted.has(key)).length / part.length
  const third = Math.floor(byValue.length / 3)
  const [low, high] = [alerts(byValue.slice(0, third)), alerts(byValue.slice(-third))]
  assert.ok(low > 0.13 && low < high && high < 0.42, `${low} of the cheap, ${high} of the dear`)
})

test('M9: a burst of 20 cycles holds what is expected of it, whatever the seed', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { made, sink } = gathering()
    ecommerceBurst(`burst-${seed}`, { atMs: startMs }, sink)
    const counts = ecommerceTopics.map((topic) => countOf(made, topic))
    const [orders = 0, customers = 0, items = 0, alerts = 0] = counts
    assert.equal(orders, 20)
    const isExpected = customers >= 4 && customers <= 6 && items >= 40 && items <= 100 && alerts >= 3 && alerts <= 8
    assert.ok(isExpected, `seed burst-${seed}: ${counts.join(', ')}`)
    assert.ok(made.every(({ arrivalMs }) => arrivalMs === startMs))
  }
})

test('a topic alone has the records that it has beside the others', () => {
  const of = (ratePerSecond: number, topics: readonly string[]): Made[] => {
    const { made, sink } = gathering()
    ecommerceTraffic('4', { ratePerSecond, startMs, steady: true, topics }).produceUntil(startMs + 20_000, sink)
    return made
  }
  // 1 + 0.2 + 3.5 + 0.306 records a cycle.
  const beside = of(500.6, ecommerceTopics).filter(({ topic }) => topic === 'ecommerce_orders')
  const alone = of(100, ['ecommerce_orders'])
  assert.ok(alone.length > 1_800)
  assert.deepEqual(alone.slice(0, 500), beside.slice(0, 500))
})

test('M1: orders of the realistic profile live on: paid, shipped, delivered after about ten days, 8 % late, some cancelled', () => {
  const { made, sink } = gathering()
  const settings = { ratePerSecond: 0.012, startMs, profile: 'realistic' as const }
  scenarios
    .get('ecommerce')!
    .traffic('6', settings)
    .produceUntil(startMs + 60 * 86_400_000, sink)
  const orders = new Map<
    string,
    { status: string; orderedMs: number; lastMs: number; late: boolean; reason: unknown }
  >()
  const days: number[] = []
  for (const { topic, key, value, arrivalMs } of made) {
    if (topic === 'ecommerce_orders') {
      assert.equal(value.status, 'pending')
      const orderedMs = parseInstant(value.order_date)
      orders.set(key, { status: 'pending', orderedMs, lastMs: orderedMs, late: false, reason: null })
    } else if (topic === 'ecommerce_order_status') {
      const order = orders.get(key)!
      assert.equal(value.previous_status, order.status, key)
      const atMs = parseInstant(value.changed_at)
      assert.ok(atMs >= order.lastMs && atMs === arrivalMs)
      order.lastMs = atMs
      order.status = value.status
      order.reason = value.reason
      if (value.status === 'delivered') {
        if (order.orderedMs < startMs + 10 * 86_400_000) days.push((atMs - order.orderedMs) / 86_400_000)
        order.late = atMs > parseInstant(value.promised_at)
      }
    }
  }
  // Those of the first ten days: nearly all of them have come to their end.
  const old = [...orders.values()].filter(({ orderedMs }) => orderedMs < startMs + 10 * 86_400_000)
  assert.ok(old.length > 1_500, `${old.length}`)
  const share = (fits: (order: (typeof old)[number]) => boolean): number => old.filter(fits).length / old.length
  const near = (seen: number, asked: number, by: number): void =>
    assert.ok(Math.abs(seen - asked) < by, `${seen}, asked ${asked}`)
  near(
    share(({ status }) => status === 'delivered'),
    0.985,
    0.01,
  )
  near(
    share(({ late }) => late),
    0.08,
    0.015,
  )
  near(
    share(({ status, reason }) => status === 'cancelled' && reason === 'customer'),
    0.006,
    0.004,
  )
  near(
    share(({ status, reason }) => status === 'cancelled' && reason === 'unavailable'),
    0.006,
    0.004,
  )
  days.sort((a, b) => a - b)
  near(days[days.length >> 1]!, 10, 1)
})
