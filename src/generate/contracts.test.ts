// Whatever is generated keeps its contract: each record is taken by the engine's decoders, its key is the contract's, and
// its event time lies before its arrival.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contracts } from '../commerce/commerce.ts'
import { openJob, openRecordCheck, type RecordRefusal, type SourceBatch } from '../engine/engine.ts'
import { count, days, from, tumbling } from '../query/query.ts'
import {
  ecommerceBurst,
  generators,
  lateBatch,
  marketplaceTraffic,
  scenarios,
  storeTraffic,
  type Traffic,
} from './generate.ts'
import type { RecordSink } from './sink.ts'

const startMs = Date.UTC(2026, 0, 5, 12)
const recordsMax = 2_000
const decoder = new TextDecoder()

interface Gathered {
  readonly sink: RecordSink
  readonly keys: string[]
  batch(topic: string): SourceBatch
}
function gathering(): Gathered {
  const values: Uint8Array[] = []
  const arrivals: number[] = []
  const keys: string[] = []
  return {
    keys,
    sink: {
      record(_topic, key, value, arrivalMs) {
        keys.push(decoder.decode(key))
        values.push(value.slice())
        arrivals.push(arrivalMs)
      },
    },
    batch(topic) {
      const bytes = new Uint8Array(values.reduce((sum, { length }) => sum + length, 0))
      const starts = new Int32Array(values.length)
      const ends = new Int32Array(values.length)
      let at = 0
      values.forEach((value, i) => {
        bytes.set(value, at)
        starts[i] = at
        at += value.length
        ends[i] = at
      })
      const offsets = Float64Array.from(values, (_, i) => i)
      const when = Float64Array.from(arrivals)
      return { topic, partition: 0, bytes, count: values.length, starts, ends, offsets, arrivals: when }
    },
  }
}

function keeps(topic: string, gathered: Gathered): void {
  const contract = contracts.get(topic)
  assert.ok(contract, topic)
  const batch = gathered.batch(topic)
  const refusals: RecordRefusal[] = []
  let stood = 0
  openRecordCheck(contract, contract.key).check(
    batch,
    (record, text) => {
      stood++
      assert.equal(text, gathered.keys[record], `${topic}: the key of record ${record}`)
    },
    (refusal) => refusals.push(refusal),
  )
  assert.deepEqual(refusals, [], topic)
  assert.equal(stood, batch.count)
}

for (const [topic, make] of generators) {
  test(`${topic}: every record keeps the contract, checked one by one and by a job that reads the topic`, () => {
    const gathered = gathering()
    const made: Traffic = make('31', { ratePerSecond: 200, startMs, steady: true })
    assert.equal(made.produceUntil(Number.POSITIVE_INFINITY, gathered.sink, recordsMax), recordsMax)
    keeps(topic, gathered)
    const plan = from(contracts.get(topic)!)
      .window(tumbling({ sizeMs: days(1) }))
      .aggregate(() => ({ records: count() }))
      .named('all-records')
    const job = openJob([plan], { bounded: true, partitions: { [topic]: 1 } })
    job.push(gathered.batch(topic))
    job.finish()
    const { deadLetters, lateRecords } = job.take()
    assert.deepEqual([deadLetters, lateRecords], [[], []])
    assert.deepEqual(
      job.ledger().map((line) => [line.in, line.processed]),
      [[recordsMax, recordsMax]],
    )
  })
}

test('marketplace-sales: demonstration and late batches keep the contract too', () => {
  const demo = gathering()
  marketplaceTraffic('31', { ratePerSecond: 50, startMs, demo: true }).produceUntil(startMs + 20_000, demo.sink)
  keeps('marketplace-sales', demo)
  const late = gathering()
  lateBatch('31', { releaseMs: startMs, size: 200 }, late.sink)
  assert.equal(late.keys.length, 200)
  keeps('marketplace-sales', late)
})

test('ecommerce: the records of a burst keep their contracts', () => {
  const byTopic = new Map<string, Gathered>()
  ecommerceBurst(
    '31',
    { atMs: startMs },
    {
      record(topic, key, value, arrivalMs) {
        const gathered = byTopic.get(topic) ?? gathering()
        byTopic.set(topic, gathered)
        gathered.sink.record(topic, key, value, arrivalMs)
      },
    },
  )
  assert.equal(byTopic.size, 4)
  for (const [topic, gathered] of byTopic) keeps(topic, gathered)
})

test('whatever the realistic shop tells now and then keeps its contract: returns, chargebacks, prices, offers, orders, labels', () => {
  const byTopic = new Map<string, Gathered>()
  const sink: RecordSink = {
    record(topic, key, value, arrivalMs) {
      const gathered = byTopic.get(topic) ?? gathering()
      byTopic.set(topic, gathered)
      gathered.sink.record(topic, key, value, arrivalMs)
    },
  }
  const beside = ['store', 'ecommerce'].flatMap((name) => scenarios.get(name)!.beside)
  const days = 86_400_000
  const settings = { startMs, profile: 'realistic' as const }
  storeTraffic('31', {
    ...settings,
    ratePerSecond: 0.002,
    topics: ['transactions', ...beside],
    botShare: 0.01,
    fraudShare: 0.05,
  }).produceUntil(startMs + 20 * days, sink)
  scenarios
    .get('ecommerce')!
    .traffic('31', { ...settings, ratePerSecond: 0.002 })
    .produceUntil(startMs + 20 * days, sink)
  scenarios
    .get('sales')!
    .traffic('31', { ...settings, ratePerSecond: 0.002 })
    .produceUntil(startMs + 20 * days, sink)
  for (const topic of beside) {
    const gathered = byTopic.get(topic)
    assert.ok(gathered !== undefined && gathered.keys.length > 3, `${topic}: ${gathered?.keys.length}`)
  }
  for (const [topic, gathered] of byTopic) keeps(topic, gathered)
})
