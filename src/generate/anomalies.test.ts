// What goes wrong with figures and forms on purpose is as large, as long and as frequent as planned, and labelled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contracts, sales } from '../commerce/commerce.ts'
import { openRecordCheck } from '../engine/engine.ts'
import { parseInstant } from '../std/instant.ts'
import { randomStream } from '../std/random.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import { anomalyKinds, anomalyPlan } from './anomalies.ts'
import { ordersTraffic, salesTraffic, withDrift } from './generate.ts'

const dayMs = 86_400_000
const minuteMs = 60_000
const startMs = Date.UTC(2026, 0, 5)
const decoder = new TextDecoder()

test('M9: two spikes or drops a day, half of each, 15 to 90 minutes; all other kinds now and then', () => {
  const plan = anomalyPlan(randomStream('1'), 0, 6, 16)
  const days = 600
  const counts = new Map<string, number>()
  for (let day = 20_000; day < 20_000 + days; day++) {
    const bursts = plan.ofDay(day).filter(({ kind }) => kind === 'spike' || kind === 'drop')
    assert.equal(bursts.length, 2)
    for (const { kind, startMs, endMs, factor } of bursts) {
      const minutes = (endMs - startMs) / minuteMs
      assert.ok(minutes >= 15 && minutes <= 90 && Math.floor(startMs / dayMs) === day)
      assert.ok(kind === 'spike' ? factor >= 1.8 && factor <= 5 : factor > 0 && factor <= 0.35)
    }
    for (const { kind } of plan.ofDay(day)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  assert.equal(counts.get('spike'), days)
  assert.equal(counts.get('drop'), days)
  assert.deepEqual([...counts.keys()].sort(), [...anomalyKinds].sort())
})

test('M9: over two weeks of sales each kind of anomaly shows in the records of its time, and only there', () => {
  const plan = new Map<string, Record<string, string>>()
  interface Minute {
    records: number
    again: number
  }
  const minutes = new Map<number, Minute>()
  const ids = new Set<string>()
  const all: { ms: number; seller: string; skewMs: number; price: number; product: string; partition: number }[] = []
  const prices = new Map<string, number[]>()
  salesTraffic('12', { ratePerSecond: 0.15, startMs, steady: true, anomalies: true }).produceUntil(
    startMs + 14 * dayMs,
    {
      record(topic, key, value, atMs) {
        const record = JSON.parse(decoder.decode(value))
        if (topic === 'ground-truth') {
          plan.set(record.truth_id, record)
          return
        }
        const minute = Math.floor(atMs / minuteMs) * minuteMs
        const seen = minutes.get(minute) ?? { records: 0, again: 0 }
        minutes.set(minute, seen)
        seen.records++
        if (ids.has(record.id_sale)) seen.again++
        ids.add(record.id_sale)
        const product = `${record.seller}/${record.id_product}`
        const skewMs = parseInstant(record.sale_date) - atMs
        all.push({
          ms: atMs,
          seller: record.seller,
          skewMs,
          price: record.price,
          product,
          partition: partitionOfKey(key, sales.partitions),
        })
        const some = prices.get(product) ?? []
        prices.set(product, some)
        some.push(record.price)
      },
    },
  )
  const truths = [...plan.values()]
  const during = (scenario: string, ms: number): Record<string, string>[] =>
    truths.filter((one) => one.scenario === scenario && parseInstant(one.start!) <= ms && ms < parseInstant(one.end!))
  assert.ok(truths.filter(({ scenario }) => scenario === 'spike' || scenario === 'drop').length >= 26)
  let wrong = 0
  for (const { ms, seller, skewMs, partition, price, product } of all) {
    const usual = prices.get(product)!.toSorted((a, b) => a - b)
    const times = price / usual[usual.length >> 1]!
    if (usual.length >= 10 && (times > 5 || times < 0.2)) {
      wrong++
      assert.ok(
        during('price-error', ms).some(({ entity_ids }) => String(entity_ids) === seller),
        `${product} at ${ms}: ${times}`,
      )
    }
    const skewed = during('clock-skew', ms).filter(({ entity_ids }) => String(entity_ids) === seller)
    if (skewed.length === 0) assert.ok(skewMs <= 0 && skewMs > -5_000, `${seller} at ${ms}: ${skewMs}`)
    else assert.ok(skewMs < 600_000)
    for (const silent of during('missing-partition', ms)) assert.notEqual(String(silent.entity_ids), String(partition))
  }
  assert.equal(
    wrong > 0,
    truths.some(({ scenario }) => scenario === 'price-error'),
  )
  for (const [minute, { again }] of minutes) if (again > 0) assert.ok(during('duplicate-storm', minute).length > 0)
  // The rate inside of spikes and drops, over that outside of everything: 9 a minute.
  const mean = (fits: (minute: number) => boolean): number => {
    let sum = 0
    let count = 0
    for (let minute = startMs; minute < startMs + 14 * dayMs; minute += minuteMs)
      if (fits(minute)) {
        count++
        sum += minutes.get(minute)?.records ?? 0
      }
    return sum / count
  }
  const quiet = mean(
    (minute) => !truths.some((one) => parseInstant(one.start!) <= minute && minute < parseInstant(one.end!)),
  )
  assert.ok(Math.abs(quiet / 9 - 1) < 0.03, `${quiet} a minute`)
  const spikes = mean((minute) => during('spike', minute).length > 0) / quiet
  const drops = mean((minute) => during('drop', minute).length > 0) / quiet
  assert.ok(spikes > 1.8 && drops < 0.4, `spikes ${spikes}, drops ${drops}`)
})

test('W15: a second form comes in more and more until it is the only one; contracts take it, and refuse the breaking one', () => {
  const fromMs = startMs + 60_000
  const mixedMs = 120_000
  for (const breaking of [false, true]) {
    const inner = breaking
      ? ordersTraffic('4', { ratePerSecond: 20, startMs, steady: true })
      : salesTraffic('4', { ratePerSecond: 20, startMs, steady: true })
    const topic = breaking ? 'orders' : 'sales'
    const seen = { before: [0, 0], mixed: [0, 0], after: [0, 0] }
    const contract = contracts.get(topic)!
    const check = openRecordCheck(contract, contract.key)
    const labels: string[] = []
    withDrift('4', inner, { fromMs, mixedMs, topics: [topic], breaking }).produceUntil(startMs + 300_000, {
      record(to, _key, value, atMs) {
        const record = JSON.parse(decoder.decode(value))
        if (to === 'ground-truth') {
          labels.push(record.scenario)
          return
        }
        const isNew = record.schema_version === 2
        const part = atMs < fromMs ? seen.before : atMs < fromMs + mixedMs ? seen.mixed : seen.after
        part[isNew ? 1 : 0]!++
        const bytes = value.slice()
        const one = {
          topic,
          partition: 0,
          bytes,
          count: 1,
          starts: Int32Array.of(0),
          ends: Int32Array.of(bytes.length),
          offsets: Float64Array.of(0),
          arrivals: Float64Array.of(atMs),
        }
        let refused = 0
        let stood = 0
        check.check(
          one,
          () => stood++,
          () => refused++,
        )
        assert.equal(refused, breaking && isNew ? 1 : 0, decoder.decode(value))
        assert.equal(stood + refused, 1)
        if (isNew && !breaking) {
          assert.ok(record.asin && record.id_product === undefined)
          const ms = parseInstant(record.sale_date)
          assert.ok(ms <= atMs && ms > atMs - 5_000 && /\.\d{6}-03:00$/.test(record.sale_date))
        }
      },
    })
    assert.deepEqual(labels, [breaking ? 'breaking' : 'v1-v2'])
    assert.ok(seen.before[0]! > 1_000 && seen.before[1] === 0)
    assert.ok(seen.after[0] === 0 && seen.after[1]! > 2_000)
    const share = seen.mixed[1]! / (seen.mixed[0]! + seen.mixed[1]!)
    assert.ok(Math.abs(share - 0.5) < 0.06, `${share}`)
  }
})
