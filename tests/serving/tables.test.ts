// The serving store of the whole house, over HTTP: its tables fill, pages follow each other, filters hold, wrong questions
// are told what is right.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPlatform } from '../../src/platform.ts'
import { nodeWorld } from '../../src/world/node.ts'

test('E8: the tables of a running shop', { timeout: 120_000 }, async () => {
  const world = nodeWorld()
  const platform = await startPlatform(
    world,
    {
      dataDir: null,
      durability: 'power',
      listeners: [{ host: '127.0.0.1', port: 0 }],
      host: '127.0.0.1',
      port: 0,
      rate: 200,
      seed: 'tables',
      generate: true,
      screen: null,
      version: '0.0.0',
      log: () => undefined,
    },
    () => undefined,
  )
  const ask = async (path: string): Promise<{ readonly status: number; readonly body: Answer }> => {
    const answer = await fetch(`${platform.url}/api/v1/tables${path}`)
    return { status: answer.status, body: (await answer.json()) as Answer }
  }
  try {
    const { tables = [] } = (await ask('')).body
    assert.ok(tables.some(({ name, time }) => name === 'sales_window' && time === 'window_end'))
    let page = await ask('/sales_per_second/rows?limit=5')
    const deadlineMs = world.clock.monoMs() + 60_000
    while (page.status === 503 || (page.body.rows?.length ?? 0) < 5) {
      assert.ok(world.clock.monoMs() < deadlineMs, await (await fetch(`${platform.url}/readyz?verbose`)).text())
      await world.clock.sleep(100)
      page = await ask('/sales_per_second/rows?limit=5')
    }
    const next = await ask(`/sales_per_second/rows?limit=5&cursor=${page.body.next}`)
    assert.equal(next.status, 200)
    const ends = [...(page.body.rows ?? []), ...(next.body.rows ?? [])].map((row) => String(row.window_end))
    assert.deepEqual(ends, ends.toSorted().toReversed(), 'newest first')
    const one = page.body.rows?.[0]
    assert.ok(Number.isSafeInteger(one?.revenue_minor))
    const same = await ask(`/sales_per_second/rows?where.window_end=${String(one?.window_end)}`)
    assert.deepEqual(
      same.body.rows?.map((row) => row._key),
      [one?._key],
    )

    for (const [path, status, told] of [
      ['/sales_windw/rows', 404, /Did you mean sales_window/],
      ['/sales_window/rows?where.nothing=1', 400, /where\.NAME=value.*sales/],
      ['/sales_window/rows?where.sales=many', 400, /whole number/],
      ['/sales_window/rows?cursor=bm9uZQ', 400, /cursor/],
      ['/sales_window/rows?limit=0', 400, /limit/],
      [`/sales_window/rows?where.timing=${encodeURIComponent("x' or '1'='1")}`, 200, null],
    ] as const) {
      const answer = await ask(path)
      assert.equal(answer.status, status, path)
      if (told !== null) assert.match(JSON.stringify(answer.body), told)
      else assert.deepEqual(answer.body.rows, [])
    }
    const ready = await (await fetch(`${platform.url}/readyz?verbose`)).text()
    assert.match(ready, /serving.*tables in SQLite/)
  } finally {
    await platform.stop()
  }
})

interface Answer {
  readonly tables?: readonly { readonly name: string; readonly time: string | null }[]
  readonly rows?: readonly Readonly<Record<string, unknown>>[]
  readonly next?: string | null
}
