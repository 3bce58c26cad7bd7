// Q1 to Q4 through the embedded broker: what each minute of each topic was made of, what was refused and why, spikes,
// missing volume, what does not add up, delays; and the ledger that accounts for all of it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { qualityTopics } from '../../src/commerce/commerce.ts'
import { faults, storeTraffic, withFaults } from '../../src/generate/generate.ts'
import { ledgerAtRest } from '../../src/platform/ledger.ts'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { type Json, openHouse, until } from './house.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-quality-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const minuteMs = 60_000
const startMs = Math.floor(Date.now() / minuteMs) * minuteMs - 90 * minuteMs
// One for each partition: a partition that is silent would hold the watermark until it counts as idle.
const sellers = Array.from({ length: 6 }, (_, partition) => {
  const names = Array.from({ length: 100 }, (_, i) => `Seller ${i}`)
  return names.find((name) => partitionOfKey(new TextEncoder().encode(name), 6) === partition) ?? ''
})
const sale = (i: number, atMs: number, more: Json = {}): Json => ({
  ...{
    id_sale: `s-${atMs}-${i}`,
    id_product: `P${i % 20}`,
    nm_product: 'A thing',
    nm_category: 'Things',
    nm_brand: 'B',
  },
  ...{ seller: sellers[i % sellers.length], price: 20 + (i % 20), quantity: 1, tp_payment: 'Pix' },
  sale_date: new Date(atMs).toISOString(),
  ...more,
})

test('Q1, Q3: each minute of a topic is checked: complete, valid, refused for which field; spikes and lost volume are told', async () => {
  const house = await openHouse()
  const records: Json[] = []
  for (let minute = 0; minute < 80; minute++) {
    // From the 60th on four fifths are missing.
    const count = minute < 60 ? 40 : 8
    for (let i = 0; i < count; i++) {
      const atMs = startMs + minute * minuteMs + i * 1_000
      const spike = minute === 40 && i === 7 ? { price: 27 * 8 } : {}
      const lack = i % 4 === 0 ? { nm_product: null } : {}
      const broken = minute === 50 && i < 10 ? { price: 'dear' } : {}
      records.push(sale(i, atMs, { ...spike, ...lack, ...broken }))
    }
  }
  await house.send('sales', records)
  await house.settled()
  const checks = (await house.rows(qualityTopics.checks)).flatMap(({ value }) =>
    value?.topic === 'sales' ? [value] : [],
  )
  assert.ok(checks.length >= 78, String(checks.length))
  for (const { window_start, records: count, completeness } of checks) {
    const minute = (Date.parse(String(window_start)) - startMs) / minuteMs
    assert.equal(count, minute === 50 ? 30 : minute < 60 ? 40 : 8)
    const sent = records.filter(
      ({ sale_date, price }) =>
        Math.floor((Date.parse(String(sale_date)) - startMs) / minuteMs) === minute && price !== 'dear',
    )
    const there = sent.filter(({ nm_product }) => nm_product !== null).length / sent.length
    assert.ok(Math.abs(Number(Object(completeness).nm_product) - there) < 1e-6)
  }
  const refused = checks.reduce((sum, one) => sum + Number(one.refused), 0)
  assert.equal(refused, 10)
  assert.ok(checks.some(({ refused_by }) => Object(refused_by)['wrong-type/price'] > 0))

  const alerts = (await house.rows(qualityTopics.alerts)).flatMap(({ value }) => (value === null ? [] : [value]))
  const spikes = alerts.filter(({ kind }) => kind === 'price-spike')
  assert.deepEqual(
    spikes
      .map(({ alert_id, status, value, usual }) => [alert_id, status, value, Math.round(Number(usual))])
      .slice(0, 1),
    [['price-spike/sales/P7', 'firing', 216, 27]],
  )
  assert.ok(alerts.some(({ alert_id, status }) => alert_id === 'invalid/sales' && status === 'firing'))
  const volume = alerts.filter(({ kind, entity }) => kind === 'volume' && entity === 'down')
  assert.ok(volume.length === 1 && volume[0]?.status === 'firing', JSON.stringify(volume))

  const state = await house.quality.read()
  assert.deepEqual(
    state.refused.filter(({ topic }) => topic === 'sales'),
    [{ topic: 'sales', reason: 'wrong-type', rule: 'price', version: 1, records: 10 }],
  )
  const fresh = state.freshness.filter(({ topic, newestMs }) => topic === 'sales' && newestMs !== null)
  assert.equal(Math.max(...fresh.map(({ newestMs }) => newestMs ?? 0)), startMs + 79 * minuteMs + 7_000)
  await house.send('sales', [sale(1, Date.now(), { colour: 'red' })])
  await house.settled()
  const unknown = await until('the unknown field', async () => {
    const found = (await house.quality.read()).unknownFields.find(({ field }) => field === 'colour')
    return found ?? null
  })
  assert.equal(unknown.topic, 'sales')
  await house.close()
})

test('Q3: what must add up across records does: lines, payments, orders and their items', async () => {
  const house = await openHouse()
  const at = (i: number): string => new Date(startMs + i * 1_000).toISOString()
  const payment = (i: number, more: Json = {}): Json => ({
    ...{ transaction_id: `t-${i}`, user_id: 'U0001', event_type: 'purchase', timestamp: at(i), payment_method: 'card' },
    items: [
      { product_id: 'P1', product_name: 'A', price: 10.1, quantity: 2, item_total: 20.2 },
      { product_id: 'P2', product_name: 'B', price: 5, quantity: 1, item_total: 5 },
    ],
    ...{ total_amount: 30.2, tax_amount: 2, shipping_cost: 3 },
    ...more,
  })
  const wrongLine = [{ product_id: 'P1', product_name: 'A', price: 10, quantity: 2, item_total: 25.2 }]
  await house.send('transactions', [
    payment(1),
    payment(2, { total_amount: 31.2 }),
    payment(3, { items: wrongLine }),
    payment(4),
  ])
  const order = (i: number, subtotal: number): Json => ({
    ...{
      order_id: `o-${i}`,
      customer_id: 'c',
      order_date: at(i),
      status: 'paid',
      payment_method: 'card',
      currency: 'USD',
    },
    ...{ subtotal, discount: 0, shipping_cost: 1, tax_amount: 0, total_amount: subtotal + 1, shipping_country: 'BR' },
  })
  const item = (i: number): Json => ({
    ...{
      order_item_id: `i-${i}`,
      order_id: `o-${i}`,
      order_date: at(i),
      product_id: 'P',
      product_name: 'A',
      category: 'C',
    },
    ...{ unit_price: 10, quantity: 1, discount: 0, item_total: 10 },
  })
  await house.send('ecommerce_order_items', [item(1), item(2), item(1_000)])
  await house.settled()
  await house.send('ecommerce_orders', [order(1, 10), order(2, 12), order(1_000, 10)])
  await house.settled()
  const alerts = await house.table(qualityTopics.alerts)
  const found = [...alerts.values()].flatMap(({ kind, alert_id, sentence }) =>
    kind === 'consistency' ? [`${alert_id}: ${sentence}`] : [],
  )
  assert.deepEqual(found.sort(), [
    'consistency/ecommerce_orders/items: INCONSISTENT: the subtotal of an order is that of its items: o-2 has 12.00, not 10.00',
    'consistency/transactions/item-total: INCONSISTENT: item_total is price x quantity: t-3 has 25.20, not 20.00',
    'consistency/transactions/total-amount: INCONSISTENT: total_amount is its items, tax and shipping: t-2 has 31.20, not 30.20',
  ])
  await house.close()
})

test('Q2, Q4, Q5: the ledger accounts for every record of faulty traffic, running and at rest; delays are among the figures', async () => {
  const dataDir = join(folder, 'data')
  const house = await openHouse(dataDir)
  const sent = new Map<string, Json[] | string[]>()
  const raw = new Map<string, string[]>()
  const traffic = withFaults('ledger', storeTraffic('ledger', { ratePerSecond: 10, startMs, steady: true }), {
    shares: Object.fromEntries(faults.map((fault) => [fault, fault === 'price-spike' ? 0 : 0.01])),
  })
  traffic.produceUntil(startMs + 5 * minuteMs, {
    record: (topic, _key, value) => raw.set(topic, [...(raw.get(topic) ?? []), new TextDecoder().decode(value)]),
  })
  for (const [topic, texts] of raw) {
    await house.send(topic, texts, startMs + 5 * minuteMs)
    sent.set(topic, texts)
  }
  const late = new Date(startMs - 30 * 3_600_000).toISOString()
  const one = { transaction_id: 'TXN-ETS-00000001', marketplace: 'Etsy', product_id: 'p', amount: 3, quantity: 1 }
  await house.send('marketplace-sales', [{ ...one, transaction_time: late }], startMs)
  await house.settled()
  const check = async (ledger: ReturnType<typeof house.ledger>): Promise<void> => {
    assert.equal(ledger.imbalance, 0)
    for (const {
      topic,
      in: all,
      processed,
      duplicates,
      late,
      deadLettered,
      inFlight,
      imbalance,
      partitions,
    } of ledger.topics) {
      assert.equal(imbalance, 0)
      assert.equal(all, processed + duplicates + late + deadLettered + inFlight, topic)
      for (const line of partitions)
        assert.equal(line.in, line.processed + line.duplicates + line.late + line.deadLettered + line.inFlight, topic)
    }
  }
  const ledger = house.ledger()
  await check(ledger)
  for (const [topic, texts] of sent) {
    const line = ledger.topics.find((found) => found.topic === topic)
    if (line === undefined) continue
    assert.equal(line.in, texts.length, topic)
    assert.equal(line.inFlight, 0, topic)
    // Told by nobody but the records themselves: what is in the topic of dead letters, each place once.
    const letters = await house.rows(`${topic}.dlq`)
    const places = new Set(
      letters.map(({ headers }) => `${headers['dlq.original.partition']}/${headers['dlq.original.offset']}`),
    )
    assert.equal(letters.length, places.size, `${topic}: one letter a record`)
    assert.equal(line.deadLettered, letters.length, topic)
  }
  assert.ok(ledger.topics.some(({ deadLettered }) => deadLettered > 0))
  assert.ok(ledger.topics.some(({ duplicates }) => duplicates > 0))
  const delays = await until('delay figures', async () => (await house.quality.read()).delays, 45_000)
  assert.deepEqual([delays.total, delays.breakdown.long, delays.marketplaces[0]?.hours], [1, 1, 30])
  await house.close()

  const rest = await ledgerAtRest(house.world, dataDir)
  await check(rest)
  for (const { topic, partitions: _, ...line } of ledger.topics) {
    const { partitions: __, ...same } = rest.topics.find((found) => found.topic === topic) ?? { partitions: [] }
    assert.deepEqual(same, { topic, ...line })
  }
})
