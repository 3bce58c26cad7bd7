// Serving over real sockets: answers, streams, refusals, limits, files, the end.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import * as contract from './contract.ts'
import { features as featuresSchema, recommendations } from './contract-insights.ts'
import type { Check, LiveState, ServePorts } from './ports.ts'
import { ServeError, type ServeSettings, serve } from './serve.ts'

const world = nodeWorld({ seed: 'serve' })
const nowMs = Date.UTC(2026, 10, 21, 9, 30)

const state: LiveState = {
  epoch: 7,
  currency: 'BRL',
  scale: 2,
  windowMs: 900_000,
  slideMs: 1000,
  watermarkMs: nowMs - 5000,
  eventTimeMaxMs: nowMs,
  current: {
    windowStartMs: nowMs - 900_000,
    windowEndMs: nowMs,
    sales: 12,
    revenueMinor: 123_456,
    averageTicketMinor: 10_288,
    activeSellers: 3,
    activeCategories: 4,
    activeProducts: 5,
    biggestSaleMinor: 99_900,
    timing: 'early',
  },
  previous: null,
  history: [],
  series: [{ secondMs: nowMs - 1000, sales: 3, revenueMinor: 4500 }],
  topProducts: null,
  salesEvents: null,
}

interface Shop {
  readonly ports: ServePorts
  readonly faults: string[]
  readonly listeners: Set<() => void>
  checks: () => Promise<Check[]>
  now: LiveState
  signals: AbortSignal[]
}
function shop(): Shop {
  const faults: string[] = []
  const listeners = new Set<() => void>()
  const made: Shop = {
    faults,
    listeners,
    now: state,
    signals: [],
    checks: async () => [
      { name: 'broker', ok: true, needed: true, detail: '1 topic' },
      { name: 'generator', ok: false, needed: false, detail: 'off' },
    ],
    ports: {
      figures: {
        live: {
          snapshot: () => made.now,
          subscribe(listener) {
            listeners.add(listener)
            return () => void listeners.delete(listener)
          },
        },
        status: {
          status: () => ({
            startedMs: nowMs,
            durability: 'power-cut',
            components: [{ name: 'engine', state: 'ok', detail: 'caught up' }],
            ledger: [{ topic: 'sales', in: 12, processed: 12, duplicates: 0, late: 0, deadLettered: 0, inFlight: 0 }],
            kafka: '127.0.0.1:9092',
            generator: { salesPerSecond: 50, seed: '42' },
          }),
        },
      },
      health: { checks: () => made.checks() },
      tables: null,
      insights: {
        recommendations: (user, _nowMs, count) => ({
          known: user === 'U1',
          items: [{ productId: 'P1', score: count, reason: 'goes-with', with: 'P2' }],
          boughtTogether: [],
        }),
        features: (kind, id) => ({ [`${kind}_of_${id}`]: 1, unknown: null }),
      },
      reports: {
        list: () => [
          { name: 'monthly-revenue', doc: 'Gross revenue per calendar month', period: 'all', schedule: null },
          { name: 'broken', doc: 'always fails', period: 'all', schedule: null },
          { name: 'endless', doc: 'ends when it is aborted', period: 'all', schedule: null },
        ],
        runs: () => [],
        async run(name, _, signal) {
          made.signals.push(signal)
          if (name === 'broken') throw new Error('secret path /home/someone')
          if (name === 'endless')
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
          return {
            columns: [
              { name: 'month', type: 'text' },
              { name: 'gross', type: 'money', currency: 'GBP', scale: 3 },
            ],
            rows: [{ month: '2010-12', gross: 823_746_140 }],
            records: 42_481,
            watermarkMs: null,
          }
        },
      },
      ingest: null,
      metrics: null,
      fault: (error, where) => void faults.push(`${where}: ${error.message}`),
    },
  }
  return made
}

async function served(
  run: (url: string, shop: Shop, close: () => Promise<void>) => Promise<void>,
  settings: Partial<ServeSettings> = {},
) {
  const made = shop()
  const house = await serve(world, made.ports, {
    host: '127.0.0.1',
    port: 0,
    screenFolder: null,
    version: '0.1.0',
    ...settings,
  })
  try {
    await run(house.url, made, house.close)
  } finally {
    await house.close()
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}
/** fetch hides Host and Origin from us; this sends exactly what it is told, the path unnormalised. */
function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, path, method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}
const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})

test('the figures, as their contract says', () =>
  served(async (url, shop) => {
    const kpis = contract.kpis.parse(JSON.parse((await ask(url, '/api/v1/kpis')).text))
    assert.equal(kpis.current?.revenueMinor, 123_456)
    assert.equal(kpis.currency, 'BRL')
    assert.equal(kpis.watermark, '2026-11-21T09:29:55.000Z')
    assert.equal(kpis.windowSeconds, 900)
    const series = contract.series.parse(JSON.parse((await ask(url, '/api/v1/series')).text))
    assert.deepEqual(series.points, [{ second: '2026-11-21T09:29:59.000Z', sales: 3, revenueMinor: 4500 }])
    const status = contract.status.parse(JSON.parse((await ask(url, '/api/v1/status')).text))
    assert.equal(status.ledger[0]?.in, 12)
    assert.equal((await ask(url, '/api/v1/top-products')).status, 404)
    shop.now = { ...state, topProducts: [{ rank: 1, product: '<b>Vase</b>', sales: 4, revenueMinor: 100 }] }
    const top = contract.topProducts.parse(JSON.parse((await ask(url, '/api/v1/top-products')).text))
    assert.equal(top.products[0]?.product, '<b>Vase</b>')
    assert.equal((await ask(url, '/api/v1/kpis')).headers['cache-control'], 'no-store')
    assert.deepEqual(shop.faults, [])
  }))

test('before the first sale the figures are absent, not zero', () =>
  served(async (url, shop) => {
    shop.now = { ...state, current: null, watermarkMs: null, eventTimeMaxMs: null, series: [] }
    const kpis = contract.kpis.parse(JSON.parse((await ask(url, '/api/v1/kpis')).text))
    assert.equal(kpis.current, null)
    assert.equal(kpis.watermark, null)
  }))

test('health: alive, ready, why not, and while stopping', () =>
  served(async (url, shop) => {
    assert.equal((await ask(url, '/livez')).text, 'ok\n')
    assert.deepEqual(JSON.parse((await ask(url, '/version')).text), { name: 'millrace', version: '0.1.0' })
    assert.deepEqual([(await ask(url, '/readyz')).status, (await ask(url, '/readyz')).text], [200, 'ok\n'])
    assert.equal((await ask(url, '/readyz?verbose')).text, '[+]broker ok: 1 topic\n[~]generator failed: off\nready\n')
    const json = contract.readiness.parse(JSON.parse((await ask(url, '/healthz?format=json')).text))
    assert.equal(json.ready, true)
    shop.checks = async () => [{ name: 'broker', ok: false, needed: true, detail: 'disk full: free some space' }]
    const unready = await ask(url, '/readyz')
    assert.equal(unready.status, 503)
    assert.equal(unready.text, '[-]broker failed: disk full: free some space\nnot ready\n')
    shop.checks = () => Promise.reject(new Error('boom'))
    assert.equal((await ask(url, '/readyz')).status, 503)
    assert.deepEqual(shop.faults, ['health checks: boom'])
  }))

test('draining: not ready, no new stream, no new report; figures still come', async () => {
  const made = shop()
  const house = await serve(world, made.ports, { host: '127.0.0.1', port: 0, screenFolder: null, version: '0.1.0' })
  try {
    house.drain()
    assert.match((await ask(house.url, '/readyz')).text, /draining/)
    assert.equal((await ask(house.url, '/api/v1/live')).status, 503)
    assert.equal((await ask(house.url, '/api/v1/reports/monthly-revenue/runs', post('{}'))).status, 503)
    assert.equal((await ask(house.url, '/api/v1/kpis')).status, 200)
  } finally {
    await house.close()
  }
})

test('insights: what to show a visitor, features of an entity by kind and name', () =>
  served(async (url) => {
    const answer = async (path: string) => JSON.parse((await ask(url, path)).text)
    const shown = recommendations.parse(await answer('/api/v1/recommendations/U1?count=3'))
    assert.deepEqual([shown.known, shown.items[0]?.score, shown.items[0]?.with], [true, 3, 'P2'])
    assert.equal((await answer('/api/v1/recommendations/U2')).known, false)
    assert.equal((await ask(url, '/api/v1/recommendations/U2?count=51')).status, 400)
    const features = featuresSchema.parse(await answer('/api/v1/features/seller:A%20B'))
    assert.deepEqual(features.features, { 'seller_of_A B': 1, unknown: null })
    assert.equal((await ask(url, '/api/v1/features/nothing')).status, 404)
  }))
test('reports: listed, run, unknown, broken, too many, aborted when the caller goes', () =>
  served(
    async (url, shop) => {
      const list = contract.reportList.parse(JSON.parse((await ask(url, '/api/v1/reports')).text))
      assert.equal(list.reports[0]?.name, 'monthly-revenue')
      const run = contract.reportRun.parse(
        JSON.parse((await ask(url, '/api/v1/reports/monthly-revenue/runs', post('{}'))).text),
      )
      assert.deepEqual(run.rows, [{ month: '2010-12', gross: 823_746_140 }])
      assert.deepEqual(run.columns[1], { name: 'gross', type: 'money', currency: 'GBP', scale: 3 })

      const unknown = await ask(url, '/api/v1/reports/monthly-revnue/runs', post('{}'))
      assert.equal(unknown.status, 404)
      assert.equal(contract.problem.parse(JSON.parse(unknown.text)).cure, 'Did you mean monthly-revenue?')

      const broken = await ask(url, '/api/v1/reports/broken/runs', post('{}'))
      assert.equal(broken.status, 500)
      assert.ok(!broken.text.includes('secret'), 'causes stay inside')
      assert.deepEqual(shop.faults, ['POST /api/v1/reports/:name/runs: secret path /home/someone'])

      const { port } = new URL(url)
      const hanging = connect(Number(port), '127.0.0.1')
      hanging.write(
        'POST /api/v1/reports/endless/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
      )
      while (shop.signals.length < 3) await world.clock.sleep(5)
      const busy = await ask(url, '/api/v1/reports/monthly-revenue/runs', post('{}'))
      assert.equal(busy.status, 503)
      assert.equal(busy.headers['retry-after'], '2')
      const signal = shop.signals[2]!
      assert.equal(signal.aborted, false)
      hanging.destroy()
      while (!signal.aborted) await world.clock.sleep(5)
      while ((await ask(url, '/api/v1/reports/monthly-revenue/runs', post('{}'))).status === 503)
        await world.clock.sleep(5)
    },
    { limits: { reportsAtOnceMax: 1 } },
  ))

test('a report that takes too long is given up with 504', () =>
  served(
    async (url, shop) => {
      const late = await ask(url, '/api/v1/reports/endless/runs', post('{}'))
      assert.equal(late.status, 504)
      assert.equal(contract.problem.parse(JSON.parse(late.text)).type, 'urn:millrace:problem:timed-out')
      assert.equal(shop.signals[0]?.aborted, true)
    },
    { limits: { reportMsMax: 50 } },
  ))

const path = '/api/v1/reports/monthly-revenue/runs'
const refusals: [name: string, path: string, options: Parameters<typeof ask>[2], status: number, type: string][] = [
  ['an unknown path', '/nothing', {}, 404, 'not-found'],
  ['a wrong method', '/api/v1/kpis', { method: 'DELETE' }, 404, 'not-found'],
  ['another host', '/api/v1/kpis', { headers: { host: 'evil.example' } }, 403, 'host-not-allowed'],
  [
    'a host that begins like ours',
    '/api/v1/kpis',
    { headers: { host: 'localhost.evil.example:80' } },
    403,
    'host-not-allowed',
  ],
  [
    'a host with a user in it',
    '/api/v1/kpis',
    { headers: { host: 'localhost@evil.example' } },
    403,
    'host-not-allowed',
  ],
  [
    'another host at a path that does not exist',
    '/nothing',
    { headers: { host: 'evil.example' } },
    403,
    'host-not-allowed',
  ],
  ['another host for the page', '/', { headers: { host: 'rebound.example' } }, 403, 'host-not-allowed'],
  [
    'a stream for another site',
    '/api/v1/live',
    { headers: { origin: 'https://evil.example' } },
    403,
    'origin-not-allowed',
  ],
  ['a stream for a sandboxed page', '/api/v1/live', { headers: { origin: 'null' } }, 403, 'origin-not-allowed'],
  [
    'another port of this machine',
    '/api/v1/kpis',
    { headers: { origin: 'http://localhost:1' } },
    403,
    'origin-not-allowed',
  ],
  [
    'a cross-site read without an origin',
    '/api/v1/kpis',
    { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } },
    403,
    'origin-not-allowed',
  ],
  [
    'a cross-site frame',
    '/',
    { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
    403,
    'origin-not-allowed',
  ],
  ['a write from another site', path, post('{}', { origin: 'https://evil.example' }), 403, 'origin-not-allowed'],
  [
    'a write as a form',
    path,
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
    415,
    'not-json',
  ],
  [
    'a write as an encoded form',
    path,
    { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' },
    415,
    'not-json',
  ],
  ['a write without a body', path, { method: 'POST' }, 400, 'bad-request'],
  ['a body that is not JSON', path, post('{'), 400, 'bad-request'],
  ['a body with what is not known', path, post('{"a":1}'), 400, 'bad-request'],
  ['a poisoned body', path, post('{"__proto__":{"x":1}}'), 400, 'bad-request'],
  ['a body over the limit', path, post(`{"a":"${'x'.repeat(1024 * 1024)}"}`), 413, 'too-large'],
  ['an unknown channel', '/api/v1/live?channels=kpis,secrets', {}, 400, 'bad-request'],
  ['no channel', '/api/v1/live?channels=', {}, 400, 'bad-request'],
  ['a bad escape', '/api/%c0%af', {}, 400, 'bad-request'],
  ['the page when it is not built', '/', {}, 404, 'screen-not-built'],
]
test('refusals are problems that say what and why, with all security headers and nothing of our insides', () =>
  served(async (url, shop) => {
    for (const [name, path, options, status, type] of refusals) {
      const answer = await ask(url, path, options)
      assert.equal(answer.status, status, `${name}: ${answer.text}`)
      assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, name)
      const problem = contract.problem.parse(JSON.parse(answer.text))
      assert.equal(problem.type, `urn:millrace:problem:${type}`, name)
      assert.equal(problem.status, status, name)
      assert.ok(problem.detail.length > 0, name)
      assert.doesNotMatch(answer.text, /node_modules|\.ts:|stack/, name)
      assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/, name)
      assert.equal(answer.headers['access-control-allow-origin'], undefined, name)
    }
    assert.deepEqual(shop.faults, [], 'none of them is a fault of ours')
  }))

test('what is allowed: our own page, forwarded ports, links from elsewhere, programs', () =>
  served(async (url) => {
    const { host, port } = new URL(url)
    const allowed: Record<string, string>[] = [
      { origin: url },
      { host: 'localhost:9999', origin: 'http://localhost:9999' },
      { host: `[::1]:${port}` },
      { host: 'LOCALHOST' },
      { host, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ]
    for (const headers of allowed)
      assert.equal((await ask(url, '/api/v1/kpis', { headers })).status, 200, JSON.stringify(headers))
  }))

test('every answer carries the same security headers', () =>
  served(async (url) => {
    const expected = {
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    }
    for (const path of ['/livez', '/api/v1/kpis', '/api/v1/openapi.json', '/nothing']) {
      const { headers } = await ask(url, path)
      for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, `${path} ${name}`)
      assert.equal(headers['x-powered-by'] ?? headers.server, undefined)
    }
    const stream = await fetch(`${url}/api/v1/live`)
    for (const [name, value] of Object.entries(expected))
      assert.equal(stream.headers.get(name), value, `stream ${name}`)
    await stream.body?.cancel()
  }))

test('a stream: snapshot, then deltas, then goodbye; Last-Event-ID resumes', () =>
  served(async (url, shop, close) => {
    const stream = await fetch(`${url}/api/v1/live?channels=kpis,series`)
    assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.equal(stream.headers.get('cache-control'), 'no-store')
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const { value, done } = await reader.read()
        assert.ok(!done, `the stream ended before ${pattern}: ${text}`)
        text += value
      }
    }
    await until(/event: series\n.*\n\n/)
    const frames = [...text.matchAll(/data: (.*)/g)].map((match) => JSON.parse(match[1]!))
    contract.kpisFrame.parse(frames[0])
    contract.seriesFrame.parse(frames[1])
    const id = [...text.matchAll(/id: (.*)/g)].at(-1)![1]!
    shop.now = { ...state, current: { ...state.current!, sales: 13 } }
    for (const listener of shop.listeners) listener()
    await until(/"sales":13.*"kind":"delta"/)

    const again = await fetch(`${url}/api/v1/live?channels=kpis,series`, { headers: { 'last-event-id': id } })
    const other = again.body!.pipeThrough(new TextDecoderStream()).getReader()
    let resumed = ''
    while (!resumed.includes('event: kpis')) resumed += (await other.read()).value
    assert.ok(!resumed.includes('event: series'), 'what had not changed is not sent again')
    await close()
    while (!text.includes('event: bye')) text += (await reader.read()).value
    assert.equal((await reader.read()).done, true)
    await other.cancel()
  }))

test('a reader that stops reading is not queued for: it skips, and then has the newest figures', async () => {
  const made = shop()
  const house = await serve(world, made.ports, {
    host: '127.0.0.1',
    port: 0,
    screenFolder: null,
    version: '0.1.0',
    live: { roundMsMin: 1 },
  })
  try {
    const { port } = new URL(house.url)
    const socket = connect(Number(port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text = (text + chunk).slice(-300_000)
    })
    socket.write('GET /api/v1/live?channels=topProducts HTTP/1.1\r\nhost: localhost\r\n\r\n')
    while (house.streams() === 0) await world.clock.sleep(5)
    socket.pause()
    let version = 0
    const change = async (): Promise<void> => {
      version++
      const product = `v${version} ${'x'.repeat(200_000)}`
      made.now = { ...state, topProducts: [{ rank: 1, product, sales: version, revenueMinor: 1 }] }
      for (const listener of made.listeners) listener()
      await world.clock.sleep(3)
    }
    // What the kernel takes on its own account is some megabytes; after that rounds are skipped.
    while (house.conflated() < 5) await change()
    socket.resume()
    while (!text.includes(`"sales":${version},`)) await world.clock.sleep(5)
    assert.match(text, /"kind":"snapshot"/, 'brought up to date by a snapshot')
    socket.destroy()
    while (house.streams() > 0) await world.clock.sleep(5)
  } finally {
    await house.close()
  }
})

test('streams are limited, and free again when readers leave', () =>
  served(
    async (url, shop) => {
      const first = await fetch(`${url}/api/v1/live`)
      const refused = await ask(url, '/api/v1/live')
      assert.equal(refused.status, 503)
      assert.equal(refused.headers['retry-after'], '2')
      assert.match(refused.text, /too-many-streams/)
      await first.body!.cancel()
      while (shop.listeners.size > 0) await world.clock.sleep(5)
      const again = await fetch(`${url}/api/v1/live`)
      assert.equal(again.status, 200)
      await again.body!.cancel()
    },
    { live: { clientsMax: 1 } },
  ))

test('the screen: exact files only, types, caching, 304; no path leads out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-screen-'))
  try {
    mkdirSync(join(folder, 'built', 'assets'), { recursive: true })
    writeFileSync(join(folder, 'secret.txt'), 'secret')
    writeFileSync(join(folder, 'built', 'index.html'), '<!doctype html><title>Millrace</title>')
    writeFileSync(join(folder, 'built', 'assets', 'index-ab12.js'), 'export {}')
    writeFileSync(join(folder, 'built', 'notes.bin'), 'not a type we serve')
    await served(
      async (url) => {
        const page = await ask(url, '/')
        assert.equal(page.status, 200)
        assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
        assert.equal(page.headers['cache-control'], 'no-cache')
        assert.equal((await ask(url, '/', { headers: { 'if-none-match': page.headers.etag! } })).status, 304)
        const script = await ask(url, '/assets/index-ab12.js')
        assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8')
        assert.match(script.headers['cache-control'] ?? '', /immutable/)
        const paths = [
          '/../secret.txt',
          '/%2e%2e/secret.txt',
          '/..%2fsecret.txt',
          '/assets/../../secret.txt',
          '/assets/..%5c..%5csecret.txt',
          '/assets/%00',
          '/assets/index-ab12.js%00.html',
          '//secret.txt',
          '/index.html/',
          '/notes.bin',
          '/assets/',
          '/assets',
        ]
        for (const path of paths) {
          const answer = await ask(url, path)
          assert.ok(answer.status === 404 || answer.status === 400, `${path}: ${answer.status}`)
          assert.ok(!answer.text.includes('secret\n'), path)
        }
      },
      { screenFolder: join(folder, 'built') },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('bytes that are no HTTP, and headers without end, are answered shortly and hung up on', () =>
  served(async (url, shop) => {
    const { port } = new URL(url)
    const say = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes))
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.on('error', () => {})
        socket.on('close', () => resolve(text))
      })
    assert.match(await say('\x16\x03\x01 hello TLS\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await say(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
    assert.deepEqual(shop.faults, [])
  }))

test('slow senders are hung up on', () =>
  served(
    async (url) => {
      const { port } = new URL(url)
      const socket = connect(Number(port), '127.0.0.1')
      socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n')
      await new Promise((resolve) =>
        socket
          .on('close', resolve)
          .on('error', () => {})
          .resume(),
      )
    },
    { limits: { idleConnectionMsMax: 100 } },
  ))

test('where it may listen: loopback only, a busy port names its flag', async () => {
  const made = shop()
  const settings = { port: 0, screenFolder: null, version: '0.1.0' }
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.evil.example'])
    await assert.rejects(serve(world, made.ports, { ...settings, host }), (error) => {
      assert.ok(error instanceof ServeError)
      assert.deepEqual([error.code, error.flag], ['HOST_REFUSED', '--host'])
      return true
    })
  const blocker = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
  const address = blocker.address()
  const port = typeof address === 'object' ? address!.port : 0
  try {
    await assert.rejects(serve(world, made.ports, { ...settings, host: '127.0.0.1', port }), (error) => {
      assert.ok(error instanceof ServeError)
      assert.deepEqual([error.code, error.flag], ['PORT_IN_USE', '--port'])
      assert.match(error.message, new RegExp(`port ${port}`))
      return true
    })
  } finally {
    blocker.close()
  }
})
