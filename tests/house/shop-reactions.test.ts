// E5 and D2 to D4 on generated traffic, through the engine: every shelf that ran low was told, and nothing else; delays
// are classed as they were made.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  contracts,
  delayMonitor,
  delayTopics,
  pipelines,
  type Reaction,
  stockAlertsTopic,
  stockMonitor,
} from '../../src/commerce/commerce.ts'
import { type Emitted, openJob, type SourceBatch } from '../../src/engine/engine.ts'
import { marketplaceTraffic, storeTraffic, type Traffic } from '../../src/generate/generate.ts'

const startMs = Date.UTC(2026, 0, 5, 12)
interface Made {
  readonly value: Uint8Array
  readonly timeMs: number
}
function made(traffic: Traffic, untilMs: number): Made[] {
  const all: Made[] = []
  traffic.produceUntil(untilMs, { record: (_topic, _key, value, timeMs) => all.push({ value: value.slice(), timeMs }) })
  return all
}
function batchOf(topic: string, some: readonly Made[], first: number): SourceBatch {
  let at = 0
  const ends = some.map(({ value }) => (at += value.length))
  return {
    topic,
    partition: 0,
    bytes: Buffer.concat(some.map(({ value }) => value)),
    count: some.length,
    starts: Int32Array.from([0, ...ends.slice(0, -1)]),
    ends: Int32Array.from(ends),
    offsets: Float64Array.from(some, (_, i) => first + i),
    arrivals: Float64Array.from(some, ({ timeMs }) => timeMs),
  }
}
/** All of it through the pipeline and the reaction, a tick a second of arrival. */
function react(pipeline: string, topic: string, reaction: Reaction, all: readonly Made[]): readonly Emitted[] {
  const plan = pipelines.get(pipeline)?.plan
  assert.ok(plan && contracts.has(topic))
  const job = openJob([plan], { bounded: false, partitions: { [topic]: 1 } }, [reaction])
  const emitted: Emitted[] = []
  for (let from = 0; from < all.length; ) {
    let to = from
    const second = Math.floor(all[from]!.timeMs / 1_000)
    while (to < all.length && Math.floor(all[to]!.timeMs / 1_000) === second) to++
    job.push(batchOf(topic, all.slice(from, to), from))
    job.tick({ atMs: (second + 1) * 1_000, interval: true, idle: [] })
    const output = job.take()
    assert.deepEqual(output.deadLetters, [])
    emitted.push(...output.emitted)
    from = to
  }
  return emitted
}
const json = (bytes: Uint8Array | string | null) =>
  JSON.parse(typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes ?? new Uint8Array()))

test('E5: each shelf that came to its least was told before, once, and each alert says what the last update said', () => {
  const hours = 6
  const traffic = storeTraffic('stock', { ratePerSecond: 3, startMs, steady: true, topics: ['inventory-updates'] })
  const all = made(traffic, startMs + hours * 3_600_000)
  assert.ok(all.length > 20_000, String(all.length))
  const alerts = react('stock-changes', 'inventory-updates', stockMonitor(), all)
  assert.ok(alerts.every(({ topic }) => topic === stockAlertsTopic))
  const updates = new Map<string, { readonly atMs: number; readonly stock: number }[]>()
  for (const { value } of all) {
    const { product_id, warehouse_location, timestamp, current_stock } = json(value)
    const key = `${product_id}/${warehouse_location}`
    const list = updates.get(key) ?? []
    updates.set(key, list)
    list.push({ atMs: Date.parse(timestamp), stock: current_stock })
  }
  const byKey = Map.groupBy(alerts, ({ key }) => key)
  for (const [key, told] of byKey) {
    let before = 'ok'
    for (const { value } of told) {
      const alert = json(value)
      assert.notEqual(alert.status, before, `${key} told twice`)
      before = alert.status
      const seen = updates
        .get(key)
        ?.filter(({ atMs }) => atMs <= Date.parse(alert.updated_at))
        .at(-1)
      assert.equal(alert.current_stock, seen?.stock)
      assert.equal(alert.by_the_books, alert.current_stock, key)
      if (alert.status === 'low') assert.ok(alert.current_stock <= alert.threshold)
    }
  }
  for (const [key, list] of updates) {
    const least = Math.min(...list.map(({ stock }) => stock))
    if (least <= 5) assert.ok(byKey.has(key), `${key} came down to ${least} and nobody was told`)
  }
  assert.ok(byKey.size > 3, String(byKey.size))
})

test('D2, D4: of the demonstration each delay is classed as it was asked for, and the mix is the asked one', () => {
  const all = made(
    marketplaceTraffic('delays', { ratePerSecond: 20, startMs, steady: true, demo: true }),
    startMs + 120_000,
  )
  const emitted = react('marketplace-arrivals', 'marketplace-sales', delayMonitor(), all)
  const events = emitted.filter(({ topic }) => topic === delayTopics.events).map(({ value }) => json(value))
  const asked: Record<string, string> = { short_delay: 'short', medium_delay: 'medium', long_delay: 'long' }
  for (const { demo_pattern, severity } of events) {
    if (demo_pattern === 'immediate') assert.equal(severity, 'immediate')
    else assert.equal(severity, asked[demo_pattern])
  }
  assert.equal(events.length, all.length)
  const statistics = emitted.filter(({ topic }) => topic === delayTopics.statistics).map(({ value }) => json(value))
  assert.equal(statistics.length, 5, 'one each half minute, and one at the start')
  const last = statistics.at(-1)
  for (const { asked_percent, seen_percent } of last.demo_effectiveness) assert.equal(asked_percent, seen_percent)
  const share = last.breakdown.immediate / last.total
  assert.ok(Math.abs(share - 0.4) < 0.04, String(share))
})
