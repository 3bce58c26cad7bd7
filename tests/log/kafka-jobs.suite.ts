// Jobs on a Kafka cluster: the orders pipeline runs on it, dies in the middle, is taken over, and its results are those
// of one run over all that was sent; every dead letter is there once.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBroker } from '../../src/broker/broker.ts'
import { pipelines } from '../../src/commerce/commerce.ts'
import { ensureTopic, runOverLog, startLogJob } from '../../src/connect/connect.ts'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { encodeRow } from '../../src/engine/engine.ts'
import { generators } from '../../src/generate/generate.ts'
import type { Log } from '../../src/log/log.ts'
import type { Plan } from '../../src/query/plan.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { recordsIn, temporaryFolder } from '../files/watching.suite.ts'

const world = nodeWorld()
const partitions = 3

/** Orders of ten minutes, some of them broken, as batches by partition. */
function ordersOf(seed: string): { readonly partition: number; readonly batch: Uint8Array }[] {
  const made: { readonly partition: number; readonly batch: Uint8Array }[] = []
  const startMs = Date.UTC(2026, 0, 5, 10)
  const writers = Array.from({ length: partitions }, () => new BatchWriter())
  let count = 0
  const traffic = generators.get('orders')!(seed, { ratePerSecond: 5, startMs, steady: true })
  traffic.produceUntil(
    startMs + 600_000,
    {
      record(_topic, key, value, timeMs) {
        const writer = writers[count % partitions]!
        writer.append(key, count % 97 === 5 ? new TextEncoder().encode(`broken ${count}`) : value, timeMs)
        if (writer.count >= 25) made.push({ partition: count % partitions, batch: writer.finish() })
        count++
      },
    },
    1_000_000,
  )
  for (const [partition, writer] of writers.entries())
    if (writer.count > 0) made.push({ partition, batch: writer.finish() })
  return made
}

/** What a row says of its window; when it was said does not count. */
function figuresOf(json: string): [key: string, figures: string] {
  const { window_start, product_id, order_count, total_revenue, avg_order_value } = JSON.parse(json)
  return [`${product_id} ${window_start}`, JSON.stringify([order_count, total_revenue, avg_order_value])]
}
async function expectedOf(plan: Plan, orders: ReturnType<typeof ordersOf>): Promise<Map<string, string>> {
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  try {
    const topic = Object.keys(plan.contracts)[0]!
    await broker.createTopic({ name: topic, partitions })
    for (const { partition, batch } of orders) await broker.append(topic, partitionId(partition), batch)
    const figures = new Map<string, string>()
    for (const batch of (await runOverLog(world, broker, plan, null)).results) {
      for (let row = 0; row < batch.count; row++) {
        if (batch.final[row] === 1) figures.set(...figuresOf(encodeRow(batch, row)))
      }
    }
    return figures
  } finally {
    await broker.close()
  }
}

export function jobTests(name: string, address: () => string): void {
  test(`${name}: the orders pipeline dies, is taken over, and its results are those of one run`, async () => {
    const pipeline = pipelines.get('product-metrics')!
    const unique = `${process.pid}-${Date.now()}`
    const source = pipeline.plan.contracts.orders!
    // Topics of its own: the cluster may be shared.
    const plan = JSON.parse(JSON.stringify(pipeline.plan).replaceAll('"orders"', `"orders-${unique}"`)) as Plan
    const named: Plan = { ...plan, output: { ...plan.output, topic: `metrics-${unique}` } }
    const topic = `orders-${unique}`
    assert.equal(source.topic, 'orders')
    const orders = ordersOf(unique)
    const expected = await expectedOf(named, orders)
    assert.ok(expected.size > 20)
    const { path: folder, remove } = temporaryFolder()
    const start = (log: Log) =>
      startLogJob(world, log, {
        name: `job ${unique}`,
        plans: [named],
        inHouse: new Set(),
        snapshotFolder: join(folder, 'snapshots'),
        logIdentity: 'cluster',
        tickMs: 50,
        onOutput: () => {},
      })
    const send = async (log: Log, from: number, to: number): Promise<void> => {
      for (const { partition, batch } of orders.slice(from, to)) await log.append(topic, partitionId(partition), batch)
    }
    const third = Math.floor(orders.length / 3)
    try {
      const first = await openKafkaLog(world, { brokers: [address()] })
      await ensureTopic(first, { name: topic, partitions })
      const job = await start(first)
      await send(first, 0, third)
      await job.settled()
      await send(first, third, 2 * third)
      // It is cut off in the middle of what it does.
      await first.close()
      await job.stop().catch(() => {})

      const second = await openKafkaLog(world, { brokers: [address()] })
      const next = await start(second)
      assert.equal(next.epoch, 2)
      await send(second, 2 * third, orders.length)
      await next.settled()
      let figures = new Map<string, string>()
      for (const endMs = Date.now() + 30_000; Date.now() < endMs; ) {
        await second.look()
        const rows = (await recordsIn(second, `metrics-${unique}`)).filter(({ value }) => value !== '')
        figures = new Map(rows.map(({ value }) => figuresOf(value)))
        if (figures.size === expected.size && [...expected].every(([key, text]) => figures.get(key) === text)) break
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.deepEqual([...figures].sort(), [...expected].sort())
      const records = orders.reduce((sum, { batch }) => sum + new DataView(batch.buffer).getInt32(57), 0)
      const ledger = next.ledger()
      assert.equal(
        ledger.reduce((sum, line) => sum + line.in, 0),
        records,
      )
      const letters = (await recordsIn(second, `${topic}.dlq`)).map(
        ({ headers }) => `${headers['dlq.original.partition']}/${headers['dlq.original.offset']}`,
      )
      assert.equal(new Set(letters).size, letters.length, 'each dead letter once')
      assert.equal(
        letters.length,
        ledger.reduce((sum, line) => sum + line.deadLettered, 0),
      )
      await next.stop()
      await second.close()
    } finally {
      remove()
    }
  })
}
