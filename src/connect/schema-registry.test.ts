// A job over a topic in Avro: its rows are those of the same values in JSON, over schemas that change, a registry that is away for
// a while, and a start after the end; what the registry does not know is a dead letter.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import avro from 'avsc'
import { openBroker } from '../broker/broker.ts'
import { encodeRow } from '../engine/engine.ts'
import { type Contract, contract, field, nullable } from '../query/contract.ts'
import { from } from '../query/query.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { nodeWorld } from '../world/node.ts'
import { startLogJob } from './connect.ts'
import { type AskForSchema, askRegistry } from './schema-registry.ts'

const world = nodeWorld()
const things = (topic: string, format: NonNullable<Contract['format']>) =>
  from(
    contract({
      topic,
      format,
      version: 1,
      partitions: 1,
      key: 'id',
      eventTime: 'at',
      outOfOrderMs: 0,
      idleTimeoutMs: 1000,
      futureLimitMs: 60_000,
      doc: 'things',
      fields: {
        id: field({ kind: 'string' }, 'identity'),
        at: field({ kind: 'timestamp' }, 'when'),
        price: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
        note: nullable({ kind: 'string' }, 'text'),
      },
    }),
  )
    .select('id', 'at', 'price', 'note')
    .named(`rows-of-${format}`)

const at = { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }
const id = { name: 'id', type: 'string' }
const schemas: Record<number, unknown> = {
  1: { type: 'record', name: 'Thing', fields: [id, at, { name: 'price', type: ['null', 'double'] }] },
  2: { type: 'record', name: 'Thing', fields: [at, { name: 'note', type: 'string' }, id] },
}
const encoded = (schemaId: number, value: object): Uint8Array => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(schemaId, 1)
  const type = avro.Type.forSchema(schemas[schemaId] as never, { logicalTypes: {}, wrapUnions: 'never' as never })
  return Buffer.concat([head, type.toBuffer(value)])
}
const atMs = Date.UTC(2026, 0, 1)
const values = [
  { schema: 1, value: { id: 'a', price: 19.99 } },
  { schema: 2, value: { id: 'b', note: 'são' } },
  { schema: 1, value: { id: 'c', price: null } },
].map(({ schema, value }, i) => ({ schema, value: { ...value, at: atMs + i } }))

/** How often each schema was asked for. */
async function registry(t: TestContext, refusesFirst: number): Promise<{ ask: AskForSchema; asked: number[] }> {
  const asked: number[] = []
  const server = createServer((request, response) => {
    const schemaId = Number(/^\/schemas\/ids\/(\d+)$/.exec(request.url ?? '')?.[1])
    asked.push(schemaId)
    assert.equal(request.headers.authorization, 'Basic x')
    const schema = schemas[schemaId]
    response.statusCode = asked.length <= refusesFirst ? 503 : schema === undefined ? 404 : 200
    response.end(response.statusCode === 200 ? JSON.stringify({ schema: JSON.stringify(schema) }) : '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { ask: askRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'Basic x'), asked }
}

test('rows of Avro are those of JSON; the registry is asked once for each schema, and waited for', async (t) => {
  const { ask, asked } = await registry(t, 2)
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  t.after(() => broker.close())
  const rows = new Map<string, string[]>()
  const dead: string[] = []
  const start = () =>
    startLogJob(world, broker, {
      name: 'job',
      plans: [things('in-avro', 'avro'), things('in-json', 'json')],
      inHouse: new Set(),
      snapshotFolder: null,
      logIdentity: broker.clusterId,
      tickMs: 3_600_000,
      shardsMax: 2,
      shardsAlways: true,
      schemas: ask,
      onOutput: ({ results, deadLetters }) => {
        for (const each of deadLetters) dead.push(each.reason)
        for (const batch of results) {
          const known = rows.get(batch.plan.name) ?? []
          rows.set(batch.plan.name, known)
          for (let row = 0; row < batch.count; row++) known.push(encodeRow(batch, row))
        }
      },
    })
  const first = await start()
  const append = async (topic: string, records: readonly Uint8Array[]): Promise<void> => {
    const writer = new BatchWriter()
    for (const record of records) writer.append(null, record, atMs)
    await broker.append(topic, partitionId(0), writer.finish())
  }
  await append(
    'in-avro',
    values.map(({ schema, value }) => encoded(schema, value)),
  )
  const json = values.map(({ value }) => ({ ...value, at: new Date(value.at).toISOString() }))
  await append(
    'in-json',
    json.map((value) => new TextEncoder().encode(JSON.stringify(value))),
  )
  await append('in-avro', [Uint8Array.from([0, 0, 0, 0, 77, 1])])
  await first.settled()
  assert.equal(rows.get('rows-of-json')?.length, 3)
  assert.deepEqual(rows.get('rows-of-avro'), rows.get('rows-of-json'))
  assert.deepEqual(dead, ['unknown-schema'])
  assert.deepEqual(asked, [1, 1, 1, 2, 77])
  await first.stop()
  // Another one replays what was committed: it needs the schemas again.
  const second = await start()
  await append('in-avro', [encoded(2, { id: 'd', at: atMs + 9, note: '' })])
  await second.settled()
  assert.equal(rows.get('rows-of-avro')?.length, 4)
  await second.stop()
})

test('a registry that stays away does not keep a job from being stopped', async (t) => {
  const { ask, asked } = await registry(t, Number.POSITIVE_INFINITY)
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  t.after(() => broker.close())
  const job = await startLogJob(world, broker, {
    name: 'job',
    plans: [things('in-avro', 'avro')],
    inHouse: new Set(),
    snapshotFolder: null,
    logIdentity: broker.clusterId,
    tickMs: 3_600_000,
    schemas: ask,
    onOutput: () => {},
  })
  const writer = new BatchWriter()
  writer.append(null, encoded(1, values[0]!.value), atMs)
  await broker.append('in-avro', partitionId(0), writer.finish())
  while (asked.length === 0) await world.clock.sleep(5)
  await job.stop()
  assert.equal(job.ledger().find(({ topic }) => topic === 'in-avro')?.processed ?? 0, 0)
})
