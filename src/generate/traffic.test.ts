// Generated traffic: the same seed gives the same bytes however it is asked for, and the mix is the shop's.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { contracts, orders, sales } from '../commerce/commerce.ts'
import type { Contract } from '../query/contract.ts'
import { parseInstant } from '../std/instant.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import { hourWeights, seasonAt, weekdayWeights } from './arrivals.ts'
import {
  catalogue,
  generators,
  ordersTraffic,
  ratesDefault,
  salesTraffic,
  scenarios,
  sellers,
  type Traffic,
} from './generate.ts'
import type { RecordSink } from './sink.ts'

const startMs = Date.UTC(2026, 0, 5, 12)
const decoder = new TextDecoder()

interface Made {
  readonly topic: string
  readonly key: string
  readonly line: string
  readonly timeMs: number
}
function collect(traffic: Traffic, untilMs: number): Made[] {
  const made: Made[] = []
  traffic.produceUntil(untilMs, {
    record: (topic, key, value, timeMs) =>
      made.push({ topic, key: decoder.decode(key), line: decoder.decode(value), timeMs }),
  })
  return made
}
function hashing(): { readonly sink: RecordSink; digest(): string } {
  const hash = createHash('sha256')
  return {
    sink: {
      record: (topic, key, value, timeMs) => hash.update(topic).update(key).update(value).update(String(timeMs)),
    },
    digest: () => hash.digest('hex'),
  }
}

for (const [topic, { traffic: make }] of scenarios) {
  test(`${topic}: the same seed gives the same bytes, in one go, in steps of time or in steps of count`, () => {
    const settings = { ratePerSecond: 200, startMs }
    const endMs = startMs + 40_000
    const digest = (seed: string, run: (traffic: Traffic, sink: RecordSink) => void): string => {
      const { sink, digest } = hashing()
      run(make(seed, settings), sink)
      return digest()
    }
    const whole = digest('7', (traffic, sink) => void traffic.produceUntil(endMs, sink))
    const byTime = digest('7', (traffic, sink) => {
      for (let atMs = startMs; atMs <= endMs; atMs += 37) traffic.produceUntil(Math.min(atMs, endMs), sink)
      traffic.produceUntil(endMs, sink)
    })
    const byCount = digest('7', (traffic, sink) => {
      while (traffic.produceUntil(endMs, sink, 11) === 11);
    })
    assert.equal(byTime, whole)
    assert.equal(byCount, whole)
    assert.notEqual(
      digest('8', (traffic, sink) => void traffic.produceUntil(endMs, sink)),
      whole,
    )
  })
}

test('the bytes of a seed do not change from release to release unless these hashes are changed on purpose', () => {
  const { sink, digest } = hashing()
  salesTraffic('42', { ratePerSecond: 50, startMs }).produceUntil(startMs + 60_000, sink)
  ordersTraffic('42', { ratePerSecond: 20, startMs }).produceUntil(startMs + 60_000, sink)
  assert.equal(digest(), '28d7b536b1678d2ba931813a6b31eaf442af124371ee1329b50cf6a5b64ed53c')
  const of = (topic: string): string => {
    const { sink, digest } = hashing()
    generators.get(topic)!('42', { ratePerSecond: 20, startMs }).produceUntil(startMs + 60_000, sink)
    return digest().slice(0, 16)
  }
  assert.deepEqual(
    [...generators.keys()].slice(2).map((topic) => `${topic} ${of(topic)}`),
    [
      'marketplace-sales b7b54ddc18f5a1fb',
      'ecommerce_orders 4a58261d708f269e',
      'ecommerce_customers 35606df32eaefcb0',
      'ecommerce_order_items de12f38c94302897',
      'ecommerce_fraud_alerts ac30f10a59b06b0d',
      'user-events 4002f9a5e0edcc06',
      'transactions 5ff8a70931ac539e',
      'inventory-updates 7da400e0b77f4af7',
    ],
  )
})

test('produceUntil stops at its time and at its count, and says what it did', () => {
  const traffic = salesTraffic('1', { ratePerSecond: 100, startMs, steady: true })
  const times: number[] = []
  const sink: RecordSink = { record: (_topic, _key, _value, timeMs) => times.push(timeMs) }
  assert.equal(traffic.produceUntil(startMs, sink), 0)
  assert.equal(traffic.produceUntil(startMs + 10_000, sink, 5), 5)
  const rest = traffic.produceUntil(startMs + 10_000, sink)
  assert.equal(traffic.produced, 5 + rest)
  assert.equal(times.length, traffic.produced)
  assert.ok(times.every((time, i) => time >= startMs && time < startMs + 10_000 && time >= (times[i - 1] ?? 0)))
  assert.ok(traffic.nextMs >= startMs + 10_000)
})

test('steady: the asked rate over any run; not steady: the hours of the day show', () => {
  const count = (settings: { readonly steady: boolean; readonly startMs: number }, ms: number): number =>
    salesTraffic('3', { ratePerSecond: 40, ...settings }).produceUntil(settings.startMs + ms, { record: () => {} })
  for (const hour of [3, 15]) {
    const made = count({ steady: true, startMs: Date.UTC(2026, 0, 5, hour) }, 600_000)
    assert.ok(Math.abs(made / 24_000 - 1) < 0.03, `${made} of 24,000 at ${hour}:00`)
  }
  // 04:00 in Brasília is 07:00 UTC.
  const night = count({ steady: false, startMs: Date.UTC(2026, 0, 5, 7) }, 1_800_000)
  const day = count({ steady: false, startMs: Date.UTC(2026, 0, 5, 14) }, 1_800_000)
  assert.ok(day > night * 10, `${night} by night, ${day} by day`)
})

test('the season has mean 1 over a week and is continuous inside a day', () => {
  assert.equal(hourWeights.length, 24)
  assert.equal(weekdayWeights.length, 7)
  let sum = 0
  let largestStep = 0
  const minutes = 7 * 24 * 60
  for (let minute = 0; minute < minutes; minute++) {
    const at = startMs + minute * 60_000
    sum += seasonAt(at)
    // 03:00 UTC is midnight in Brasília, where the weekday's weight changes.
    if ((at / 60_000) % 1440 !== 180)
      largestStep = Math.max(largestStep, Math.abs(seasonAt(at) - seasonAt(at - 60_000)))
  }
  assert.ok(Math.abs(sum / minutes - 1) < 0.01, `mean ${sum / minutes}`)
  assert.ok(largestStep < 0.02, `a step of ${largestStep} in a minute`)
})

test('sales: shape, mix of sellers, products, payments and quantities; a little out of order, never late', () => {
  const shop = catalogue('5')
  const products = new Map(shop.products.map((product, rank) => [product.id, { ...product, rank }]))
  const made = collect(
    salesTraffic('5', { ratePerSecond: 1_000, startMs, steady: true, catalogue: shop }),
    startMs + 60_000,
  )
  assert.ok(made.length > 57_000 && made.length < 63_000)
  const bySeller = new Map<string, number>()
  const newest = new Array<number>(sales.partitions).fill(0)
  const ids = new Set<string>()
  let head = 0
  let jittered = 0
  let single = 0
  let card = 0
  for (const { topic, key, line, timeMs } of made) {
    const sale = JSON.parse(line)
    assert.equal(JSON.stringify(sale), line)
    assert.equal(topic, 'sales')
    assert.deepEqual(Object.keys(sale), [
      'id_sale',
      'id_product',
      'nm_product',
      'nm_category',
      'nm_brand',
      'seller',
      'price',
      'quantity',
      'tp_payment',
      'sale_date',
    ])
    assert.match(sale.id_sale, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    ids.add(sale.id_sale)
    assert.equal(key, sale.seller)
    const product = products.get(sale.id_product)!
    assert.equal(sale.nm_product, product.title)
    assert.equal(sale.nm_category, product.category)
    assert.ok(Math.abs((sale.price * 100) / product.priceMinor - 1) < 0.1)
    bySeller.set(sale.seller, (bySeller.get(sale.seller) ?? 0) + 1)
    if (product.rank < 98) head++
    if (sale.quantity === 1) single++
    if (sale.tp_payment === 'Credit Card') card++
    const eventMs = parseInstant(sale.sale_date)
    assert.match(sale.sale_date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(eventMs <= timeMs && eventMs > timeMs - 5_000)
    if (eventMs < timeMs) jittered++
    const partition = partitionOfKey(Buffer.from(key), sales.partitions)
    assert.ok(eventMs > newest[partition]! - sales.outOfOrderMs, 'late by its own partition')
    newest[partition] = Math.max(newest[partition]!, eventMs)
  }
  assert.equal(ids.size, made.length)
  assert.ok(
    newest.every((ms) => ms > 0),
    'every partition has traffic',
  )
  assert.equal(bySeller.size, sellers.length)
  for (const { name, share } of sellers) {
    assert.ok(
      Math.abs(bySeller.get(name)! / made.length - share) < 0.01,
      `${name}: ${bySeller.get(name)} of ${made.length}`,
    )
  }
  const near = (count: number, share: number): void =>
    assert.ok(Math.abs(count / made.length - share) < 0.02, `${count / made.length}, not about ${share}`)
  near(head, 0.38)
  near(jittered, 0.03)
  near(single, 0.815)
  near(card, 0.46)
})

test('orders: shape, unique ids above a thousand a second, amounts within 10 and 500', () => {
  const made = collect(ordersTraffic('5', { ratePerSecond: 3_000, startMs, steady: true }), startMs + 5_000)
  const ids = new Set<string>()
  for (const { key, line, timeMs } of made) {
    const order = JSON.parse(line)
    assert.equal(JSON.stringify(order), line)
    assert.match(order.order_id, /^order-\d{13}$/)
    assert.equal(key, order.order_id)
    ids.add(order.order_id)
    assert.match(order.user_id, /^user-([1-9]\d?|100)$/)
    assert.match(order.product_id, /^prod-[1-5]$/)
    assert.ok(order.amount >= 10 && order.amount <= 500 && Number.isInteger(Math.round(order.amount * 1e6) / 1e4))
    assert.ok(parseInstant(order.timestamp) <= timeMs)
  }
  assert.equal(ids.size, made.length)
})

test('the sellers share everything, and their keys reach every partition', () => {
  assert.equal(sellers.length, 16)
  assert.ok(Math.abs(sellers.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  const reached = new Set(sellers.map(({ name }) => partitionOfKey(Buffer.from(name), sales.partitions)))
  assert.equal(reached.size, sales.partitions)
})

test('the whole shop is its parts in order of arrival, each at its share of the rate', () => {
  const shop = scenarios.get('shop')!
  const made = collect(
    shop.traffic('3', { ratePerSecond: shop.ratePerSecond, startMs, steady: true }),
    startMs + 60_000,
  )
  for (let i = 1; i < made.length; i++) assert.ok(made[i]!.timeMs >= made[i - 1]!.timeMs)
  const regular = made.filter(({ topic }) => !shop.beside.includes(topic))
  assert.deepEqual(new Set(regular.map(({ topic }) => topic)), new Set(shop.topics))
  const alone = collect(salesTraffic('3', { ratePerSecond: 50, startMs, steady: true }), startMs + 60_000)
  assert.deepEqual(
    made.filter(({ topic }) => topic === 'sales'),
    alone,
  )
})

test('every topic that can be made up has a rate of its own', () => {
  assert.deepEqual([...ratesDefault.keys()], [...generators.keys()])
})

test('the README names every topic that can be made up', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const row = readme.split('\n').find((line) => line.startsWith('| `millrace produce '))
  for (const topic of generators.keys()) assert.ok(row?.includes(topic), topic)
})

test('every topic of a generator has a contract, and every required field is written', () => {
  for (const [topic, make] of generators) {
    const contract: Contract = contracts.get(topic)!
    const made = collect(make('9', { ratePerSecond: 100, startMs, steady: true }), startMs + 5_000)
    assert.ok(made.length > 250)
    for (const { line } of made) {
      const record = JSON.parse(line)
      for (const [name, field] of Object.entries(contract.fields)) {
        if (!field.nullable && field.default === undefined) assert.notEqual(record[name], undefined, `${topic}.${name}`)
      }
    }
  }
  assert.equal(orders.topic, 'orders')
})
