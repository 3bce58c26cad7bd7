// Records from HTTP into a real broker: order, exact bytes, keys, refusals, repeated requests across restarts, no room.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Broker, openBroker } from '../broker/broker.ts'
import { contracts, sales } from '../commerce/commerce.ts'
import { ensureTopic, lastRows } from '../connect/connect.ts'
import type { IngestRequest, IngestResult } from '../serve/ports.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import { maxTimestampMs } from '../wire/record-batch.ts'
import { nodeWorld } from '../world/node.ts'
import { type Ingest, ingestDefaults, ingestKeysTopic, openIngest } from './ingest.ts'
import { keptText, keyTable } from './ingest-keys.ts'

const world = nodeWorld({ seed: 'ingest' })
const taking = new Map([['sales', contracts.get('sales')!]])

async function opened(
  run: (ingest: Ingest, broker: Broker) => Promise<void>,
  settings: Partial<typeof ingestDefaults> = {},
  dataDir: string | null = null,
): Promise<void> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  try {
    await ensureTopic(broker, { name: 'sales', partitions: sales.partitions })
    await run(await openIngest(world, broker, taking, { ...ingestDefaults, ...settings }), broker)
  } finally {
    await broker.close()
  }
}
const sale = (id: string, seller = 'ana', more: object = {}): string =>
  JSON.stringify({ id_sale: id, id_product: 'p', seller, price: 1.5, sale_date: '2026-11-21T09:30:00Z', ...more })
const slicesOf = (records: readonly string[]): IngestRequest['records'] => {
  const lengths = records.map((text) => Buffer.byteLength(text))
  const ends = Int32Array.from(lengths, (_, i) => lengths.slice(0, i + 1).reduce((sum, length) => sum + length, 0))
  const starts = ends.map((end, i) => end - lengths[i]!)
  return { bytes: Buffer.from(records.join('')), count: records.length, starts, ends }
}
const request = (records: readonly string[], once: IngestRequest['once'] = null): IngestRequest => ({
  topic: 'sales',
  records: slicesOf(records),
  once,
})
const once = (key: string, fingerprint = 'a') => ({ key, fingerprint })
const size = (broker: Broker, topic = 'sales'): number => {
  let records = 0
  for (let i = 0; i < broker.topic(topic)!.partitions; i++) records += broker.offsets(topic, partitionId(i)).end
  return records
}

test('records lie where the answer says, byte for byte, at the time they came', () =>
  opened(async (ingest, broker) => {
    const beforeMs = Date.now()
    const spaced =
      '{ "seller":"bia", "id_sale":"2","id_product":"p","price":2.50,"sale_date":"2026-11-21T09:30:00Z" , "more":[1]}'
    const outcome = await ingest.take(request([sale('1'), spaced, sale('3'), sale('4', 'caio')]))
    assert.ok(outcome.kind === 'taken' && !outcome.repeated)
    for (const [i, seller] of ['ana', 'bia', 'ana', 'caio'].entries()) {
      const result: IngestResult = outcome.results[i]!
      assert.ok(result.accepted)
      assert.equal(result.partition, partitionOfKey(new TextEncoder().encode(seller), 6), 'as Kafka clients choose')
    }
    const ana = outcome.results.filter((_, i) => i === 0 || i === 2)
    assert.deepEqual(
      ana.map((result) => result.accepted && result.offset),
      [0, 1],
      'in the order of the request',
    )
    const bia = outcome.results[1]!
    assert.ok(bia.accepted)
    const [batch] = await broker.read(
      'sales',
      partitionId(bia.partition),
      broker.offsets('sales', partitionId(bia.partition)).start,
      1e6,
    )
    assert.ok(Buffer.from(batch!).includes(spaced))
    const arrivalMs = maxTimestampMs(batch!)
    assert.ok(arrivalMs >= beforeMs && arrivalMs <= Date.now())
  }))

const refusals: [name: string, record: string, reason: string, field: string][] = [
  ['no JSON', '{"id_sale":', 'not-json', ''],
  ['no object', '12', 'wrong-type', ''],
  ['a field left out', sale('1', 'ana', { price: undefined }), 'missing', 'price'],
  ['a price in quotes', sale('1', 'ana', { price: '1.50' }), 'wrong-type', 'price'],
  ['a price too fine', sale('1', 'ana', { price: 1.555 }), 'scale', 'price'],
  ['a time to come', sale('1', 'ana', { sale_date: '9999-01-01T00:00:00Z' }), 'future', 'sale_date'],
  ['a field twice', sale('1').replace('{', '{"price":1,'), 'duplicate-key', 'price'],
  ['nesting without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too-deep', ''],
  ['more than the topic takes', sale('1', 'ana', { nm_product: 'x'.repeat(1_048_588) }), 'too-large', ''],
]
test('what the engine would dead-letter is turned away, its neighbours are taken', () =>
  opened(async (ingest, broker) => {
    for (const [name, record, reason, field] of refusals) {
      const before = size(broker)
      const outcome = await ingest.take(request([sale('1'), record, sale('3')]))
      assert.ok(outcome.kind === 'taken', name)
      assert.deepEqual(
        outcome.results.map(({ accepted }) => accepted),
        [true, false, true],
        name,
      )
      const refused = outcome.results[1]!
      assert.ok(!refused.accepted)
      assert.deepEqual([refused.reason, refused.field], [reason, field], name)
      assert.equal(size(broker), before + 2, name)
    }
    const counted = new Map(ingest.rejected().map(({ reason, records }) => [reason, records]))
    assert.equal(counted.get('wrong-type'), 2)
    assert.equal(
      [...counted.values()].reduce((sum, records) => sum + records, 0),
      refusals.length,
    )
  }))

test('many records of one partition go in several batches, their offsets without a gap', () =>
  opened(async (ingest, broker) => {
    const records = Array.from({ length: 2_500 }, (_, i) => sale(String(i), 'ana', { nm_product: 'x'.repeat(500) }))
    const outcome = await ingest.take(request(records))
    assert.ok(outcome.kind === 'taken')
    assert.deepEqual(
      outcome.results.map((result) => result.accepted && result.offset),
      records.map((_, i) => i),
    )
    const rows = await lastRows(broker, 'sales', 10_000)
    assert.deepEqual(
      rows.map((row) => row.id_sale),
      records.map((_, i) => String(i)),
    )
  }))

test('the same key and body: one append, one answer; another body is refused; what left nothing frees its key', () =>
  opened(async (ingest, broker) => {
    const records = [sale('1'), '{}', sale('2', 'bia')]
    const both = await Promise.all([ingest.take(request(records, once('k'))), ingest.take(request(records, once('k')))])
    assert.equal(size(broker), 2, 'also while the first is under way')
    assert.ok(both[0].kind === 'taken' && both[1].kind === 'taken')
    assert.deepEqual([both[0].repeated, both[1].repeated], [false, true])
    assert.deepEqual(both[1].results, both[0].results)
    assert.ok(both[0].results.every((result) => !result.accepted || result.offset !== null))
    assert.deepEqual(await ingest.take(request(records, once('k', 'b'))), { kind: 'key-reused' })

    const nothing = await ingest.take(request(['{}'], once('empty')))
    assert.ok(nothing.kind === 'taken' && !nothing.results[0]!.accepted)
    const mended = await ingest.take(request([sale('3')], once('empty', 'b')))
    assert.ok(mended.kind === 'taken' && !mended.repeated)
    assert.equal(size(broker), 3)
  }))

test('a key survives a restart with its answer; one that died before its answer has it without offsets', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-ingest-'))
  const records = [sale('1'), '{}', sale('2', 'bia'), sale('3')]
  try {
    let first: unknown
    await opened(
      async (ingest, broker) => {
        const outcome = await ingest.take(request(records, once('k')))
        assert.ok(outcome.kind === 'taken')
        first = outcome.results
        assert.equal(size(broker, ingestKeysTopic), 2)
      },
      {},
      dataDir,
    )
    await opened(
      async (ingest, broker) => {
        const again = await ingest.take(request(records, once('k')))
        assert.ok(again.kind === 'taken' && again.repeated)
        assert.deepEqual(again.results, first)
        assert.equal(size(broker), 3)
        assert.deepEqual(await ingest.take(request(records, once('k', 'b'))), { kind: 'key-reused' })
      },
      {},
      dataDir,
    )
    await opened(
      async (_ingest, broker) => {
        const [kept] = await lastRows(broker, ingestKeysTopic, 2)
        assert.equal(kept!.lanes, null, 'the first record is written before offsets are known')
        // What a crash leaves between the commit and the second record.
        const writer = new BatchWriter()
        const text = keptText('died', { fingerprint: 'a', atMs: Date.now() }, null)
        writer.append(null, new TextEncoder().encode(text), Date.now())
        // And what any client may write there.
        for (const strange of ['no JSON', '[]', '{"version":9}']) {
          writer.append(null, new TextEncoder().encode(strange), Date.now())
        }
        await broker.append(ingestKeysTopic, partitionId(0), writer.finish())
      },
      {},
      dataDir,
    )
    await opened(
      async (ingest, broker) => {
        const again = await ingest.take(request([sale('4')], once('died')))
        assert.ok(again.kind === 'taken' && again.repeated)
        const result = again.results[0]!
        assert.ok(result.accepted && result.offset === null)
        assert.equal(size(broker), 3, 'nothing was added')
      },
      {},
      dataDir,
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('keys are forgotten after a day, and the oldest beyond the limit', async () => {
  const clock = { ...world.clock, nowMs: () => nowMs }
  let nowMs = Date.now()
  const broker = await openBroker(world, { dataDir: null, durability: 'power' })
  try {
    await ensureTopic(broker, { name: 'sales', partitions: 6 })
    const ingest = await openIngest({ ...world, clock }, broker, taking, { ...ingestDefaults, keysMax: 2 })
    const repeated = async (key: string): Promise<boolean> => {
      const outcome = await ingest.take(request([sale('1')], once(key)))
      assert.ok(outcome.kind === 'taken')
      return outcome.repeated
    }
    assert.deepEqual([await repeated('a'), await repeated('b')], [false, false])
    assert.deepEqual([await repeated('a'), await repeated('b')], [true, true], 'two fit')
    assert.equal(await repeated('c'), false)
    assert.equal(await repeated('b'), true)
    assert.equal(await repeated('a'), false, 'the oldest went')
    nowMs += ingestDefaults.keyMsMax - 1
    assert.equal(await repeated('a'), true)
    nowMs += 1
    assert.equal(await repeated('a'), false)
  } finally {
    await broker.close()
  }
})

test('what a restart finds of a key that was never answered', async () => {
  const table = keyTable({ keysMax: 10, ageMsMax: 1000 })
  const entry = { fingerprint: 'f', atMs: 500 }
  const row = (lanes: ReadonlyMap<number, number> | null): unknown => JSON.parse(keptText('k', entry, lanes))
  table.restore(row(null), 600)
  assert.deepEqual(await table.find('k', 600)!.placement, { atMs: 500, lanes: null })
  table.restore(row(new Map([[3, 17]])), 600)
  assert.deepEqual(await table.find('k', 600)!.placement, { atMs: 500, lanes: new Map([[3, 17]]) })
  assert.equal(table.size, 1)
  table.restore({ version: 2, key: 'new form' }, 600)
  table.restore(row(null), 1_500)
  assert.equal(table.size, 1)
  assert.equal(table.find('k', 1_500), null, 'a day has passed')
})

test('beyond the limit of waiting bytes there is no room, and then there is again', () =>
  opened(
    async (ingest, broker) => {
      const one = request([sale('1')])
      const [first, second] = await Promise.all([ingest.take(one), ingest.take(one)])
      assert.deepEqual([first.kind, second.kind], ['taken', 'no-room'])
      assert.equal((await ingest.take(one)).kind, 'taken')
      assert.equal(size(broker), 2)
    },
    { waitingBytesMax: sale('1').length },
  ))

test('a log that refuses is told, nothing is remembered', async () => {
  const broker = await openBroker(world, { dataDir: null, durability: 'power' })
  await ensureTopic(broker, { name: 'sales', partitions: 6 })
  const ingest = await openIngest(world, broker, taking)
  await broker.close()
  const outcome = await ingest.take(request([sale('1')], once('k')))
  assert.equal(outcome.kind, 'refused')
  assert.equal((await ingest.take(request([sale('2')], once('k', 'b')))).kind, 'refused', 'the key is free')
})
