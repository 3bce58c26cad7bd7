// `millrace produce` as people run it: scenarios, bursts, late batches, the delay demonstration and faults, read back from
// the broker they went to (M9, D7, D8).
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startCli } from '../../src/cli/run-cli.suite.ts'
import { type OpenBroker, openBroker, type StoredRecord } from '../../src/embed/broker.ts'

let broker: OpenBroker
before(async () => {
  broker = await openBroker({ ephemeral: true })
})
after(() => broker[Symbol.asyncDispose]())

const decoder = new TextDecoder()
const json = ({ value }: StoredRecord) => JSON.parse(decoder.decode(value ?? new Uint8Array()))
const read = async (topic: string): Promise<readonly StoredRecord[]> =>
  broker.topics().includes(topic) ? await broker.records(topic) : []
async function produce(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = await startCli(['produce', ...words, '--brokers', broker.brokers[0]!, '--json'], { env }).ended
  assert.equal(ended.code, 0, ended.stderr)
  const { sent, acknowledged } = JSON.parse(ended.stdout)
  assert.equal(sent, acknowledged)
  return { sent: Number(sent), stderr: ended.stderr }
}
/** Records that came to the topics while `run` ran. */
async function added(topics: readonly string[], run: () => Promise<unknown>): Promise<ReadonlyMap<string, unknown[]>> {
  const before = new Map(await Promise.all(topics.map(async (topic) => [topic, (await read(topic)).length] as const)))
  await run()
  const byTopic = new Map<string, unknown[]>()
  for (const topic of topics) {
    const all = await read(topic)
    const seen = before.get(topic) ?? 0
    // Counted, as partitions interleave; the contents are those of the whole topic where they matter.
    byTopic.set(topic, seen === 0 ? all.map(json) : Array.from({ length: all.length - seen }))
  }
  return byTopic
}

test('M9: a burst is 20 orders with 4 to 6 customers, 40 to 100 items and 3 to 8 suspicions, all of one world', async () => {
  const topics = ['ecommerce_orders', 'ecommerce_customers', 'ecommerce_order_items', 'ecommerce_fraud_alerts']
  const byTopic = await added(topics, () => produce(['ecommerce', '--burst', '--seed', 'm9']))
  const [orders = [], customers = [], items = [], alerts = []] = topics.map((topic) => byTopic.get(topic))
  assert.equal(orders.length, 20)
  assert.ok(customers.length >= 4 && customers.length <= 6, String(customers.length))
  assert.ok(items.length >= 40 && items.length <= 100, String(items.length))
  assert.ok(alerts.length >= 3 && alerts.length <= 8, String(alerts.length))
  const ids = new Set(orders.map((order) => Reflect.get(Object(order), 'order_id')))
  for (const one of [...items, ...alerts]) assert.ok(ids.has(Reflect.get(Object(one), 'order_id')))
  const more = await added(topics, () => produce(['ecommerce', '--burst', '3', '--seed', 'm9']))
  assert.equal(more.get('ecommerce_orders')?.length, 3)
})

test('D8: a late batch has one id, numbers from 1, and records 12 hours and more behind their arrival', async () => {
  const { stderr, sent } = await produce(['marketplace-sales'], { LATE_ARRIVAL_BATCH: 'true', BATCH_SIZE: '25' })
  assert.equal(sent, 25)
  const records = (await read('marketplace-sales')).filter((one) => json(one).batch_id !== undefined)
  assert.equal(records.length, 25)
  assert.deepEqual(
    records.map((one) => json(one).record_number).sort((a, b) => a - b),
    Array.from({ length: 25 }, (_, i) => i + 1),
  )
  const [id] = new Set(records.map((one) => json(one).batch_id))
  assert.match(String(id), /^LATE_BATCH_\d+$/)
  assert.ok(stderr.includes(String(id)))
  for (const one of records) {
    const hours = (one.timestampMs - Date.parse(json(one).transaction_time)) / 3_600_000
    assert.ok(hours >= 12 && hours <= 80, String(hours))
  }
})

test('D7: the demonstration says of each record which delay it was made to have, at SALES_PER_HOUR', async () => {
  const before = (await read('marketplace-sales')).length
  const { sent, stderr } = await produce(['marketplace-sales', '--duration', '2s', '--seed', 'd7'], {
    DELAY_DEMO_MODE: 'true',
    SALES_PER_HOUR: '360_000',
  })
  assert.match(stderr, /producing 100 marketplace-sales\/s/)
  assert.ok(sent > 120 && sent < 280, String(sent))
  const records = (await read('marketplace-sales')).filter((one) => json(one).demo !== undefined)
  assert.equal(records.length, (await read('marketplace-sales')).length - before)
  const bands: Readonly<Record<string, readonly [number, number]>> = {
    immediate: [0, 1],
    short_delay: [1, 6],
    medium_delay: [6, 24],
    long_delay: [24, 48],
  }
  for (const one of records) {
    const { demo, transaction_time } = json(one)
    const hours = (one.timestampMs - Date.parse(transaction_time)) / 3_600_000
    const band = bands[demo.pattern]!
    assert.ok(hours >= band[0] && hours <= band[1], `${demo.pattern} ${hours}`)
  }
})

test('the whole shop fills all its topics; with faults each is labelled', async () => {
  const { sent } = await produce(['shop', '--rate', '1500', '--duration', '2s', '--seed', 'all', '--faults', '5'])
  const counts = new Map<string, number>()
  for (const topic of broker.topics()) counts.set(topic, (await read(topic)).length)
  // Purchases and what they take from the stock come only after their visits: not surely within two seconds.
  for (const topic of ['sales', 'orders', 'user-events', 'ecommerce_orders', 'ecommerce_order_items'])
    assert.ok((counts.get(topic) ?? 0) > 0, topic)
  const truths = (await read('ground-truth')).map(json)
  assert.ok(truths.length > sent / 100, `${truths.length} of ${sent}`)
  assert.ok(truths.some(({ scenario, topic }) => scenario === 'missing' && topic === 'sales'))
})

for (const [words, says] of [
  [['sales', '--burst'], /--burst is not for sales[\s\S]*millrace produce ecommerce --burst/],
  [['ecommerce', '--late-batch'], /--late-batch is not for ecommerce/],
  [['marketplace-sales', '--demo', '--late-batch'], /--late-batch goes without --demo/],
  [['ecommerce', '--burst', '--rate', '5'], /--burst goes without --rate/],
  [['ecommerce', '--burst', '0'], /--burst cannot be used as given/],
  [['sales', '--faults', '99'], /--faults cannot be used as given/],
  [['sales', '--input', '-', '--faults'], /--input goes without --seed and --duration and --faults/],
] as const) {
  test(`produce ${words.join(' ')} is refused before anything is sent`, async () => {
    const ended = await startCli(['produce', ...words, '--brokers', '127.0.0.1:9']).ended
    assert.equal(ended.code, 2, ended.stderr)
    assert.match(ended.stderr, says)
  })
}
test('DELAY_DEMO_MODE must be true or false', async () => {
  const ended = await startCli(['produce', 'marketplace-sales', '--brokers', '127.0.0.1:9'], {
    env: { DELAY_DEMO_MODE: 'maybe' },
  }).ended
  assert.equal(ended.code, 2, ended.stderr)
  assert.match(ended.stderr, /DELAY_DEMO_MODE[\s\S]*neither true nor false/)
})
