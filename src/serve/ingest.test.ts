// Records in over real sockets: bodies of every kind, what is refused and how, keys, limits, the adapter.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import * as contract from './contract.ts'
import type { IngestOutcome, IngestRequest, ServePorts } from './ports.ts'
import { type ServeSettings, serve } from './serve.ts'

const world = nodeWorld({ seed: 'serve ingest' })
const unused = (): never => assert.fail('not asked for here')

/** Takes what has an `id`, as offsets from 0 of partition 2; keeps what it was given. */
interface Taker {
  readonly taken: string[]
  readonly requests: IngestRequest[]
  /** Instead of the usual. */
  next: IngestOutcome | Promise<IngestOutcome> | null
}
async function serving(
  run: (url: string, taker: Taker, drain: () => void) => Promise<void>,
  settings: Partial<ServeSettings> = {},
): Promise<void> {
  const taker: Taker = { taken: [], requests: [], next: null }
  const ports: ServePorts = {
    figures: {
      live: { snapshot: unused, subscribe: unused },
      status: { status: unused },
    },
    health: { checks: unused },
    reports: null,
    tables: null,
    insights: null,
    metrics: null,
    ingest: {
      topics: ['sales', 'orders'],
      async take(request) {
        taker.requests.push(request)
        const { bytes, count, starts, ends } = request.records
        const texts = Array.from({ length: count }, (_, i) =>
          Buffer.from(bytes.subarray(starts[i], ends[i])).toString(),
        )
        taker.taken.push(...texts)
        if (taker.next !== null) return taker.next
        let offset = 0
        const results = texts.map((text) => {
          try {
            if ('id' in (JSON.parse(text) as object) || 'id_sale' in (JSON.parse(text) as object))
              return { accepted: true, partition: 2, offset: offset++ } as const
          } catch {
            return { accepted: false, reason: 'not-json', field: '', message: 'not JSON' } as const
          }
          return { accepted: false, reason: 'missing', field: 'id', message: "field 'id' is missing" } as const
        })
        return { kind: 'taken', repeated: false, results }
      },
    },
    fault: (error) => assert.fail(error),
  }
  const house = await serve(world, ports, { host: '127.0.0.1', port: 0, screenFolder: null, version: '0', ...settings })
  try {
    await run(house.url, taker, () => house.drain())
  } finally {
    await house.close()
  }
}
const json = 'application/json'
const ndjson = 'application/x-ndjson'
const send = (
  url: string,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string> = { 'content-type': json },
  path = '/api/v1/ingest/sales',
): Promise<Response> => fetch(`${url}${path}`, { method: 'POST', body, headers })

const taken: [name: string, type: string, body: string, statuses: string][] = [
  ['one object', json, '{"id":1}', '+'],
  ['with space around', `${json}; charset=utf-8`, '\n {"id":1} ', '+'],
  ['an array', json, '[{"id":1},{"id":2}]', '++'],
  ['an array with one bad element', json, '[{"id":1},{"no":2},{"id":3}]', '+-+'],
  ['an array with an element that is no JSON', json, '[{"id":1},{"id":},{"id":3}]', '+-+'],
  ['an empty array', json, '[]', ''],
  ['lines, some of them blank', ndjson, '{"id":1}\r\n\n  \n{"id":2}\n{"no":3}', '++-'],
]
test('what is taken, with an answer for each record', () =>
  serving(async (url) => {
    for (const [name, type, body, statuses] of taken) {
      const response = await send(url, body, { 'content-type': type })
      const text = await response.text()
      assert.equal(response.status, 200, `${name}: ${text}`)
      const answer = contract.ingested.parse(JSON.parse(text))
      assert.equal(answer.results.map(({ status }) => (status === 'accepted' ? '+' : '-')).join(''), statuses, name)
      assert.deepEqual(
        answer.results.map(({ index }) => index),
        [...statuses].map((_, i) => i),
        name,
      )
      assert.deepEqual(
        [answer.accepted, answer.rejected],
        [statuses.split('+').length - 1, statuses.split('-').length - 1],
        name,
      )
      assert.equal(answer.topic, 'sales')
    }
    const answer = (await (await send(url, '[{"id":1},{}]')).json()) as contract.Ingested
    assert.deepEqual(answer.results, [
      { index: 0, status: 'accepted', partition: 2, offset: 0 },
      { index: 1, status: 'rejected', reason: 'missing', field: 'id', message: "field 'id' is missing" },
    ])
  }))

test('bytes go through as they came', () =>
  serving(async (url, taker) => {
    await send(url, '[ { "id" : 1.50, "t":"ção \\u0041" } ,{"id":2}]')
    assert.deepEqual(taker.taken, ['{ "id" : 1.50, "t":"ção \\u0041" }', '{"id":2}'])
  }))

const big = `{"id":"${'x'.repeat(4 * 1024 * 1024)}"}`
const refused: [
  name: string,
  path: string,
  body: string | null,
  headers: Record<string, string>,
  status: number,
  type: string,
][] = [
  ['no JSON', 'sales', '{"id":', { 'content-type': json }, 400, 'bad-request'],
  ['no object', 'sales', '"id"', { 'content-type': json }, 400, 'bad-request'],
  ['an array that does not end', 'sales', '[{"id":1}', { 'content-type': json }, 400, 'bad-request'],
  ['a byte order mark', 'sales', '\ufeff{"id":1}', { 'content-type': json }, 400, 'bad-request'],
  ['an empty body', 'sales', '', { 'content-type': json }, 400, 'bad-request'],
  ['one record that is refused', 'sales', '{"no":1}', { 'content-type': json }, 422, 'nothing-accepted'],
  ['only such records', 'sales', '{}\n{}', { 'content-type': ndjson }, 422, 'nothing-accepted'],
  ['an unknown topic', 'sale', '{"id":1}', { 'content-type': json }, 404, 'unknown-topic'],
  ['a result topic', 'sales-window', '{"id":1}', { 'content-type': json }, 404, 'unknown-topic'],
  ['a topic of the house', '__http_ingest_keys', '{"id":1}', { 'content-type': json }, 404, 'unknown-topic'],
  ['text', 'sales', '{"id":1}', { 'content-type': 'text/plain' }, 415, 'not-json'],
  ['a form', 'sales', 'id=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'not-json'],
  [
    'another site',
    'sales',
    '{"id":1}',
    { 'content-type': json, origin: 'https://evil.example' },
    403,
    'origin-not-allowed',
  ],
  ['a body over the limit', 'sales', big, { 'content-type': json }, 413, 'too-large'],
  ['more records than may be', 'sales', '[1,2,3,4,5,6]', { 'content-type': json }, 413, 'too-large'],
  ['more lines than may be', 'sales', '1\n2\n3\n4\n5\n6', { 'content-type': ndjson }, 413, 'too-large'],
  ['an empty key', 'sales', '{"id":1}', { 'content-type': json, 'idempotency-key': '' }, 400, 'bad-request'],
  ['a key with a space', 'sales', '{"id":1}', { 'content-type': json, 'idempotency-key': 'a b' }, 400, 'bad-request'],
  [
    'a key too long',
    'sales',
    '{"id":1}',
    { 'content-type': json, 'idempotency-key': 'k'.repeat(201) },
    400,
    'bad-request',
  ],
  ['an unknown adapter', 'sales?from=shop', '{"id":1}', { 'content-type': json }, 400, 'bad-request'],
  [
    'an adapter of another topic',
    'orders?from=shopify-order',
    '{"id":1}',
    { 'content-type': json },
    400,
    'bad-request',
  ],
  ['lines for an adapter', 'sales?from=shopify-order', '{"id":1}', { 'content-type': ndjson }, 400, 'bad-request'],
  ['no JSON for an adapter', 'sales?from=shopify-order', '{', { 'content-type': json }, 400, 'bad-request'],
  ['an order that is none', 'sales?from=shopify-order', '{"id":1}', { 'content-type': json }, 422, 'nothing-accepted'],
]
test('what is refused, and how it is told', () =>
  serving(
    async (url) => {
      for (const [name, path, body, headers, status, type] of refused) {
        const response = await send(url, body, headers, `/api/v1/ingest/${path}`)
        const text = await response.text()
        assert.equal(response.status, status, `${name}: ${text}`)
        const problem = contract.ingestProblem.parse(JSON.parse(text))
        assert.equal(problem.type, `urn:millrace:problem:${type}`, name)
        assert.match(String(response.headers.get('content-security-policy')), /default-src 'none'/, name)
      }
      const unknown = contract.problem.parse(
        await (await send(url, '{}', { 'content-type': json }, '/api/v1/ingest/sale')).json(),
      )
      assert.equal(unknown.cure, 'Did you mean sales?')
      const none = contract.ingestProblem.parse(await (await send(url, '[{"no":1}]')).json())
      assert.equal(none.results?.[0]?.status, 'rejected', 'each record says why')
    },
    { limits: { ingestRecordsMax: 5 } },
  ))

test('at the limits: 4 MiB and exactly so many records are taken', () =>
  serving(
    async (url, taker) => {
      assert.equal((await send(url, `{"id":"${'x'.repeat(4 * 1024 * 1024 - 9)}"}`)).status, 200)
      assert.equal(taker.taken[0]!.length, 4 * 1024 * 1024)
      assert.equal((await send(url, '[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}]')).status, 200)
    },
    { limits: { ingestRecordsMax: 5 } },
  ))

test('a key comes with a fingerprint of topic, kind and body', () =>
  serving(async (url, taker) => {
    const key = { 'idempotency-key': 'order-1' }
    await send(url, '{"id":1}', { 'content-type': json, ...key })
    await send(url, '{"id":1}', { 'content-type': `${json}; charset=utf-8`, ...key })
    await send(url, '{"id":2}', { 'content-type': json, ...key })
    await send(url, '{"id":1}', { 'content-type': ndjson, ...key })
    await send(url, '{"id":1}', { 'content-type': json, ...key }, '/api/v1/ingest/orders')
    await send(url, '{"id":1}')
    const [first, same, ...others] = taker.requests.map(({ once }) => once)
    assert.equal(first?.key, 'order-1')
    assert.deepEqual(same, first)
    assert.equal(others.at(-1), null)
    assert.equal(new Set([first, ...others].map((once) => once?.fingerprint)).size, 5)
  }))

const outcomes: [outcome: IngestOutcome, status: number, type: string, retryAfter: string | null][] = [
  [{ kind: 'key-reused' }, 422, 'key-reused', null],
  [{ kind: 'no-room' }, 429, 'no-room', '2'],
  [{ kind: 'refused', detail: 'the disk is full' }, 503, 'log-refused', '2'],
]
test('what the log answers becomes a status, with the time to come again', () =>
  serving(async (url, taker) => {
    for (const [outcome, status, type, retryAfter] of outcomes) {
      taker.next = outcome
      const response = await send(url, '{"id":1}')
      assert.equal(response.status, status)
      assert.equal(response.headers.get('retry-after'), retryAfter)
      assert.equal(contract.problem.parse(await response.json()).type, `urn:millrace:problem:${type}`)
    }
    taker.next = { kind: 'taken', repeated: true, results: [{ accepted: true, partition: 1, offset: null }] }
    assert.equal(contract.ingested.parse(await (await send(url, '{"id":1}')).json()).repeated, true)
  }))

test('so many at a time: the next is told to come later before its body is read, then there is room again', () =>
  serving(
    async (url, taker) => {
      const { promise, resolve } = Promise.withResolvers<IngestOutcome>()
      taker.next = promise
      const first = send(url, '{"id":1}')
      while (taker.requests.length < 1) await world.clock.sleep(5)
      const second = await send(url, '{"id":2}')
      assert.deepEqual([second.status, second.headers.get('retry-after')], [429, '2'])
      await second.text()
      assert.equal(taker.requests.length, 1)
      taker.next = null
      resolve({ kind: 'taken', repeated: false, results: [] })
      assert.equal((await first).status, 200)
      await (await first).text()
      while ((await send(url, '{"id":3}')).status === 429) await world.clock.sleep(5)
    },
    { limits: { ingestsAtOnceMax: 1 } },
  ))

test('while stopping nothing is taken', () =>
  serving(async (url, taker, drain) => {
    drain()
    assert.equal((await send(url, '{"id":1}')).status, 503)
    assert.equal(taker.requests.length, 0)
  }))

test('a Shopify order goes in as sales', () =>
  serving(async (url, taker) => {
    const order = {
      id: 5678901234567,
      currency: 'BRL',
      created_at: '2026-11-21T06:30:01-03:00',
      line_items: [
        { id: 11, sku: 'CAFE-500', title: 'Café', vendor: 'Serra', price: '59.90', quantity: 3 },
        { id: 12, sku: 'MOEDOR', title: 'Moedor', vendor: 'Serra', price: '179.00', quantity: 1 },
      ],
    }
    const response = await send(
      url,
      JSON.stringify(order),
      { 'content-type': json },
      '/api/v1/ingest/sales?from=shopify-order',
    )
    assert.equal(contract.ingested.parse(await response.json()).accepted, 2)
    assert.deepEqual(
      taker.taken
        .map((text) => JSON.parse(text) as { id_sale: string; price: number })
        .map(({ id_sale, price }) => [id_sale, price]),
      [
        ['5678901234567-11', 59.9],
        ['5678901234567-12', 179],
      ],
    )
  }))
