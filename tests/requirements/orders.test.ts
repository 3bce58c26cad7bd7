// O1 to O6 and Q1, Q2, Q5 of orders through the embedded broker: what is valid is processed once, what is not is kept with
// its reason and goes back once it is mended; the groups of the documents show how far each part is.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { orderProducts } from '../../src/commerce/commerce.ts'
import { ordersTraffic } from '../../src/generate/generate.ts'
import { startOrderSink } from '../../src/platform/order-sink.ts'
import { type Json, openHouse, until } from './house.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-orders-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 300_000
const order = (i: number, more: Json = {}): Json => ({
  order_id: `order-${i}`,
  user_id: `user-${1 + (i % 100)}`,
  product_id: `prod-${1 + (i % 5)}`,
  amount: Math.round(1_000 + i) / 100,
  timestamp: new Date(startMs + i * 100).toISOString(),
  ...more,
})

test('O1: generated orders are as the documents say: ids, users, products, amounts, a record each', async () => {
  const house = await openHouse()
  const traffic = ordersTraffic('o1', { ratePerSecond: 30, startMs, steady: true })
  const lines: string[] = []
  traffic.produceUntil(startMs + 60_000, { record: (_t, _k, value) => lines.push(new TextDecoder().decode(value)) })
  await house.send(
    'orders',
    lines.map((line): Json => JSON.parse(line)),
  )
  await house.settled()
  const rows = await house.rows('orders')
  assert.equal(rows.length, lines.length)
  assert.ok(rows.length > 1_600 && rows.length < 2_000, '10 to 50 a second')
  for (const { key, value } of rows) {
    const { order_id, user_id, product_id, amount, timestamp } = value ?? {}
    assert.match(String(order_id), /^order-\d+$/)
    assert.equal(key, order_id)
    assert.match(String(user_id), /^user-([1-9]\d?|100)$/)
    assert.ok(String(product_id) in orderProducts)
    assert.ok(Number(amount) >= 10 && Number(amount) <= 500)
    assert.ok(Number.isFinite(Date.parse(String(timestamp))))
  }
  assert.equal(house.ledger().imbalance, 0)
  await house.close()
})

test('O2, O4, Q1, Q2, Q5: valid orders are processed once and enriched, rejects are kept with their reason and go back once they are mended', async () => {
  const house = await openHouse()
  const good = Array.from({ length: 200 }, (_, i) => order(i))
  const bad: [Json | string, reason: string, rule: string][] = [
    [order(1_000, { amount: 0 }), 'rule', 'amount'],
    [order(1_001, { amount: -5 }), 'rule', 'amount'],
    [order(1_002, { product_id: 'prod-9' }), 'rule', 'product_id'],
    [order(1_003, { user_id: undefined }), 'missing', 'user_id'],
    [order(1_004, { amount: 'much' }), 'wrong-type', 'amount'],
    ['{"order_id":"order-1005","user', 'not-json', ''],
    [order(1_006, { timestamp: new Date(Date.now() + 86_400_000).toISOString() }), 'future', 'timestamp'],
  ]
  // A producer that tries again sends the same twice.
  await house.send('orders', [...good.slice(0, 150), ...bad.map(([record]) => record), ...good.slice(100)])
  await house.settled()
  const processed = await house.rows('processed-orders')
  assert.equal(processed.length, good.length)
  for (const { key, value } of processed) {
    const sent = good.find(({ order_id }) => order_id === value?.order_id)
    assert.ok(value && sent)
    assert.equal(key, sent.order_id)
    const { product_name, processed_at, timing: _, ...rest } = value
    assert.deepEqual(rest, sent)
    assert.equal(product_name, Object.entries(orderProducts).find(([id]) => id === sent.product_id)?.[1])
    assert.ok(Math.abs(Date.now() - Date.parse(String(processed_at))) < 60_000)
  }
  assert.equal(new Set(processed.map(({ partition }) => partition)).size, 3, 'by order over three partitions')

  const { matching, letters } = await house.deadLetters.list({ topic: 'orders' }, 100)
  assert.equal(matching, bad.length)
  for (const [record, reason, rule] of bad) {
    const text = typeof record === 'string' ? record : JSON.stringify(record)
    const found = []
    for (const letter of letters) {
      const whole = await house.deadLetters.show('orders', letter.partition, letter.offset)
      if (whole?.value.text === text) found.push(whole)
    }
    assert.equal(found.length, 1, text)
    assert.deepEqual([found[0]?.reason, found[0]?.rule, found[0]?.attempt], [reason, rule, 1])
  }
  const line = house.ledger().topics.find(({ topic }) => topic === 'orders')
  assert.deepEqual(
    [line?.in, line?.processed, line?.duplicates, line?.deadLettered, line?.inFlight, line?.imbalance],
    [good.length + 50 + bad.length, good.length, 50, bad.length, 0, 0],
  )

  const how = { dryRun: false, all: false, set: { amount: 12.5 } }
  const filter = { topic: 'orders', rule: 'amount' }
  assert.deepEqual(await house.deadLetters.replay(filter, { ...how, dryRun: true }), {
    ...{ dryRun: true, found: 3, sent: 3, already: 0, stillBad: 0 },
    topics: [{ topic: 'orders', records: 3 }],
  })
  assert.equal((await house.rows('orders')).length, good.length + 50 + bad.length, 'a dry run sends nothing')
  assert.equal((await house.deadLetters.replay(filter, how)).sent, 3)
  const again = await house.deadLetters.replay(filter, how)
  assert.deepEqual([again.sent, again.already], [0, 3], 'each goes back once')
  await house.settled()
  assert.equal((await house.rows('processed-orders')).length, good.length + 3)
  const sentBack = (await house.rows('orders')).filter(({ headers }) => 'dlq.attempt' in headers)
  assert.deepEqual(
    sentBack.map(({ headers }) => [headers['dlq.attempt'], headers['dlq.original.topic'], headers['dlq.reason']]),
    Array.from({ length: 3 }, (_, i) => ['2', 'orders', sentBack[i]?.headers['dlq.reason'] ?? '']),
  )

  // What still fails stays, unless it is wanted: then it is back with a higher attempt, and may go again.
  assert.equal(
    (await house.deadLetters.replay({ topic: 'orders', rule: 'product_id' }, { ...how, set: null })).stillBad,
    1,
  )
  const all = { dryRun: false, all: true, set: null }
  assert.equal((await house.deadLetters.replay({ topic: 'orders', rule: 'product_id' }, all)).sent, 1)
  await house.settled()
  const { letters: back } = await house.deadLetters.list({ topic: 'orders', rule: 'product_id' }, 10)
  assert.deepEqual(back.map(({ attempt, replayed }) => [attempt, replayed]).sort(), [
    [1, true],
    [2, false],
  ])
  const third = await house.deadLetters.replay({ topic: 'orders', rule: 'product_id' }, all)
  assert.deepEqual([third.sent, third.already], [1, 1])
  await house.settled()
  assert.equal((await house.deadLetters.list({ topic: 'orders', rule: 'product_id' }, 1)).letters[0]?.attempt, 3)
  assert.equal(house.ledger().imbalance, 0)
  await house.close()
})

test('O3, O5, O6: product metrics have running and final rows, equal to a recomputation, all of them in the file', async () => {
  const house = await openHouse()
  const path = join(folder, 'output', 'metrics.json')
  await house.settled()
  const sink = await startOrderSink(house.world, house.broker, path)
  const orders = Array.from({ length: 1_500 }, (_, i) => order(i))
  await house.send('orders', orders.slice(0, 700))
  await until('running rows', async () => ((await house.rows('product-metrics')).length > 0 ? true : null))
  await house.send('orders', [...orders.slice(700), order(9, { amount: -1 }), ...orders.slice(0, 20)])
  // Beyond the first two minutes by more than what may come out of order: they close.
  await house.settled()
  const expected = new Map<string, { count: number; cents: number }>()
  for (const { product_id, amount, timestamp } of orders) {
    const start = Math.floor(Date.parse(String(timestamp)) / 60_000) * 60
    const key = `[${start},${start + 60},${JSON.stringify(product_id)},${JSON.stringify(productName(product_id))}]`
    const sum = expected.get(key) ?? { count: 0, cents: 0 }
    expected.set(key, { count: sum.count + 1, cents: sum.cents + Math.round(Number(amount) * 100) })
  }
  const whole = await until('all rows', async () => {
    const table = await house.table('product-metrics')
    const counted = [...table.values()].reduce((sum, { order_count }) => sum + Number(order_count), 0)
    return counted === orders.length ? table : null
  })
  assert.deepEqual([...whole.keys()].sort(), [...expected.keys()].sort())
  for (const [key, row] of whole) {
    const { count, cents } = expected.get(key) ?? { count: 0, cents: 0 }
    assert.equal(row.order_count, count)
    assert.equal(Math.round(Number(row.total_revenue) * 100), cents)
    assert.equal(Math.round(Number(row.avg_order_value) * 100), Math.round(cents / count))
    assert.equal(Number(row.window_end), Number(row.window_start) + 60)
    assert.equal(row.product_name, productName(row.product_id))
  }
  const rows = await house.rows('product-metrics')
  assert.ok(rows.some(({ value }) => value?.is_final === false) && rows.some(({ value }) => value?.is_final === true))
  await sink.settled()
  await sink.stop()
  const lines = readFileSync(path, 'utf8').split('\n')
  assert.equal(lines.pop(), '')
  assert.deepEqual(lines.toSorted(), rows.map(({ text }) => text).toSorted())
  await house.close()
})
function productName(id: unknown): string {
  return Object.entries(orderProducts).find(([known]) => known === id)?.[1] ?? ''
}

test('O4, O6: the groups of the documents have committed what each part has done, also at the end', async () => {
  const dataDir = join(folder, 'data')
  const committed = async (house: Awaited<ReturnType<typeof openHouse>>) =>
    Object.fromEntries(
      (await house.broker.groupLags()).map(({ group, partitions }) => [
        group,
        [
          partitions.reduce((sum, one) => sum + one.committed, 0),
          partitions.reduce((sum, one) => sum + one.lagRecords, 0),
        ],
      ]),
    )
  const house = await openHouse(dataDir)
  const path = join(folder, 'groups', 'metrics.json')
  await house.settled()
  const sink = await startOrderSink(house.world, house.broker, path)
  await house.send(
    'orders',
    Array.from({ length: 120 }, (_, i) => order(i)),
  )
  await house.settled()
  await until('commits within 100 ms of the last', async () => {
    const found = await committed(house)
    const isWhole = found['order-processors']?.[0] === 120 && found['analytics-engine']?.[0] === 120
    return isWhole && found['data-sink']?.[1] === 0 ? true : null
  })
  await house.send(
    'orders',
    Array.from({ length: 7 }, (_, i) => order(120 + i)),
  )
  await house.settled()
  await Promise.all(house.jobs.all.map((job) => job.stop()))
  const atEnd = await committed(house)
  assert.deepEqual(
    [atEnd['order-processors'], atEnd['analytics-engine']],
    [
      [127, 0],
      [127, 0],
    ],
  )
  await sink.settled()
  await sink.stop()
  await house.broker.close()
})
