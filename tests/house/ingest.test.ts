// Events in over HTTP, through the whole house: a sale posted is a figure of the window; what is wrong is told and
// counted; the metrics are in Prometheus' format and agree with what was sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Platform, startPlatform } from '../../src/platform.ts'
import * as contract from '../../src/serve/contract.ts'
import { noLog } from '../../src/std/log-line.ts'
import { nodeWorld } from '../../src/world/node.ts'

const world = nodeWorld({ seed: 'house ingest' })

async function running(run: (url: string) => Promise<void>): Promise<void> {
  const platform: Platform = await startPlatform(
    world,
    {
      dataDir: null,
      host: '127.0.0.1',
      listeners: [{ host: '127.0.0.1', port: 0 }],
      port: 0,
      durability: 'power',
      rate: 1,
      seed: '1',
      generate: false,
      screen: null,
      log: noLog,
      version: '0.0.0',
    },
    () => {},
  )
  try {
    await run(platform.url)
  } finally {
    await platform.stop()
  }
}
const send = (url: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/api/v1/ingest/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const sale = (id: number, price: number) => ({
  id_sale: String(id),
  id_product: `p${id}`,
  seller: `seller-${id % 3}`,
  price,
  sale_date: new Date().toISOString(),
})
/** Polls until the condition holds; the test's own time limit ends what never does. */
async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== null) return found
    await world.clock.sleep(50)
  }
}

test('a sale posted becomes a figure of the window, once, and the metrics agree', { timeout: 60_000 }, () =>
  running(async (url) => {
    const sales = [sale(1, 10.25), sale(2, 20.5), { ...sale(3, 1), price: 'much' }, sale(4, 0.05)]
    const once = { 'idempotency-key': 'batch-1' }
    const first = contract.ingested.parse(await (await send(url, 'sales', sales, once)).json())
    assert.deepEqual([first.accepted, first.rejected], [3, 1])
    const again = contract.ingested.parse(await (await send(url, 'sales', sales, once)).json())
    assert.deepEqual(again, { ...first, repeated: true })
    assert.equal((await send(url, 'sales', sales.slice(1), once)).status, 422)
    const order = {
      id: 77,
      currency: 'BRL',
      created_at: new Date().toISOString(),
      line_items: [{ id: 1, title: 'Café', vendor: 'Serra', price: '100.00', quantity: 2 }],
    }
    assert.equal((await send(url, 'sales?from=shopify-order', order)).status, 200)
    // Sellers for every partition, so that a watermark comes about.
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${JSON.stringify({ ...sale(100 + i, 0.01), seller: `s${i}` })}\n`,
    )
    const ndjson = await fetch(`${url}/api/v1/ingest/sales`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    assert.equal(contract.ingested.parse(await ndjson.json()).accepted, 40)

    const window = await until(async () => {
      const { current } = contract.kpis.parse(await (await fetch(`${url}/api/v1/kpis`)).json())
      return current?.sales === 44 ? current : null
    })
    assert.equal(window.revenueMinor, 1025 + 2050 + 5 + 20_000 + 40)
    assert.equal(window.activeSellers, 43)

    const response = await fetch(`${url}/metrics`)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const figures = parsed(text)
    assert.equal(figures.get('millrace_build_info{version="0.0.0"}'), 1)
    assert.equal(figures.get('millrace_events_ingested_total{topic="sales"}'), 44)
    assert.equal(figures.get('millrace_events_ingested_total{topic="orders"}'), 0)
    assert.equal(figures.get('millrace_events_rejected_total{topic="sales",reason="wrong-type"}'), 1)
    assert.equal(figures.get('millrace_ledger_imbalance{topic="sales"}'), 0)
    assert.equal(figures.get('millrace_late_events_total{topic="sales",action="side_output"}'), 0)
    assert.equal(figures.get('millrace_sse_clients'), 0)
    assert.ok(figures.get('millrace_journal_bytes')! > 0)
    assert.ok(figures.get('millrace_journal_syncs_total')! >= 0)
    assert.ok(figures.get('millrace_watermark_lag_seconds{pipeline="sales-window"}')! > 0)
    assert.equal(figures.get('millrace_watermark_lag_seconds{pipeline="product-metrics"}'), undefined, 'no order yet')
    assert.ok(figures.get('process_resident_memory_bytes')! > 0)
    assert.deepEqual(
      parsed(await (await fetch(`${url}/metrics`)).text()).get('millrace_events_ingested_total{topic="sales"}'),
      44,
      'a scrape adds nothing',
    )
  }),
)

/** Every line of the text format, held to its grammar: HELP and TYPE before their samples, no series twice. */
function parsed(text: string): Map<string, number> {
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const values = new Map<string, number>()
  assert.ok(text.endsWith('\n'))
  for (const line of text.split('\n')) {
    if (line === '') continue
    const help = /^# HELP ([a-z_:][a-z0-9_:]*) \S.*$/.exec(line)
    if (help !== null) {
      assert.ok(!helped.has(help[1]!), line)
      helped.add(help[1]!)
      continue
    }
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line)
    if (type !== null) {
      types.set(type[1]!, type[2]!)
      continue
    }
    const sample =
      /^(([a-z_:][a-z0-9_:]*)(?:\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})?) (\S+)$/.exec(line)
    assert.ok(sample !== null, `no sample: ${line}`)
    const [, series, name] = sample
    const kind = types.get(name!) ?? types.get(name!.replace(/_(?:bucket|sum|count)$/, ''))
    assert.ok(kind !== undefined, `${name} has no type`)
    if (name!.startsWith('millrace_')) {
      assert.equal(kind, name!.endsWith('_total') ? 'counter' : 'gauge', name)
      assert.ok(Number.isFinite(Number(sample[3])), line)
    }
    assert.ok(!values.has(series!), `${series} twice`)
    values.set(series!, Number(sample[3]))
  }
  return values
}
